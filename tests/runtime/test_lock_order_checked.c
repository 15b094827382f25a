/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The lock-order finding against an oracle: random nests of locks are run one after the other, each in its
 * own thread, and what the checker says is compared with a search through every interleaving of three copies
 * of each nest. Prints its seed; AGLET_SEED repeats a run. Stands on cmocka, misuse_catcher.h. */
#include "cmocka_main.h"
#include "misuse_catcher.h"

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

static void *run_nest(void *argument) {
    const struct nest *n = argument;
    for (int i = 0; i < n->count; i++)
        if (n->step[i] > 0)
            aglet_mutex_lock(&locks[n->step[i] - 1]);
        else
            aglet_mutex_unlock(&locks[-n->step[i] - 1]);
    return NULL;
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

static void the_checker_says_what_a_search_of_all_interleavings_says(void **state) {
    (void)state;
    const char *given = getenv("AGLET_SEED");
    seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("AGLET_SEED=%u\n", seed);
    int deadlocks = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        struct nest nests[NESTS];
        for (int i = 0; i < LOCKS; i++)
            aglet_mutex_init(&locks[i]);
        start_catching();
        for (int k = 0; k < NESTS; k++) {
            nests[k] = random_nest();
            aglet_thread t;
            assert_int_equal(aglet_thread_spawn(&t, run_nest, &nests[k]), 0);
            aglet_thread_join(&t, NULL);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checker_says_what_a_search_of_all_interleavings_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
