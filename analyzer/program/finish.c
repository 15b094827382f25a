/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Makes a solved function's summary of what its returns look like, and its candidates: wrapper or mistake?
 * Stands on solver.h; judge.c decides the candidates when every caller has been seen. */
#include "solver.h"

#include <string.h>

static bool is_param(const struct solver *s, uint32_t var, uint32_t *index)
{
    *index = var - s->fr->params.first;
    return s->fr->params.count && var >= s->fr->params.first && *index < s->fr->params.count;
}

term to_path(struct solver *s, const struct world *w, term x, term result)
{
    const struct term_rec r = s->t.recs[x];
    struct term_table *paths = &s->p->paths;
    uint32_t index;
    term a = 0, b = 0, out = 0;

    switch (r.op) {
    case TERM_CONST: case TERM_FUNC: case TERM_GLOBAL: case TERM_TOKEN: return term_make(paths, r.op, r.a, r.b, r.c);
    case TERM_LOCAL: return 0;
    case TERM_FIELD:
        a = to_path(s, w, r.a, result);
        return a ? term_make(paths, TERM_FIELD, a, r.b, 0) : 0;
    case TERM_INDEX:
        a = to_path(s, w, r.a, result);
        b = r.b ? to_path(s, w, r.b, result) : 0;
        return a && (b || !r.b) ? term_make(paths, TERM_INDEX, a, b, 0) : 0;
    case TERM_UNARY:
        a = to_path(s, w, r.a, result);
        return a ? term_make(paths, TERM_UNARY, a, r.b, 0) : 0;
    case TERM_BINARY:
        a = to_path(s, w, r.a, result);
        b = a ? to_path(s, w, r.b, result) : 0;
        return a && b ? term_make(paths, TERM_BINARY, a, b, r.c) : 0;
    case TERM_LOAD:
        if (s->t.recs[r.a].op == TERM_LOCAL) {
            if (!r.b && is_param(s, s->t.recs[r.a].a, &index))
                return term_make(paths, TERM_PARAM, index, 0, 0);
        } else if ((a = to_path(s, w, r.a, result))) {
            out = term_make(paths, TERM_LOAD, a, 0, 0);
        }
        break;
    case TERM_SOME: return 0;
    default: break;
    }
    if (!out && result && x == result)
        return term_make(paths, TERM_RESULT, 0, 0, 0);
    for (uint32_t i = 0; w && !out && i < w->n_cells; i++) { /* left in a place that callers know */
        if (w->cells[i].value != x || s->t.recs[w->cells[i].at].op == TERM_LOCAL || term_mentions(&s->t, w->cells[i].at, x))
            continue;
        a = to_path(s, NULL, w->cells[i].at, 0);
        if (a)
            out = term_make(paths, TERM_LOAD, a, 0, 0);
    }
    return out;
}

/* ---- guarded accesses ---- */
static bool retired(const struct solver *s, term object)
{
    for (;;) {
        for (size_t i = 0; i < s->retired.n; i++)
            if (s->retired.at[i] == object)
                return true;
        if (s->t.recs[object].op != TERM_FIELD && s->t.recs[object].op != TERM_INDEX)
            return false;
        object = s->t.recs[object].a;
    }
}

static bool takes_itself(const struct solver *s, term lock)
{
    for (size_t i = 0; i < s->taken.n; i++)
        if (term_same_shape(&s->t, s->taken.at[i], lock))
            return true;
    return false;
}

