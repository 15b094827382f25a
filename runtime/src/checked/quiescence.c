/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Nobody runs any more: when all threads wait without a deadline, and nothing outside can wake one, that is for
 * ever. The last thread to fall asleep sleeps with a limit, and if nobody has woken it by then it looks around. A
 * worker that has nothing to do counts as waiting; of the tasks that wait, all_wait.c tells.
 * Stands on engine.h, proc(5). */
#include "engine.h"

#include "misuse.h"
#include "tsan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SEEN_ROOM = 64 };

const struct task_side *task_side;

static _Atomic bool
    looking; /* one at a time; the others go on, for asleep in here they would be taken to wait */
static uint64_t told_sum; /* while looking: the census of the last report, which a hook has taken */
static _Atomic uint64_t own_signals; /* a bit for each signal that the library itself handles */

struct census {
    unsigned threads, waiting, idle;
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
    case CHECK_ON_WORK:
        c->idle++;
        if (t->wait_object != NULL && task_side != NULL && task_side->has_work(t->wait_object))
            c->may_wake = true;
        break;
    case CHECK_ON_BARRIER:
    case CHECK_ON_AWAIT: break;
    }
    return !c->may_wake;
}

/* Its beginning, ended by a zero. Returns how many bytes were read, or -1. */
static ssize_t read_file(const char *path, char *text, size_t room) {
    int saved = errno;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, room - 1) : -1;
    if (fd >= 0)
        close(fd);
    errno = saved;
    text[n > 0 ? n : 0] = '\0';
    return n;
}

/* How many threads the system counts in this process, ThreadSanitizer's own one among them; 0 where it does not say. */
static unsigned threads_in_system(void) {
    char text[1024];
    if (read_file("/proc/self/stat", text, sizeof text) <= 0)
        return 0;
    const char *at =
        strrchr(text, ')'); /* the name may hold anything; num_threads is the 18th field after it */
    for (int field = 0; at != NULL && field < 18; field++)
        at = strchr(at + 1, ' ');
    unsigned threads = 0;
    for (at = at != NULL ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
        threads = threads * 10 + (unsigned)(*at - '0');
    return threads;
}

/* Does the program handle signals? A handler may post a semaphore, or change anything else; but not one of faults, which
 * every sanitizer has, while all threads wait. */
static bool handles_signals(void) {
    char text[4096];
    if (read_file("/proc/self/status", text, sizeof text) <= 0)
        return true;
    const char *at = strstr(text, "SigCgt:\t");
    if (at == NULL)
        return true;
    unsigned long caught = 0;
    for (at += 8; *at != '\n' && *at != '\0'; at++)
        caught = caught * 16 + (unsigned long)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        caught &= ~(1ul << (faults[i] - 1));
    /* Neither glibc's own two nor ours are handlers of the program. */
    return (caught & ~(3ul << 31) & ~atomic_load(&own_signals)) != 0;
}

/* Does the system have the thread asleep? One that was woken and did not run yet is not. */
static bool is_asleep(struct check_thread *t, void *context) {
    bool *all = context;
    if (t == check_self)
        return true;
    char path[48], text[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", t->tid);
    ssize_t n = read_file(path, text, sizeof text);
    const char *at = n > 0 ? strrchr(text, ')') : NULL; /* the name may hold anything */
    *all = at != NULL && at[1] == ' ' && at[2] == 'S';
    return *all;
}

/* Every thread waits without a deadline, and none of the waits is about to end. A thread that was woken a
 * moment ago still counts as waiting: so this is asked three times, with a pause, and nobody may have moved;
 * and then the system is asked, because a busy one may let the thread wait longer than that. */
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
    unsigned tasks = task_side != NULL ? task_side->parked() : 0;
    if (c->threads == c->idle && tasks == 0)
        return false;
    bool all_asleep = true;
    threads_each(is_asleep, &all_asleep);
    /* No handler of a signal may do what wakes a task. */
    return all_asleep && threads_in_system() == c->threads + tsan_here() &&
           (tasks != 0 || !handles_signals());
}

struct wait_notes {
    struct misuse *m;
    struct check_thread *seen[SEEN_ROOM];
    unsigned count;
};

static bool collect_waiter(struct check_thread *t, void *context) {
    struct wait_notes *w = context;
    if (w->count < SEEN_ROOM)
        w->seen[w->count++] = t;
    return true;
}

static void report_quiescent(struct check_thread *t, const struct census *c) {
    struct wait_notes w = {0};
    t->inside++;
    if (task_side != NULL && task_side->report(c->lost == NULL)) {
        t->inside--;
        return;
    }
    threads_each(collect_waiter, &w);
    struct misuse *m;
    if (c->lost != NULL) {
        m = misuse_open("lost-wakeup", atomic_load(&c->lost->cond), true);
        misuse_say(
            m,
            "thread '%s' waits for a signal that came before it waited, and nobody is left to send another",
            thread_name(c->on_cond));
        misuse_note(m, "thread '%s' signalled here and found nobody waiting", c->lost->lost_thread);
        misuse_place(m, c->lost->lost_site);
    } else {
        m = misuse_open("deadlock", t->wait_object, true);
        misuse_say(m, "every thread of the program waits, and nobody is left to wake one");
    }
    for (unsigned i = 0; i < w.count && i < 10; i++)
        if (w.seen[i]->wait_for != CHECK_ON_WORK)
            waits_note(m, w.seen[i]);
    misuse_close(m);
    t->inside--;
}

aglet_time check_look_at(void) {
    struct check_thread *t = check_self;
    if (t == NULL || t->inside != 0 || options.quiescence_ms == 0 ||
        !(atomic_load_explicit(&t->waiting, memory_order_relaxed) & 1) || t->wait_deadline != AGLET_FOREVER ||
        waits_blocked() < threads_alive())
        return AGLET_FOREVER;
    /* Who came while another looked has moved, and made that look vain: it keeps still for the next ones. */
    int64_t limit = options.quiescence_ms;
    if (t->looks_later)
        limit *= 4;
    return aglet_after_ms(limit);
}

void check_look(_Atomic uint32_t *futex, uint32_t expected) {
    struct check_thread *t = check_self;
    struct census census;
    if (t == NULL || t->inside != 0 || options.quiescence_ms == 0)
        return;
    t->looks_later = atomic_exchange(&looking, true);
    if (t->looks_later)
        return;
    /* Of all that sleep only this thread may have been woken since it woke up by itself to look: its futex tells. Once,
     * where a hook lets the program go on. */
    if (quiescent(&census) && (futex == NULL || atomic_load(futex) == expected) && census.sum != told_sum) {
        told_sum = census.sum;
        report_quiescent(t, &census);
    }
    atomic_store(&looking, false);
}

void quiescence_after_fork(void) {
    atomic_store(&looking, false);
}

void check_signal_is_own(int number) {
    atomic_fetch_or(&own_signals, UINT64_C(1) << (number - 1));
}
