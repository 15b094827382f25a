/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong on purpose: main keeps its own sender, so the receiving loop never ends. The release library waits
 * for ever (this program is not run with it); the checked one says which sender it is. Mended in
 * async_pipeline.c: drop it before the loop. Stands on aglet/channel.h.
 *
 * Run    checked exits 66 reports forgotten-sender */
#include <aglet/channel.h>
#include <aglet/executor.h>
#include <stdio.h>

AGLET_CHANNEL(numbers, int);

static void *produce(void *arg) {
    numbers_sender *tx = arg;
    for (int i = 0; i < 3; i++)
        (void)numbers_send(tx, i);
    numbers_drop(tx);
    return NULL;
}

AGLET_MAIN(argc, argv) {
    numbers_sender tx, clone;
    numbers_receiver rx;
    int value;
    if (numbers_bounded(&tx, &rx, 4))
        return 1;
    clone = numbers_clone(&tx);
    if (aglet_spawn(NULL, produce, &clone))
        return 1;
    /* Here numbers_drop(&tx) is missing. */
    while (numbers_recv(&rx, &value) == 0)
        printf("%d\n", value);
    numbers_drop(&tx);
    numbers_drop_receiver(&rx);
    return 0;
}
