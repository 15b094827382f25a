/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A table that many threads read and one thread changes, behind a read-write lock. Stands on aglet.h.
 *
 * Run    release exits 0
 * Run    checked exits 0
 * Prints  every reader saw whole tables, in order */
#include <aglet/aglet.h>
#include <stdio.h>
#include <string.h>

enum { PORTS = 64, ROUNDS = 2000 };

struct routes {
    aglet_rwlock rw;
    char name[PORTS][16] AGLET_GUARDED_BY(rw);
    long version AGLET_GUARDED_BY(rw);
};

static struct routes routes = {.rw = AGLET_RWLOCK_INIT};

/* Returns the version of the table in which the port had this name, or -1. */
static long find(struct routes *r, const char *name) {
    AGLET_READ_GUARD(&r->rw);
    for (int i = 0; i < PORTS; i++)
        if (strcmp(r->name[i], name) == 0)
            return r->version;
    return -1;
}

static void set(struct routes *r, int port, const char *name) {
    AGLET_WRITE_GUARD(&r->rw);
    snprintf(r->name[port], sizeof r->name[port], "%s", name);
    r->version++;
}

static void *look(void *wrong) {
    long last = 0;
    for (int i = 0; i < ROUNDS; i++) {
        long now = find(&routes, "gateway");
        if (now < last)
            return wrong; /* the table went back in time, or lost a name it had */
        last = now;
    }
    return NULL;
}

int main(void) {
    aglet_thread readers[4];
    bool failed = false;
    set(&routes, 1, "gateway");
    for (int i = 0; i < 4; i++)
        if (aglet_thread_spawn(&readers[i], look, &failed) != 0)
            return 1;
    for (int i = 0; i < ROUNDS; i++)
        set(&routes, 2 + i % (PORTS - 2), "peer");
    for (int i = 0; i < 4; i++) {
        void *wrong;
        aglet_thread_join(&readers[i], &wrong);
        failed |= wrong != NULL;
    }
    puts(failed ? "a reader saw a table that never was" : "every reader saw whole tables, in order");
    return failed;
}
