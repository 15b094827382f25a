/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* lock-across-yield: the matrix of ways to hold a lock and ways to yield, each wrong and right.
 *
 * Held by: guard variable; raw lock and unlock; guard in a struct, in a heap object, returned by a helper; trylock; async mutex;
 * the read side of a read-write lock. Yield: two calls down; through a function pointer, an ops table, a callback argument; behind
 * recursion; in a loop after the guard's scope; on one branch; in a function that promises not to. In another file:
 * tests/programs/yield-elsewhere. */
#include <aglet/async_mutex.h>
#include <aglet/guard.h>
#include <aglet/mutex.h>
#include <aglet/rwlock.h>
#include <aglet/stackless.h>
#include <aglet/task.h>
#include <pthread.h>
#include <stdlib.h>

static aglet_mutex mu = AGLET_MUTEX_INIT;
static aglet_rwlock rw = AGLET_RWLOCK_INIT;
static int n;

/* A guard variable. */
void guard_held(void);
void guard_held(void) {
    AGLET_GUARD(&mu);
    n++;
    aglet_sleep_ms(1); // expected-warning {{[aglet-lock-across-yield]}}
}
void guard_ended(void);
void guard_ended(void) {
    {
        AGLET_GUARD(&mu);
        n++;
    }
    aglet_sleep_ms(1); // no diagnostic: the guard's scope has ended
}

/* Raw lock and unlock, of both families. */
void raw(void);
void raw(void) {
    aglet_mutex_lock(&mu);
    aglet_yield(); // expected-warning {{'mu' is held across 'aglet_yield', which may suspend the task [aglet-lock-across-yield]}}
    aglet_mutex_unlock(&mu);
    aglet_yield(); // no diagnostic: released before
}
static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
void raw_pthread(void);
void raw_pthread(void) {
    pthread_mutex_lock(&plain);
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    pthread_mutex_unlock(&plain);
}

/* Two calls down. */
static void leaf(void) {
    aglet_sleep_ms(1);
}
static void middle(int deep) {
    if (deep)
        leaf();
}
void two_down(void);
void two_down(void) {
    aglet_mutex_lock(&mu);
    middle(n); // expected-warning {{[aglet-lock-across-yield]}}
    aglet_mutex_unlock(&mu);
    middle(1); // no diagnostic: released
}

/* Through a function pointer, an ops table, a callback argument. */
static void (*hook)(void) = leaf;
void through_pointer(void);
void through_pointer(void) {
    aglet_mutex_lock(&mu);
    hook(); // expected-warning {{[aglet-lock-across-yield]}}
    aglet_mutex_unlock(&mu);
}
struct ops {
    void (*wait)(void);
    void (*count)(void);
};
static void count(void) {
    n++;
}
static const struct ops ops = {leaf, count};
void through_table(void);
void through_table(void) {
    aglet_mutex_lock(&mu);
    ops.count(); // no diagnostic: this one does not yield
    ops.wait();  // expected-warning {{[aglet-lock-across-yield]}}
    aglet_mutex_unlock(&mu);
}
static void each(void (*visit)(void)) {
    aglet_mutex_lock(&mu);
    visit(); // expected-warning {{[aglet-lock-across-yield]}}
    aglet_mutex_unlock(&mu);
}
void through_callback(void);
void through_callback(void) {
    each(leaf);
}

/* Unlocked on one branch only. */
void one_branch(int early);
void one_branch(int early) {
    aglet_mutex_lock(&mu);
    if (early)
        aglet_mutex_unlock(&mu);
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    if (!early)
        aglet_mutex_unlock(&mu);
}
void both_branches(int early);
void both_branches(int early) {
    aglet_mutex_lock(&mu);
    if (early) {
        aglet_mutex_unlock(&mu);
    } else {
        n++;
        aglet_mutex_unlock(&mu);
    }
    aglet_yield(); // no diagnostic: released on both branches
}

/* trylock. */
void tried(void);
void tried(void) {
    if (aglet_mutex_try_lock(&mu)) {
        aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
        aglet_mutex_unlock(&mu);
    } else {
        aglet_yield(); // no diagnostic: not got
    }
}

/* An async mutex may be held. */
static aglet_async_mutex am;
void async(void);
void async(void) {
    if (aglet_async_mutex_lock(&am) != 0)
        return;
    aglet_yield(); // no diagnostic: it parks tasks, not threads
    aglet_async_mutex_unlock(&am);
}

/* Nor one that only its type tells: by a pointer from outside. */
void async_by_pointer(aglet_async_mutex *mu);
void async_by_pointer(aglet_async_mutex *mu) {
    if (aglet_async_mutex_lock(mu) != 0)
        return;
    (void)aglet_yield();
    aglet_async_mutex_unlock(mu);
}

