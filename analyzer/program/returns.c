/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Locks still held on return: a candidate wrapper, or a leak that nobody could know of.
 * Stands on solver.h; judge.c decides the candidates when every caller has been seen. */
#include "solver.h"

static bool counts(const struct held *h) {
    return (h->mode == HELD_EXCLUSIVE || h->mode == HELD_SHARED) && !(h->flags & (HELD_ENTRY | HELD_MAYBE));
}

bool is_collected(const struct solver *s, const struct held *h) {
    if (s->t.recs[h->lock].op == TERM_SOME)
        return true;
    for (size_t i = 0; i < s->collections.n; i++)
        if (s->collections.at[i].event == h->event &&
            class_equal(s->collections.at[i].class, term_class(&s->t, h->lock)))
            return true;
    return false;
}

struct range result_range(const struct solver *s, const struct exit_record *x) {
    struct range r = x->value ? world_range(&s->t, x->w, x->value) : RANGE_ALL;

    for (uint32_t i = 0; x->value && !r.nonzero && i < x->w->n_held;
         i++) { /* whose lock was taken is no null pointer, … */
        const struct term_rec lock = s->t.recs[x->w->held[i].lock], value = s->t.recs[x->value];
        const term object = term_object(&s->t, x->w->held[i].lock);
        if (lock.op == TERM_FIELD &&
            (object == x->value || /* … nor is what it leads to, returned in its stead */
             (value.op == TERM_LOAD && value.a != object && term_object(&s->t, value.a) == object)))
            r = range_meet(r, range_when(IR_B_NE, 0));
    }
    return r;
}

bool results_with(const struct solver *s, const struct exit_record *x, const struct held *h,
                  struct range *ok) {
    const struct term_rec r = s->t.recs[x->value];
    int64_t v;

    if (!h->when || !x->value)
        return false;
    if (x->value == h->when) {
        *ok = h->ok;
    } else if (r.op == TERM_UNARY && r.a == h->when && r.b == IR_U_NEG) {
        *ok = range_negated(h->ok);
    } else if (r.op == TERM_BINARY && r.a == h->when && term_is_const(&s->t, r.b, &v) && v == 0 &&
               h->ok.lo == 0 && h->ok.hi == 0 && (r.c == IR_B_EQ || r.c == IR_B_NE)) {
        *ok = range_of(r.c == IR_B_EQ);
    } else {
        return false;
    }
    return true;
}

bool told_apart(const struct solver *s, const struct exit_record *x, const struct exit_record *y) {
    return told_apart_with(s, x, NULL, y);
}

bool told_apart_with(const struct solver *s, const struct exit_record *x, const struct held *h,
                     const struct exit_record *y) {
    struct range result = result_range(s, x), ok;

    if (h && !h->also && results_with(s, x, h, &ok)) /* it is returned whether the lock is held */
        result = range_meet(result, ok);
    if (range_is_empty(range_meet(result, result_range(s, y))))
        return true;
    for (uint32_t i = 0; i < x->w->n_facts; i++) {
        const struct fact f = x->w->facts[i];
        if (range_is_empty(range_meet(f.range, world_range(&s->t, y->w, f.of))) &&
            s->t.recs[f.of].op != TERM_FRESH && s->t.recs[f.of].op != TERM_PHI &&
            to_path((struct solver *)(uintptr_t)s, NULL, f.of, 0))
            return true;
    }
    return left_apart(s, x, y);
}

/* Was it said of this return already, by another name? What a loop takes at one place goes by as many as the loop has turns. */
static bool is_told(const struct solver *s, const struct exit_record *x, const struct held *h) {
    const struct object_class class = term_class(&s->t, h->lock);

    for (size_t i = 0; class_known(class) && i < s->exits.n; i++)
        for (uint32_t k = 0; s->exits.at[i].loc == x->loc && k < s->exits.at[i].w->n_held; k++) {
            const struct held *g = &s->exits.at[i].w->held[k];
            if (counts(g) && g->event == h->event && class_equal(class, term_class(&s->t, g->lock)))
                return g->lock != h->lock;
        }
    return false;
}

/* odd: only the returns with it that callers cannot tell from those without. */
static void report_leaks(struct solver *s, term lock, uint32_t candidate, enum lock_problem_kind kind,
                         bool odd) {
    uint32_t said = 0, number;

    for (size_t i = 0; i < s->exits.n && said < 4; i++) {
        const struct exit_record *x = &s->exits.at[i];
        const struct held *h = world_held(x->w, lock);
        struct lock_problem *pr;
        if (!h || !counts(h) || is_told(s, x, h) || (odd && x->odd_lock != lock))
            continue;
        pr = problem_new(s, kind, kind == PROBLEM_MISMATCH ? DETAIL_AT_RETURN : DETAIL_NONE,
                         x->loc ? x->loc : s->fr->body_end, lock, &number);
        if (!pr)
            continue;
        said++;
        pr->data = s->lf->name;
        problem_taken(s, pr, h);
        problem_trail(s, pr, h->trail, x->w->trail);
        if (candidate) {
            pr->candidate = candidate;
            pr->dropped = true;
            (void)note(s, (struct noted){.kind = NOTED_PROBLEM, .candidate = candidate, .number = number});
        }
    }
}

