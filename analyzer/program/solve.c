/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Runs worlds through a function's blocks until nothing changes, then once more to record what was seen.
 * Stands on solver.h. Blocks are run in reverse postorder; next_turn.c says what a back edge does. */
#include "habits.h"
#include "kept_moves.h"
#include "lock_order.h"
#include "relock.h"
#include "ways.h"

#include <string.h>

/* Do they know different things of a value on which a call decided whether to lock? Merged, `if (b) lock_if_shared(); …
 * if (b) unlock_if_shared();` would be lost. */
static bool decided_differently(const struct solver *s, const struct world *a, const struct world *b) {
    for (size_t i = 0; i < s->decisive.n; i++)
        if (!range_equal(world_range(&s->t, a, s->decisive.at[i]), world_range(&s->t, b, s->decisive.at[i])))
            return true;
    return false;
}

static void queue(struct solver *s, struct block_state *b, struct world *w) {
    w->dirty = b->queued = true;
    if (b->order < s->next_queued)
        s->next_queued = b->order;
}

/* Does a cell hold what it cannot in the other world? */
static bool remembers(struct solver *s, const struct world *failed, const struct world *sound) {
    for (uint32_t i = 0; i < failed->n_cells; i++) {
        const struct cell c = failed->cells[i];
        const struct range there = world_range(&s->t, sound, world_load(&s->t, sound, c.at));
        if (range_is_empty(range_meet(world_range(&s->t, failed, c.value), there)))
            return true;
    }
    return false;
}

/* A blocking lock call failed on the one way, and the program goes on as where it worked: `if ((e = lock(mu)) != 0) log(e);`. Such a
 * failure draws no line: every way from the call leads here, nothing is remembered of it, and the other world holds what is missing. */
static bool only_failed(struct solver *s, uint32_t to, const struct world *failed,
                        const struct world *sound) {
    uint32_t missing = 0;

    if (!failed->failed || sound->n_held <= failed->n_held)
        return false;
    for (uint32_t i = 0; i < sound->n_held; i++) {
        const struct held *h = &sound->held[i], *there = world_held(failed, h->lock);
        bool doubted = false;
        if (there && there->mode == h->mode && there->count == h->count)
            continue;
        for (uint32_t k = 0; !there && k < failed->n_gone; k++) {
            const struct held *g = &failed->gone[k];
            doubted |= g->lock == h->lock && g->mode == HELD_DOUBTED && g->as == h->mode && g->event &&
                       every_way_rejoins(s->u, s->fr, s->event_block[g->event - s->first_event], to);
        }
        if (!doubted)
            return false;
        missing++;
    }
    return sound->n_held == failed->n_held + missing && !remembers(s, failed, sound);
}

/* Is w only a lock call's failure beside a world that is here? Those that are beside w are taken out. */
static bool is_only_failed(struct solver *s, uint32_t to, const struct world *w) {
    struct block_state *b = &s->blocks[to];
    uint32_t n = 0;

    for (uint32_t i = 0; i < b->n_worlds; i++)
        if (only_failed(s, to, w, b->worlds[i]))
            return true;
    for (uint32_t i = 0; i < b->n_worlds; i++)
        if (!only_failed(s, to, b->worlds[i], w))
            b->worlds[n++] = b->worlds[i];
    b->n_worlds = n;
    return false;
}