static void settle_accesses(struct solver *s)
{
    const bool defers = defers_to_callers(s);

    for (size_t i = 0; i < s->pending.n; i++)
        s->p->locks->problems.at[s->pending.at[i].problem].dropped = true;
    for (size_t i = 0; i < s->pending.n; i++) {
        struct pending_access *a = &s->pending.at[i];
        bool known = false;
        if (a->r.reason == REQUIRED_BY_ACCESS && a->object && retired(s, a->object))
            continue;
        if (!defers || a->here || takes_itself(s, a->lock)) {
            s->p->locks->problems.at[a->problem].dropped = s->lf->unchecked;
            continue;
        }
        for (size_t k = 0; k < s->requirements.n; k++)
            known |= s->requirements.at[k].lock == a->r.lock && s->requirements.at[k].write >= a->r.write &&
                     s->requirements.at[k].reason == a->r.reason;
        if (!known && s->requirements.n < 24 && !s->lf->unchecked)
            vec_push(&s->requirements, a->r);
    }
}

static struct unlock_seen *unlock_of(struct solver *s, const struct held *h)
{
    for (size_t i = 0; i < s->unlocks.n; i++)
        if (s->unlocks.at[i].event == h->event && term_same_shape(&s->t, s->unlocks.at[i].lock, h->lock))
            return &s->unlocks.at[i];
    return NULL;
}

/* Unlocks that find the lock held on some ways only. */
static void settle_unlocks(struct solver *s)
{
    for (size_t i = 0; i < s->unlocks.n; i++) {
        struct unlock_seen *u = &s->unlocks.at[i];
        struct lock_problem *pr = &s->p->locks->problems.at[u->problem];
        if (!u->unheld || !u->problem)
            continue;
        if (u->held) {
            if (u->candidate) { /* no doubt, so nothing to judge */
                struct candidate *c = &s->p->locks->candidates.at[u->candidate];
                vec_clear(&c->problems);
                c->paired = true;
            }
            pr->kind = PROBLEM_MISMATCH;
            pr->detail = DETAIL_AT_UNLOCK;
            pr->candidate = 0;
            pr->dropped = s->lf->unchecked;
        } else if (u->candidate) {
            pr->dropped = true; /* until judged */
        }
    }
}

/* ---- condition waits ---- */
static bool released_between(const struct solver *s, uint32_t block, ir_event after, ir_event before, term lock)
{
    for (size_t i = 0; i < s->unlocks.n; i++) {
        const struct unlock_seen *u = &s->unlocks.at[i];
        if (u->held && u->event > after && u->event < before && s->event_block[u->event - s->first_event] == block &&
            term_same_shape(&s->t, u->lock, lock))
            return true;
    }
    return false;
}

/* Does a way lead back to the wait with the lock held all along, so that the condition can be tested again? */
static bool in_loop(struct solver *s, const struct wait_seen *w)
{
    const uint32_t home = s->event_block[w->event - s->first_event];
    uint32_t *stack = arena_array(&s->arena, uint32_t, s->n_blocks + 1), n = 0;
    bool *seen = arena_array(&s->arena, bool, s->n_blocks);

    if (released_between(s, home, w->event, UINT32_MAX, w->lock))
        return false;
    stack[n++] = home;
    while (n) {
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + stack[--n]];
        for (uint32_t i = 0; i < b->succs.count; i++) {
            const uint32_t to = s->u->succs[b->succs.first + i].block - s->fr->blocks.first;
            if (to == home && !released_between(s, home, 0, w->event, w->lock))
                return true;
            if (to == home || seen[to] || released_between(s, to, 0, UINT32_MAX, w->lock))
                continue;
            seen[to] = true;
            stack[n++] = to;
        }
    }
    return false;
}

static void settle_waits(struct solver *s)
{
    for (size_t i = 0; i < s->waits_seen.n; i++) {
        const struct wait_seen *w = &s->waits_seen.at[i];
        const bool looped = w->excused || in_loop(s, w);
        const ir_loc at = s->u->events[w->event].loc;
        struct lock_problem *pr;
        if (w->up && term_at(&s->p->paths, s->waits.at[w->up - 1].condition)->op != TERM_PARAM)
            s->waits.at[w->up - 1].looped |= looped; /* a plain wrapper's loop can test nothing but the time */
        if (w->judged && class_known(term_class(&s->t, w->condition)) && class_known(term_class(&s->t, w->lock)))
            vec_push(&s->p->locks->waits,
                     ((struct wait_fact){term_class(&s->t, w->condition), term_class(&s->t, w->lock), s->func, at,
                                         print_place(s, w->condition), print_place(s, w->lock)}));
        if (!w->judged || looped)
            continue;
        pr = problem_new(s, PROBLEM_WAIT, DETAIL_NO_LOOP, at, w->condition, NULL);
        if (pr) {
            pr->data = pr->lock;
            pr->lock = print_place(s, w->lock);
        }
    }
}

