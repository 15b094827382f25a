/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Channels: values move from senders to receivers, first in, first out; between tasks, OS threads, or both.
 * Stands on aglet/base.h.
 *
 *     AGLET_CHANNEL(jobs, struct job *);           // declares jobs_sender, jobs_receiver and their functions
 *
 *     jobs_sender tx; jobs_receiver rx;
 *     jobs_bounded(&tx, &rx, 128);                 // or jobs_unbounded(&tx, &rx); capacity 0: rendezvous
 *     jobs_send(&tx, job);                         // waits while the channel is full
 *     while (jobs_recv(&rx, &job) == 0) …          // ends when the last sender is dropped and all is drained
 *
 * A handle is not touched any more once the other side can see what was done with it: it may lie in a frame
 * that the other side takes down.
 *
 * A sender or receiver is a handle: not to be copied (clone it), dropped exactly once, zero after the drop.
 * Handles may be moved to other threads; one handle is used by one thread at a time. A single-consumer
 * receiver becomes one that many may use with `jobs_share`. A pointer that was sent belongs to the receiver.
 *
 * Results are 0 or a negative errno value:
 *   -EPIPE      nobody is left on the other side (for a receiver: and nothing is queued); the value stays the
 *               caller's
 *   -EAGAIN     the try_ form would have to wait
 *   -ETIMEDOUT  the _until form's deadline passed
 *   -ECANCELED  the calling task was aborted
 *   -ENOMEM     an unbounded channel cannot grow */
#ifndef AGLET_CHANNEL_H
#define AGLET_CHANNEL_H

#include "aglet/base.h"

AGLET_BEGIN_DECLS

/* The untyped core under the macros. Not for direct use, but for `aglet/select.h`. It locks itself: any
 * number of handles may use it from any thread. */
struct AGLET_TRUSTED_SEND("its own lock guards it") AGLET_TRUSTED_SYNC("its own lock guards it") aglet_chan;
typedef struct aglet_chan aglet_chan;
#define AGLET_UNBOUNDED SIZE_MAX

AGLET_API aglet_chan *aglet_chan_new_(size_t item, size_t capacity);
AGLET_API void aglet_chan_clone_sender_(aglet_chan *c);
AGLET_API void aglet_chan_drop_sender_(aglet_chan *c);
AGLET_API void aglet_chan_clone_receiver_(aglet_chan *c);
AGLET_API void aglet_chan_drop_receiver_(aglet_chan *c);
AGLET_API void aglet_chan_close_(aglet_chan *c);
AGLET_API int aglet_chan_send_(aglet_chan *c, const void *item, aglet_time deadline) AGLET_YIELDS;
AGLET_API int aglet_chan_try_send_(aglet_chan *c, const void *item);
AGLET_API int aglet_chan_recv_(aglet_chan *c, void *item, aglet_time deadline) AGLET_YIELDS;
AGLET_API int aglet_chan_try_recv_(aglet_chan *c, void *item);
AGLET_API long aglet_chan_recv_many_(aglet_chan *c, void *items, size_t max) AGLET_YIELDS;
AGLET_API size_t aglet_chan_length_(aglet_chan *c);

AGLET_END_DECLS

/* Declare a channel type at file scope. `type` is any object type that may be copied by assignment.
 *
 * name_bounded(tx, rx, n)       a channel that holds n values; 0: each send waits for its receiver. 0 or -ENOMEM
 * name_unbounded(tx, rx)        a channel whose sends never wait. 0 or -ENOMEM
 * name_clone(tx)                another sender
 * name_drop(tx)                 give up a sender; the last one ends the receivers' loops. A dropped one is fine
 * name_send, _try_send, _send_until   put a value in; it is the receiver's after 0
 * name_recv, _try_recv, _recv_until   take a value out, into *item
 * name_recv_many(rx, items, max)      wait for at least one, take up to max: how many, or a negative errno value
 * name_close(rx)                no more sends, for any receiver; what is queued can still be received
 * name_drop_receiver(rx)        give up a receiver. Values still queued are not visited: drain first if they
 *                               own something
 * name_share(rx)                turn the receiver into a shared one (rx is then dropped)
 * name_shared_clone, _shared_recv, _shared_try_recv, _shared_recv_until, _shared_recv_many, _shared_close, _shared_drop
 *                               the same for a shared receiver */
