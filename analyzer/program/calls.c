/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a call does to a world: only what the callee's summary says.
 * Stands on solver.h. A call with several outcomes (a trylock, a function that may fail) splits the world. */
#include "habits.h"
#include "lock_order.h"

#include <string.h>

struct call {
    struct solver *s;
    ir_event event;
    const struct ir_event_rec *ev;
    const term *args;
    uint32_t n_args;
    uint32_t callee; /* linked_func */
    const struct summary *sum;
    bool sure; /* it is the only function that may be called */
    const struct world *world; /* before the call; set while waits are noted */
};

term instantiate(struct solver *s, const struct world *w, term path, const term *args, uint32_t n_args, term result)
{
    const struct term_rec r = *term_at(&s->p->paths, path);
    term a, b;

    switch (r.op) {
    case TERM_PARAM: return r.a < n_args ? args[r.a] : 0;
    case TERM_RESULT: return result;
    case TERM_GLOBAL: case TERM_TOKEN: case TERM_CONST: case TERM_FUNC: return term_make(&s->t, r.op, r.a, r.b, r.c);
    case TERM_FIELD:
        a = instantiate(s, w, r.a, args, n_args, result);
        return a ? term_field(&s->t, s->p, a, r.b) : 0;
    case TERM_INDEX:
        a = instantiate(s, w, r.a, args, n_args, result);
        if (!r.b)
            return a ? term_make(&s->t, TERM_INDEX, a, 0, 0) : 0;
        b = instantiate(s, w, r.b, args, n_args, result);
        return a && b ? term_index(&s->t, a, b) : 0;
    case TERM_LOAD:
        a = instantiate(s, w, r.a, args, n_args, result);
        return a ? world_load(&s->t, w, a) : 0;
    case TERM_UNARY:
        a = instantiate(s, w, r.a, args, n_args, result);
        return a ? term_unary(&s->t, r.b, a) : 0;
    case TERM_BINARY:
        a = instantiate(s, w, r.a, args, n_args, result);
        b = instantiate(s, w, r.b, args, n_args, result);
        return a && b ? term_binary(&s->t, r.c, a, b) : 0;
    default: return 0;
    }
}

bool lock_is_recursive(const struct solver *s, term lock)
{
    const struct object_class c = term_class(&s->t, lock);

    if (c.field)
        return s->p->fields.at[c.field].recursive || s->p->fields.at[c.field].lock.recursive;
    if (c.global)
        return s->p->globals.at[c.global].recursive || s->p->globals.at[c.global].lock.recursive;
    return c.token != 0;
}

static term object_of_lock(const struct solver *s, term lock)
{
    return s->t.recs[lock].op == TERM_FIELD ? s->t.recs[lock].a : lock;
}

static void note_taken(struct solver *s, term lock)
{
    for (size_t i = 0; i < s->taken.n; i++)
        if (s->taken.at[i] == lock)
            return;
    vec_push(&s->taken, lock);
}

/* This function is the other half of a callee's candidate. */
static void pair(struct solver *s, uint32_t candidate)
{
    struct candidate *c = &s->p->locks->candidates.at[candidate];

    c->paired = true;
    NOTE_FUNC(&c->pairs, s->func);
}

static void report_double(struct call *c, const struct held *h, term lock, bool shared, const struct site *site,
                          uint32_t candidate)
{
    struct solver *s = c->s;
    const struct linked_func *cf = &s->p->funcs.at[c->callee], *in = &s->p->funcs.at[site->func];
    const bool inside = cf->defined;
    struct lock_problem *pr;

    if (!s->recording || h->flags & HELD_MAYBE || h->when)
        return;
    if (candidate)
        NOTE_FUNC(&s->p->locks->candidates.at[candidate].clashes, s->func);
    if (h->candidate)
        NOTE_FUNC(&s->p->locks->candidates.at[h->candidate].clashes, s->func);
    pr = problem_new(s, PROBLEM_DOUBLE,
                     inside ? DETAIL_IN_CALLEE : h->mode == HELD_SHARED && !shared ? DETAIL_UPGRADE : DETAIL_NONE,
                     c->ev->loc, lock, NULL);
    if (!pr)
        return;
    pr->data = cf->name;
    pr->candidate = candidate ? candidate : h->candidate;
    problem_taken(s, pr, h);
    if (inside && site->loc)
        problem_story(s, pr, STORY_TAKEN, in->unit->unit, site->loc, in->name);
}

static struct unlock_seen *unlock_at(struct solver *s, ir_event event, term lock);

/* The lock was given up and taken back: callers see no effect, but must hold it. */
static void require_held(struct solver *s, const struct held *h)
{
    struct unlock_seen *u = unlock_at(s, h->event, h->lock);
    struct requirement r;

    if (u->held || !u->candidate || s->p->locks->candidates.at[u->candidate].condemned)
        return;
    memset(&r, 0, sizeof r);
    r.lock = to_path(s, NULL, h->lock, 0);
    r.reason = REQUIRED_BY_RELEASE;
    r.site = (struct site){s->func, s->u->events[h->event].loc};
    r.candidate = u->candidate;
    for (size_t i = 0; i < s->requirements.n; i++)
        if (s->requirements.at[i].reason == r.reason && s->requirements.at[i].lock == r.lock)
            return;
    if (r.lock && s->requirements.n < 24)
        vec_push(&s->requirements, r);
}

