/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a world becomes at a back edge.
 * Stands on solver.h.
 *
 * Whatever was born in this turn of the loop (a phi of its head, the result of a call in it, a load of memory it wrote) is
 * another value in the next turn under the same name: such terms are renamed to the phi of a cell that carries them over
 * (hand-over-hand locking), or forgotten; a lock that cannot be renamed becomes "some element of a collection", which later
 * unlocks and returns do not question. */
#include "solver.h"

static bool event_in(const struct solver *s, const uint64_t *loop, ir_event e) {
    return e >= s->first_event && e - s->first_event < s->n_events &&
           in_set(loop, s->event_block[e - s->first_event]);
}

static bool written_in(const struct solver *s, const uint64_t *loop, uint32_t version) {
    if (version & VERSION_BLOCK)
        return in_set(loop, (version & ~VERSION_BLOCK) - s->fr->blocks.first);
    return version && event_in(s, loop, version);
}

/* Is x another value in the next turn of the loop that `head` heads? A phi of the head stays when its cell was not written. */
static bool varies(const struct solver *s, const struct world *w, uint32_t head, term x) {
    const uint64_t *loop = s->blocks[head].loop;
    const struct term_rec *r = &s->t.recs[x];

    switch (r->op) {
    case TERM_PHI: {
        const uint32_t at = r->a - s->fr->blocks.first;
        if (at != head)
            return in_set(loop, at);
        for (uint32_t i = 0; i < w->n_cells; i++)
            if (w->cells[i].at == r->b)
                return w->cells[i].value != x;
        return true;
    }
    case TERM_FRESH: return event_in(s, loop, r->a);
    case TERM_LOAD: return written_in(s, loop, r->b) || varies(s, w, head, r->a);
    case TERM_SOME: return false; /* whichever it was */
    case TERM_FIELD:
    case TERM_UNARY: return varies(s, w, head, r->a);
    case TERM_INDEX:
    case TERM_BINARY: return varies(s, w, head, r->a) || (r->b && varies(s, w, head, r->b));
    default: return false;
    }
}

/* Does the call write the member? */
static bool call_writes(const struct solver *s, ir_event e, uint32_t field) {
    uint32_t n;
    const struct call_edge *edges = program_calls(s->p, s->func, e, &n);

    for (uint32_t i = 0; i < n; i++) {
        const struct summary *sum = s->p->funcs.at[edges[i].callee].summary;
        if (sum && mods_has(sum->mods, MOD_FIELD(field)))
            return true;
    }
    return false;
}

/* Is the cell a member that the loop does not write, which so goes by another name only because ways met in it? */
static bool is_kept(const struct solver *s, const uint64_t *loop, term at) {
    const struct term_rec r = s->t.recs[at];

    if (r.op != TERM_FIELD)
        return false;
    for (uint32_t b = 0; b < s->fr->blocks.count; b++) {
        const struct ir_range events = s->u->blocks[s->fr->blocks.first + b].events;
        for (ir_event e = events.first; in_set(loop, b) && e < events.first + events.count; e++) {
            const struct ir_event_rec *ev = &s->u->events[e];
            const struct ir_expr_rec *to = &s->u->exprs[ev->a];
            if (ev->op == IR_EV_CALL && call_writes(s, e, r.b))
                return false;
            if ((ev->op == IR_EV_STORE || ev->op == IR_EV_ATOMIC || ev->op == IR_EV_CALL) && ev->a &&
                (to->op == IR_E_FIELD ? s->lu->fields[to->b] == r.b : to->op != IR_E_VAR))
                return false;
        }
    }
    return true;
}

/* A cell, a local or else a member that the loop keeps, whose value is the varying part of x; its value goes on under the cell's phi. Of
 * several the one that holds the most of x: where cur is pred->next, the next turn knows its lock as cur's. */
static term renamed_by(struct solver *s, const struct world *w, uint32_t head, term x, bool local) {
    const ir_block block = s->fr->blocks.first + head;
    term best = 0, whole = 0;

    for (uint32_t i = 0; i < w->n_cells; i++) {
        const struct cell c = w->cells[i];
        term phi, y;
        if (!c.value || c.value <= whole || (s->t.recs[c.at].op == TERM_LOCAL) != local ||
            !term_mentions(&s->t, x, c.value) || !varies(s, w, head, c.value) ||
            (!local && (varies(s, w, head, c.at) || !is_kept(s, s->blocks[head].loop, c.at))))
            continue; /* terms are younger than their parts */
        phi = term_phi(&s->t, block, c.at);
        if (phi == c.value)
            continue;
        y = term_replace(&s->t, x, c.value, phi);
        if (!varies(s, w, head, term_replace(&s->t, y, phi, c.at))) { /* nothing else in it varies */
            best = y;
            whole = c.value;
        }
    }
    return best;
}

/* By a local, and else by a member: `lock(&s->cur->mu)` in a loop that does not change s->cur. */
static term renamed(struct solver *s, const struct world *w, uint32_t head, term x) {
    const term by_local = renamed_by(s, w, head, x, true);

    return by_local ? by_local : renamed_by(s, w, head, x, false);
}

static void note_collection(struct solver *s, const struct held *h) {
    const struct collection c = {term_class(&s->t, h->lock), h->event};

    for (size_t i = 0; i < s->collections.n; i++)
        if (class_equal(s->collections.at[i].class, c.class) && s->collections.at[i].event == c.event)
            return;
    vec_push(&s->collections, c);
}

