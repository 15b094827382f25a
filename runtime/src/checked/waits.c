/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Who waits for whom: a thread that is about to wait for ever looks for a circle it would close. Stands on
 * engine.h.
 *
 * A waiter publishes what it waits for, then looks; of two that close a circle together at least one sees it
 * whole, for both the publication and the look are sequentially consistent. A circle is believed only when
 * every thread in it is found waiting in the same wait twice: a thread that waits cannot give what it holds,
 * so what was read between the two readings was true all at once. No lock stops the others meanwhile.
 *
 * When nobody is left to run at all, that too is for ever: quiescence.c. */
#include "engine.h"

#include "futex.h"
#include "misuse.h"
#include "stack.h"

#include <stdio.h>
#include <time.h>

enum { CIRCLE_ROOM = 64, BRANCHES = 16 }; /* threads in a circle; read-write locks held by several */

static _Atomic unsigned blocked; /* threads in a wait without a deadline */

struct link {
    struct check_thread *thread;
    uint64_t waiting;
    const void *object;
};

struct circle {
    struct link links[CIRCLE_ROOM];
    unsigned count, branches;
};

void waits_publish(struct check_thread *t, enum check_wait what, int mode, const void *object,
                   aglet_time deadline, const void *site) {
    t->wait_for = what;
    t->wait_mode = mode;
    t->wait_object = object;
    t->wait_deadline = deadline;
    t->wait_site = site;
    t->wait_frames = 0;
    if (deadline == AGLET_FOREVER)
        atomic_fetch_add_explicit(&blocked, 1, memory_order_seq_cst);
    atomic_fetch_add_explicit(&t->waiting, 1, memory_order_seq_cst);
}

void waits_end(struct check_thread *t) {
    if (!(atomic_load_explicit(&t->waiting, memory_order_relaxed) & 1))
        return;
    if (t->wait_deadline == AGLET_FOREVER)
        atomic_fetch_sub_explicit(&blocked, 1, memory_order_seq_cst);
    atomic_fetch_add_explicit(&t->waiting, 1, memory_order_release);
}

void check_sleeps_on(_Atomic uint32_t *futex) {
    if (check_self != NULL)
        atomic_store_explicit(&check_self->sleeps_on, futex, memory_order_seq_cst);
}

struct nudge {
    bool any, woken;
};

static bool wake_sleeper(struct check_thread *t, void *nudge) {
    struct nudge *n = nudge;
    uint64_t waiting;
    _Atomic uint32_t *futex = atomic_load_explicit(&t->sleeps_on, memory_order_seq_cst);
    if (futex == NULL || !waits_for_ever(t, &waiting))
        return true;
    n->any = true;
    n->woken = futex_wake(futex, INT32_MAX) > 0; /* only named: it may be gone */
    return !n->woken;
}

void waits_nudge(void) {
    struct nudge n = {.any = true};
    /* One that is about to fall asleep is not there to be woken yet. */
    for (int tries = 0; tries < 5 && n.any && !n.woken; tries++) {
        if (atomic_load_explicit(&blocked, memory_order_seq_cst) < threads_alive())
            break;
        if (tries != 0)
            clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){0, 1000000}, NULL);
        n.any = false;
        threads_each(wake_sleeper, &n);
    }
}

void waits_after_fork(void) {
    atomic_store_explicit(&blocked, 0, memory_order_seq_cst);
}

struct waiter {
    const struct lock_record *record;
    uint32_t mode;
    struct check_thread *found;
};

static bool is_waiter(struct check_thread *t, void *context) {
    struct waiter *w = context;
    uint64_t waiting = atomic_load_explicit(&t->waiting, memory_order_acquire);
    bool both_read = (w->mode & (uint32_t)t->wait_mode & CHECK_SHARED) != 0;
    if ((waiting & 1) && t->wait_for == CHECK_ON_LOCK && t->wait_object == w->record && !both_read &&
        t->wait_deadline == AGLET_FOREVER)
        w->found = t;
    return w->found == NULL;
}

struct check_thread *waits_for(const struct lock_record *r, uint32_t mode) {
    struct waiter w = {r, mode, NULL};
    atomic_thread_fence(memory_order_seq_cst); /* of this and a wait that begins, one sees the other */
    threads_each(is_waiter, &w);
    return w.found;
}

unsigned waits_blocked(void) {
    return atomic_load_explicit(&blocked, memory_order_seq_cst);
}

bool waits_for_ever(struct check_thread *t, uint64_t *waiting) {
    *waiting = atomic_load_explicit(&t->waiting, memory_order_seq_cst);
    return (*waiting & 1) != 0 && t->wait_deadline == AGLET_FOREVER;
}

