/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The ways round a lock call on which a level of a lock is taken or given back all the same. Stands on calls.h and relock.h. */
#include <string.h>
#include "calls.h"
#include "relock.h"

/* What the callee does to the lock where it works; NULL: nothing. */
static const struct lock_effect *effect_of(const struct summary *sum) {
    for (uint32_t i = 0; sum && i < sum->n_outcomes; i++)
        for (uint32_t k = 0; k < sum->outcomes[i].n_effects; k++)
            if (sum->outcomes[i].effects[k].kind != EFFECT_ASSERT)
                return &sum->outcomes[i].effects[k];
    return NULL;
}

/* As if that call had been made: what differs from where it was is nothing that callers could see. */
static void do_level(struct solver *s, struct world *w, const struct level_edge *level, ir_event now) {
    const ir_event e = level->event;
    const struct ir_event_rec *ev = &s->u->events[e];
    uint32_t n;
    const struct call_edge *edges = program_calls(s->p, s->func, e, &n);
    const struct summary *sum = n == 1 ? s->p->funcs.at[edges[0].callee].summary : NULL;
    const struct lock_effect *said = effect_of(sum);
    term *args = arena_array(&s->scratch, term, ev->args.count + 1);
    struct lock_effect effect;
    term lock;

    if (!said)
        return;
    for (uint32_t i = 0; i < ev->args.count; i++)
        args[i] = i == level->arg ? eval(s, w, level->lock, now) : 0;
    lock = instantiate(s, w, said->lock, args, ev->args.count, 0);
    if (!lock)
        return;
    effect = *said;
    effect.soft = effect.maybe = false;
    if (!s->p->funcs.at[effect.site.func].defined)
        effect.site = (struct site){s->func, ev->loc};
    if (effect.kind == EFFECT_RELEASE) {
        release_lock(s, w, lock, &effect, edges[0].callee, e);
    } else {
        struct call c = {.s = s, .event = e, .ev = ev, .args = args, .n_args = ev->args.count, .sum = sum};
        c.callee = edges[0].callee;
        (void)acquire(&c, w, &effect, lock, 0, false);
    }
}

void do_levels(struct solver *s, struct world *w, uint32_t block, uint32_t succ, ir_event now) {
    for (uint32_t i = 0; i < s->n_levels; i++)
        if (s->levels[i].block - s->fr->blocks.first == block && s->levels[i].succ == succ) {
            if (s->levels[i].refuses)
                w->failed = true;
            else
                do_level(s, w, &s->levels[i], now);
        }
}
