/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* sem_wait, watched: who waits there is known when everybody waits. Stands on real.h, check.h. */
#include "real.h"

#include <errno.h>
#include <string.h>

/* glibc keeps in the third word whether other processes use it. */
static bool shared(const sem_t *s) {
    int word;
    memcpy(&word, (const char *)s + 8, sizeof word);
    return word != 0;
}

static int wait_until(sem_t *s, const struct timespec *limit) {
    return real.sem_clockwait(s, CLOCK_MONOTONIC, limit) == 0 ? 0 : errno;
}

static int wait_for_ever(sem_t *s) {
    return real.sem_wait(s) == 0 ? 0 : errno;
}

EXPORT int sem_wait(sem_t *s) {
    if (!watching() || shared(s))
        return real.sem_wait(s);
    int saved = errno;
    if (real.sem_trywait(s) == 0)
        return 0;
    errno = saved;
    int error;
    bool told = check_block_begin(CHECK_ON_SEMAPHORE, s, AGLET_FOREVER, PROGRAM());
    WAIT_AND_LOOK(error, wait_for_ever(s), wait_until(s, limit));
    if (told)
        check_block_end();
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}
