/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Condition waits: with which lock, and in a loop? Noted at the call, judged when the function is done.
 * Stands on calls.h. */
#include "blocks_when.h"
#include "calls.h"
#include "lock_order.h"

/* Did some decision on the way from one to the other decide that block is reached at all? */
static bool chosen_since(struct solver *s, const struct trail *from, const struct trail *to, uint32_t block) {
    for (; to && to != from && (!from || to->depth > from->depth); to = to->before) {
        const struct ir_block_rec *b = &s->u->blocks[to->block];
        for (uint32_t i = 0; i < b->succs.count; i++) {
            const uint32_t other = s->u->succs[b->succs.first + i].block - s->fr->blocks.first;
            if (i != to->taken && !leads_forward(s, other, block))
                return true;
        }
    }
    return false;
}

/* A timed wait may stand alone where it is a sleep that can be cut short (nothing was tested since the lock was taken), or
 * where whoever reads its result is told "maybe". */
static bool may_wait_once(const struct call *c, const struct held *h) {
    struct solver *s = c->s;
    const struct ir_expr_rec *place = &s->u->exprs[c->ev->a];

    if (!h || !chosen_since(s, h->trail, c->world->trail, s->event_block[c->event - s->first_event]))
        return true;
    if (!c->ev->a || place->op != IR_E_VAR || s->u->vars[place->a].name)
        return c->ev->a != 0;
    for (uint32_t b = s->fr->blocks.first; b < s->fr->blocks.first + s->fr->blocks.count; b++)
        for (uint32_t i = 0; i < s->u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &s->u->events[s->u->blocks[b].events.first + i];
            if ((ev->op == IR_EV_STORE && ir_mentions(s->u, ev->b, place->a)) ||
                (ev->op == IR_EV_RETURN && ev->a && ir_mentions(s->u, ev->a, place->a)))
                return true;
        }
    return false;
}

static void add_when(struct wait_effect *wait, term path, struct range range) {
    if (path && wait->n_when < MAX_WAIT_WHEN)
        wait->when[wait->n_when++] = (struct precondition){path, range};
    else
        wait->open = true;
}

/* Is the callee's wait waited in this world? Its conditions that are open here are left in *wait, in the words of our callers. */
static enum decided decide_wait(struct call *c, struct world *w, struct wait_effect *wait) {
    struct solver *s = c->s;
    const struct wait_effect said = *wait;
    enum decided decided = said.open ? DECIDED_OPEN : DECIDED_YES;

    wait->n_when = 0;
    for (uint32_t i = 0; i < said.n_when; i++) {
        const term of = instantiate(s, w, said.when[i].of, c->args, c->n_args, 0);
        const struct range known = of ? world_range(&s->t, w, of) : RANGE_ALL,
                           both = range_meet(known, said.when[i].range);
        if (range_is_empty(both))
            return DECIDED_NOT;
        if (of && range_equal(both, known))
            continue;
        decided = DECIDED_OPEN;
        add_when(wait, of ? to_path(s, NULL, of, 0) : 0, said.when[i].range);
    }
    return decided;
}

/* What decided here that it is waited, by a value that elsewhere decides whether a lock is taken. */
static void add_decisions(struct call *c, struct wait_effect *wait) {
    struct solver *s = c->s;
    const uint32_t home = s->event_block[c->event - s->first_event];
    struct world *entry = world_new(&s->scratch);

    for (const struct trail *at = c->world->trail; at; at = at->before) {
        const struct ir_block_rec *b = &s->u->blocks[at->block];
        if (b->term != IR_TERM_BRANCH || b->succs.count != 2 || !decides_elsewhere(s->p, s->lu, b->cond) ||
            leads_forward(s, s->u->succs[b->succs.first + !at->taken].block - s->fr->blocks.first, home))
            continue;
        s->recording = false; /* it is not evaluated here */
        const term x = eval(s, entry, b->cond, c->event);
        s->recording = true;
        const struct term_rec r = s->t.recs[x];
        int64_t v;
        if (r.op == TERM_BINARY && (r.c == IR_B_EQ || r.c == IR_B_NE) && term_is_const(&s->t, r.b, &v)) {
            const bool equal = (r.c == IR_B_EQ) == !at->taken;
            add_when(wait, equal || !v ? to_path(s, NULL, r.a, 0) : 0,
                     range_when(equal ? IR_B_EQ : IR_B_NE, v));
        } else {
            add_when(wait, to_path(s, NULL, x, 0), range_when(at->taken ? IR_B_EQ : IR_B_NE, 0));
        }
    }
}

