/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The lock-order finding against an oracle: random nests of locks are run one after the other, each in its
 * own thread or task, and what the checker says is compared with a search through every interleaving of three copies
 * of each nest. Thread locks, async locks, and nests of both. Prints its seed; AGLET_SEED repeats a run. And what is
 * particular about async locks, which have no init and no owner. Stands on cmocka, misuse_catcher.h. */
#include "cmocka_main.h"
#include "misuse_catcher.h"

#include "aglet/async_mutex.h"
#include "aglet/async_rwlock.h"
#include "aglet/executor.h"
#include "aglet/mutex.h"
#include "aglet/thread.h"

#include <stdlib.h>
#include <time.h>

enum { LOCKS = 3, NESTS = 2, COPIES = 3, STEPS = 6, ACTORS = NESTS * COPIES, TRIALS = 400 };

/* Steps: +1+i takes lock i, -1-i gives it. All locks are given at the end. */
struct nest {
    int step[STEPS], count;
};

static aglet_mutex locks[LOCKS];
static aglet_async_mutex async_locks[LOCKS];
static unsigned async_of; /* bit i: lock i is an async one */
static unsigned seed;

static struct nest random_nest(void) {
    struct nest n = {.count = 0};
    bool held[LOCKS] = {false};
    int depth = 0;
    while (n.count + depth < STEPS) {
        int i = rand_r(&seed) % LOCKS;
        if (!held[i] && n.count + depth + 2 > STEPS)
            break;
        n.step[n.count++] = held[i] ? -1 - i : 1 + i;
        depth += held[i] ? -1 : 1;
        held[i] = !held[i];
    }
    for (int i = 0; i < LOCKS; i++)
        if (held[i])
            n.step[n.count++] = -1 - i;
    return n;
}

static void take(int i) {
    if (!(async_of & 1u << i))
        aglet_mutex_lock(&locks[i]);
    else if (aglet_async_mutex_lock(&async_locks[i]))
        abort();
}

static void give(int i) {
    if (async_of & 1u << i)
        aglet_async_mutex_unlock(&async_locks[i]);
    else
        aglet_mutex_unlock(&locks[i]);
}

static void *run_nest(void *argument) {
    const struct nest *n = argument;
    for (int i = 0; i < n->count; i++)
        if (n->step[i] > 0)
            take(n->step[i] - 1);
        else
            give(-n->step[i] - 1);
    return NULL;
}

static const struct aglet_executor_options current = {.current_thread = true};

static void run_one(struct nest *n, bool task) {
    aglet_thread t;
    if (task) {
        assert_int_equal(aglet_run(&current, run_nest, n, NULL), 0);
    } else {
        assert_int_equal(aglet_thread_spawn(&t, run_nest, n), 0);
        aglet_thread_join(&t, NULL);
    }
}

/* States are the actors' positions, in base STEPS+1. */
static unsigned char seen[117649 / 8 + 1]; /* (STEPS+1)^ACTORS bits */
static int stack[117649];

static bool can_deadlock(const struct nest *nests) {
    int power[ACTORS + 1] = {1};
    for (int a = 0; a < ACTORS; a++)
        power[a + 1] = power[a] * (STEPS + 1);
    memset(seen, 0, sizeof seen);
    int depth = 0;
    stack[depth++] = 0;
    seen[0] = 1;
    while (depth > 0) {
        int state = stack[--depth], position[ACTORS];
        bool taken[LOCKS] = {false}, moved = false, ended = true;
        for (int a = 0; a < ACTORS; a++) {
            position[a] = state / power[a] % (STEPS + 1);
            const struct nest *n = &nests[a / COPIES];
            bool mine[LOCKS] = {false};
            for (int i = 0; i < position[a]; i++)
                mine[abs(n->step[i]) - 1] = n->step[i] > 0;
            for (int i = 0; i < LOCKS; i++)
                taken[i] |= mine[i];
            ended &= position[a] == n->count;
        }
        for (int a = 0; a < ACTORS; a++) {
            const struct nest *n = &nests[a / COPIES];
            if (position[a] == n->count || (n->step[position[a]] > 0 && taken[n->step[position[a]] - 1]))
                continue;
            moved = true;
            int next = state + power[a];
            if (!(seen[next / 8] & 1 << next % 8)) {
                seen[next / 8] |= (unsigned char)(1 << next % 8);
                stack[depth++] = next;
            }
        }
        /* Some are stuck although others could still end: run on; a state in which nobody moves decides. */
        if (!moved && !ended)
            return true;
    }
    return false;
}

