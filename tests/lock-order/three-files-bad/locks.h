/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Three locks and who takes them, a file each. */
#include <pthread.h>
extern pthread_mutex_t a, b, c;
void *one(void *arg);
void *two(void *arg);
void *three(void *arg);
