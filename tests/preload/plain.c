/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Things plain pthread programs do and the preloaded checker must live with; preload.py runs each and says
 * what must come out. Stands on pthreads and <threads.h> alone. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
#define MUST(condition) ((condition) ? (void)0 : (printf("not so: %s\n", #condition), exit(1)))

static void *lock_both(void *argument) {
    pthread_mutex_t *first = argument != NULL ? &a : &b, *second = argument != NULL ? &b : &a;
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
    return NULL;
}

static void run(void *(*f)(void *), void *argument) {
    pthread_t t;
    MUST(pthread_create(&t, NULL, f, argument) == 0);
    MUST(pthread_join(t, NULL) == 0);
}

static void *nothing(void *argument) {
    return argument;
}

/* The child has one thread, the locks its parent held, and its own reports. */
static void forks(void) {
    pthread_mutex_lock(&a);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_unlock(&a);
        for (int i = 0; i < 10; i++)
            run(nothing, NULL);
        pthread_mutex_lock(&b);
        pthread_mutex_unlock(&b);
        exit(42);
    }
    int status;
    waitpid(child, &status, 0);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    pthread_mutex_unlock(&a);
}

static void forks_with_threads(void) {
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        pthread_create(&t, NULL, lock_both, &a);
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
        pthread_join(t, NULL);
    }
}

static void *late(void *argument) {
    void *library = dlopen("libm.so.6", RTLD_NOW);
    double (*cosine)(double) = NULL;
    *(void **)(void *)&cosine = library != NULL ? dlsym(library, "cos") : NULL;
    MUST(cosine != NULL && cosine(0) == 1);
    dlclose(library);
    return argument;
}

static void loads(void) {
    for (int i = 0; i < 20; i++)
        run(late, NULL);
}

static sem_t tick;
static volatile int ticks;

static void on_alarm(int signal) {
    (void)signal;
    ticks++;
    sem_post(&tick);
}

/* All threads wait, but a signal handler will post: no deadlock. */
static void signals(void) {
    sem_init(&tick, 0, 0);
    signal(SIGALRM, on_alarm);
    alarm(1);
    while (sem_wait(&tick) != 0)
        MUST(errno == EINTR);
    MUST(ticks == 1);
}

static void recursive(void) {
    pthread_mutexattr_t attributes;
    pthread_mutex_t m;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m, &attributes);
    for (int i = 0; i < 5; i++)
        pthread_mutex_lock(&m);
    MUST(pthread_mutex_trylock(&m) == 0);
    for (int i = 0; i < 6; i++)
        MUST(pthread_mutex_unlock(&m) == 0);
    MUST(pthread_mutex_destroy(&m) == 0);
}

