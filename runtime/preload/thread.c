/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* pthread_create, join, detach, once, watched. Stands on real.h, check.h. */
#include "real.h"

#include "engine.h"
#include "misuse.h"
#include "stack.h"

#include <errno.h>
#include <stdlib.h>

struct start {
    void *(*entry)(void *);
    void *argument;
    struct check_thread *record;
};

static void *first(void *argument) {
    struct start s = *(struct start *)argument;
    check_thread_begin(s.record);
    if (s.record != NULL)
        s.record->inside++;
    free(argument);
    if (s.record != NULL) {
        s.record->inside--;
        check_thread_handle(s.record, (unsigned long)pthread_self());
    }
    /* Its end is seen by the checker's thread-specific key, after the program's own cleanup. */
    return s.entry(s.argument);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*entry)(void *),
                          void *argument) {
    if (!watching())
        return real.pthread_create(thread, attributes, entry, argument);
    struct start *s = malloc(sizeof *s);
    if (s == NULL)
        return EAGAIN;
    struct check_thread *record = check_thread_new(NULL, PROGRAM());
    *s = (struct start){entry, argument, record};
    int detached = PTHREAD_CREATE_JOINABLE;
    if (attributes != NULL)
        pthread_attr_getdetachstate(attributes, &detached);
    if (detached == PTHREAD_CREATE_DETACHED)
        check_thread_detached(record);
    int error = real.pthread_create(thread, attributes, first, s);
    if (error != 0) {
        check_thread_joined(record);
        free(s);
    } else if (detached != PTHREAD_CREATE_DETACHED && record != NULL) {
        check_thread_handle(record, (unsigned long)*thread);
    }
    return error;
}

/* After the checker's own constructors. */
__attribute__((constructor(110))) static void watch_main(void) {
    check_thread_is_main((unsigned long)pthread_self());
}

/* The C library would read memory by such a handle. */
static bool is_no_thread(pthread_t thread, const char *verb, const void *caller) {
    bool before = check_thread_was_joined((unsigned long)thread);
    if (!before && thread != 0)
        return false;
    misuse_report("unjoined", NULL, false, caller, "a thread is %s that was %s", verb,
                  before ? "joined or detached before" : "never created");
    return true;
}

static int join_error(int error, struct check_thread *t, pthread_t thread) {
    if (error == 0) {
        check_thread_gone((unsigned long)thread);
        check_thread_joined(t);
    }
    return error;
}

EXPORT int pthread_join(pthread_t thread, void **result) {
    if (!watching() || pthread_equal(thread, pthread_self())) /* the C library says so at once */
        return real.pthread_join(thread, result);
    struct check_thread *t = check_thread_by_handle((unsigned long)thread);
    if (t == NULL && is_no_thread(thread, "joined", PROGRAM()))
        return ESRCH;
    if (t != NULL && !check_block_begin(CHECK_ON_JOIN, t, AGLET_FOREVER, PROGRAM()))
        return EDEADLK;
    int error;
    WAIT_AND_LOOK(error, real.pthread_join(thread, result),
                  real.pthread_clockjoin_np(thread, result, CLOCK_MONOTONIC, limit));
    if (t != NULL)
        check_block_end();
    return join_error(error, t, thread);
}

EXPORT int pthread_tryjoin_np(pthread_t thread, void **result) {
    struct check_thread *t = watching() ? check_thread_by_handle((unsigned long)thread) : NULL;
    return join_error(real.pthread_tryjoin_np(thread, result), t, thread);
}

EXPORT int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *until) {
    struct check_thread *t = watching() ? check_thread_by_handle((unsigned long)thread) : NULL;
    return join_error(real.pthread_timedjoin_np(thread, result, until), t, thread);
}

EXPORT int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock,
                                const struct timespec *until) {
    struct check_thread *t = watching() ? check_thread_by_handle((unsigned long)thread) : NULL;
    return join_error(real.pthread_clockjoin_np(thread, result, clock, until), t, thread);
}

EXPORT int pthread_detach(pthread_t thread) {
    if (!watching())
        return real.pthread_detach(thread);
    struct check_thread *t = check_thread_by_handle((unsigned long)thread);
    if (t == NULL && is_no_thread(thread, "detached", PROGRAM()))
        return ESRCH;
    check_thread_gone((unsigned long)thread);
    check_thread_detached(t);
    return real.pthread_detach(thread);
}

EXPORT int pthread_setname_np(pthread_t thread, const char *name) {
    if (watching() && pthread_equal(thread, pthread_self()))
        check_thread_name(name);
    return real.pthread_setname_np(thread, name);
}

static _Thread_local struct {
    void (*make)(void);
    pthread_once_t *control;
    const void *caller;
} making;

struct made {
    pthread_once_t *control;
    const void *caller;
};

static void made(struct made *m) {
    check_release(CHECK_ONCE, CHECK_EXCLUSIVE, (const void *)m->control, NULL, m->caller);
}

/* An exception or a cancellation may end it as well; the next caller then begins anew. */
static void make_watched(void) {
    void (*make)(void) = making.make;
    __attribute__((cleanup(made))) struct made m = {making.control, making.caller};
    on_behalf_of = NULL;
    check_acquired(CHECK_ONCE, CHECK_EXCLUSIVE, (const void *)m.control, NULL, m.caller);
    make();
}

EXPORT int pthread_once(pthread_once_t *control, void (*make)(void)) {
    enum { IN_PROGRESS = 1, DONE = 2 }; /* bits of glibc's control word */
    int seen = __atomic_load_n((int *)control, __ATOMIC_ACQUIRE);
    if (seen & DONE)
        return 0;
    if (!watching() || in_unwinder(PROGRAM()))
        return real.pthread_once(control, make);
    bool told = (seen & IN_PROGRESS) != 0;
    if (told &&
        !check_wait_begin(CHECK_ONCE, CHECK_EXCLUSIVE, (const void *)control, NULL, AGLET_FOREVER, PROGRAM()))
        return EDEADLK;
    making.make = make;
    making.control = control;
    making.caller = PROGRAM();
    int error = real.pthread_once(control, make_watched);
    if (told)
        check_wait_end(false);
    return error;
}
