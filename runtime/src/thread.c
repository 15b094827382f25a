/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Threads and scopes. Stands on pthread_create(3), ilock.h, check.h. A thread's record is used again for a
 * later thread, with another serial, and never freed: so a handle joined twice is told from a good one. */
#include "aglet/thread.h"

#include "check.h"
#include "ilock.h"
#include "misuse.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct aglet_thread_state_ {
    _Atomic uint64_t serial; /* of the handle that may join it; 0 once that was used up */
    pthread_t id;
    void *(*entry)(void *);
    void *argument;
    struct check_thread *check;       /* checked library: its record there, or NULL */
    struct aglet_thread_state_ *next; /* in a scope, under the scope's lock; free, under pool_lock */
    _Atomic uint32_t users;           /* the handle and the thread itself; at 0 the record goes back */
    _Atomic uint32_t done;            /* checked library: 1 once its function has returned */
    char name[32];
};

static struct ilock pool_lock;
static struct aglet_thread_state_ *pool;
static uint64_t last_serial; /* under pool_lock */

static struct aglet_thread_state_ *take_state(void) {
    ilock_take(&pool_lock);
    struct aglet_thread_state_ *t = pool;
    if (t != NULL)
        pool = t->next;
    uint64_t serial = ++last_serial;
    ilock_give(&pool_lock);
    if (t == NULL)
        t = calloc(1, sizeof *t);
    if (t != NULL) {
        t->next = NULL;
        atomic_store_explicit(&t->done, 0, memory_order_relaxed);
        atomic_store_explicit(&t->users, 2, memory_order_relaxed);
        atomic_store_explicit(&t->serial, serial, memory_order_relaxed);
    }
    return t;
}

static void leave_state(struct aglet_thread_state_ *t, uint32_t users) {
    /* Release and acquire: the last one sees that the others are done with it. */
    if (atomic_fetch_sub_explicit(&t->users, users, memory_order_acq_rel) != users)
        return;
    ilock_take(&pool_lock);
    t->next = pool;
    pool = t;
    ilock_give(&pool_lock);
}

/* Also when the thread ends by pthread_exit. */
static void last(void *state) {
    struct aglet_thread_state_ *t = state;
    if (aglet_checked) {
        check_thread_end(NULL);
        atomic_store_explicit(&t->done, 1, memory_order_release);
        futex_wake(&t->done, 1);
    }
    leave_state(t, 1);
}

static void *first(void *state) {
    struct aglet_thread_state_ *t = state;
    if (t->name[0] != '\0')
        pthread_setname_np(pthread_self(), t->name);
    if (aglet_checked)
        check_thread_begin(t->check);
    void *result;
    pthread_cleanup_push(last, t);
    result = t->entry(t->argument);
    pthread_cleanup_pop(1);
    return result;
}

/* Returns 0 and *out, or a negative errno. */
static int start(const struct aglet_thread_options *options, void *(*entry)(void *), void *argument,
                 const void *caller, struct aglet_thread_state_ **out) {
    struct aglet_thread_state_ *t = take_state();
    if (t == NULL)
        return -ENOMEM;
    t->entry = entry;
    t->argument = argument;
    snprintf(t->name, sizeof t->name, "%.15s", options->name != NULL ? options->name : "");
    t->check = aglet_checked ? check_thread_new(options->name, caller) : NULL;
    pthread_attr_t attributes, *with = NULL;
    int error = 0;
    if (options->stack_size != 0 && (error = pthread_attr_init(&attributes)) == 0) {
        with = &attributes;
        error = pthread_attr_setstacksize(with, options->stack_size);
    }
    if (error == 0)
        error = pthread_create(&t->id, with, first, t);
    if (with != NULL)
        pthread_attr_destroy(with);
    if (error != 0) {
        if (aglet_checked)
            check_thread_joined(t->check);
        atomic_store_explicit(&t->serial, 0, memory_order_relaxed);
        leave_state(t, 2);
        return -error;
    }
    *out = t;
    return 0;
}

static int spawn(aglet_thread *thread, const struct aglet_thread_options *options, void *(*entry)(void *),
                 void *argument, const void *caller) {
    if (thread == NULL) {
        if (aglet_checked)
            misuse_report("unjoined", NULL, false, caller,
                          "a thread is spawned with NULL for its handle: nobody could join or detach it");
        return -EINVAL;
    }
    *thread = (aglet_thread)AGLET_THREAD_INIT;
    int error = start(options, entry, argument, caller, &thread->state_);
    if (error == 0)
        thread->serial_ = atomic_load_explicit(&thread->state_->serial, memory_order_relaxed);
    return error;
}

static const struct aglet_thread_options none;

int aglet_thread_spawn(aglet_thread *thread, void *(*entry)(void *), void *argument) {
    return spawn(thread, &none, entry, argument, CALLER());
}

int aglet_thread_spawn_with(aglet_thread *thread, const struct aglet_thread_options *options,
                            void *(*entry)(void *), void *argument) {
    return spawn(thread, options != NULL ? options : &none, entry, argument, CALLER());
}

