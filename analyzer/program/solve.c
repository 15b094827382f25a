/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Runs worlds through a function's blocks until nothing changes, then once more to record what was seen.
 * Stands on solver.h.
 *
 * Blocks are run in reverse postorder. At a back edge whatever was born in this turn of the loop (a phi of its head, the result
 * of a call in it, a load of memory it wrote) is another value in the next turn under the same name: such terms are renamed
 * to the phi of a cell that carries them over (hand-over-hand locking), or forgotten; a lock that cannot be renamed becomes
 * "some element of a collection", which later unlocks and returns do not question. */
#include "habits.h"
#include "lock_order.h"

#include <string.h>
#include "../base/alloc.h"

static bool in_set(const uint64_t *set, uint32_t i)
{
    return set && set[i / 64] >> i % 64 & 1;
}

/* ---- preparing ---- */
struct walk {
    uint32_t block, succ;
};

static void order_blocks(struct solver *s)
{
    struct walk *stack = arena_array(&s->arena, struct walk, s->n_blocks + 1);
    bool *seen = arena_array(&s->arena, bool, s->n_blocks);
    uint32_t n = 0, at = s->n_blocks;

    s->by_order = arena_array(&s->arena, uint32_t, s->n_blocks);
    for (uint32_t i = 0; i < s->n_blocks; i++)
        s->blocks[i].order = UINT32_MAX;
    stack[n++] = (struct walk){0, 0};
    seen[0] = true;
    while (n) {
        struct walk *top = &stack[n - 1];
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + top->block];
        if (top->succ < b->succs.count) {
            const uint32_t to = s->u->succs[b->succs.first + top->succ++].block - s->fr->blocks.first;
            if (!seen[to]) {
                seen[to] = true;
                stack[n++] = (struct walk){to, 0};
            }
            continue;
        }
        s->by_order[--at] = top->block;
        n--;
    }
    s->n_order = s->n_blocks - at;
    memmove(s->by_order, s->by_order + at, s->n_order * sizeof *s->by_order);
    for (uint32_t i = 0; i < s->n_order; i++)
        s->blocks[s->by_order[i]].order = i;
}

/* Natural loops: what reaches the source of a back edge without passing its head. */
static void find_loops(struct solver *s)
{
    const uint32_t words = (s->n_blocks + 63) / 64;
    uint32_t *stack = NULL, *first = NULL, *preds = NULL;

    for (uint32_t i = 0; i < s->n_order; i++) {
        const uint32_t from = s->by_order[i];
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + from];
        for (uint32_t k = 0; k < b->succs.count; k++) {
            const uint32_t head = s->u->succs[b->succs.first + k].block - s->fr->blocks.first;
            uint32_t n = 0;
            if (s->blocks[head].order > i)
                continue; /* forward */
            if (!stack) { /* predecessors, once there is a loop */
                stack = arena_array(&s->arena, uint32_t, s->n_blocks + 1);
                first = arena_array(&s->arena, uint32_t, s->n_blocks + 2);
                for (uint32_t x = 0; x < s->n_blocks; x++)
                    for (uint32_t y = 0; y < s->u->blocks[s->fr->blocks.first + x].succs.count; y++)
                        first[s->u->succs[s->u->blocks[s->fr->blocks.first + x].succs.first + y].block - s->fr->blocks.first + 2]++;
                for (uint32_t x = 2; x < s->n_blocks + 2; x++)
                    first[x] += first[x - 1];
                preds = arena_array(&s->arena, uint32_t, first[s->n_blocks + 1] + 1);
                for (uint32_t x = 0; x < s->n_blocks; x++)
                    for (uint32_t y = 0; y < s->u->blocks[s->fr->blocks.first + x].succs.count; y++)
                        preds[first[s->u->succs[s->u->blocks[s->fr->blocks.first + x].succs.first + y].block - s->fr->blocks.first + 1]++] = x;
            }
            if (!s->blocks[head].loop)
                s->blocks[head].loop = arena_array(&s->arena, uint64_t, words);
            uint64_t *loop = s->blocks[head].loop;
            loop[head / 64] |= UINT64_C(1) << head % 64;
            if (!in_set(loop, from)) {
                loop[from / 64] |= UINT64_C(1) << from % 64;
                stack[n++] = from;
            }
            while (n) {
                const uint32_t x = stack[--n];
                for (uint32_t y = first[x]; y < first[x + 1]; y++)
                    if (!in_set(loop, preds[y]) && s->blocks[preds[y]].order != UINT32_MAX) {
                        loop[preds[y] / 64] |= UINT64_C(1) << preds[y] % 64;
                        stack[n++] = preds[y];
                    }
            }
        }
    }
}

struct scan {
    struct solver *s;
    uint32_t block;
    struct map64 keys;
};

