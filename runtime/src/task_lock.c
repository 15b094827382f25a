/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a thread does while the scheduler's short lock is taken. Stands on the kernel's scheduler: after
 * some spinning it yields, then sleeps, so that a preempted holder of lower priority can run. */
#include "task_lock.h"

#include <sched.h>
#include <time.h>

void slock_wait_(struct slock *l) {
    for (unsigned round = 0;; round++) {
        for (int i = 0; i < 64; i++) {
            if (!(atomic_load_explicit(&l->held, memory_order_relaxed) & 1) && slock_try(l))
                return;
            cpu_relax();
        }
        if (round < 50)
            sched_yield();
        else
            // aglet-ignore(blocking-in-task): fifty microseconds at a time, only while the holder is preempted
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    }
}