static void enter(struct solver *s, uint32_t to, struct world *w) {
    struct block_state *b = &s->blocks[to];
    const ir_block block = s->fr->blocks.first + to;
    const bool widen = b->visits > 6;

    if (is_only_failed(s, to, w))
        return;
    for (uint32_t i = 0; i < b->n_worlds; i++)
        if (world_same_locks(b->worlds[i], w) &&
            (b->n_worlds >= s->most_apart || b->visits > 20 ||
             !(decided_differently(s, b->worlds[i], w) ||
               (!b->loop && chose_differently(s, b->worlds[i], w))))) { /* a loop's variable goes on as one */
            if (world_merge(&s->arena, &s->t, b->worlds[i], w, block, widen, false))
                queue(s, b, b->worlds[i]);
            return;
        }
    if (b->n_worlds >= s->most_worlds || b->visits > 40) {
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
    b->worlds[b->n_worlds++] = w = world_rest(&s->arena, w);
    queue(s, b, w);
}

/* Locks that move on with a variable (hand over hand) give a new world in every turn: after some, name them by the phi. */
static void generalise(struct solver *s, struct world *w, uint32_t head) {
    const struct block_state *b = &s->blocks[head];
    const ir_block block = s->fr->blocks.first + head;

    for (uint32_t i = 0; i < w->n_held; i++) {
        struct held h = w->held[i];
        term at = 0, value = 0, phi;
        for (uint32_t k = 0; k < w->n_cells; k++) {
            const struct cell c = w->cells[k];
            int64_t number;
            if (s->t.recs[c.at].op == TERM_LOCAL && c.value && c.value > value &&
                term_mentions(&s->t, h.lock, c.value) && !term_is_const(&s->t, c.value, &number) &&
                world_load(&s->t, b->worlds[0], c.at) != c.value) {
                at = c.at;
                value = c.value;
            }
        }
        phi = at ? term_phi(&s->t, block, at) : 0;
        if (!at || phi == value)
            continue;
        h.lock = term_replace(&s->t, h.lock, value, phi);
        if (world_held(w, h.lock))
            continue;
        world_drop_held(&s->scratch, w, &w->held[i], 0);
        (void)world_add_held(&s->scratch, w, &h);
        world_set(&s->scratch, w, at, phi);
        if (world_range(&s->t, w, value).nonzero) /* an element with its lock held is none past the last */
            (void)world_narrow(&s->scratch, &s->t, w, phi, range_when(IR_B_NE, 0));
        i = UINT32_MAX; /* sorted anew */
    }
}

static void follow(struct solver *s, uint32_t from, uint32_t succ, struct world *w) {
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

/* A stackless task (kept.h) that waits returns AGLET_PENDING, is called again, and the switch over its frame leads to
 * the await it stopped at, with the locks it held there. So both edges are left out: the await is then a call like any
 * other, which returns when it is done. Else what is held across an await would leak there, and be missing behind it. */
static bool is_suspension(const struct solver *s, const struct ir_block_rec *b, uint32_t succ) {
    const struct ir_succ_rec *to = &s->u->succs[b->succs.first + succ];

    if (!s->frame)
        return false;
    if (b->term == IR_TERM_SWITCH)
        return kept_from_frame(s->u, b->cond, s->frame) && !(to->flags & IR_SUCC_DEFAULT) &&
               (to->lo[0] || to->lo[1]);
    const struct ir_expr_rec *test = &s->u->exprs[b->cond];
    if (b->term != IR_TERM_BRANCH || succ != 0 || test->op != IR_E_BINARY || test->c != IR_B_EQ)
        return false;
    const struct ir_expr_rec *value = &s->u->exprs[test->b];
    return value->op == IR_E_CONST && value->a == 0x80000000u && value->b == UINT32_MAX; /* AGLET_PENDING */
}

/* Does nothing read the cell after the block? */
static bool is_dead_temp(const struct solver *s, const uint64_t *live, term at) {
    const struct term_rec *r = &s->t.recs[at];
    const uint32_t local = r->a - s->fr->locals.first;
    const uint32_t temp = r->op == TERM_LOCAL && r->a >= s->fr->locals.first && local < s->fr->locals.count
                              ? s->temp[local]
                              : 0;

    return temp && (temp < TEMP_SHARED || !in_set(live, temp - TEMP_SHARED));
}

static void leave(struct solver *s, uint32_t from, struct world *w) {
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + from];
    const ir_event last = b->events.count ? b->events.first + b->events.count - 1 : s->first_event;
    term cond = 0;

    s->now_at = b->events.count ? last : 0;
    if (b->cond && b->succs.count)
        cond = eval(s, w, b->cond, last);
    if (s->recording)
        return;
    if (cond && s->decides[from]) {
        const struct term_rec r = s->t.recs[cond];
        int64_t v;
        const term asked =
            r.op == TERM_BINARY && r.c >= IR_B_EQ && r.c <= IR_B_GE && term_is_const(&s->t, r.b, &v) ? r.a
                                                                                                     : cond;
        if (s->decisive.n < 8 && !term_in(s->decisive.at, s->decisive.n, asked))
            vec_push(&s->decisive, asked);
    }
    WORLD_DROP(&s->scratch, w, cells, c, is_dead_temp(s, s->blocks[from].live, c.at));
    drop_dead_facts(s, w, cond);
    for (uint32_t i = 0; i < b->succs.count; i++) {
        struct world *out = i + 1 < b->succs.count ? world_copy(&s->scratch, w) : w;
        if (is_suspension(s, b, i))
            continue;
        if (b->term == IR_TERM_BRANCH && b->succs.count == 2 &&
            !world_assume(&s->scratch, &s->t, out, cond, i == 0))
            continue;
        if (s->asks_flags[from] && !some_caller_leads_here(s, out))
            continue; /* before it meets the worlds that some caller asks for */
        if (b->term == IR_TERM_BRANCH && i == 1)
            end_counting(s, from, out);
        if (b->term == IR_TERM_SWITCH && !take_case(s, out, b, i, cond))
            continue;
        if (s->n_levels)
            do_levels(s, out, from, i, last);
        follow(s, from, i, out);
    }
}

static void run_block(struct solver *s, uint32_t block) {
    const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + block];
    struct block_state *state = &s->blocks[block];
    const uint32_t n = state->n_worlds;

    for (uint32_t i = 0; i < n; i++) {
        struct world *w = state->worlds[i];
        if (!w->dirty && !s->recording)
            continue;
        w->dirty = false;
        vec_clear(&s->now);
        vec_push(&s->now, world_copy(&s->scratch, w));
        for (uint32_t k = 0; k < b->events.count && s->now.n; k++) {
            vec_clear(&s->next);
            for (size_t j = 0; j < s->now.n; j++)
                transfer_event(s, s->now.at[j], b->events.first + k);
            vec_clear(&s->now);
            vec_append(&s->now, s->next.at, s->next.n);
        }
        for (size_t j = 0; j < s->now.n; j++)
            leave(s, block, s->now.at[j]);
        if (!s->recording)
            arena_reset(&s->scratch);
    }
}