/* Returns false when this outcome cannot be: a trylock of a lock held here succeeds only if it is recursive. */
static bool acquire(struct call *c, struct world *w, const struct lock_effect *e, term lock, term result, bool is_try)
{
    struct solver *s = c->s;
    struct held *h = world_held(w, lock), new;

    note_taken(s, lock);
    if (h && h->mode == HELD_RELEASED) { /* the caller's lock is taken back */
        if (s->recording)
            require_held(s, h);
        world_drop_held(&s->arena, w, h, 0);
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
                NOTE_FUNC(&s->p->locks->candidates.at[h->candidate].clashes, s->func);
            h->flags &= (uint8_t)~HELD_MAYBE;
            h->candidate = e->candidate;
            h->event = c->event;
            h->in_func = e->site.func;
            h->in_loc = e->site.loc;
            h->trail = w->trail;
            return true;
        }
        if (is_try)
            return false;
        if (!e->maybe)
            report_double(c, h, lock, e->shared, &e->site, e->candidate);
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
    }
    new.event = c->event;
    new.in_func = e->site.func;
    new.in_loc = e->site.loc;
    new.trail = w->trail;
    new.candidate = e->candidate;
    (void)world_add_held(&s->arena, w, &new);
    return true;
}

static struct unlock_seen *unlock_at(struct solver *s, ir_event event, term lock)
{
    struct unlock_seen *u;

    for (size_t i = 0; i < s->unlocks.n; i++)
        if (s->unlocks.at[i].event == event && term_same_shape(&s->t, s->unlocks.at[i].lock, lock))
            return &s->unlocks.at[i];
    u = vec_add(&s->unlocks);
    u->event = event;
    u->lock = lock;
    return u;
}

static struct lock_problem *report_unheld(struct solver *s, enum lock_problem_detail detail, ir_event event, term lock,
                                          const struct lock_effect *e, uint32_t callee, uint32_t *number)
{
    const struct linked_func *cf = &s->p->funcs.at[callee], *in = &s->p->funcs.at[e->site.func];
    struct lock_problem *pr = problem_new(s, PROBLEM_UNHELD, detail, s->u->events[event].loc, lock, number);

    if (!pr)
        return NULL;
    pr->data = cf->name;
    if (e->site.loc && e->site.func != s->func)
        problem_story(s, pr, STORY_UNLOCK, in->unit->unit, e->site.loc, in->name);
    return pr;
}

static bool collected(struct solver *s, const struct world *w, term lock)
{
    const struct object_class class = term_class(&s->t, lock);

    for (uint32_t i = 0; i < w->n_held; i++)
        if (s->t.recs[w->held[i].lock].op == TERM_SOME && class_equal(class, term_class(&s->t, w->held[i].lock)))
            return true;
    for (size_t i = 0; i < s->collections.n; i++)
        if (class_equal(class, s->collections.at[i]) && !to_path(s, NULL, lock, 0))
            return true;
    return false;
}

/* The lock is not held in this world: a mistake here, or the caller's lock. */
static void release_unheld(struct solver *s, struct world *w, term lock, const struct lock_effect *e, uint32_t callee,
                           ir_event ev)
{
    const struct object_class class = term_class(&s->t, lock);
    const struct held *gone = world_gone(w, &s->t, lock);
    struct held *near = NULL, released;
    struct lock_problem *pr;
    struct unlock_seen *seen;
    uint32_t number;
    term path;

    if (w->failed && e->candidate && s->recording) /* cleaning up after a lock call that failed: a robust mutex */
        pair(s, e->candidate);
    if (collected(s, w, lock) || w->failed || e->guard)
        return;
    for (uint32_t i = 0; i < w->n_held; i++)
        if (world_held(w, lock) == NULL && class_known(class) && class_equal(class, term_class(&s->t, w->held[i].lock)) &&
            w->held[i].mode != HELD_RELEASED && w->held[i].event &&
            !(w->held[i].flags & HELD_MAYBE))
            near = &w->held[i];
    if (gone || (world_held(w, lock) && world_held(w, lock)->mode == HELD_RELEASED)) {
        if (!gone)
            gone = world_held(w, lock);
        if (s->recording) {
            pr = report_unheld(s, gone->mode == HELD_FAILED ? DETAIL_FAILED_TRY : DETAIL_RELEASED_TWICE, ev, lock, e, callee,
                               NULL);
            if (pr && gone->event)
                problem_story(s, pr, gone->mode == HELD_FAILED ? STORY_TAKEN : STORY_RELEASED, s->u,
                              s->u->events[gone->event].loc, print_place(s, lock));
        }
        return;
    }
    if (near) {
        if (s->recording) {
            pr = report_unheld(s, DETAIL_OTHER_INSTANCE, ev, lock, e, callee, NULL);
            if (pr) {
                pr->near = print_place(s, near->lock);
                problem_story(s, pr, STORY_NEAR, s->u, s->u->events[near->event].loc, pr->near);
            }
        }
        world_drop_held(&s->arena, w, near, 0);
        return;
    }
    path = to_path(s, NULL, lock, 0);
    if (!path && s->t.recs[term_object(&s->t, lock)].op != TERM_LOCAL)
        return; /* a lock that came out of a call nobody knows: it may have been taken there */
    if (!path && !world_owns(&s->t, w, lock))
        return;
    if (s->recording) {
        pr = report_unheld(s, e->candidate ? DETAIL_IN_CALLEE : DETAIL_NONE, ev, lock, e, callee, &number);
        seen = unlock_at(s, ev, lock);
        seen->unheld = true;
        seen->problem = number;
        if (path) {
            seen->candidate = candidate_new(s, CANDIDATE_RELEASES, path, class, e->candidate);
            if (pr) {
                pr->candidate = seen->candidate;
                if (e->candidate) /* the callee's business if no caller holds it; ours if others do */
                    vec_push(&s->p->locks->candidates.at[e->candidate].bad_calls, number);
                else
                    vec_push(&s->p->locks->candidates.at[seen->candidate].problems, number);
            }
        }
    }
    if (!path)
        return;
    memset(&released, 0, sizeof released);
    released.lock = lock;
    released.mode = HELD_RELEASED;
    released.count = 1;
    released.event = ev;
    released.in_func = e->site.func;
    released.in_loc = e->site.loc;
    (void)world_add_held(&s->arena, w, &released);
}

