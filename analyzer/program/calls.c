/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a call does to a world: only what the callee's summary says.
 * Stands on solver.h. A call with several outcomes (a trylock, a function that may fail) splits the world. */
#include "calls.h"
#include "habits.h"

#include <string.h>

static void put_result(struct call *c, struct world *w, term result) {
    struct solver *s = c->s;
    term at;

    if (!c->ev->a)
        return;
    at = eval_place(s, w, c->ev->a, c->event);
    if (type_struct(s->u, s->u->exprs[c->ev->a].type)) {
        world_forget_object(&s->scratch, &s->t, w, at, c->event);
        return;
    }
    note_hint(s, result, at);
    world_store(&s->scratch, &s->t, w, at, result, c->event);
}

/* Is the cell a member of the struct that the call returns? */
static bool in_result(const struct solver *s, term path) {
    while (term_at(&s->p->paths, path)->op == TERM_FIELD)
        path = term_at(&s->p->paths, path)->a;
    return term_at(&s->p->paths, path)->op == TERM_RESULT;
}

enum { FRESH_LEFT = 16 }; /* of the values born at a call: those that it leaves in places of ours */

static bool acquires(const struct outcome *o, term lock) {
    for (uint32_t i = 0; i < o->n_effects; i++)
        if (o->effects[i].kind == EFFECT_ACQUIRE && o->effects[i].lock == lock)
            return true;
    return false;
}

static bool releases(const struct outcome *o, term lock) {
    for (uint32_t i = 0; i < o->n_effects; i++)
        if (o->effects[i].kind == EFFECT_RELEASE && o->effects[i].lock == lock)
            return true;
    return false;
}

static bool every_outcome_releases(const struct summary *sum, term lock) {
    for (uint32_t i = 0; i < sum->n_outcomes; i++)
        if (!releases(&sum->outcomes[i], lock))
            return false;
    return true;
}

/* Is precondition i of the outcome, whose value is `value` here, not known to hold? */
static bool is_open(const struct solver *s, const struct world *w, const struct outcome *o, uint32_t i,
                    term value) {
    const struct range known = value ? world_range(&s->t, w, value) : RANGE_ALL;

    return !range_equal(range_meet(known, o->when[i].range), known);
}

/* Does it hang on something not known here, by which h may have been taken, too, whether the call comes back so? */
static bool is_doubtful(const struct solver *s, const struct world *w, const struct outcome *o,
                        const term *when, const struct held *h) {
    for (uint32_t i = 0; i < o->n_when; i++)
        if (is_open(s, w, o, i, when[i]) && may_go_with_lock(s, o->when[i].of, h))
            return true;
    return false;
}

/* Locks that the callee gives up when it comes back another way, which the result does not tell: whether they are held now is not
 * known. `when` are the values of all outcomes' preconditions. */
static void doubt_unreleased(struct call *c, struct world *w, const struct outcome *o, const term *when,
                             term result) {
    const struct outcome *all = c->sum->outcomes;

    for (uint32_t k = 0; k < c->sum->n_outcomes; k++)
        for (uint32_t i = 0; i < all[k].n_effects; i++) {
            const struct lock_effect *e = &all[k].effects[i];
            const term lock = e->kind == EFFECT_RELEASE && !releases(o, e->lock)
                                  ? instantiate(c->s, w, e->lock, c->args, c->n_args, result)
                                  : 0;
            const struct held *h = lock ? held_by_name(c->s, w, lock) : NULL;
            if (h && ((o->n_when && is_doubtful(c->s, w, o, when + (o - all) * 8, h)) ||
                      (!range_is_empty(range_meet(o->result, all[k].result)) &&
                       is_doubtful(c->s, w, &all[k], when + k * 8, h))))
                release_maybe(c->s, w, lock, 0);
        }
}

