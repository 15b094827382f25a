/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The watchdog of the checked library: one thread that looks at every worker a few times in max_poll_ms; and
 * the fault handler that tells a stack overflow from any other fault. Stands on misuse.h, stack.h, signals.
 *
 * How a late worker is shown: the watchdog sends it a signal, whose handler takes its stack there and then;
 * so the report shows where the task is while it keeps the worker. The signal interrupts a sleep as any
 * signal does. */
#include "all_wait.h"
#include "fork.h"
#include "misuse.h"
#include "options.h"
#include "stack.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { FRAMES = 48, EXECUTORS = 32, ALTERNATE_STACK = 1024 * 1024 };

/* A sanitizer tells of faults itself. */
#if defined(AGLET_TSAN_) || defined(AGLET_ASAN_)
enum { TELLS_FAULTS = 0 };
#else
enum { TELLS_FAULTS = 1 };
#endif

static struct slock lock;
static struct aglet_executor *executors[EXECUTORS]; /* under lock */
static _Atomic uint32_t bell;                       /* futex of the watchdog */
static pthread_once_t started = PTHREAD_ONCE_INIT;

/* What a worker's thread says of itself in the middle of whatever it does. One asks at a time, under
 * look_lock. */
enum { HELD_SHOWN = 8 };
static struct ilock look_lock;
static struct look {
    _Atomic uint32_t state; /* 0 free, 1 asked, 2 answered */
    const void *pcs[FRAMES];
    unsigned n, held_n;
    struct held held[HELD_SHOWN];
} look_now;

static int sample_signal(void) {
    return SIGRTMAX - 2;
}

static const void *interrupted_at(void *context) {
    const ucontext_t *uc = context;
#if defined(__x86_64__)
    return (const void *)uc->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (const void *)uc->uc_mcontext.pc;
#endif
}

static void take_sample(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)info;
    int saved = errno;
    if (atomic_load(&look_now.state) == 1) {
        look_now.n = stack_take(interrupted_at(context), look_now.pcs, FRAMES);
        struct check_thread *t = check_self;
        look_now.held_n = 0;
        for (unsigned i = 0; t && i < t->held_count && look_now.held_n < HELD_SHOWN; i++)
            if (held_is_own(t, &t->held[i]))
                look_now.held[look_now.held_n++] = t->held[i];
        atomic_store(&look_now.state, 2);
    }
    errno = saved;
}

/* Ask the thread that runs w; true: look_now holds the answer until it is given back by setting state to 0.
 */