void release_lock(struct solver *s, struct world *w, term lock, const struct lock_effect *e, uint32_t callee, ir_event ev)
{
    struct held *h = world_held_like(w, &s->t, lock);
    struct held entry;

    if (!h || h->mode == HELD_RELEASED) {
        release_unheld(s, w, lock, e, callee, ev);
        return;
    }
    if (s->recording) {
        unlock_at(s, ev, lock)->held = true;
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
    world_drop_held(&s->arena, w, h, ev);
    if (entry.flags & HELD_ENTRY) {
        entry.mode = HELD_RELEASED;
        entry.event = ev;
        (void)world_add_held(&s->arena, w, &entry);
    }
}

static void release_maybe(struct solver *s, struct world *w, term lock)
{
    struct held *h = world_held_like(w, &s->t, lock);

    if (!h || h->mode == HELD_RELEASED)
        return;
    h->flags |= HELD_MAYBE;
    if (s->recording && h->candidate)
        pair(s, h->candidate);
}

/* ---- the parts of a summary ---- */
/* What must be so for the callee to take the lock: false when it is not so here. What is open goes to own, in the words of
 * our callers; what cannot be said in them makes the lock uncertain: then false, too. */
static bool inner_conditions(struct call *c, struct world *w, const struct inner_lock *in, struct inner_lock *own)
{
    struct solver *s = c->s;

    own->n_when = 0;
    for (uint32_t k = 0; k < in->n_when; k++) {
        const term of = instantiate(s, w, in->when[k].of, c->args, c->n_args, 0);
        const struct range known = of ? world_range(&s->t, w, of) : RANGE_ALL;
        const struct range both = range_meet(known, in->when[k].range);
        term path;
        if (range_is_empty(both))
            return false;
        if (range_equal(both, known) && of)
            continue;
        path = of ? to_path(s, NULL, of, 0) : 0;
        if (!path)
            return false;
        own->when[own->n_when++] = (struct precondition){path, in->when[k].range};
    }
    return true;
}

/* Keep a lock taken inside, with what is known on all ways to it. */
static void note_inner(struct solver *s, const struct world *w, const struct inner_lock *in)
{
    struct inner_lock new = *in, *old = NULL;
    uint32_t given_up = 0;

    new.without[0] = new.without[1] = 0;
    for (uint32_t i = 0; i < w->n_held && given_up < 2; i++)
        if (w->held[i].mode == HELD_RELEASED)
            new.without[given_up++] = to_path(s, NULL, w->held[i].lock, 0);

    for (uint32_t i = 0; i < w->n_facts && new.n_when < MAX_WHEN; i++) {
        const struct fact f = w->facts[i];
        const enum term_op op = s->t.recs[f.of].op;
        const term path = op == TERM_FRESH || op == TERM_PHI ? 0 : to_path(s, NULL, f.of, 0);
        if (path)
            new.when[new.n_when++] = (struct precondition){path, f.range};
    }
    for (size_t k = 0; k < s->inner.n; k++)
        if (s->inner.at[k].lock == new.lock)
            old = &s->inner.at[k];
    if (!old) {
        if (s->inner.n < 24)
            vec_push(&s->inner, new);
        return;
    }
    for (int i = 0; i < 2; i++)
        if (old->without[i] != new.without[0] && old->without[i] != new.without[1])
            old->without[i] = 0;
    for (uint32_t i = 0; i < old->n_when; i++) {
        bool known = false;
        for (uint32_t k = 0; k < new.n_when; k++)
            if (new.when[k].of == old->when[i].of) {
                old->when[i].range = range_hull(old->when[i].range, new.when[k].range);
                known = !range_is_all(old->when[i].range);
            }
        if (!known)
            old->when[i--] = old->when[--old->n_when];
    }
}

/* A callee gives this lock up for a while. */
static void check_given_up(struct call *c, struct world *w, const struct requirement *r, term lock)
{
    struct solver *s = c->s;
    const struct linked_func *site = &s->p->funcs.at[r->site.func];
    const struct held *h = world_held_like(w, &s->t, lock);
    struct requirement up = *r;
    struct lock_problem *pr;
    uint32_t number;
    int64_t null;

    if (!s->recording || term_is_const(&s->t, lock, &null))
        return;
    if ((h && h->mode != HELD_RELEASED) || collected(s, w, lock) || w->failed) {
        pair(s, r->candidate);
        if (h && h->candidate)
            pair(s, h->candidate);
        return;
    }
    up.lock = to_path(s, NULL, lock, 0);
    pr = problem_new(s, PROBLEM_UNHELD, DETAIL_IN_CALLEE, c->ev->loc, lock, &number);
    if (pr) {
        pr->data = s->p->funcs.at[c->callee].name;
        problem_story(s, pr, STORY_UNLOCK, site->unit->unit, r->site.loc, site->name);
        pr->dropped = true;
        pr->candidate = up.lock ? candidate_new(s, CANDIDATE_RELEASES, up.lock, term_class(&s->t, lock), r->candidate) : 0;
        vec_push(&s->p->locks->candidates.at[r->candidate].bad_calls, number);
    }
    up.candidate = s->p->locks->problems.at[number].candidate;
    if (up.lock && up.candidate && s->requirements.n < 24)
        vec_push(&s->requirements, up);
}

/* The world with only those locks held that the callee does not give up before it takes this one. */
static const struct world *without_given_up(struct call *c, const struct world *w, const struct inner_lock *in)
{
    struct world *copy = NULL;

    for (int i = 0; i < 2; i++) {
        const term lock = in->without[i] ? instantiate(c->s, w, in->without[i], c->args, c->n_args, 0) : 0;
        struct held *h;
        if (!lock || !world_held_like(w, &c->s->t, lock))
            continue;
        if (!copy)
            copy = world_copy(&c->s->arena, w);
        h = world_held_like(copy, &c->s->t, lock);
        if (h)
            world_drop_held(&c->s->arena, copy, h, 0);
    }
    return copy ? copy : w;
}

static void check_needs(struct call *c, struct world *w)
{
    struct solver *s = c->s;
    const struct linked_func *cf = &s->p->funcs.at[c->callee];

    for (uint32_t i = 0; i < c->sum->n_requirements; i++) {
        const struct requirement *r = &c->sum->requirements[i];
        const term lock = instantiate(s, w, r->lock, c->args, c->n_args, 0);
        if (lock && r->reason == REQUIRED_BY_RELEASE)
            check_given_up(c, w, r, lock);
        else if (lock)
            check_requirement(s, w, r, c->callee, lock, r->object ? instantiate(s, w, r->object, c->args, c->n_args, 0) : 0,
                              c->ev->loc);
    }
    for (uint32_t i = 0; i < c->sum->n_inner; i++) {
        const struct inner_lock *in = &c->sum->inner[i];
        const term lock = instantiate(s, w, in->lock, c->args, c->n_args, 0);
        struct held *h = lock ? world_held(w, lock) : NULL;
        struct inner_lock own = *in;
        if (!lock || !inner_conditions(c, w, in, &own))
            continue;
        if (c->sure && cf->defined && !own.n_when && h && h->mode != HELD_RELEASED && !lock_is_recursive(s, lock) &&
            !(h->mode == HELD_SHARED && in->shared))
            report_double(c, h, lock, in->shared, &in->site, 0);
        if (s->recording && !h)
            order_wait(s, without_given_up(c, w, in), c->sum, lock, in->shared, cf->defined ? in->site : (struct site){0, 0}, c->event);
        if (c->sure && s->recording && !h && (own.lock = to_path(s, NULL, lock, 0))) {
            if (!cf->defined)
                own.site = (struct site){s->func, c->ev->loc};
            note_inner(s, w, &own);
        }
    }
    if (s->recording) {
        order_call(s, w, c->event, c->callee, c->sum, c->args, c->n_args);
        check_suspends(s, w, c->callee, c->sum, c->event);
    }
}

static bool mentions_var(const struct unit *u, ir_expr e, ir_var v)
{
    const struct ir_expr_rec *r = &u->exprs[e];

    switch (r->op) {
    case IR_E_VAR: return r->a == v;
    case IR_E_DEREF: case IR_E_FIELD: case IR_E_LOAD: case IR_E_ADDR: case IR_E_UNARY: case IR_E_CAST:
        return mentions_var(u, r->a, v);
    case IR_E_INDEX: case IR_E_BINARY: return mentions_var(u, r->a, v) || mentions_var(u, r->b, v);
    default: return false;
    }
}

static bool leads_forward(const struct solver *s, uint32_t from, uint32_t to, bool *seen)
{
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + from];

    if (from == to)
        return true;
    if (seen[from] || s->blocks[from].order > s->blocks[to].order)
        return false;
    seen[from] = true;
    for (uint32_t i = 0; i < b->succs.count; i++) {
        const uint32_t next = s->u->succs[b->succs.first + i].block - s->fr->blocks.first;
        if (s->blocks[next].order > s->blocks[from].order && leads_forward(s, next, to, seen))
            return true;
    }
    return false;
}

