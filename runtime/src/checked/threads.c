/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A record per thread, and the list of locks it holds. Stands on engine.h, pthread keys. */
#include "engine.h"

#include "misuse.h"
#include "tsan.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Thread_local struct check_thread *check_self;

static struct ilock threads_lock;
static struct check_thread *all, *free_threads; /* under threads_lock; records are used again, never freed */
static uint64_t last_serial;                    /* under threads_lock */
static _Atomic unsigned alive;
_Atomic uint64_t check_clock = 1;
void (*async_thread_ends)(struct check_thread *t);
static _Atomic bool key_made;
static pthread_key_t key;

static struct check_thread *take_record(void) {
    ilock_take(&threads_lock);
    struct check_thread *t = free_threads;
    if (t != NULL)
        free_threads = t->next;
    uint64_t serial = ++last_serial;
    ilock_give(&threads_lock);
    if (t == NULL)
        t = engine_memory(sizeof *t);
    if (t == NULL)
        return NULL;
    uint64_t waiting = atomic_load_explicit(&t->waiting, memory_order_relaxed);
    struct held *held = t->held;
    struct held_more *more = t->more;
    unsigned room = t->held_room;
    memset(t, 0, sizeof *t);
    t->more = more;
    t->held = held != NULL ? held : t->first_held;
    t->held_room = held != NULL ? room : FIRST_HELD;
    held_fast_room(t);
    t->serial = serial;
    atomic_store_explicit(&t->waiting, (waiting + 2) & ~UINT64_C(1), memory_order_relaxed);
    atomic_store_explicit(&t->state, THREAD_MADE, memory_order_relaxed);
    ilock_take(&threads_lock);
    t->next = all;
    all = t;
    ilock_give(&threads_lock);
    return t;
}

static void put_back(struct check_thread *t) {
    ilock_take(&threads_lock);
    for (struct check_thread **link = &all; *link != NULL; link = &(*link)->next)
        if (*link == t) {
            *link = t->next;
            break;
        }
    atomic_store_explicit(&t->state, THREAD_FREE, memory_order_relaxed);
    t->next = free_threads;
    free_threads = t;
    ilock_give(&threads_lock);
}

/* Of a thread's end and its being detached, whichever comes second puts the record back. */
static bool leaves_second(struct check_thread *t, uint32_t by) {
    tsan_publish(&t->leaving);
    bool second = atomic_fetch_or_explicit(&t->leaving, by, memory_order_acq_rel) != 0;
    tsan_observe(&t->leaving);
    return second;
}

static void at_thread_exit(void *t) {
    if (check_self == t)
        check_thread_end(NULL);
}

static void watch_exit(struct check_thread *t) {
    static struct ilock once;
    ilock_take(&once);
    if (!atomic_load_explicit(&key_made, memory_order_relaxed) &&
        pthread_key_create(&key, at_thread_exit) == 0)
        atomic_store_explicit(&key_made, true, memory_order_relaxed);
    ilock_give(&once);
    if (atomic_load_explicit(&key_made, memory_order_relaxed))
        pthread_setspecific(key, t);
    else
        misuse_warn("no thread-specific key is left: locks held at a thread's exit go unseen");
}

const char *thread_name_copy(const struct check_thread *t, char out[NAME_ROOM]) {
    /* Half a name in the end, where who changes it is not there to go on: a handler of its signals asks, or a child of
     * fork. */
    for (int tries = 0; tries < 1000; tries++) {
        uint32_t before = atomic_load_explicit(&t->name_turns, memory_order_acquire);
        for (int i = 0; i < NAME_ROOM; i++)
            out[i] = __atomic_load_n(&t->name[i], __ATOMIC_ACQUIRE);
        if (before % 2 == 0 && atomic_load_explicit(&t->name_turns, memory_order_relaxed) == before)
            break;
        if (tries > 50)
            sched_yield();
    }
    return out;
}

