/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Is a condition tested again after it was waited for? In a loop that keeps the lock; by the next branch; or in the next turn of a loop,
 * which begins with nothing done in between.
 * Stands on solver.h. Static: asks the function's blocks, not its worlds. */
#include "predicates.h"
#include "solver.h"

static bool leads_on(const struct solver *s, uint32_t from, uint32_t to, bool *seen) {
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + from];

    if (from == to)
        return true;
    if (seen[from] || s->blocks[from].order > s->blocks[to].order)
        return false;
    seen[from] = true;
    for (uint32_t i = 0; i < b->succs.count; i++) {
        const uint32_t next = s->u->succs[b->succs.first + i].block - s->fr->blocks.first;
        if (s->blocks[next].order > s->blocks[from].order && leads_on(s, next, to, seen))
            return true;
    }
    return false;
}

bool leads_forward(struct solver *s, uint32_t from, uint32_t to) {
    return leads_on(s, from, to, arena_array(&s->scratch, bool, s->n_blocks));
}

static bool released_between(const struct solver *s, uint32_t block, ir_event after, ir_event before,
                             term lock) {
    for (size_t i = 0; i < s->unlocks.n; i++) {
        const struct unlock_seen *u = &s->unlocks.at[i];
        if (u->held && u->event > after && u->event < before &&
            s->event_block[u->event - s->first_event] == block && term_same_shape(&s->t, u->lock, lock))
            return true;
    }
    return false;
}

/* Does a way lead back to the wait with the lock held all along, so that the condition can be tested again? */
static bool in_loop(struct solver *s, const struct wait_seen *w) {
    const uint32_t home = s->event_block[w->event - s->first_event];
    uint32_t *stack = arena_array(&s->scratch, uint32_t, s->n_blocks + 1), n = 0;
    bool *seen = arena_array(&s->scratch, bool, s->n_blocks);

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

/* ---- with the lock given back, or by another branch ---- */
struct keys {
    uint32_t at[16], n;
};

static void add_key(void *data, uint32_t key, bool inner) {
    struct keys *k = data;

    (void)inner;
    if (k->n < 16)
        k->at[k->n++] = key;
}

/* What the branch at the block's end reads: members, globals, and functions of the program that it asks (as their number << 2). */
static void read_at_end(const struct solver *s, uint32_t block, struct keys *out) {
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + block];
    ir_expr e = b->cond;
    uint32_t n;

    condition_reads(s->lu, b->cond, add_key, out);
    while (s->u->exprs[e].op == IR_E_CAST || s->u->exprs[e].op == IR_E_UNARY ||
           s->u->exprs[e].op == IR_E_BINARY)
        e = s->u->exprs[e].a;
    if (s->u->exprs[e].op != IR_E_LOAD || s->u->exprs[s->u->exprs[e].a].op != IR_E_VAR)
        return;
    for (ir_event ev = b->events.first; ev < b->events.first + b->events.count; ev++) {
        const struct ir_event_rec *r = &s->u->events[ev];
        const struct call_edge *edges;
        if (r->op != IR_EV_CALL || !r->a || s->u->exprs[r->a].op != IR_E_VAR ||
            s->u->exprs[r->a].a != s->u->exprs[s->u->exprs[e].a].a)
            continue;
        edges = program_calls(s->p, s->func, ev, &n);
        for (uint32_t i = 0; i < n; i++)
            add_key(out, edges[i].callee << 2, false);
    }
}

static bool share_one(const struct keys *x, const struct keys *y) {
    for (uint32_t i = 0; i < x->n; i++)
        for (uint32_t k = 0; k < y->n; k++)
            if (x->at[i] == y->at[k])
                return true;
    return false;
}

static bool is_branch(const struct solver *s, uint32_t block) {
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + block];

    return b->term == IR_TERM_BRANCH && b->succs.count == 2 && b->cond;
}

static uint32_t successor(const struct solver *s, uint32_t block, uint32_t i) {
    return s->u->succs[s->u->blocks[s->fr->blocks.first + block].succs.first + i].block - s->fr->blocks.first;
}

/* What the branches read that decide whether home is come to. Returns whether there is such a branch behind `from`, in the loop. */
static bool read_by_deciders(struct solver *s, const uint64_t *loop, uint32_t from, uint32_t home,
                             struct keys *out) {
    bool any = false;

    for (uint32_t b = 0; b < s->n_blocks; b++) {
        bool leads[2];
        if (!is_branch(s, b) || s->blocks[b].order == UINT32_MAX ||
            s->blocks[b].order > s->blocks[home].order)
            continue;
        for (uint32_t i = 0; i < 2; i++)
            leads[i] = leads_forward(s, successor(s, b, i), home);
        if (leads[0] == leads[1])
            continue;
        read_at_end(s, b, out);
        any |= in_set(loop, b) && s->blocks[b].order >= s->blocks[from].order;
    }
    return any;
}

static bool is_unlock(const struct solver *s, ir_event e) {
    for (size_t i = 0; i < s->unlocks.n; i++)
        if (s->unlocks.at[i].event == e)
            return true;
    return false;
}