static void note_wait(struct call *c, const struct wait_effect *wait, term lock, term condition,
                      term path_lock, term path_condition, const struct held *h, uint32_t problem) {
    struct solver *s = c->s;
    const bool held = h && h->mode != HELD_RELEASED, ours = held && !(h->flags & HELD_ENTRY);
    struct wait_seen seen = {c->event, lock,  condition, held ? h->event : 0,
                             ours,     !held, problem,   wait->looped || (wait->timed && may_wait_once(c, h)),
                             0};
    struct wait_effect up = *wait;

    for (size_t i = 0; i < s->waits_seen.n; i++) {
        struct wait_seen *w = &s->waits_seen.at[i];
        if (w->event != c->event || w->lock != lock)
            continue;
        w->judged |= ours;
        w->without |= !held;
        w->problem = w->problem ? w->problem : problem;
        return;
    }
    if (!ours && path_lock && path_condition && s->waits.n < 8) {
        if (!up.site.loc)
            up.site = (struct site){s->func, c->ev->loc};
        up.lock = path_lock;
        up.condition = path_condition;
        add_decisions(c, &up);
        vec_push(&s->waits, up);
        seen.up = (uint32_t)s->waits.n;
    }
    vec_push(&s->waits_seen, seen);
}

void wait_condition(struct call *c, struct world *w, const struct wait_effect *said) {
    struct solver *s = c->s;
    struct wait_effect here = *said;
    const struct wait_effect *wait = &here;
    const enum decided decided = decide_wait(c, w, &here);
    const term lock = instantiate(s, w, wait->lock, c->args, c->n_args, 0);
    const term condition = instantiate(s, w, wait->condition, c->args, c->n_args, 0);
    term path_lock, path_condition;
    uint32_t problem = 0;
    bool wrong = false; /* not the mutex that is held: that the held one blocks is the same mistake */
    struct held *h;

    if (!lock || !condition || decided == DECIDED_NOT)
        return;
    h = world_held_like(w, &s->t, lock);
    path_lock = to_path(s, NULL, lock, 0);
    path_condition = to_path(s, NULL, condition, 0);
    if (s->recording && decided == DECIDED_YES && (!h || h->mode == HELD_RELEASED)) {
        const bool ours = world_gone(w, &s->t, lock) || (h && h->mode == HELD_RELEASED) || !path_lock ||
                          (w->n_held && !defers_to_callers(s)) ||
                          s->t.recs[term_object(&s->t, lock)].op == TERM_GLOBAL;
        if (ours && !collected(s, w, lock) &&
            (!defers_to_callers(s) || !path_lock || world_gone(w, &s->t, lock))) {
            struct lock_problem *pr =
                problem_new(s, PROBLEM_WAIT, DETAIL_NO_MUTEX, c->ev->loc, lock, &problem);
            wrong = true;
            if (pr) {
                pr->data = print_place(s, condition);
                if (!path_lock) /* who calls this may hold it by another name */
                    pr->class = term_class(&s->t, lock);
            }
            for (uint32_t i = 0; i < w->n_held; i++)
                if (w->held[i].event && w->held[i].mode != HELD_RELEASED)
                    problem_story(s, pr, STORY_NEAR, s->u, s->u->events[w->held[i].event].loc,
                                  print_place(s, w->held[i].lock));
        }
    }
    if (s->recording) {
        order_wait(s, w, c->sum, lock, false,
                   s->p->funcs.at[c->callee].defined ? wait->site : (struct site){0, 0}, c->event, 0, NULL);
        if (!s->p->funcs.at[c->callee].defined && !wrong)
            check_wait_suspends(s, w, c->callee, lock, c->event);
    }
    c->world = w;
    if (s->recording)
        note_wait(c, wait, lock, condition, path_lock, path_condition, h, problem);
    world_forget_all(&s->scratch, &s->t, w, s->steady.at, s->steady.n, c->event);
}