static void set_name(struct check_thread *t, const char *name) {
    uint32_t turns = atomic_load_explicit(&t->name_turns, memory_order_relaxed);
    char now[NAME_ROOM];
    snprintf(now, sizeof now, "%s", name);
    atomic_store_explicit(&t->name_turns, turns + 1, memory_order_relaxed);
    /* Partner: the loads in thread_name_copy. */
    for (int i = 0; i < NAME_ROOM; i++)
        __atomic_store_n(&t->name[i], now[i], __ATOMIC_RELEASE);
    atomic_store_explicit(&t->name_turns, turns + 2, memory_order_release);
}

static void begin(struct check_thread *t) {
    char number[NAME_ROOM];
    t->tid = (int)syscall(SYS_gettid);
    if (t->name[0] == '\0') {
        snprintf(number, sizeof number, "T%d", (int)t->serial);
        set_name(t, t->tid == (int)getpid() ? "main" : number);
    }
    atomic_store_explicit(&t->began, atomic_fetch_add_explicit(&check_clock, 1, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&t->state, THREAD_RUNS, memory_order_release);
    atomic_fetch_add_explicit(&alive, 1, memory_order_seq_cst);
    check_self = t;
    t->inside++;
    watch_exit(t);
    t->inside--;
}

/* Threads that cannot be recorded share this record, in which nothing is ever noted: they go unchecked. */
struct check_thread *thread_enter(void) {
    struct check_thread *t = take_record();
    if (t == NULL) {
        static struct check_thread spare = {.inside = 1};
        spare.held = spare.first_held;
        check_self = &spare;
        return &spare;
    }
    begin(t);
    return t;
}

struct check_thread *check_thread_new(const char *name, const void *caller) {
    struct check_thread *t = take_record();
    if (t == NULL)
        return NULL;
    if (name != NULL)
        set_name(t, name);
    t->spawned_at = caller;
    atomic_store_explicit(&t->known_handle, true, memory_order_relaxed);
    /* Counted as running from now on: its parent may wait for it before it has begun. */
    return t;
}

void check_thread_begin(struct check_thread *t) {
    if (t != NULL)
        begin(t);
}

/* Its locks will not be given. What stands for it from now on is a record that no other thread will be. */
static void leave_locks(struct check_thread *t) {
    static struct check_thread unknown = {.name = "?", .state = THREAD_ENDED};
    struct check_thread *gone = engine_memory(sizeof *gone);
    if (gone != NULL) {
        gone->held = gone->first_held;
        memcpy(gone->name, t->name, sizeof gone->name);
        atomic_store_explicit(&gone->state, THREAD_ENDED, memory_order_relaxed);
    } else {
        gone = &unknown;
    }
    unsigned count = t->held_count;
    t->held_count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct lock_record *r = held_record(&t->held[i]);
        if (held_mode(&t->held[i]) & CHECK_EXCLUSIVE)
            atomic_store_explicit(&r->owner, gone, memory_order_release);
        struct check_thread *waiter = waits_for(r, held_mode(&t->held[i]));
        if (waiter != NULL)
            waits_report_ended(waiter, r, gone);
    }
}

