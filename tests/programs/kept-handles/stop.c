/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Joins one of them. */
#include "service.h"

void service_stop(struct service *s) {
    pthread_join(s->reader, NULL);
}
