/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* pthread_barrier_wait, watched: who waits there is known when everybody waits. Stands on real.h, check.h. */
#include "real.h"

#include <string.h>
#include <time.h>

/* Of glibc's barrier, as its third and fourth words say. */
struct facts {
    unsigned in, round, count;
    int shared;
};

/* There is no wait at a barrier that ends by itself. So whoever would be the last to fall asleep, and does not
 * complete the round, looks around before; and sleeps meanwhile as one who runs, for the last to come may have
 * come then. */
static bool wait_begin(const pthread_barrier_t *b, unsigned count, const void *caller) {
    if (!check_block_begin(CHECK_ON_BARRIER, b, AGLET_FOREVER, caller))
        return false;
    aglet_time look_at = check_look_at();
    if (look_at == AGLET_FOREVER || check_waiting_for(b) >= count)
        return true;
    check_block_end();
    struct timespec until = timespec_of(look_at);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
        continue;
    if (!check_block_begin(CHECK_ON_BARRIER, b, AGLET_FOREVER, caller))
        return false;
    if (check_look_at() != AGLET_FOREVER && check_waiting_for(b) < count)
        check_look(NULL, 0);
    return true;
}

EXPORT int pthread_barrier_wait(pthread_barrier_t *b) {
    struct facts facts;
    memcpy(&facts, b, sizeof facts);
    if (!watching() || facts.shared != 0)
        return real.pthread_barrier_wait(b);
    bool told = wait_begin(b, facts.count, PROGRAM());
    int result = real.pthread_barrier_wait(b);
    if (told)
        check_block_end();
    return result;
}