/* ---- contracts ---- */
struct promise {
    uint32_t kind; /* annotation */
    term lock;
    const struct lock_path *path; /* of the result: resolved at each return */
    struct result_when when;
    ir_loc loc;
    const char *text;
};

struct return_loader {
    struct solver *s;
    const struct world *w;
    term value;
};

static term load_return(void *data, term at)
{
    struct return_loader *l = data;
    const struct term_rec r = l->s->t.recs[at];

    if (r.op == TERM_LOCAL && r.a == UINT32_MAX)
        return l->value;
    if (r.op == TERM_LOCAL)
        return term_make(&l->s->t, TERM_LOAD, at, 0, 0);
    return world_load(&l->s->t, l->w, at);
}

static term promised_lock(struct solver *s, const struct lock_path *path, const struct exit_record *x)
{
    struct return_loader l = {s, x->w, x->value};
    term root;

    switch (path->root) {
    case LOCK_AT_PARAM: root = term_make(&s->t, TERM_LOCAL, s->fr->params.first + path->index, 0, 0); break;
    case LOCK_AT_RESULT: root = x->value ? term_make(&s->t, TERM_LOCAL, UINT32_MAX, 0, 0) : 0; break;
    case LOCK_AT_VAR:
        root = s->lu->globals[path->var] ? term_make(&s->t, TERM_GLOBAL, s->lu->globals[path->var], 0, 0) : 0;
        break;
    case LOCK_AT_TOKEN: return term_make(&s->t, TERM_TOKEN, intern_string(&s->p->names, path->name), 0, 0);
    default: return 0;
    }
    return root ? lock_path_term(s->p, &s->t, path, root, load_return, &l) : 0;
}

static void broken(struct solver *s, enum lock_problem_detail detail, const struct exit_record *x, term lock,
                   const struct promise *p)
{
    struct lock_problem *pr =
        problem_new(s, PROBLEM_CONTRACT, detail, x->loc ? x->loc : s->fr->body_end, lock, NULL);

    if (!pr)
        return;
    pr->data = s->lf->name;
    problem_trail(s, pr, NULL, x->w->trail);
    problem_story(s, pr, STORY_CONTRACT, s->u, p->loc, p->text);
}

static bool within(struct range inner, struct range outer)
{
    return range_equal(range_meet(inner, outer), inner);
}

/* Does the function implement a lock of the program's own, by atomics and parking, and not by calling locks? */
static bool implements(const struct solver *s, const struct promise *p, term lock)
{
    const struct unit *u = p->path->type_unit;

    if (!p->path->type || !p->path->type_unit || takes_itself(s, lock))
        return false;
    for (size_t i = 0; i < s->unlocks.n; i++)
        if (term_same_shape(&s->t, s->unlocks.at[i].lock, lock))
            return false;
    for (ir_type t = p->path->type; t; t = u->types[t].elem) { /* a lock type that the program declares itself */
        for (uint32_t i = 0; i < u->types[t].annots.count; i++) {
            const uint32_t kind = u->annots[u->types[t].annots.first + i].kind;
            if (kind == IR_A_lock_type || kind == IR_A_async_lock_type)
                return true;
        }
        if (u->types[t].kind != IR_T_TYPEDEF && u->types[t].kind != IR_T_QUALIFIED)
            break;
    }
    return false;
}

