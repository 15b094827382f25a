/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The core. */
#include "core.h"

static pthread_mutex_t core_mu = PTHREAD_MUTEX_INITIALIZER;
static int noted;

void core_run(struct plugin *p) {
    pthread_mutex_lock(&core_mu);
    p->run(p); // expected-warning {{[aglet-lock-order]}}
    pthread_mutex_unlock(&core_mu);
}
void core_note(int n) {
    pthread_mutex_lock(&core_mu);
    noted += n;
    pthread_mutex_unlock(&core_mu);
}