#define AGLET_CHANNEL(name, type)                                                                            \
    typedef type name##_item;                                                                                \
    typedef struct AGLET_SEND name##_sender {                                                                \
        aglet_chan *chan_ AGLET_SHARED;                                                                      \
    } name##_sender;                                                                                         \
    typedef struct AGLET_SEND AGLET_NOT_SYNC("one consumer: turn it into a shared receiver")                 \
        name##_receiver {                                                                                    \
        aglet_chan *chan_ AGLET_SHARED;                                                                      \
    } name##_receiver;                                                                                       \
    typedef struct AGLET_SEND name##_shared_receiver {                                                       \
        aglet_chan *chan_ AGLET_SHARED;                                                                      \
    } name##_shared_receiver;                                                                                \
    AGLET_TYPED_ int name##_bounded(name##_sender *tx, name##_receiver *rx, size_t capacity) {               \
        tx->chan_ = rx->chan_ = aglet_chan_new_(sizeof(type), capacity);                                     \
        return tx->chan_ ? 0 : -12 /* -ENOMEM */;                                                            \
    }                                                                                                        \
    AGLET_TYPED_ int name##_unbounded(name##_sender *tx, name##_receiver *rx) {                              \
        return name##_bounded(tx, rx, AGLET_UNBOUNDED);                                                      \
    }                                                                                                        \
    AGLET_TYPED_ name##_sender name##_clone(const name##_sender *tx) {                                       \
        name##_sender copy = {tx->chan_};                                                                    \
        aglet_chan_clone_sender_(copy.chan_);                                                                \
        return copy;                                                                                         \
    }                                                                                                        \
    AGLET_TYPED_ void name##_drop(name##_sender *tx) {                                                       \
        aglet_chan *chan = tx->chan_;                                                                        \
        tx->chan_ = NULL;                                                                                    \
        aglet_chan_drop_sender_(chan);                                                                       \
    }                                                                                                        \
    AGLET_TYPED_ int name##_send(name##_sender *tx, name##_item item AGLET_SENDING_IF(return == 0)) {        \
        return aglet_chan_send_(tx->chan_, &item, AGLET_FOREVER);                                            \
    }                                                                                                        \
    AGLET_TYPED_ int name##_try_send(name##_sender *tx, name##_item item AGLET_SENDING_IF(return == 0)) {    \
        return aglet_chan_try_send_(tx->chan_, &item);                                                       \
    }                                                                                                        \
    AGLET_TYPED_ int name##_send_until(name##_sender *tx, name##_item item AGLET_SENDING_IF(return == 0),    \
                                       aglet_time deadline) {                                                \
        return aglet_chan_send_(tx->chan_, &item, deadline);                                                 \
    }                                                                                                        \
    AGLET_TYPED_ int name##_recv(name##_receiver *rx, name##_item *item) {                                   \
        return aglet_chan_recv_(rx->chan_, item, AGLET_FOREVER);                                             \
    }                                                                                                        \
    AGLET_TYPED_ int name##_try_recv(name##_receiver *rx, name##_item *item) {                               \
        return aglet_chan_try_recv_(rx->chan_, item);                                                        \
    }                                                                                                        \
    AGLET_TYPED_ int name##_recv_until(name##_receiver *rx, name##_item *item, aglet_time deadline) {        \
        return aglet_chan_recv_(rx->chan_, item, deadline);                                                  \
    }                                                                                                        \
    AGLET_TYPED_ long name##_recv_many(name##_receiver *rx, name##_item *items, size_t max) {                \
        return aglet_chan_recv_many_(rx->chan_, items, max);                                                 \
    }                                                                                                        \
    AGLET_TYPED_ void name##_close(name##_receiver *rx) {                                                    \
        aglet_chan_close_(rx->chan_);                                                                        \
    }                                                                                                        \
    AGLET_TYPED_ void name##_drop_receiver(name##_receiver *rx) {                                            \
        aglet_chan *chan = rx->chan_;                                                                        \
        rx->chan_ = NULL;                                                                                    \
        aglet_chan_drop_receiver_(chan);                                                                     \
    }                                                                                                        \
    AGLET_TYPED_ name##_shared_receiver name##_share(name##_receiver *rx) {                                  \
        name##_shared_receiver shared = {rx->chan_};                                                         \
        rx->chan_ = NULL;                                                                                    \
        return shared;                                                                                       \
    }                                                                                                        \
    AGLET_TYPED_ name##_shared_receiver name##_shared_clone(const name##_shared_receiver *rx) {              \
        name##_shared_receiver copy = {rx->chan_};                                                           \
        aglet_chan_clone_receiver_(copy.chan_);                                                              \
        return copy;                                                                                         \
    }                                                                                                        \
    AGLET_TYPED_ int name##_shared_recv(name##_shared_receiver *rx, name##_item *item) {                     \
        return aglet_chan_recv_(rx->chan_, item, AGLET_FOREVER);                                             \
    }                                                                                                        \
    AGLET_TYPED_ int name##_shared_try_recv(name##_shared_receiver *rx, name##_item *item) {                 \
        return aglet_chan_try_recv_(rx->chan_, item);                                                        \
    }                                                                                                        \
    AGLET_TYPED_ int name##_shared_recv_until(name##_shared_receiver *rx, name##_item *item,                 \
                                              aglet_time deadline) {                                         \
        return aglet_chan_recv_(rx->chan_, item, deadline);                                                  \
    }                                                                                                        \
    AGLET_TYPED_ long name##_shared_recv_many(name##_shared_receiver *rx, name##_item *items, size_t max) {  \
        return aglet_chan_recv_many_(rx->chan_, items, max);                                                 \
    }                                                                                                        \
    AGLET_TYPED_ void name##_shared_close(name##_shared_receiver *rx) {                                      \
        aglet_chan_close_(rx->chan_);                                                                        \
    }                                                                                                        \
    AGLET_TYPED_ void name##_shared_drop(name##_shared_receiver *rx) {                                       \
        aglet_chan *chan = rx->chan_;                                                                        \
        rx->chan_ = NULL;                                                                                    \
        aglet_chan_drop_receiver_(chan);                                                                     \
    }                                                                                                        \
    struct name##_channel_declared_