/* Did some decision on the way from one to the other decide that block is reached at all? */
static bool chosen_since(struct solver *s, const struct trail *from, const struct trail *to, uint32_t block)
{
    for (; to && to != from && (!from || to->depth > from->depth); to = to->before) {
        const struct ir_block_rec *b = &s->u->blocks[to->block];
        for (uint32_t i = 0; i < b->succs.count; i++) {
            const uint32_t other = s->u->succs[b->succs.first + i].block - s->fr->blocks.first;
            if (i != to->taken && !leads_forward(s, other, block, arena_array(&s->arena, bool, s->n_blocks)))
                return true;
        }
    }
    return false;
}

/* A timed wait may stand alone where it is a sleep that can be cut short (nothing was tested since the lock was taken), or
 * where whoever reads its result is told "maybe". */
static bool may_wait_once(const struct call *c, const struct held *h)
{
    struct solver *s = c->s;
    const struct ir_expr_rec *place = &s->u->exprs[c->ev->a];

    if (!h || !chosen_since(s, h->trail, c->world->trail, s->event_block[c->event - s->first_event]))
        return true;
    if (!c->ev->a || place->op != IR_E_VAR || s->u->vars[place->a].name)
        return c->ev->a != 0;
    for (uint32_t b = s->fr->blocks.first; b < s->fr->blocks.first + s->fr->blocks.count; b++)
        for (uint32_t i = 0; i < s->u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &s->u->events[s->u->blocks[b].events.first + i];
            if ((ev->op == IR_EV_STORE && mentions_var(s->u, ev->b, place->a)) ||
                (ev->op == IR_EV_RETURN && ev->a && mentions_var(s->u, ev->a, place->a)))
                return true;
        }
    return false;
}

static void note_wait(struct call *c, const struct wait_effect *wait, term lock, term condition, term path_lock,
                      term path_condition, const struct held *h)
{
    struct solver *s = c->s;
    const bool ours = h && h->mode != HELD_RELEASED && !(h->flags & HELD_ENTRY);
    struct wait_seen seen = {c->event, lock, condition, ours, wait->looped || (wait->timed && may_wait_once(c, h)), 0};
    struct wait_effect up = *wait;

    for (size_t i = 0; i < s->waits_seen.n; i++)
        if (s->waits_seen.at[i].event == c->event && s->waits_seen.at[i].lock == lock)
            return;
    if (!ours && path_lock && path_condition && s->waits.n < 8) {
        if (!up.site.loc)
            up.site = (struct site){s->func, c->ev->loc};
        up.lock = path_lock;
        up.condition = path_condition;
        vec_push(&s->waits, up);
        seen.up = (uint32_t)s->waits.n;
    }
    vec_push(&s->waits_seen, seen);
}

