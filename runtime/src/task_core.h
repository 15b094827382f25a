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
struct group_member;

/* The life of a task: RUNNABLE (queued or running) → PARKED → RUNNABLE … → ENDED.
 * NOTIFIED is RUNNABLE with a token: its next park returns at once. Two bits of the word `place`. */
enum task_state { TASK_RUNNABLE = 0, TASK_NOTIFIED = 2, TASK_PARKED = 4, TASK_ENDED = 6 };

enum task_kind { TASK_FREE, TASK_STACKFUL, TASK_STACKLESS };

/* What the word `join` holds besides a pointer to the joiner's waiter. The lowest bit says that nobody will
 * join; a member of a group has its place in the group above it. */
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
 * One cache line, and all that a stackful task takes until it runs: a million that wait for their turn cost
 * what their memory costs to fetch and to pass through the cache. What only a task that has begun needs
 * (struct task_rest) lies in the head of its stack, or between this and the frame of a stackless one. */
struct aglet_task {
    _Atomic uint8_t kind;    /* enum task_kind; TASK_FREE: this is no task but free memory */
    _Atomic uint8_t aborted; /* set by aglet_abort, never cleared while the task lives */
    uint8_t size_class;
    union {
        uint8_t started; /* stackful: has a stack, which has taken over `arg` */
        uint8_t yielded; /* stackless: the step gave up its turn, it waits for nothing */
    };
    _Atomic uint8_t told;       /* it is in the inbox of a worker, which will wake it */
    _Atomic uint8_t named;      /* its chunk knows its name, see task_name */
    _Atomic uint16_t born_high; /* the upper half of when it was spawned, see task_born */
    _Atomic uintptr_t join;     /* JOIN_… or the joiner's struct waiter */
    _Atomic uintptr_t
        place; /* PLACE_…; a worker is written by that worker, or before the task is published */
    struct aglet_task *told_next; /* in that inbox; owned by who has set `told`, then by the worker */
    union {
        struct aglet_task *next; /* in the one queue it is in; owned by that queue */
        uintptr_t both;          /* in a list of fresh tasks: its two neighbours, see fresh_push */
    };
    union {
        aglet_task_fn *entry;     /* stackful */
        aglet_step_fn *step;      /* stackless */
        struct aglet_task *batch; /* the first of some free slots: of the next batch */
    };
    union {
        unsigned batch_n;    /* of these: how many */
        void *arg;           /* stackful, not started */
        struct stack *stack; /* stackful, from first run to end */
        void *result;        /* stackful, ended; stackless, from AGLET_RETURN on */
    };
    _Atomic uint64_t id_born; /* its id, and in the lowest 16 bits the lower half of when it was spawned */
};
_Static_assert(sizeof(struct aglet_task) == 64 || sizeof(void *) != 8, "a task is a cache line");

/* Between a stackless task and its frame. What only an await needs lies apart, see task_wait_room. */
struct task_step_rest {
    struct task_rest rest;
    _Alignas(16) unsigned char frame[]; /* aligned as malloc(3) does: a frame may hold any type */
};

/* Classes of slots in bytes, frame included: 64, and then 128 192 256 384 512 768 …, two for each doubling. */
enum { TASK_CLASSES = 25, TASK_LINE = 64, TASK_SMALLEST = 128, TASK_SMALL = 192 };
enum { TASK_CLASS_LINE, TASK_CLASS_SMALLEST };

/* What an await of a stackless task needs (struct step_wait) is a cache line that a task which never waits does not
 * touch: the last of the slot before. Only the smallest tasks have these lines apart: a chunk of them is APART_SLOTS bytes
 * of slots, aligned to as much, and then a line for each, so that a million which have not waited are a third less memory
 * to find and to clear. (To find the line of any slot by its number costs each await a nanosecond.) */
enum {
    TASK_WAIT = 64,
    APART_SLOTS = 4 * 1024 * 1024,
    APART_WAITS = APART_SLOTS / (TASK_SMALLEST / TASK_WAIT)
};

/* Free slots travel between workers and the store of free slots by the batch. */
enum { TASK_BATCH = 1024 };

/* Free slots that one worker keeps for itself: a batch in use, and a full one or none. Zero is valid. */
struct task_cache {
    struct aglet_task *free[TASK_CLASSES], *full[TASK_CLASSES];
    unsigned n[TASK_CLASSES]; /* length of `free` */
};