static term load_entry(void *data, term at) {
    struct solver *s = data;

    return term_load(&s->t, at, 0);
}

/* What the function's annotations say is held when it is called. */
static void enter_annotated(struct solver *s, struct world *w) {
    for (uint32_t i = 0; i < s->fr->annots.count; i++) {
        const struct ir_annot_rec *a = &s->u->annots[s->fr->annots.first + i];
        const bool released = a->kind == IR_A_releases;
        struct lock_context context = program_context(s->p, s->u, LOCK_IN_FUNCTION, s->lf->func);
        struct lock_list list = {NULL, 0, {RESULT_ANY, 0}};
        const char *why;
        if (a->kind != IR_A_requires && a->kind != IR_A_requires_shared && !released)
            continue;
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
            (void)world_add_held(&s->scratch, w, &h);
        }
    }
}

void solver_at(struct solver *s, uint32_t func) {
    s->func = func;
    s->lf = &s->p->funcs.at[func];
    s->lu = s->t.unit = s->lf->unit;
    s->u = s->lu->unit;
    s->fr = &s->u->funcs[s->lf->func];
    s->frame = func_frame(s->u, s->fr);
    s->levels = level_edges(s->p, func, &s->n_levels);
    s->s = s->lf->summary;
}

void solver_reset(struct solver *s, uint32_t func) {
    term_table_clear(&s->t);
    arena_reset(&s->arena);
    arena_reset(&s->scratch);
    map64_clear(&s->hints);
    vec_clear(&s->path_of);
    vec_clear(&s->keys);
    vec_clear(&s->taken);
    vec_clear(&s->retired);
    vec_clear(&s->decisive);
    vec_clear(&s->collections);
    vec_clear(&s->swept);
    solver_at(s, func);
    s->n_blocks = s->fr->blocks.count;
    s->blocks = arena_array(&s->arena, struct block_state, s->n_blocks);
    s->local_places = arena_array(&s->arena, term, s->fr->locals.count);
    s->next_queued = 0;
    s->most_worlds = MAX_WORLDS;
    s->most_apart = MAX_WORLDS / 2;
    s->recording = s->gave_up = s->unkeyed = false;
}

