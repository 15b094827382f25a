/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A task as the scheduler sees it, and the memory tasks live in.
 * Stands on switch.h, timer.h and task_stack.h; the public face is aglet/task.h. */
#ifndef AGLET_SRC_TASK_CORE_H
#define AGLET_SRC_TASK_CORE_H

#include "aglet/task.h"
#include "task_stack.h"
#include "task_lock.h"
#include "timer.h"

struct worker;
struct aglet_executor;
struct sleeper;

/* The life of a task: RUNNABLE (queued or running) → PARKED → RUNNABLE … → ENDED.
 * NOTIFIED is RUNNABLE with a token: its next park returns at once. */
enum task_state { TASK_RUNNABLE, TASK_NOTIFIED, TASK_PARKED, TASK_ENDED };

enum task_kind { TASK_FREE, TASK_STACKFUL, TASK_STACKLESS };

/* What the word `join` holds besides a pointer to the joiner's sleeper. */
#define JOIN_OPEN ((uintptr_t)0)
#define JOIN_DETACHED ((uintptr_t)1)
#define JOIN_ENDED ((uintptr_t)2)

/* The memory of a task never goes back to the allocator, so a late wake or abort that names a task which has
 * ended finds a task all the same: at worst another one, which then wakes for no reason (every wait is a
 * loop). */
struct aglet_task {
    _Atomic uint32_t state;   /* enum task_state; changed by owner and wakers */
    _Atomic uint32_t aborted; /* set by aglet_abort, never cleared while the task lives */
    _Atomic uintptr_t join;   /* JOIN_… or the joiner's struct sleeper */
    struct aglet_task *next;  /* in the one queue it is in; owned by that queue */
    struct worker *home;      /* pinned to this worker, or NULL. Written by the worker that first runs it */
    struct stack *stack;      /* stackful, from first run to end */
    struct aglet_executor *executor;
    union {
        aglet_task_fn *entry; /* stackful */
        aglet_step_fn *step;  /* stackless */
    };
    void *arg; /* stackful: the argument; stackless: the frame, which follows this header */
    union {
        void *result;         /* written at the end */
        const void *waits_on; /* checked: the channel a stackful task receives from */
    };
    struct aglet_group *group;
    const char *name;
    void *locals;          /* task-local storage, owner only */
    const char *waits_for; /* static text; written by the owner before it parks */
    const void *waits_at;  /* the caller's code address of the await */
    uint64_t id;
    _Atomic uint8_t kind; /* enum task_kind; TASK_FREE: this is no task but free memory */
    uint8_t size_class;
    uint8_t local;   /* spawned with spawn_local: never leaves its home */
    uint8_t yielded; /* stackless: the step gave up its turn, it waits for nothing */
};

enum { TASK_CLASSES = 20, TASK_CACHE_MAX = 4096 };

/* Free task memory that one worker keeps for itself. Zero is valid. */
struct task_cache {
    struct aglet_task *free[TASK_CLASSES];
    unsigned n[TASK_CLASSES];
};

/* Take memory for a task with `frame` bytes behind the header, all fields zero but size_class.
 * cache is the calling worker's, or NULL. Returns NULL: no memory, or a frame over 256 KiB. */
struct aglet_task *task_new(struct task_cache *cache, size_t frame);

/* Give it back. The caller is the last that uses it, late wakes excepted. */
void task_free(struct task_cache *cache, struct aglet_task *t);

/* Give back what a cache holds. */
void task_cache_flush(struct task_cache *cache);

/* Call visit(task, context) for every task that lives now; what it reads of a running task may be stale. */
void task_each(void (*visit)(struct aglet_task *t, void *context), void *context);

_Static_assert(sizeof(struct aglet_task) <= 128 || sizeof(void *) > 8, "two cache lines");

static inline bool task_is_aborted(struct aglet_task *t) {
    /* Partner: the release store in aglet_abort. */
    return AGLET_UNLIKELY(atomic_load_explicit(&t->aborted, memory_order_acquire));
}

#endif
