/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Programs as the configuration names them, as the user chooses one, and what none of them holds. Stands on programs.h. */
#include "programs.h"
#include "say.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

struct linked_programs programs_named(const struct config *c, const char *const *files, size_t n) {
    struct linked_programs out = {.at = xcalloc(config_n_programs(c) + 1, sizeof *out.at)};
    for (size_t p = 0; p < config_n_programs(c); p++) {
        struct linked_program *program = &out.at[out.n++];
        *program =
            (struct linked_program){config_program_name(c, p), xcalloc(n + 1, sizeof *program->in), 0, true};
        for (size_t i = 0; i < n; i++) {
            program->in[i] = files[i] && config_in_program(c, p, files[i]);
            program->n += program->in[i];
        }
        if (!program->n)
            strings_addf(&out.left_out, "the program '%s' of %s has none of the files analysed",
                         program->name, config_path(c));
    }
    return out;
}

void programs_add_rest(struct linked_programs *p, const bool *there, size_t n) {
    struct linked_program rest = {NULL, xcalloc(n + 1, sizeof *rest.in), 0, false};
    for (size_t i = 0; i < n; i++) {
        bool held = !there[i];
        for (size_t k = 0; k < p->n && !held; k++)
            held = p->at[k].in[i];
        rest.in[i] = !held;
        rest.n += !held;
    }
    if (!rest.n || !p->n) {
        free(rest.in);
        return;
    }
    p->at = xrealloc(p->at, (p->n + 1) * sizeof *p->at);
    p->at[p->n++] = rest;
}

/* Is it the path, or the end of it from a slash on? */
static bool answers_to(const char *path, const char *name) {
    const size_t length = strlen(path), wanted = strlen(name);
    return wanted && wanted <= length && strcmp(path + length - wanted, name) == 0 &&
           (wanted == length || path[length - wanted - 1] == '/');
}

bool programs_choose(struct linked_programs *p, const char *name) {
    size_t found = 0, at = 0;
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->at[i].name, name) == 0) { /* all of it: though others end so */
            found = 1;
            at = i;
            break;
        } else if (answers_to(p->at[i].name, name)) {
            found++;
            at = i;
        }
    if (found == 1 && !p->at[at].n) {
        say("the program '%s' has none of the files analysed", p->at[at].name);
        return false;
    }
    if (found == 1) {
        const struct linked_program chosen = p->at[at];
        p->at[at] = p->at[p->n - 1];
        p->n--;
        programs_free(p);
        p->at = xcalloc(1, sizeof *p->at);
        p->at[p->n++] = chosen;
        return true;
    }
    if (!p->n) {
        say("no program '%s' is known: neither .aglet.yml names programs, nor are link commands there to "
            "tell them apart",
            name);
        return false;
    }
    char *known = xstrdup("");
    for (size_t i = 0; i < p->n; i++)
        if (!found || answers_to(p->at[i].name, name)) {
            char *longer = xasprintf("%s%s'%s'", known, *known ? ", " : "", p->at[i].name);
            free(known);
            known = longer;
        }
    if (found)
        say("%zu programs are called '%s': %s", found, name, known);
    else
        say("there is no program '%s'; there are %s", name, known);
    free(known);
    return false;
}
