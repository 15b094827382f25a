/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet rules: every rule with its summary, or with --tags its CERT, MISRA and CWE numbers. Stands on the table of rules. */
#include "say.h"
#include "word.h"
#include "rules/rule.h"
#include <stdio.h>
#include <string.h>

static int rules(int argc, char **argv) {
    bool tags = argc == 2 && strcmp(argv[1], "--tags") == 0;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        puts("Usage: aglet rules [--tags]\n\nLists every rule; `aglet explain RULE` prints one's page.");
        return EXIT_CLEAN;
    }
    if (argc > 1 && !tags) {
        say("aglet rules takes no argument but --tags, got '%s'", argv[1]);
        return EXIT_TROUBLE;
    }
    for (const struct rule *const *r = rules_all; *r; r++)
        printf("%-22s %s\n", (*r)->id, tags ? ((*r)->tags ? (*r)->tags : "") : (*r)->summary);
    return EXIT_CLEAN;
}

AGLET_WORD("rules", "[--tags]", "list the rules", rules)
