/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What taking a lock and giving it back does to a world, and what is wrong with it.
 * Stands on calls.h. */
#include "calls.h"
#include "lock_order.h"

#include <string.h>

bool lock_is_recursive(const struct solver *s, term lock) {
    const struct object_class c = term_class(&s->t, lock);

    for (term at = lock; s->t.recs[at].op == TERM_FIELD; at = s->t.recs[at].a)
        if (s->p->fields.at[s->t.recs[at].b].recursive) /* of all its locks of that type the one kept there */
            return true;

    if (c.field)
        return s->p->fields.at[c.field].recursive || s->p->fields.at[c.field].lock.recursive;
    if (c.global)
        return s->p->globals.at[c.global].recursive || s->p->globals.at[c.global].lock.recursive;
    return c.token != 0;
}

void note_taken(struct solver *s, term lock) {
    if (!term_in(s->taken.at, s->taken.n, lock))
        vec_push(&s->taken, lock);
}

void pair(struct solver *s, uint32_t candidate) {
    (void)note(s, (struct noted){.kind = NOTED_PAIR, .candidate = candidate});
}

static void clash(struct solver *s, uint32_t candidate) {
    (void)note(s, (struct noted){.kind = NOTED_CLASH, .candidate = candidate});
}

void report_double(struct call *c, const struct held *h, term lock, bool shared,
                   enum lock_problem_detail inside, const struct site *site, term in_callee,
                   uint32_t candidate) {
    struct solver *s = c->s;
    const struct linked_func *cf = &s->p->funcs.at[c->callee], *in = &s->p->funcs.at[site->func];
    struct lock_problem *pr;

    if (!s->recording || h->flags & HELD_MAYBE || h->when)
        return;
    if (candidate)
        clash(s, candidate);
    if (h->candidate)
        clash(s, h->candidate);
    pr = problem_new(s, PROBLEM_DOUBLE,
                     cf->defined                         ? inside
                     : h->mode == HELD_SHARED && !shared ? DETAIL_UPGRADE
                                                         : DETAIL_NONE,
                     c->ev->loc, lock, NULL);
    if (!pr)
        return;
    pr->data = cf->name;
    pr->candidate = candidate ? candidate : h->candidate;
    problem_taken(s, pr, h);
    if (cf->defined && in_callee)
        problem_way(s, pr, &(struct way){.callee = c->callee, .lock = in_callee, .end = site->func});
    if (cf->defined && site->loc)
        problem_story_in(s, pr, STORY_TAKES, site->func, site->loc, in->name);
}

static struct unlock_seen *unlock_at(struct solver *s, ir_event event, term lock) {
    struct unlock_seen *u;

    for (size_t i = 0; i < s->unlocks.n; i++)
        if (s->unlocks.at[i].event == event && term_same_shape(&s->t, s->unlocks.at[i].lock, lock))
            return &s->unlocks.at[i];
    u = vec_add(&s->unlocks);
    u->event = event;
    u->lock = lock;
    return u;
}

/* The lock was given up and taken back: callers see no effect, but must hold it. */
static void require_held(struct solver *s, const struct world *w, const struct held *h) {
    struct unlock_seen *u = unlock_at(s, h->event, h->lock);
    struct requirement r;

    if (u->held || !u->candidate || s->p->locks->candidates.at[u->candidate].condemned)
        return;
    memset(&r, 0, sizeof r);
    r.lock = to_path(s, NULL, h->lock, 0);
    r.reason = REQUIRED_BY_RELEASE;
    r.site = (struct site){s->func, s->u->events[h->event].loc};
    r.candidate = u->candidate;
    for (uint32_t i = 0; i < w->n_facts && r.n_when < MAX_REQUIRED_WHEN; i++) {
        const term path =
            is_lock_decider(s->p, &s->t, w->facts[i].of) ? to_path(s, NULL, w->facts[i].of, 0) : 0;
        if (path)
            r.when[r.n_when++] = (struct precondition){path, w->facts[i].range};
    }
    if (r.lock)
        require_given_up(s, &r);
}

