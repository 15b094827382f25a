/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which functions run as tasks, and what in them stops the worker?
 * Stands on the call graph and effects. */
#ifndef AGLET_PROGRAM_TASKS_H
#define AGLET_PROGRAM_TASKS_H

#include "linked.h"
#include "summary.h"

struct task_entry {
    uint32_t func;
    struct site from; /* where it is handed to the executor, or its own declaration */
    bool migrates;    /* the type of what it is handed to says AGLET_MIGRATES */
};
/* A call that blocks, reached from a task: by the calls via[0 … n), the last one being the blocking call itself. */
#define MAX_TASK_CHAIN 12u
struct task_block {
    struct task_entry entry;
    uint32_t blocks; /* the function that blocks: a library's, or one annotated so */
    struct site via[MAX_TASK_CHAIN];
    uint32_t callee[MAX_TASK_CHAIN];
    uint32_t n;
    uint32_t
        decided; /* of via: the call that passes what makes it block; the last one where nothing needs to be passed */
};
/* A function marked AGLET_NO_YIELD or AGLET_NO_BLOCK that does: by the calls via[0 … n). */
struct effect_broken {
    uint32_t func;
    bool yields; /* else it blocks */
    struct site via[MAX_TASK_CHAIN];
    uint32_t callee[MAX_TASK_CHAIN];
    uint32_t n;
};
struct task_facts {
    VEC(struct task_entry) entries;
    VEC(struct task_block) blocks;
    VEC(struct effect_broken) broken;
};

/* Functions marked AGLET_TASK_ENTRY, and those given to a parameter whose type is marked so (aglet_task_fn). */
struct task_facts *tasks_find(const struct program *p);
void tasks_free(struct task_facts *t);

#endif
