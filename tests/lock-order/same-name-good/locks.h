/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock that both files use, and their threads. */
#include <pthread.h>
extern pthread_mutex_t shared;
void *one(void *arg);
void *two(void *arg);
