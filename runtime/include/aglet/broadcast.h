/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One to many: broadcast, where every receiver gets every value, and watch, where receivers see the latest
 * one. Stands on aglet/base.h; results as in aglet/channel.h. */
#ifndef AGLET_BROADCAST_H
#define AGLET_BROADCAST_H

#include "aglet/base.h"

AGLET_BEGIN_DECLS

/* The untyped core. It locks itself: any number of handles may use it from any thread. */
struct AGLET_TRUSTED_SEND("its own lock guards it") AGLET_TRUSTED_SYNC("its own lock guards it") aglet_bus;
typedef struct aglet_bus aglet_bus;
AGLET_API aglet_bus *aglet_bus_new_(size_t item, size_t capacity);
AGLET_API void aglet_bus_hold_(aglet_bus *bus, bool sender);
AGLET_API void aglet_bus_drop_(aglet_bus *bus, bool sender);
AGLET_API int aglet_bus_send_(aglet_bus *bus, const void *item);
AGLET_API int aglet_bus_recv_(aglet_bus *bus, uint64_t *at, void *item, aglet_time deadline,
                              bool latest) AGLET_YIELDS;
AGLET_API uint64_t aglet_bus_now_(aglet_bus *bus);

/* For stackless tasks (aglet/await.h). */
struct aglet_frame;
AGLET_API int aglet_bus_recv_poll_(struct aglet_frame *f, aglet_bus *bus, uint64_t *at, void *item,
                                   aglet_time deadline, bool latest) AGLET_AWAITS;

AGLET_END_DECLS

/* Declare a broadcast type: the last `capacity` values are kept for slow receivers.
 *
 * name_open(tx, capacity)     0 or -ENOMEM
 * name_subscribe(tx)          a receiver of the values sent from now on
 * name_send(tx, value)        never waits; 0 even with no receiver. One sender handle may be used by many threads
 * name_recv(rx, &value)       the next value; -EOVERFLOW when some were overwritten before this receiver came
 *                             for them: the next call goes on with the oldest that is left; -EPIPE after the
 *                             sender was dropped. A sender hears what it sends where it has a receiver, too
 * name_recv_until(rx, &value, deadline)       the same until a deadline: -ETIMEDOUT. 0: do not wait
 * name_recv_poll(frame, rx, &value, deadline) the same for stackless tasks; AGLET_CASE_NEXT for selects, of a watch
 *                             AGLET_CASE_LATEST
 * name_drop(tx), name_leave(rx)   give up the handle; one that was given up is refused with -EPIPE, and what
 *                             subscribes to it as well (send-after-close, checked) */
#define AGLET_BROADCAST(name, type) AGLET_BUS_(name, type, false)

/* Declare a watch type: a receiver's name_recv waits until there is a value it has not seen, and gives the
 * newest; name_peek gives the newest at once (-EAGAIN: none yet). The capacity of name_open is 1. */
#define AGLET_WATCH(name, type)                                                                              \
    AGLET_BUS_(name, type, true);                                                                            \
    AGLET_TYPED_ int name##_peek(name##_receiver *rx, type *item) {                                          \
        uint64_t unseen = 0;                                                                                 \
        return aglet_bus_recv_(rx->bus_, &unseen, item, 0, true) ? -11 /* -EAGAIN */ : 0;                    \
    }                                                                                                        \
    struct name##_watch_declared_

/* What every receiver begins with: its bus, and the number of the value it wants. */
struct aglet_bus_place_ {
    aglet_bus *bus_;
    uint64_t at_;
};

#define AGLET_BUS_(name, type, latest)                                                                       \
    typedef struct AGLET_SEND AGLET_SYNC name##_sender {                                                     \
        aglet_bus *bus_ AGLET_SHARED;                                                                        \
    } name##_sender;                                                                                         \
    typedef struct AGLET_SEND name##_receiver {                                                              \
        aglet_bus *bus_ AGLET_SHARED;                                                                        \
        uint64_t at_;                                                                                        \
    } name##_receiver;                                                                                       \
    AGLET_TYPED_ int name##_open(name##_sender *tx, size_t capacity) {                                       \
        tx->bus_ = aglet_bus_new_(sizeof(type), (latest) ? 1 : capacity);                                    \
        return tx->bus_ ? 0 : -12 /* -ENOMEM */;                                                             \
    }                                                                                                        \
    AGLET_TYPED_ name##_receiver name##_subscribe(const name##_sender *tx) {                                 \
        name##_receiver rx = {tx->bus_, (latest) ? 0 : aglet_bus_now_(tx->bus_)};                            \
        aglet_bus_hold_(tx->bus_, false);                                                                    \
        return rx;                                                                                           \
    }                                                                                                        \
    AGLET_TYPED_ int name##_send(const name##_sender *tx, type item AGLET_SENDING_IF(return == 0)) {         \
        return aglet_bus_send_(tx->bus_, &item);                                                             \
    }                                                                                                        \
    AGLET_TYPED_ int name##_recv(name##_receiver *rx, type *item) {                                          \
        return aglet_bus_recv_(rx->bus_, &rx->at_, item, AGLET_FOREVER, latest);                             \
    }                                                                                                        \
    AGLET_TYPED_ int name##_recv_until(name##_receiver *rx, type *item, aglet_time deadline) {               \
        return aglet_bus_recv_(rx->bus_, &rx->at_, item, deadline, latest);                                  \
    }                                                                                                        \
    AGLET_TYPED_ int name##_recv_poll(struct aglet_frame *frame, name##_receiver *rx, type *item,            \
                                      aglet_time deadline) {                                                 \
        return aglet_bus_recv_poll_(frame, rx->bus_, &rx->at_, item, deadline, latest);                      \
    }                                                                                                        \
    AGLET_TYPED_ void name##_drop(name##_sender *tx) {                                                       \
        aglet_bus *bus = tx->bus_;                                                                           \
        tx->bus_ = NULL;                                                                                     \
        aglet_bus_drop_(bus, true);                                                                          \
    }                                                                                                        \
    AGLET_TYPED_ void name##_leave(name##_receiver *rx) {                                                    \
        aglet_bus *bus = rx->bus_;                                                                           \
        rx->bus_ = NULL;                                                                                     \
        aglet_bus_drop_(bus, false);                                                                         \
    }                                                                                                        \
    struct name##_bus_declared_

#endif
