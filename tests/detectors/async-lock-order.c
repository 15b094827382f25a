/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: two tasks, one of them stackless, take two async locks in opposite orders; this time they never meet. Finds:
 * lock-order. Only with Aglet's API. */
#include "form.h"
#include "aglet/async_mutex.h"
#include "aglet/async_rwlock.h"
#include "aglet/await.h"
#include "aglet/executor.h"

static aglet_async_mutex names;
static aglet_async_rwlock numbers;

static void *names_first(void *argument) {
    if (aglet_async_mutex_lock(&names))
        return argument;
    if (aglet_async_rwlock_write(&numbers, AGLET_FOREVER) == 0)
        aglet_async_rwlock_unlock(&numbers);
    aglet_async_mutex_unlock(&names);
    return argument;
}

struct other {
    AGLET_FRAME_HEADER;
    int error;
};

AGLET_STACKLESS(other, struct other) {
    AGLET_BEGIN(f);
    if (mended)
        AGLET_AWAIT(f, f->error, aglet_async_mutex_lock_poll(&f->aglet_, &names, AGLET_FOREVER));
    AGLET_AWAIT(f, f->error, aglet_async_rwlock_read_poll(&f->aglet_, &numbers, AGLET_FOREVER));
    AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(1)));
    if (!mended)
        AGLET_AWAIT(f, f->error, aglet_async_mutex_lock_poll(&f->aglet_, &names, AGLET_FOREVER));
    aglet_async_mutex_unlock(&names);
    aglet_async_rwlock_unlock(&numbers);
    AGLET_END(f);
}

static void *work(void *argument) {
    aglet_task *task;
    if (aglet_spawn(&task, names_first, NULL) || aglet_join(task, NULL))
        abort();
    if (other_spawn(&task, (struct other){.error = 0}) || aglet_join(task, NULL))
        abort();
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
