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
struct aglet_frame;

/* The life of a task: RUNNABLE (queued or running) → PARKED → RUNNABLE … → ENDED.
 * NOTIFIED is RUNNABLE with a token: its next park returns at once. Two bits of the word `place`. */
enum task_state { TASK_RUNNABLE = 0, TASK_NOTIFIED = 2, TASK_PARKED = 4, TASK_ENDED = 6 };

enum task_kind { TASK_FREE, TASK_STACKFUL, TASK_STACKLESS };

/* What the word `join` holds besides a pointer to the joiner's waiter. The lowest bit says that nobody will
 * join; a member of a group has the group's address above it. */
#define JOIN_OPEN ((uintptr_t)0)
#define JOIN_DETACHED ((uintptr_t)1)
#define JOIN_ENDED ((uintptr_t)2)

/* The word `place` says who may run the task, and its state.
 *
 *   a worker   | state      the task is pinned to it. Only that worker's thread changes the word, with plain
 *                           stores: a wake by another thread goes through the worker's inbox.
 *   its executor | ANYWHERE | state
 *                           whoever wins a compare-exchange of the whole word changes it.
 *
 * Owner and state in one word, because a late waker may look at a slot that is another task by now: what it
 * read as its own worker's parked task is just that, and what it reads as somebody else's it does not touch.
 */
enum { PLACE_ANYWHERE = 1, PLACE_STATE = 6, PLACE_LOW = 7 };

/* How much of a stackful task's start other threads have seen: see task_park. */
enum { NOT_STARTED, STARTED_UNSEEN, STARTED };

/* The memory of a task never goes back to the allocator, so a late wake or abort that names a task which has
 * ended finds a task all the same: at worst another one, which then wakes for no reason (every wait is a
 * loop).
 *
 * The first 64 bytes are all that spawning, running to the end and joining touch: a million tasks that do no
 * more than that cost what the memory costs that passes through the cache. */
struct aglet_task {
    _Atomic uint8_t kind;    /* enum task_kind; TASK_FREE: this is no task but free memory */
    _Atomic uint8_t aborted; /* set by aglet_abort, never cleared while the task lives */
    uint8_t size_class;
    uint8_t started;            /* stackful: has a stack, which has taken over `arg` */
    uint8_t yielded;            /* stackless: the step gave up its turn, it waits for nothing */
    _Atomic uint8_t told;       /* it is in the inbox of a worker, which will wake it */
    _Atomic uint16_t born_high; /* the upper half of when it was spawned, see task_born */
    _Atomic uintptr_t join;     /* JOIN_… or the joiner's struct waiter */
    _Atomic uintptr_t
        place; /* PLACE_…; a worker is written by that worker, or before the task is published */
    struct aglet_task *told_next; /* in that inbox; owned by who has set `told`, then by the worker */
    struct aglet_task *next;      /* in the one queue it is in; owned by that queue */
    union {
        aglet_task_fn *entry; /* stackful */
        aglet_step_fn *step;  /* stackless */
    };
    union {
        void *arg;           /* stackful, not started */
        struct stack *stack; /* stackful, from first run to end */
    };
    union {
        struct aglet_task *newer; /* in a worker's list of fresh tasks */
        void *result;             /* written at the end */
        const void *waits_on;     /* checked: the channel a stackful task receives from */
    };
    _Atomic uint64_t id_born; /* its id, and in the lowest 16 bits the lower half of when it was spawned */
    const char *name;
    void *locals;          /* task-local storage, owner only */
    const char *waits_for; /* static text; written by the owner before it parks */
    const void *waits_at;  /* the caller's code address of the await */
};
_Static_assert(sizeof(struct aglet_task) <= 104 || sizeof(void *) > 8, "leaves 88 bytes of 192 to a frame");

enum { TASK_CLASSES = 24, TASK_CACHE_MAX = 4096, TASK_SMALLEST = 128, TASK_SMALL = 192 };

/* Free task memory that one worker keeps for itself. Zero is valid. */
struct task_cache {
    struct aglet_task *free[TASK_CLASSES];
    unsigned n[TASK_CLASSES];
};

/* The class of tasks of so many bytes, frame included: 128 192 256 384 512 768 …, two for each doubling;
 * TASK_CLASSES: too large. */
unsigned task_class_of_(size_t bytes);
static inline unsigned task_class_of(size_t bytes) {
    return bytes <= TASK_SMALLEST ? 0 : bytes <= TASK_SMALL ? 1 : task_class_of_(bytes);
}

/* Take memory for a task with `frame` bytes behind the header; the caller fills in what tells what it runs
 * (step or entry, arg, id, kind), the rest is set. cache is the calling worker's, or NULL.
 * Returns NULL: no memory, or a frame over 256 KiB. */