static void check_promise(struct solver *s, const struct promise *p, struct exit_record *x)
{
    static const uint8_t op[] = {0, IR_B_EQ, IR_B_NE, IR_B_LT, IR_B_LE, IR_B_GT, IR_B_GE};
    const term lock = promised_lock(s, p->path, x);
    struct held *h = lock ? world_held_like(x->w, &s->t, lock) : NULL;
    const bool held = h && h->mode != HELD_RELEASED;

    if (p->kind == IR_A_returns_lock) {
        if (lock && x->value && term_is_place(&s->t, x->value) && !term_same_shape(&s->t, lock, x->value))
            broken(s, DETAIL_OTHER_INSTANCE, x, lock, p);
        return;
    }
    if (!lock || x->w->failed || (h && h->flags & HELD_MAYBE) || implements(s, p, lock))
        return;
    switch (p->kind) {
    case IR_A_acquires: case IR_A_acquires_shared:
        if (!held)
            broken(s, DETAIL_NOT_ACQUIRED, x, lock, p);
        break;
    case IR_A_releases:
        if (held)
            broken(s, DETAIL_NOT_RELEASED, x, lock, p);
        break;
    case IR_A_requires: case IR_A_requires_shared:
        if (h && !held)
            broken(s, DETAIL_LOST, x, lock, p);
        break;
    case IR_A_try_acquires: case IR_A_try_acquires_shared: {
        const struct range got = x->value ? world_range(&s->t, x->w, x->value) : RANGE_ALL;
        const struct range good = range_when(op[p->when.test], p->when.value);
        if (p->when.test == RESULT_ANY)
            break;
        if (!held && within(got, good))
            broken(s, DETAIL_NOT_ACQUIRED, x, lock, p);
        if (held && range_is_empty(range_meet(got, good)))
            broken(s, DETAIL_STILL_HELD, x, lock, p);
        break;
    }
    default: break;
    }
    if (h && p->kind != IR_A_requires && p->kind != IR_A_requires_shared)
        h->flags |= HELD_ENTRY; /* spoken for: no leak, no inferred effect */
}

static void check_contract(struct solver *s)
{
    for (uint32_t i = 0; i < s->fr->annots.count; i++) {
        const struct ir_annot_rec *a = &s->u->annots[s->fr->annots.first + i];
        struct lock_context context = lock_context_of(s->u, LOCK_IN_FUNCTION, s->lf->func);
        struct lock_list list = {NULL, 0, {RESULT_ANY, 0}};
        const char *why;
        switch (a->kind) {
        case IR_A_acquires: case IR_A_acquires_shared: case IR_A_releases: case IR_A_requires: case IR_A_requires_shared:
        case IR_A_try_acquires: case IR_A_try_acquires_shared: case IR_A_returns_lock: break;
        default: continue;
        }
        if (s->p->options.whole) {
            context.complete = program_complete;
            context.data = s->p;
        }
        if (lock_expr_annotation(&context, &s->arena, a, &list, &why) != LOCK_RESOLVED)
            continue;
        for (uint32_t k = 0; k < list.n_paths; k++) {
            const struct promise p = {a->kind, 0, &list.paths[k], list.when, a->loc,
                                      arena_strdup(&s->p->arena, list.paths[k].text ? list.paths[k].text : "")};
            for (size_t x = 0; x < s->exits.n; x++)
                check_promise(s, &p, &s->exits.at[x]);
        }
    }
}

/* ---- returns ---- */
static bool counts(const struct solver *s, const struct held *h)
{
    return (h->mode == HELD_EXCLUSIVE || h->mode == HELD_SHARED) && !(h->flags & (HELD_ENTRY | HELD_MAYBE)) &&
           s->t.recs[h->lock].op != TERM_SOME;
}

static struct range result_range(const struct solver *s, const struct exit_record *x)
{
    return x->value ? world_range(&s->t, x->w, x->value) : RANGE_ALL;
}

