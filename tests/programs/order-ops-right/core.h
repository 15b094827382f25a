/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A core with plugins: the core's lock is held when a plugin is called, and plugins call back. */
#include <pthread.h>
struct plugin {
    pthread_mutex_t mu;
    void (*run)(struct plugin *p);
    int n;
};
void core_run(struct plugin *p);
void core_note(int n);
extern struct plugin counter;
