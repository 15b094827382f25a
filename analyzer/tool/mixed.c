/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Looks for them by name. Stands on mixed.h. */
#include "mixed.h"
#include "files.h"
#include "base/hash.h"
#include <string.h>

static void report_definitions(struct report *r, struct unit *const *units, const bool *in, size_t n) {
    struct map64 seen = {0};
    const struct unit *first = NULL, *second = NULL;
    const char *name = NULL;
    size_t twice = 0;
    for (size_t i = 0; i < n; i++)
        for (ir_func f = 1; units[i] && (!in || in[i]) && f < units[i]->n_funcs; f++) {
            const struct ir_func_rec *r = &units[i]->funcs[f];
            bool fresh;
            if (!r->blocks.count ||
                r->flags & (IR_FF_STATIC | IR_FF_INLINE | IR_FF_WEAK | IR_FF_INITIALISERS))
                continue;
            const char *symbol = unit_str(units[i], r->asm_name ? r->asm_name : r->name);
            uint32_t *slot = map64_place(&seen, hash_string(symbol), &fresh);
            if (fresh) {
                *slot = (uint32_t)i;
                continue;
            }
            const struct unit *before = units[*slot];
            if (strcmp(unit_str(before, before->main_file), unit_str(units[i], units[i]->main_file)) == 0)
                continue; /* one file compiled twice */
            if (!twice++) {
                first = before;
                second = units[i];
                name = symbol;
            }
        }
    if (twice == 1)
        report_left_out(r,
                        "'%s' is defined in '%s' and in '%s': calls are taken to reach the first; are these "
                        "several programs?",
                        name, path_base(unit_str(first, first->main_file)),
                        path_base(unit_str(second, second->main_file)));
    else if (twice)
        report_left_out(r,
                        "%zu functions are defined twice, '%s' in '%s' and in '%s' among them: calls are "
                        "taken to reach the first; are these several programs?",
                        twice, name, path_base(unit_str(first, first->main_file)),
                        path_base(unit_str(second, second->main_file)));
    map64_free(&seen);
}

static void report_origins(struct report *r, struct unit *const *units, const bool *in, size_t n) {
    const struct unit *first = NULL;
    const char *compiler = NULL, *target = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct unit *u = units[i];
        if (!u || (in && !in[i]))
            continue;
        if (!first)
            first = u;
        if (!compiler && strcmp(unit_str(u, u->producer), unit_str(first, first->producer)) != 0)
            compiler = unit_str(u, u->producer);
        if (!target && strcmp(unit_str(u, u->target), unit_str(first, first->target)) != 0)
            target = unit_str(u, u->target);
    }
    if (compiler)
        report_left_out(r, "the units were made by %s and by %s; they are analysed together",
                        unit_str(first, first->producer), compiler);
    if (target)
        report_left_out(r, "the units are for %s and for %s; they are analysed as one program all the same",
                        unit_str(first, first->target), target);
}

void report_mixed(struct report *r, struct unit *const *units, const bool *in, size_t n) {
    report_definitions(r, units, in, n);
    report_origins(r, units, in, n);
}