static void scan_expr(struct scan *x, ir_expr e)
{
    struct solver *s = x->s;
    const struct ir_expr_rec *r = &s->u->exprs[e];
    bool fresh;

    switch (r->op) {
    case IR_E_VAR:
        if (s->lu->globals[r->a]) {
            (void)map64_place(&x->keys, s->lu->globals[r->a] << 2 | 2, &fresh);
            if (fresh)
                vec_push(&s->keys, s->lu->globals[r->a] << 2 | 2);
        } else if (s->u->vars[r->a].kind == IR_V_TEMP && r->a >= s->fr->locals.first &&
                   r->a - s->fr->locals.first < s->fr->locals.count) {
            uint32_t *home = &s->temp_home[r->a - s->fr->locals.first];
            *home = *home == 0 || *home == x->block + 1 ? x->block + 1 : UINT32_MAX;
        }
        break;
    case IR_E_FIELD:
        (void)map64_place(&x->keys, s->lu->fields[r->b] << 2 | 1, &fresh);
        if (fresh)
            vec_push(&s->keys, s->lu->fields[r->b] << 2 | 1);
        scan_expr(x, r->a);
        break;
    case IR_E_DEREF: case IR_E_LOAD: case IR_E_ADDR: case IR_E_UNARY: case IR_E_CAST: scan_expr(x, r->a); break;
    case IR_E_INDEX: case IR_E_BINARY:
        scan_expr(x, r->a);
        scan_expr(x, r->b);
        break;
    default: break;
    }
}

static void scan_events(struct solver *s)
{
    struct scan x = {s, 0, {0}};
    ir_event low = UINT32_MAX, high = 0;

    s->temp_home = arena_array(&s->arena, uint32_t, s->fr->locals.count + 1);
    for (uint32_t i = 0; i < s->n_blocks; i++) {
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + i];
        if (b->events.count && b->events.first < low)
            low = b->events.first;
        if (b->events.count && b->events.first + b->events.count > high)
            high = b->events.first + b->events.count;
        x.block = i;
        if (b->cond)
            scan_expr(&x, b->cond);
        for (uint32_t k = 0; k < b->events.count; k++) {
            const struct ir_event_rec *ev = &s->u->events[b->events.first + k];
            if (ev->op == IR_EV_BEGIN || ev->op == IR_EV_END)
                continue;
            scan_expr(&x, ev->a);
            if (ev->op == IR_EV_STORE || ev->op == IR_EV_CALL || ev->op == IR_EV_ATOMIC)
                scan_expr(&x, ev->b);
            for (uint32_t j = 0; j < ev->args.count; j++)
                scan_expr(&x, s->u->expr_refs[ev->args.first + j]);
        }
    }
    map64_free(&x.keys);
    s->first_event = high ? low : 0;
    s->n_events = high ? high - low : 0;
    s->event_block = arena_array(&s->arena, uint32_t, s->n_events + 1);
    for (uint32_t i = 0; i < s->n_blocks; i++) {
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + i];
        for (uint32_t k = 0; k < b->events.count; k++)
            s->event_block[b->events.first + k - s->first_event] = i;
    }
}

/* ---- back edges ---- */
static bool event_in(const struct solver *s, const uint64_t *loop, ir_event e)
{
    return e >= s->first_event && e - s->first_event < s->n_events && in_set(loop, s->event_block[e - s->first_event]);
}

static bool written_in(const struct solver *s, const uint64_t *loop, uint32_t version)
{
    if (version & VERSION_BLOCK)
        return in_set(loop, (version & ~VERSION_BLOCK) - s->fr->blocks.first);
    return version && event_in(s, loop, version);
}

/* Is x another value in the next turn of the loop that `head` heads? A phi of the head stays when its cell was not written. */
static bool varies(const struct solver *s, const struct world *w, uint32_t head, term x)
{
    const uint64_t *loop = s->blocks[head].loop;
    const struct term_rec *r = &s->t.recs[x];

    switch (r->op) {
    case TERM_PHI: {
        const uint32_t at = r->a - s->fr->blocks.first;
        if (at != head)
            return in_set(loop, at);
        for (uint32_t i = 0; i < w->n_cells; i++)
            if (w->cells[i].at == r->b)
                return w->cells[i].value != x;
        return true;
    }
    case TERM_FRESH: return event_in(s, loop, r->a);
    case TERM_LOAD: return written_in(s, loop, r->b) || varies(s, w, head, r->a);
    case TERM_SOME: return false; /* whichever it was */
    case TERM_FIELD: case TERM_UNARY: return varies(s, w, head, r->a);
    case TERM_INDEX: case TERM_BINARY: return varies(s, w, head, r->a) || (r->b && varies(s, w, head, r->b));
    default: return false;
    }
}

/* A cell, not itself varying in place, whose value is the varying part of x; its value goes on under the cell's phi. */
static term renamed(struct solver *s, const struct world *w, uint32_t head, term x)
{
    const ir_block block = s->fr->blocks.first + head;

    for (uint32_t i = 0; i < w->n_cells; i++) {
        const struct cell c = w->cells[i];
        term phi, y;
        if (!c.value || s->t.recs[c.at].op != TERM_LOCAL || !term_mentions(&s->t, x, c.value) || !varies(s, w, head, c.value))
            continue;
        phi = term_make(&s->t, TERM_PHI, block, c.at, 0);
        if (phi == c.value)
            continue;
        y = term_replace(&s->t, x, c.value, phi);
        if (!varies(s, w, head, term_replace(&s->t, y, phi, c.at))) /* nothing else in it varies */
            return y;
    }
    return 0;
}

