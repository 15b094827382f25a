/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Fan-in: three sources with a channel each, and one task that takes from whichever has something, until all
 * have ended. Stands on aglet/select.h.
 *
 * Prints  10 10 10 */
#include <aglet/executor.h>
#include <aglet/select.h>
#include <stdio.h>

AGLET_CHANNEL(readings, int);

enum { SOURCES = 3, EACH = 10 };

struct source {
    readings_sender out;
    int number;
};

static void *measure(void *arg) {
    struct source *s = arg;
    for (int i = 0; i < EACH; i++) {
        if (aglet_sleep_until(aglet_after_ns(100000 * (s->number + 1))) || readings_send(&s->out, s->number))
            break;
    }
    readings_drop(&s->out);
    return NULL;
}

AGLET_MAIN(argc, argv) {
    struct source sources[SOURCES];
    readings_receiver in[SOURCES];
    aglet_task *tasks[SOURCES];
    struct aglet_case cases[SOURCES];
    int value[SOURCES], count[SOURCES] = {0}, open = SOURCES;
    for (int i = 0; i < SOURCES; i++) {
        sources[i].number = i;
        if (readings_bounded(&sources[i].out, &in[i], 2) || aglet_spawn(&tasks[i], measure, &sources[i]))
            return 1;
        cases[i] = (struct aglet_case)AGLET_CASE_RECV(&in[i], &value[i]);
    }
    while (open > 0) {
        int i = aglet_select(cases, SOURCES, AGLET_FOREVER);
        if (i < 0)
            return 1;
        if (cases[i].result == 0) {
            count[value[i]]++;
        } else {
            cases[i] = (struct aglet_case)AGLET_CASE_NEVER;
            open--;
        }
    }
    if (aglet_join_all(tasks, NULL, SOURCES))
        return 1;
    for (int i = 0; i < SOURCES; i++)
        readings_drop_receiver(&in[i]);
    printf("%d %d %d\n", count[0], count[1], count[2]);
    return count[0] == EACH && count[1] == EACH && count[2] == EACH ? 0 : 1;
}