/* Can a caller tell these two returns apart? By the result, or by what was so before the call. */
static bool told_apart(const struct solver *s, const struct exit_record *x, const struct exit_record *y)
{
    if (range_is_empty(range_meet(result_range(s, x), result_range(s, y))))
        return true;
    for (uint32_t i = 0; i < x->w->n_facts; i++) {
        const struct fact f = x->w->facts[i];
        if (range_is_empty(range_meet(f.range, world_range(&s->t, y->w, f.of))) && s->t.recs[f.of].op != TERM_FRESH &&
            s->t.recs[f.of].op != TERM_PHI && to_path((struct solver *)(uintptr_t)s, NULL, f.of, 0))
            return true;
    }
    return false;
}

static void report_leaks(struct solver *s, term lock, uint32_t candidate, enum lock_problem_kind kind)
{
    uint32_t said = 0, number;

    for (size_t i = 0; i < s->exits.n && said < 4; i++) {
        const struct exit_record *x = &s->exits.at[i];
        const struct held *h = world_held(x->w, lock);
        struct lock_problem *pr;
        if (!h || !counts(s, h))
            continue;
        pr = problem_new(s, kind, kind == PROBLEM_MISMATCH ? DETAIL_AT_RETURN : DETAIL_NONE, x->loc ? x->loc : s->fr->body_end,
                         lock, &number);
        if (!pr)
            continue;
        said++;
        pr->data = s->lf->name;
        problem_taken(s, pr, h);
        problem_trail(s, pr, h->trail, x->w->trail);
        if (candidate) {
            pr->candidate = candidate;
            pr->dropped = true;
            vec_push(&s->p->locks->candidates.at[candidate].problems, number);
        }
    }
}

static void settle_lock(struct solver *s, term lock, const struct held *held)
{
    const term path = to_path(s, NULL, lock, 0);
    bool every = true, mixed = false, apart = true, returns_it = false;
    uint32_t c;

    for (size_t i = 0; i < s->exits.n; i++) {
        const struct exit_record *x = &s->exits.at[i];
        const struct held *h = world_held(x->w, lock);
        if (h && counts(s, h)) {
            if (x->value && to_path(s, x->w, lock, x->value))
                returns_it = true;
            for (size_t k = 0; k < s->exits.n; k++) {
                const struct exit_record *y = &s->exits.at[k];
                const struct held *g = world_held(y->w, lock);
                if (!y->w->failed && !(g && (counts(s, g) || g->flags & HELD_MAYBE)) && !told_apart(s, x, y))
                    apart = false;
            }
            continue;
        }
        if (x->w->failed || (h && h->flags & HELD_MAYBE))
            continue;
        every = false;
    }
    for (size_t i = 0; !every && i < s->unlocks.n; i++)
        mixed |= s->unlocks.at[i].held && term_same_shape(&s->t, s->unlocks.at[i].lock, lock);
    c = candidate_new(s, CANDIDATE_HELD_ON_RETURN, path, term_class(&s->t, lock), held->candidate);
    if (mixed && !apart) { /* no caller could know: no doubt, and no effect on callers */
        s->p->locks->candidates.at[c].condemned = true;
        report_leaks(s, lock, c, PROBLEM_LEAK);
        return;
    }
    s->p->locks->candidates.at[c].mixed |= mixed;
    s->p->locks->candidates.at[c].every_return |= every;
    s->p->locks->candidates.at[c].reachable |= path || returns_it;
    report_leaks(s, lock, c, every || apart ? PROBLEM_LEAK : PROBLEM_MISMATCH);
}

static void settle_returns(struct solver *s)
{
    VEC(term) done = {NULL, 0, 0};

    for (size_t i = 0; i < s->exits.n; i++)
        for (uint32_t k = 0; k < s->exits.at[i].w->n_held; k++) {
            const struct held *h = &s->exits.at[i].w->held[k];
            bool seen = !counts(s, h);
            for (size_t j = 0; j < done.n; j++)
                seen |= done.at[j] == h->lock;
            if (seen)
                continue;
            vec_push(&done, h->lock);
            settle_lock(s, h->lock, h);
        }
    vec_free(&done);
}