static void note_collection(struct solver *s, term lock)
{
    const struct object_class c = term_class(&s->t, lock);

    for (size_t i = 0; i < s->collections.n; i++)
        if (class_equal(s->collections.at[i], c))
            return;
    vec_push(&s->collections, c);
}

/* Is some lock of this class held as one of a collection? One is enough. */
static bool holds_some(const struct solver *s, const struct world *w, const struct world *old, term lock)
{
    const struct object_class class = term_class(&s->t, lock);

    for (uint32_t i = 0; i < w->n_held; i++)
        if (s->t.recs[w->held[i].lock].op == TERM_SOME && class_equal(class, term_class(&s->t, w->held[i].lock)))
            return true;
    for (uint32_t i = 0; i < old->n_held; i++)
        if (s->t.recs[old->held[i].lock].op == TERM_SOME && class_equal(class, term_class(&s->t, old->held[i].lock)))
            return true;
    return false;
}

/* Prepare w to enter the head again. */
static void next_turn(struct solver *s, struct world *w, uint32_t head)
{
    const ir_block block = s->fr->blocks.first + head;
    const struct world old = *world_copy(&s->arena, w);
    uint32_t n = 0;

    w->n_held = 0;
    for (uint32_t i = 0; i < old.n_held; i++) {
        struct held h = old.held[i];
        if (h.when && varies(s, &old, head, h.when))
            h.when = 0;
        if (varies(s, &old, head, h.lock)) {
            const term as = renamed(s, &old, head, h.lock);
            if (!as)
                note_collection(s, h.lock);
            h.lock = as ? as : term_make(&s->t, TERM_SOME, h.lock, 0, 0);
            if (!as && (h.mode == HELD_RELEASED || holds_some(s, w, &old, h.lock)))
                continue;
            if (world_held(w, h.lock))
                continue;
        }
        (void)world_add_held(&s->arena, w, &h);
    }
    for (uint32_t i = 0; i < old.n_facts; i++) /* facts about values that go on under a phi's name are found by the merge */
        if (!varies(s, &old, head, old.facts[i].of))
            w->facts[n++] = old.facts[i];
    w->n_facts = n;
    for (uint32_t i = n = 0; i < old.n_cells; i++) {
        const struct cell c = old.cells[i];
        term value = c.value;
        if (varies(s, &old, head, c.at))
            continue;
        if (value && varies(s, &old, head, value)) {
            const struct range r = world_range(&s->t, &old, value);
            value = term_make(&s->t, TERM_PHI, block, c.at, 0);
            w->cells[n++] = (struct cell){c.at, value};
            w->n_cells = n;
            if (!range_is_all(r) && r.lo == r.hi)
                (void)world_narrow(&s->arena, &s->t, w, value, r);
            continue;
        }
        w->cells[n++] = (struct cell){c.at, value};
    }
    w->n_cells = n;
    for (uint32_t i = 0; i < w->n_owned; i++)
        if (varies(s, &old, head, w->owned[i])) {
            w->owned[i] = w->owned[--w->n_owned];
            i--;
        }
    for (uint32_t i = n = 0; i < w->n_gone; i++)
        if (!varies(s, &old, head, w->gone[i].lock))
            w->gone[n++] = w->gone[i];
    w->n_gone = n;
}

/* ---- the fixpoint ---- */
/* Do they know different things of a value on which a call decided whether to lock? Merged, `if (b) lock_if_shared(); …
 * if (b) unlock_if_shared();` would be lost. */
static bool decided_differently(const struct solver *s, const struct world *a, const struct world *b)
{
    for (size_t i = 0; i < s->decisive.n; i++)
        if (!range_equal(world_range(&s->t, a, s->decisive.at[i]), world_range(&s->t, b, s->decisive.at[i])))
            return true;
    return false;
}

static void queue(struct solver *s, struct block_state *b, struct world *w)
{
    w->dirty = b->queued = true;
    if (b->order < s->next_queued)
        s->next_queued = b->order;
}

