/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a rule is: an id, a summary line, a function that reads the solved program and adds findings.
 * One .c file = one rule; the build collects them into a generated table (cmake/rules.cmake), rules_all. */
#ifndef AGLET_RULES_RULE_H
#define AGLET_RULES_RULE_H

#include <stddef.h>
#include "../program/program.h"
#include "../report/finding.h"

#ifdef __cplusplus
extern "C" {
#endif

struct rule {
    const char *id;
    const char *summary;
    void (*check)(const struct program *prog, struct report *out);
    const char *tags; /* "CERT-CON36-C CWE-667": for SARIF and the rule's page, space separated */
};

/* In analyzer/rules/<id>.c, once, with id's dashes made underscores by the build for the symbol. */
#define AGLET_RULE(id_string, summary_string, check_function, tags_string)                                   \
    const struct rule AGLET_RULE_SYMBOL = {id_string, summary_string, check_function, tags_string};

extern const struct rule *const rules_all[]; /* sorted by id, ends in NULL */

#ifdef __cplusplus
}
#endif
#endif
