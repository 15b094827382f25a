/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which constants does a member or global ever get? One pass over all stores of the program. Stands on blocks_when.h.
 *
 * Zero that nobody stores (a static object before anybody sets its members, calloc) does not count: what an object is before it is
 * made ready decides nothing. */
#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"
#include "blocks_when.h"
#include "marks.h"

#define VALUES_MAX 4u

struct stored {
    int64_t at[VALUES_MAX];
    uint32_t n;
    bool other; /* something that is no constant, or too many */
};
struct stored_values {
    struct stored *at; /* fields, then globals */
    size_t n_fields;
};

static struct stored *stored_at(struct stored_values *v, const struct linked_unit *lu, ir_expr place) {
    const struct ir_expr_rec *r = &lu->unit->exprs[place];

    if (r->op == IR_E_FIELD && lu->fields[r->b])
        return &v->at[lu->fields[r->b]];
    if (r->op == IR_E_VAR && lu->globals[r->a])
        return &v->at[v->n_fields + lu->globals[r->a]];
    return NULL;
}

static void store(struct stored_values *v, const struct linked_unit *lu, const struct ir_event_rec *ev) {
    struct stored *s = stored_at(v, lu, ev->a);
    const struct ir_expr_rec *value = &lu->unit->exprs[ir_uncast(lu->unit, ev->b)];
    const int64_t n = ir_const_value(value);

    if (!s)
        return;
    for (uint32_t i = 0; i < s->n && value->op == IR_E_CONST; i++)
        if (s->at[i] == n)
            return;
    if (value->op == IR_E_CONST && s->n < VALUES_MAX)
        s->at[s->n++] = n;
    else
        s->other = true;
}

/* What else may be written through the address. */
static void address_taken(struct stored_values *v, const struct linked_unit *lu) {
    const struct unit_marks *m = unit_marks(lu->unit);

    for (uint32_t i = 0; i < m->n_addressed; i++) {
        struct stored *s = stored_at(v, lu, m->addressed[i]);
        if (s)
            s->other = true;
    }
}

struct stored_values *stored_values_find(const struct program *p) {
    struct stored_values *v = xcalloc(1, sizeof *v);

    v->n_fields = p->fields.n;
    v->at = xcalloc(p->fields.n + p->globals.n + 1, sizeof *v->at);
    for (size_t i = 0; i < p->units.n; i++) {
        const struct linked_unit *lu = &p->units.at[i];
        const uint8_t *marks = unit_marks(lu->unit)->events;
        for (ir_event e = 1; e < lu->unit->n_events; e++) {
            if (!(marks[e] & MARK_SETS))
                continue;
            const struct ir_event_rec *ev = &lu->unit->events[e];
            struct stored *s = ev->op == IR_EV_STORE                            ? NULL
                               : ev->op == IR_EV_ATOMIC || ev->op == IR_EV_CALL ? stored_at(v, lu, ev->a)
                                                                                : NULL;
            if (ev->op == IR_EV_STORE)
                store(v, lu, ev);
            else if (s)
                s->other = true;
        }
        address_taken(v, lu);
    }
    return v;
}

enum decided stored_values_decide(const struct stored_values *v, struct object_class c,
                                  const struct model_if *test) {
    const struct stored *s = c.field ? &v->at[c.field] : c.global ? &v->at[v->n_fields + c.global] : NULL;
    uint32_t yes = 0;

    if (!s || s->other || !s->n)
        return DECIDED_OPEN;
    for (uint32_t i = 0; i < s->n; i++)
        yes += decide_range(test, range_of(s->at[i])) == DECIDED_YES;
    return yes == s->n ? DECIDED_YES : yes ? DECIDED_OPEN : DECIDED_NOT;
}

void stored_values_free(struct stored_values *v) {
    if (!v)
        return;
    free(v->at);
    free(v);
}
