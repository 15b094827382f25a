/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tells the ways of stories call by call, once all functions are solved. Stands on solver.h and lock_order.h. */
#include "lock_order.h"

#include <string.h>

enum { TO_LOCK_MAX = 20, TO_EFFECT_MAX = 12 };

static struct story called(const struct program *p, uint32_t at, ir_event event, uint32_t callee) {
    const struct unit *u = p->funcs.at[at].unit->unit;

    return (struct story){
        .kind = STORY_CALLED, .unit = u, .loc = u->events[event].loc, .text = p->funcs.at[callee].name};
}

/* The calls from the callee to where it takes the lock. */
static uint32_t way_to_lock(const struct program *p, const struct way *w, struct story *out) {
    uint32_t at = w->callee, next, n = 0;
    term lock = w->lock;
    ir_event event;

    for (int depth = 0; depth < TO_LOCK_MAX && at != w->end && (next = order_next(p, at, &lock, &event));
         depth++) {
        out[n++] = called(p, at, event, next);
        at = next;
    }
    return n;
}

static uint32_t way_to_effect(const struct program *p, const struct way *w, struct story *out) {
    uint32_t at = w->callee, when = w->when, handed = w->called, n = 0;

    for (int depth = 0; depth < TO_EFFECT_MAX && at && p->funcs.at[at].defined; depth++) {
        ir_event event = 0;
        uint32_t next = effect_next(p, at, w->effect, &when, &event);
        if (!next && event) {
            next = handed;
            handed = 0;
        }
        if (!next)
            break;
        out[n++] = called(p, at, event, next);
        at = next;
    }
    return n;
}

void program_tell_ways(struct program *p) {
    for (size_t i = 1; i < p->locks->problems.n; i++) {
        struct lock_problem *pr = &p->locks->problems.at[i];
        struct story *told;
        uint32_t n = 0, ways = 0;
        for (uint32_t k = 0; k < pr->n_story; k++)
            ways += pr->story[k].kind == STORY_WAY;
        told = ways ? arena_array(&p->arena, struct story, pr->n_story + ways * TO_LOCK_MAX) : NULL;
        for (uint32_t k = 0; told && k < pr->n_story; k++) {
            const struct way *w = pr->story[k].way;
            if (pr->story[k].kind != STORY_WAY)
                told[n++] = pr->story[k];
            else if (w->lock)
                n += way_to_lock(p, w, told + n);
            else
                n += way_to_effect(p, w, told + n);
        }
        if (!told)
            continue;
        pr->n_story = 0;
        for (uint32_t k = 0; k < n; k++)
            if (told[k].loc)
                told[pr->n_story++] = told[k];
        pr->story = told;
    }
}
