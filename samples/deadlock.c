/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The classic: money goes from A to B in one thread and from B to A in another, and each locks "from" first. It works
 * for years. The lint sees the two orders; the checked library reports them after one harmless run of each.
 * Stands on aglet.h.
 *
 * Lint   lock-order
 * Run    release exits 0
 * Run    checked exits 66 reports lock-order */
#include <aglet/aglet.h>
#include <stdio.h>

static aglet_mutex checking_mu = AGLET_MUTEX_INIT, savings_mu = AGLET_MUTEX_INIT;
static long checking AGLET_GUARDED_BY(checking_mu) = 100;
static long savings AGLET_GUARDED_BY(savings_mu) = 100;

static void *save(void *argument) {
    AGLET_GUARD(&checking_mu);
    AGLET_GUARD(&savings_mu);
    checking -= 10;
    savings += 10;
    return argument;
}

static void *spend(void *argument) {
    AGLET_GUARD(&savings_mu);
    AGLET_GUARD(&checking_mu); /* wrong: the other function takes them in the other order */
    savings -= 5;
    checking += 5;
    return argument;
}

int main(void) {
    void *(*const both[])(void *) = {save, spend};
    for (int i = 0; i < 2; i++) { /* one after the other: this program never hangs, the next one may */
        aglet_thread t;
        if (aglet_thread_spawn(&t, both[i], NULL) != 0)
            return 1;
        aglet_thread_join(&t, NULL);
    }
    puts("done");
    return 0;
}
