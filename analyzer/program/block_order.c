/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Before a function is solved: in which order its blocks are run, and which of them are loops.
 * Stands on solver.h. */
#include "solver.h"

struct walk {
    uint32_t block, succ;
};

/* `inner`: by block, the head of the innermost loop it is in + 1; or NULL. Ways out of a loop are walked first, and so stand behind
 * its body: the loop comes to rest before what follows it is run. */
static void order(struct solver *s, const uint32_t *inner) {
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
        const uint64_t *loop = inner && inner[top->block] ? s->blocks[inner[top->block] - 1].loop : NULL;
        if (top->succ < (loop ? 2 : 1) * b->succs.count) {
            const bool leaving = loop && top->succ < b->succs.count;
            const uint32_t to =
                s->u->succs[b->succs.first + top->succ++ % b->succs.count].block - s->fr->blocks.first;
            if (!seen[to] && !(leaving && in_set(loop, to))) {
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
static void find_loops(struct solver *s) {
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
                        first[s->u->succs[s->u->blocks[s->fr->blocks.first + x].succs.first + y].block -
                              s->fr->blocks.first + 2]++;
                for (uint32_t x = 2; x < s->n_blocks + 2; x++)
                    first[x] += first[x - 1];
                preds = arena_array(&s->arena, uint32_t, first[s->n_blocks + 1] + 1);
                for (uint32_t x = 0; x < s->n_blocks; x++)
                    for (uint32_t y = 0; y < s->u->blocks[s->fr->blocks.first + x].succs.count; y++)
                        preds[first[s->u->succs[s->u->blocks[s->fr->blocks.first + x].succs.first + y].block -
                                    s->fr->blocks.first + 1]++] = x;
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

void order_blocks(struct solver *s) {
    uint32_t *inner = NULL;

    order(s, NULL);
    find_loops(s);
    for (uint32_t i = 0; i < s->n_order; i++) { /* outer heads come first */
        const uint64_t *loop = s->blocks[s->by_order[i]].loop;
        if (!loop)
            continue;
        if (!inner)
            inner = arena_array(&s->arena, uint32_t, s->n_blocks);
        for (uint32_t w = 0; w < (s->n_blocks + 63) / 64; w++)
            for (uint64_t bits = loop[w]; bits; bits &= bits - 1)
                inner[w * 64 + (uint32_t)__builtin_ctzll(bits)] = s->by_order[i] + 1;
    }
    if (!inner)
        return;
    order(s, inner);
    for (uint32_t b = 0; b < s->n_blocks; b++)
        s->blocks[b].loop = NULL;
    find_loops(s);
}
