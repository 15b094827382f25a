/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: the receiver's own sender is never dropped, so its loop never ends. Finds: forgotten-sender. Only
 * with Aglet's API. */
#include "form.h"
#include "aglet/channel.h"
#include "aglet/executor.h"

AGLET_CHANNEL(numbers, int);

static void *produce(void *argument) {
    numbers_sender *tx = argument;
    for (int i = 0; i < 3; i++)
        (void)numbers_send(tx, i);
    numbers_drop(tx);
    return NULL;
}

static void *work(void *argument) {
    numbers_sender tx, other;
    numbers_receiver rx;
    int value;
    if (numbers_bounded(&tx, &rx, 1))
        return argument;
    other = numbers_clone(&tx);
    (void)aglet_spawn(NULL, produce, &other);
    if (mended)
        numbers_drop(&tx);
    while (numbers_recv(&rx, &value) == 0)
        ;
    numbers_drop_receiver(&rx);
    return NULL;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
