/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Timers whose callbacks run with the timers' lock held. */
#include <pthread.h>
struct timer {
    struct timer *next;
    void (*fire)(struct timer *t);
};
void timers_add(struct timer *t);
void timers_add_locked(struct timer *t);
void timers_run(void);
