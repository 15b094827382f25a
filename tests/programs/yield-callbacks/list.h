/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A list that calls back for each element, with its lock held. */
#include <aglet/mutex.h>
#include <aglet/task.h>

struct element {
    struct element *next;
    int value;
};
struct list {
    aglet_mutex mu;
    struct element *first AGLET_GUARDED_BY(mu);
};
typedef int visitor(struct element *e, void *arg);
int list_each(struct list *l, visitor *visit, void *arg);
int list_each_copy(struct list *l, visitor *visit, void *arg);
