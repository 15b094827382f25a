/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A stack of the checker's own, for what needs more than a thread may have: libdw takes some 150 KiB, and
 * many programs give their threads 64. Stands on switch.h, mmap(2). */
#include "engine.h"

#include "switch.h"

#include <sys/mman.h>

enum { ROOM = 512 * 1024, GUARD = 64 * 1024 };

static char *bottom; /* mapped at the first call, kept */

struct call {
    void (*function)(void *);
    void *argument;
    struct context caller, far;
};

static void begin(void *argument) {
    struct call *c = argument;
    context_entered(&c->far);
    c->function(c->argument);
    context_switch(&c->far, &c->caller);
}

static bool map_stack(void) {
    if (bottom != NULL)
        return true;
    void *range =
        mmap(NULL, GUARD + ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED)
        return false;
    mprotect(range, GUARD, PROT_NONE);
    bottom = (char *)range + GUARD;
    return true;
}

bool on_far_stack(void (*function)(void *), void *argument) {
    struct call c = {.function = function, .argument = argument};
    if (!map_stack())
        return false;
    context_adopt(&c.caller);
    context_make(&c.far, bottom, ROOM, begin, &c);
    context_switch(&c.caller, &c.far);
    context_drop(&c.far);
    return true;
}