/* The read side of a read-write lock. */
void reading(void);
void reading(void) {
    aglet_rwlock_read(&rw);
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    aglet_rwlock_read_unlock(&rw);
    aglet_yield(); // no diagnostic: released
}

/* Recursion: the yield is behind a cycle of calls. */
static void odd(int k);
static void even(int k) {
    if (k)
        odd(k - 1);
    else
        aglet_yield();
}
static void odd(int k) {
    if (k)
        even(k - 1);
}
void recursive(void);
void recursive(void) {
    aglet_mutex_lock(&mu);
    even(4); // expected-warning {{[aglet-lock-across-yield]}}
    aglet_mutex_unlock(&mu);
    even(4); // no diagnostic: released
}

/* In a loop: after the guard's scope, and within. */
void loop_after(void);
void loop_after(void) {
    for (int i = 0; i < 3; i++) {
        {
            AGLET_GUARD(&mu);
            n++;
        }
        aglet_yield(); // no diagnostic: the guard ends before, in every turn
    }
}
void loop_within(void);
void loop_within(void) {
    AGLET_GUARD(&mu);
    for (int i = 0; i < 3; i++)
        aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
}

/* A guard in a struct, in a heap object, and a helper that returns locked. */
struct session {
    aglet_mutex mu;
    int n;
};
static void session_enter(struct session *s) {
    aglet_mutex_lock(&s->mu);
}
static void session_leave(struct session *s) {
    aglet_mutex_unlock(&s->mu);
}
void in_object(struct session *s);
void in_object(struct session *s) {
    session_enter(s);
    s->n++;
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    session_leave(s);
    aglet_yield(); // no diagnostic: the helper released it
}
struct holder {
    aglet_mutex *held;
};
static void holder_take(struct holder *h, aglet_mutex *m) {
    aglet_mutex_lock(m);
    h->held = m;
}
static void holder_drop(struct holder *h) {
    aglet_mutex_unlock(h->held);
}
void guard_in_struct(void);
void guard_in_struct(void) {
    struct holder h;
    holder_take(&h, &mu);
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    holder_drop(&h);
}
void guard_in_heap(void);
void guard_in_heap(void) {
    struct holder *h = malloc(sizeof *h);
    if (!h)
        return;
    holder_take(h, &mu);
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    holder_drop(h);
    free(h);
}
static struct session *session_locked(struct session *s) {
    aglet_mutex_lock(&s->mu);
    return s;
}
void returned_locked(struct session *all);
void returned_locked(struct session *all) {
    struct session *s = session_locked(all);
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    session_leave(s);
}

/* A function that promises not to yield, and does three calls down. */
static void lowest(void) {
    aglet_yield();
}
static void lower(void) {
    lowest();
}
static void low(void) {
    lower();
}
void promised(void) AGLET_NO_YIELD;
void promised(void) {
    low(); // expected-warning {{'promised' promises not to yield, and calls 'low' [aglet-contract]}}
}
void relies_on_it(void);
void relies_on_it(void) {
    aglet_mutex_lock(&mu);
    promised(); // no diagnostic: the broken promise is reported where it is broken
    aglet_mutex_unlock(&mu);
}

/* A stackless task returns at its await, whatever it holds: one finding, not the leak and the odd unlock besides. */
struct stackless {
    AGLET_FRAME_HEADER;
    int error;
};
AGLET_STACKLESS(stackless, struct stackless) {
    AGLET_BEGIN(f);
    aglet_mutex_lock(&mu);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // expected-warning {{'mu' is held across 'aglet_yield_poll', which may suspend the task [aglet-lock-across-yield]}}
    aglet_mutex_unlock(&mu);
    AGLET_END(f);
}
AGLET_STACKLESS(stackless_mended, struct stackless) {
    AGLET_BEGIN(f);
    aglet_mutex_lock(&mu);
    n++;
    aglet_mutex_unlock(&mu);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // no diagnostic: released before
    AGLET_END(f);
}
void start_stackless(void);
void start_stackless(void) {
    struct stackless f = {.error = 0};
    if (stackless_spawn(NULL, f) || stackless_mended_spawn(NULL, f))
        return;
}

