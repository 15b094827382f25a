/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task takes an async mutex that it holds. Finds: double-lock. Only with Aglet's API. */
#include "form.h"
#include "aglet/async_mutex.h"
#include "aglet/executor.h"

static aglet_async_mutex books;
static int balance;

static void add(int amount) {
    if (aglet_async_mutex_lock(&books))
        return;
    balance += amount;
    aglet_async_mutex_unlock(&books);
}

static void *work(void *argument) {
    if (aglet_async_mutex_lock(&books))
        return argument;
    balance = 10;
    if (mended)
        aglet_async_mutex_unlock(&books);
    add(5);
    if (!mended)
        aglet_async_mutex_unlock(&books);
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
