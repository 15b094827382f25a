/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a guard lives while its task receives from a channel. Finds: lock-across-yield. Only with Aglet's
 * API. */
#include "form.h"
#include "aglet/channel.h"
#include "aglet/executor.h"
#include "aglet/guard.h"

AGLET_CHANNEL(numbers, int);
static aglet_mutex mu;
static int total;

static void *work(void *argument) {
    numbers_receiver *rx = argument;
    int value;
    if (mended) {
        (void)numbers_recv(rx, &value);
        AGLET_GUARD(&mu);
        total += value;
    } else {
        AGLET_GUARD(&mu);
        (void)numbers_recv(rx, &value);
        total += value;
    }
    return NULL;
}

static void *both(void *argument) {
    numbers_sender tx;
    numbers_receiver rx;
    aglet_task *task;
    if (numbers_bounded(&tx, &rx, 1) || aglet_spawn(&task, work, &rx))
        return argument;
    (void)aglet_sleep_ms(1);
    (void)numbers_send(&tx, 1);
    (void)aglet_join(task, NULL);
    numbers_drop(&tx);
    numbers_drop_receiver(&rx);
    return NULL;
}

int main(void) {
    return aglet_run(NULL, both, NULL, NULL);
}
