/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task takes a thread lock while it holds an async one, and a thread takes them the other way round. The task would
 * keep its worker while it waits for a thread that waits for it. Finds: lock-order. Only with Aglet's API. */
#include "form.h"
#include "aglet/async_mutex.h"
#include "aglet/executor.h"

static aglet_async_mutex session;
static lock_type table = LOCK_INIT;

static void *session_first(void *argument) {
    if (aglet_async_mutex_lock(&session))
        abort();
    (void)aglet_yield();
    lock(&table);
    unlock(&table);
    aglet_async_mutex_unlock(&session);
    return argument;
}

static void *table_first(void *argument) {
    if (!mended)
        lock(&table);
    if (aglet_async_mutex_lock(&session))
        abort();
    if (mended)
        lock(&table);
    unlock(&table);
    aglet_async_mutex_unlock(&session);
    return argument;
}

int main(void) {
    if (aglet_run(NULL, session_first, NULL, NULL))
        return 1;
    run(table_first, NULL);
    return 0;
}