static void process_shared(void) {
    pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(m, &attributes);
    pthread_mutex_lock(m);
    if (fork() == 0) {
        pthread_mutex_lock(
            m); /* given by the parent: another process's lock is none of the checker's business */
        pthread_mutex_unlock(m);
        _exit(0);
    }
    usleep(50000);
    pthread_mutex_unlock(m);
    int status;
    wait(&status);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void errorcheck(void) {
    pthread_mutex_t m = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    MUST(pthread_mutex_unlock(&m) == EPERM);
    MUST(pthread_mutex_lock(&m) == 0);
    MUST(pthread_mutex_lock(&m) == EDEADLK);
    MUST(pthread_mutex_unlock(&m) == 0);
}

static void *count_up(void *argument) {
    pthread_mutex_lock(&a);
    ++*(int *)argument;
    pthread_mutex_unlock(&a);
    return NULL;
}

static void thousand_threads(void) {
    static pthread_t t[1000];
    int count = 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    pthread_mutex_lock(&a);
    for (int i = 0; i < 1000; i++)
        MUST(pthread_create(&t[i], &attributes, count_up, &count) == 0);
    pthread_mutex_unlock(&a);
    for (int i = 0; i < 1000; i++)
        MUST(pthread_join(t[i], NULL) == 0);
    MUST(count == 1000);
}

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void give_up(void *mutex) {
    pthread_mutex_unlock(mutex);
}

static void *wait_for_ever(void *argument) {
    pthread_mutex_lock(&a);
    pthread_cleanup_push(give_up, &a);
    for (;;)
        pthread_cond_wait(&changed, &a);
    pthread_cleanup_pop(1);
    return argument;
}

/* A thread that is cancelled while it waits has the mutex in its cleanup handler. */
static void cancels(void) {
    pthread_t t;
    pthread_create(&t, NULL, wait_for_ever, NULL);
    usleep(50000);
    pthread_cancel(t);
    void *result;
    MUST(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
    MUST(pthread_mutex_trylock(&a) == 0);
    pthread_mutex_unlock(&a);
}

/* The unwinder's first use in the process, which takes a once of its own, below a held lock. */
static void *exit_holding(void *argument) {
    pthread_mutex_lock(&a);
    pthread_cleanup_push(give_up, &a);
    pthread_exit(argument);
    pthread_cleanup_pop(1);
    return NULL;
}

static void exits_holding(void) {
    run(exit_holding, NULL);
    MUST(pthread_mutex_trylock(&a) == 0);
    pthread_mutex_unlock(&a);
}

static mtx_t c11_a, c11_b;

static int c11_order(void *argument) {
    mtx_lock(argument != NULL ? &c11_a : &c11_b);
    mtx_lock(argument != NULL ? &c11_b : &c11_a);
    mtx_unlock(&c11_a);
    mtx_unlock(&c11_b);
    return 7;
}

static void c11(void) {
    mtx_init(&c11_a, mtx_plain);
    mtx_init(&c11_b, mtx_plain);
    for (int i = 0; i < 2; i++) {
        thrd_t t;
        int result;
        MUST(thrd_create(&t, c11_order, i == 0 ? &c11_a : NULL) == thrd_success);
        MUST(thrd_join(t, &result) == thrd_success && result == 7);
    }
}

static void order(void) {
    run(lock_both, &a);
    run(lock_both, NULL);
}

/* A child's exit status tells of its own reports. */
static int status_of_child(bool reports) {
    pid_t child = fork();
    if (child == 0) {
        if (reports)
            pthread_mutex_unlock(&a);
        exit(42);
    }
    int status;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void forks_after_a_report(void) {
    order();
    MUST(status_of_child(false) == 42);
    MUST(status_of_child(true) == 66);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int made;

static void make(void) {
    made++;
}

static void *run_once(void *argument) {
    pthread_once(&once, make);
    return argument;
}

static void onces(void) {
    pthread_t t[8];
    for (int i = 0; i < 8; i++)
        pthread_create(&t[i], NULL, run_once, NULL);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], NULL);
    MUST(made == 1);
}

static void *hold_and_sleep(void *argument) {
    pthread_mutex_lock(&a);
    usleep(30000);
    pthread_mutex_unlock(&a);
    return argument;
}

static void timed(void) {
    pthread_t t;
    pthread_create(&t, NULL, hold_and_sleep, NULL);
    usleep(10000);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    int error = pthread_mutex_timedlock(&a, &soon);
    MUST(error == ETIMEDOUT || error == 0);
    if (error == 0)
        pthread_mutex_unlock(&a);
    pthread_join(t, NULL);
}

/* Libraries and mappings that come and go at one address have each locks of their own. */
static void reuses_addresses(void) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
    MUST(n > 0);
    while (path[n - 1] != '/')
        n--;
    for (int i = 0; i < 4; i++) {
        strcpy(path + n, i % 2 == 0 ? "libloaded_forth.so" : "libloaded_back.so");
        void *library = dlopen(path, RTLD_NOW);
        void (*take_both)(void) = NULL;
        *(void **)(void *)&take_both = library != NULL ? dlsym(library, "take_both") : NULL;
        MUST(take_both != NULL);
        take_both();
        dlclose(library);
    }
    for (int i = 0; i < 4; i++) {
        pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        MUST(m != MAP_FAILED);
        pthread_mutex_lock(&m[i % 2]); /* zero is what the static initialiser says */
        pthread_mutex_lock(&m[1 - i % 2]);
        pthread_mutex_unlock(&m[0]);
        pthread_mutex_unlock(&m[1]);
        munmap(m, 4096);
    }
}

static struct {
    pthread_mutex_t mu;
    int value;
} original = {.mu = PTHREAD_MUTEX_INITIALIZER}, copy;

/* The copy is held by nobody, and can be taken by nobody. */
static void copies_held(void) {
    pthread_mutex_lock(&original.mu);
    copy = original;
    pthread_mutex_unlock(&original.mu);
    pthread_mutex_lock(&copy.mu);
}

static void clears_held(void) {
    pthread_mutex_lock(&a);
    memset(&a, 0, sizeof a);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
}

static pthread_t main_thread;

static void *join_main(void *argument) {
    pthread_join(main_thread, NULL);
    return argument;
}

static void joins_each_other(void) {
    main_thread = pthread_self();
    run(join_main, NULL);
}

static void waits_at_a_barrier_alone(void) {
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_barrier_wait(&barrier);
}

static void *end_holding(void *argument) {
    pthread_mutex_lock(&a);
    usleep(100000);
    return argument;
}

/* It waits already when the holder ends. */
static void waits_for_one_that_ends(void) {
    pthread_t t;
    pthread_create(&t, NULL, end_holding, NULL);
    usleep(50000);
    pthread_mutex_lock(&a);
}

/* The child has a copy of a mutex that a thread holds which the child does not have. */
static void waits_in_the_child(void) {
    pthread_t t;
    pthread_create(&t, NULL, end_holding, NULL);
    usleep(50000);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(&a);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* And may make it anew. */
static void makes_anew_in_the_child(void) {
    pthread_t t;
    pthread_create(&t, NULL, hold_and_sleep, NULL);
    usleep(10000);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_init(&a, NULL);
        pthread_mutex_lock(&a);
        pthread_mutex_unlock(&a);
        exit(42);
    }
    int status;
    waitpid(child, &status, 0);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    pthread_join(t, NULL);
}

static pthread_barrier_t rounds;

static void *in_step(void *argument) {
    for (int i = 0; i < 200; i++)
        pthread_barrier_wait(&rounds);
    return argument;
}

static void barriers(void) {
    pthread_t t[20];
    pthread_barrier_init(&rounds, NULL, 20);
    for (int i = 0; i < 20; i++)
        MUST(pthread_create(&t[i], NULL, in_step, NULL) == 0);
    for (int i = 0; i < 20; i++)
        MUST(pthread_join(t[i], NULL) == 0);
}

static pthread_once_t left_once = PTHREAD_ONCE_INIT;

static void leave_or_make(void) {
    if (made++ == 0)
        pthread_exit(NULL);
}

static void *leave_once(void *argument) {
    pthread_once(&left_once, leave_or_make);
    return argument;
}

/* A first call that does not come to its end leaves the work to the next. */
static void leaves_once(void) {
    run(leave_once, NULL);
    run(leave_once, NULL);
    MUST(made == 2);
}

/* Each kind the C library has, and what it says of an owner that died. */
static void kinds(void) {
    pthread_mutexattr_t attributes;
    pthread_mutex_t m;
    for (int kind = 0; kind < 3; kind++) {
        pthread_mutexattr_init(&attributes);
        if (kind != 0)
            pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
        pthread_mutexattr_settype(&attributes, kind == 2 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_ADAPTIVE_NP);
        if (kind == 1)
            pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_NORMAL);
        MUST(pthread_mutex_init(&m, &attributes) == 0);
        MUST(pthread_mutex_lock(&m) == 0 && pthread_mutex_unlock(&m) == 0 && pthread_mutex_destroy(&m) == 0);
    }
}