static void wait_condition(struct call *c, struct world *w, const struct wait_effect *wait)
{
    struct solver *s = c->s;
    const term lock = instantiate(s, w, wait->lock, c->args, c->n_args, 0);
    const term condition = instantiate(s, w, wait->condition, c->args, c->n_args, 0);
    term path_lock, path_condition;
    struct held *h;

    if (!lock || !condition)
        return;
    h = world_held_like(w, &s->t, lock);
    path_lock = to_path(s, NULL, lock, 0);
    path_condition = to_path(s, NULL, condition, 0);
    if (s->recording && (!h || h->mode == HELD_RELEASED)) {
        const bool ours = world_gone(w, &s->t, lock) || (h && h->mode == HELD_RELEASED) || !path_lock ||
                          (w->n_held && !defers_to_callers(s)) || s->t.recs[term_object(&s->t, lock)].op == TERM_GLOBAL;
        if (ours && !collected(s, w, lock) && (!defers_to_callers(s) || !path_lock || world_gone(w, &s->t, lock))) {
            struct lock_problem *pr = problem_new(s, PROBLEM_WAIT, DETAIL_NO_MUTEX, c->ev->loc, lock, NULL);
            if (pr)
                pr->data = print_place(s, condition);
            for (uint32_t i = 0; i < w->n_held; i++)
                if (w->held[i].event && w->held[i].mode != HELD_RELEASED)
                    problem_story(s, pr, STORY_NEAR, s->u, s->u->events[w->held[i].event].loc, print_place(s, w->held[i].lock));
        }
    }
    if (s->recording) {
        order_wait(s, w, c->sum, lock, false, s->p->funcs.at[c->callee].defined ? wait->site : (struct site){0, 0}, c->event);
        if (!s->p->funcs.at[c->callee].defined)
            check_wait_suspends(s, w, c->callee, lock, c->event);
    }
    c->world = w;
    if (s->recording)
        note_wait(c, wait, lock, condition, path_lock, path_condition, h);
    world_forget_all(&s->t, w, c->event);
}

static void retire(struct solver *s, term object)
{
    for (size_t i = 0; i < s->retired.n; i++)
        if (s->retired.at[i] == object)
            return;
    vec_push(&s->retired, object);
}

static void check_destroyed(struct call *c, struct world *w, term object, bool whole)
{
    struct solver *s = c->s;

    for (uint32_t i = 0; i < w->n_held; i++) {
        struct held *h = &w->held[i];
        term at = h->lock;
        while (whole && at != object && (s->t.recs[at].op == TERM_FIELD || s->t.recs[at].op == TERM_INDEX))
            at = s->t.recs[at].a;
        if (at != object || h->mode == HELD_RELEASED || h->flags & HELD_MAYBE)
            continue;
        if (s->recording) {
            struct lock_problem *pr = problem_new(s, PROBLEM_DESTROY, DETAIL_NONE, c->ev->loc, h->lock, NULL);
            if (pr)
                pr->data = s->p->funcs.at[c->callee].name;
            problem_taken(s, pr, h);
        }
        world_drop_held(&s->arena, w, h, 0); /* said; it is no leak besides */
        i--;
    }
}

/* Is path in the list, or the list long enough? */
static bool listed(const term *list, size_t n, term path)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == path)
            return true;
    return n >= 16;
}

static void memory_effects(struct call *c, struct world *w)
{
    struct solver *s = c->s;
    const struct summary *sum = c->sum;
    term x;

    if (sum->mods) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < w->n_cells; i++) {
            const uint32_t class = memory_class(&s->t, w->cells[i].at);
            const bool local = s->t.recs[term_object(&s->t, w->cells[i].at)].op == TERM_LOCAL;
            if (!local && ((class & 3) == 1 ? mods_has(sum->mods, MOD_FIELD(class >> 2))
                                            : (class & 3) == 2 && mods_has(sum->mods, MOD_GLOBAL(s->p, class >> 2))))
                continue;
            w->cells[n++] = w->cells[i];
        }
        w->n_cells = n;
        for (size_t i = 0; i < s->keys.n; i++) {
            const uint32_t class = s->keys.at[i];
            if ((class & 3) == 1 ? mods_has(sum->mods, MOD_FIELD(class >> 2))
                                 : mods_has(sum->mods, MOD_GLOBAL(s->p, class >> 2)))
                world_forget_class(&s->arena, &s->t, w, class, c->event);
        }
    }
    for (uint32_t i = 0; i < c->ev->args.count && i < 64; i++) {
        const uint64_t bit = UINT64_C(1) << i;
        if (!c->args[i])
            continue;
        if (sum->writes & bit || (!sum->known && term_is_place(&s->t, c->args[i])))
            world_forget_object(&s->arena, &s->t, w, c->args[i], c->event);
        else if (sum->mods && s->t.recs[term_object(&s->t, c->args[i])].op == TERM_LOCAL) {
            uint32_t n = 0; /* members of a local that the callee may write through the pointer */
            for (uint32_t k = 0; k < w->n_cells; k++)
                if (term_object(&s->t, w->cells[k].at) != term_object(&s->t, c->args[i]) || s->t.recs[w->cells[k].at].op != TERM_FIELD ||
                    !mods_has(sum->mods, MOD_FIELD(s->t.recs[w->cells[k].at].b)))
                    w->cells[n++] = w->cells[k];
            w->n_cells = n;
        }
        if (sum->escapes & bit || !sum->known)
            world_publish(&s->arena, &s->t, w, c->args[i]);
        if (sum->frees & bit) {
            check_destroyed(c, w, c->args[i], true);
            retire(s, c->args[i]);
        }
    }
    for (uint32_t i = 0; i < sum->n_inits; i++)
        if ((x = instantiate(s, w, sum->inits[i], c->args, c->n_args, 0))) {
            const term path = s->recording ? to_path(s, NULL, x, 0) : 0;
            if (path)
                (void)(listed(s->inits.at, s->inits.n, path) || vec_push(&s->inits, path));
            retire(s, object_of_lock(s, x));
            if (s->t.recs[term_object(&s->t, x)].op != TERM_GLOBAL)
                world_own(&s->arena, w, object_of_lock(s, x));
        }
    for (uint32_t i = 0; i < sum->n_destroys; i++)
        if ((x = instantiate(s, w, sum->destroys[i], c->args, c->n_args, 0))) {
            const term path = s->recording ? to_path(s, NULL, x, 0) : 0;
            if (path)
                (void)(listed(s->destroys.at, s->destroys.n, path) || vec_push(&s->destroys, path));
            check_destroyed(c, w, x, false);
            retire(s, object_of_lock(s, x));
        }
    if (sum->effects & EFFECT_SPAWNS)
        w->spawned = true;
}

