/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One producer or many, one consumer: bounded, rendezvous and unbounded channels between OS threads. The
 * consumer's loop ends when the last sender is dropped. Stands on aglet/channel.h and aglet/thread.h.
 *
 * Prints  one producer 4950; three 44850 44850 44850 */
#include <aglet/channel.h>
#include <aglet/thread.h>
#include <stdio.h>

AGLET_CHANNEL(numbers, int);

enum { PRODUCERS = 3, EACH = 100 };

struct producer {
    numbers_sender tx;
    int first;
};

static void *produce(void *arg) {
    struct producer *p = arg;
    for (int i = 0; i < EACH; i++)
        if (numbers_send(&p->tx, p->first + i))
            break;
    numbers_drop(&p->tx);
    return NULL;
}

static long consume(size_t capacity, int count) {
    numbers_sender tx;
    numbers_receiver rx;
    struct producer producers[PRODUCERS];
    aglet_thread threads[PRODUCERS];
    int value, started = 0;
    long sum = 0;
    if (numbers_bounded(&tx, &rx, capacity))
        return -1;
    for (; started < count; started++) {
        producers[started].tx = numbers_clone(&tx);
        producers[started].first = started * EACH;
        if (aglet_thread_spawn(&threads[started], produce, &producers[started])) {
            numbers_drop(&producers[started].tx);
            break;
        }
    }
    numbers_drop(&tx);
    while (numbers_recv(&rx, &value) == 0)
        sum += value;
    numbers_drop_receiver(&rx);
    for (int i = 0; i < started; i++)
        (void)aglet_thread_join(&threads[i], NULL);
    return started == count ? sum : -1;
}

int main(void) {
    long one = consume(8, 1);
    long bounded = consume(8, PRODUCERS), rendezvous = consume(0, PRODUCERS),
         unbounded = consume(AGLET_UNBOUNDED, PRODUCERS);
    printf("one producer %ld; three %ld %ld %ld\n", one, bounded, rendezvous, unbounded);
    return one == 4950 && bounded == 44850 && rendezvous == bounded && unbounded == bounded ? 0 : 1;
}