/* Is some lock of this class held as one of a collection? One is enough. */
static bool holds_some(const struct solver *s, const struct world *w, const struct world *old, term lock) {
    const struct object_class class = term_class(&s->t, lock);

    for (uint32_t i = 0; i < w->n_held; i++)
        if (s->t.recs[w->held[i].lock].op == TERM_SOME &&
            class_equal(class, term_class(&s->t, w->held[i].lock)))
            return true;
    for (uint32_t i = 0; i < old->n_held; i++)
        if (s->t.recs[old->held[i].lock].op == TERM_SOME &&
            class_equal(class, term_class(&s->t, old->held[i].lock)))
            return true;
    return false;
}

/* Two elements of one array, by constant indices, or the same member of them, or of what they point to? */
static bool are_elements(const struct term_table *t, term x, term y) {
    const struct term_rec a = t->recs[x], b = t->recs[y];
    int64_t i;

    if (a.op == TERM_FIELD && b.op == TERM_FIELD && a.b == b.b && a.a != b.a)
        return are_elements(t, a.a, b.a);
    if (a.op == TERM_LOAD && b.op == TERM_LOAD && a.b == b.b && a.a != b.a && t->recs[a.a].op != TERM_LOCAL)
        return are_elements(t, a.a, b.a);
    if (x == y || (a.op == TERM_INDEX && !term_is_const(t, a.b, &i)) ||
        (b.op == TERM_INDEX && !term_is_const(t, b.b, &i)))
        return false;
    return (a.op == TERM_INDEX ? a.a : x) ==
           (b.op == TERM_INDEX ? b.a : y); /* the first is the array's own address */
}

static bool has_index(const struct term_table *t, term x) {
    while (t->recs[x].op == TERM_FIELD || t->recs[x].op == TERM_LOAD)
        x = t->recs[x].a;
    return t->recs[x].op == TERM_INDEX;
}

/* What one call in the loop took in two turns of it, by constant indices, is the beginning of a collection: the loop is not run as
 * often as the array is long. Of what it released in two turns, the first stands for all. */
static void gather(struct solver *s, struct world *w, const uint64_t *loop) {
    for (uint32_t i = 0; i < w->n_held; i++)
        for (uint32_t k = 0; k < w->n_held; k++) {
            struct held h = w->held[i];
            const struct held *g = &w->held[k];
            const bool some = s->t.recs[g->lock].op == TERM_SOME &&
                              class_equal(term_class(&s->t, g->lock), term_class(&s->t, h.lock));
            if (i == k || h.event != g->event || (h.mode == HELD_RELEASED) != (g->mode == HELD_RELEASED) ||
                !event_in(s, loop, h.event) || !(some || are_elements(&s->t, h.lock, g->lock)))
                continue;
            note_collection(s, &h);
            if (h.mode != HELD_RELEASED && !some) {
                const term second =
                    has_index(&s->t, h.lock) ? h.lock : g->lock; /* the first is named as the array is */
                world_drop_held(&s->scratch, w, &w->held[k], 0);
                world_drop_held(&s->scratch, w, world_held(w, h.lock), 0);
                h.lock = term_make(&s->t, TERM_SOME, second, 0, 0);
                (void)world_add_held(&s->scratch, w, &h);
            } else { /* turns that released one and turns that released two go on as one world */
                world_drop_held(&s->scratch, w, &w->held[h.mode == HELD_RELEASED && k > i ? k : i], 0);
            }
            i = k = UINT32_MAX; /* sorted anew */
            break;
        }
}

void next_turn(struct solver *s, struct world *w, uint32_t head) {
    const ir_block block = s->fr->blocks.first + head;
    uint32_t n = 0;

    gather(s, w, s->blocks[head].loop);
    const struct world old = *world_copy(&s->scratch, w);
    w->n_held = 0;
    for (uint32_t i = 0; i < old.n_held; i++) {
        struct held h = old.held[i];
        if (h.when && varies(s, &old, head, h.when))
            h.when = 0;
        if (varies(s, &old, head, h.lock)) {
            const term as = renamed(s, &old, head, h.lock);
            if (!as)
                note_collection(s, &h);
            h.lock = as ? as : term_make(&s->t, TERM_SOME, h.lock, 0, 0);
            if (!as && (h.mode == HELD_RELEASED || holds_some(s, w, &old, h.lock)))
                continue;
            if (world_held(w, h.lock))
                continue;
        }
        (void)world_add_held(&s->scratch, w, &h);
    }
    /* facts about values that go on under a phi's name are found by the merge */
    WORLD_DROP(&s->scratch, w, facts, f, varies(s, &old, head, f.of));
    WORLD_OWN(&s->scratch, w, cells);
    for (uint32_t i = 0; i < old.n_cells; i++) {
        const struct cell c = old.cells[i];
        term value = c.value;
        if (varies(s, &old, head, c.at))
            continue;
        if (value && varies(s, &old, head, value)) {
            const struct range r = world_range(&s->t, &old, value);
            value = term_phi(&s->t, block, c.at);
            w->cells[n++] = (struct cell){c.at, value};
            w->n_cells = n;
            if (!range_is_all(r) && r.lo == r.hi)
                (void)world_narrow(&s->scratch, &s->t, w, value, r);
            else if (
                r.nonzero) /* a pointer that is no null pointer: a list's next element, with its lock held */
                (void)world_narrow(&s->scratch, &s->t, w, value, range_when(IR_B_NE, 0));
            continue;
        }
        w->cells[n++] = (struct cell){c.at, value};
    }
    w->n_cells = n;
    for (uint32_t i = 0; i < w->n_owned; i++)
        if (varies(s, &old, head, w->owned[i])) {
            w->owned[i] = w->owned[--w->n_owned];
            i--;
        }
    for (uint32_t i = n = 0; i < w->n_gone; i++)
        if (!varies(s, &old, head, w->gone[i].lock))
            w->gone[n++] = w->gone[i];
    w->n_gone = n;
}
