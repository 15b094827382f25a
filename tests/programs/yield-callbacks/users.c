/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One visitor that waits, one that does not. */
#include "list.h"

static int sum_up(struct element *e, void *arg) {
    *(int *)arg += e->value;
    return 1;
}
static int send_slowly(struct element *e, void *arg) {
    (void)arg;
    return aglet_sleep_ms(e->value) == 0;
}
int sum(struct list *l);
int sum(struct list *l) {
    int n = 0;
    list_each(l, sum_up, &n);
    return n;
}
int send_all(struct list *l);
int send_all(struct list *l) {
    return list_each(l, send_slowly, NULL);
}
int send_all_mended(struct list *l);
int send_all_mended(struct list *l) {
    return list_each_copy(l, send_slowly, NULL);
}
