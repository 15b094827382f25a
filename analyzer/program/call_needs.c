/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a callee needs of its caller: locks held, given up for a while, or free to be taken inside.
 * Stands on calls.h. */
#include "calls.h"
#include "lock_order.h"

/* Does the callee take the lock here? TAKES_IF: if something is so that our callers cannot be told. */
enum takes { TAKES_NOT, TAKES_IF, TAKES };

/* What must be so for the callee to take the lock. What is open goes to own, in the words of our callers. */
static enum takes inner_conditions(struct call *c, struct world *w, const struct inner_lock *in,
                                   struct inner_lock *own) {
    struct solver *s = c->s;
    enum takes takes = TAKES;

    own->n_when = 0;
    for (uint32_t k = 0; k < in->n_when; k++) {
        const term of = instantiate_again(s, w, in->when[k].of, c->args, c->n_args);
        const struct range known = of ? world_range(&s->t, w, of) : RANGE_ALL;
        const struct range both = range_meet(known, in->when[k].range);
        term path;
        if (range_is_empty(both))
            return TAKES_NOT;
        if (range_equal(both, known) && of)
            continue;
        path = of ? to_path(s, NULL, of, 0) : 0;
        if (!path)
            takes = TAKES_IF;
        else
            own->when[own->n_when++] = (struct precondition){path, in->when[k].range};
    }
    return takes;
}

bool was_excluded(const struct solver *s, const struct world *w, term of, struct range range) {
    for (uint32_t i = 0; i < w->n_facts; i++)
        if (term_same_shape(&s->t, w->facts[i].of, of) &&
            range_is_empty(range_meet(w->facts[i].range, range)))
            return true;
    return false;
}

static uint32_t block_of(const struct solver *s, ir_event e) {
    return s->event_block[e - s->first_event];
}

/* May the callee take h, which is held here? What decides it is not known, but nothing says that it goes by whether the lock
 * is held: not what callers pass, nor a state that is set while one thing is done and set back. */
static bool may_take(struct call *c, struct world *w, const struct held *h, const struct inner_lock *in) {
    struct solver *s = c->s;
    struct world *then;

    if (h->event && (h->event == c->event || !leads_forward(s, block_of(s, h->event), block_of(s, c->event))))
        return false; /* since an earlier turn of a loop: what was so then may be what is asked now */
    then = world_copy(&s->scratch, w);

    for (uint32_t k = 0; k < in->n_when; k++) {
        const struct precondition *when = &in->when[k];
        const term of = instantiate_again(s, w, when->of, c->args, c->n_args);
        const struct range known = of ? world_range(&s->t, w, of) : RANGE_ALL;
        if (of && range_equal(range_meet(known, when->range), known))
            continue;
        if (!of || was_excluded(s, w, of, when->range) || says_where(s->p, &s->t, of) ||
            !world_narrow(&s->scratch, &s->t, then, of, when->range))
            return false;
    }
    return some_caller_leads_here(s, then);
}

/* What the callee, or one further down, gives up before it takes the lock, in the words of our callers. */
static void given_up_below(struct call *c, struct world *w, const struct inner_lock *in,
                           struct inner_lock *own) {
    uint32_t n = 0;

    own->without[0] = own->without[1] = 0;
    for (int i = 0; i < 2; i++) {
        const term lock = in->without[i] ? instantiate_again(c->s, w, in->without[i], c->args, c->n_args) : 0;
        const term path = lock ? to_path(c->s, NULL, lock, 0) : 0;
        if (path)
            own->without[n++] = path;
    }
}

/* Keep a lock taken inside, with what is known on all ways to it. */
static void note_inner(struct solver *s, const struct world *w, const struct inner_lock *in) {
    struct inner_lock new = *in, *old = NULL;
    uint32_t given_up = !!new.without[0] + !!new.without[1];

    for (uint32_t i = 0; i < w->n_held && given_up < 2; i++)
        if (w->held[i].mode == HELD_RELEASED)
            new.without[given_up++] = to_path(s, NULL, w->held[i].lock, 0);

    const uint32_t n = add_known(s, w, new.when, new.n_when, MAX_WHEN);
    if (n > MAX_WHEN)
        return; /* more than can be kept decides whether it is taken: nobody could be sure */
    new.n_when = n;
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
    old->n_when = keep_known(old->when, old->n_when, new.when, new.n_when);
}