static sem_t never;

static void *wait_for_never(void *argument) {
    sem_wait(&never);
    return argument;
}

static void *join_it(void *argument) {
    pthread_join(*(pthread_t *)argument, NULL);
    return argument;
}

/* A wait that is cancelled is over. */
static void cancels_waits(void) {
    pthread_t waiter, joiner;
    void *result;
    sem_init(&never, 0, 0);
    for (int i = 0; i < 10; i++) {
        MUST(pthread_create(&waiter, NULL, wait_for_never, NULL) == 0);
        MUST(pthread_create(&joiner, NULL, join_it, &waiter) == 0);
        usleep(i * 300);
        pthread_cancel(joiner);
        MUST(pthread_join(joiner, &result) == 0 && result == PTHREAD_CANCELED);
        pthread_cancel(waiter);
        MUST(pthread_join(waiter, &result) == 0 && result == PTHREAD_CANCELED);
    }
}

/* What the system's least stack holds is enough for a finding, with names and lines. */
static void small_stacks(void) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    MUST(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0);
    for (int i = 0; i < 2; i++) {
        pthread_t t;
        MUST(pthread_create(&t, &attributes, lock_both, i == 0 ? &a : NULL) == 0);
        MUST(pthread_join(t, NULL) == 0);
    }
}