/* ---- outcomes ---- */
struct cluster {
    struct lock_effect effects[MAX_EFFECTS];
    uint32_t n;
    struct range result;
    const struct exit_record *first;
    uint32_t n_exits;
};

static void soften(struct solver *s, struct lock_effect *e, const struct held *h, const struct exit_record *x)
{
    const struct term_rec r = s->t.recs[x->value];
    int64_t v;

    if (!h->when || !x->value)
        return;
    if (x->value == h->when) {
        e->soft = true;
        e->ok = h->ok;
    } else if (r.op == TERM_BINARY && r.a == h->when && term_is_const(&s->t, r.b, &v) && v == 0 && h->ok.lo == 0 &&
               h->ok.hi == 0 && (r.c == IR_B_EQ || r.c == IR_B_NE)) {
        e->soft = true;
        e->ok = range_of(r.c == IR_B_EQ);
    }
}

static void effects_at(struct solver *s, const struct exit_record *x, struct cluster *c)
{
    for (uint32_t i = 0; i < x->w->n_held && c->n < MAX_EFFECTS; i++) {
        const struct held *h = &x->w->held[i];
        struct lock_effect e;
        struct unlock_seen *u;
        memset(&e, 0, sizeof e);
        e.ok = RANGE_ALL;
        e.site = (struct site){h->in_func, h->in_loc};
        if (!h->in_loc && h->event)
            e.site = (struct site){s->func, s->u->events[h->event].loc};
        if (h->mode == HELD_RELEASED) {
            if (h->flags & HELD_ENTRY)
                continue;
            u = unlock_of(s, h);
            if (u && u->held)
                continue;
            e.kind = EFFECT_RELEASE;
            e.candidate = u ? u->candidate : 0;
        } else if (h->flags & HELD_ENTRY || s->t.recs[h->lock].op == TERM_SOME) {
            continue;
        } else {
            e.kind = EFFECT_ACQUIRE;
            e.shared = h->mode == HELD_SHARED;
            e.async = h->flags & HELD_ASYNC;
            e.maybe = h->flags & HELD_MAYBE;
            soften(s, &e, h, x);
        }
        e.lock = to_path(s, x->w, h->lock, x->value);
        if (!e.lock)
            continue;
        if (e.kind == EFFECT_ACQUIRE)
            e.candidate = candidate_new(s, CANDIDATE_HELD_ON_RETURN, to_path(s, NULL, h->lock, 0), term_class(&s->t, h->lock), h->candidate);
        if (!e.candidate || !s->p->locks->candidates.at[e.candidate].condemned)
            c->effects[c->n++] = e;
    }
}

static bool same_cluster(const struct cluster *a, const struct cluster *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++) {
        bool found = false;
        for (uint32_t k = 0; k < b->n; k++)
            found |= a->effects[i].lock == b->effects[k].lock && a->effects[i].kind == b->effects[k].kind;
        if (!found)
            return false;
    }
    return true;
}

/* Outcomes that callers cannot tell apart become one, its effects uncertain where they differ. */
static void unite(struct cluster *into, const struct cluster *from)
{
    for (uint32_t i = 0; i < into->n; i++) {
        bool found = false;
        for (uint32_t k = 0; k < from->n; k++)
            found |= into->effects[i].lock == from->effects[k].lock && into->effects[i].kind == from->effects[k].kind;
        into->effects[i].maybe |= !found;
    }
    for (uint32_t k = 0; k < from->n; k++) {
        bool found = false;
        for (uint32_t i = 0; i < into->n; i++)
            found |= into->effects[i].lock == from->effects[k].lock && into->effects[i].kind == from->effects[k].kind;
        if (!found && into->n < MAX_EFFECTS) {
            into->effects[into->n] = from->effects[k];
            into->effects[into->n++].maybe = true;
        }
    }
    into->result = range_hull(into->result, from->result);
}

