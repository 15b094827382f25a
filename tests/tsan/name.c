/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A thread changes its name while others make reports that name it: the checker's own business, and no race of the
 * program. Each report shows a name as it was at one time. */
#include "aglet/misuse.h"
#include "aglet/mutex.h"
#include "aglet/thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { REPORTS = 300 };

static aglet_mutex mu = AGLET_MUTEX_INIT;
static atomic_bool held, over;
static _Atomic unsigned whole, torn;

static void *hold_by_many_names(void *unused) {
    aglet_mutex_lock(&mu);
    aglet_thread_set_name("an even longer name");
    atomic_store(&held, true);
    while (!atomic_load(&over)) {
        aglet_thread_set_name("one name of mine it is");
        aglet_thread_set_name("an even longer name");
    }
    aglet_mutex_unlock(&mu);
    return unused;
}

static void look(const struct aglet_misuse *m, void *unused) {
    (void)unused;
    atomic_fetch_add(strstr(m->message, "'one name of mine it is'") || strstr(m->message, "'an even longer name'") ? &whole
                                                                                                                   : &torn,
                     1);
}

int main(void) {
    aglet_thread t;
    aglet_on_misuse(look, NULL);
    if (aglet_thread_spawn(&t, hold_by_many_names, NULL) != 0)
        return 1;
    while (!atomic_load(&held))
        ;
    for (int i = 0; i < REPORTS; i++)
        aglet_mutex_unlock(&mu);
    atomic_store(&over, true);
    aglet_thread_join(&t, NULL);
    printf("%u reports, %u with half a name\n", atomic_load(&whole), atomic_load(&torn));
    return atomic_load(&whole) != REPORTS || atomic_load(&torn) != 0;
}
