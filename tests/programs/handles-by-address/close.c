/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Joins most of them. */
#include "room.h"

static struct room hall;

void thread_end(aglet_thread *t) {
    (void)aglet_thread_join(t, NULL);
}

void room_close(struct room *r) {
    thread_end(&r->porter);
    (void)aglet_group_join(&r->guests);
}

void hall_close(void) {
    room_close(&hall);
    (void)aglet_thread_join(&hall.cleaner, NULL);
}