/* What the worlds of one function may take: a thousand times what large functions of real programs do. */
#define MAX_MEMORY ((size_t)1 << 30)

bool solve_function(struct solver *s, uint32_t func) {
    struct world *entry;
    uint32_t rounds = 0;

    solver_reset(s, func);
    order_blocks(s);
    scan_events(s);
    find_steady(s);
    find_choosers(s);
    entry = world_new(&s->scratch);
    entry->spawned = strcmp(s->lf->name, "main") != 0 || !s->p->has_spawn;
    enter_annotated(s, entry);
    find_flags(s, entry);
    enter(s, 0, entry);
    for (;;) { /* always the first block in order that waits */
        while (s->next_queued < s->n_order && !s->blocks[s->by_order[s->next_queued]].queued)
            s->next_queued++;
        if (s->next_queued == s->n_order)
            break;
        if (++rounds > 100 * s->n_order + 1000 || s->arena.total + s->scratch.total > MAX_MEMORY) {
            s->gave_up = true;
            break;
        }
        const uint32_t block = s->by_order[s->next_queued++];
        s->blocks[block].queued = false;
        s->blocks[block].visits++;
        run_block(s, block);
    }
    if (s->gave_up) {
        program_give_up(s->p, func, "the lock rules, being too large");
        return false;
    }
    solver_record(s);
    return true;
}

void solver_record(struct solver *s) {
    vec_clear(&s->exits);
    vec_clear(&s->pending);
    vec_clear(&s->unlocks);
    vec_clear(&s->misread);
    vec_clear(&s->requirements);
    vec_clear(&s->inner);
    vec_clear(&s->waits);
    vec_clear(&s->waits_seen);
    vec_clear(&s->given_up);
    vec_clear(&s->inits);
    vec_clear(&s->destroys);
    vec_clear(&s->destroyed_at);
    vec_clear(&s->noted);
    s->first_wait = s->p->locks->waits.n;
    order_begin(s);
    s->pass++;
    s->recording = true;
    habit_begin(s);
    for (uint32_t i = 0; i < s->n_order; i++)
        run_block(s, s->by_order[i]);
    s->now_at = 0;
    finish_function(s);
    order_finish(s);
    habit_finish(s);
    arena_reset(&s->scratch);
}

void solver_free(struct solver *s) {
    term_table_free(&s->t);
    arena_free(&s->arena);
    arena_free(&s->scratch);
    map64_free(&s->hints);
    map64_free(&s->spared);
    vec_free(&s->marks);
    vec_free(&s->said);
    vec_free(&s->path_of);
    vec_free(&s->keys);
    vec_free(&s->steady);
    vec_free(&s->steady_paths);
    map64_free(&s->setters);
    vec_free(&s->now);
    vec_free(&s->next);
    vec_free(&s->exits);
    vec_free(&s->pending);
    vec_free(&s->unlocks);
    vec_free(&s->misread);
    vec_free(&s->taken);
    vec_free(&s->retired);
    vec_free(&s->decisive);
    vec_free(&s->choosers);
    vec_free(&s->collections);
    vec_free(&s->swept);
    vec_free(&s->requirements);
    vec_free(&s->inner);
    vec_free(&s->waits);
    vec_free(&s->waits_seen);
    vec_free(&s->given_up);
    vec_free(&s->inits);
    vec_free(&s->destroys);
    vec_free(&s->destroyed_at);
    vec_free(&s->orders);
    map64_free(&s->order_of);
    vec_free(&s->noted);
}
