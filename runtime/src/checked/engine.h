/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the checker knows: a record per lock, per condition and per thread, and the order edges between locks.
 * Stands on check.h, ilock.h. None of it is ever in memory from malloc: the checker runs inside malloc's
 * callers.
 *
 * Who may touch what: a thread's record is written by that thread alone; others read it only while it waits,
 * which it says by `waiting` (release; read with acquire). A lock's `owner` is written by its holder. Edges
 * and the tables of records are under `engine_lock`, which is never held while a report is made. */
#ifndef AGLET_SRC_CHECKED_ENGINE_H
#define AGLET_SRC_CHECKED_ENGINE_H

#include "check.h"
#include "ilock.h"
#include "options.h"
#include "ranks.h"

enum { STACK_DEPTH = 16, GATES = 8, NAME_ROOM = 40, FIRST_HELD = 16 };

struct edge;
struct misuse;

/* The first half is what every lock and unlock touches. */
struct lock_record {
    const void *_Atomic lock;           /* its address; NULL: the record is free */
    struct check_thread *_Atomic owner; /* who holds it alone, or NULL */
    _Atomic uint64_t last_chain;        /* the order in which it was last taken and found in order */
    uint64_t serial;                    /* never used again: makes chains of reused records differ */
    bool left_alone;                    /* not to be checked (process-shared) */
    bool initialised;                   /* by a call; else by zeroes or a static initialiser */
    uint8_t kind;
    uint32_t index;
    const char *name;    /* given by the program, or NULL */
    const void *made_at; /* where it was initialised, else where it was first taken */

    struct lock_record *next_by_address; /* changed under engine_lock */
    struct rank_node node;               /* its place among the orders, under engine_lock */
    char unused[8];
};
_Static_assert(sizeof(struct lock_record) == 128, "an id finds its record by a shift");

/* Kept small: these stores are most of what a checked lock costs. */
struct held {
    uintptr_t record_and_mode;
    const void *site; /* in the program */
    uint64_t chain;   /* hash of all held up to here, in order; not kept for the first */
    uint64_t again;   /* recursive locks only: how often besides the first */
    uint64_t task;    /* the id of the task that took it; 0: taken outside tasks */
};

/* Beside each held entry, with options that want it only. */
struct held_more {
    aglet_time since; /* max_hold_ms */
    unsigned frames;  /* stacks=full */
    const void *stack[STACK_DEPTH];
};

struct check_thread {
    struct held *held;
    unsigned held_count, held_room;
    unsigned fast_room; /* held_count below it may take the short way: held_room, or 0 with options that want
                           more */
    uint64_t task;      /* the id of the task that runs on it, or 0 */
    /* Async locks (async_locks.c): the holder of who runs on it, where that holds any; a free holder; and what task_rest has
     * of a task, of the thread itself. */
    struct async_holder *beside, *spare;
    uintptr_t async;
    struct held_more *more;
    struct held first_held[FIRST_HELD];

    /* What it waits for. `waiting` is odd while it waits; every wait makes it two larger, so that a reader
     * who finds the same odd number twice knows that the thread waited all the while. */
    _Atomic uint64_t waiting;
    enum check_wait wait_for;
    int wait_mode;
    const void *wait_object; /* lock_record for CHECK_ON_LOCK, check_thread for CHECK_ON_JOIN */
    const void *wait_site;
    aglet_time wait_deadline;
    uint32_t wait_frames;
    const char *await_why; /* CHECK_ON_AWAIT: "join", "recv", as dumps have it */
    const void *await_at, *await_on;
    _Atomic bool await_told;               /* that it is for ever, to a hook */
    _Atomic(_Atomic uint32_t *) sleeps_on; /* a futex, without a limit */
    bool looks_later;                      /* found another looking whether all wait; its own */
    const void *wait_stack[STACK_DEPTH];

