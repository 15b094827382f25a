/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What happens when the program breaks a rule: a report, and a function that may take the report over.
 * Stands on base.h. */
#ifndef AGLET_MISUSE_H
#define AGLET_MISUSE_H

#include "aglet/base.h"

AGLET_BEGIN_DECLS

/* One report. Every pointer is valid only during the call of the hook. */
struct aglet_misuse {
    const char *rule;    /* as in the analyzer's reports: "double-lock", "lock-order" */
    const char *message; /* one sentence */
    const char *text;    /* the whole report as it would be printed, with its notes and stacks */
    const char *json;    /* the same as one line of JSON */
    const void *object;  /* the lock or thread at fault, or NULL */
    bool fatal;          /* the operation cannot go on; without a hook the process would end now */
    bool hint;           /* worth a look, no finding: not counted, and never a reason to end */
};

typedef void aglet_misuse_fn(const struct aglet_misuse *misuse, void *context);

/* Let `hook` take every report from now on, in place of printing it; NULL goes back to printing.
 *
 * Ensures   with a hook, a fatal misuse does not end the process: the operation that was misused returns
 *           without having done anything.
 * Threads   call it before threads start, or while none can report. The hook runs in the thread that broke
 *           the rule, inside the operation, holding no lock of the library but the one that keeps reports
 *           apart: it must not misuse anything itself. */
AGLET_API void aglet_on_misuse(aglet_misuse_fn *hook, void *context);

/* How many reports were made since the program started, suppressed ones excepted. Threads: any. */
AGLET_API unsigned long aglet_misuse_count(void);

AGLET_END_DECLS
#endif