bool acquire(struct call *c, struct world *w, const struct lock_effect *e, term lock, term result,
             bool is_try) {
    struct solver *s = c->s;
    struct held *h = world_held(w, lock), new;

    note_taken(s, lock);
    if (s->t.recs[lock].op == TERM_LOAD || s->t.recs[lock].op == TERM_FRESH || s->t.recs[lock].op == TERM_PHI)
        (void)world_narrow(&s->scratch, &s->t, w, lock,
                           range_when(IR_B_NE, 0)); /* what was locked is there */
    if (h && h->mode == HELD_RELEASED) {            /* the caller's lock is taken back */
        if (s->recording) {
            require_held(s, w, h);
            if (e->candidate) /* this call is the other half of the unlock before it */
                pair(s, e->candidate);
        }
        world_drop_held(&s->scratch, w, h, 0);
        return true;
    }
    if (h) {
        if (lock_is_recursive(s, lock) || (h->mode == HELD_SHARED && e->shared)) {
            if (h->count < 8)
                h->count++;
            return true;
        }
        if (h->flags & HELD_MAYBE) {
            if (s->recording && h->candidate) /* who takes it now did not count on that call */
                clash(s, h->candidate);
            h->flags &= (uint8_t) ~(HELD_MAYBE | HELD_SAID);
            h->count = 1;
            h->candidate = e->candidate;
            h->event = c->event;
            h->in_func = e->site.func;
            h->in_loc = e->site.loc;
            h->trail = w->trail;
            return true;
        }
        if (is_try)
            return false;
        if (e->maybe)
            return true;
        report_double(c, h, lock, e->shared, DETAIL_IN_CALLEE, &e->site, 0, e->candidate);
        if (!h->when) { /* said once: one unlock or two, a write under what was a read lock, is no second mistake */
            h->flags |= HELD_MAYBE | HELD_SAID;
            h->count = 2;
            if (!e->shared)
                h->mode = HELD_EXCLUSIVE;
        }
        return true;
    }
    memset(&new, 0, sizeof new);
    new.lock = lock;
    new.mode = e->shared ? HELD_SHARED : HELD_EXCLUSIVE;
    new.flags = (uint8_t)((e->async ? HELD_ASYNC : 0) | (e->maybe ? HELD_MAYBE : 0));
    new.count = 1;
    if (e->soft && result && !(c->ev->flags & IR_SF_UNUSED)) {
        new.when = result;
        new.ok = e->ok;
        new.also = e->also;
    }
    new.event = c->event;
    new.in_func = e->site.func;
    new.in_loc = e->site.loc;
    new.trail = w->trail;
    new.candidate = e->candidate;
    (void)world_add_held(&s->scratch, w, &new);
    return true;
}

static struct lock_problem *report_unheld(struct solver *s, enum lock_problem_detail detail, ir_event event,
                                          term lock, const struct lock_effect *e, uint32_t callee,
                                          uint32_t *number) {
    const struct linked_func *cf = &s->p->funcs.at[callee], *in = &s->p->funcs.at[e->site.func];
    struct lock_problem *pr = problem_new(s, PROBLEM_UNHELD, detail, s->u->events[event].loc, lock, number);

    if (!pr)
        return NULL;
    pr->data = cf->name;
    if (e->site.loc && e->site.func != s->func)
        problem_story_in(s, pr, STORY_UNLOCK, e->site.func, e->site.loc, in->name);
    return pr;
}

bool collected(struct solver *s, const struct world *w, term lock) {
    const struct object_class class = term_class(&s->t, lock);

    for (uint32_t i = 0; i < w->n_held; i++)
        if (is_collected(s, &w->held[i]) && class_equal(class, term_class(&s->t, w->held[i].lock)))
            return true;
    for (size_t i = 0; i < s->collections.n; i++)
        if (class_equal(class, s->collections.at[i].class) && !to_path(s, NULL, lock, 0))
            return true;
    return false;
}

/* Is it one of the collection that `lock` stands for? */
static bool is_one_of(struct solver *s, const struct held *h, term lock) {
    const struct object_class class = term_class(&s->t, lock);

    return class_known(class) && is_collected(s, h) && class_equal(class, term_class(&s->t, h->lock));
}

/* Who took them all on purpose has its other half in this release of one. */
static void pair_collected(struct solver *s, const struct world *w, term lock) {
    for (uint32_t i = 0; i < w->n_held; i++)
        if (w->held[i].candidate && is_one_of(s, &w->held[i], lock))
            pair(s, w->held[i].candidate);
}