    uint64_t serial;
    char name[NAME_ROOM];        /* changes at any time: others read it by thread_name */
    _Atomic uint32_t name_turns; /* odd while it changes */
    int tid;
    _Atomic unsigned long handle; /* of plain pthreads: its pthread_t */
    const void *spawned_at;
    struct check_thread *next;     /* all threads, and free records; under threads_lock */
    _Atomic uint64_t began, ended; /* ticks of thread_clock; ended 0 while it runs */
    _Atomic uint32_t state;        /* THREAD_… */
    _Atomic bool joined, detached, known_handle;
    _Atomic uint32_t leaving;        /* LEFT_BY_… */
    struct check_thread *stands_for; /* a list of locks made for a look: whose they are; else NULL */
    bool is_task;                    /* no thread, but the async locks of a task */
    unsigned lost;                   /* locks it holds that there was no memory to note */
    unsigned inside;                 /* >0: the checker itself runs; what it calls is not checked */
};

enum { LEFT_BY_THREAD = 1, LEFT_BY_HANDLE = 2 };
enum { THREAD_FREE, THREAD_MADE, THREAD_RUNS, THREAD_ENDED };

struct gate {
    struct lock_record *record;
    uint32_t mode;
};

/* One lock was held when another was taken, with the gates held as well. */
struct edge {
    struct rank_arc arc; /* from the one to the other */
    struct edge *next_free;
    uint32_t from_mode, to_mode;
    const void *from_site, *to_site;
    struct gate gates[GATES];
    uint32_t gate_count, frames;
    const void *stack[STACK_DEPTH]; /* where `to` was taken */
    uint32_t from_frames;           /* and `from`, with stacks=full; else 0 */
    const void *from_stack[STACK_DEPTH];
    char thread[NAME_ROOM];
    uint64_t thread_serial, thread_began;
    uint64_t from_chain, to_chain; /* of all held up to the one, and to the other */
    struct check_thread *by;
    bool reported, by_task;
};

static inline struct lock_record *edge_from(const struct edge *e) {
    return (struct lock_record *)(void *)((char *)e->arc.from - offsetof(struct lock_record, node));
}

static inline struct lock_record *edge_to(const struct edge *e) {
    return (struct lock_record *)(void *)((char *)e->arc.to - offsetof(struct lock_record, node));
}

static inline struct edge *edge_of(struct rank_arc *arc) {
    return (struct edge *)(void *)arc;
}

enum { LOCK_NAME_ROOM = 160 };

extern struct ilock engine_lock;
extern _Thread_local struct check_thread *check_self __attribute__((visibility("hidden")));

/* Memory that is never given back, zeroed; NULL when there is none (said once). Any thread, no lock needed.
 */
void *engine_memory(size_t size);

/* --- records.c: locks --- */
extern struct lock_record *lock_records
    __attribute__((visibility("hidden"))); /* reserved once, mostly never touched */
extern uint32_t lock_record_limit __attribute__((visibility("hidden")));

/* The record an id field names, if it is this lock's. One comparison; nothing locked. */
static inline struct lock_record *record_by_id(const void *lock, uint32_t id) {
    struct lock_record *r = &lock_records[id];
    return AGLET_LIKELY(id < lock_record_limit &&
                        atomic_load_explicit(&r->lock, memory_order_relaxed) == lock)
               ? r
               : NULL;
}

/* The record of a lock without an id field, or NULL. Locks nothing. */
struct lock_record *record_by_address(const void *lock);

/* A new record for the lock, in place of one that its memory had before; its index goes to *id unless `id` is
 * NULL. Where another thread was faster with the same lock and `initialised` is false, that one's. NULL: no
 * room, go unchecked. */
struct lock_record *record_new(enum check_kind kind, const void *lock, uint32_t *id, const char *name,
                               const void *made_at, bool initialised);
/* Its life is over; its edges go. While a thread holds it the record is not used again: held lists point to
 * it. */
void record_free(struct lock_record *r);
unsigned records_made(void); /* since the program started */
/* For every record whose lock lies in the memory: call `visit`. Cheap where no lock ever lay near. */
void records_within(const void *memory, size_t size, void (*visit)(struct lock_record *, void *),
                    void *context);