static void enter(struct solver *s, uint32_t to, struct world *w)
{
    struct block_state *b = &s->blocks[to];
    const ir_block block = s->fr->blocks.first + to;
    const bool widen = b->visits > 6;

    for (uint32_t i = 0; i < b->n_worlds; i++)
        if (world_same_locks(b->worlds[i], w) &&
            (b->n_worlds >= MAX_WORLDS / 2 || b->visits > 20 || !decided_differently(s, b->worlds[i], w))) {
            if (world_merge(&s->arena, &s->t, b->worlds[i], w, block, widen, false))
                queue(s, b, b->worlds[i]);
            return;
        }
    if (b->n_worlds >= MAX_WORLDS || b->visits > 40) {
        s->p->worlds_merged++;
        if (b->n_worlds) {
            if (world_merge(&s->arena, &s->t, b->worlds[0], w, block, true, true))
                queue(s, b, b->worlds[0]);
            return;
        }
    }
    if (b->n_worlds == b->cap_worlds) {
        struct world **more = arena_array(&s->arena, struct world *, b->cap_worlds ? b->cap_worlds * 2 : 4);
        if (b->n_worlds)
            memcpy(more, b->worlds, b->n_worlds * sizeof(struct world *));
        b->worlds = more;
        b->cap_worlds = b->cap_worlds ? b->cap_worlds * 2 : 4;
    }
    queue(s, b, w);
    b->worlds[b->n_worlds++] = w;
}

/* Locks that move on with a variable (hand over hand) give a new world in every turn: after some, name them by the phi. */
static void generalise(struct solver *s, struct world *w, uint32_t head)
{
    const struct block_state *b = &s->blocks[head];
    const ir_block block = s->fr->blocks.first + head;

    for (uint32_t i = 0; i < w->n_held; i++) {
        struct held h = w->held[i];
        term at = 0, value = 0, phi;
        for (uint32_t k = 0; k < w->n_cells; k++) {
            const struct cell c = w->cells[k];
            int64_t number;
            if (s->t.recs[c.at].op == TERM_LOCAL && c.value && c.value > value && term_mentions(&s->t, h.lock, c.value) &&
                !term_is_const(&s->t, c.value, &number) && world_load(&s->t, b->worlds[0], c.at) != c.value) {
                at = c.at;
                value = c.value;
            }
        }
        phi = at ? term_make(&s->t, TERM_PHI, block, at, 0) : 0;
        if (!at || phi == value)
            continue;
        h.lock = term_replace(&s->t, h.lock, value, phi);
        if (world_held(w, h.lock))
            continue;
        world_drop_held(&s->arena, w, &w->held[i], 0);
        (void)world_add_held(&s->arena, w, &h);
        world_set(&s->arena, w, at, phi);
        i = UINT32_MAX; /* sorted anew */
    }
}

static void follow(struct solver *s, uint32_t from, uint32_t succ, struct world *w)
{
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + from];
    const uint32_t to = s->u->succs[b->succs.first + succ].block - s->fr->blocks.first;

    if (b->succs.count > 1) {
        struct trail *t = arena_new(&s->arena, struct trail);
        *t = (struct trail){w->trail, s->fr->blocks.first + from, succ, w->trail ? w->trail->depth + 1 : 1};
        w->trail = t;
    }
    if (s->blocks[to].loop && s->blocks[to].order <= s->blocks[from].order) {
        bool known = false;
        next_turn(s, w, to);
        for (uint32_t i = 0; i < s->blocks[to].n_worlds; i++)
            known |= world_same_locks(s->blocks[to].worlds[i], w);
        if (!known && s->blocks[to].n_worlds >= 3)
            generalise(s, w, to);
    }
    enter(s, to, w);
}

static int64_t case_value(const uint32_t v[2])
{
    return (int64_t)((uint64_t)v[1] << 32 | v[0]);
}

static bool take_case(struct solver *s, struct world *w, const struct ir_block_rec *b, uint32_t succ, term value)
{
    const struct ir_succ_rec *sr = &s->u->succs[b->succs.first + succ];
    const struct range known = world_range(&s->t, w, value);

    if (!(sr->flags & IR_SUCC_DEFAULT))
        return world_narrow(&s->arena, &s->t, w, value,
                            (struct range){case_value(sr->lo), case_value(sr->hi), case_value(sr->lo) > 0});
    for (uint32_t i = 0; i < b->succs.count; i++) {
        const struct ir_succ_rec *other = &s->u->succs[b->succs.first + i];
        if (i == succ || other->flags & IR_SUCC_DEFAULT)
            continue;
        if (known.lo >= case_value(other->lo) && known.hi <= case_value(other->hi))
            return false;
        if (case_value(other->lo) <= 0 && case_value(other->hi) >= 0 &&
            !world_narrow(&s->arena, &s->t, w, value, range_when(IR_B_NE, 0)))
            return false;
    }
    return true;
}

static void leave(struct solver *s, uint32_t from, struct world *w)
{
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + from];
    const ir_event last = b->events.count ? b->events.first + b->events.count - 1 : s->first_event;
    uint32_t n = 0;
    term cond = 0;

    if (b->cond && b->succs.count)
        cond = eval(s, w, b->cond, last);
    for (uint32_t i = 0; i < w->n_cells; i++) { /* temps that no other block uses */
        const struct term_rec r = s->t.recs[w->cells[i].at];
        if (r.op == TERM_LOCAL && r.a >= s->fr->locals.first && r.a - s->fr->locals.first < s->fr->locals.count &&
            s->temp_home[r.a - s->fr->locals.first] == from + 1)
            continue;
        w->cells[n++] = w->cells[i];
    }
    w->n_cells = n;
    if (s->recording)
        return;
    for (uint32_t i = 0; i < b->succs.count; i++) {
        struct world *out = i + 1 < b->succs.count ? world_copy(&s->arena, w) : w;
        if (b->term == IR_TERM_BRANCH && b->succs.count == 2 && !world_assume(&s->arena, &s->t, out, cond, i == 0))
            continue;
        if (b->term == IR_TERM_SWITCH && !take_case(s, out, b, i, cond))
            continue;
        follow(s, from, i, out);
    }
}

