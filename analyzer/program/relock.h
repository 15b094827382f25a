/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which locks did the program make recursive itself, of an owner, a count and a plain lock? Stands on linked.h.
 *
 *     if (m->owner == pthread_self()) { m->depth++; return; }        if (--m->depth) return;
 *     pthread_mutex_lock(&m->mu);                                    m->owner = 0;
 *     m->owner = pthread_self(); m->depth = 1;                       pthread_mutex_unlock(&m->mu);
 *
 * The way round the lock call is one on which the caller holds the lock already, the way round the unlock call one on which it goes on
 * holding it. To callers all ways are one: a level more, a level less, as with PTHREAD_MUTEX_RECURSIVE. So the solver does on the edges that
 * lead round such a call what the call does, and the lock counts as recursive. Both halves must be there, with one count between them: a
 * test for the owner alone may be meant to refuse (EDEADLK), and a count alone counts anything. */
#ifndef AGLET_PROGRAM_RELOCK_H
#define AGLET_PROGRAM_RELOCK_H

#include "linked.h"

/* Fill p->level_edges and mark the locks recursive. Requires the call graph. */
void program_find_relocks(struct program *p);
/* The function's edges; NULL: it has none. */
const struct level_edge *level_edges(const struct program *p, uint32_t func, uint32_t *n);

#endif
