/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Rust's Arc<Mutex<…>>: threads share one object, each holds a reference, and the data opens only under its lock.
 * Stands on aglet.h.
 *
 * Run    release exits 0
 * Run    checked exits 0
 * Prints  12000 words, 4000 lines, 1 reference left */
#include <aglet/aglet.h>
#include <stdio.h>

struct totals {
    long words, lines;
};
typedef AGLET_MUTEX_OF(struct totals) shared_totals;

AGLET_THREAD_FUNCTION(count, shared_totals)
static void *count(shared_totals *mine) {
    for (int i = 0; i < 1000; i++) {
        AGLET_OPEN(t, mine); /* to the end of this block */
        t->words += 3;
        t->lines++;
    }
    AGLET_ARC_DROP(mine);
    return NULL;
}

int main(void) {
    enum { THREADS = 4 };
    shared_totals *totals = AGLET_ARC_NEW(shared_totals, NULL);
    if (totals == NULL)
        return 1;
    AGLET_SCOPE(scope) {
        for (int i = 0; i < THREADS; i++)
            if (AGLET_SCOPE_SPAWN(&scope, count, AGLET_ARC_KEEP(totals)) != 0)
                return 1;
    }
    long words, lines;
    {
        AGLET_OPEN(t, totals);
        words = t->words;
        lines = t->lines;
    }
    size_t left = aglet_arc_count(totals);
    AGLET_ARC_DROP(totals);
    printf("%ld words, %ld lines, %zu reference left\n", words, lines, left);
    return words == 3000 * THREADS && lines == 1000 * THREADS && left == 1 ? 0 : 1;
}
