/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* ignore: an aglet-ignore comment that cannot do its work. Comments are known to the reports only
 * (report/ignores.h), which add these findings once all others are there; this file gives the rule its name
 * and page. Stands on rule.h. */
#include "rule.h"

static void check_ignore(const struct program *prog, struct report *out) {
    (void)prog;
    (void)out;
}

AGLET_RULE("ignore", "an aglet-ignore comment suppresses nothing", check_ignore, NULL)
