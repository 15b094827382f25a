/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A timeout around a call that is too slow, and a retry with growing pauses around one that fails at first.
 * Stands on aglet/task.h.
 *
 * Prints  timeout: yes; answer 200 after 3 tries; gave up after 4 */
#include <aglet/executor.h>
#include <errno.h>
#include <stdio.h>

static void *slow_answer(void *arg) {
    return aglet_sleep_ms(10000) == -ECANCELED ? NULL : arg;
}

struct server {
    int asked, answers_from;
};

static int ask(void *arg) {
    struct server *s = arg;
    return ++s->asked >= s->answers_from ? 200 : -EAGAIN;
}

AGLET_MAIN(argc, argv) {
    aglet_task *task;
    if (aglet_spawn(&task, slow_answer, NULL))
        return 1;
    int error = aglet_join_until(task, NULL, aglet_after_ms(10));
    if (error == -ETIMEDOUT) {
        aglet_abort(task);
        (void)aglet_join(task, NULL);
    }
    struct server third_time = {0, 3}, never = {0, 1000};
    int answer = aglet_retry(ask, &third_time, 5, 1), failure = aglet_retry(ask, &never, 4, 1);
    printf("timeout: %s; answer %d after %d tries; gave up after %d\n", error == -ETIMEDOUT ? "yes" : "no",
           answer, third_time.asked, never.asked);
    return error == -ETIMEDOUT && answer == 200 && third_time.asked == 3 && failure == -EAGAIN &&
                   never.asked == 4
               ? 0
               : 1;
}