/* Can a way lead from the event to the return? */
static bool leads_to(struct solver *s, ir_event from, const struct exit_record *x) {
    const uint32_t home = s->event_block[from - s->first_event],
                   goal = s->event_block[x->event - s->first_event];
    uint32_t *stack = arena_array(&s->arena, uint32_t, s->n_blocks + 1), n = 0;
    bool *seen = arena_array(&s->arena, bool, s->n_blocks);

    if (home == goal && from < x->event)
        return true;
    stack[n++] = home;
    while (n) {
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + stack[--n]];
        for (uint32_t i = 0; i < b->succs.count; i++) {
            const uint32_t to = s->u->succs[b->succs.first + i].block - s->fr->blocks.first;
            if (to == goal)
                return true;
            if (!seen[to])
                stack[n++] = to;
            seen[to] = true;
        }
    }
    return false;
}

static bool release_leads_to(struct solver *s, struct object_class class, const struct exit_record *x) {
    for (size_t i = 0; i < s->swept.n; i++)
        if (class_equal(s->swept.at[i].class, class) && leads_to(s, s->swept.at[i].event, x))
            return true;
    return false;
}

/* All or none: a trylock that fails in one turn gives back what the others got. */
static bool is_tried(const struct solver *s, struct object_class class) {
    for (size_t i = 0; i < s->exits.n; i++)
        for (uint32_t k = 0; k < s->exits.at[i].w->n_gone; k++) {
            const struct held *g = &s->exits.at[i].w->gone[k];
            if (g->mode == HELD_FAILED && class_equal(class, term_class(&s->t, g->lock)))
                return true;
        }
    return false;
}

/* Does the function release locks of this class? */
static bool releases_such(const struct solver *s, struct object_class class) {
    for (size_t i = 0; class_known(class) && i < s->swept.n; i++)
        if (class_equal(s->swept.at[i].class, class))
            return true;
    return false;
}

static const struct held *held_such(const struct solver *s, const struct exit_record *x,
                                    struct object_class class) {
    for (uint32_t i = 0; i < x->w->n_held; i++)
        if (counts(&x->w->held[i]) && class_equal(class, term_class(&s->t, x->w->held[i].lock)))
            return &x->w->held[i];
    return NULL;
}

/* Every return has them all, or comes after a release and has none; and callers can tell the two. */
static bool all_or_none(struct solver *s, struct object_class class) {
    bool *after = arena_array(&s->arena, bool, s->exits.n + 1), all = false, none = false;

    for (size_t i = 0; i < s->exits.n; i++) {
        after[i] = release_leads_to(s, class, &s->exits.at[i]);
        if (after[i] && held_such(s, &s->exits.at[i], class))
            return false;
        none |= after[i];
    }
    for (size_t i = 0; none && i < s->exits.n; i++) {
        const struct exit_record *x = &s->exits.at[i];
        if (after[i] || x->w->failed)
            continue;
        for (size_t k = 0; k < s->exits.n; k++)
            if (after[k] && !told_apart(s, x, &s->exits.at[k]))
                return false;
        all |= held_such(s, x, class) != NULL;
    }
    return all && none;
}

bool is_swept(struct solver *s, const struct held *h, const struct exit_record *x) {
    const struct object_class class = term_class(&s->t, h->lock);

    return releases_such(s, class) &&
           ((!is_tried(s, class) && !all_or_none(s, class)) || release_leads_to(s, class, x));
}

bool lacks_all(struct solver *s, const struct exit_record *x, const struct held *h) {
    const struct object_class class = term_class(&s->t, h->lock);

    return counts(h) && is_collected(s, h) && !held_such(s, x, class) && !release_leads_to(s, class, x) &&
           all_or_none(s, class);
}