enum { CHAIN = 60 };
static pthread_mutex_t chain[CHAIN + 1];

static void *hold_one_wait_for_next(void *argument) {
    long i = (long)argument;
    pthread_mutex_lock(&chain[i]);
    usleep(50000 + 1000 * (useconds_t)(CHAIN - i)); /* the last waits first, so that each sees the whole chain */
    pthread_mutex_lock(&chain[i + 1]);
    pthread_mutex_unlock(&chain[i + 1]);
    pthread_mutex_unlock(&chain[i]);
    return NULL;
}

/* Each waits for the next, on a small stack. */
static void chain_of_waits(void) {
    pthread_t t[CHAIN];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    MUST(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0);
    for (int i = 0; i <= CHAIN; i++)
        pthread_mutex_init(&chain[i], NULL);
    pthread_mutex_lock(&chain[CHAIN]);
    for (long i = 0; i < CHAIN; i++)
        MUST(pthread_create(&t[i], &attributes, hold_one_wait_for_next, (void *)i) == 0);
    usleep(300000);
    pthread_mutex_unlock(&chain[CHAIN]);
    for (int i = 0; i < CHAIN; i++)
        pthread_join(t[i], NULL);
}

/* Locks in memory from malloc, freed and made larger. */
static void frees(void) {
    for (int i = 0; i < 100; i++) {
        pthread_mutex_t *many = malloc((size_t)(i + 1) * sizeof *many);
        MUST(many != NULL);
        for (int k = 0; k <= i; k++) {
            pthread_mutex_init(&many[k], NULL);
            pthread_mutex_lock(&many[k]);
            pthread_mutex_unlock(&many[k]);
            pthread_mutex_destroy(&many[k]);
        }
        many = realloc(many, 10000);
        MUST(many != NULL);
        free(many);
    }
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } ways[] = {{"forks", forks},
                {"forks-with-threads", forks_with_threads},
                {"loads", loads},
                {"signals", signals},
                {"recursive", recursive},
                {"process-shared", process_shared},
                {"errorcheck", errorcheck},
                {"thousand-threads", thousand_threads},
                {"cancels", cancels},
                {"exits-holding", exits_holding},
                {"c11", c11},
                {"order", order},
                {"forks-after-a-report", forks_after_a_report},
                {"onces", onces},
                {"timed", timed},
                {"reuses-addresses", reuses_addresses},
                {"copies-held", copies_held},
                {"clears-held", clears_held},
                {"joins-each-other", joins_each_other},
                {"waits-at-a-barrier-alone", waits_at_a_barrier_alone},
                {"waits-for-one-that-ends", waits_for_one_that_ends},
                {"waits-in-the-child", waits_in_the_child},
                {"makes-anew-in-the-child", makes_anew_in_the_child},
                {"barriers", barriers},
                {"leaves-once", leaves_once},
                {"kinds", kinds},
                {"cancels-waits", cancels_waits},
                {"small-stacks", small_stacks},
                {"chain-of-waits", chain_of_waits},
                {"frees", frees}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (argc > 1 && strcmp(argv[1], ways[i].name) == 0) {
            ways[i].run();
            puts("came to the end");
            return 0;
        }
    return 2;
}
