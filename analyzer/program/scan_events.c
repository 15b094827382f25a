/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Before a function is solved: what its events mention, and which temps somebody still reads when a block is left.
 * Stands on solver.h. Macros that parse a buffer make hundreds of temps, and each would be in every world from there on. */
#include "solver.h"

#include "../base/alloc.h"

/* A temp is read or written, in the order of the events. */
struct mention {
    uint32_t temp; /* relative to the function's locals */
    uint32_t block;
    bool written;
};

struct scan {
    struct solver *s;
    uint32_t block;
    struct map64 keys;
    VEC(struct mention) mentions;
};

/* Its number among the function's locals, or UINT32_MAX: no temp. */
static uint32_t temp_of(const struct solver *s, ir_expr e) {
    const struct ir_expr_rec *r = &s->u->exprs[e];
    const uint32_t temp = r->a - s->fr->locals.first;

    return r->op == IR_E_VAR && s->u->vars[r->a].kind == IR_V_TEMP && r->a >= s->fr->locals.first &&
                   temp < s->fr->locals.count
               ? temp
               : UINT32_MAX;
}

static void mention_key(struct scan *x, uint32_t class) {
    bool fresh;

    (void)map64_place(&x->keys, class, &fresh);
    if (fresh)
        vec_push(&x->s->keys, class);
}

static void scan_expr(struct scan *x, ir_expr e) {
    const struct solver *s = x->s;
    const struct ir_expr_rec *r = &s->u->exprs[e];

    switch (r->op) {
    case IR_E_VAR:
        if (s->lu->globals[r->a])
            mention_key(x, s->lu->globals[r->a] << 2 | 2);
        else if (temp_of(s, e) != UINT32_MAX)
            vec_push(&x->mentions, ((struct mention){temp_of(s, e), x->block, false}));
        break;
    case IR_E_FIELD:
        mention_key(x, s->lu->fields[r->b] << 2 | 1);
        scan_expr(x, r->a);
        break;
    case IR_E_DEREF:
    case IR_E_LOAD:
    case IR_E_ADDR:
    case IR_E_UNARY:
    case IR_E_CAST: scan_expr(x, r->a); break;
    case IR_E_INDEX:
    case IR_E_BINARY:
        scan_expr(x, r->a);
        scan_expr(x, r->b);
        break;
    default: break;
    }
}

static void scan_event(struct scan *x, const struct ir_event_rec *ev) {
    const bool stores = ev->op == IR_EV_STORE || ev->op == IR_EV_CALL,
               both = stores || ev->op == IR_EV_ATOMIC;
    const uint32_t written = stores ? temp_of(x->s, ev->a) : UINT32_MAX;

    if (ev->op == IR_EV_BEGIN || ev->op == IR_EV_END)
        return;
    if (written == UINT32_MAX)
        scan_expr(x, ev->a);
    if (both)
        scan_expr(x, ev->b);
    for (uint32_t j = 0; j < ev->args.count; j++)
        scan_expr(x, x->s->u->expr_refs[ev->args.first + j]);
    if (written != UINT32_MAX)
        vec_push(&x->mentions, ((struct mention){written, x->block, true}));
}

/* Numbers the temps that several blocks mention; returns how many there are. */
static uint32_t number_temps(struct solver *s, const struct mention *at, size_t n) {
    uint32_t *home =
        arena_array(&s->scratch, uint32_t, s->fr->locals.count + 1); /* its block + 1, while it is only one */
    uint32_t shared = 0;

    s->temp = arena_array(&s->arena, uint32_t, s->fr->locals.count + 1);
    for (size_t i = 0; i < n; i++) {
        if (!s->temp[at[i].temp]) {
            s->temp[at[i].temp] = TEMP_OF_BLOCK;
            home[at[i].temp] = at[i].block;
        } else if (s->temp[at[i].temp] == TEMP_OF_BLOCK && home[at[i].temp] != at[i].block) {
            s->temp[at[i].temp] = TEMP_SHARED + shared++;
        }
    }
    return shared;
}

/* Backwards to a fixpoint: a temp is live where a block is left if some successor reads it before it writes it. */
static void find_live(struct solver *s, const struct mention *at, size_t n, uint32_t shared) {
    const uint32_t words = (shared + 63) / 64;
    uint64_t *read =
        arena_array(&s->scratch, uint64_t, (size_t)words * s->n_blocks); /* before it is written, if it is */
    uint64_t *written = arena_array(&s->scratch, uint64_t, (size_t)words * s->n_blocks);
    bool changed = true;

    for (size_t i = 0; i < n; i++) {
        const uint32_t number = s->temp[at[i].temp] - TEMP_SHARED, word = at[i].block * words + number / 64;
        const uint64_t bit = UINT64_C(1) << number % 64;
        if (s->temp[at[i].temp] < TEMP_SHARED)
            continue;
        if (at[i].written)
            written[word] |= bit;
        else
            read[word] |= bit & ~written[word];
    }
    for (uint32_t b = 0; b < s->n_blocks; b++)
        s->blocks[b].live = arena_array(&s->arena, uint64_t, words);
    while (changed) {
        changed = false;
        for (uint32_t i = s->n_order; i--;) {
            const uint32_t block = s->by_order[i];
            const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + block];
            for (uint32_t k = 0; k < b->succs.count; k++) {
                const uint32_t to = s->u->succs[b->succs.first + k].block - s->fr->blocks.first;
                for (uint32_t w = 0; w < words; w++) {
                    const uint64_t now = s->blocks[block].live[w] | read[to * words + w] |
                                         (s->blocks[to].live[w] & ~written[to * words + w]);
                    changed |= now != s->blocks[block].live[w];
                    s->blocks[block].live[w] = now;
                }
            }
        }
    }
}

void scan_events(struct solver *s) {
    struct scan x = {.s = s};
    ir_event low = UINT32_MAX, high = 0;
    uint32_t shared;

    for (uint32_t i = 0; i < s->n_blocks; i++) {
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + i];
        if (b->events.count && b->events.first < low)
            low = b->events.first;
        if (b->events.count && b->events.first + b->events.count > high)
            high = b->events.first + b->events.count;
        x.block = i;
        for (uint32_t k = 0; k < b->events.count; k++)
            scan_event(&x, &s->u->events[b->events.first + k]);
        if (b->cond)
            scan_expr(&x, b->cond);
    }
    shared = number_temps(s, x.mentions.at, x.mentions.n);
    if (shared)
        find_live(s, x.mentions.at, x.mentions.n, shared);
    map64_free(&x.keys);
    vec_free(&x.mentions);
    arena_reset(&s->scratch);
    s->first_event = high ? low : 0;
    s->n_events = high ? high - low : 0;
    s->event_block = arena_array(&s->arena, uint32_t, s->n_events + 1);
    for (uint32_t i = 0; i < s->n_blocks; i++) {
        const struct ir_block_rec *b = &s->u->blocks[s->fr->blocks.first + i];
        for (uint32_t k = 0; k < b->events.count; k++)
            s->event_block[b->events.first + k - s->first_event] = i;
    }
}
