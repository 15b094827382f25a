/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Blocking work beside tasks: a pool of OS threads that tasks wait for as tasks. Stands on aglet/task.h. */
#ifndef AGLET_BLOCKING_H
#define AGLET_BLOCKING_H

#include "aglet/task.h"

AGLET_BEGIN_DECLS

/* Run work(arg) on a thread where it may block, and wait for it without keeping the worker.
 *
 * Ensures   work(arg) has run when 0 is returned; *result (where not NULL) is what it returned.
 * Returns   0, -ENOMEM, or -ECANCELED from an aborted task: then work was not started. Work that already runs
 *           when its task is aborted is waited for, since arg may lie on the caller's stack, and 0 is returned
 *           with its result.
 * Threads   tasks wait as tasks; OS threads call work(arg) themselves. Up to 64 threads are started as needed
 *           and end after ten idle seconds. */
AGLET_API int aglet_run_blocking(void *(*work)(void *arg), void *arg, void **result) AGLET_YIELDS;

/* Start work(arg) there and go on beside it. The handle is one as of aglet_spawn: to join, detach or abort, in a select.
 *
 * Ensures   what work returned is the joiner's result; NULL where work never ran, because the task was aborted before
 *           a thread was free, or no thread could be started: then nobody else has used arg.
 * Returns   as aglet_spawn.
 * Threads   as aglet_spawn: a task, or a thread inside aglet_block_on. */
AGLET_API int aglet_spawn_blocking(aglet_task **task, void *(*work)(void *arg), void *arg AGLET_SENDING)
    AGLET_SPAWNS(work, arg);

AGLET_END_DECLS
#endif
