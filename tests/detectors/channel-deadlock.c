/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: two tasks each wait for the other's message first. Finds: channel-deadlock. Only with Aglet's API.
 */
#include "form.h"
#include "aglet/channel.h"
#include "aglet/executor.h"

AGLET_CHANNEL(numbers, int);

struct side {
    numbers_receiver from;
    numbers_sender to;
    int begins;
};

static void *talk(void *argument) {
    struct side *s = argument;
    int value = 0;
    if (s->begins)
        (void)numbers_send(&s->to, 1);
    (void)numbers_recv(&s->from, &value);
    if (!s->begins)
        (void)numbers_send(&s->to, value);
    numbers_drop(&s->to);
    numbers_drop_receiver(&s->from);
    return NULL;
}

static void *work(void *argument) {
    struct side a = {.begins = mended}, b = {.begins = 0};
    aglet_task *ta, *tb;
    if (numbers_bounded(&a.to, &b.from, 1) || numbers_bounded(&b.to, &a.from, 1))
        return argument;
    (void)aglet_spawn(&ta, talk, &a);
    (void)aglet_spawn(&tb, talk, &b);
    (void)aglet_join(ta, NULL);
    (void)aglet_join(tb, NULL);
    return NULL;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