static void run_block(struct solver *s, uint32_t block)
{
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + block];
    struct block_state *state = &s->blocks[block];
    const uint32_t n = state->n_worlds;

    for (uint32_t i = 0; i < n; i++) {
        struct world *w = state->worlds[i];
        if (!w->dirty && !s->recording)
            continue;
        w->dirty = false;
        vec_clear(&s->now);
        vec_push(&s->now, world_copy(&s->arena, w));
        for (uint32_t k = 0; k < b->events.count && s->now.n; k++) {
            vec_clear(&s->next);
            for (size_t j = 0; j < s->now.n; j++)
                transfer_event(s, s->now.at[j], b->events.first + k);
            vec_clear(&s->now);
            vec_append(&s->now, s->next.at, s->next.n);
        }
        for (size_t j = 0; j < s->now.n; j++)
            leave(s, block, s->now.at[j]);
    }
}

static term load_entry(void *data, term at)
{
    struct solver *s = data;

    return term_make(&s->t, TERM_LOAD, at, 0, 0);
}

/* What the function's annotations say is held when it is called. */
static void enter_annotated(struct solver *s, struct world *w)
{
    for (uint32_t i = 0; i < s->fr->annots.count; i++) {
        const struct ir_annot_rec *a = &s->u->annots[s->fr->annots.first + i];
        const bool released = a->kind == IR_A_releases;
        struct lock_context context = lock_context_of(s->u, LOCK_IN_FUNCTION, s->lf->func);
        struct lock_list list = {NULL, 0, {RESULT_ANY, 0}};
        const char *why;
        if (a->kind != IR_A_requires && a->kind != IR_A_requires_shared && !released)
            continue;
        if (s->p->options.whole) {
            context.complete = program_complete;
            context.data = s->p;
        }
        if (lock_expr_annotation(&context, &s->arena, a, &list, &why) != LOCK_RESOLVED)
            continue;
        for (uint32_t k = 0; k < list.n_paths; k++) {
            const struct lock_path *path = &list.paths[k];
            struct held h;
            term root = 0;
            memset(&h, 0, sizeof h);
            if (path->root == LOCK_AT_PARAM)
                root = term_make(&s->t, TERM_LOCAL, s->fr->params.first + path->index, 0, 0);
            else if (path->root == LOCK_AT_VAR && s->lu->globals[path->var])
                root = term_make(&s->t, TERM_GLOBAL, s->lu->globals[path->var], 0, 0);
            else if (path->root == LOCK_AT_TOKEN)
                h.lock = term_make(&s->t, TERM_TOKEN, intern_string(&s->p->names, path->name), 0, 0);
            if (root)
                h.lock = lock_path_term(s->p, &s->t, path, root, load_entry, s);
            if (!h.lock || world_held(w, h.lock) || path->complement)
                continue;
            h.mode = a->kind == IR_A_requires_shared ? HELD_SHARED : HELD_EXCLUSIVE;
            h.flags = HELD_ENTRY;
            h.count = 1;
            h.in_func = s->func;
            (void)world_add_held(&s->arena, w, &h);
        }
    }
}

static void reset(struct solver *s, uint32_t func)
{
    term_table_clear(&s->t);
    arena_reset(&s->arena);
    map64_clear(&s->hints);
    vec_clear(&s->keys);
    vec_clear(&s->exits);
    vec_clear(&s->pending);
    vec_clear(&s->unlocks);
    vec_clear(&s->taken);
    vec_clear(&s->retired);
    vec_clear(&s->decisive);
    vec_clear(&s->collections);
    vec_clear(&s->requirements);
    vec_clear(&s->inner);
    order_begin(s);
    vec_clear(&s->waits);
    vec_clear(&s->waits_seen);
    vec_clear(&s->inits);
    vec_clear(&s->destroys);
    s->func = func;
    s->lf = &s->p->funcs.at[func];
    s->lu = s->lf->unit;
    s->u = s->lu->unit;
    s->fr = &s->u->funcs[s->lf->func];
    s->s = s->lf->summary;
    s->n_blocks = s->fr->blocks.count;
    s->blocks = arena_array(&s->arena, struct block_state, s->n_blocks);
    s->next_queued = 0;
    s->recording = s->gave_up = false;
}