void check_thread_end(const void *caller) {
    struct check_thread *t = check_self;
    if (t == NULL)
        return;
    waits_end(t); /* cancelled while it waited */
    held_forget_dead(t);
    if (t->held_count != 0) {
        char words[LOCK_NAME_ROOM];
        struct lock_record *r = held_record(&t->held[t->held_count - 1]);
        t->inside++;
        struct misuse *m = misuse_open("thread-exit-held", atomic_load(&r->lock), false);
        lock_words(r, words);
        misuse_say(m, "thread '%s' ends while it holds %s", t->name, words);
        note_held(m, t, true);
        if (t->spawned_at != NULL)
            note_here(m, "the thread was started", t->spawned_at);
        misuse_close(m);
        t->inside--;
        (void)caller;
        leave_locks(t);
    }
    if (async_thread_ends != NULL)
        async_thread_ends(t);
    if (atomic_load_explicit(&key_made, memory_order_relaxed))
        pthread_setspecific(key, NULL);
    atomic_store_explicit(&t->ended, atomic_fetch_add_explicit(&check_clock, 1, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_fetch_sub_explicit(&alive, 1, memory_order_seq_cst);
    waits_nudge();
    check_self = NULL;
    bool nobodys = !atomic_load_explicit(&t->known_handle, memory_order_relaxed);
    atomic_store_explicit(&t->state, THREAD_ENDED, memory_order_release);
    if (nobodys || leaves_second(t, LEFT_BY_THREAD))
        put_back(t);
}

void check_thread_joined(struct check_thread *t) {
    if (t == NULL)
        return;
    atomic_store_explicit(&t->joined, true, memory_order_relaxed);
    put_back(t);
}

void check_thread_detached(struct check_thread *t) {
    if (t == NULL)
        return;
    atomic_store_explicit(&t->detached, true, memory_order_relaxed);
    if (leaves_second(t, LEFT_BY_HANDLE))
        put_back(t);
}

void check_thread_name(const char *name) {
    set_name(thread_self(), name);
}

void check_thread_is_own(const char *name) {
    struct check_thread *t = thread_self();
    set_name(t, name);
    check_idle_begin(NULL);
    t->inside++;
}

uint64_t check_thread_serial(void) {
    return thread_self()->serial;
}

enum { GONE = 1024 };
static _Atomic unsigned long gone[GONE]; /* handles joined or detached, the last of each hash */

void check_thread_handle(struct check_thread *t, unsigned long handle) {
    atomic_store_explicit(&t->handle, handle, memory_order_release);
    unsigned long was = handle;
    atomic_compare_exchange_strong(&gone[handle >> 12 & (GONE - 1)], &was, 0); /* the system uses it again */
}

void check_thread_is_main(unsigned long handle) {
    struct check_thread *t = thread_self();
    atomic_store_explicit(&t->known_handle, true, memory_order_relaxed);
    atomic_store_explicit(&t->detached, true, memory_order_relaxed);
    check_thread_handle(t, handle);
}

struct check_thread *check_thread_by_handle(unsigned long handle) {
    if (handle == 0)
        return NULL;
    ilock_take(&threads_lock);
    struct check_thread *t = all;
    while (t != NULL && (atomic_load_explicit(&t->handle, memory_order_acquire) != handle ||
                         atomic_load_explicit(&t->joined, memory_order_relaxed)))
        t = t->next;
    ilock_give(&threads_lock);
    return t;
}

void check_thread_gone(unsigned long handle) {
    atomic_store(&gone[handle >> 12 & (GONE - 1)], handle);
}

bool check_thread_was_joined(unsigned long handle) {
    return handle != 0 && atomic_load(&gone[handle >> 12 & (GONE - 1)]) == handle;
}

void check_runs(uint64_t task, uintptr_t beside) {
    struct check_thread *t = task != 0 ? thread_self() : check_self;
    if (t == NULL)
        return;
    t->task = task;
    uintptr_t word = task == 0 ? t->async : beside;
    struct async_holder *holder = word & (NO_HOLDER | HOLDS_NOTHING) ? NULL : (struct async_holder *)word;
    if (AGLET_UNLIKELY(t->beside != holder)) {
        t->beside = holder;
        held_fast_room(t);
    }
}

void check_pause(int change) {
    thread_self()->inside += (unsigned)change;
}

int check_thread_id(void) {
    return thread_self()->tid;
}

unsigned check_held_count(void) {
    return check_self != NULL ? check_self->held_count : 0;
}

bool held_grow(struct check_thread *t) {
    unsigned room = t->held_room * 2;
    struct held *larger = engine_memory(room * sizeof *larger);
    struct held_more *more = held_wants_more ? engine_memory(room * sizeof *more) : NULL;
    if (larger == NULL || (held_wants_more && more == NULL))
        return false;
    memcpy(larger, t->held, t->held_count * sizeof *larger);
    if (t->more != NULL && more != NULL)
        memcpy(more, t->more, t->held_count * sizeof *more);
    t->held = larger;
    t->more = more;
    t->held_room = room;
    held_fast_room(t);
    return true;
}

struct held *held_find(struct check_thread *t, const struct lock_record *r, int mode) {
    for (unsigned i = t->held_count; i-- > 0;)
        if (held_record(&t->held[i]) == r &&
            (held_mode(&t->held[i]) & (uint32_t)mode & (CHECK_EXCLUSIVE | CHECK_SHARED)) != 0)
            return &t->held[i];
    return NULL;
}

void threads_each(bool (*visit)(struct check_thread *, void *), void *context) {
    ilock_take(&threads_lock);
    for (struct check_thread *t = all; t != NULL; t = t->next) {
        uint32_t state = atomic_load_explicit(&t->state, memory_order_acquire);
        if ((state == THREAD_RUNS || state == THREAD_MADE) && !visit(t, context))
            break;
    }
    ilock_give(&threads_lock);
}

unsigned threads_alive(void) {
    return atomic_load_explicit(&alive, memory_order_seq_cst);
}

/* Threads that ended with nobody to take their result. Those that still run are the program's business: many
 * leave their workers to the end of the process. */
static void report_unjoined(void) {
    ilock_take(&threads_lock);
    struct check_thread *t = all;
    while (t != NULL && !(atomic_load(&t->state) == THREAD_ENDED && atomic_load(&t->known_handle) &&
                          !atomic_load(&t->joined) && !atomic_load(&t->detached)))
        t = t->next;
    ilock_give(&threads_lock);
    if (t == NULL)
        return;
    struct check_thread *me = thread_self();
    me->inside++;
    struct misuse *m = misuse_open("unjoined", t, false);
    misuse_say(m, "the program ends, and thread '%s' was neither joined nor detached", thread_name(t));
    note_here(m, "the thread was started", t->spawned_at);
    misuse_close(m);
    me->inside--;
}

static void summary(void) {
    if (options.verbose == 0)
        return;
    char line[160];
    int n = snprintf(line, sizeof line,
                     "aglet: %lu threads, %u locks and %u orders were looked at, %lu reports made\n",
                     (unsigned long)last_serial, records_made(), order_edges(), aglet_misuse_count());
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        return;
}

/* Functions registered with atexit run in reverse: this one, registered after misuse.c's, runs before it. */
__attribute__((constructor(103))) static void watch_end(void) {
    atexit(summary); /* runs after the next, which may report */
    atexit(report_unjoined);
    thread_self();
}

static void in_child(void) {
    if (check_self == NULL)
        return;
    check_self->tid = (int)getpid();
    atomic_store_explicit(&alive, 1, memory_order_relaxed);
    waits_after_fork();
    quiescence_after_fork();
    ilock_take(&threads_lock);
    for (struct check_thread *t = all; t != NULL; t = t->next)
        if (t != check_self) { /* only the forking thread lives on here */
            atomic_store_explicit(&t->state, THREAD_ENDED, memory_order_relaxed);
            atomic_store_explicit(&t->joined, true, memory_order_relaxed);
        }
    ilock_give(&threads_lock);
}

static void before_fork(void) {
    ilock_take(&threads_lock);
    ilock_take(&engine_lock);
}

static void in_parent(void) {
    ilock_give(&engine_lock);
    ilock_give(&threads_lock);
}

static void in_child_first(void) {
    in_parent();
    in_child();
}

__attribute__((constructor(104))) static void watch_fork(void) {
    pthread_atfork(before_fork, in_parent, in_child_first);
}
