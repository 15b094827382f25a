/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Programs where no link command is known: each main, with the files that define what it needs, as a linker would find them in
 * archives. Stands on programs.h and the units.
 *
 * A file compiled twice with other flags is two objects of one set of names; the one is taken whose macros, and then whose object's name,
 * are most like those of main's own. */
#include "programs.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/vec.h"
#include <stdlib.h>
#include <string.h>

struct names {
    uint64_t *at; /* hashes of symbols */
    size_t n, cap;
};
struct definition {
    size_t row, next; /* next: of the same symbol, + 1 */
};
struct symbols {
    const struct compile_db *db;
    struct unit *const *units;
    struct names *needs; /* by row */
    struct map64 first;  /* symbol → its first definition in `definitions`, + 1 */
    VEC(struct definition) definitions;
    VEC(size_t) mains;
};

static void define(struct symbols *s, size_t row, const char *name) {
    bool fresh;
    uint32_t *slot = map64_place(&s->first, hash_string(name), &fresh);
    vec_push(&s->definitions, ((struct definition){row, fresh ? 0 : *slot}));
    *slot = (uint32_t)s->definitions.n;
}

static void read_unit(struct symbols *s, size_t row) {
    const struct unit *u = s->units[row];
    struct map64 seen = {0};
    for (ir_func f = 1; f < u->n_funcs; f++) {
        const struct ir_func_rec *r = &u->funcs[f];
        const char *name = unit_str(u, r->asm_name ? r->asm_name : r->name);
        if (!r->blocks.count || r->flags & (IR_FF_STATIC | IR_FF_INLINE | IR_FF_INITIALISERS))
            continue;
        define(s, row, name);
        if (strcmp(name, "main") == 0)
            vec_push(&s->mains, row);
    }
    for (ir_var v = 1; v < u->n_vars; v++)
        if (u->vars[v].kind == IR_V_GLOBAL &&
            (u->vars[v].flags & (IR_VF_DEFINED | IR_VF_STATIC)) == IR_VF_DEFINED)
            define(s, row, unit_str(u, u->vars[v].name));
    for (ir_expr e = 1; e < u->n_exprs; e++) {
        const struct ir_expr_rec *r = &u->exprs[e];
        const char *name = NULL;
        bool fresh;
        if (r->op == IR_E_FUNC && !u->funcs[r->a].blocks.count)
            name = unit_str(u, u->funcs[r->a].asm_name ? u->funcs[r->a].asm_name : u->funcs[r->a].name);
        else if (r->op == IR_E_VAR && u->vars[r->a].kind == IR_V_GLOBAL &&
                 !(u->vars[r->a].flags & (IR_VF_DEFINED | IR_VF_STATIC)))
            name = unit_str(u, u->vars[r->a].name);
        if (!name)
            continue;
        (void)map64_place(&seen, hash_string(name), &fresh);
        if (fresh)
            vec_push(&s->needs[row], hash_string(name));
    }
    map64_free(&seen);
}

/* ---- which of several definitions ---- */
static bool is_macro(const char *word) {
    return starts_with(word, "-D") || starts_with(word, "-U");
}

static size_t macros_missing(const struct compile_row *a, const struct compile_row *b) {
    size_t n = 0;
    for (size_t i = 0; i < a->args.n; i++)
        n += is_macro(a->args.at[i]) && !strings_has(&b->args, a->args.at[i]);
    return n;
}

static size_t common_beginning(const struct compile_row *a, const struct compile_row *b) {
    const char *x = a->object ? a->object : a->file, *y = b->object ? b->object : b->file;
    size_t n = 0;
    while (x[n] && x[n] == y[n])
        n++;
    return n;
}

static bool is_better(const struct symbols *s, size_t main, size_t row, size_t than) {
    const struct compile_row *m = &s->db->rows[main], *a = &s->db->rows[row], *b = &s->db->rows[than];
    const size_t other = macros_missing(m, a) + macros_missing(a, m),
                 least = macros_missing(m, b) + macros_missing(b, m);
    return other != least ? other < least : common_beginning(m, a) > common_beginning(m, b);
}

/* The row that defines it for the program of that main: one that is in it already, else the best; db->n: none. */
static size_t definition_for(const struct symbols *s, const struct linked_program *p, size_t main,
                             uint64_t name) {
    const uint32_t *slot = map64_find(&s->first, name);
    size_t best = s->db->n;
    for (size_t i = slot ? *slot : 0; i; i = s->definitions.at[i - 1].next) {
        const size_t row = s->definitions.at[i - 1].row;
        if (p->in[row])
            return row;
        if (best == s->db->n || is_better(s, main, row, best) ||
            (row < best && !is_better(s, main, best, row)))
            best = row;
    }
    return best;
}

static struct linked_program program_of(const struct symbols *s, size_t main) {
    const struct compile_row *row = &s->db->rows[main];
    struct linked_program p = {row->object ? row->object : row->file, xcalloc(s->db->n + 1, sizeof *p.in), 1,
                               true};
    VEC(size_t) work = {0};
    p.in[main] = true;
    vec_push(&work, main);
    while (work.n) {
        const size_t now = vec_pop(&work);
        for (size_t i = 0; i < s->needs[now].n; i++) {
            const size_t found = definition_for(s, &p, main, s->needs[now].at[i]);
            if (found == s->db->n || p.in[found])
                continue;
            p.in[found] = true;
            p.n++;
            vec_push(&work, found);
        }
    }
    vec_free(&work);
    return p;
}

/* A file of no program that needs something of this one may be loaded into it. One that is another form of a file in it is not. */
static void find_guests(const struct symbols *s, struct linked_programs *all, size_t row) {
    for (size_t p = 0; p < all->n; p++) {
        bool form = false, needs = false;
        for (size_t i = 0; i < s->db->n && !form; i++)
            form = all->at[p].in[i] && strcmp(s->db->rows[i].file, s->db->rows[row].file) == 0;
        for (size_t i = 0; i < s->needs[row].n && !form && !needs; i++) {
            const uint32_t *slot = map64_find(&s->first, s->needs[row].at[i]);
            for (size_t k = slot ? *slot : 0; k && !needs; k = s->definitions.at[k - 1].next)
                needs = all->at[p].in[s->definitions.at[k - 1].row];
        }
        all->at[p].complete = all->at[p].complete && !needs;
    }
}

struct linked_programs programs_by_symbols(struct unit *const *units, const struct compile_db *db) {
    struct linked_programs out = {0};
    struct symbols s = {.db = db, .units = units};
    s.needs = xcalloc(db->n + 1, sizeof *s.needs);
    for (size_t i = 0; i < db->n; i++)
        if (units[i])
            read_unit(&s, i);
    if (s.mains.n > 1) {
        out.at = xcalloc(s.mains.n + 1, sizeof *out.at);
        for (size_t i = 0; i < s.mains.n; i++)
            out.at[out.n++] = program_of(&s, s.mains.at[i]);
        for (size_t row = 0; row < db->n; row++) {
            bool held = !units[row];
            for (size_t p = 0; p < out.n && !held; p++)
                held = out.at[p].in[row];
            if (!held)
                find_guests(&s, &out, row);
        }
        programs_bound(&out, db->n);
    }
    for (size_t i = 0; i < db->n; i++)
        vec_free(&s.needs[i]);
    free(s.needs);
    map64_free(&s.first);
    vec_free(&s.definitions);
    vec_free(&s.mains);
    return out;
}