/* A channel for one value. `name_oneshot(tx, rx)` makes it; `name_put(tx, value)` never waits and drops the
 * sender; `name_get(rx, &value)` waits for it and drops the receiver: -EPIPE when the sender was dropped
 * without a value. */
#define AGLET_ONESHOT(name, type)                                                                            \
    AGLET_CHANNEL(name, type);                                                                               \
    AGLET_TYPED_ int name##_oneshot(name##_sender *tx, name##_receiver *rx) {                                \
        return name##_bounded(tx, rx, 1);                                                                    \
    }                                                                                                        \
    AGLET_TYPED_ int name##_put(name##_sender *tx, name##_item item AGLET_SENDING_IF(return == 0)) {         \
        aglet_chan *chan = tx->chan_;                                                                        \
        tx->chan_ = NULL;                                                                                    \
        int error = aglet_chan_try_send_(chan, &item);                                                       \
        aglet_chan_drop_sender_(chan);                                                                       \
        return error;                                                                                        \
    }                                                                                                        \
    AGLET_TYPED_ int name##_get(name##_receiver *rx, name##_item *item) {                                    \
        int error = aglet_chan_recv_(rx->chan_, item, AGLET_FOREVER);                                        \
        name##_drop_receiver(rx);                                                                            \
        return error;                                                                                        \
    }                                                                                                        \
    struct name##_oneshot_declared_

#endif
