/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Locks in stackless tasks: an async lock that is held across an await is still held behind it, the return that suspends
 * the task leaks nothing, and what is wrong is found all the same. Stands on aglet/await.h. */
#include <aglet/await.h>
#include <aglet/executor.h>
#include <aglet/mutex.h>

static struct {
    aglet_async_mutex mu;
    long lines AGLET_GUARDED_BY(mu);
} book;
static aglet_mutex thread_lock = AGLET_MUTEX_INIT;

struct frame {
    AGLET_FRAME_HEADER;
    int i, error;
};

AGLET_STACKLESS(right, struct frame) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < 3; f->i++) {
        AGLET_AWAIT(f, f->error, aglet_async_mutex_lock_poll(&f->aglet_, &book.mu, AGLET_FOREVER));
        if (f->error)
            AGLET_RETURN(f, NULL); // no diagnostic: it was not taken
        book.lines++;              // no diagnostic: taken, where the result was 0
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
        book.lines++; // no diagnostic: still held
        aglet_async_mutex_unlock(&book.mu);
    }
    AGLET_END(f);
}

AGLET_STACKLESS(forgets, struct frame) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_async_mutex_lock_poll(&f->aglet_, &book.mu, AGLET_FOREVER));
    if (f->error)
        AGLET_RETURN(f, NULL);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    if (f->error)
        AGLET_RETURN(f, NULL); // expected-warning {{'book.mu' is still held on this return [aglet-lock-leak]}}
    aglet_async_mutex_unlock(&book.mu);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    book.lines++; // expected-warning {{'book.lines' is read without 'book.mu' held [aglet-guarded-by]}}
    AGLET_END(f);
}

AGLET_STACKLESS(keeps_its_thread, struct frame) {
    AGLET_BEGIN(f);
    aglet_mutex_lock(&thread_lock);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // expected-warning {{'thread_lock' is held across 'aglet_yield_poll', which may suspend the task [aglet-lock-across-yield]}}
    aglet_mutex_unlock(&thread_lock);
    AGLET_END(f);
}

int start(void);
int start(void) {
    struct frame frame = {.error = 0};
    return right_spawn(NULL, frame) + forgets_spawn(NULL, frame) + keeps_its_thread_spawn(NULL, frame);
}
