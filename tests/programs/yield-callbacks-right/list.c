/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The list: what it calls back runs under the lock in one function, and without it in the other. */
#include "list.h"

int list_each(struct list *l, visitor *visit, void *arg) {
    int n = 0;
    aglet_mutex_lock(&l->mu);
    for (struct element *e = l->first; e; e = e->next)
        n += visit(e, arg); // no diagnostic: the one visitor that waits is never given to this function
    aglet_mutex_unlock(&l->mu);
    return n;
}
int list_each_copy(struct list *l, visitor *visit, void *arg) {
    struct element copies[8];
    int n = 0, sum = 0;
    aglet_mutex_lock(&l->mu);
    for (struct element *e = l->first; e && n < 8; e = e->next)
        copies[n++] = *e;
    aglet_mutex_unlock(&l->mu);
    for (int i = 0; i < n; i++)
        sum += visit(&copies[i], arg); // no diagnostic: released before
    return sum;
}
