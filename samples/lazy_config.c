/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A configuration that is read at its first use, by whichever thread comes first, once. Stands on aglet.h.
 *
 * Run    release exits 0
 * Run    checked exits 0
 * Prints  good morning, read 1 time */
#include <aglet/aglet.h>
#include <stdio.h>

struct config {
    int workers;
    char greeting[32];
};

static int times_read;

static void read_config(struct config *c) {
    times_read++; /* under the once: nobody else is here */
    c->workers = 3;
    snprintf(c->greeting, sizeof c->greeting, "good morning");
}

static AGLET_LAZY(struct config) config = AGLET_LAZY_INIT;

static void *greet(void *count) {
    const struct config *c = AGLET_LAZY_GET(&config, read_config);
    __atomic_add_fetch((int *)count, c->workers, __ATOMIC_RELAXED);
    return NULL;
}

int main(void) {
    int workers = 0;
    AGLET_SCOPE(scope) {
        for (int i = 0; i < 8; i++)
            aglet_scope_spawn(&scope, greet, &workers);
    }
    printf("%s, read %d time\n", AGLET_LAZY_GET(&config, read_config)->greeting, times_read);
    return workers == 24 && times_read == 1 ? 0 : 1;
}