/* ---- when the function is done ---- */
/* Does the function release the lock that it never took, by mistake as was judged, or took another instance of? Then its callers
 * are not to blame. */
static bool lock_was_forgotten(const struct solver *s, term lock) {
    for (size_t i = 0; i < s->unlocks.n; i++) {
        const struct unlock_seen *u = &s->unlocks.at[i];
        const bool forgotten = u->candidate && s->p->locks->candidates.at[u->candidate].condemned;
        if (!u->held && (u->other || forgotten) && term_same_shape(&s->t, u->lock, lock))
            return true;
    }
    return false;
}

/* A function that waits is called with the lock held on some ways and without it on others: what tells these apart may tell it
 * whether to wait. */
static bool is_split(const struct solver *s, const struct wait_seen *w) {
    uint32_t n;
    const struct call_edge *edges = program_calls(s->p, s->func, w->event, &n);

    return w->judged && w->without && n && s->p->funcs.at[edges[0].callee].defined;
}

static void drop_waits(struct solver *s) {
    size_t n = 0;

    for (size_t i = 0; i < s->waits_seen.n; i++) {
        const struct wait_seen *w = &s->waits_seen.at[i];
        if (w->problem && is_split(s, w))
            s->p->locks->problems.at[w->problem].dropped = true;
        if (w->up && (is_split(s, w) || lock_was_forgotten(s, w->lock)))
            s->waits.at[w->up - 1].lock = 0;
    }
    for (size_t i = 0; i < s->waits.n; i++)
        if (s->waits.at[i].lock)
            s->waits.at[n++] = s->waits.at[i];
    s->waits.n = n;
}

/* The same members of no object in particular, as a path: what is embedded twice in one struct is two classes. 0: none. */
static term class_path(struct solver *s, term x) {
    struct term_table *paths = &s->p->paths;
    const struct term_rec r = *term_at(&s->t, x);

    switch (r.op) {
    case TERM_INDEX:
    case TERM_SOME: return class_path(s, r.a);
    case TERM_FIELD: {
        term in = r.a;
        while (s->t.recs[in].op == TERM_INDEX || s->t.recs[in].op == TERM_SOME)
            in = s->t.recs[in].a;
        in = s->t.recs[in].op == TERM_FIELD ? class_path(s, in) : term_make(paths, TERM_OPAQUE, 0, 0, 0);
        return term_make(paths, TERM_FIELD, in, r.b, 0);
    }
    case TERM_GLOBAL:
    case TERM_TOKEN: return term_make(paths, r.op, r.a, 0, 0);
    case TERM_LOAD: /* what lies behind a pointer is known by where the pointer is kept */
        return s->t.recs[r.a].op == TERM_LOCAL ? 0 : class_path(s, r.a);
    default: return 0;
    }
}

void settle_waits(struct solver *s) {
    for (size_t i = 0; i < s->waits_seen.n; i++) {
        const struct wait_seen *w = &s->waits_seen.at[i];
        const bool looped = w->excused || tests_again(s, w);
        const ir_loc at = s->u->events[w->event].loc;
        struct lock_problem *pr;
        if (w->up && term_at(&s->p->paths, s->waits.at[w->up - 1].condition)->op != TERM_PARAM)
            s->waits.at[w->up - 1].looped |=
                looped; /* a plain wrapper's loop can test nothing but the time */
        const term condition = w->judged ? class_path(s, w->condition) : 0,
                   lock = w->judged ? class_path(s, w->lock) : 0;
        if (condition && lock)
            vec_push(&s->p->locks->waits,
                     ((struct wait_fact){condition, lock, s->func, at, print_place(s, w->condition),
                                         print_place(s, w->lock)}));
        if (!w->judged || looped)
            continue;
        pr = problem_new(s, PROBLEM_WAIT, DETAIL_NO_LOOP, at, w->condition, NULL);
        if (pr) {
            pr->data = pr->lock;
            pr->lock = print_place(s, w->lock);
        }
    }
    drop_waits(s);
}