/* Make the handle ours alone. False where it was used up before, or is none. */
static bool use_up(aglet_thread *thread, const char *verb, const void *caller) {
    uint64_t known = thread != NULL ? thread->serial_ : 0, serial = known;
    if (serial != 0 && thread->state_ != NULL &&
        atomic_compare_exchange_strong_explicit(&thread->state_->serial, &serial, 0, memory_order_acquire,
                                                memory_order_relaxed))
        return true;
    if (aglet_checked)
        misuse_report("unjoined", thread, false, caller, "a thread is %s that was %s", verb,
                      known == 0 ? "never spawned" : "joined or detached before");
    return false;
}

static int join(struct aglet_thread_state_ *t, void **result, const char *name, const void *caller) {
    if (aglet_checked)
        check_blocks(name, caller);
    if (aglet_checked && !check_block_begin(CHECK_ON_JOIN, t->check, AGLET_FOREVER, caller))
        return -EDEADLK;
    if (aglet_checked) /* asleep where the checker can look around; pthread_join then returns at once */
        while (atomic_load_explicit(&t->done, memory_order_acquire) == 0)
            futex_wait(&t->done, 0, AGLET_FOREVER);
    int error = pthread_join(t->id, result);
    if (aglet_checked) {
        check_block_end();
        check_thread_joined(t->check);
    }
    leave_state(t, 1);
    return -error;
}

int aglet_thread_join(aglet_thread *thread, void **result) {
    struct aglet_thread_state_ *t = thread != NULL ? thread->state_ : NULL;
    if (t != NULL && atomic_load_explicit(&t->serial, memory_order_relaxed) == thread->serial_ &&
        pthread_equal(t->id, pthread_self())) {
        if (aglet_checked)
            misuse_report("deadlock", thread, true, CALLER(), "a thread joins itself");
        return -EDEADLK;
    }
    if (!use_up(thread, "joined", CALLER()))
        return -EINVAL;
    return join(t, result, "aglet_thread_join", CALLER());
}

int aglet_thread_detach(aglet_thread *thread) {
    if (!use_up(thread, "detached", CALLER()))
        return -EINVAL;
    struct aglet_thread_state_ *t = thread->state_;
    int error = pthread_detach(t->id);
    if (aglet_checked)
        check_thread_detached(t->check);
    leave_state(t, 1);
    return -error;
}

void aglet_thread_set_name(const char *name) {
    if (name == NULL)
        return;
    char system_name[16];
    snprintf(system_name, sizeof system_name, "%s", name);
    pthread_setname_np(pthread_self(), system_name);
    if (aglet_checked)
        check_thread_name(name);
}

void aglet_scope_begin(aglet_scope *scope) {
    *scope = (aglet_scope){.open_ = true};
}

static void add(aglet_scope *scope, struct aglet_thread_state_ *t) {
    struct ilock *lock = (struct ilock *)(void *)&scope->lock_;
    ilock_take(lock);
    t->next = scope->threads_;
    scope->threads_ = t;
    ilock_give(lock);
}

int aglet_scope_spawn(aglet_scope *scope, void *(*entry)(void *), void *argument) {
    struct aglet_thread_state_ *t = NULL;
    if (!scope->open_) { /* unset by who has joined all that could look at it */
        if (aglet_checked)
            misuse_report(
                "unjoined", scope, false, CALLER(),
                "a thread is spawned in a scope that has ended or was never begun: nobody would join it");
        return -EINVAL;
    }
    int error = start(&none, entry, argument, CALLER(), &t);
    if (error == 0) {
        add(scope, t);
        return 0;
    }
    struct ilock *lock = (struct ilock *)(void *)&scope->lock_;
    ilock_take(lock);
    if (scope->error_ == 0)
        scope->error_ = error;
    ilock_give(lock);
    return error;
}

int aglet_scope_end(aglet_scope *scope) {
    struct ilock *lock = (struct ilock *)(void *)&scope->lock_;
    for (;;) {
        ilock_take(lock);
        struct aglet_thread_state_ *t = scope->threads_;
        if (t != NULL)
            scope->threads_ = t->next;
        ilock_give(lock);
        if (t == NULL)
            break;
        if (pthread_equal(t->id, pthread_self())) {
            add(scope, t);
            if (aglet_checked)
                misuse_report("deadlock", scope, true, CALLER(),
                              "a thread ends the scope that it was spawned in");
            return -EDEADLK;
        }
        atomic_store_explicit(&t->serial, 0, memory_order_relaxed);
        join(t, NULL, "aglet_scope_end", CALLER());
    }
    scope->open_ = false;
    return scope->error_;
}

void aglet_affine_check(aglet_affine *affine) {
    if (!aglet_checked)
        return;
    _Atomic uint64_t *owner = (_Atomic uint64_t *)&affine->owner_;
    uint64_t me = check_thread_serial(), seen = 0;
    if (!atomic_compare_exchange_strong_explicit(owner, &seen, me, memory_order_relaxed,
                                                 memory_order_relaxed) &&
        seen != me)
        misuse_report("affinity", affine, false, CALLER(),
                      "an object that belongs to one thread is used by another");
}

void aglet_affine_release(aglet_affine *affine) {
    if (aglet_checked)
        atomic_store_explicit((_Atomic uint64_t *)&affine->owner_, 0, memory_order_relaxed);
}