/* Locks that loops take and release: which of them are held on a return is not known, but where no release lies before it, all are. */
static void settle_collection(struct solver *s, const struct held *held) {
    const struct object_class class = term_class(&s->t, held->lock);

    for (size_t i = 0; i < s->exits.n && !is_tried(s, class); i++) {
        const struct exit_record *x = &s->exits.at[i];
        const struct held *h = world_held(x->w, held->lock);
        struct lock_problem *pr;
        if (x->w->failed || !x->event || !h || !counts(h) || is_told(s, x, h) ||
            release_leads_to(s, class, x))
            continue;
        pr = problem_new(s, PROBLEM_LEAK, DETAIL_NONE, x->loc ? x->loc : s->fr->body_end, held->lock, NULL);
        if (!pr)
            continue;
        pr->data = s->lf->name;
        problem_taken(s, pr, h);
        problem_trail(s, pr, h->trail, x->w->trail);
    }
}

/* Does the function also give back such a lock that it did not take? Then it goes on where an earlier call of it stopped. */
static bool goes_on(const struct solver *s, term lock) {
    const struct object_class class = term_class(&s->t, lock);

    for (size_t i = 0; class_known(class) && i < s->unlocks.n; i++) {
        const struct unlock_seen *u = &s->unlocks.at[i];
        if (u->unheld && !u->held && u->candidate && class_equal(class, term_class(&s->t, u->lock)))
            return true;
    }
    return false;
}

/* Where callers find a pointer to the lock's object, besides where the function found it; or 0. */
static term handed_out_at(struct solver *s, const struct exit_record *x, term lock) {
    const term object = term_object(&s->t, lock);

    for (uint32_t i = 0; i < x->w->n_cells; i++) {
        const struct cell c = x->w->cells[i];
        if (c.value == object && s->t.recs[c.at].op != TERM_LOCAL && s->t.recs[object].a != c.at &&
            to_path(s, NULL, c.at, 0))
            return c.at;
    }
    return 0;
}

/* The lock as a part of what is returned. */
static term in_returned(struct solver *s, term lock, term object) {
    const struct term_rec r = s->t.recs[lock];
    term a;

    if (lock == object)
        return term_make(&s->p->paths, TERM_RESULT, 0, 0, 0);
    if (r.op != TERM_FIELD)
        return 0;
    a = in_returned(s, r.a, object);
    return a ? term_make(&s->p->paths, TERM_FIELD, a, r.b, 0) : 0;
}

/* Is an object returned locked here by one name and on another return by another, as a search does whose first turn finds the head of
 * the list by the list's name? Callers know it only as what was returned. */
static bool found_by_search(const struct solver *s, const struct exit_record *x, term lock) {
    const struct held *h = world_held(x->w, lock);

    for (size_t i = 0; h && i < s->exits.n; i++) {
        const struct exit_record *y = &s->exits.at[i];
        for (uint32_t k = 0; k < y->w->n_held; k++) {
            const struct held *g = &y->w->held[k];
            if (counts(g) && g->event == h->event && g->lock != lock && y->value != x->value &&
                term_object(&s->t, g->lock) == y->value &&
                class_equal(term_class(&s->t, g->lock), term_class(&s->t, lock)))
                return true;
        }
    }
    return false;
}

term callers_name(struct solver *s, const struct exit_record *x, term lock) {
    const term object = term_object(&s->t, lock), at = handed_out_at(s, x, lock);
    const struct term_rec r = s->t.recs[object];

    if (object == x->value && found_by_search(s, x, lock))
        return in_returned(s, lock, object);
    if (at && s->t.recs[at].op == TERM_LOAD && !(r.op == TERM_LOAD && s->t.recs[r.a].op == TERM_LOCAL))
        return to_path(s, NULL, term_replace(&s->t, lock, object, term_make(&s->t, TERM_LOAD, at, 0, 0)), 0);
    return to_path(s, x->w, lock, x->value);
}

/* Does the callers' word for the lock stand for one that is held on this return: z->lock, of whichever z is returned? */
static bool held_as(struct solver *s, const struct exit_record *x, term path) {
    for (uint32_t i = 0; path && i < x->w->n_held; i++) {
        const struct held *h = &x->w->held[i];
        if ((counts(h) || h->flags & HELD_MAYBE) && callers_name(s, x, h->lock) == path)
            return true;
    }
    return false;
}

/* Does the pointer left there tell whether such a lock is held on this return: is it null, or its object's lock held? */
static bool pointer_tells(struct solver *s, const struct exit_record *x, term at, term lock) {
    const term value = at ? world_load(&s->t, x->w, at) : 0;

    return value && (range_equal(world_range(&s->t, x->w, value), range_of(0)) ||
                     world_held(x->w, term_replace(&s->t, lock, term_object(&s->t, lock), value)));
}

