/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Opens volumes, reads from them with the lock held, and without. */
#include "driver.h"
#include <string.h>

static const struct driver *const drivers[] = {&ram_driver, &net_driver};

int volume_open(struct volume *v, const char *name) {
    for (unsigned i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (!strcmp(drivers[i]->name, name)) {
            v->driver = drivers[i];
            return 0;
        }
    return -1;
}
int volume_read(struct volume *v, int block);
int volume_read(struct volume *v, int block) {
    aglet_mutex_lock(&v->mu);
    v->last = v->driver->read(v, block); // expected-warning {{[aglet-lock-across-yield]}}
    aglet_mutex_unlock(&v->mu);
    return 0;
}
int volume_read_mended(struct volume *v, int block);
int volume_read_mended(struct volume *v, int block) {
    const int last = v->driver->read(v, block); // no diagnostic: nothing is held
    aglet_mutex_lock(&v->mu);
    v->last = last;
    aglet_mutex_unlock(&v->mu);
    return 0;
}
int volume_size(struct volume *v);
int volume_size(struct volume *v) {
    aglet_mutex_lock(&v->mu);
    const int n = v->driver->size(v) + v->last; // no diagnostic: no driver's size waits
    aglet_mutex_unlock(&v->mu);
    return n;
}
