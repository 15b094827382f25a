/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The graph that knows when a new arc closes a circle, against a search through all of it: random arcs come
 * and go. Prints its seed; AGLET_SEED repeats a run. Stands on cmocka and the source itself, which the release
 * library does not hold. */
#include "cmocka_main.h"

#include "checked/ranks.c"

#include <stdlib.h>
#include <time.h>

enum { NODES = 40, ARCS = 120, STEPS = 20000 };

static struct rank_graph graph;
static struct rank_node nodes[NODES];
static struct rank_arc arcs[ARCS];
static bool linked[ARCS];

static bool reaches(const struct rank_node *from, const struct rank_node *goal, bool *seen) {
    if (from == goal)
        return true;
    if (seen[from - nodes])
        return false;
    seen[from - nodes] = true;
    for (const struct rank_arc *a = from->out; a != NULL; a = a->next_out)
        if (reaches(a->to, goal, seen))
            return true;
    return false;
}

static void a_circle_is_known_when_it_closes(void **state) {
    (void)state;
    const char *given = getenv("AGLET_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("AGLET_SEED=%u\n", seed);
    int circles = 0, with_none_against = 0;
    for (int step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)rand_r(&seed) % ARCS;
        if (linked[i]) {
            rank_unlink(&graph, &arcs[i]);
            linked[i] = false;
            continue;
        }
        unsigned a = (unsigned)rand_r(&seed) % NODES, b = (unsigned)rand_r(&seed) % NODES;
        if (a == b ||
            (a > b && rand_r(&seed) % 16 != 0)) /* mostly one way, so that some graphs have no circle */
            continue;
        arcs[i] = (struct rank_arc){.from = &nodes[a], .to = &nodes[b]};
        bool seen[NODES] = {false}, expected = reaches(&nodes[b], &nodes[a], seen);
        with_none_against += graph.against == 0;
        assert_int_equal(rank_link(&graph, &arcs[i]), expected);
        linked[i] = true;
        circles += expected;
        for (unsigned k = 0; k < ARCS; k++)
            assert_true(!linked[k] || arcs[k].against || arcs[k].from->rank < arcs[k].to->rank);
    }
    print_message("%d circles; %d arcs came with none against the ranks\n", circles, with_none_against);
    assert_true(circles > 50 && with_none_against > 100);
}

static void the_way_back_is_the_shortest(void **state) {
    (void)state;
    static struct rank_graph g;
    static struct rank_node n[10];
    static struct rank_arc ring[10], across;
    for (int i = 0; i < 9; i++) {
        ring[i] = (struct rank_arc){.from = &n[i], .to = &n[i + 1]};
        assert_false(rank_link(&g, &ring[i]));
    }
    across = (struct rank_arc){.from = &n[2], .to = &n[7]};
    assert_false(rank_link(&g, &across));
    ring[9] = (struct rank_arc){.from = &n[9], .to = &n[0]};
    assert_true(rank_link(&g, &ring[9]));
    assert_true(rank_way_back(&g, &ring[9], NULL));
    unsigned length = 1;
    for (struct rank_arc *a = n[9].came_by; a != &ring[9]; a = a->from->came_by)
        length++;
    assert_int_equal(length, 6);
}

static void arcs_between_two_nodes_are_found(void **state) {
    (void)state;
    static struct rank_graph g;
    static struct rank_node n[3];
    static struct rank_arc a[3];
    assert_null(rank_between(&g, &n[0], &n[1], NULL));
    a[0] = (struct rank_arc){.from = &n[0], .to = &n[1]};
    a[1] = (struct rank_arc){.from = &n[0], .to = &n[1]};
    a[2] = (struct rank_arc){.from = &n[1], .to = &n[2]};
    for (int i = 0; i < 3; i++)
        rank_link(&g, &a[i]);
    struct rank_arc *first = rank_between(&g, &n[0], &n[1], NULL),
                    *second = rank_between(&g, &n[0], &n[1], first);
    assert_true(first != NULL && second != NULL && first != second);
    assert_null(rank_between(&g, &n[0], &n[1], second));
    assert_null(rank_between(&g, &n[1], &n[0], NULL));
    rank_unlink(&g, first);
    assert_ptr_equal(rank_between(&g, &n[0], &n[1], NULL), second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_circle_is_known_when_it_closes),
        cmocka_unit_test(the_way_back_is_the_shortest),
        cmocka_unit_test(arcs_between_two_nodes_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