/* --- threads.c --- */
/* A thread's name as it was at one moment. Written by that thread alone, or before it begins. */
const char *thread_name_copy(const struct check_thread *t, char out[NAME_ROOM]);
#define thread_name(t) thread_name_copy((t), (char[NAME_ROOM]){0}) /* good to the end of the block */
struct check_thread *thread_enter(void);                           /* the calling thread's record, made now */
bool held_grow(struct check_thread *t);
void held_take_out(struct check_thread *t, struct held *h);
void held_note_more(struct check_thread *t); /* of the newest; where held_wants_more */
/* A thread lock was taken by one that has something `beside`: note the new orders, unless (false) that holds nothing any
 * more. A thread with async locks or a spare holder ends. NULL where the library has no tasks. */
extern bool (*async_beside_taken)(struct check_thread *t);
extern void (*async_thread_ends)(struct check_thread *t);
extern bool held_wants_more; /* stacks=full, max_hold_ms, or a sanitizer that wants to hear of each lock */
/* Set it anew. */
static inline void held_fast_room(struct check_thread *t) {
    t->fast_room = held_wants_more || t->beside != NULL ? 0 : t->held_room;
}
struct held *held_find(struct check_thread *t, const struct lock_record *r, int mode);
/* Locks that another thread destroyed or made anew are not held any more (that was reported there). Called
 * where what is held is about to be reported, by the thread itself. */
void held_forget_dead(struct check_thread *t);
/* Call `visit` for every thread that has begun and not ended, until it returns false; under threads_lock. */
void threads_each(bool (*visit)(struct check_thread *, void *), void *context);
unsigned threads_alive(void);

static inline struct lock_record *held_record(const struct held *h) {
    return (struct lock_record *)(h->record_and_mode & ~(uintptr_t)127);
}

static inline uint32_t held_mode(const struct held *h) {
    return (uint32_t)(h->record_and_mode & 127);
}

/* Taken by the task that runs here now, or outside tasks; not by another task of this worker. */
static inline bool held_is_own(const struct check_thread *t, const struct held *h) {
    return h->task == 0 || h->task == t->task;
}

static inline uintptr_t held_tag(const struct lock_record *r, int mode) {
    return (uintptr_t)r | (uintptr_t)(unsigned)mode;
}

static inline struct check_thread *thread_self(void) {
    struct check_thread *t = check_self;
    return AGLET_LIKELY(t != NULL) ? t : thread_enter();
}

/* --- order.c --- */
/* The lock was just pushed on t's held list: note the new edges, report an inversion. */
void order_taken(struct check_thread *t);
/* Was the order that ends with this lock found in order before? */
bool order_is_known(const struct held *newest);
unsigned order_edges(void);               /* ever noted */
void order_forget(struct lock_record *r); /* under engine_lock */