struct aglet_task *task_new_slow_(struct task_cache *cache, size_t bytes);
static inline struct aglet_task *task_new(struct task_cache *cache, size_t frame, uintptr_t place,
                                          uintptr_t join) {
    size_t bytes = sizeof(struct aglet_task) + frame;
    unsigned c = task_class_of(bytes);
    struct aglet_task *t;
    if (AGLET_LIKELY(cache && c < TASK_CLASSES && (t = cache->free[c]))) {
        cache->free[c] = t->next;
        cache->n[c]--;
    } else if (!(t = task_new_slow_(cache, bytes))) {
        return NULL;
    }
    t->started = 0;
    t->yielded = 0;
    atomic_store_explicit(&t->aborted, 0, memory_order_relaxed);
    atomic_store_explicit(&t->join, join, memory_order_relaxed);
    /* RUNNABLE: a late waker's token is a spurious one. `told` stays, it belongs to an inbox. */
    atomic_store_explicit(&t->place, place, memory_order_release);
    t->next = NULL;
    t->result = NULL;
    t->name = NULL;
    t->locals = NULL;
    t->waits_for = NULL;
    t->waits_at = NULL;
    return t;
}

/* Ids are never used again. Births are counted in ticks of TASK_TICK_SHIFT, which go round after nine years.
 */
enum { TASK_TICK_SHIFT = 26 };
static inline uint32_t task_ticks(aglet_time now) {
    return (uint32_t)(now >> TASK_TICK_SHIFT);
}
static inline void task_set_id(struct aglet_task *t, uint64_t id, uint32_t born) {
    atomic_store_explicit(&t->id_born, id << 16 | (born & 0xffff), memory_order_relaxed);
    atomic_store_explicit(&t->born_high, (uint16_t)(born >> 16), memory_order_relaxed);
}
static inline uint64_t task_id(const struct aglet_task *t) {
    return atomic_load_explicit(&t->id_born, memory_order_relaxed) >> 16;
}
static inline uint32_t task_born(const struct aglet_task *t) {
    return (uint32_t)atomic_load_explicit(&t->born_high, memory_order_relaxed) << 16 |
           (uint32_t)(atomic_load_explicit(&t->id_born, memory_order_relaxed) & 0xffff);
}

/* Give it back. The caller is the last that uses it, late wakes excepted. */
void task_free_slow_(struct task_cache *cache, struct aglet_task *t);
static inline void task_free(struct task_cache *cache, struct aglet_task *t) {
    unsigned c = t->size_class;
    atomic_store_explicit(&t->kind, TASK_FREE, memory_order_relaxed);
    if (AGLET_UNLIKELY(!cache || cache->n[c] >= TASK_CACHE_MAX)) {
        task_free_slow_(cache, t);
        return;
    }
    t->next = cache->free[c];
    cache->free[c] = t;
    cache->n[c]++;
}

/* Give back what a cache holds. */
void task_cache_flush(struct task_cache *cache);

/* Call visit(task, context) for every task that lives now; what it reads of a running task may be stale. */
void task_each(void (*visit)(struct aglet_task *t, void *context), void *context);

/* The worker a word names that says pinned. */
static inline struct worker *place_worker(uintptr_t place) {
    return (struct worker *)(place & ~(uintptr_t)PLACE_LOW);
}

/* The worker a task is pinned to, or NULL. */
static inline struct worker *task_home(struct aglet_task *t) {
    uintptr_t place = atomic_load_explicit(&t->place, memory_order_acquire);
    return place & PLACE_ANYWHERE ? NULL : place_worker(place);
}

static inline enum task_state task_state(struct aglet_task *t) {
    return (enum task_state)(atomic_load_explicit(&t->place, memory_order_acquire) & PLACE_STATE);
}

/* The frame of a stackless task, which follows its header. */
static inline struct aglet_frame *task_frame(struct aglet_task *t) {
    return (struct aglet_frame *)(void *)(t + 1);
}

/* The stack of a stackful task that has one, else NULL. */
static inline struct stack *task_stack(const struct aglet_task *t) {
    return t->started ? t->stack : NULL;
}

/* The group it is a member of, or NULL. */
static inline struct aglet_group *task_group(struct aglet_task *t) {
    uintptr_t join = atomic_load_explicit(&t->join, memory_order_relaxed);
    return join & JOIN_DETACHED ? (struct aglet_group *)(join & ~JOIN_DETACHED) : NULL;
}

static inline bool task_is_aborted(struct aglet_task *t) {
    /* Partner: the release store in aglet_abort. */
    return AGLET_UNLIKELY(atomic_load_explicit(&t->aborted, memory_order_acquire));
}

#endif