/* Returns false when it had to be given up. */
static bool solve_function(struct solver *s, uint32_t func)
{
    struct world *entry;
    uint32_t rounds = 0;

    reset(s, func);
    order_blocks(s);
    find_loops(s);
    scan_events(s);
    entry = world_new(&s->arena);
    entry->spawned = strcmp(s->lf->name, "main") != 0 || !s->p->has_spawn;
    enter_annotated(s, entry);
    enter(s, 0, entry);
    for (;;) { /* always the first block in order that waits */
        while (s->next_queued < s->n_order && !s->blocks[s->by_order[s->next_queued]].queued)
            s->next_queued++;
        if (s->next_queued == s->n_order)
            break;
        if (++rounds > 100 * s->n_order + 1000) {
            s->gave_up = true;
            break;
        }
        const uint32_t block = s->by_order[s->next_queued++];
        s->blocks[block].queued = false;
        s->blocks[block].visits++;
        run_block(s, block);
    }
    if (s->gave_up)
        return false;
    s->recording = true;
    habit_begin(s);
    for (uint32_t i = 0; i < s->n_order; i++)
        run_block(s, s->by_order[i]);
    finish_function(s);
    order_finish(s);
    habit_finish(s);
    return true;
}

/* ---- functions that hold nothing ---- */
static bool mentions_param(const struct solver *s, ir_expr e)
{
    const struct ir_expr_rec *r = &s->u->exprs[e];

    switch (r->op) {
    case IR_E_VAR: return s->u->vars[r->a].kind == IR_V_PARAM;
    case IR_E_LOAD: /* a plain parameter; what it points to is not the callers' word */
        return s->u->exprs[r->a].op == IR_E_VAR && s->u->vars[s->u->exprs[r->a].a].kind == IR_V_PARAM;
    case IR_E_UNARY: case IR_E_CAST: return mentions_param(s, r->a);
    case IR_E_BINARY: return mentions_param(s, r->a) || mentions_param(s, r->b);
    default: return false;
    }
}

/* Hand on what callees take, initialise or destroy, without worlds: parameters are what they were at entry unless they are
 * stored to. Where a branch asks a parameter, only what comes before any branch is sure. */
static void solve_lightly(struct solver *s, uint32_t func)
{
    struct world *w;
    bool asks = false;
    uint32_t block = 0;

    reset(s, func);
    w = world_new(&s->arena);
    for (uint32_t b = 0; b < s->n_blocks; b++) {
        const struct ir_block_rec *br = &s->u->blocks[s->fr->blocks.first + b];
        asks |= br->cond && mentions_param(s, br->cond);
        for (uint32_t k = 0; k < br->events.count; k++) {
            const struct ir_event_rec *ev = &s->u->events[br->events.first + k];
            if ((ev->op == IR_EV_STORE || ev->op == IR_EV_CALL) && ev->a && s->u->exprs[ev->a].op == IR_E_VAR &&
                s->u->vars[s->u->exprs[ev->a].a].kind == IR_V_PARAM)
                world_set(&s->arena, w, term_make(&s->t, TERM_LOCAL, s->u->exprs[ev->a].a, 0, 0),
                          term_make(&s->t, TERM_FRESH, br->events.first + k, 0, 0));
        }
    }
    s->recording = true;
    for (uint32_t n = 0; n < s->n_blocks; n++) {
        const struct ir_block_rec *br = &s->u->blocks[s->fr->blocks.first + block];
        for (uint32_t k = 0; k < br->events.count; k++)
            if (s->u->events[br->events.first + k].op == IR_EV_CALL)
                pass_on_call(s, w, br->events.first + k);
        if (!asks)
            block = n + 1;
        else if (br->term == IR_TERM_GOTO)
            block = s->u->succs[br->succs.first].block - s->fr->blocks.first;
        else
            break;
    }
    finish_lightly(s);
}

static bool calls_annotated_pointer(const struct unit *u, const struct ir_func_rec *fr)
{
    for (uint32_t b = fr->blocks.first; b < fr->blocks.first + fr->blocks.count; b++)
        for (uint32_t i = 0; i < u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &u->events[u->blocks[b].events.first + i];
            ir_expr e = ev->b;
            ir_type t;
            if (ev->op != IR_EV_CALL || u->exprs[e].op == IR_E_FUNC)
                continue;
            while (u->exprs[e].op == IR_E_CAST || u->exprs[e].op == IR_E_LOAD || u->exprs[e].op == IR_E_DEREF)
                e = u->exprs[e].a;
            if (u->exprs[e].op == IR_E_FIELD && u->fields[u->exprs[e].b].annots.count)
                return true;
            if (u->exprs[e].op == IR_E_VAR && u->vars[u->exprs[e].a].annots.count)
                return true;
            for (t = u->exprs[e].type; t; t = u->types[t].elem) {
                if (u->types[t].kind == IR_T_TYPEDEF && u->types[t].annots.count)
                    return true;
                if (u->types[t].kind != IR_T_TYPEDEF && u->types[t].kind != IR_T_QUALIFIED && u->types[t].kind != IR_T_POINTER)
                    break;
            }
        }
    return false;
}

