/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Scoped threads borrow a local array: the scope joins them all before the array's life ends. Stands on aglet.h.
 *
 * Run    release exits 0
 * Run    checked exits 0
 * Prints  the sum is 499500 */
#include <aglet/aglet.h>
#include <stdio.h>

struct part {
    const int *numbers;
    int count;
    long sum;
};

AGLET_THREAD_FUNCTION(add_up, struct part)
static void *add_up(struct part *p) {
    for (int i = 0; i < p->count; i++)
        p->sum += p->numbers[i];
    return NULL;
}

int main(void) {
    enum { PARTS = 4, EACH = 250 };
    int numbers[PARTS * EACH];
    struct part parts[PARTS];
    for (int i = 0; i < PARTS * EACH; i++)
        numbers[i] = i;
    AGLET_SCOPE(scope) {
        for (int i = 0; i < PARTS; i++) {
            parts[i] = (struct part){numbers + i * EACH, EACH, 0};
            AGLET_SCOPE_SPAWN(&scope, add_up, &parts[i]);
        }
    }
    long sum = 0;
    for (int i = 0; i < PARTS; i++)
        sum += parts[i].sum;
    printf("the sum is %ld\n", sum);
    return sum == 499500 ? 0 : 1;
}