/* The hash of an order: what was held before, then this lock. */
static inline uint64_t order_chain(uint64_t before, const struct lock_record *r, uint32_t mode) {
    uint64_t h = (before ^ (r->serial << 3 | mode)) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

/* The order of the outermost lock alone. */
static inline uint64_t order_begins(const struct lock_record *r, uint32_t mode) {
    return (r->serial << 3 | mode) << 32; /* A<B is not B<A */
}

/* The order up to the entry at `index`, for its own chain. */
static inline uint64_t held_before(const struct check_thread *t, unsigned index) {
    if (index < 2)
        return index == 0 ? 0 : order_begins(held_record(t->held), held_mode(t->held));
    return t->held[index - 1].chain;
}

/* --- cycles.c --- */
/* What is told of a circle: copies of its edges, the newest first, `more` of them left out before the last. */
enum { CYCLE_ROOM = 32 };
struct cycle {
    unsigned count, more;
    struct edge edges[CYCLE_ROOM];
    struct cycle *next_free;
};
/* Put a new edge into the graph, under engine_lock. Returns the circle that it closes and that may deadlock,
 * its edges marked as reported, or NULL; without `wanted` it does not look for one. *lost says that there was
 * one, and no memory to copy it. */
struct cycle *cycle_add(struct edge *fresh, bool wanted, bool *lost);
void cycle_told(struct cycle *c); /* its copies are not needed any more */
/* Under engine_lock: take an edge out; the edges from one lock to another (with other gates), NULL before the
 * first and after the last. */
void cycle_remove(struct edge *e);
struct edge *cycle_edge(const struct lock_record *from, const struct lock_record *to,
                        const struct edge *after);

/* --- classes.c --- */
enum { HINT_ROOM = 8 };
struct class_hint {
    uint8_t kind;
    const char *name;
    const void *made_at, *from_site, *to_site;
    char thread[NAME_ROOM];
    bool by_task;
};
/* Note a new order between two kinds of locks, under engine_lock. Returns the length of the circle it closes,
 * or 0. Its orders go to `out`, the new one first; where there is no room, those before the last are left
 * out. The report is made without the lock. */
unsigned classes_note(const struct edge *fresh, struct class_hint *out);
void classes_report(const struct class_hint *hints, unsigned count);
/* What is known by a place in this memory is known no more: something else will be there. */
void classes_forget(const void *memory, size_t size);

/* --- quiescence.c --- */
/* The tasks' part in this; NULL where the library has none. Called while threads wait. */
struct task_side {
    bool (*has_work)(const void *worker); /* a worker that sleeps will find something to do */
    unsigned (*parked)(void);             /* how many tasks wait */
    /* Nothing runs any more. Report why, where tasks or CHECK_ON_AWAIT have to do with it; unless it is `sure` only
     * where the cause is found. Returns whether it did. */
    bool (*report)(bool sure);
};
extern const struct task_side *task_side;
void quiescence_after_fork(void); /* in the child: nobody looks */

/* --- waits.c --- */
/* t has published its wait: is it for ever? Returns false when it was reported and the hook let the program
 * go on. */
bool waits_check(struct check_thread *t);
void waits_publish(struct check_thread *t, enum check_wait what, int mode, const void *object,
                   aglet_time deadline, const void *site);
void waits_end(struct check_thread *t);
/* Does t wait without a deadline? Its number, which changes when it moves, goes to *waiting. */
bool waits_for_ever(struct check_thread *t, uint64_t *waiting);
unsigned waits_blocked(void);                              /* how many threads do */
void waits_note(struct misuse *m, struct check_thread *t); /* a note: what t waits for, and what it holds */
/* A thread that waits without a deadline for the lock in a way that this mode of it keeps waiting, or NULL. */
struct check_thread *waits_for(const struct lock_record *r, uint32_t mode);
/* `holder` ended with the lock, for which t waits: reported, fatal. */
void waits_report_ended(struct check_thread *t, const struct lock_record *r,
                        const struct check_thread *holder);
void waits_nudge(void);      /* a thread ends: if all others wait, one of them is to look around */
void waits_after_fork(void); /* in the child: only the calling thread is left, and it runs */

/* --- conds.c --- */
struct cond_record {
    const void *_Atomic cond;
    const void *_Atomic lock; /* the mutex of the waits now under way or, without any, of the last */
    const void *lock_site;
    _Atomic uint32_t waiting; /* threads that wait with `lock` */
    _Atomic uint64_t lost;    /* signals that found nobody */
    const void *lost_site;
    char lost_thread[NAME_ROOM];
    struct cond_record *next;
};
struct cond_record *cond_record_of(const void *cond, bool make);

/* --- far_stack.c --- */
/* Call function(argument) on a stack of half a mebibyte. There is one: only the writer of a report (or who
 * called misuse_hold) may. Returns false, having done nothing, when there is no memory for it. */
bool on_far_stack(void (*function)(void *), void *argument);

/* --- wording.c --- */
/* "mutex 'stats.mu'", "rwlock made at table.c:12", … into `out`; returns it. Calls malloc (symbols): hold no
 * lock. */
const char *lock_words(const struct lock_record *r, char out[LOCK_NAME_ROOM]);
const char *kind_words(int kind);
const char *mode_words(int mode);
/* Notes: where each lock that the thread holds was taken, or without `all` those of held_is_own. */
void note_held(struct misuse *m, const struct check_thread *t, bool all);
/* Where an entry was taken: its stack where one was kept, else the place. */
void note_taken(struct misuse *m, const struct check_thread *t, const struct held *h);
void note_here(struct misuse *m, const char *what, const void *caller);

#endif