static void print_nests(const struct nest *nests) {
    for (int k = 0; k < NESTS; k++) {
        for (int i = 0; i < nests[k].count; i++)
            print_message("%s%c ", nests[k].step[i] > 0 ? "" : "-", 'A' + abs(nests[k].step[i]) - 1);
        print_message("\n");
    }
}

static void say_the_same(unsigned which_async, bool tasks) {
    const char *given = getenv("AGLET_SEED");
    seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("AGLET_SEED=%u\n", seed);
    async_of = which_async;
    int deadlocks = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        struct nest nests[NESTS];
        for (int i = 0; i < LOCKS; i++) {
            aglet_mutex_init(&locks[i]);
            async_locks[i] = (aglet_async_mutex){0};
        }
        start_catching();
        for (int k = 0; k < NESTS; k++) {
            nests[k] = random_nest();
            run_one(&nests[k], tasks);
        }
        bool can = can_deadlock(nests), said = caught.count != 0;
        deadlocks += can;
        if (can != said) {
            print_nests(nests);
            print_message("%s\n", caught.text);
            fail_msg("trial %d: the search says %s, the checker %s", trial, can ? "deadlock" : "none",
                     said ? "deadlock" : "none");
        }
    }
    print_message("%d of %d programs could deadlock\n", deadlocks, TRIALS);
    assert_true(deadlocks > TRIALS / 20 && deadlocks < TRIALS);
    aglet_on_misuse(NULL, NULL);
}

static void the_checker_says_what_a_search_of_all_interleavings_says(void **state) {
    (void)state;
    say_the_same(0, false);
}

static void so_it_does_of_async_locks_of_tasks(void **state) {
    (void)state;
    say_the_same(7, true);
}

static void so_it_does_of_async_locks_of_threads(void **state) {
    (void)state;
    say_the_same(7, false);
}

static void so_it_does_of_both_kinds(void **state) {
    (void)state;
    for (unsigned both = 1; both < 7; both++)
        say_the_same(both, false);
}

/* Tasks that run `steps`, with two async mutexes of this frame: a new life for the same memory each time. */
static void *in_this_order(void *order) {
    aglet_async_mutex mu[2] = {{0}, {0}};
    int first = *(int *)order;
    if (aglet_async_mutex_lock(&mu[first]) || aglet_async_mutex_lock(&mu[!first]))
        abort();
    aglet_async_mutex_unlock(&mu[first]);
    aglet_async_mutex_unlock(&mu[!first]);
    return NULL;
}

static void memory_used_for_other_async_locks_has_no_order(void **state) {
    (void)state;
    start_catching();
    for (int i = 0; i < 20; i++) {
        int order = i % 2;
        assert_int_equal(aglet_run(&current, in_this_order, &order, NULL), 0);
    }
    assert_int_equal(caught.count, 0);
    aglet_on_misuse(NULL, NULL);
}

static aglet_async_mutex a, b;
static aglet_async_rwlock table, index_;

static void *a_then_b(void *arg) {
    if (aglet_async_mutex_lock(&a) || aglet_async_mutex_lock(&b))
        abort();
    aglet_async_mutex_unlock(&b);
    aglet_async_mutex_unlock(&a);
    return arg;
}
static void *b_then_a(void *arg) {
    if (aglet_async_mutex_lock(&b) || aglet_async_mutex_lock(&a))
        abort();
    aglet_async_mutex_unlock(&a);
    aglet_async_mutex_unlock(&b);
    return arg;
}
static void *b_then_try_a(void *arg) {
    if (aglet_async_mutex_lock(&b) || !aglet_async_mutex_try_lock(&a))
        abort();
    aglet_async_mutex_unlock(&a);
    aglet_async_mutex_unlock(&b);
    return arg;
}
static void *read_both(void *arg) {
    aglet_async_rwlock *one = arg ? &table : &index_, *two = arg ? &index_ : &table;
    if (aglet_async_rwlock_read(one, AGLET_FOREVER) || aglet_async_rwlock_read(two, AGLET_FOREVER))
        abort();
    aglet_async_rwlock_unlock(one);
    aglet_async_rwlock_unlock(two);
    return NULL;
}
static void *take_a(void *arg) {
    if (aglet_async_mutex_lock(&a))
        abort();
    return arg;
}
static void *read_table(void *arg) {
    if (aglet_async_rwlock_read(&table, AGLET_FOREVER))
        abort();
    return arg;
}
/* Gives what another task took; its own locks are its own. */
static void *give_for_others(void *arg) {
    if (aglet_async_mutex_lock(&b))
        abort();
    aglet_async_mutex_unlock(&a);
    aglet_async_rwlock_unlock(&table);
    aglet_async_mutex_unlock(&b);
    return arg;
}
static void *take_and_let_others_give(void *arg) {
    aglet_task *task[2];
    take_a(NULL);
    read_table(NULL);
    if (aglet_spawn(&task[0], give_for_others, NULL) || aglet_join(task[0], NULL))
        abort();
    return b_then_a(arg); /* a is no longer held: no order from it */
}
/* The first is under way while the second runs. */
static void *at_one_time(void *arg) {
    aglet_task *task[2];
    if (aglet_spawn(&task[0], a_then_b, NULL) || aglet_spawn(&task[1], b_then_a, NULL))
        abort();
    (void)aglet_join_all(task, NULL, 2);
    return arg;
}
static void *b_then_a_while_it_waits(void *arg) {
    aglet_task *task;
    a_then_b(NULL);
    if (aglet_spawn(&task, b_then_a, NULL) || aglet_join(task, NULL))
        abort();
    return arg;
}