static void put_result(struct call *c, struct world *w, term result)
{
    struct solver *s = c->s;
    term at;

    if (!c->ev->a)
        return;
    at = eval_place(s, w, c->ev->a, c->event);
    if (type_struct(s->u, s->u->exprs[c->ev->a].type)) {
        world_forget_object(&s->arena, &s->t, w, at, c->event);
        return;
    }
    note_hint(s, result, at);
    world_store(&s->arena, &s->t, w, at, result, c->event);
}

/* Is the cell a member of the struct that the call returns? */
static bool in_result(const struct solver *s, term path)
{
    while (term_at(&s->p->paths, path)->op == TERM_FIELD)
        path = term_at(&s->p->paths, path)->a;
    return term_at(&s->p->paths, path)->op == TERM_RESULT;
}

static bool acquires(const struct outcome *o, term lock)
{
    for (uint32_t i = 0; i < o->n_effects; i++)
        if (o->effects[i].kind == EFFECT_ACQUIRE && o->effects[i].lock == lock)
            return true;
    return false;
}

/* One outcome: false when it cannot be in this world. `when` are its preconditions' values, taken before the call. */
static bool apply_outcome(struct call *c, struct world *w, const struct outcome *o, const term *when, const term *released, term result)
{
    struct solver *s = c->s;

    for (uint32_t i = 0; i < o->n_when; i++)
        if (when[i] && !world_narrow(&s->arena, &s->t, w, when[i], o->when[i].range))
            return false;
    if (result && !world_narrow(&s->arena, &s->t, w, result, o->result))
        return false;
    for (uint32_t i = 0; i < o->n_effects; i++) {
        struct lock_effect e = o->effects[i];
        const term lock = e.kind == EFFECT_RELEASE && i < MAX_EFFECTS && released[i]
                              ? released[i]
                              : instantiate(s, w, e.lock, c->args, c->n_args, result);
        bool is_try = false;
        if (!lock)
            continue;
        for (uint32_t k = 0; k < c->sum->n_outcomes; k++)
            is_try |= e.kind == EFFECT_ACQUIRE && !acquires(&c->sum->outcomes[k], e.lock);
        if (!s->p->funcs.at[e.site.func].defined) /* a model's effect happens here */
            e.site = (struct site){s->func, c->ev->loc};
        if (e.kind == EFFECT_RELEASE && e.maybe)
            release_maybe(s, w, lock);
        else if (e.kind == EFFECT_RELEASE)
            release_lock(s, w, lock, &e, c->callee, c->event);
        else if (!acquire(c, w, &e, lock, result, is_try))
            return false;
    }
    for (uint32_t k = 0; k < c->sum->n_outcomes; k++) /* what the other outcomes would have got */
        for (uint32_t i = 0; i < c->sum->outcomes[k].n_effects; i++) {
            const struct lock_effect *e = &c->sum->outcomes[k].effects[i];
            const term lock = instantiate(s, w, e->lock, c->args, c->n_args, result);
            struct held failed;
            if (e->kind != EFFECT_ACQUIRE || acquires(o, e->lock) || !lock || world_held(w, lock))
                continue;
            note_taken(s, lock);
            memset(&failed, 0, sizeof failed);
            failed.lock = lock;
            failed.mode = HELD_FAILED;
            failed.event = c->event;
            world_note_gone(&s->arena, w, &failed);
        }
    return true;
}

/* Argument i is kept in what the arguments point to. Is that an object which the guarded data links, as a list does? */
static bool is_linked(const struct call *c, uint32_t i)
{
    const struct unit *u = c->s->u;

    for (uint32_t k = 0; k < c->ev->args.count; k++) {
        ir_expr arg = u->expr_refs[c->ev->args.first + k];
        ir_type t = type_plain(u, u->exprs[arg].type);
        if (u->types[t].kind == IR_T_POINTER && (t = type_struct(u, u->types[t].elem)) &&
            escape_is_link(c->s, c->args[i], c->s->lu->structs[t]))
            return true;
    }
    return false;
}

