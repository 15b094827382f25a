/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How far the processors are from each other, as those who wait for locks found it lately. Stands on base.h.
 *
 * What one thread wrote last takes some 30 ns to another processor that shares a cache with it, and 150 and
 * more to one that does not; on a virtual machine the two change within minutes. Near, threads that look for
 * a lock at every turn work side by side. Far, every look costs whoever works more than its section, and a
 * waiter had better leave the line alone for a while. */
#ifndef AGLET_SRC_DISTANCE_H
#define AGLET_SRC_DISTANCE_H

#include "aglet/base.h"

/* What was found lately; near until then. */
bool lines_come_far(void);

/* Is this thread to measure during the wait that begins? It is in one wait of eight. */
bool distance_wanted(void);

/* A load of what another processor had written took this long. */
void distance_note(aglet_time took);

#endif