/* Is what decides whether the callee takes the lock asked of objects whose locks are held here? Any state may be found in them. */
static bool asked_of_held(struct call *c, const struct world *w, const struct inner_lock *in) {
    const struct term_table *t = &c->s->t;

    for (uint32_t k = 0; k < in->n_when; k++) {
        const term of = instantiate_again(c->s, w, in->when[k].of, c->args, c->n_args);
        bool any = false;
        for (uint32_t i = 0; of && i < w->n_held && !any; i++)
            any = w->held[i].mode != HELD_RELEASED && t->recs[w->held[i].lock].op == TERM_FIELD &&
                  term_mentions(t, of, term_object(t, w->held[i].lock));
        if (!any)
            return false;
    }
    return true;
}

/* The world with only those locks held that the callee does not give up before it takes this one. */
static const struct world *without_given_up(struct call *c, const struct world *w,
                                            const struct inner_lock *in) {
    struct world *copy = NULL;

    for (int i = 0; i < 2; i++) {
        const term lock = in->without[i] ? instantiate_again(c->s, w, in->without[i], c->args, c->n_args) : 0;
        struct held *h;
        if (!lock || !world_held_like(w, &c->s->t, lock))
            continue;
        if (!copy)
            copy = world_copy(&c->s->scratch, w);
        h = world_held_like(copy, &c->s->t, lock);
        if (h)
            world_drop_held(&c->s->scratch, copy, h, 0);
    }
    return copy ? copy : w;
}

static bool find_target_that_spares(const struct call *c, struct world *w, term lock) {
    struct solver *s = c->s;
    uint32_t n;
    const struct call_edge *edges = program_calls(s->p, s->func, c->event, &n);

    for (uint32_t i = 0; i < n; i++) {
        struct call other = *c;
        bool takes = false;
        other.callee = edges[i].callee;
        other.sum = s->p->funcs.at[other.callee].summary;
        if (edges[i].callback != c->callback)
            continue;
        for (uint32_t k = 0; other.sum && k < other.sum->n_inner && !takes; k++) {
            struct inner_lock own = other.sum->inner[k];
            takes = instantiate_again(s, w, own.lock, c->args, c->n_args) == lock &&
                    inner_conditions(&other, w, &own, &own) == TAKES && !own.n_when;
        }
        if (!takes)
            return true;
    }
    return false;
}

/* Does one of the functions that may be called leave this lock alone, or take it only if something is so that is not known? Asked for
 * each of them, and the same for all. */
static bool some_target_spares(const struct call *c, struct world *w, term lock) {
    bool fresh;
    uint32_t *slot = map64_place(&c->s->spared, key_pair(c->callback, lock), &fresh);

    if (fresh) {
        const bool spares = find_target_that_spares(c, w, lock);
        *map64_find(&c->s->spared, key_pair(c->callback, lock)) = spares;
        return spares;
    }
    return *slot;
}

/* Is the function taken out of a constant table, of which nothing is known here? Then any function that stands in such a table
 * may be meant. What was asked of the object before may tell the tables apart, and so does a table that is named. */
static bool any_of_tables(const struct call *c, const struct world *w) {
    const struct solver *s = c->s;
    const struct unit *u = s->u;
    ir_expr x = c->ev->b;
    ir_type t;
    term table, object;

    while (u->exprs[x].op == IR_E_CAST ||
           (u->exprs[x].op == IR_E_LOAD && u->exprs[u->exprs[x].a].op != IR_E_FIELD))
        x = u->exprs[x].a;
    if (u->exprs[x].op != IR_E_LOAD || u->exprs[u->exprs[u->exprs[x].a].a].op != IR_E_DEREF)
        return false;
    x = u->exprs[u->exprs[u->exprs[x].a].a].a; /* the pointer to the table */
    t = type_plain(u, u->exprs[x].type);
    t = u->types[t].kind == IR_T_POINTER ? u->types[t].elem : 0;
    while (t && u->types[t].kind == IR_T_TYPEDEF)
        t = u->types[t].elem;
    if (!t || u->types[t].kind != IR_T_QUALIFIED || !(u->types[t].flags & IR_TF_CONST))
        return false;
    table = eval(c->s, (struct world *)(uintptr_t)w, x, c->event);
    object = table ? term_object(&s->t, table) : 0;
    if (!table || s->t.recs[table].op != TERM_LOAD || s->t.recs[object].op == TERM_GLOBAL)
        return false;
    object = term_object(&s->t, s->t.recs[table].a);
    for (uint32_t i = 0; i < w->n_facts; i++)
        if (term_mentions(&s->t, w->facts[i].of, object) &&
            !range_equal(w->facts[i].range, range_when(IR_B_NE, 0)))
            return false;
    return true;
}