/* Guarded data whose address is handed over is touched by the callee. */
static void check_arguments(struct call *c, struct world *w)
{
    struct solver *s = c->s;
    const struct linked_func *cf = &s->p->funcs.at[c->callee];

    for (uint32_t i = 0; i < c->ev->args.count && i < 64; i++) {
        ir_expr arg = s->u->expr_refs[c->ev->args.first + i];
        const uint64_t bit = UINT64_C(1) << i;
        ir_type t;
        if (s->recording && c->args[i] && s->t.recs[c->args[i]].op == TERM_FIELD)
            habit_access(s, w, c->args[i], true, s->u->exprs[arg].loc ? s->u->exprs[arg].loc : c->ev->loc);
        if (!c->args[i] || !term_is_place(&s->t, c->args[i]) + !(c->sum->reads & bit || c->sum->writes & bit) == 2)
            continue;
        while (s->u->exprs[arg].op == IR_E_CAST)
            arg = s->u->exprs[arg].a;
        t = type_plain(s->u, s->u->exprs[arg].type);
        t = s->u->types[t].kind == IR_T_POINTER ? s->u->types[t].elem : 0;
        const ir_loc loc = s->u->exprs[arg].loc ? s->u->exprs[arg].loc : c->ev->loc;
        if (!cf->defined && c->sum->known && c->sum->writes & bit)
            check_access(s, w, c->args[i], t, type_struct(s->u, t) ? ACCESS_COPY_TO : ACCESS_WRITE, loc);
        else if (!cf->defined && c->sum->known && c->sum->reads & bit)
            check_access(s, w, c->args[i], t, type_struct(s->u, t) ? ACCESS_COPY_FROM : ACCESS_READ, loc);
        else if ((!c->sum->known || c->sum->writes & bit) && s->u->exprs[arg].op == IR_E_ADDR)
            check_access(s, w, c->args[i], 0, ACCESS_ADDRESS, loc);
        if (!c->sum->known || c->sum->leaves & bit || (c->sum->escapes & bit && !is_linked(c, i)))
            check_escape(s, w, c->args[i], 0, DETAIL_PASSED, loc);
    }
}

static void note_decisive(struct solver *s, const struct summary *sum, const term *when)
{
    bool locks = false;

    for (uint32_t i = 0; i < sum->n_outcomes; i++)
        locks |= sum->outcomes[i].n_effects != 0;
    for (uint32_t i = 0; locks && i < sum->n_outcomes; i++)
        for (uint32_t k = 0; k < sum->outcomes[i].n_when && k < 8; k++)
            if (when[i * 8 + k] && !listed(s->decisive.at, s->decisive.n, when[i * 8 + k]))
                vec_push(&s->decisive, when[i * 8 + k]);
}

static void apply(struct call *c, struct world *w)
{
    struct solver *s = c->s;
    const struct summary *sum = c->sum;
    const struct outcome plain = {NULL, 0, RANGE_ALL, NULL, 0};
    const uint32_t n = sum->n_outcomes ? sum->n_outcomes : 1;
    const term whole = c->ev->a && type_struct(s->u, s->u->exprs[c->ev->a].type) ? eval_place(s, w, c->ev->a, c->event) : 0;
    term result = 0, *when = arena_array(&s->arena, term, n * 8), stored[MAX_STORES][2];
    term *released = arena_array(&s->arena, term, n * MAX_EFFECTS);

    for (uint32_t i = 0; i < sum->n_outcomes; i++)
        for (uint32_t k = 0; k < sum->outcomes[i].n_when && k < 8; k++)
            when[i * 8 + k] = instantiate(s, w, sum->outcomes[i].when[k].of, c->args, c->n_args, 0);
    note_decisive(s, sum, when);
    check_arguments(c, w);
    check_needs(c, w);
    for (uint32_t i = 0; i < sum->n_waits; i++)
        wait_condition(c, w, &sum->waits[i]);
    if (sum->returns)
        result = instantiate(s, w, sum->returns, c->args, c->n_args, 0);
    for (uint32_t i = 0; i < sum->n_stores; i++) { /* said of memory before the call */
        stored[i][0] = instantiate(s, w, sum->stores[i].at, c->args, c->n_args, whole);
        stored[i][1] = instantiate(s, w, sum->stores[i].value, c->args, c->n_args, 0);
    }
    for (uint32_t i = 0; i < sum->n_outcomes; i++) /* a guard forgets its lock when it releases it: which one is said before */
        for (uint32_t k = 0; k < sum->outcomes[i].n_effects && k < MAX_EFFECTS; k++)
            if (sum->outcomes[i].effects[k].kind == EFFECT_RELEASE)
                released[i * MAX_EFFECTS + k] = instantiate(s, w, sum->outcomes[i].effects[k].lock, c->args, c->n_args, 0);
    memory_effects(c, w);
    if (sum->never_returns)
        return;
    for (uint32_t i = 0; i < sum->n_stores; i++)
        if (stored[i][0] && stored[i][1] && !in_result(s, sum->stores[i].at))
            world_store(&s->arena, &s->t, w, stored[i][0], stored[i][1], c->event);
    if (!result)
        result = term_make(&s->t, TERM_FRESH, c->event, 0, sum->fresh ? TERM_ALLOCATED : 0);
    if (sum->fresh)
        world_own(&s->arena, w, result);
    for (uint32_t i = 0; i < n; i++) {
        struct world *out = i + 1 < n ? world_copy(&s->arena, w) : w;
        const struct outcome *o = sum->n_outcomes ? &sum->outcomes[i] : &plain;
        /* A try that returns its lock returns NULL where it failed. */
        const bool none = sum->returns && range_equal(o->result, range_of(0));
        const term back = none ? term_const(&s->t, 0) : result;
        if (!apply_outcome(c, out, o, when + i * 8, released + i * MAX_EFFECTS, back))
            continue;
        put_result(c, out, back);
        for (uint32_t k = 0; k < sum->n_stores; k++)
            if (stored[k][0] && stored[k][1] && in_result(s, sum->stores[k].at))
                world_store(&s->arena, &s->t, out, stored[k][0], stored[k][1], c->event);
        vec_push(&s->next, out);
    }
}

static bool same_effects(const struct summary *a, const struct summary *b)
{
    if (a->n_outcomes != b->n_outcomes)
        return false;
    for (uint32_t i = 0; i < a->n_outcomes; i++) {
        if (a->outcomes[i].n_effects != b->outcomes[i].n_effects)
            return false;
        for (uint32_t k = 0; k < a->outcomes[i].n_effects; k++)
            if (a->outcomes[i].effects[k].lock != b->outcomes[i].effects[k].lock ||
                a->outcomes[i].effects[k].kind != b->outcomes[i].effects[k].kind)
                return false;
    }
    return true;
}