static void preconditions(struct solver *s, const struct exit_record *x, const struct cluster *all, uint32_t n, uint32_t self,
                          struct outcome *o)
{
    struct precondition list[6];

    if (all[self].n_exits != 1)
        return;
    for (uint32_t i = 0; i < x->w->n_facts && o->n_when < 6; i++) {
        const struct fact f = x->w->facts[i];
        bool helps = false;
        term of;
        if (s->t.recs[f.of].op == TERM_PHI || s->t.recs[f.of].op == TERM_FRESH)
            continue;
        for (uint32_t k = 0; k < n; k++)
            helps |= k != self && range_is_empty(range_meet(f.range, world_range(&s->t, all[k].first->w, f.of)));
        of = helps ? to_path(s, NULL, f.of, 0) : 0;
        if (of)
            list[o->n_when++] = (struct precondition){of, f.range};
    }
    if (o->n_when)
        o->when = arena_copy(&s->p->arena, list, o->n_when * sizeof *list);
}

static void make_outcomes(struct solver *s)
{
    struct cluster list[6];
    uint32_t n = 0;
    bool any_failed = false, any_sound = false;
    struct range failed = RANGE_ALL;

    for (size_t i = 0; i < s->exits.n; i++) {
        const struct exit_record *x = &s->exits.at[i];
        if (!x->w->failed) {
            any_sound = true;
            continue;
        }
        failed = any_failed ? range_hull(failed, result_range(s, x)) : result_range(s, x);
        any_failed = true;
    }
    for (size_t i = 0; i < s->exits.n; i++) {
        const struct exit_record *x = &s->exits.at[i];
        struct cluster c;
        uint32_t k;
        memset(&c, 0, sizeof c);
        if (x->w->failed && any_sound)
            continue; /* the lock function itself failed */
        effects_at(s, x, &c);
        c.result = result_range(s, x);
        c.first = x;
        c.n_exits = 1;
        for (k = 0; k < n && !same_cluster(&list[k], &c); k++)
            ;
        if (k < n) {
            list[k].result = range_hull(list[k].result, c.result);
            list[k].n_exits++;
        } else if (n < 6) {
            list[n++] = c;
        } else {
            unite(&list[5], &c);
        }
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = i + 1; k < n;) {
            const bool apart = range_is_empty(range_meet(list[i].result, list[k].result)) ||
                               (list[i].n_exits == 1 && list[k].n_exits == 1 && told_apart(s, list[i].first, list[k].first));
            if (apart) {
                k++;
                continue;
            }
            unite(&list[i], &list[k]);
            list[i].n_exits += list[k].n_exits;
            list[k] = list[--n];
        }
    s->s->n_outcomes = n;
    s->s->outcomes = n ? arena_array(&s->p->arena, struct outcome, n) : NULL;
    for (uint32_t i = 0; i < n; i++) {
        struct outcome *o = &s->s->outcomes[i];
        o->n_effects = list[i].n;
        o->effects = list[i].n ? arena_copy(&s->p->arena, list[i].effects, list[i].n * sizeof *o->effects) : NULL;
        o->result = list[i].result;
        if (n > 1)
            preconditions(s, list[i].first, list, n, i, o);
        for (uint32_t k = 0; k < o->n_effects; k++)
            if (any_failed && any_sound && o->effects[k].kind == EFFECT_ACQUIRE && !o->effects[k].soft &&
                range_is_empty(range_meet(failed, o->result))) {
                o->effects[k].soft = true;
                o->effects[k].ok = o->result;
                o->result = RANGE_ALL;
            }
    }
    if (n == 1 && !list[0].n && range_is_all(list[0].result))
        s->s->n_outcomes = 0; /* nothing to say */
}