/* Taken once more, it would wait for itself. */
static bool is_taken_twice(const struct solver *s, const struct held *h, term lock, bool shared) {
    return h && h->mode != HELD_RELEASED && !lock_is_recursive(s, lock) &&
           !(h->mode == HELD_SHARED && shared);
}

void check_needs(struct call *c, struct world *w) {
    struct solver *s = c->s;
    const struct linked_func *cf = &s->p->funcs.at[c->callee];

    if (!s->recording) /* no world becomes another by what its callee needs */
        return;
    if (!c->again) {
        instantiate_begin(s);
        map64_clear(&s->spared);
    }
    for (uint32_t i = 0; i < c->sum->n_requirements && !c->once; i++) {
        const struct requirement *r = &c->sum->requirements[i];
        const term lock = instantiate_again(s, w, r->lock, c->args, c->n_args);
        if (lock && r->reason == REQUIRED_BY_RELEASE)
            check_given_up(c, w, r, lock);
        else if (lock)
            check_requirement(s, w, r, c->callee, lock,
                              r->object ? instantiate_again(s, w, r->object, c->args, c->n_args) : 0,
                              c->ev->loc);
    }
    for (uint32_t i = 0; i < c->sum->n_inner; i++) {
        const struct inner_lock *in = &c->sum->inner[i];
        const term lock = instantiate_again(s, w, in->lock, c->args, c->n_args);
        struct held *h = lock ? world_held(w, lock) : NULL;
        struct inner_lock own = *in;
        bool sure = c->sure;
        if (!lock)
            continue;
        const enum takes takes = inner_conditions(c, w, in, &own);
        if (takes == TAKES_NOT)
            continue;
        if (cf->defined && (takes == TAKES_IF || own.n_when) && sure &&
            is_taken_twice(s, h, lock, in->shared) && may_take(c, w, h, in))
            report_double(c, h, lock, in->shared, DETAIL_OPEN, &in->site, in->lock, 0);
        if (takes == TAKES_IF && (!sure || !asked_of_held(c, w, in)))
            continue;
        if (!sure && !own.n_when)
            sure = !some_target_spares(c, w, lock);
        if (cf->defined && takes == TAKES && !own.n_when && is_taken_twice(s, h, lock, in->shared) &&
            (sure || any_of_tables(c, w)))
            report_double(c, h, lock, in->shared, sure ? DETAIL_IN_CALLEE : DETAIL_MAY, &in->site, in->lock,
                          0);
        if (!h)
            order_wait(s, without_given_up(c, w, in), c->sum, lock, in->shared,
                       cf->defined ? in->site : (struct site){0, 0}, c->event, c->callee, in);
        if (takes == TAKES && sure && !h && (own.lock = to_path(s, NULL, lock, 0))) {
            own.depth = cf->defined ? in->depth + 1 : 0;
            own.via = cf->defined ? c->event : 0;
            own.via_callee = cf->defined ? c->callee : 0;
            own.via_lock = cf->defined ? in->lock : 0;
            given_up_below(c, w, in, &own);
            if (!cf->defined)
                own.site = (struct site){s->func, c->ev->loc};
            note_inner(s, w, &own);
        }
    }
    order_call(s, w, c->event, c->callee, c->sum, c->args, c->n_args);
    check_suspends(c, w);
}

void check_callbacks(struct call *c, struct world *w, const struct call_edge *edges, uint32_t n) {
    struct call run = *c;
    uint32_t n_callbacks = 0;

    for (uint32_t i = 0; i < n; i++)
        n_callbacks += edges[i].callback;
    if (!n_callbacks)
        return;
    run.args =
        arena_array(&c->s->scratch, term, c->ev->args.count + 1); /* what it is called with is not known */
    run.n_args = 0;
    run.callback = true;
    run.sure = n_callbacks == 1;
    for (uint32_t i = 0; i < n; i++) {
        const struct summary *sum = c->s->p->funcs.at[edges[i].callee].summary;
        if (!edges[i].callback) {
            const struct model_function *m = c->s->p->funcs.at[edges[i].callee].model;
            for (uint32_t k = 0; m && k < m->n_effects; k++)
                run.once |= m->effects[k].kind == MODEL_ONCE;
        } else if (sum) {
            run.callee = edges[i].callee;
            run.sum = sum;
            check_needs(&run, w);
            memory_effects(&run, w);
        }
    }
}