/* The guards of the runtime by value: in a variable, in a struct that helpers fill and empty, on the heap, returned by a helper. */
void guard_value(void);
void guard_value(void) {
    aglet_guard g = aglet_guard_lock(&mu);
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    aglet_guard_release(&g);
    aglet_yield(); // no diagnostic: the guard was released
}
struct transaction {
    int step;
    aglet_guard guard;
};
static void transaction_begin(struct transaction *t) {
    t->guard = aglet_guard_lock(&mu);
}
static void transaction_end(struct transaction *t) {
    aglet_guard_release(&t->guard);
}
void guard_value_in_struct(void);
void guard_value_in_struct(void) {
    struct transaction t = {0};
    transaction_begin(&t);
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    transaction_end(&t);
    aglet_yield(); // no diagnostic: the helper released it
}
void guard_value_in_heap(void);
void guard_value_in_heap(void) {
    struct transaction *t = malloc(sizeof *t);
    if (!t)
        return;
    transaction_begin(t);
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    transaction_end(t);
    aglet_yield(); // no diagnostic: the helper released it
    free(t);
}
static aglet_guard guard_enter(aglet_mutex *m) {
    return aglet_guard_lock(m);
}
void guard_value_returned(aglet_mutex *m);
void guard_value_returned(aglet_mutex *m) {
    aglet_guard g = guard_enter(m);
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    aglet_guard_release(&g);
    aglet_yield(); // no diagnostic: the guard was released
}
static aglet_read_guard read_enter(void) {
    aglet_read_guard g = aglet_guard_read(&rw);
    return g;
}
void read_guard_returned(void);
void read_guard_returned(void) {
    aglet_read_guard g = read_enter();
    aglet_yield(); // expected-warning {{[aglet-lock-across-yield]}}
    aglet_read_guard_release(&g);
    aglet_yield(); // no diagnostic: the guard was released
}

/* Callbacks of which one waits: handed on as an argument, twice over, in a struct; and a pointer that is known on this way. */
static void apply(void (*visit)(void)) {
    visit();
}
static void apply_twice(void (*visit)(void)) {
    apply(visit);
    if (n)
        apply(visit);
}
void through_argument(void);
void through_argument(void) {
    aglet_mutex_lock(&mu);
    apply(count);       // no diagnostic: this one does not wait
    apply_twice(count); // no diagnostic: nor further down
    apply(leaf);        // expected-warning {{'mu' is held across 'apply', which may suspend the task [aglet-lock-across-yield]}}
    apply_twice(leaf);  // expected-warning {{'mu' is held across 'apply_twice', which may suspend the task [aglet-lock-across-yield]}}
    aglet_mutex_unlock(&mu);
    apply_twice(leaf); // no diagnostic: released
}
static void waits_by_callback(void) {
    apply_twice(leaf);
}
static void counts_by_callback(void) {
    apply_twice(count);
}
void through_wrapped_argument(void);
void through_wrapped_argument(void) {
    aglet_mutex_lock(&mu);
    counts_by_callback(); // no diagnostic: the callback there does not wait
    waits_by_callback();  // expected-warning {{'mu' is held across 'waits_by_callback', which may suspend the task [aglet-lock-across-yield]}}
    aglet_mutex_unlock(&mu);
}
struct job {
    void (*run)(void);
    int times;
};
static void job_run(const struct job *j) {
    for (int i = 0; i < j->times; i++)
        j->run();
}
void through_struct(void);
void through_struct(void) {
    const struct job waits = {leaf, 2}, counts = {count, 2};
    aglet_mutex_lock(&mu);
    job_run(&counts); // no diagnostic: this one does not wait
    counts.run();     // no diagnostic: the pointer is known
    job_run(&waits);  // expected-warning {{'mu' is held across 'job_run', which may suspend the task [aglet-lock-across-yield]}}
    aglet_mutex_unlock(&mu);
}
void promises_by_callback(void) AGLET_NO_YIELD;
void promises_by_callback(void) {
    apply_twice(count); // no diagnostic: this one does not wait
    apply(leaf);        // expected-warning {{'promises_by_callback' promises not to yield, and calls 'leaf' [aglet-contract]}}
}

/* The twins of the matrix that are right. */
void raw_pthread_right(void);
void raw_pthread_right(void) {
    pthread_mutex_lock(&plain);
    pthread_mutex_unlock(&plain);
    aglet_yield(); // no diagnostic: released before
}
void through_pointer_right(void);
void through_pointer_right(void) {
    aglet_mutex_lock(&mu);
    aglet_mutex_unlock(&mu);
    hook(); // no diagnostic: released before
}
void guard_in_struct_right(void);
void guard_in_struct_right(void) {
    struct holder h;
    holder_take(&h, &mu);
    holder_drop(&h);
    aglet_yield(); // no diagnostic: the helper released it
}
void promised_right(void) AGLET_NO_YIELD;
void promised_right(void) {
    count();
    aglet_mutex_lock(&mu); // no diagnostic: taking a lock is no yield
    aglet_mutex_unlock(&mu);
}