struct reader {
    const struct lock_record *record;
    struct check_thread *except, *goal, *found;
    unsigned skip; /* so many of those that follow */
};

/* Threads that wait for ever and hold the lock for reading. One that runs may yet give it. */
static bool is_reader(struct check_thread *t, void *context) {
    struct reader *r = context;
    uint64_t waiting;
    if ((t == r->goal || waits_for_ever(t, &waiting)) && held_find(t, r->record, CHECK_SHARED) != NULL &&
        t != r->except && r->skip-- == 0)
        r->found = t;
    return r->found == NULL;
}

static bool is_in(const struct circle *c, const struct check_thread *t) {
    for (unsigned i = 0; i < c->count; i++)
        if (c->links[i].thread == t)
            return true;
    return false;
}

static bool closes(struct circle *c, struct check_thread *from, struct check_thread *goal);

/* Does the way from one of those who hold it for reading lead to the goal? They are looked for one by one: a list
 * of them would be more than a small stack holds at this depth. */
static __attribute__((noinline)) bool closes_by_reader(struct circle *c, const struct lock_record *r,
                                                       struct check_thread *from, struct check_thread *goal) {
    if (c->branches == BRANCHES)
        return false;
    c->branches++;
    bool found = false;
    for (unsigned i = 0; !found; i++) {
        struct reader reader = {r, from == goal ? NULL : from, goal, NULL, i};
        threads_each(is_reader, &reader);
        if (reader.found == NULL)
            break;
        found = reader.found == goal || (!is_in(c, reader.found) && closes(c, reader.found, goal));
    }
    c->branches--;
    return found;
}

/* `from` waits: does the way from there lead to the goal? Then it is in the circle. */
static bool closes(struct circle *c, struct check_thread *from, struct check_thread *goal) {
    unsigned before = c->count;
    uint64_t waiting;
    while (waits_for_ever(from, &waiting) && c->count < CIRCLE_ROOM) {
        c->links[c->count++] = (struct link){from, waiting, from->wait_object};
        struct check_thread *next = NULL;
        if (from->wait_for == CHECK_ON_JOIN) {
            next = (struct check_thread *)(uintptr_t)from->wait_object;
            if (next != NULL && atomic_load(&next->state) != THREAD_RUNS)
                next = NULL;
        } else if (from->wait_for == CHECK_ON_LOCK) {
            const struct lock_record *r = from->wait_object;
            next = atomic_load_explicit(&r->owner, memory_order_acquire);
            if (next == NULL && r->kind == CHECK_RWLOCK && closes_by_reader(c, r, from, goal))
                return true;
        }
        if (next == goal)
            return true;
        if (next == NULL || is_in(c, next))
            break;
        from = next;
    }
    c->count = before;
    return false;
}

static bool still_so(const struct circle *c) {
    for (unsigned i = 0; i < c->count; i++) {
        const struct link *l = &c->links[i];
        const struct link *next = &c->links[(i + 1) % c->count];
        if (atomic_load_explicit(&l->thread->waiting, memory_order_seq_cst) != l->waiting)
            return false;
        if (l->thread->wait_for != CHECK_ON_LOCK)
            continue;
        const struct lock_record *r = l->object;
        struct check_thread *owner = atomic_load_explicit(&r->owner, memory_order_acquire);
        if (owner != next->thread && !(owner == NULL && held_find(next->thread, r, CHECK_SHARED) != NULL))
            return false;
    }
    return true;
}

void waits_note(struct misuse *m, struct check_thread *t) {
    char words[LOCK_NAME_ROOM], who[NAME_ROOM + 40];
    if (t->task != 0)
        snprintf(who, sizeof who, "task %llu on thread '%s'", (unsigned long long)t->task, thread_name(t));
    else
        snprintf(who, sizeof who, "thread '%s'", thread_name(t));
    switch (t->wait_for) {
    case CHECK_ON_LOCK: {
        const struct check_thread *owner = atomic_load(&((const struct lock_record *)t->wait_object)->owner);
        lock_words(t->wait_object, words);
        if (owner != NULL)
            misuse_note(m, "%s waits for %s, which thread '%s' holds", who, words, thread_name(owner));
        else
            misuse_note(m, "%s waits for %s", who, words);
        break;
    }
    case CHECK_ON_JOIN:
        misuse_note(m, "%s waits for the end of thread '%s'", who,
                    t->wait_object != NULL ? thread_name(t->wait_object) : "?");
        break;
    case CHECK_ON_COND: misuse_note(m, "%s waits for a condition to be signalled", who); break;
    case CHECK_ON_BARRIER: misuse_note(m, "%s waits at a barrier", who); break;
    case CHECK_ON_SEMAPHORE: misuse_note(m, "%s waits for a semaphore", who); break;
    case CHECK_ON_AWAIT: misuse_note(m, "%s waits in '%s'", who, t->await_why); break;
    case CHECK_ON_WORK: misuse_note(m, "%s has nothing to do", who); break;
    }
    if (t == check_self && t->wait_frames != 0)
        misuse_stack(m, t->wait_stack, t->wait_frames);
    else
        misuse_place(m, t->wait_site);
    note_held(m, t, true);
}

