/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The "async trait" in C: an object of function pointers that may wait. AGLET_YIELDS on a member tells the
 * analyzer, so that a lock held around a call through it is found. Stands on aglet/executor.h.
 *
 * Prints  10 10, asked 4 times */
#include <aglet/executor.h>
#include <stdio.h>

struct store {
    int (*get)(struct store *self, int key) AGLET_YIELDS;
};

struct memory_store {
    struct store ops;
    int values[4];
};

struct remote_store {
    struct store ops;
    struct store *behind;
    int asked;
};

static int get_from_memory(struct store *self, int key) {
    return ((struct memory_store *)self)->values[key & 3];
}

static int get_from_afar(struct store *self, int key) {
    struct remote_store *r = (struct remote_store *)self;
    if (aglet_sleep_ms(2))
        return -1;
    r->asked++;
    return r->behind->get(r->behind, key);
}

static int sum(struct store *s) {
    int total = 0;
    for (int key = 0; key < 4; key++)
        total += s->get(s, key);
    return total;
}

AGLET_MAIN(argc, argv) {
    struct memory_store near_by = {{get_from_memory}, {1, 2, 3, 4}};
    struct remote_store far_away = {{get_from_afar}, &near_by.ops, 0};
    int a = sum(&near_by.ops), b = sum(&far_away.ops);
    printf("%d %d, asked %d times\n", a, b, far_away.asked);
    return a == 10 && b == 10 && far_away.asked == 4 ? 0 : 1;
}