/* The class for a task and its frame, together of so many bytes; TASK_CLASSES: too large. */
unsigned task_class_of_(size_t bytes);
static inline unsigned task_class_of(size_t bytes) {
    return bytes <= TASK_LINE       ? TASK_CLASS_LINE
           : bytes <= TASK_SMALLEST ? TASK_CLASS_SMALLEST
                                    : task_class_of_(bytes);
}

/* Take memory for a stackful task (frame 0), or a stackless one with `frame` bytes; the caller fills in what
 * tells what it runs (step or entry, arg, id, kind) and a stackless one's rest, all else is set. cache is the
 * calling worker's, or NULL. Returns NULL: no memory, or a frame over 256 KiB. */
struct aglet_task *task_new_slow_(struct task_cache *cache, size_t bytes);
static inline struct aglet_task *task_new(struct task_cache *cache, size_t frame, uintptr_t place,
                                          uintptr_t join) {
    size_t bytes = sizeof(struct aglet_task) + (frame ? sizeof(struct task_step_rest) + frame : 0);
    unsigned c = task_class_of(bytes);
    struct aglet_task *t;
    if (AGLET_LIKELY(cache && c < TASK_CLASSES && (t = cache->free[c]))) {
        cache->free[c] = t->next;
        cache->n[c]--;
    } else if (!(t = task_new_slow_(cache, bytes))) {
        return NULL;
    }
    t->started = NOT_STARTED;
    atomic_store_explicit(&t->named, 0, memory_order_relaxed);
    atomic_store_explicit(&t->aborted, 0, memory_order_relaxed);
    atomic_store_explicit(&t->join, join, memory_order_relaxed);
    /* RUNNABLE: a late waker's token is a spurious one. `told` stays, it belongs to an inbox. */
    atomic_store_explicit(&t->place, place, memory_order_release);
    t->next = NULL;
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
    if (AGLET_UNLIKELY(!cache || cache->n[c] == TASK_BATCH)) {
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

/* What lies between a stackless task and its frame, and the frame. */
static inline struct task_step_rest *task_step_rest(const struct aglet_task *t) {
    return (struct task_step_rest *)(uintptr_t)(t + 1);
}
static inline struct aglet_frame *task_frame(const struct aglet_task *t) {
    return (struct aglet_frame *)(void *)task_step_rest(t)->frame;
}

/* Where a stackless task keeps what an await needs: TASK_WAIT bytes. */
static inline void *task_wait_room(struct aglet_task *t) {
    if (AGLET_LIKELY(t->size_class != TASK_CLASS_SMALLEST))
        return (char *)t - TASK_WAIT;
    uintptr_t in_chunk = (uintptr_t)t & (APART_SLOTS - 1);
    return (char *)t - in_chunk + APART_SLOTS + in_chunk / (TASK_SMALLEST / TASK_WAIT);
}

/* The stack of a stackful task that has one, else NULL. */
static inline struct stack *task_stack(const struct aglet_task *t) {
    return atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_STACKFUL && t->started ? t->stack
                                                                                               : NULL;
}

/* What a task needs once it has begun; NULL: a stackful one that has not, or has ended. */
static inline struct task_rest *task_rest(const struct aglet_task *t) {
    if (atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_STACKLESS)
        return &task_step_rest(t)->rest;
    struct stack *s = task_stack(t);
    return s ? &s->rest : NULL;
}

/* Its name, or NULL. Few tasks have one, so names lie beside the chunks of tasks, in a table that a chunk
 * has from the first name on. Setting one may fail for want of memory: the task is then unnamed. */
const char *task_name(const struct aglet_task *t);
void task_set_name(struct aglet_task *t, const char *name);

/* What makes it a member of a group, or NULL. */
static inline struct group_member *task_member(struct aglet_task *t) {
    uintptr_t join = atomic_load_explicit(&t->join, memory_order_relaxed);
    return join & JOIN_DETACHED ? (struct group_member *)(join & ~JOIN_DETACHED) : NULL;
}

static inline bool task_is_aborted(struct aglet_task *t) {
    /* Partner: the release store in aglet_abort. */
    if (AGLET_LIKELY(!atomic_load_explicit(&t->aborted, memory_order_acquire)))
        return false;
    tsan_observe(&t->place);
    return true;
}

#endif