static void report_circle(struct check_thread *t, const struct circle *c) {
    t->inside++;
    t->wait_frames = stack_take(t->wait_site, t->wait_stack, STACK_DEPTH);
    char words[LOCK_NAME_ROOM];
    struct misuse *m = misuse_open("deadlock", t->wait_object, true);
    if (t->wait_for == CHECK_ON_LOCK) {
        bool upgrade = c->count == 2 && c->links[1].thread->wait_object == t->wait_object;
        misuse_say(m, "thread '%s' is about to wait for ever for %s: %s", thread_name(t),
                   lock_words(t->wait_object, words),
                   upgrade ? "two readers both want to write"
                           : "those who could give it wait for this thread");
    } else {
        misuse_say(m, "thread '%s' is about to wait for ever for a thread that waits for it", thread_name(t));
    }
    for (unsigned i = 0; i < c->count; i++)
        waits_note(m, c->links[i].thread);
    misuse_close(m);
    t->inside--;
}

void waits_report_ended(struct check_thread *t, const struct lock_record *r,
                        const struct check_thread *holder) {
    char words[LOCK_NAME_ROOM];
    struct check_thread *me = thread_self();
    me->inside++;
    struct misuse *m = misuse_open("deadlock", atomic_load(&r->lock), true);
    misuse_say(m, "thread '%s' waits for ever for %s: thread '%s', which held it, is no more", thread_name(t),
               lock_words(r, words), thread_name(holder));
    waits_note(m, t);
    misuse_close(m);
    me->inside--;
}

bool waits_check(struct check_thread *t) {
    struct circle c = {.count = 0};
    if (t->wait_for == CHECK_ON_LOCK) {
        const struct lock_record *r = t->wait_object;
        const struct check_thread *owner = atomic_load_explicit(&r->owner, memory_order_acquire);
        if (owner != NULL && atomic_load_explicit(&owner->state, memory_order_acquire) == THREAD_ENDED) {
            waits_report_ended(t, r, owner);
            return false;
        }
    }
    if (closes(&c, t, t) && still_so(&c)) {
        report_circle(t, &c);
        return false;
    }
    return true;
}

bool check_block_begin(enum check_wait what, const void *object, aglet_time deadline, const void *caller) {
    struct check_thread *t = thread_self();
    if (t->inside != 0)
        return true;
    waits_publish(t, what, CHECK_EXCLUSIVE, object, deadline, caller);
    if (deadline == AGLET_FOREVER && !waits_check(t)) {
        waits_end(t);
        return false;
    }
    return true;
}

struct crowd {
    const void *object;
    unsigned count;
};

static bool count_waiter(struct check_thread *t, void *context) {
    struct crowd *c = context;
    uint64_t waiting;
    c->count += waits_for_ever(t, &waiting) && t->wait_object == c->object;
    return true;
}

unsigned check_waiting_for(const void *object) {
    struct crowd c = {object, 0};
    threads_each(count_waiter, &c);
    return c.count;
}

void check_block_end(void) {
    struct check_thread *t = thread_self();
    waits_end(t);
    t->await_on = NULL;
}

void check_await_at(const void *caller) {
    thread_self()->await_at = caller;
}

void check_await_on(const void *object) {
    thread_self()->await_on = object;
}

void check_await_begin(const char *why, aglet_time deadline) {
    struct check_thread *t = thread_self();
    if (t->inside != 0)
        return;
    t->await_why = why;
    atomic_store_explicit(&t->await_told, false, memory_order_relaxed);
    waits_publish(t, CHECK_ON_AWAIT, CHECK_EXCLUSIVE, NULL, deadline, t->await_at);
}

bool check_await_is_told(void) {
    return atomic_load_explicit(&thread_self()->await_told, memory_order_relaxed);
}

void check_idle_begin(const void *worker) {
    struct check_thread *t = thread_self();
    if (t->inside == 0)
        waits_publish(t, CHECK_ON_WORK, CHECK_EXCLUSIVE, worker, AGLET_FOREVER, NULL);
}
