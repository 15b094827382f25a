/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Who waits for whom: a thread that is about to wait for ever looks for a circle it would close. Stands on
 * engine.h.
 *
 * A waiter publishes what it waits for, then looks; of two that close a circle together at least one sees it
 * whole, for both the publication and the look are sequentially consistent. A circle is believed only when
 * every thread in it is found waiting in the same wait twice: a thread that waits cannot give what it holds,
 * so what was read between the two readings was true all at once. No lock stops the others meanwhile.
 *
 * When nobody is left to run at all, that too is for ever: the last thread to fall asleep sleeps with a
 * limit, and if nobody has woken it by then it looks around; see check_look_at and quiescent. */
#include "engine.h"

#include "misuse.h"
#include "stack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CIRCLE_ROOM = 64 };

static _Atomic unsigned blocked; /* threads in a wait without a deadline */

struct link {
    struct check_thread *thread;
    uint64_t waiting;
    const void *object;
};

struct circle {
    struct link links[CIRCLE_ROOM];
    unsigned count;
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

void waits_after_fork(void) {
    atomic_store_explicit(&blocked, 0, memory_order_seq_cst);
}

static bool waits_for_ever(struct check_thread *t, uint64_t *waiting) {
    *waiting = atomic_load_explicit(&t->waiting, memory_order_seq_cst);
    return (*waiting & 1) != 0 && t->wait_deadline == AGLET_FOREVER;
}

static bool closes(struct circle *c, struct check_thread *from, struct check_thread *goal);

/* t, which waits for ever, waits for `holder`: does the way from there lead to the goal? */
static bool step(struct circle *c, struct check_thread *holder, struct check_thread *goal) {
    if (holder == NULL)
        return false;
    if (holder == goal)
        return true;
    for (unsigned i = 0; i < c->count; i++)
        if (c->links[i].thread == holder)
            return false;
    return closes(c, holder, goal);
}

struct readers {
    struct circle *circle;
    struct lock_record *record;
    struct check_thread *except, *goal;
    struct check_thread *found[CIRCLE_ROOM];
    unsigned count;
};

/* Threads that wait for ever and hold the lock for reading. One that runs may yet give it. */
static bool collect_reader(struct check_thread *t, void *context) {
    struct readers *r = context;
    uint64_t waiting;
    if ((t == r->goal || waits_for_ever(t, &waiting)) && held_find(t, r->record, CHECK_SHARED) != NULL &&
        r->count < CIRCLE_ROOM && t != r->except)
        r->found[r->count++] = t;
    return true;
}

static bool closes(struct circle *c, struct check_thread *from, struct check_thread *goal) {
    uint64_t waiting;
    if (!waits_for_ever(from, &waiting) || c->count == CIRCLE_ROOM)
        return false;
    c->links[c->count++] = (struct link){from, waiting, from->wait_object};
    if (from->wait_for == CHECK_ON_JOIN) {
        struct check_thread *other = (struct check_thread *)(uintptr_t)from->wait_object;
        if (other != NULL && atomic_load(&other->state) == THREAD_RUNS && step(c, other, goal))
            return true;
    } else if (from->wait_for == CHECK_ON_LOCK) {
        struct lock_record *r = (struct lock_record *)(uintptr_t)from->wait_object;
        struct check_thread *owner = atomic_load_explicit(&r->owner, memory_order_acquire);
        if (owner != NULL) {
            if (step(c, owner, goal))
                return true;
        } else if (r->kind == CHECK_RWLOCK) {
            struct readers readers = {
                .circle = c, .record = r, .except = from == goal ? NULL : from, .goal = goal};
            threads_each(collect_reader, &readers);
            for (unsigned i = 0; i < readers.count; i++)
                if (step(c, readers.found[i], goal))
                    return true;
        }
    }
    c->count--;
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

static void note_wait(struct misuse *m, struct check_thread *t) {
    char words[LOCK_NAME_ROOM];
    switch (t->wait_for) {
    case CHECK_ON_LOCK:
        lock_words(t->wait_object, words);
        misuse_note(m, "thread '%s' waits for %s", t->name, words);
        break;
    case CHECK_ON_JOIN:
        misuse_note(m, "thread '%s' waits for the end of thread '%s'", t->name,
                    t->wait_object != NULL ? ((const struct check_thread *)t->wait_object)->name : "?");
        break;
    case CHECK_ON_COND:
        misuse_note(m, "thread '%s' waits for a condition to be signalled", t->name);
        break;
    case CHECK_ON_BARRIER:
        misuse_note(m, "thread '%s' waits at a barrier", t->name);
        break;
    case CHECK_ON_SEMAPHORE:
        misuse_note(m, "thread '%s' waits for a semaphore", t->name);
        break;
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
        misuse_say(
            m, "thread '%s' is about to wait for ever for %s: %s", t->name, lock_words(t->wait_object, words),
            upgrade ? "two readers both want to write" : "those who could give it wait for this thread");
    } else {
        misuse_say(m, "thread '%s' is about to wait for ever for a thread that waits for it", t->name);
    }
    for (unsigned i = 0; i < c->count; i++)
        note_wait(m, c->links[i].thread);
    misuse_close(m);
    t->inside--;
}

/* --- nobody runs --- */

struct census {
    unsigned threads, waiting;
    bool may_wake;
    uint64_t sum; /* of all waiting numbers: changes when anybody moves */
    struct check_thread *on_cond;
    struct cond_record *lost;
};

static bool count_thread(struct check_thread *t, void *context) {
    struct census *c = context;
    uint64_t waiting;
    c->threads++;
    if (!waits_for_ever(t, &waiting)) {
        c->may_wake = true;
        return false;
    }
    c->waiting++;
    c->sum += waiting * (2 * t->serial + 1);
    switch (t->wait_for) {
    case CHECK_ON_LOCK: /* a free lock will be taken by its waiter in a moment */
        if (atomic_load(&((const struct lock_record *)t->wait_object)->owner) == NULL &&
            ((const struct lock_record *)t->wait_object)->kind != CHECK_RWLOCK)
            c->may_wake = true;
        break;
    case CHECK_ON_JOIN:
        if (t->wait_object == NULL ||
            atomic_load(&((const struct check_thread *)t->wait_object)->state) == THREAD_ENDED)
            c->may_wake = true;
        break;
    case CHECK_ON_SEMAPHORE: /* its first word, in ours as in glibc's, counts the permits */
        if (__atomic_load_n((const uint32_t *)t->wait_object, __ATOMIC_RELAXED) != 0)
            c->may_wake = true;
        break;
    case CHECK_ON_COND: {
        struct cond_record *cond = cond_record_of(t->wait_object, false);
        if (cond != NULL && atomic_load(&cond->lost) != 0 && c->lost == NULL) {
            c->lost = cond;
            c->on_cond = t;
        }
        break;
    }
    case CHECK_ON_BARRIER:
        break;
    }
    return !c->may_wake;
}

/* How many threads the system counts in this process; 0 where it does not say. */
static unsigned threads_in_system(void) {
    int saved = errno;
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    char text[1024];
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    errno = saved;
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *at =
        strrchr(text, ')'); /* the name may hold anything; num_threads is the 18th field after it */
    for (int field = 0; at != NULL && field < 18; field++)
        at = strchr(at + 1, ' ');
    unsigned threads = 0;
    for (at = at != NULL ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
        threads = threads * 10 + (unsigned)(*at - '0');
    return threads;
}

/* Does the program handle signals? A handler may post a semaphore, or change anything else. */
static bool handles_signals(void) {
    int saved = errno;
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    char text[4096];
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    errno = saved;
    if (n <= 0)
        return true;
    text[n] = '\0';
    const char *at = strstr(text, "SigCgt:\t");
    if (at == NULL)
        return true;
    unsigned long caught = 0;
    for (at += 8; *at != '\n' && *at != '\0'; at++)
        caught = caught * 16 + (unsigned long)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
    return (caught & ~(3ul << 31)) != 0; /* glibc's own two are no handlers of the program */
}

/* Every thread waits without a deadline, and none of the waits is about to end. A thread that was woken a
 * moment ago still counts as waiting: so this is asked twice, with a pause, and nobody may have moved. */
static bool quiescent(struct census *c) {
    uint64_t sum = 0;
    for (int look = 0; look < 3; look++) {
        memset(c, 0, sizeof *c);
        threads_each(count_thread, c);
        if (c->may_wake || c->threads == 0 || c->waiting != c->threads || (look != 0 && c->sum != sum))
            return false;
        sum = c->sum;
        struct timespec pause = {0, 5000000};
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    return threads_in_system() == c->threads && !handles_signals();
}

struct wait_notes {
    struct misuse *m;
    struct check_thread *seen[CIRCLE_ROOM];
    unsigned count;
};

static bool collect_waiter(struct check_thread *t, void *context) {
    struct wait_notes *w = context;
    if (w->count < CIRCLE_ROOM)
        w->seen[w->count++] = t;
    return true;
}

static void report_quiescent(struct check_thread *t, const struct census *c) {
    struct wait_notes w = {0};
    t->inside++;
    threads_each(collect_waiter, &w);
    struct misuse *m;
    if (c->lost != NULL) {
        m = misuse_open("lost-wakeup", atomic_load(&c->lost->cond), true);
        misuse_say(
            m,
            "thread '%s' waits for a signal that came before it waited, and nobody is left to send another",
            c->on_cond->name);
        misuse_note(m, "thread '%s' signalled here and found nobody waiting", c->lost->lost_thread);
        misuse_place(m, c->lost->lost_site);
    } else {
        m = misuse_open("deadlock", t->wait_object, true);
        misuse_say(m, "every thread of the program waits, and nobody is left to wake one");
    }
    for (unsigned i = 0; i < w.count && i < 10; i++)
        note_wait(m, w.seen[i]);
    misuse_close(m);
    t->inside--;
}

bool waits_check(struct check_thread *t) {
    struct circle c = {.count = 0};
    if (closes(&c, t, t) && still_so(&c)) {
        report_circle(t, &c);
        return false;
    }
    return true;
}

aglet_time check_look_at(void) {
    struct check_thread *t = check_self;
    if (t == NULL || t->inside != 0 || options.quiescence_ms == 0 ||
        !(atomic_load_explicit(&t->waiting, memory_order_relaxed) & 1) || t->wait_deadline != AGLET_FOREVER ||
        atomic_load_explicit(&blocked, memory_order_seq_cst) < threads_alive())
        return AGLET_FOREVER;
    return aglet_after_ms(options.quiescence_ms);
}

void check_look(void) {
    struct check_thread *t = check_self;
    struct census census;
    if (t == NULL || t->inside != 0 || options.quiescence_ms == 0 || !quiescent(&census))
        return;
    options.quiescence_ms = 0; /* once, where a hook lets the program go on */
    report_quiescent(t, &census);
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

void check_block_end(void) {
    waits_end(thread_self());
}
