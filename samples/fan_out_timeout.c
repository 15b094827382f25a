/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Many are asked, and what has been answered by the deadline counts; the others are aborted. Stands on aglet/select.h.
 *
 * Prints  6 asked: all answered or late */
#include <aglet/channel.h>
#include <aglet/executor.h>
#include <aglet/select.h>
#include <stdio.h>

struct answer {
    int from;
    long value;
};

AGLET_CHANNEL(answers, struct answer);

enum { ASKED = 6 };

struct question {
    int number;
    answers_sender tx;
};

static void *answer(void *arg) {
    struct question *q = arg;
    struct answer a = {q->number, q->number * 10L};
    int error = aglet_sleep_ms(q->number * 30);
    if (!error)
        error = answers_send(&q->tx, a);
    answers_drop(&q->tx);
    return (void *)(intptr_t)error;
}

AGLET_MAIN(argc, argv) {
    static struct question questions[ASKED];
    answers_sender tx;
    answers_receiver rx;
    aglet_task *tasks[ASKED];
    void *errors[ASKED];
    int asked = 0, in = 0, late = 0;
    if (answers_bounded(&tx, &rx, 0)) /* who answers waits until somebody listens */
        return 1;
    for (; asked < ASKED; asked++) {
        questions[asked] = (struct question){asked, answers_clone(&tx)};
        if (aglet_spawn(&tasks[asked], answer, &questions[asked]))
            break;
    }
    answers_drop(&tx); /* else the loop below would wait for an answer of our own */
    aglet_time deadline = aglet_after_ms(80);
    for (;;) {
        struct answer a;
        struct aglet_case cases[] = {AGLET_CASE_RECV(&rx, &a)};
        if (aglet_select(cases, 1, deadline) != 0 || cases[0].result)
            break; /* the deadline, or all have answered */
        in++;
    }
    for (int i = 0; i < asked; i++)
        aglet_abort(tasks[i]);
    if (aglet_join_all(tasks, errors, (size_t)asked))
        return 1;
    for (int i = 0; i < asked; i++)
        late += errors[i] != NULL;
    answers_drop_receiver(&rx);
    printf("%d asked: %s\n", asked, in + late == asked ? "all answered or late" : "some were lost");
    return in + late != ASKED;
}
