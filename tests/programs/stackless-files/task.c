/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A task that sleeps with the cache entered, and one that does not. */
#include "cache.h"

struct filler {
    AGLET_FRAME_HEADER;
    int error, i;
};
AGLET_STACKLESS(fill, struct filler) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < 3; f->i++) {
        cache_enter();
        cache_n++;
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // expected-warning {{[aglet-lock-across-yield]}}
        cache_leave();
    }
    AGLET_END(f);
}
AGLET_STACKLESS(fill_mended, struct filler) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < 3; f->i++) {
        cache_enter();
        cache_n++;
        cache_leave();
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // no diagnostic: left before
    }
    AGLET_END(f);
}
void start(void);
void start(void) {
    struct filler f = {.error = 0};
    if (fill_spawn(NULL, f) || fill_mended_spawn(NULL, f))
        return;
}
