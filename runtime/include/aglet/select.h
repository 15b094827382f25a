/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Waiting for the first of several things: channels of every kind, ends of tasks, descriptors that can be read or written,
 * a point in time. Stands on aglet/channel.h, aglet/broadcast.h and aglet/task.h.
 *
 *     struct aglet_case cases[] = {AGLET_CASE_RECV(&rx, &job), AGLET_CASE_JOIN(child, &result)};
 *     switch (aglet_select(cases, 2, aglet_after_ms(100))) {
 *     case 0: …; case 1: …; case -ETIMEDOUT: …
 *     } */
#ifndef AGLET_SELECT_H
#define AGLET_SELECT_H

#include "aglet/broadcast.h"
#include "aglet/channel.h"
#include "aglet/io.h"
#include "aglet/task.h"

enum aglet_case_kind {
    AGLET_RECV_,
    AGLET_SEND_,
    AGLET_JOIN_TASK_,
    AGLET_READABLE_,
    AGLET_WRITABLE_,
    AGLET_NEVER_,
    AGLET_NEXT_,
    AGLET_LATEST_
};

/* One thing to wait for; make it with the macros below. */
struct aglet_case {
    enum aglet_case_kind kind;
    void *on;   /* the channel, task, descriptor, or receiver of a broadcast or watch */
    void *item; /* where a value comes from or goes to */
    int result; /* after the select, of the chosen case: what its receive or send would have returned */
};

#define AGLET_CASE_RECV(rx, to)                                                                              \
    { AGLET_RECV_, (rx)->chan_, (1 ? (to) : (to)), 0 }
#define AGLET_CASE_SEND(tx, from)                                                                            \
    { AGLET_SEND_, (tx)->chan_, (from), 0 }
/* The next value of a broadcast; the newest of a watch that this receiver has not seen. */
#define AGLET_CASE_NEXT(rx, to)                                                                              \
    { AGLET_NEXT_, (rx), (1 ? (to) : (to)), 0 }
#define AGLET_CASE_LATEST(rx, to)                                                                            \
    { AGLET_LATEST_, (rx), (1 ? (to) : (to)), 0 }
/* The chosen task's handle is given up, as by aglet_join; with that function's errors in `result` it is not. */
#define AGLET_CASE_JOIN(task, result_at)                                                                     \
    { AGLET_JOIN_TASK_, (task), (result_at), 0 }
#define AGLET_CASE_READABLE(io)                                                                              \
    { AGLET_READABLE_, (io), NULL, 0 }
#define AGLET_CASE_WRITABLE(io)                                                                              \
    { AGLET_WRITABLE_, (io), NULL, 0 }
/* Waits for nothing: for tables whose entries are switched off. */
#define AGLET_CASE_NEVER                                                                                     \
    { AGLET_NEVER_, NULL, NULL, 0 }

AGLET_BEGIN_DECLS

/* Do exactly one of the cases, the first that can be done; among several that can, any.
 *
 * Ensures   the others are as if never begun: no value was taken or sent, no handle given up.
 * Returns   the index of the case, whose `result` says how it went; -ETIMEDOUT, -ECANCELED when none was
 *           done; -EINVAL for more than 64 cases, or two that join one task; -ENOTSUP for descriptors outside tasks. With deadline 0 it
 *           does not wait.
 * Misuse    a channel handle that was dropped is done at once, with -EPIPE; the checked library reports it
 *           (send-after-close). AGLET_CASE_NEVER is for entries that are switched off. */
AGLET_API int aglet_select(struct aglet_case *cases, size_t n, aglet_time deadline) AGLET_YIELDS;

AGLET_END_DECLS
#endif
