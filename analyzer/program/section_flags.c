/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which members and globals tell a thread what it is in the middle of, and so perhaps which locks it holds?
 * Stands on solver.h. Those that one function sets and sets back (`c->in_callback = 1; f(c); c->in_callback = 0;`, depth++ and
 * depth--, a state that moves on), and those that a function sets which takes a lock for its caller, or gives one up. What is set
 * once and for all (`closed`, a log's level) says nothing of the thread that asks. */
#include "inputs.h"
#include "marks.h"
#include "solver.h"

/* What one function stores to a member or global. */
enum { STORES_ONE = 1, STORES_OTHER = 2, STORES_UP = 4, STORES_DOWN = 8 };

static struct object_class class_of(const struct linked_unit *lu, ir_expr place) {
    const struct ir_expr_rec *r = &lu->unit->exprs[place];

    if (r->op == IR_E_FIELD)
        return (struct object_class){.field = lu->fields[r->b]};
    return (struct object_class){.global = r->op == IR_E_VAR ? lu->globals[r->a] : 0};
}

/* `sets`: by key, 1 + its constant's bits; `does`: by key, what is stored so far. */
static uint32_t stored(const struct unit *u, ir_expr value, struct map64 *sets, uint64_t key) {
    const struct ir_expr_rec *r = &u->exprs[ir_uncast(u, value)];
    bool fresh;

    if (r->op == IR_E_CONST) {
        uint32_t *first = map64_place(sets, key, &fresh);
        if (fresh)
            *first = r->a;
        return fresh || *first == r->a ? STORES_ONE : STORES_OTHER;
    }
    if (r->op != IR_E_BINARY || (r->c != IR_B_ADD && r->c != IR_B_SUB) ||
        u->exprs[ir_uncast(u, r->b)].op != IR_E_CONST)
        return 0;
    return (ir_const_value(&u->exprs[ir_uncast(u, r->b)]) > 0) == (r->c == IR_B_ADD) ? STORES_UP
                                                                                     : STORES_DOWN;
}

static bool comes_and_goes(uint32_t does) {
    return does & STORES_OTHER || (does & (STORES_UP | STORES_DOWN)) == (STORES_UP | STORES_DOWN);
}

void program_find_section_flags(struct program *p) {
    struct map64 sets = {0}, does = {0};

    for (size_t i = 0; i < p->order.n; i++) {
        const uint32_t func = p->order.at[i];
        const struct linked_unit *lu = p->funcs.at[func].unit;
        const struct unit *u = lu->unit;
        const struct ir_range events = func_events(u, &u->funcs[p->funcs.at[func].func]);
        const uint8_t *marks = unit_marks(u)->events;
        const bool half = takes_or_gives(p, func);
        map64_clear(&sets);
        map64_clear(&does);
        for (ir_event e = events.first; e < events.first + events.count; e++) {
            if (!(marks[e] & MARK_SETS))
                continue;
            const struct ir_event_rec *ev = &u->events[e];
            if (ev->op != IR_EV_STORE || !ev->a || !ev->b)
                continue;
            const struct object_class class = class_of(lu, ev->a);
            if (!class_known(class))
                continue;
            const uint64_t key = class_key(class);
            uint32_t *all = map64_place(&does, key, NULL);
            *all |= stored(u, ev->b, &sets, key);
            if (half || comes_and_goes(*all))
                map64_put(&p->section_flags, key, 1);
        }
    }
    map64_free(&sets);
    map64_free(&does);
}

bool says_where(const struct program *p, const struct term_table *t, term value) {
    const struct term_rec *r = term_at(t, value);

    switch (r->op) {
    case TERM_LOAD:
        return map64_find(&p->section_flags, class_key(term_class(t, r->a))) || says_where(p, t, r->a);
    case TERM_FIELD:
    case TERM_UNARY: return says_where(p, t, r->a);
    case TERM_INDEX:
    case TERM_BINARY: return says_where(p, t, r->a) || (r->b && says_where(p, t, r->b));
    default: return false;
    }
}
