/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A service with two threads, of which only one is joined. */
#include <pthread.h>

struct service {
    pthread_t reader, writer;
    int fd;
};
int service_start(struct service *s);
void service_stop(struct service *s);