/* Is the lock given back before some return that callers cannot tell from x, where h, that lock, is held? */
static bool is_odd(struct solver *s, const struct exit_record *x, const struct held *h) {
    const term path = callers_name(s, x, h->lock), at = handed_out_at(s, x, h->lock);

    for (size_t i = 0; i < s->exits.n; i++) {
        const struct exit_record *y = &s->exits.at[i];
        const struct held *g = world_held(y->w, h->lock);
        if (!y->w->failed && !(g && (counts(g) || g->flags & HELD_MAYBE)) && !held_as(s, y, path) &&
            !pointer_tells(s, y, at, h->lock) && !told_apart_with(s, x, h, y))
            return true;
    }
    return false;
}

bool is_misread(const struct solver *s, ir_event tried) {
    bool found = false;

    for (size_t i = 0; i < s->unlocks.n;
         i++) /* who releases it where it was got, too, only errs on some ways */
        if (tried && s->unlocks.at[i].held && s->unlocks.at[i].taken == tried)
            return false;
    for (size_t i = 0; i < s->misread.n; i++)
        found |= tried && s->misread.at[i] == tried;
    return found;
}

static void settle_lock(struct solver *s, term lock, const struct held *held) {
    const term path = is_collected(s, held) ? collection_path(s, lock) : to_path(s, NULL, lock, 0);
    term as = 0; /* what callers call it */
    bool every = true, mixed = false, apart = true, any_apart = false, handed_out = false;
    uint32_t c;

    for (size_t i = 0; i < s->exits.n; i++) {
        struct exit_record *x = &s->exits.at[i];
        const struct held *h = world_held(x->w, lock);
        x->odd_lock = h && counts(h) && is_odd(s, x, h) ? lock : x->odd_lock;
        if (!h || !counts(h))
            continue;
        as = as ? as : callers_name(s, x, lock);
        handed_out |= handed_out_at(s, x, lock) != 0;
        apart &= x->odd_lock != lock;
        any_apart |= x->odd_lock != lock;
    }
    for (size_t i = 0; i < s->exits.n; i++) {
        const struct exit_record *x = &s->exits.at[i];
        const struct held *h = world_held(x->w, lock);
        every &= (h && (counts(h) || h->flags & HELD_MAYBE)) || x->w->failed || held_as(s, x, as);
    }
    for (size_t i = 0; !every && i < s->unlocks.n; i++)
        mixed |= s->unlocks.at[i].held && term_same_shape(&s->t, s->unlocks.at[i].lock, lock);
    c = candidate_new(s, CANDIDATE_HELD_ON_RETURN, path, term_class(&s->t, lock), held->candidate);
    if (goes_on(s, lock))
        mixed = false;
    if (mixed && !apart) { /* no caller could know: no doubt, and no effect on callers */
        (void)note(s, (struct noted){.kind = NOTED_CONDEMNED, .candidate = c, .bits = !any_apart});
        report_leaks(s, lock, any_apart ? 0 : c, PROBLEM_LEAK, any_apart);
        if (!any_apart)
            return;
    } else {
        for (size_t i = 0; i < s->exits.n; i++)
            s->exits.at[i].odd_lock = s->exits.at[i].odd_lock == lock ? 0 : s->exits.at[i].odd_lock;
    }
    if ((!path || handed_out) && class_known(term_class(&s->t, lock)))
        (void)note(s,
                   (struct noted){.kind = NOTED_NAMELESS, .candidate = c, .class = term_class(&s->t, lock)});
    (void)note(s, (struct noted){.kind = NOTED_RETURNS,
                                 .candidate = c,
                                 .bits = (uint32_t)mixed | (every ? NOTED_EVERY : 0) |
                                         (path || as ? NOTED_REACHABLE : 0)});
    report_leaks(s, lock, c, every || apart ? PROBLEM_LEAK : PROBLEM_MISMATCH, false);
}

void settle_returns(struct solver *s) {
    VEC(term) done = {NULL, 0, 0};

    for (size_t i = 0; i < s->exits.n; i++) /* that it is held here follows from a test the wrong way round */
        for (uint32_t k = 0; k < s->exits.at[i].w->n_held; k++)
            if (is_misread(s, s->exits.at[i].w->held[k].event))
                s->exits.at[i].w->held[k].flags |= HELD_MAYBE | HELD_SAID;
    for (size_t i = 0; i < s->exits.n; i++)
        for (uint32_t k = 0; k < s->exits.at[i].w->n_held; k++) {
            const struct held *h = &s->exits.at[i].w->held[k];
            bool seen = !counts(h);
            for (size_t j = 0; j < done.n; j++)
                seen |= done.at[j] == h->lock;
            if (seen)
                continue;
            vec_push(&done, h->lock);
            if (is_collected(s, h) && releases_such(s, term_class(&s->t, h->lock)) &&
                !all_or_none(s, term_class(&s->t, h->lock)))
                settle_collection(s, h);
            else
                settle_lock(s, h->lock, h);
        }
    vec_free(&done);
}
