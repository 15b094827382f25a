/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a channel tells the checker. Functions exist in the checked library only, but for chan_is_forgotten.
 * Stands on task_sleep.h. */
#ifndef AGLET_SRC_CHAN_CHECK_H
#define AGLET_SRC_CHAN_CHECK_H

#include "aglet/channel.h"
#include "task_sleep.h"

/* Kept in each channel, by both libraries, so that its size is the same. */
struct chan_note {
    uint64_t opener; /* id of the task that made the channel, or the thread's id with the top bit set */
    bool cloned;     /* there was more than one sender once */
};

/* Who runs: a task's id, or an OS thread's with the top bit set. */
uint64_t check_who(void);

void check_chan_new(struct chan_note *note);

/* sleeper_wait for a receiver that is linked. Reports forgotten-sender where no one else can ever send, and
 * then gives up with -EDEADLK. */
int check_chan_recv_wait(aglet_chan *c, struct sleeper *s, aglet_time deadline, const void *caller);

/* Is nothing queued and the only sender left the one that `by` began with? It is, where clones were handed
 * out and have gone, or where `by` is `alone`: then nobody else can hold it. Read without the lock, when all
 * is quiet. */
bool chan_is_forgotten(aglet_chan *c, uint64_t by, bool alone);

#endif