static void run_task(aglet_task_fn *entry, void *arg) {
    assert_int_equal(aglet_run(&current, entry, arg, NULL), 0);
}

static void fresh(void) {
    a = b = (aglet_async_mutex){0};
    table = index_ = (aglet_async_rwlock){0};
    start_catching();
}

static void an_inversion_of_async_locks_is_told_once(void **state) {
    (void)state;
    fresh();
    for (int i = 0; i < 50; i++) {
        run_task(a_then_b, NULL);
        run_task(b_then_a, NULL);
    }
    assert_int_equal(caught.count, 1);
    assert_string_equal(caught.rule, "lock-order");
    assert_non_null(strstr(caught.text, "potential"));
    assert_non_null(strstr(caught.text, "note: task "));
    fresh();
    run_task(at_one_time, NULL);
    assert_int_equal(caught.count, 1);
    fresh();
    run_task(b_then_a_while_it_waits, NULL);
    assert_int_equal(caught.count, 1);
    assert_null(strstr(caught.text, "potential"));
    aglet_on_misuse(NULL, NULL);
}

static void tries_and_readers_among_themselves_are_none(void **state) {
    (void)state;
    fresh();
    run_task(a_then_b, NULL);
    run_task(b_then_try_a, NULL);
    run_task(read_both, NULL);
    run_task(read_both, &a);
    assert_int_equal(caught.count, 0);
    aglet_on_misuse(NULL, NULL);
}

static void what_another_task_gives_is_held_no_more(void **state) {
    (void)state;
    fresh();
    run_task(take_and_let_others_give, NULL);
    run_task(take_a, NULL);
    run_task(read_table, NULL); /* both tasks have ended */
    run_task(give_for_others, NULL);
    assert_int_equal(caught.count, 0); /* it had b alone, and then b and a */
    fresh();
    run_task(take_a, NULL);
    run_task(read_table, NULL);
    run_task(give_for_others, NULL);
    run_task(b_then_a, NULL);
    assert_int_equal(caught.count, 0);
    aglet_on_misuse(NULL, NULL);
}

enum { MANY = 40 };
static aglet_async_mutex many[MANY];

static void *take_many(void *backwards) {
    for (int i = 0; i < MANY; i++)
        if (aglet_async_mutex_lock(&many[backwards ? MANY - 1 - i : i]))
            abort();
    for (int i = 0; i < MANY; i++)
        aglet_async_mutex_unlock(&many[(i * 7 + 3) % MANY]);
    return NULL;
}

static void forty_async_locks_are_held_by_one_task(void **state) {
    (void)state;
    start_catching();
    run_task(take_many, NULL);
    run_task(take_many, NULL);
    assert_int_equal(caught.count, 0);
    run_task(take_many, many);
    assert_true(caught.count > 0);
    aglet_on_misuse(NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checker_says_what_a_search_of_all_interleavings_says),
        cmocka_unit_test(so_it_does_of_async_locks_of_tasks),
        cmocka_unit_test(so_it_does_of_async_locks_of_threads),
        cmocka_unit_test(so_it_does_of_both_kinds),
        cmocka_unit_test(memory_used_for_other_async_locks_has_no_order),
        cmocka_unit_test(an_inversion_of_async_locks_is_told_once),
        cmocka_unit_test(tries_and_readers_among_themselves_are_none),
        cmocka_unit_test(what_another_task_gives_is_held_no_more),
        cmocka_unit_test(forty_async_locks_are_held_by_one_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
