/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Why a type is not Send or Sync, as a note at the member that makes it so: said the same way by every rule
 * about types. Stands on program/traits.h; like story.h, for rules only. */
#ifndef AGLET_RULES_REASON_H
#define AGLET_RULES_REASON_H

#include <string.h>
#include "../program/linked.h"
#include "../program/traits.h"
#include "rule.h"

/* base: what the path to the member begins with, the name of an object or type. */
static inline void reason_tell(struct report *out, const struct trait_reason *reason, const char *base) {
    char path[300], words[300], type[200];
    const char *blank = strchr(base, ' ');
    base = blank && (strncmp(base, "struct ", 7) == 0 || strncmp(base, "union ", 6) == 0) ? blank + 1 : base;
    trait_reason_words(reason, words, sizeof words);
    for (const struct trait_reason *r = reason; r; r = r->cause) {
        if (r->because != BECAUSE_MEMBER && r->because != BECAUSE_RWLOCK && r->because != BECAUSE_COUNT)
            continue;
        const struct trait_reason *next = r->cause;
        while (next && next->because != BECAUSE_MEMBER && next->because != BECAUSE_COUNT &&
               next->because != BECAUSE_RWLOCK)
            next = next->cause;
        if (next)
            continue;
        struct position at = program_position(r->unit, r->unit->fields[r->field].loc);
        trait_reason_path(reason, base, path, sizeof path);
        type_spelling(r->unit, r->unit->fields[r->field].type, type, sizeof type);
        report_note(out, &at, "'%s' is a '%s': %s", path, type, words);
        return;
    }
    const struct trait_reason *last = trait_reason_end(reason);
    struct position at = program_position(last->unit, last->unit->types[last->type].loc);
    report_note(out, &at, "%s", words);
}

#endif
