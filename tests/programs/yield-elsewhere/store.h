/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the two files of this program share: a lock, and functions of which the name does not say that they yield. */
#include <aglet/mutex.h>
#include <aglet/task.h>

extern aglet_mutex store_mu;
struct backend {
    int (*flush)(int n);
};
extern const struct backend disk, memory;
int store_flush(int n);
int store_count(int n);
aglet_mutex *store_enter(void);
int store_each(int (*visit)(int n), int n);