static bool ask(struct worker *w) {
    atomic_store(&look_now.state, 1);
    bool asked = pthread_kill(w->os_thread, sample_signal()) == 0;
    for (int i = 0; asked && i < 100 && atomic_load(&look_now.state) != 2; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return atomic_exchange(&look_now.state, 0) == 2;
}

/* The answer of the thread that runs w, copied. Under `lock`. */
static bool ask_for(struct worker *w, struct look *out) {
    ilock_take(&look_lock);
    bool have = w->has_thread && ask(w);
    if (have) {
        memcpy(out->pcs, look_now.pcs, sizeof out->pcs);
        memcpy(out->held, look_now.held, sizeof out->held);
        out->n = look_now.n;
        out->held_n = look_now.held_n;
    }
    ilock_give(&look_lock);
    return have;
}

void check_print_running(struct worker *w, struct dump_text *out) {
    struct look seen;
    slock_lock(&lock);
    bool have = ask_for(w, &seen);
    slock_unlock(&lock);
    for (unsigned i = 0; have && i < seen.n; i++)
        dump_frame(out, i, seen.pcs[i]);
    for (unsigned i = 0; have && i < seen.held_n; i++) {
        char words[LOCK_NAME_ROOM];
        dump_say(out, "    holds %s, taken here\n", lock_words(held_record(&seen.held[i]), words));
        dump_frame(out, 0, seen.held[i].site);
    }
}

/* Gives `lock` up for the report, which may wait for another one, and takes it again. Whose executor ends
 * waits for the report, under `reporting`: its process may end with it. */
static struct ilock reporting;
struct late {
    uint64_t task;
    struct check_thread *thread; /* that keeps the task waiting in a lock, a join, a condition; or NULL */
};

static bool is_kept(struct check_thread *t, void *late) {
    struct late *l = late;
    uint64_t waiting;
    if (t->task == l->task && waits_for_ever(t, &waiting))
        l->thread = t;
    return l->thread == NULL;
}

static void report_late(struct worker *w, int64_t ms) {
    struct aglet_task *t = w->current;
    char name[64] = "";
    unsigned long long id = 0;
    if (t) {
        id = task_id(t);
        const char *known = task_name(t);
        strncpy(name, known ? known : "unnamed", sizeof name - 1);
    }
    struct look seen;
    ilock_take(&reporting);
    bool have = ask_for(w, &seen);
    slock_unlock(&lock);
    struct misuse *m = misuse_open("blocking-in-task", t, false);
    misuse_say(m, "task %llu '%s' has kept its worker for %lld ms without waiting in a call that yields", id,
               name, (long long)ms);
    if (have) {
        misuse_note(m, "it is here now; hand blocking or long work to aglet_run_blocking");
        misuse_stack(m, seen.pcs, seen.n);
    }
    struct late late = {.task = id};
    threads_each(is_kept, &late);
    if (id && late.thread)
        waits_note(m, late.thread);
    misuse_close(m);
    ilock_give(&reporting);
    slock_lock(&lock);
}

static void look(aglet_time now) {
    int64_t limit = options.max_poll_ms * INT64_C(1000000);
    slock_lock(&lock);
    for (int e = 0; e < EXECUTORS; e++)
        for (unsigned i = 0; executors[e] && i < executors[e]->n; i++) {
            struct worker *w = executors[e]->worker[i];
            uint64_t polls = atomic_load_explicit(&w->polls, memory_order_relaxed);
            if (polls != w->poll_seen) {
                w->poll_seen = polls;
                w->poll_since = now;
            } else if ((polls & 1) && w->poll_since && now - w->poll_since >= limit) {
                report_late(w, (now - w->poll_since) / 1000000);
                w->poll_since = 0;
            }
        }
    slock_unlock(&lock);
}

static void *watch(void *unused) {
    (void)unused;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    check_thread_is_own("watchdog");
    int64_t pause = options.max_poll_ms > 0 ? options.max_poll_ms * INT64_C(250000) : INT64_C(1000000000);
    for (;;) {
        uint32_t seen = atomic_load(&bell);
        aglet_time due = aglet_after_ns(pause);
        futex_wait(&bell, seen, due);
        aglet_time now = aglet_now();
        /* Much later than asked for: the whole process was stopped, in a debugger for instance. */
        if (options.max_poll_ms > 0 && now - due < pause)
            look(now);
        circles_report(false, NULL, 0);
    }
    return NULL;
}

static void on_fault(int number, siginfo_t *info, void *context) {
    struct aglet_task *t = task_self();
    if (t && task_stack(t) && stack_guard_hit(t->stack, info->si_addr)) {
        const char *name = task_name(t);
        struct misuse *m = misuse_open("stack-overflow", t, true);
        misuse_say(m, "task %llu '%s' has used up its stack of %zu bytes", (unsigned long long)task_id(t),
                   name ? name : "unnamed", t->stack->usable - STACK_SLACK);
        misuse_note(m, "aglet_executor_options.stack_size sets the size");
        misuse_place(m, interrupted_at(context));
        misuse_close(m);
    }
    /* Not ours, or the hook came back: the default action, at the same instruction. */
    signal(number, SIG_DFL);
}

static void start(void) {
    struct sigaction old, fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (TELLS_FAULTS && sigaction(SIGSEGV, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        sigaction(SIGSEGV, &fault, NULL);
    struct sigaction sampler = {.sa_sigaction = take_sample, .sa_flags = SA_RESTART | SA_SIGINFO};
    if (sigaction(sample_signal(), &sampler, NULL) == 0)
        check_signal_is_own(sample_signal());
    struct sigaction was;
    if (sigaction(SIGQUIT, NULL, &was) == 0 && was.sa_handler == SIG_DFL)
        aglet_dump_on(SIGQUIT);
    pthread_t thread;
    if (pthread_create(&thread, NULL, watch, NULL) == 0) {
        pthread_detach(thread);
    } else {
        misuse_warn("no thread for the watchdog: blocking-in-task is not looked for");
    }
}

void check_executor_new(struct aglet_executor *ex) {
    pthread_once(&started, start);
    slock_lock(&lock);
    for (int e = 0; e < EXECUTORS; e++)
        if (!executors[e]) {
            executors[e] = ex;
            break;
        }
    slock_unlock(&lock);
}

/* A child has none of these threads, and a lock may be held by one of them. */
void check_tasks_fork(enum fork_moment moment) {
    if (moment != IN_CHILD)
        return;
    started = (pthread_once_t)PTHREAD_ONCE_INIT;
    lock = (struct slock){0};
    look_lock = reporting = (struct ilock){0};
    memset(executors, 0, sizeof executors);
}

void check_executor_gone(struct aglet_executor *ex) {
    slock_lock(&lock);
    for (int e = 0; e < EXECUTORS; e++)
        if (executors[e] == ex)
            executors[e] = NULL;
    slock_unlock(&lock);
    ilock_take(&reporting);
    ilock_give(&reporting);
}

static void has_thread(struct worker *w, bool yes) {
    slock_lock(&lock);
    w->os_thread = pthread_self();
    w->has_thread = yes;
    slock_unlock(&lock);
}

void check_worker_begin(struct worker *w) {
    has_thread(w, true);
    if (!w->executor->current_thread) {
        char name[16];
        snprintf(name, sizeof name, "worker %u", w->index);
        check_thread_name(name);
    }
    stack_t was;
    if (!TELLS_FAULTS || sigaltstack(NULL, &was) != 0 || !(was.ss_flags & SS_DISABLE))
        return;
    void *room = mmap(NULL, ALTERNATE_STACK, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return;
    stack_t alternate = {.ss_sp = room, .ss_size = ALTERNATE_STACK};
    if (sigaltstack(&alternate, NULL) == 0)
        w->alternate = room;
    else
        munmap(room, ALTERNATE_STACK);
}

void check_worker_end(struct worker *w) {
    has_thread(w, false);
    if (!w->alternate)
        return;
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    munmap(w->alternate, ALTERNATE_STACK);
    w->alternate = NULL;
}