/* Is there anything about locks in it? Most functions have none, and worlds are expensive. *passes: but callees have. */
static bool matters(const struct program *p, uint32_t func, bool *passes)
{
    const struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->func];
    const ir_type result = type_plain(u, u->types[type_plain(u, fr->type)].elem);

    if (fr->flags & IR_FF_INITIALISERS)
        return false;
    for (uint32_t i = 0; i < f->n_edges; i++) {
        const struct summary *sum = p->funcs.at[p->edges.at[f->first_edge + i].callee].summary;
        if (!sum)
            continue;
        if (sum->n_requirements || sum->n_waits)
            return true;
        *passes |= sum->n_inner || sum->n_inits || sum->n_destroys;
        for (uint32_t k = 0; k < sum->n_outcomes; k++)
            if (sum->outcomes[k].n_effects)
                return true;
    }
    if (fr->annots.count || calls_annotated_pointer(u, fr))
        return true;
    if (fr->blocks.count <= 12 && fr->params.count && u->types[result].kind == IR_T_POINTER)
        return true; /* may return a part of its argument */
    return false;
}

static bool *functions_with_guarded(struct program *p);

/* Functions that call each other are solved so often: each time with better summaries of the others. */
#define ROUNDS 3

/* What an earlier round said of the function. */
static void forget_problems(struct program *p, uint32_t func)
{
    for (size_t i = p->locks->problems.n; i-- > 1;)
        if (p->locks->problems.at[i].func == func)
            p->locks->problems.at[i].dropped = true;
}

static void solve_component(struct solver *s, const uint32_t *funcs, size_t n, const bool *guarded, bool *solved)
{
    struct program *p = s->p;

    for (int left = p->funcs.at[funcs[0]].recursive ? ROUNDS : 1; left--;) {
        p->locks->round++;
        for (size_t i = 0; i < n; i++) {
            bool passes = false;
            forget_problems(p, funcs[i]);
            if (matters(p, funcs[i], &passes) || guarded[funcs[i]])
                solved[funcs[i]] = solve_function(s, funcs[i]);
            else if (passes)
                solve_lightly(s, funcs[i]);
        }
    }
}

/* A summary without what solving locks says. */
static void forget_function(struct program *p, uint32_t func)
{
    struct summary *s = p->funcs.at[func].summary;

    s->n_outcomes = s->n_requirements = s->n_inner = s->n_waits = s->n_inits = s->n_destroys = s->n_orders = 0;
    s->returns = 0;
    s->never_returns = p->funcs.at[func].noreturn;
    forget_problems(p, func);
    order_forget(p, func);
    for (size_t i = 1; i < p->locks->candidates.n; i++) {
        struct candidate *c = &p->locks->candidates.at[i];
        size_t k = 0;
        for (size_t j = 0; j < c->pairs.n; j++)
            if (c->pairs.at[j] != func)
                c->pairs.at[k++] = c->pairs.at[j];
        c->pairs.n = k;
        c->paired = k != 0;
        if (c->func == func) {
            vec_clear(&c->problems);
            vec_clear(&c->bad_calls);
            c->stale = true;
        }
    }
    for (size_t i = 0; i < p->locks->waits.n; i++)
        if (p->locks->waits.at[i].func == func)
            p->locks->waits.at[i--] = p->locks->waits.at[--p->locks->waits.n];
}

/* Mistakes found by judging are taken out of their functions' summaries, and whatever stands on these is solved again: a
 * forgotten unlock is said once, not at every caller. */
static bool solve_again(struct solver *s, const bool *guarded, bool *solved)
{
    struct program *p = s->p;
    bool *again = xcalloc(p->funcs.n, sizeof *again);
    const bool any = program_condemn(p, again);

    for (size_t i = 0; any && i < p->order.n; i++) /* callees come first */
        for (uint32_t k = 0; again[p->order.at[i]] && k < p->funcs.at[p->order.at[i]].n_callers; k++)
            again[p->edges.at[p->funcs.at[p->order.at[i]].callers[k]].caller] = true;
    for (size_t i = 0; any && i < p->order.n; i++)
        if (again[p->order.at[i]])
            forget_function(p, p->order.at[i]);
    for (size_t i = 0; any && i < p->order.n;) {
        size_t end = i;
        bool some = false;
        while (end < p->order.n && p->funcs.at[p->order.at[end]].scc == p->funcs.at[p->order.at[i]].scc)
            some |= again[p->order.at[end++]];
        if (some)
            solve_component(s, p->order.at + i, end - i, guarded, solved);
        i = end;
    }
    free(again);
    return any;
}