/* A collection's locks, all released by the callee. */
static struct held *some_held(struct solver *s, struct world *w, term lock) {
    for (uint32_t i = 0; i < w->n_held; i++)
        if (w->held[i].mode != HELD_RELEASED && is_one_of(s, &w->held[i], lock))
            return &w->held[i];
    return NULL;
}

struct held *held_by_name(struct solver *s, struct world *w, term lock) {
    return s->t.recs[lock].op == TERM_SOME ? some_held(s, w, lock) : world_held_like(w, &s->t, lock);
}

/* Released where the lock call failed for sure; a robust mutex is held then, with one result. */
static void release_failed(struct solver *s, const struct world *w, term lock, const struct lock_effect *e,
                           uint32_t callee, ir_event ev) {
    for (uint32_t i = 0; s->recording && i < w->n_gone; i++) {
        const struct held *h = &w->gone[i];
        struct lock_problem *pr;
        struct unlock_seen *seen;
        if (h->lock != lock || h->mode != HELD_DOUBTED || h->also)
            continue;
        seen = unlock_at(s, ev, lock);
        pr = report_unheld(s, DETAIL_FAILED_TRY, ev, lock, e, callee, seen->failed ? NULL : &seen->failed);
        seen->doubted = h->event;
        if (pr && h->event)
            problem_story(s, pr, STORY_TRIED, s->u, s->u->events[h->event].loc, print_place(s, lock));
    }
}

/* Is the one lock in the object that the other's points to by a member by which an object may point to itself? */
static bool is_behind_own(const struct solver *s, term near, term far) {
    const struct term_rec object = s->t.recs[term_object(&s->t, far)];

    return object.op == TERM_LOAD && s->t.recs[object.a].op == TERM_FIELD &&
           s->p->fields.at[s->t.recs[object.a].b].own &&
           term_same_shape(&s->t, term_object(&s->t, object.a), term_object(&s->t, near));
}

struct held *held_by_pointer(const struct solver *s, const struct world *w, term lock) {
    for (uint32_t i = 0; i < w->n_held; i++) {
        struct held *h = &w->held[i];
        if (h->mode != HELD_RELEASED && class_equal(term_class(&s->t, lock), term_class(&s->t, h->lock)) &&
            (is_behind_own(s, h->lock, lock) || is_behind_own(s, lock, h->lock)))
            return h;
    }
    for (uint32_t i = 0; s->t.recs[lock].op == TERM_LOAD && i < w->n_held; i++) {
        struct held *h = &w->held[i];
        if (s->t.recs[h->lock].op == TERM_LOAD && h->mode != HELD_RELEASED &&
            !class_equal(term_class(&s->t, lock), term_class(&s->t, h->lock)))
            return h;
    }
    return NULL;
}

/* The call whose result the lock's object is, or that left a pointer to it in some memory; or 0. */
static ir_event came_out_of(const struct solver *s, term lock) {
    const struct term_rec r = s->t.recs[term_object(&s->t, lock)];
    const ir_event e = r.op == TERM_FRESH ? r.a : r.op == TERM_LOAD && !(r.b & VERSION_BLOCK) ? r.b : 0;

    return e && s->u->events[e].op == IR_EV_CALL ? e : 0;
}

/* The object came out of a call that returned with a lock of this class held, of an object that it knows by another pointer. */
static bool pair_nameless(struct solver *s, term lock) {
    const ir_event from = came_out_of(s, lock);
    bool found = false;
    uint32_t n = 0;
    const struct call_edge *edges = from ? program_calls(s->p, s->func, from, &n) : NULL;

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t candidate = map64_get(
            &s->p->locks->nameless, hash_add(class_key(term_class(&s->t, lock)), edges[i].callee), 0);
        if (candidate)
            pair(s, candidate);
        found |= candidate != 0;
    }
    return found;
}

/* … and that call took it, by names of the function's own, of which some may be one object's: one of them, or NULL. */
static struct held *held_since(struct solver *s, const struct world *w, term lock) {
    const ir_event from = came_out_of(s, lock);
    struct held *found = NULL;

    for (uint32_t i = 0; from && i < w->n_held; i++) {
        struct held *h = &w->held[i];
        if (h->event != from || !h->candidate || h->mode == HELD_RELEASED ||
            !class_equal(term_class(&s->t, lock), term_class(&s->t, h->lock)))
            continue;
        if (s->recording)
            pair(s, h->candidate);
        found = h;
    }
    return found;
}

