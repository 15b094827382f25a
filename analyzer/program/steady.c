/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which members decide in this function whether a lock is taken, and so keep their value until it is given back?
 * Stands on solver.h.
 *
 * `if (s->shared) lock(&s->mu); … if (s->shared) unlock(&s->mu);` asks twice, and whatever lies between may write a member of that
 * name: a callee that sets up another object, another thread during a wait. A program of which that were true could not give back
 * its lock, so the member of this object is taken to be as it was, but where the function itself, or a callee that was handed the
 * object, writes it. */
#include "calls.h"
#include "predicates.h"

#include <string.h>
#include "../base/alloc.h"

#define ARM_MAX 32u /* blocks of the conditional statement that takes the lock */

/* ---- which are they? ---- */
static unsigned callee_does(const struct program *p, const struct call_edge *e) {
    const struct summary *sum = p->funcs.at[e->callee].summary;
    unsigned does = 0;

    for (uint32_t i = 0; sum && i < sum->n_outcomes; i++)
        for (uint32_t j = 0; j < sum->outcomes[i].n_effects; j++)
            does |= sum->outcomes[i].effects[j].kind == EFFECT_ACQUIRE   ? BLOCK_TAKES
                    : sum->outcomes[i].effects[j].kind == EFFECT_RELEASE ? BLOCK_GIVES
                                                                         : 0;
    return does;
}

unsigned block_lock_calls(const struct program *p, uint32_t func, ir_block block) {
    const struct unit *u = p->funcs.at[func].unit->unit;
    const struct ir_block_rec *b = &u->blocks[block];
    unsigned does = 0;
    uint32_t n;

    for (ir_event e = b->events.first; e < b->events.first + b->events.count; e++) {
        const struct call_edge *edges = u->events[e].op == IR_EV_CALL ? program_calls(p, func, e, &n) : NULL;
        for (uint32_t k = 0; edges && k < n; k++)
            does |= callee_does(p, &edges[k]);
    }
    return does;
}

/* Of all its blocks. */
static unsigned lock_calls(const struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    unsigned does = 0;

    for (uint32_t i = 0; i < f->n_edges; i++)
        does |= callee_does(p, &p->edges.at[f->first_edge + i]);
    return does;
}

bool takes_or_gives(const struct program *p, uint32_t func) {
    const unsigned does = lock_calls(p, func);

    return does == BLOCK_TAKES || does == BLOCK_GIVES;
}

/* Of the blocks of a function, from `first` on. */
struct arms {
    const struct unit *u;
    ir_block first;
    uint8_t *calls; /* what each calls (block_lock_calls) */
    uint32_t *seen; /* in which search each was last met */
    uint32_t search;
};

/* Does the statement between the two blocks take a lock and leave with it held? Or, for BLOCK_GIVES, give one back and take none? */
static bool arm_does(struct arms *x, unsigned what, ir_block from, ir_block join) {
    const struct unit *u = x->u;
    ir_block stack[ARM_MAX];
    uint32_t n = 0, n_seen = 1;
    bool joins = false;
    unsigned does = 0;

    for (uint32_t i = 0; i < 4 && u->blocks[join].term == IR_TERM_BRANCH && u->blocks[join].succs.count == 2;
         i++) {
        const struct ir_succ_rec *to =
            &u->succs[u->blocks[join].succs.first]; /* `a || b`: where b is false, too */
        if (to[0].block != from && to[1].block != from)
            break;
        join = to[to[0].block == from].block;
    }
    if (from == join)
        return false;
    x->seen[from - x->first] = ++x->search;
    stack[n++] = from;
    while (n) {
        const ir_block at = stack[--n];
        const struct ir_block_rec *b = &u->blocks[at];
        does |= x->calls[at - x->first];
        if (does & ~what)
            return false;
        for (uint32_t i = 0; i < b->succs.count; i++) {
            const ir_block to = u->succs[b->succs.first + i].block;
            joins |= to == join;
            if (to == join || x->seen[to - x->first] == x->search)
                continue;
            if (n_seen++ == ARM_MAX)
                return false;
            x->seen[to - x->first] = x->search;
            stack[n++] = to;
        }
    }
    return joins && does;
}

