/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Problems, what was noted, and what is held where, as bytes. Stands on step_bytes.h; step_read_facts.c reads them. */
#include "step_bytes.h"

#include "habits.h"

/* ---- problems ---- */
static void note_guard(struct program *p, const struct linked_unit *lu, const struct guard *g, uint32_t item,
                       bool pointee) {
    if (g)
        map64_put(&p->digests.guards, key_pair((uint32_t)(lu - p->units.at), g->loc), item << 1 | pointee);
}

/* Whose guard is declared there: the item << 1, and 1 where it guards what that points to; 0: none is. */
static uint32_t guard_at(struct program *p, const struct linked_unit *lu, ir_loc loc) {
    if (!p->digests.guards.slots) {
        for (uint32_t i = 1; i < p->fields.n; i++) {
            note_guard(p, p->fields.at[i].unit, p->fields.at[i].guard, i, false);
            note_guard(p, p->fields.at[i].unit, p->fields.at[i].pointee_guard, i, true);
        }
        for (uint32_t i = 1; i < p->globals.n; i++) {
            note_guard(p, p->globals.at[i].unit, p->globals.at[i].guard, i | ITEM_GLOBAL, false);
            note_guard(p, p->globals.at[i].unit, p->globals.at[i].pointee_guard, i | ITEM_GLOBAL, true);
        }
    }
    return map64_get(&p->digests.guards, key_pair((uint32_t)(lu - p->units.at), loc), 0);
}

static void story(struct writer *x, const struct story *st) {
    const struct linked_unit *lu = st->unit ? program_unit(x->p, st->unit) : NULL;

    put_number(x->out, st->kind);
    if (st->kind == STORY_WAY) {
        const struct way *w = st->way;
        write_func(x, w->callee);
        write_path(x, w->lock);
        write_func(x, w->end);
        put_number(x->out, w->effect);
        put_number(x->out, w->when);
        write_func(x, w->called);
        return;
    }
    /* a function first: of a header's it is chance which of the units that have it is its own */
    put_number(x->out, st->func ? 1 : st->unit == x->s->u ? 0 : 2);
    if (st->func)
        write_site(x, (struct site){st->func, st->loc});
    else if (st->unit == x->s->u)
        put_number(x->out, st->loc);
    else {
        const uint32_t guard = lu ? guard_at(x->p, lu, st->loc) : 0;
        put_number(x->out, guard & 1);
        write_item(x, guard >> 1);
    }
    write_a_text(x, st->text);
}

static void problem(struct writer *x, const struct lock_problem *pr) {
    put_number(x->out, pr->seen_kind);
    write_class(x, pr->seen_class);
    put_word(x->out, pr->seen_name);
    put_number(x->out, pr->kind);
    put_number(x->out, pr->detail);
    put_number(x->out, pr->at);
    put_number(x->out, pr->event);
    write_a_text(x, pr->lock);
    write_a_text(x, pr->data);
    write_a_text(x, pr->near);
    put_number(x->out, (unsigned)pr->dropped << 1 | pr->doubtful);
    write_candidate(x, pr->candidate);
    write_item(x, pr->item);
    write_item(x, pr->wrapper);
    write_class(x, pr->class);
    put_number(x->out, pr->n_story);
    for (uint32_t i = 0; i < pr->n_story; i++)
        story(x, &pr->story[i]);
}

/* Those of this round; the oldest first. Their numbers in that order go to `number`, problem → 1 … */
void write_problems(struct writer *x, struct map64 *number) {
    const struct lock_facts *facts = x->p->locks;
    VEC(uint32_t) own = {0};

    for (uint32_t i = facts->last_problem[x->s->func]; i; i = facts->problems.at[i].before)
        if (facts->problems.at[i].round == facts->round)
            vec_push(&own, i);
    put_number(x->out, own.n);
    for (size_t i = own.n; i-- > 0;) {
        map64_put(number, own.at[i], (uint32_t)(own.n - i));
        problem(x, &facts->problems.at[own.at[i]]);
    }
    vec_free(&own);
}

/* ---- what was noted ---- */
static void noted(struct writer *x, const struct noted *n, const struct map64 *problem_number) {
    put_number(x->out, n->kind);
    switch (n->kind) {
    case NOTED_CANDIDATE:
        put_number(x->out, n->bits);
        write_path(x, n->from);
        write_class(x, n->class);
        write_candidate(x, n->other);
        break;
    case NOTED_PAIR:
    case NOTED_CLASH:
    case NOTED_NO_DOUBT:
    case NOTED_MIXED: write_candidate(x, n->candidate); break;
    case NOTED_PROBLEM:
    case NOTED_BAD_CALL:
        write_candidate(x, n->candidate);
        put_number(x->out, map64_get(problem_number, n->number, 0));
        break;
    case NOTED_RETURNS:
    case NOTED_CONDEMNED:
        write_candidate(x, n->candidate);
        put_number(x->out, n->bits);
        break;
    case NOTED_TOLD_AS:
        write_candidate(x, n->candidate);
        write_candidate(x, n->other);
        break;
    case NOTED_NAMELESS:
        write_candidate(x, n->candidate);
        write_class(x, n->class);
        break;
    case NOTED_SECTION:
        write_class(x, n->class);
        put_number(x->out, n->event);
        put_number(x->out, n->bits);
        break;
    case NOTED_GIVEN_BACK: write_class(x, n->class); break;
    case NOTED_EXCUSED: write_func(x, n->func); break;
    case NOTED_HANDED_ON:
        write_func(x, n->func);
        put_number(x->out, n->number); /* its orders are what they were: its summary is part of the key */
        break;
    case NOTED_SOMETIMES:
        put_number(x->out, n->event);
        write_item(x, n->item);
        break;
    case NOTED_TOO_MANY:
    case NOTED_KINDS: break;
    }
}

