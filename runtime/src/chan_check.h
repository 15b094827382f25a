/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a channel tells the checker: who made it, and how many may still send. check_ functions exist in the checked
 * library only. Stands on aglet/channel.h. */
#ifndef AGLET_SRC_CHAN_CHECK_H
#define AGLET_SRC_CHAN_CHECK_H

#include "aglet/channel.h"

/* Kept in each channel, by both libraries, so that its size is the same. */
struct chan_note {
    uint64_t opener; /* id of the task that made the channel, or the thread's id with the top bit set */
    bool cloned;     /* there was more than one sender once */
};

void check_chan_new(struct chan_note *note);

/* Is nothing queued and one sender left? *note is the channel's. Read without the lock, when all is quiet. */
bool chan_has_last_sender(const aglet_chan *c, struct chan_note *note);

#endif