static uint32_t key_of_place(const struct linked_unit *lu, const struct unit *u, ir_expr place) {
    if (u->exprs[place].op == IR_E_FIELD)
        return lu->fields[u->exprs[place].b] << 2 | 1;
    return u->exprs[place].op == IR_E_VAR && lu->globals[u->exprs[place].a]
               ? lu->globals[u->exprs[place].a] << 2 | 2
               : 0;
}

/* The members and globals whose values the condition reads; `inner`: those that lead to what it asks. */
static void read_by(const struct linked_unit *lu, ir_expr e, bool inner,
                    void (*found)(void *data, uint32_t key, bool inner), void *data) {
    const struct ir_expr_rec *r = &lu->unit->exprs[e];
    uint32_t key;

    switch (r->op) {
    case IR_E_CAST:
    case IR_E_UNARY:
    case IR_E_FIELD:
    case IR_E_DEREF: read_by(lu, r->a, inner, found, data); return;
    case IR_E_BINARY:
        read_by(lu, r->a, inner, found, data);
        read_by(lu, r->b, inner, found, data);
        return;
    case IR_E_LOAD:
        key = key_of_place(lu, lu->unit, r->a);
        if (key)
            found(data, key, inner);
        read_by(lu, r->a, true, found, data);
        return;
    default: return;
    }
}

void condition_reads(const struct linked_unit *lu, ir_expr e,
                     void (*found)(void *data, uint32_t key, bool inner), void *data) {
    read_by(lu, e, false, found, data);
}

void predicate_reads(const struct predicate *q, void (*found)(void *data, uint32_t key, bool inner),
                     void *data) {
    for (uint32_t i = 0; i < q->n_reads; i++)
        read_by(q->unit, q->reads[i], false, found, data);
}

/* The same of the functions that it asks: its temps that are results of calls in the block. */
static void read_by_calls(const struct program *p, uint32_t func, ir_block block, ir_expr e,
                          void (*found)(void *data, uint32_t key, bool inner), void *data) {
    const struct unit *u = p->funcs.at[func].unit->unit;
    const struct ir_expr_rec *r = &u->exprs[e];
    const struct ir_range events = u->blocks[block].events;

    if (r->op == IR_E_CAST || r->op == IR_E_UNARY || r->op == IR_E_BINARY)
        read_by_calls(p, func, block, r->a, found, data);
    if (r->op == IR_E_BINARY)
        read_by_calls(p, func, block, r->b, found, data);
    if (r->op != IR_E_LOAD || u->exprs[r->a].op != IR_E_VAR)
        return;
    for (ir_event ev = events.first + events.count; ev-- > events.first;) {
        const struct ir_expr_rec *to = &u->exprs[u->events[ev].a];
        const struct predicate *q;
        if (u->events[ev].op != IR_EV_CALL || to->op != IR_E_VAR || to->a != u->exprs[r->a].a)
            continue;
        q = predicate_called(p, func, ev);
        if (q)
            predicate_reads(q, found, data);
        return;
    }
}

/* Block b ends in a branch that decides whether a lock is taken, or given back. */
typedef void found_branch(void *data, const struct program *p, uint32_t func, ir_block b);

static void each_branch(const struct program *p, uint32_t func, unsigned what, found_branch *found,
                        void *data) {
    const struct linked_unit *lu = p->funcs.at[func].unit;
    const struct ir_func_rec *fr = &lu->unit->funcs[p->funcs.at[func].func];
    struct arms x = {.u = lu->unit, .first = fr->blocks.first};

    x.calls = xcalloc((size_t)fr->blocks.count + 1, sizeof *x.calls);
    x.seen = xcalloc((size_t)fr->blocks.count + 1, sizeof *x.seen);
    for (uint32_t b = 0; b < fr->blocks.count; b++)
        x.calls[b] = (uint8_t)block_lock_calls(p, func, fr->blocks.first + b);
    for (ir_block b = fr->blocks.first; b < fr->blocks.first + fr->blocks.count; b++) {
        const struct ir_block_rec *rec = &lu->unit->blocks[b];
        const struct ir_succ_rec *to = &lu->unit->succs[rec->succs.first];
        if (rec->term == IR_TERM_BRANCH && rec->succs.count == 2 && rec->cond &&
            (arm_does(&x, what, to[0].block, to[1].block) || arm_does(&x, what, to[1].block, to[0].block)))
            found(data, p, func, b);
    }
    free(x.calls);
    free(x.seen);
}