/* The caller's lock is given up here. */
static void note_released(struct solver *s, struct world *w, term lock, uint8_t flags,
                          const struct lock_effect *e, ir_event ev) {
    const struct held released = {.lock = lock,
                                  .mode = HELD_RELEASED,
                                  .flags = flags,
                                  .count = 1,
                                  .event = ev,
                                  .in_func = e->site.func,
                                  .in_loc = e->site.loc};

    (void)world_add_held(&s->scratch, w, &released);
}

/* The lock is not held in this world: a mistake here, or the caller's lock. */
static void release_unheld(struct solver *s, struct world *w, term lock, const struct lock_effect *e,
                           uint32_t callee, ir_event ev) {
    const struct object_class class = term_class(&s->t, lock);
    const struct held *gone = world_gone(w, &s->t, lock);
    struct held *near = NULL;
    struct lock_problem *pr;
    struct unlock_seen *seen;
    uint32_t number;
    term path;

    if (w->failed && e->candidate &&
        s->recording) /* cleaning up after a lock call that failed: a robust mutex */
        pair(s, e->candidate);
    if (w->failed)
        release_failed(s, w, lock, e, callee, ev);
    path = to_path(s, NULL, lock, 0);
    if (collected(s, w, lock) || w->failed || e->guard) {
        if (s->recording)
            pair_collected(s, w, lock);
        if (e->guard && path && !world_held(w, lock))
            note_released(s, w, lock, HELD_GUARD, e, ev);
        return;
    }
    near = held_by_pointer(s, w, lock);
    near = near ? near : held_since(s, w, lock);
    if (near) {
        if (s->recording && e->candidate)
            pair(s, e->candidate);
        world_drop_held(&s->scratch, w, near, ev);
        return;
    }
    for (uint32_t i = 0; i < w->n_held; i++)
        if (world_held(w, lock) == NULL && class_known(class) &&
            class_equal(class, term_class(&s->t, w->held[i].lock)) && w->held[i].mode != HELD_RELEASED &&
            w->held[i].event && !(w->held[i].flags & HELD_MAYBE))
            near = &w->held[i];
    if (gone || (world_held(w, lock) && world_held(w, lock)->mode == HELD_RELEASED)) {
        if (!gone)
            gone = world_held(w, lock);
        if (s->recording && !e->open) {
            pr = report_unheld(s, gone->mode == HELD_FAILED ? DETAIL_FAILED_TRY : DETAIL_RELEASED_TWICE, ev,
                               lock, e, callee, NULL);
            if (pr && gone->event)
                problem_story(s, pr, gone->mode == HELD_FAILED ? STORY_TRIED : STORY_RELEASED, s->u,
                              s->u->events[gone->event].loc, print_place(s, lock));
            if (gone->mode == HELD_FAILED)
                vec_push(&s->misread, gone->event);
        }
        return;
    }
    if (near) {
        if (s->recording) {
            unlock_at(s, ev, lock)->other = true;
            pr = report_unheld(s, DETAIL_OTHER_INSTANCE, ev, lock, e, callee, NULL);
            if (pr) {
                pr->near = print_place(s, near->lock);
                problem_story(s, pr, STORY_NEAR, s->u, s->u->events[near->event].loc, pr->near);
            }
        }
        world_drop_held(&s->scratch, w, near, 0);
        return;
    }
    if (!path && s->t.recs[term_object(&s->t, lock)].op != TERM_LOCAL) {
        /* A lock that came out of a call nobody knows may have been taken there; or it is the other half of a function that returns with
         * such a lock, found in the same way. */
        if (s->recording && !pair_nameless(s, lock) && class_known(class) &&
            s->t.recs[term_object(&s->t, lock)].op != TERM_GLOBAL)
            (void)candidate_new(s, CANDIDATE_RELEASES, 0, class, e->candidate);
        return;
    }
    if (!path && !world_owns(&s->t, w, lock))
        return;
    if (s->recording) {
        pr = e->open ? NULL
                     : report_unheld(s, e->candidate ? DETAIL_IN_CALLEE : DETAIL_NONE, ev, lock, e, callee,
                                     &number);
        seen = unlock_at(s, ev, lock);
        if (!e->open) {
            seen->unheld = true;
            meet_known(s, &seen->unheld_when, w);
            seen->without = w->trail;
            seen->problem = number;
        }
        if (path) {
            const struct held of = {.lock = lock, .event = ev};
            seen->candidate =
                candidate_new(s, CANDIDATE_RELEASES, is_collected(s, &of) ? collection_path(s, lock) : path,
                              class, e->candidate);
            if (e->open) /* who knows what decides it holds the lock then */
                pair(s, seen->candidate);
            if (pr) {
                pr->candidate = seen->candidate;
                if (e->candidate) /* the callee's business if no caller holds it; ours if others do */
                    (void)note(s, (struct noted){
                                      .kind = NOTED_BAD_CALL, .candidate = e->candidate, .number = number});
                (void)note(
                    s, (struct noted){.kind = NOTED_PROBLEM, .candidate = seen->candidate, .number = number});
            }
        }
    }
    if (path)
        note_released(s, w, lock, 0, e, ev);
}

