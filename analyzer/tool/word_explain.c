/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet explain RULE: prints the rule's page, docs/rules/<id>.md, which is compiled in. Stands on the tables of pages and rules.
 * The brackets of a finding are taken off, so that `aglet explain '[aglet-lock-leak]'` works as pasted. */
#include "near.h"
#include "page.h"
#include "say.h"
#include "word.h"
#include "rules/rule.h"
#include <stdio.h>
#include <string.h>

static int explain(int argc, char **argv) {
    if (argc != 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        FILE *out = argc == 2 ? stdout : stderr;
        fputs("Usage: aglet explain RULE\n\nPrints what the rule finds, with a wrong and a right example; "
              "`aglet rules` lists the rules.\n",
              out);
        return argc == 2 ? EXIT_CLEAN : EXIT_TROUBLE;
    }
    char id[64];
    const char *from = argv[1];
    if (*from == '[')
        from++;
    if (strncmp(from, "aglet-", 6) == 0)
        from += 6;
    snprintf(id, sizeof id, "%.*s", (int)strcspn(from, "]"), from);
    for (const struct page *p = pages_all; p->id; p++)
        if (strcmp(p->id, id) == 0) {
            fwrite(p->text, 1, p->size, stdout);
            return EXIT_CLEAN;
        }
    for (const struct rule *const *r = rules_all; *r; r++)
        if (strcmp((*r)->id, id) == 0) {
            printf("# %s\n\n%s\n", (*r)->id, (*r)->summary);
            return EXIT_CLEAN;
        }
    const char *near = near_rule(id);
    if (near)
        say("there is no rule '%s'; did you mean '%s'?", id, near);
    else
        say("there is no rule '%s'; aglet rules lists them", id);
    return EXIT_TROUBLE;
}

AGLET_WORD("explain", "RULE", "print a rule's page: what it finds, wrong and right examples", explain)