/* One outcome: false when it cannot be in this world. `when` are the preconditions' values, of all outcomes, taken before the call. */
static bool apply_outcome(struct call *c, struct world *w, const struct outcome *o, const term *when,
                          const term *released, term result) {
    struct solver *s = c->s;
    const term *own = o->n_when ? when + (o - c->sum->outcomes) * 8 : when;
    bool open = false; /* whether it comes back so hangs on what is not known here */

    doubt_unreleased(c, w, o, when, result);
    for (uint32_t i = 0; i < o->n_when; i++) {
        open |= is_open(s, w, o, i, own[i]);
        if (own[i] && !world_narrow(&s->scratch, &s->t, w, own[i], o->when[i].range))
            return false;
    }
    if (result && !world_narrow(&s->scratch, &s->t, w, result, o->result))
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
        e.open = open && !every_outcome_releases(c->sum, e.lock);
        if (e.kind == EFFECT_RELEASE && e.maybe)
            release_maybe(s, w, lock, e.candidate);
        else if (e.kind == EFFECT_RELEASE)
            release_lock(s, w, lock, &e, c->callee, c->event);
        else if (e.kind == EFFECT_ASSERT)
            assert_held(c, w, lock, &e);
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
            failed.as = e->shared ? HELD_SHARED : HELD_EXCLUSIVE;
            failed.count = 1;
            failed.when = result;
            failed.also = e->also;
            failed.in_func = s->func;
            failed.in_loc = c->ev->loc;
            failed.trail = w->trail;
            failed.event = c->event;
            world_note_gone(&s->scratch, w, &failed);
        }
    return true;
}