static void hand_on(struct solver *s, struct world *w, const struct call *c, const term *paths, uint32_t n, term **list,
                    size_t *count)
{
    for (uint32_t i = 0; i < n; i++) {
        const term x = instantiate(s, w, paths[i], c->args, c->n_args, 0), path = x ? to_path(s, NULL, x, 0) : 0;
        if (path && !listed(*list, *count, path))
            (*list)[(*count)++] = path;
    }
}

void pass_on_call(struct solver *s, struct world *w, ir_event e)
{
    const struct ir_event_rec *ev = &s->u->events[e];
    term *args = arena_array(&s->arena, term, ev->args.count + 1);
    uint32_t n;
    const struct call_edge *edges = program_calls(s->p, s->func, e, &n);

    for (uint32_t i = 0; i < ev->args.count; i++)
        args[i] = eval(s, w, s->u->expr_refs[ev->args.first + i], e);
    for (uint32_t i = 0; i < n; i++) {
        const struct summary *sum = s->p->funcs.at[edges[i].callee].summary;
        struct call c = {s, e, ev, args, ev->args.count, edges[i].callee, sum, n == 1, NULL};
        if (!sum || edges[i].callback)
            continue;
        check_needs(&c, w);
        vec_reserve(&s->inits, 17);
        vec_reserve(&s->destroys, 17);
        hand_on(s, w, &c, sum->inits, sum->n_inits, &s->inits.at, &s->inits.n);
        hand_on(s, w, &c, sum->destroys, sum->n_destroys, &s->destroys.at, &s->destroys.n);
    }
}

/* What annotations say of the pointer that is called; the object that holds it goes to args[OBJECT_PARAM]. */
static const struct summary *annotated_pointer(struct solver *s, struct world *w, const struct ir_event_rec *ev, ir_event e,
                                               term *object)
{
    ir_expr x = ev->b;
    const struct ir_expr_rec *r;
    struct ir_range annots;
    ir_type type;
    ir_field field = 0;
    uint32_t *slot;
    bool fresh;

    while (s->u->exprs[x].op == IR_E_CAST || s->u->exprs[x].op == IR_E_LOAD || s->u->exprs[x].op == IR_E_DEREF)
        x = s->u->exprs[x].a;
    r = &s->u->exprs[x];
    if (r->op == IR_E_FIELD) {
        field = r->b;
        annots = s->u->fields[field].annots;
        type = s->u->fields[field].type;
        *object = eval_place(s, w, r->a, e);
    } else if (r->op == IR_E_VAR) {
        annots = s->u->vars[r->a].annots;
        type = s->u->vars[r->a].type;
    } else {
        return NULL;
    }
    slot = map64_place(&s->p->pointers,
                       (uint64_t)(s->lu - s->p->units.at) << 33 | (uint64_t)(field != 0) << 32 | (field ? field : r->a), &fresh);
    if (fresh) {
        struct summary *sum = summary_of_pointer(s->p, s->lu, type, annots, field, s->func);
        if (!s->p->pointer_summaries.n)
            vec_push(&s->p->pointer_summaries, NULL);
        if (sum) {
            vec_push(&s->p->pointer_summaries, sum);
            *slot = (uint32_t)s->p->pointer_summaries.n - 1;
        }
    }
    return *slot ? s->p->pointer_summaries.at[*slot] : NULL;
}

void transfer_call(struct solver *s, struct world *w, ir_event e)
{
    static const struct summary unknown;
    const struct ir_event_rec *ev = &s->u->events[e];
    term *args = arena_array(&s->arena, term, ev->args.count + 1);
    uint32_t n, real = 0;
    const struct call_edge *edges = program_calls(s->p, s->func, e, &n);
    struct call c = {s, e, ev, args, ev->args.count, 0, &unknown, n == 1, NULL};
    bool agree = true;

    if (s->recording)
        habit_call(s, w, e);
    for (uint32_t i = 0; i < ev->args.count; i++)
        args[i] = eval(s, w, s->u->expr_refs[ev->args.first + i], e);
    if (s->u->exprs[ev->b].op != IR_E_FUNC) {
        const struct summary *said;
        term object = 0;
        (void)eval(s, w, ev->b, e);
        said = annotated_pointer(s, w, ev, e, &object);
        if (said) { /* whatever it points to has promised this */
            term *more = arena_array(&s->arena, term, OBJECT_PARAM + 1);
            memcpy(more, args, (ev->args.count < OBJECT_PARAM ? ev->args.count : OBJECT_PARAM) * sizeof *more);
            more[OBJECT_PARAM] = object;
            c.args = more;
            c.n_args = OBJECT_PARAM + 1;
            c.sum = said;
            c.callee = n ? edges[0].callee : 0;
            apply(&c, w);
            return;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct summary *sum = s->p->funcs.at[edges[i].callee].summary;
        if (edges[i].callback)
            continue;
        if (real && (!sum || !same_effects(sum, c.sum)))
            agree = false;
        c.callee = edges[i].callee;
        c.sum = sum ? sum : &unknown;
        real++;
    }
    if (real <= 1 || agree) {
        for (uint32_t i = 0; real > 1 && i < n; i++)
            if (!edges[i].callback && edges[i].callee != c.callee) {
                struct call other = c;
                other.callee = edges[i].callee;
                other.sum = s->p->funcs.at[edges[i].callee].summary;
                check_needs(&other, w);
                memory_effects(&other, w);
            }
        apply(&c, w);
        return;
    }
    for (uint32_t i = 0; i < n; i++) { /* callees that differ: what each needs is checked, what each takes is not known */
        if (edges[i].callback)
            continue;
        c.callee = edges[i].callee;
        c.sum = s->p->funcs.at[edges[i].callee].summary;
        if (!c.sum)
            c.sum = &unknown;
        check_needs(&c, w);
        memory_effects(&c, w);
    }
    put_result(&c, w, term_make(&s->t, TERM_FRESH, e, 0, 0));
    vec_push(&s->next, w);
}
