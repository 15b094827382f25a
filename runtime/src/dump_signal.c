/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A dump for a signal: the handler only rings a bell, and a thread of its own prints. Stands on futex.h,
 * task_dump.h. */
#include "aglet/task.h"
#include "check.h"
#include "fork.h"
#include "futex.h"
#include "task_dump.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static _Atomic uint32_t bell;  /* futex of the thread */
static _Atomic uint32_t state; /* 0: no thread, 1: being started, 2: there */

static void ring(int number) {
    (void)number;
    int saved = errno;
    atomic_fetch_add(&bell, 1);
    futex_wake(&bell, 1);
    errno = saved;
}

static void *serve(void *unused) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_setname_np(pthread_self(), "aglet-dump");
    if (aglet_checked)
        check_thread_is_own("dump");
    for (uint32_t seen = 0;;) {
        while (atomic_load(&bell) == seen)
            futex_wait(&bell, seen, AGLET_FOREVER);
        seen = atomic_load(&bell);
        aglet_dump(STDERR_FILENO);
    }
    return unused;
}

static int start_thread(void) {
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&state, &none, 1))
        return 0;
    pthread_t thread;
    int error = pthread_create(&thread, NULL, serve, NULL);
    if (!error)
        pthread_detach(thread);
    atomic_store(&state, error ? 0 : 2);
    return -error;
}

void dump_fork(enum fork_moment moment) {
    if (moment == IN_CHILD)
        atomic_store(&state, 0); /* the thread is the parent's */
}

int aglet_dump_on(int number) {
    struct sigaction act = {.sa_handler = ring, .sa_flags = SA_RESTART};
    int error = start_thread();
    if (error)
        return error;
    if (sigaction(number, &act, NULL) != 0)
        return -errno;
    if (aglet_checked)
        check_signal_is_own(number);
    return 0;
}
