/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* annotation: an annotation that means nothing where it stands. The program finds these while it resolves
 * annotations and adds them to every report (program_check), whichever rules are chosen; this file gives the
 * rule its name and page. Stands on rule.h. */
#include "rule.h"

static void check_annotation(const struct program *prog, struct report *out) {
    (void)prog;
    (void)out;
}

AGLET_RULE("annotation", "an annotation means nothing where it stands", check_annotation, NULL)
