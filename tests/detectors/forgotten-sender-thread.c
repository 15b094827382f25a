/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: main receives until the last sender is gone, and holds one. Finds: forgotten-sender. Only with
 * Aglet's API. */
#include "form.h"
#include "aglet/channel.h"

AGLET_CHANNEL(numbers, int);

static void *produce(void *argument) {
    numbers_sender *tx = argument;
    for (int i = 0; i < 3; i++)
        (void)numbers_send(tx, i);
    numbers_drop(tx);
    return NULL;
}

int main(void) {
    numbers_sender tx, other;
    numbers_receiver rx;
    thread_type t;
    int value;
    if (numbers_bounded(&tx, &rx, 1))
        return 1;
    other = numbers_clone(&tx);
    spawn(&t, produce, &other);
    if (mended)
        numbers_drop(&tx);
    while (numbers_recv(&rx, &value) == 0)
        ;
    join(&t);
    numbers_drop_receiver(&rx);
    return 0;
}