static void put_key(void *data, uint32_t key, bool inner) {
    struct solver *s = data;

    if (!term_in(s->steady.at, s->steady.n, key))
        vec_push(&s->steady, key);
    if (inner && !term_in(s->steady_paths.at, s->steady_paths.n, key))
        vec_push(&s->steady_paths, key);
}

static void drop_key(struct solver *s, uint32_t key) {
    for (size_t i = 0; i < s->steady.n; i++)
        if (s->steady.at[i] == key)
            s->steady.at[i] = s->steady.at[--s->steady.n];
}

static void drop_read(void *data, uint32_t key, bool inner) {
    if (!inner) /* where the asked lies is no question */
        drop_key(data, key);
}

/* The members and globals by which block b's branch is taken. */
static void read_at(const struct program *p, uint32_t func, ir_block b,
                    void (*found)(void *data, uint32_t key, bool inner), void *data) {
    const struct linked_unit *lu = p->funcs.at[func].unit;
    const ir_expr cond = lu->unit->blocks[b].cond;

    read_by(lu, cond, false, found, data);
    read_by_calls(p, func, b, cond, found, data);
}

static void found_taking(void *data, const struct program *p, uint32_t func, ir_block b) {
    struct solver *s = data;

    read_at(p, func, b, put_key, s);
    s->decides[b - s->fr->blocks.first] = true;
}

static void found_giving(void *data, const struct program *p, uint32_t func, ir_block b) {
    struct solver *s = data;

    (void)p;
    (void)func;
    s->decides[b - s->fr->blocks.first] = true;
}

/* `if (s->shared && s->ready) unlock(&s->mu);`, and nothing else is asked than that by which others take it: its callers know which
 * ways are whose. */
static bool only_asks_deciders(const struct solver *s) {
    for (ir_block b = s->fr->blocks.first; b < s->fr->blocks.first + s->fr->blocks.count; b++)
        if (s->u->blocks[b].cond && s->u->blocks[b].succs.count > 1 &&
            !decides_elsewhere(s->p, s->lu, s->u->blocks[b].cond))
            return false;
    return true;
}

/* `s->shared`, in the words of one whose locks hang on it, and the pointers that lead to `s`. Returns whether it is one. */
static bool put_asked(struct solver *s, term of) {
    const struct term_table *t = &s->p->paths;
    bool inner = false;

    while (t->recs[of].op == TERM_BINARY || t->recs[of].op == TERM_UNARY)
        of = t->recs[of].a; /* `s->flags & SHARED` */
    if (!is_lock_decider(s->p, t, of))
        return false;
    for (; t->recs[of].op == TERM_LOAD; of = term_object(t, t->recs[of].a), inner = true)
        if (memory_class(t, t->recs[of].a))
            put_key(s, memory_class(t, t->recs[of].a), inner);
    return true;
}

/* `lock_if_shared(s); … unlock_if_shared(s);`: what callees go by when they take or give a lock. asks[b]: set where block b
 * calls one. */
static void ask_in_callees(struct solver *s, bool *asks) {
    for (uint32_t i = 0; i < s->lf->n_edges; i++) {
        const struct call_edge *e = &s->p->edges.at[s->lf->first_edge + i];
        const struct summary *sum = s->p->funcs.at[e->callee].summary;
        if (e->callback || !callee_does(s->p, e))
            continue;
        for (uint32_t j = 0; j < sum->n_outcomes; j++)
            for (uint32_t k = 0; k < sum->outcomes[j].n_when; k++)
                if (put_asked(s, sum->outcomes[j].when[k].of))
                    asks[s->event_block[e->event - s->first_event]] = true;
    }
}

/* Can the block be reached from where it was asked, in the same turn of every loop? */
static bool asked_before(struct solver *s, const bool *asks, uint32_t block) {
    for (uint32_t from = 0; from < s->n_blocks; from++)
        if (from != block && (s->decides[from] || asks[from]) && leads_forward(s, from, block))
            return true;
    return false;
}

