/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* From habits to annotations that hold. Stands on proposals.h. */
#include "proposals.h"

#include <stdio.h>
#include <stdlib.h>
#include "habits.h"
#include "lock_facts.h"

#define USES_MIN 2u /* one use under a lock says nothing of a habit */

static int by_item(const void *a, const void *b) {
    const struct assumed_guard *x = a, *y = b;

    return x->item < y->item ? -1 : x->item > y->item;
}

void proposals_guards(const struct program *p, struct proposals *out) {
    for (size_t i = 0; p->habits && i < p->habits->kept.n; i++) {
        const struct habit *h = &p->habits->kept.at[i];
        if (h->total >= USES_MIN)
            vec_push(&out->guards, ((struct assumed_guard){h->item, h->lock}));
    }
    proposals_sort(out);
}

void proposals_sort(struct proposals *of) {
    if (of->guards.n)
        qsort(of->guards.at, of->guards.n, sizeof *of->guards.at, by_item);
}

/* The term of a summary in the words of one declaration's parameters; false when they cannot say it. */
struct speller {
    const struct program *p;
    const struct unit *u;
    const struct ir_func_rec *f;
    char *out;
    size_t size, n;
};

static bool put(struct speller *s, const char *text) {
    const int n = snprintf(s->out + s->n, s->size - s->n, "%s", text);

    s->n += (size_t)n;
    return *text && s->n < s->size;
}

static bool spell(struct speller *s, term x) {
    const struct term_rec *r = term_at(&s->p->paths, x);
    const char *dot = r->op == TERM_FIELD && term_is_place(&s->p->paths, r->a) ? "." : "->";
    int64_t index;
    char number[24];

    switch (r->op) {
    case TERM_PARAM:
        if (r->a >= s->f->params.count)
            return false;
        snprintf(number, sizeof number, "$%u", r->a + 1); /* of a prototype that does not name it */
        return put(s, unit_str(s->u, s->u->vars[s->f->params.first + r->a].name)) ||
               (s->n < s->size && put(s, number));
    case TERM_GLOBAL: return put(s, s->p->globals.at[r->a].name);
    case TERM_LOAD: return spell(s, r->a);
    case TERM_FIELD:
        if (!*s->p->fields.at[r->b].name) /* an anonymous member */
            return spell(s, r->a);
        return spell(s, r->a) && put(s, dot) && put(s, s->p->fields.at[r->b].name);
    case TERM_INDEX:
        if (!r->b || !term_is_const(&s->p->paths, r->b, &index))
            return false;
        snprintf(number, sizeof number, "[%lld]", (long long)index);
        return spell(s, r->a) && put(s, number);
    default: return false;
    }
}

/* Does one declaration of the function say itself what it requires? */
static bool says_what_it_requires(const struct unit *u, const struct ir_func_rec *f) {
    for (uint32_t a = f->annots.first; a < f->annots.first + f->annots.count; a++)
        if (u->annots[a].kind == IR_A_requires || u->annots[a].kind == IR_A_requires_shared)
            return true;
    return false;
}

/* Declaration k of unit lu: a better place for the need than the one so far? A prototype is better than the
 * definition. */
static bool find_place(struct program *p, const struct linked_unit *lu, ir_func k, struct proposed_need *n) {
    const struct ir_func_rec *f = &lu->unit->funcs[k];
    char text[200];
    struct speller s = {p, lu->unit, f, text, sizeof text, 0};

    if (!f->loc || !spell(&s, n->lock))
        return false;
    n->prototype = !f->blocks.count;
    n->unit = lu->unit;
    n->at = f->loc;
    n->text = arena_printf(&p->arena, "%s", text);
    return true;
}

/* Can the lock be held for reading only? */
static bool is_rw(const struct program *p, term lock) {
    const struct term_rec *r = term_at(&p->paths, lock);

    return r->op == TERM_FIELD ? p->fields.at[r->b].lock.rw
                               : r->op == TERM_GLOBAL && p->globals.at[r->a].lock.rw;
}

/* Returns false where no declaration can say it. */
static bool need(struct program *p, struct proposals *of, uint32_t func, const struct requirement *r,
                 const struct map64 *places) {
    const struct linked_func *lf = &p->funcs.at[func];
    struct proposed_need n = {.func = func, .lock = r->lock, .shared = !r->write && is_rw(p, r->lock)};
    const uint32_t *unit = map64_find(places, func);

    for (size_t i = of->needs.n; i-- && of->needs.at[i].func == func;)
        if (of->needs.at[i].lock == r->lock) {
            of->needs.at[i].shared &= !r->write;
            return true;
        }
    for (ir_func k = 1; unit && k < p->units.at[*unit].unit->n_funcs && !n.at; k++)
        if (p->units.at[*unit].funcs[k] == func)
            find_place(p, &p->units.at[*unit], k, &n);
    if (!n.at && !find_place(p, lf->unit, lf->func, &n))
        return false;
    vec_push(&of->needs, n);
    return true;
}

static struct assumed_guard *guard_of(struct proposals *of, uint32_t item) {
    return of->guards.n ? bsearch(&(struct assumed_guard){item, 0}, of->guards.at, of->guards.n,
                                  sizeof *of->guards.at, by_item)
                        : NULL;
}

static size_t drop_marked(struct proposals *of) {
    const size_t n = of->guards.n;
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (of->guards.at[i].lock)
            of->guards.at[kept++] = of->guards.at[i];
    of->guards.n = kept;
    return n - kept;
}

size_t proposals_broken(const struct program *p, struct proposals *of) {
    static const enum lock_problem_kind kinds[] = {PROBLEM_GUARDED, PROBLEM_ESCAPE};

    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const struct lock_problem *pr;
        for (size_t i = 0; (pr = lock_problem_next(p, kinds[k], &i));) {
            struct assumed_guard *g = guard_of(of, pr->item);
            if (g)
                g->lock = 0;
        }
    }
    return drop_marked(of);
}

size_t proposals_needs(struct program *p, struct proposals *of) {
    struct map64 places = {0}; /* function → a unit that only declares it */
    bool *said = xcalloc(p->funcs.n, sizeof *said), fresh;

    vec_clear(&of->needs);
    for (uint32_t i = 0; i < p->units.n; i++) {
        const struct unit *u = p->units.at[i].unit;
        for (ir_func k = 1; k < u->n_funcs; k++) {
            const uint32_t f = p->units.at[i].funcs[k];
            said[f] |= says_what_it_requires(u, &u->funcs[k]);
            if (!u->funcs[k].blocks.count && u->funcs[k].loc) {
                uint32_t *place = map64_place(&places, f, &fresh);
                if (fresh)
                    *place = i;
            }
        }
    }
    for (uint32_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        for (uint32_t i = 0;
             lf->defined && !lf->internal && !said[f] && lf->summary && i < lf->summary->n_requirements;
             i++) {
            const struct requirement *r = &lf->summary->requirements[i];
            struct assumed_guard *g = guard_of(of, r->field ? r->field : r->global | ITEM_GLOBAL);
            if (r->reason != REQUIRED_BY_ACCESS || r->excluded || !g)
                continue;
            if (lf->needs_excused || !need(p, of, f, r, &places))
                g->lock = 0;
        }
    }
    free(said);
    map64_free(&places);
    return drop_marked(of);
}

void proposals_free(struct proposals *of) {
    vec_free(&of->guards);
    vec_free(&of->needs);
}
