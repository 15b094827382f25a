/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A call that returns only when a lock is held. Stands on calls.h. */
#include "calls.h"

#include <string.h>

void assert_held(struct call *c, struct world *w, term lock, const struct lock_effect *e) {
    struct held *h = world_held(w, lock);
    struct held asserted;

    if (h && h->mode == HELD_RELEASED) {
        world_drop_held(&c->s->scratch, w, h, 0);
    } else if (h) {
        h->flags &= (uint8_t) ~(HELD_MAYBE | HELD_SAID);
        h->when = 0;
        return;
    }
    memset(&asserted, 0, sizeof asserted);
    asserted.lock = lock;
    asserted.mode = HELD_EXCLUSIVE;
    asserted.flags = HELD_ENTRY;
    asserted.count = 1;
    asserted.event = c->event;
    asserted.in_func = e->site.func;
    asserted.in_loc = e->site.loc;
    asserted.trail = w->trail;
    (void)world_add_held(&c->s->scratch, w, &asserted);
}
