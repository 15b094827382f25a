/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Three producer tasks, a stage that transforms, and a consumer. Everything ends by itself when the last
 * sender is dropped. Stands on aglet/executor.h and aglet/channel.h.
 *
 * Prints  150 readings, sum 37350 */
#include <aglet/channel.h>
#include <aglet/executor.h>
#include <stdio.h>

AGLET_CHANNEL(readings, int);

struct producer {
    readings_sender out;
    int first;
};

struct stage {
    readings_receiver in;
    readings_sender out;
};

static void *produce(void *arg) {
    struct producer *p = arg;
    for (int i = 0; i < 50; i++) {
        if (readings_send(&p->out, p->first + i))
            break;
        if (i % 10 == 0)
            (void)aglet_sleep_ms(1);
    }
    readings_drop(&p->out);
    return NULL;
}

static void *double_all(void *arg) {
    struct stage *s = arg;
    int value;
    while (readings_recv(&s->in, &value) == 0)
        if (readings_send(&s->out, 2 * value))
            break;
    readings_drop_receiver(&s->in);
    readings_drop(&s->out);
    return NULL;
}

AGLET_MAIN(argc, argv) {
    readings_sender tx;
    readings_receiver doubled;
    struct stage stage;
    struct producer producers[3];
    int value, n = 0;
    long sum = 0;
    if (readings_bounded(&tx, &stage.in, 8) || readings_bounded(&stage.out, &doubled, 8))
        return 1;
    AGLET_GROUP(tasks);
    for (int i = 0; i < 3; i++) {
        producers[i].out = readings_clone(&tx);
        producers[i].first = 100 * i;
        if (aglet_group_spawn(&tasks, produce, &producers[i]))
            return 1;
    }
    readings_drop(&tx);
    if (aglet_group_spawn(&tasks, double_all, &stage))
        return 1;
    while (readings_recv(&doubled, &value) == 0) {
        sum += value;
        n++;
    }
    readings_drop_receiver(&doubled);
    printf("%d readings, sum %ld\n", n, sum);
    return n == 150 && sum == 37350 ? 0 : 1;
}