/* Argument i is kept in what the arguments point to. Is that an object which the guarded data links, as a list does? */
static bool is_linked(const struct call *c, uint32_t i) {
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
static void check_arguments(struct call *c, struct world *w) {
    struct solver *s = c->s;
    const struct linked_func *cf = &s->p->funcs.at[c->callee];

    for (uint32_t i = 0; i < c->ev->args.count && i < 64; i++) {
        ir_expr arg = s->u->expr_refs[c->ev->args.first + i];
        const uint64_t bit = UINT64_C(1) << i;
        ir_type t;
        if (s->recording && c->args[i] && s->t.recs[c->args[i]].op == TERM_FIELD)
            habit_access(s, w, c->args[i], true, s->u->exprs[arg].loc ? s->u->exprs[arg].loc : c->ev->loc);
        if (!c->args[i] ||
            !term_is_place(&s->t, c->args[i]) + !(c->sum->reads & bit || c->sum->writes & bit) == 2)
            continue;
        arg = ir_uncast(s->u, arg);
        t = type_plain(s->u, s->u->exprs[arg].type);
        t = s->u->types[t].kind == IR_T_POINTER ? s->u->types[t].elem : 0;
        const ir_loc loc = s->u->exprs[arg].loc ? s->u->exprs[arg].loc : c->ev->loc;
        if (!cf->defined && c->sum->known && c->sum->writes & bit)
            check_access(s, w, c->args[i], t, type_struct(s->u, t) ? ACCESS_COPY_TO : ACCESS_WRITE, loc);
        else if (!cf->defined && c->sum->known && c->sum->reads & bit)
            check_access(s, w, c->args[i], t, type_struct(s->u, t) ? ACCESS_COPY_FROM : ACCESS_READ, loc);
        else if ((!c->sum->known || c->sum->writes & bit) && s->u->exprs[arg].op == IR_E_ADDR)
            check_access(s, w, c->args[i], 0, ACCESS_ADDRESS, loc);
        if (c->sum->known && (c->sum->writes | c->sum->reads) & bit)
            check_pointee(s, w, arg, (c->sum->writes & bit) != 0, c->event, loc);
        if (c->sum->known ? c->sum->leaves & bit || (c->sum->escapes & bit && !is_linked(c, i))
                          : s->p->options.level > 1) /* what is not in sight may keep it; most do not */
            check_escape(s, w, c->args[i], 0, c->sum->known ? DETAIL_PASSED : DETAIL_PASSED_ON, loc);
    }
}

static bool has_effects(const struct summary *sum) {
    for (uint32_t i = 0; i < sum->n_outcomes; i++)
        if (sum->outcomes[i].n_effects)
            return true;
    return false;
}

static void note_decisive(struct solver *s, const struct summary *sum, const term *when) {
    const bool locks = has_effects(sum);

    for (uint32_t i = 0; locks && i < sum->n_outcomes; i++)
        for (uint32_t k = 0; k < sum->outcomes[i].n_when && k < 8; k++)
            if (when[i * 8 + k] && !listed(s->decisive.at, s->decisive.n, when[i * 8 + k]))
                vec_push(&s->decisive, when[i * 8 + k]);
}

/* What the outcome leaves in places of ours. at: the place, and what it held before, of each. */
static void leave_values(struct call *c, struct world *w, const struct outcome *o, term (*at)[2]) {
    struct solver *s = c->s;

    for (uint32_t i = 0; i < o->n_left; i++) {
        const struct left_value *left = &o->left[i];
        term value = at[i][1];
        if (!at[i][0])
            continue;
        if (!left->kept) {
            value = left->range.lo == left->range.hi
                        ? term_const(&s->t, left->range.lo)
                        : term_make(&s->t, TERM_FRESH, c->event, FRESH_LEFT + i, 0);
            (void)world_narrow(&s->scratch, &s->t, w, value, left->range);
            note_hint(s, value, at[i][0]);
        }
        world_store(&s->scratch, &s->t, w, at[i][0], value, c->event);
    }
}

/* May a call of it with such arguments be taken to give the same again: a hash, an index, a look into a table? */
static bool hangs_on_arguments(const struct call *c, const struct summary *sum) {
    const struct ir_expr_rec *to = &c->s->u->exprs[c->ev->a];

    return c->sure && c->ev->a && !(c->ev->flags & IR_SF_UNUSED) && c->n_args &&
           c->n_args <= TERM_CALL_ARGS && !sum->fresh && !sum->mods && !sum->writes && !has_effects(sum) &&
           (sum->known || c->s->u->types[type_plain(c->s->u, to->type)].kind == IR_T_INT);
}

static void apply(struct call *c, struct world *w) {
    struct solver *s = c->s;
    const struct summary *sum = c->sum;
    const struct outcome plain = {.result = RANGE_ALL};
    const bool split = sum->n_outcomes && (s->now.n <= MAX_WORLDS ||
                                           has_effects(sum)); /* a row of strchr() doubles them each time */
    const uint32_t n = split ? sum->n_outcomes : 1;
    const term whole =
        c->ev->a && type_struct(s->u, s->u->exprs[c->ev->a].type) ? eval_place(s, w, c->ev->a, c->event) : 0;
    term result = 0, *when = arena_array(&s->scratch, term, (sum->n_outcomes + 1) * 8), stored[MAX_STORES][2];
    term *released = arena_array(&s->scratch, term, (sum->n_outcomes + 1) * MAX_EFFECTS);
    term(*left)[2] = arena_alloc(&s->scratch, (sum->n_outcomes + 1) * MAX_LEFT * sizeof *left);
    int64_t null;

    for (uint32_t i = 0; i < sum->n_outcomes; i++)
        for (uint32_t k = 0; k < sum->outcomes[i].n_when && k < 8; k++)
            when[i * 8 + k] = instantiate(s, w, sum->outcomes[i].when[k].of, c->args, c->n_args, 0);
    note_decisive(s, sum, when);
    check_arguments(c, w);
    check_needs(c, w);
    for (uint32_t i = 0; i < sum->n_waits; i++)
        wait_condition(c, w, &sum->waits[i]);
    if (sum->returns && (split || !sum->n_outcomes))
        result = instantiate(s, w, sum->returns, c->args, c->n_args, 0);
    if (result && n > 1 && term_is_const(&s->t, result, &null) && !null)
        result = 0; /* strtok_r(NULL, …), getcwd(NULL, 0): what comes back is not the argument */
    if (!result && !split)
        result = predicate_result(c, w);
    for (uint32_t i = 0; i < sum->n_stores; i++) { /* said of memory before the call */
        stored[i][0] = instantiate(s, w, sum->stores[i].at, c->args, c->n_args, whole);
        stored[i][1] = instantiate(s, w, sum->stores[i].value, c->args, c->n_args, 0);
    }
    for (uint32_t i = 0; i < sum->n_outcomes;
         i++) /* a guard forgets its lock when it releases it: which one is said before */
        for (uint32_t k = 0; k < sum->outcomes[i].n_effects && k < MAX_EFFECTS; k++)
            if (sum->outcomes[i].effects[k].kind == EFFECT_RELEASE)
                released[i * MAX_EFFECTS + k] =
                    instantiate(s, w, sum->outcomes[i].effects[k].lock, c->args, c->n_args, 0);
    for (uint32_t i = 0; split && i < n; i++)
        for (uint32_t k = 0; k < sum->outcomes[i].n_left; k++) {
            const term at = instantiate(s, w, sum->outcomes[i].left[k].at, c->args, c->n_args, 0);
            left[i * MAX_LEFT + k][0] = at;
            left[i * MAX_LEFT + k][1] = at ? world_load(&s->t, w, at) : 0;
        }
    memory_effects(c, w);
    if (sum->never_returns)
        return;
    for (uint32_t i = 0; i < sum->n_stores; i++)
        if (stored[i][0] && stored[i][1] && !in_result(s, sum->stores[i].at))
            world_store(&s->scratch, &s->t, w, stored[i][0], stored[i][1], c->event);
    if (!result) {
        result = term_make(&s->t, TERM_FRESH, c->event, 0, sum->fresh ? TERM_ALLOCATED : 0);
        if (hangs_on_arguments(c, sum))
            term_note_call(&s->t, c->event, c->callee, c->args, c->n_args);
    }
    if (sum->fresh)
        world_own(&s->scratch, w, result);
    for (uint32_t i = 0; i < n; i++) {
        struct world *out = i + 1 < n ? world_copy(&s->scratch, w) : w;
        const struct outcome *o = split ? &sum->outcomes[i] : &plain;
        /* A try that returns its lock returns NULL where it failed. */
        const bool none = sum->returns && range_equal(o->result, range_of(0));
        const term back = none ? term_const(&s->t, 0) : result;
        leave_values(c, out, o, left + i * MAX_LEFT); /* first: what is taken may be named by what was left */
        if (!apply_outcome(c, out, o, when, released + i * MAX_EFFECTS, back))
            continue;
        put_result(c, out, back);
        for (uint32_t k = 0; k < sum->n_stores; k++)
            if (stored[k][0] && stored[k][1] && in_result(s, sum->stores[k].at))
                world_store(&s->scratch, &s->t, out, stored[k][0], stored[k][1], c->event);
        vec_push(&s->next, out);
    }
}

static bool same_effects(const struct summary *a, const struct summary *b) {
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

static const struct summary unknown;

/* What the functions need that the call may run, all in the world before it, then what they do to memory; but for one, whose turn comes
 * later. */
static void apply_targets(const struct call *c, struct world *w, const struct call_edge *edges, uint32_t n,
                          uint32_t but) {
    struct call each = *c;

    for (int effects = 0; effects < 2; effects++)
        for (uint32_t i = 0; i < n; i++) {
            if (edges[i].callback || edges[i].callee == but)
                continue;
            each.callee = edges[i].callee;
            each.sum = c->s->p->funcs.at[each.callee].summary;
            if (!each.sum)
                each.sum = &unknown;
            if (effects) {
                memory_effects(&each, w);
            } else {
                check_needs(&each, w);
                each.again = true;
            }
        }
}

void transfer_call(struct solver *s, struct world *w, ir_event e) {
    const struct ir_event_rec *ev = &s->u->events[e];
    term *args = arena_array(&s->scratch, term, ev->args.count + 1);
    uint32_t n, real = 0;
    const struct call_edge *edges = program_calls(s->p, s->func, e, &n);
    struct call c = {.s = s, .event = e, .ev = ev, .args = args, .n_args = ev->args.count, .sum = &unknown};
    bool agree = true;

    for (uint32_t i = 0; i < ev->args.count; i++)
        args[i] = eval(s, w, s->u->expr_refs[ev->args.first + i], e);
    if (s->recording)
        habit_call(s, w, e, args);
    if (s->u->exprs[ev->b].op != IR_E_FUNC) {
        const struct summary *said;
        ir_expr object;
        const term pointer = eval(s, w, ev->b, e); /* first: the table moves as it grows */
        const struct term_rec to = s->t.recs[pointer];
        for (uint32_t i = 0; to.op == TERM_FUNC && i < n; i++)
            if (edges[i].callee == to.a && !edges[i].callback) { /* on this way the pointer is known */
                edges = &edges[i];
                n = 1;
            }
        said = summary_of_call(s->p, s->func, ev, &object);
        if (said) { /* whatever it points to has promised this */
            term *more = arena_array(&s->scratch, term, OBJECT_PARAM + 1);
            memcpy(more, args,
                   (ev->args.count < OBJECT_PARAM ? ev->args.count : OBJECT_PARAM) * sizeof *more);
            more[OBJECT_PARAM] = object ? eval_place(s, w, object, e) : 0;
            c.args = more;
            c.n_args = OBJECT_PARAM + 1;
            c.sum = said;
            c.sure = n == 1;
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
    c.sure = real == 1;
    check_callbacks(&c, w, edges, n);
    if (real <= 1 || agree) {
        if (real > 1)
            apply_targets(&c, w, edges, n, c.callee);
        apply(&c, w);
        return;
    }
    apply_targets(&c, w, edges, n,
                  0); /* they differ: what each needs is checked, what each takes is not known */
    put_result(&c, w, term_make(&s->t, TERM_FRESH, e, 0, 0));
    vec_push(&s->next, w);
}
