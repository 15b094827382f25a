/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Threads and tasks of Aglet whose handles lie in a struct: who joins them takes their address, and reads no member. */
#include <aglet/aglet.h>
#include <aglet/executor.h>

struct room {
    aglet_thread cleaner, porter, forgotten;
    aglet_group guests, strays;
    int open;
};
int room_open(struct room *r);
void room_close(struct room *r);
void hall_close(void);
void thread_end(aglet_thread *t);
