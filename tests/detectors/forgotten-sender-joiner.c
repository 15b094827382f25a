/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: main keeps a sender while it joins the thread that receives until the last one is gone. Finds: forgotten-sender.
 * Only with Aglet's API. */
#include "form.h"
#include "aglet/channel.h"

AGLET_CHANNEL(numbers, int);

static void *consume(void *argument) {
    int value, sum = 0;
    while (numbers_recv(argument, &value) == 0)
        sum += value;
    printf("%d\n", sum);
    return NULL;
}

int main(void) {
    numbers_sender tx;
    numbers_receiver rx;
    thread_type t;
    if (numbers_bounded(&tx, &rx, 4))
        return 1;
    spawn(&t, consume, &rx);
    for (int i = 0; i < 3; i++)
        (void)numbers_send(&tx, i);
    if (mended)
        numbers_drop(&tx);
    join(&t);
    if (!mended)
        numbers_drop(&tx);
    numbers_drop_receiver(&rx);
    return 0;
}