/* Does the event do nothing that would stand on the condition? */
static bool is_idle(const struct solver *s, ir_event e) {
    const struct ir_event_rec *r = &s->u->events[e];

    switch (r->op) {
    case IR_EV_STORE: return s->u->exprs[r->a].op == IR_E_VAR && !s->lu->globals[s->u->exprs[r->a].a];
    case IR_EV_CALL: return is_unlock(s, e);
    case IR_EV_BEGIN:
    case IR_EV_END:
    case IR_EV_EVAL: return true;
    default: return false;
    }
}

/* Does the call get a pointer to anything but text? */
static bool hands_on(const struct solver *s, const struct ir_event_rec *call) {
    for (uint32_t i = 0; i < call->args.count; i++) {
        const ir_expr arg = ir_uncast(s->u, s->u->expr_refs[call->args.first + i]);
        const uint32_t op = s->u->exprs[arg].op;
        if (op != IR_E_STRING && op != IR_E_CONST &&
            s->u->types[type_plain(s->u, s->u->exprs[arg].type)].kind == IR_T_POINTER)
            return true;
    }
    return false;
}

/* Does the event leave alone what was waited for? A count of those who wait, a line for a log. */
static bool is_beside(const struct solver *s, ir_event e, const struct keys *asked) {
    const struct ir_event_rec *r = &s->u->events[e];
    struct keys touched = {{0}, 0};

    if (r->op == IR_EV_CALL)
        return !is_unlock(s, e) && !hands_on(s, r);
    if (is_idle(s, e))
        return true;
    if (r->op != IR_EV_STORE || (s->u->exprs[r->a].op != IR_E_FIELD && s->u->exprs[r->a].op != IR_E_VAR))
        return false;
    condition_reads(s->lu, r->b, add_key, &touched);
    condition_reads(s->lu, r->a, add_key, &touched);
    add_key(&touched,
            s->u->exprs[r->a].op == IR_E_FIELD ? s->lu->fields[s->u->exprs[r->a].b] << 2 | 1
                                               : s->lu->globals[s->u->exprs[r->a].a] << 2 | 2,
            false);
    return !share_one(&touched, asked);
}

/* Comes every way from the wait to what ends it: a branch that asks what decided on the wait, with the lock still held and what it asks left
 * alone; or, `turns`, the head of a loop round it, with nothing done. */
static bool every_way_ends(struct solver *s, const struct wait_seen *w, const struct keys *asked,
                           bool turns) {
    const uint32_t home = s->event_block[w->event - s->first_event];
    uint32_t *stack = arena_array(&s->scratch, uint32_t, s->n_blocks + 1), n = 0;
    bool *seen = arena_array(&s->scratch, bool, s->n_blocks);

    stack[n++] = home;
    while (n) {
        const uint32_t at = stack[--n];
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + at];
        struct keys read = {{0}, 0};
        bool over = false;
        for (ir_event e = at == home ? w->event + 1 : b->events.first; e < b->events.first + b->events.count;
             e++)
            if (!(turns ? is_idle(s, e) : is_beside(s, e, asked)))
                over = true;
        if (!over && !turns && is_branch(s, at)) {
            read_at_end(s, at, &read);
            if (share_one(&read, asked))
                continue;
        }
        if (over || !b->succs.count)
            return false;
        for (uint32_t i = 0; i < b->succs.count; i++) {
            const uint32_t to = s->u->succs[b->succs.first + i].block - s->fr->blocks.first;
            if (turns && in_set(s->blocks[to].loop, home) && s->blocks[to].order <= s->blocks[at].order)
                continue;
            if (seen[to])
                continue;
            seen[to] = true;
            stack[n++] = to;
        }
    }
    return true;
}

/* ---- what the condition allows is done on the other arm ---- */
/* The members that the expression names. */
static void members_in(const struct solver *s, ir_expr e, struct keys *out) {
    const struct ir_expr_rec *r = &s->u->exprs[e];
    const unsigned operands = ir_operands(r->op);

    if (r->op == IR_E_FIELD)
        add_key(out, s->lu->fields[r->b] << 2 | 1, false);
    if (operands & 1u)
        members_in(s, r->a, out);
    if (operands & 2u)
        members_in(s, r->b, out);
}

static void members_of_event(const struct solver *s, ir_event e, struct keys *out) {
    const struct ir_event_rec *r = &s->u->events[e];

    if (r->op == IR_EV_BEGIN || r->op == IR_EV_END)
        return;
    members_in(s, r->a, out);
    members_in(s, r->b, out);
    for (uint32_t k = 0; k < r->args.count; k++)
        members_in(s, s->u->expr_refs[r->args.first + k], out);
}

