/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tasks without a stack: a C function that is called again after each await, over a frame that the program
 * declares. Stands on aglet/task.h and aglet/channel.h. A parked one takes its frame and about a hundred and
 * seventy bytes, and any worker may go on with it.
 *
 *     struct ticker {
 *         AGLET_FRAME_HEADER;                     // first
 *         int i, error;
 *     };
 *     AGLET_STACKLESS(ticker, struct ticker) {    // the parameter is `f`
 *         AGLET_BEGIN(f);
 *         for (f->i = 0; f->i < 3; f->i++) {
 *             AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(10)));
 *             if (f->error)
 *                 AGLET_RETURN(f, NULL);
 *         }
 *         AGLET_END(f);
 *     }
 *     ticker_spawn(&task, (struct ticker){.i = 0});
 *
 * What must outlive an await lives in the frame: a plain local loses its value there. The frame is copied
 * when the task is spawned, and moves no more after that. The expression of an await is evaluated again each
 * time the task wakes; its arguments must name the same things, and a deadline that is computed
 * (aglet_after_ms) counts at the first time only. One await per source line, and none inside a `switch` of
 * your own: the awaits are cases of the one that AGLET_BEGIN opens. Thread locks must not be held at an
 * await. */
#ifndef AGLET_STACKLESS_H
#define AGLET_STACKLESS_H

#include "aglet/channel.h"
#include "aglet/io.h"
#include "aglet/task.h"

/* Where the task goes on: at which await, and how far that has come. */
struct aglet_frame {
    uint32_t at_;
    uint32_t stage_;
};

#define AGLET_FRAME_HEADER struct aglet_frame aglet_

/* Begin the function `static int name(struct … *f)`, and declare name_spawn(aglet_task **, frame) before it:
 * results as aglet_spawn. */
#define AGLET_STACKLESS(name, type)                                                                          \
    static int name(type *f AGLET_FRAME);                                                                    \
    static int name##_step_(void *frame_) {                                                                  \
        return name((type *)frame_);                                                                         \
    }                                                                                                        \
    AGLET_TYPED_ int name##_spawn(aglet_task **task_, type frame_) {                                         \
        AGLET_STATIC_ASSERT_(offsetof(type, aglet_) == 0, "AGLET_FRAME_HEADER comes first");                 \
        return aglet_spawn_frame_(task_, name##_step_, &frame_, sizeof frame_);                              \
    }                                                                                                        \
    static AGLET_TASK_ENTRY int name(type *f AGLET_FRAME)

#if defined(__GNUC__) && (__GNUC__ >= 7 || defined(__clang__))
#define AGLET_FALLS_THROUGH_ __attribute__((fallthrough))
#else
#define AGLET_FALLS_THROUGH_ ((void)0)
#endif

#define AGLET_BEGIN(f)                                                                                       \
    switch ((f)->aglet_.at_) {                                                                               \
    case 0:

/* Do `poll` and wait until it is done; its result goes to `result`. */
#define AGLET_AWAIT(f, result, poll)                                                                         \
    do {                                                                                                     \
        (f)->aglet_.at_ = __LINE__;                                                                          \
        AGLET_FALLS_THROUGH_;                                                                                \
    case __LINE__: {                                                                                         \
        int aglet_result_ = (poll);                                                                          \
        if (aglet_result_ == AGLET_PENDING)                                                                  \
            return AGLET_PENDING;                                                                            \
        (result) = aglet_result_;                                                                            \
    }                                                                                                        \
    } while (0)

/* End the task; `value` is what its joiner gets. */
#define AGLET_RETURN(f, value)                                                                               \
    do {                                                                                                     \
        aglet_frame_return_(&(f)->aglet_, (value));                                                          \
        return 0;                                                                                            \
    } while (0)

#define AGLET_END(f)                                                                                         \
    }                                                                                                        \
    return 0

AGLET_BEGIN_DECLS

AGLET_API int aglet_spawn_frame_(aglet_task **task, aglet_step_fn *step, const void *frame, size_t size);
AGLET_API void aglet_frame_return_(struct aglet_frame *f, void *value);

/* What a stackless task can await; for more, include aglet/await.h. Each returns AGLET_PENDING until it is
 * done, then 0 or a negative errno value. */
AGLET_API int aglet_yield_poll(struct aglet_frame *f) AGLET_AWAITS;
AGLET_API int aglet_sleep_poll(struct aglet_frame *f, aglet_time deadline) AGLET_AWAITS;
AGLET_API int aglet_join_poll(struct aglet_frame *f, aglet_task *task, void **result) AGLET_AWAITS;
AGLET_API int aglet_chan_recv_poll_(struct aglet_frame *f, aglet_chan *c, void *item) AGLET_AWAITS;
AGLET_API int aglet_chan_send_poll_(struct aglet_frame *f, aglet_chan *c, const void *item) AGLET_AWAITS;

/* item must lie in the frame, or wherever it stays while the task is parked. */
#define aglet_recv_poll(f, rx, item) aglet_chan_recv_poll_((f), (rx)->chan_, (item))
#define aglet_send_poll(f, tx, item) aglet_chan_send_poll_((f), (tx)->chan_, (item))

AGLET_END_DECLS
#endif