/* May be noted again and again, at every world, to no end. */
static bool is_repeated(const struct noted *n, struct map64 *seen) {
    bool fresh = true;

    switch (n->kind) {
    case NOTED_PAIR:
    case NOTED_CLASH: (void)map64_place(seen, hash_add(n->kind, n->candidate), &fresh); break;
    case NOTED_SECTION:
    case NOTED_GIVEN_BACK:
        (void)map64_place(seen, hash_add(hash_add(n->kind, n->event), class_key(n->class)), &fresh);
        break;
    case NOTED_EXCUSED: (void)map64_place(seen, hash_add(n->kind, n->func), &fresh); break;
    case NOTED_HANDED_ON:
        (void)map64_place(
            seen, hash_add(hash_add(n->kind, key_pair(n->func, n->event)), key_pair(n->from, n->to)), &fresh);
        break;
    case NOTED_SOMETIMES:
    case NOTED_TOO_MANY:
        (void)map64_place(seen, hash_add(n->kind, key_pair(n->event, n->item)), &fresh);
        break;
    default: break;
    }
    return !fresh;
}

void write_noted(struct writer *x, const struct map64 *problem_number) {
    const struct solver *s = x->s;
    struct map64 seen = {0};
    VEC(uint32_t) list = {0};

    for (size_t i = 0; i < s->noted.n; i++)
        if (!is_repeated(&s->noted.at[i], &seen))
            vec_push(&list, (uint32_t)i);
    put_number(x->out, list.n);
    for (size_t i = 0; i < list.n; i++)
        noted(x, &s->noted.at[list.at[i]], problem_number);
    vec_free(&list);
    map64_free(&seen);
}

void write_wait_fact(struct writer *x, const struct wait_fact *w) {
    write_path(x, w->condition);
    write_path(x, w->lock);
    put_number(x->out, w->at);
    write_a_text(x, w->condition_text);
    write_a_text(x, w->lock_text);
}

/* ---- what is held where ---- */
void write_order(struct writer *x, const struct order_edge *e) {
    write_path(x, e->from);
    write_path(x, e->to);
    put_number(x->out, (unsigned)e->from_shared << 2 | (unsigned)e->to_shared << 1 | e->direct);
    put_number(x->out, e->relation);
    write_item(x, e->link);
    put_number(x->out, e->held_event);
    put_number(x->out, e->event);
    write_site(x, e->origin);
    put_signed(x->out, memo_place(x->p, e->origin.func, e->held_at));
    write_site(x, e->inner);
    write_func(x, e->callee);
    write_below(x, e->origin.func == x->s->func ? e->callee : 0, e->callee_to);
    put_number(x->out, e->depth);
    write_a_text(x, e->from_name);
    write_a_text(x, e->to_name);
    write_a_text(x, e->from_here);
    write_a_text(x, e->to_here);
    write_paths(x, e->gates, e->n_gates);
}

void write_accesses(struct writer *x) {
    const struct habits *h = habits_of(x->p);

    put_number(x->out, h->accesses.n - h->first_of_function);
    for (size_t i = h->first_of_function; i < h->accesses.n; i++) {
        const struct habit_access *a = &h->accesses.at[i];
        write_an_item(x, x->out, a->item);
        put_number(x->out, a->loc);
        put_number(x->out, a->event);
        put_number(x->out, (unsigned)a->held << 16 | (unsigned)a->ever << 8 | a->near);
        put_number(x->out, (unsigned)a->write << 2 | (unsigned)a->dropped << 1 | a->given_up);
    }
}

/* Of each call that was reached in this pass. */
void write_calls(struct writer *x) {
    const struct solver *s = x->s;
    const struct habits *h = habits_of(x->p);
    const struct lock_order *o = x->p->lock_order;

    for (ir_event e = s->first_event; e < s->first_event + s->n_events; e++) {
        const uint32_t set = s->lu->held_classes[e], locks = s->lu->held_locks[e];
        const struct class_set *held =
            set && h->sets.at[set - 1].pass == s->pass ? &h->sets.at[set - 1] : NULL;
        const struct held_at_call *at = locks && o->held_calls.at[locks - 1].pass == s->pass &&
                                                o->held_calls.at[locks - 1].func == s->func
                                            ? &o->held_calls.at[locks - 1]
                                            : NULL;
        if (!held && !at)
            continue;
        put_number(x->out, e);
        put_number(x->out, (held != NULL) << 1 | (at != NULL));
        if (held) {
            put_number(x->out, held->all);
            put_number(x->out, held->n);
            for (uint32_t i = 0; i < held->n; i++) {
                put_number(x->out, held->at[i] & (HABIT_LOCKED | HABIT_DOUBTED));
                write_an_item(x, x->out, held->at[i] & ~(HABIT_LOCKED | HABIT_DOUBTED));
            }
        }
        if (at)
            write_paths(x, at->locks, at->n);
    }
    put_number(x->out, 0);
}
