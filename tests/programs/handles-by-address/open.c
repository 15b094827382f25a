/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Starts them. */
#include "room.h"

static void *run(void *argument) {
    struct room *r = argument;
    return r->open ? argument : NULL;
}

int room_open(struct room *r) {
    if (aglet_thread_spawn(&r->cleaner, run, r)) // no diagnostic: another file joins it, in an object it knows by name
        return -1;
    if (aglet_thread_spawn(&r->porter, run, r)) // no diagnostic: a helper joins it
        return -1;
    if (aglet_thread_spawn(&r->forgotten, run, r)) // expected-warning {{[aglet-unjoined]}}
        return -1;
    if (aglet_group_spawn(&r->guests, run, r)) // no diagnostic: joined
        return -1;
    return aglet_group_spawn(&r->strays, run, r); // expected-warning {{[aglet-unjoined]}}
}
