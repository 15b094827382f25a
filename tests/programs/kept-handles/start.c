/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Starts both threads. */
#include "service.h"

static void *run(void *argument) {
    struct service *s = argument;
    return s->fd ? argument : NULL;
}

int service_start(struct service *s) {
    if (pthread_create(&s->reader, NULL, run, s) != 0) // no diagnostic: another file joins it
        return -1;
    if (pthread_create(&s->writer, NULL, run, s) != 0) // expected-warning {{[aglet-unjoined]}}
        return -1;
    return 0;
}