/* What the function writes itself after it was asked, or tests then to leave a loop: that is to change. */
static void drop_changing(struct solver *s, const bool *asks) {
    for (uint32_t i = 0; i < s->n_order; i++) {
        const uint32_t block = s->by_order[i];
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + block];
        if (!asked_before(s, asks, block))
            continue;
        for (ir_event e = b->events.first; e < b->events.first + b->events.count; e++) {
            const struct ir_event_rec *ev = &s->u->events[e];
            if (ev->a && (ev->op == IR_EV_STORE || ev->op == IR_EV_CALL || ev->op == IR_EV_ATOMIC))
                drop_key(s, key_of_place(s->lu, s->u, ev->a));
            for (uint32_t k = 0; k < ev->args.count; k++) {
                const ir_expr arg = ir_uncast(s->u, s->u->expr_refs[ev->args.first + k]);
                if (s->u->exprs[arg].op == IR_E_ADDR)
                    drop_key(s, key_of_place(s->lu, s->u, s->u->exprs[arg].a));
            }
        }
        for (uint32_t head = 0; b->cond && b->succs.count > 1 && head < s->n_blocks; head++)
            for (uint32_t k = 0; in_set(s->blocks[head].loop, block) && k < b->succs.count; k++)
                if (!in_set(s->blocks[head].loop,
                            s->u->succs[b->succs.first + k].block - s->fr->blocks.first))
                    read_by(s->lu, b->cond, false, drop_read, s);
    }
}

void find_steady(struct solver *s) {
    bool *asks = arena_array(&s->arena, bool, s->n_blocks);
    const unsigned does = lock_calls(s->p, s->func);

    s->decides = arena_array(&s->arena, bool, s->n_blocks);
    vec_clear(&s->steady);
    vec_clear(&s->steady_paths);
    if (does & BLOCK_TAKES)
        each_branch(s->p, s->func, BLOCK_TAKES, found_taking, s);
    if (does)
        ask_in_callees(s, asks);
    if (s->steady.n)
        drop_changing(s, asks);
    if (does == BLOCK_GIVES && only_asks_deciders(s))
        each_branch(s->p, s->func, BLOCK_GIVES, found_giving, s);
    for (size_t i = 0; i < s->keys.n; i++)
        if ((s->keys.at[i] & 3) == 2 && never_written(s->p, s->keys.at[i] >> 2) &&
            !term_in(s->steady.at, s->steady.n, s->keys.at[i]))
            vec_push(&s->steady, s->keys.at[i]);
}

/* ---- in the whole program ---- */
static void put_decider(void *data, uint32_t key, bool inner) {
    struct program *p = data;

    if (!inner)
        *map64_place(&p->lock_deciders, key, NULL) = 1;
}

static void found_decider(void *data, const struct program *p, uint32_t func, ir_block b) {
    read_at(p, func, b, put_decider, data);
}

void program_find_lock_deciders(struct program *p) {
    for (size_t i = 0; i < p->order.n; i++)
        if (lock_calls(p, p->order.at[i]) & BLOCK_TAKES)
            each_branch(p, p->order.at[i], BLOCK_TAKES, found_decider, p);
}

bool is_lock_decider(const struct program *p, const struct term_table *t, term value) {
    return t->recs[value].op == TERM_LOAD &&
           map64_find(&p->lock_deciders, memory_class(t, t->recs[value].a)) != NULL;
}

bool may_go_with_lock(const struct solver *s, term path, const struct held *h) {
    const struct term_rec *r = term_at(&s->p->paths, path);
    const uint32_t key = r->op == TERM_LOAD ? memory_class(&s->p->paths, r->a) : 0;
    uint32_t n = 0;
    const struct call_edge *edges = h->event ? program_calls(s->p, s->func, h->event, &n) : NULL;

    if (!key || !h->event || is_lock_decider(s->p, &s->p->paths, path))
        return true;
    for (uint32_t i = 0; i < n; i++) {
        const struct summary *sum = s->p->funcs.at[edges[i].callee].summary;
        if (!sum || !sum->known ||
            mods_has(sum->mods, (key & 3) == 1 ? MOD_FIELD(key >> 2) : MOD_GLOBAL(s->p, key >> 2)))
            return true;
    }
    return false;
}

