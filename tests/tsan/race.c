/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Runs under ThreadSanitizer with the checked library as it is installed, not instrumented: with `locked` the
 * counter is only touched under an Aglet lock and nothing may be said; with `racy` one access stands beside
 * the lock and must be found. Stands on aglet.h. */
#include "aglet/aglet.h"

#include <string.h>

static aglet_mutex mu;
static aglet_rwlock rw;
static long counter, table, unguarded;
static bool racy;

static void *work(void *argument) {
    for (int i = 0; i < 2000; i++) {
        {
            AGLET_GUARD(&mu);
            counter++;
        }
        if (i % 10 == 0) {
            AGLET_WRITE_GUARD(&rw);
            table++;
        } else {
            AGLET_READ_GUARD(&rw);
            if (table < 0)
                return NULL;
        }
        if (racy)
            unguarded++;
    }
    return argument;
}

int main(int argc, char **argv) {
    racy = argc > 1 && strcmp(argv[1], "racy") == 0;
    aglet_thread t[2];
    for (int i = 0; i < 2; i++)
        if (aglet_thread_spawn(&t[i], work, NULL) != 0)
            return 2;
    for (int i = 0; i < 2; i++)
        aglet_thread_join(&t[i], NULL);
    return counter == 4000 && table == 400 ? 0 : 1;
}
