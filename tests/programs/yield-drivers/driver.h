/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Storage drivers behind one table of functions; which one a volume has is chosen when it is opened. */
#include <aglet/mutex.h>
#include <aglet/task.h>

struct volume;
struct driver {
    const char *name;
    int (*read)(struct volume *v, int block);
    int (*size)(const struct volume *v);
};
struct volume {
    aglet_mutex mu;
    const struct driver *driver;
    int last AGLET_GUARDED_BY(mu);
    int blocks;
};
extern const struct driver ram_driver, net_driver;
int volume_open(struct volume *v, const char *name);