struct lookup {
    const struct program *p;
    bool found;
};

static void look_up(void *data, uint32_t key, bool inner) {
    struct lookup *l = data;

    l->found |= !inner && map64_find(&l->p->lock_deciders, key) != NULL;
}

bool decides_elsewhere(const struct program *p, const struct linked_unit *lu, ir_expr condition) {
    struct lookup l = {p, false};

    read_by(lu, condition, false, look_up, &l);
    return l.found;
}

/* ---- who writes them? ---- */
static bool mentions_reached(const struct unit *u, const bool *reached, ir_var first, uint32_t n, ir_expr e) {
    ir_var v;

    return ir_base_var(u, e, &v) && v - first < n && reached[v - first];
}

/* Does the function, or one that it hands this on to, write the member in what its parameter leads to? */
static bool sets(struct solver *s, uint32_t func, uint32_t param, uint32_t key) {
    const struct linked_func *f = &s->p->funcs.at[func];
    const struct unit *u = f->unit ? f->unit->unit : NULL;
    const struct ir_func_rec *fr = u ? &u->funcs[f->func] : NULL;
    bool fresh, changed = true, any = false;

    if (!f->summary || !f->defined)
        return f->summary && f->summary->writes >> param & 1;
    if (!fr->params.count || param >= fr->params.count || !mods_has(f->summary->mods, MOD_FIELD(key >> 2)))
        return false;
    s->unkeyed = true; /* what callees do is read here */
    uint32_t *known = map64_place(&s->setters, hash_add(key_pair(func, param), key), &fresh);
    if (!fresh)
        return *known == 2; /* 1: no, or being asked */
    *known = 1;
    const ir_var first = fr->params.first;
    const uint32_t n = fr->locals.count ? fr->locals.first + fr->locals.count - first : fr->params.count;
    bool *reached = arena_array(&s->arena, bool, n + 1);
    reached[param] = true;
    for (int round = 0; changed && round < 4; round++) {
        changed = false;
        for (uint32_t b = fr->blocks.first; !any && b < fr->blocks.first + fr->blocks.count; b++)
            for (ir_event e = u->blocks[b].events.first;
                 e < u->blocks[b].events.first + u->blocks[b].events.count; e++) {
                const struct ir_event_rec *ev = &u->events[e];
                uint32_t n_edges = 0;
                if (ev->op != IR_EV_STORE && ev->op != IR_EV_CALL && ev->op != IR_EV_ATOMIC)
                    continue;
                if (ev->a && mentions_reached(u, reached, first, n, ev->a))
                    any |= ev->flags & IR_SF_AGGREGATE || key_of_place(f->unit, u, ev->a) == key;
                if (ev->op == IR_EV_STORE && u->exprs[ev->a].op == IR_E_VAR &&
                    u->exprs[ev->a].a - first < n && !reached[u->exprs[ev->a].a - first] &&
                    mentions_reached(u, reached, first, n, ev->b))
                    reached[u->exprs[ev->a].a - first] = changed = true;
                const struct call_edge *edges =
                    ev->op == IR_EV_CALL ? program_calls(s->p, func, e, &n_edges) : NULL;
                for (uint32_t k = 0; k < n_edges; k++)
                    for (uint32_t i = 0; !edges[k].callback && i < ev->args.count && i < 64; i++)
                        any = any ||
                              (mentions_reached(u, reached, first, n, u->expr_refs[ev->args.first + i]) &&
                               sets(s, edges[k].callee, i, key));
            }
    }
    if (any)
        *map64_place(&s->setters, hash_add(key_pair(func, param), key), &fresh) = 2;
    return any;
}

bool stays_steady(const struct call *c, uint32_t key) {
    struct solver *s = c->s;

    if ((key & 3) != 1 || !term_in(s->steady.at, s->steady.n, key))
        return false;
    if (term_in(s->steady_paths.at, s->steady_paths.n, key))
        return true; /* leads to the lock, too: what is given back is what was taken */
    for (uint32_t i = 0; i < c->ev->args.count && i < 64; i++)
        if (c->args[i] && sets(s, c->callee, i, key))
            return false;
    return true;
}
