/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: two tasks, one of them stackless, take two async locks in opposite orders and wait for each other, while a third
 * works on. Finds: deadlock. Only with Aglet's API. */
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
    (void)aglet_sleep_ms(20);
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
    AGLET_AWAIT(f, f->error, aglet_async_rwlock_write_poll(&f->aglet_, &numbers, AGLET_FOREVER));
    AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(20)));
    if (!mended)
        AGLET_AWAIT(f, f->error, aglet_async_mutex_lock_poll(&f->aglet_, &names, AGLET_FOREVER));
    if (f->error == 0)
        aglet_async_mutex_unlock(&names);
    aglet_async_rwlock_unlock(&numbers);
    AGLET_END(f);
}

static void *work(void *argument) {
    aglet_task *a, *b;
    if (aglet_spawn(&a, names_first, NULL) || other_spawn(&b, (struct other){.error = 0}))
        return argument;
    for (int i = 0; i < (mended ? 5 : 150); i++)
        (void)aglet_sleep_ms(10);
    aglet_abort(a);
    aglet_abort(b);
    (void)aglet_join(a, NULL);
    (void)aglet_join(b, NULL);
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