static term common_result(struct solver *s)
{
    term path = 0;

    for (size_t i = 0; i < s->exits.n; i++) {
        const struct exit_record *x = &s->exits.at[i];
        const term p = x->value && s->t.recs[x->value].op != TERM_CONST ? to_path(s, NULL, x->value, 0) : 0;
        if (!p || (i && p != path))
            return 0;
        path = p;
    }
    return path;
}

static bool is_lock_address(const struct solver *s, term value)
{
    const struct object_class c = term_class(&s->t, value);

    return (c.field && s->p->fields.at[c.field].lock.lock) || (c.global && s->p->globals.at[c.global].lock.lock) ||
           s->t.recs[value].op == TERM_LOAD;
}

/* The local struct that every return returns; or 0. */
static term returned_struct(const struct solver *s)
{
    term object = 0;

    for (size_t i = 0; i < s->exits.n; i++) {
        const struct term_rec r = s->t.recs[s->exits.at[i].value];
        if (r.op != TERM_LOAD || s->t.recs[r.a].op != TERM_LOCAL || (object && r.a != object))
            return 0;
        object = r.a;
    }
    return object;
}

/* A member of the returned struct in the callers' words. */
static term member_of_result(struct solver *s, term at, term object)
{
    const struct term_rec r = s->t.recs[at];
    term a;

    if (at == object)
        return term_make(&s->p->paths, TERM_RESULT, 0, 0, 0);
    a = r.op == TERM_FIELD ? member_of_result(s, r.a, object) : 0;
    return a ? term_make(&s->p->paths, TERM_FIELD, a, r.b, 0) : 0;
}

/* Members that hold one sayable value on every return. */
static void keep_stores(struct solver *s)
{
    struct summary_store list[MAX_STORES];
    const term returned = returned_struct(s);
    uint32_t n = 0;

    if (!s->exits.n)
        return;
    for (uint32_t i = 0; i < s->exits.at[0].w->n_cells && n < MAX_STORES; i++) {
        const struct cell c = s->exits.at[0].w->cells[i];
        bool same = c.value && s->t.recs[c.at].op == TERM_FIELD && is_lock_address(s, c.value);
        for (size_t k = 1; same && k < s->exits.n; k++)
            same = world_load(&s->t, s->exits.at[k].w, c.at) == c.value;
        if (!same || c.value == term_make(&s->t, TERM_LOAD, c.at, 0, 0))
            continue;
        list[n] = (struct summary_store){to_path(s, NULL, c.at, 0), to_path(s, NULL, c.value, 0)};
        if (!list[n].at && returned)
            list[n].at = member_of_result(s, c.at, returned);
        n += list[n].at && list[n].value;
    }
    s->s->stores = n ? arena_copy(&s->p->arena, list, n * sizeof *list) : NULL;
    s->s->n_stores = n;
}

#define KEEP(s, name)                                                                                                  \
    ((s)->s->n_##name = (uint32_t)(s)->name.n,                                                                         \
     (s)->s->name = (s)->name.n ? arena_copy(&(s)->p->arena, (s)->name.at, (s)->name.n * sizeof *(s)->name.at) : NULL)

void finish_function(struct solver *s)
{
    settle_accesses(s);
    settle_unlocks(s);
    settle_waits(s);
    check_contract(s);
    settle_returns(s);
    if (!s->exits.n)
        s->s->never_returns = true;
    make_outcomes(s);
    s->s->returns = common_result(s);
    keep_stores(s);
    KEEP(s, requirements);
    KEEP(s, inner);
    KEEP(s, waits);
    KEEP(s, inits);
    KEEP(s, destroys);
    if (s->fr->annots.count)
        summary_annotate(s->p, s->func, s->s);
}

void finish_lightly(struct solver *s)
{
    KEEP(s, inner);
    KEEP(s, inits);
    KEEP(s, destroys);
}