void program_solve_locks(struct program *p)
{
    struct solver s;
    bool *guarded = functions_with_guarded(p), *solved = xcalloc(p->funcs.n, sizeof *solved);

    memset(&s, 0, sizeof s);
    s.p = p;
    p->locks = arena_new(&p->arena, struct lock_facts);
    (void)vec_add(&p->locks->problems);
    (void)vec_add(&p->locks->candidates);
    for (size_t i = 0; i < p->order.n;) {
        size_t end = i;
        while (end < p->order.n && p->funcs.at[p->order.at[end]].scc == p->funcs.at[p->order.at[i]].scc)
            end++;
        solve_component(&s, p->order.at + i, end - i, guarded, solved);
        i = end;
    }
    for (int round = 0; round < 2 && solve_again(&s, guarded, solved); round++)
        ;
    program_find_habits(p, solved);
    free(solved);
    free(guarded);
    term_table_free(&s.t);
    arena_free(&s.arena);
    map64_free(&s.hints);
    vec_free(&s.keys);
    vec_free(&s.now);
    vec_free(&s.next);
    vec_free(&s.exits);
    vec_free(&s.pending);
    vec_free(&s.unlocks);
    vec_free(&s.taken);
    vec_free(&s.retired);
    vec_free(&s.decisive);
    vec_free(&s.collections);
    vec_free(&s.requirements);
    vec_free(&s.inner);
    vec_free(&s.waits);
    vec_free(&s.waits_seen);
    vec_free(&s.inits);
    vec_free(&s.destroys);
    vec_free(&s.orders);
}

static bool touches_guarded(const struct program *p, const struct linked_unit *lu, ir_expr e)
{
    const struct unit *u = lu->unit;

    for (;;) {
        const struct ir_expr_rec *r = &u->exprs[e];
        switch (r->op) {
        case IR_E_VAR: return lu->globals[r->a] && (p->globals.at[lu->globals[r->a]].guard || p->globals.at[lu->globals[r->a]].pointee_guard);
        case IR_E_FIELD:
            if (p->fields.at[lu->fields[r->b]].guard || p->fields.at[lu->fields[r->b]].pointee_guard)
                return true;
            e = r->a;
            break;
        case IR_E_DEREF: case IR_E_LOAD: case IR_E_ADDR: case IR_E_UNARY: case IR_E_CAST: {
            const ir_type st = type_struct(u, r->type); /* *d = *s */
            if (st && lu->structs[st] && (r->op == IR_E_LOAD || r->op == IR_E_DEREF)) {
                const struct linked_struct *ls = &p->structs.at[lu->structs[st]];
                for (uint32_t i = 0; i < ls->n_fields; i++)
                    if (p->fields.at[ls->first_field + i].guard)
                        return true;
            }
            e = r->a;
            break;
        }
        case IR_E_INDEX: case IR_E_BINARY:
            if (touches_guarded(p, lu, r->b))
                return true;
            e = r->a;
            break;
        default: return false;
        }
    }
}

/* By linked_func: is guarded data touched in it? A pointer to a struct with guards that is handed on counts (memset). */
static bool *functions_with_guarded(struct program *p)
{
    bool *found = xcalloc(p->funcs.n, sizeof *found);
    bool any = false;

    for (size_t i = 1; i < p->fields.n; i++)
        any |= p->fields.at[i].guard || p->fields.at[i].pointee_guard;
    for (size_t i = 1; i < p->globals.n; i++)
        any |= p->globals.at[i].guard || p->globals.at[i].pointee_guard;
    if (!any)
        return found;
    for (size_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        const struct unit *u = lf->unit->unit;
        const struct ir_func_rec *fr = &u->funcs[lf->func];
        if (!lf->defined || fr->flags & IR_FF_INITIALISERS)
            continue;
        for (uint32_t b = fr->blocks.first; b < fr->blocks.first + fr->blocks.count && !found[f]; b++) {
            if (u->blocks[b].cond && touches_guarded(p, lf->unit, u->blocks[b].cond))
                found[f] = true;
            for (uint32_t k = 0; k < u->blocks[b].events.count && !found[f]; k++) {
                const struct ir_event_rec *ev = &u->events[u->blocks[b].events.first + k];
                if (ev->op == IR_EV_BEGIN || ev->op == IR_EV_END)
                    continue;
                found[f] = touches_guarded(p, lf->unit, ev->a) ||
                           ((ev->op == IR_EV_STORE || ev->op == IR_EV_ATOMIC) && touches_guarded(p, lf->unit, ev->b));
                for (uint32_t j = 0; j < ev->args.count && !found[f]; j++) {
                    ir_expr arg = u->expr_refs[ev->args.first + j];
                    while (u->exprs[arg].op == IR_E_CAST)
                        arg = u->exprs[arg].a;
                    const ir_type t = type_plain(u, u->exprs[arg].type);
                    const ir_type st = u->types[t].kind == IR_T_POINTER ? type_struct(u, u->types[t].elem) : 0;
                    found[f] = touches_guarded(p, lf->unit, arg);
                    if (st && lf->unit->structs[st])
                        for (uint32_t i = 0; i < p->structs.at[lf->unit->structs[st]].n_fields; i++)
                            found[f] |= p->fields.at[p->structs.at[lf->unit->structs[st]].first_field + i].guard != NULL;
                }
            }
        }
    }
    return found;
}
