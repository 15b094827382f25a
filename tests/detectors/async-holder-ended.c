/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task ends with an async mutex that nobody will give. Finds: deadlock. Only with Aglet's API. */
#include "form.h"
#include "aglet/async_mutex.h"
#include "aglet/executor.h"

static aglet_async_mutex books;
static int balance;

static void *pay(void *amount) {
    if (aglet_async_mutex_lock(&books))
        return NULL;
    if (!mended && balance < *(int *)amount)
        return NULL;
    balance -= *(int *)amount;
    aglet_async_mutex_unlock(&books);
    return NULL;
}

static void *work(void *argument) {
    aglet_task *first;
    int amount = 10;
    if (aglet_spawn(&first, pay, &amount))
        return argument;
    (void)aglet_join(first, NULL);
    return pay(&amount);
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