static void note_swept(struct solver *s, term lock, ir_event ev) {
    const struct collection c = {term_class(&s->t, lock), ev};

    for (size_t i = 0; i < s->swept.n; i++)
        if (class_equal(s->swept.at[i].class, c.class) && s->swept.at[i].event == ev)
            return;
    vec_push(&s->swept, c);
}

/* Is nothing done between the two? */
static bool is_empty_section(const struct solver *s, ir_event taken, ir_event released) {
    if (!taken || s->event_block[taken - s->first_event] != s->event_block[released - s->first_event])
        return false;
    for (ir_event e = taken + 1; e < released; e++)
        if (s->u->events[e].op != IR_EV_BEGIN && s->u->events[e].op != IR_EV_END)
            return false;
    return true;
}

static void note_section(struct solver *s, struct object_class class, ir_event released, bool empty) {
    if (class_known(class))
        (void)note(s,
                   (struct noted){.kind = NOTED_SECTION, .class = class, .event = released, .bits = empty});
}

void release_lock(struct solver *s, struct world *w, term lock, const struct lock_effect *e, uint32_t callee,
                  ir_event ev) {
    const bool all = s->t.recs[lock].op == TERM_SOME;
    struct held *h = held_by_name(s, w, lock);
    struct held entry;

    if (s->recording)
        note_swept(s, lock, ev);
    if (!h || h->mode == HELD_RELEASED) {
        release_unheld(s, w, lock, e, callee, ev);
        return;
    }
    if (s->recording) {
        struct unlock_seen *seen = unlock_at(s, ev, lock);
        seen->held = true;
        seen->taken = h->event;
        meet_known(s, &seen->held_when, w);
        if (h->event && !h->candidate && class_known(term_class(&s->t, lock)))
            (void)note(s, (struct noted){.kind = NOTED_GIVEN_BACK, .class = term_class(&s->t, lock)});
        note_section(s, term_class(&s->t, lock), ev, is_empty_section(s, h->event, ev));
        if (h->candidate)
            pair(s, h->candidate);
        if (e->candidate)
            pair(s, e->candidate);
    }
    if (h->count > 1) {
        h->count--;
        return;
    }
    entry = *h;
    for (; h; h = all ? some_held(s, w, lock) : NULL)
        world_drop_held(&s->scratch, w, h, ev);
    if (entry.flags & HELD_ENTRY) {
        entry.mode = HELD_RELEASED;
        entry.event = ev;
        (void)world_add_held(&s->scratch, w, &entry);
    }
}

void release_maybe(struct solver *s, struct world *w, term lock, uint32_t candidate) {
    const bool all = s->t.recs[lock].op == TERM_SOME;
    struct held *h = held_by_name(s, w, lock);

    if (!h || h->mode == HELD_RELEASED)
        return;
    for (uint32_t i = 0; all && i < w->n_held; i++)
        if (w->held[i].mode != HELD_RELEASED && is_one_of(s, &w->held[i], lock))
            w->held[i].flags |= HELD_MAYBE;
    h->flags |= HELD_MAYBE;
    if (s->recording && h->candidate)
        pair(s, h->candidate);
    if (s->recording && candidate)
        pair(s, candidate);
}
