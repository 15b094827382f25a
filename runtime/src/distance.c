/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The distance between processors, one guess for all threads. Stands on distance.h. */
#include "distance.h"

#include <stdatomic.h>

/* Points: two more for a load that took long, one less for one that did not, for a thread whose writer ran on
 * its own processor finds the line near. Read in every wait and written in few, so it has a line of its own;
 * some changes may be lost. */
enum { FAR_FROM = 8, FAR_MOST = 16, NOTE_EVERY = 8 };
static _Alignas(64) _Atomic unsigned char points;
static const aglet_time far_load = 90;
static _Thread_local unsigned char waits; /* of this thread, modulo 256 */

bool lines_come_far(void) {
    return atomic_load_explicit(&points, memory_order_relaxed) >= FAR_FROM;
}

bool distance_wanted(void) {
    return ++waits % NOTE_EVERY == 0;
}

void distance_note(aglet_time took) {
    int before = atomic_load_explicit(&points, memory_order_relaxed);
    int now = took < far_load ? before - (before > 0) : before + 2 < FAR_MOST ? before + 2 : FAR_MOST;
    if (now != before)
        atomic_store_explicit(&points, (unsigned char)now, memory_order_relaxed);
}