/* Those that the branch at the block's end asks, itself or through the calls before it. */
static void members_asked(const struct solver *s, uint32_t block, struct keys *out) {
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + block];

    members_in(s, b->cond, out);
    for (ir_event e = b->events.first; e < b->events.first + b->events.count; e++)
        if (s->u->events[e].op == IR_EV_CALL && s->u->events[e].a &&
            s->u->exprs[s->u->events[e].a].op == IR_E_VAR &&
            ir_mentions(s->u, b->cond, s->u->exprs[s->u->events[e].a].a)) {
            const struct predicate *q = predicate_called(s->p, s->func, e);
            members_of_event(s, e, out);
            if (q)
                predicate_reads(q, add_key, out);
        }
}

/* The local that is the condition, as in `if (job)`; or 0. */
static ir_var local_asked(const struct solver *s, uint32_t block) {
    ir_expr e = ir_uncast(s->u, s->u->blocks[s->fr->blocks.first + block].cond);

    while (s->u->exprs[e].op == IR_E_UNARY || s->u->exprs[e].op == IR_E_BINARY)
        e = ir_uncast(s->u, s->u->exprs[e].a);
    const struct ir_expr_rec *at = &s->u->exprs[s->u->exprs[e].a];
    return s->u->exprs[e].op == IR_E_LOAD && at->op == IR_E_VAR && !s->lu->globals[at->a] &&
                   s->u->vars[at->a].kind == IR_V_LOCAL
               ? at->a
               : 0;
}

static bool event_mentions(const struct solver *s, ir_event e, ir_var v) {
    const struct ir_event_rec *r = &s->u->events[e];
    bool found = r->op != IR_EV_BEGIN && r->op != IR_EV_END &&
                 (ir_mentions(s->u, r->a, v) || ir_mentions(s->u, r->b, v));

    for (uint32_t k = 0; k < r->args.count; k++)
        found |= ir_mentions(s->u, s->u->expr_refs[r->args.first + k], v);
    return found;
}

static void mark_ahead(const struct solver *s, uint32_t from, bool *marks) {
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + from];

    if (marks[from])
        return;
    marks[from] = true;
    for (uint32_t i = 0; i < b->succs.count; i++) {
        const uint32_t to = s->u->succs[b->succs.first + i].block - s->fr->blocks.first;
        if (s->blocks[to].order > s->blocks[from].order)
            mark_ahead(s, to, marks);
    }
}

/* `if (empty(q)) wait(…); else take(q);` in a loop: where it was waited nothing is done before the next turn asks again. */
static bool is_other_arms(struct solver *s, uint32_t branch, uint32_t home, ir_event waits) {
    bool *here = arena_array(&s->scratch, bool, s->n_blocks),
         *there = arena_array(&s->scratch, bool, s->n_blocks), acts = false, shares = false;
    const uint32_t other = successor(s, branch, leads_forward(s, successor(s, branch, 0), home));
    struct keys asked = {{0}, 0};

    const ir_var local = local_asked(s, branch);

    members_asked(s, branch, &asked);
    mark_ahead(s, home, here);
    mark_ahead(s, other, there);
    for (uint32_t block = 0; block < s->n_blocks; block++) {
        const struct ir_range events = s->u->blocks[s->fr->blocks.first + block].events;
        if (here[block] == there[block])
            continue;
        for (ir_event e = events.first; e < events.first + events.count; e++) {
            struct keys touched = {{0}, 0};
            if (here[block] && (block != home || e > waits) && !is_idle(s, e))
                return false;
            if (!there[block])
                continue;
            members_of_event(s, e, &touched);
            acts |= !is_idle(s, e);
            shares |= share_one(&touched, &asked) || (local && event_mentions(s, e, local));
        }
    }
    return acts && shares;
}

static bool other_arm_acts(struct solver *s, const struct wait_seen *w) {
    const uint32_t home = s->event_block[w->event - s->first_event];

    for (uint32_t head = 0; head < s->n_blocks; head++)
        for (uint32_t b = 0; in_set(s->blocks[head].loop, home) && b < s->n_blocks; b++)
            if (in_set(s->blocks[head].loop, b) && is_branch(s, b) &&
                s->blocks[b].order < s->blocks[home].order &&
                leads_forward(s, successor(s, b, 0), home) != leads_forward(s, successor(s, b, 1), home) &&
                is_other_arms(s, b, home, w->event))
                return true;
    return false;
}

bool tests_again(struct solver *s, const struct wait_seen *w) {
    const uint32_t home = s->event_block[w->event - s->first_event];
    const uint32_t taken = w->taken ? s->event_block[w->taken - s->first_event] : home;
    struct keys asked = {{0}, 0};
    bool in_turn = false;

    if (in_loop(s, w))
        return true;
    (void)read_by_deciders(s, NULL, taken, home, &asked);
    if (asked.n && every_way_ends(s, w, &asked, false))
        return true;
    for (uint32_t head = 0; head < s->n_blocks && !in_turn; head++)
        in_turn = in_set(s->blocks[head].loop, home) &&
                  read_by_deciders(s, s->blocks[head].loop, taken, home, &asked);
    return in_turn && (every_way_ends(s, w, &asked, true) || other_arm_acts(s, w));
}
