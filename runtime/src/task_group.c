/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Groups of tasks, and task-local storage. Stands on task_sleep.h.
 *
 * A group is a count under a short lock, not a list: members to abort are found by walking all tasks, which
 * only an abort pays for. */
#include "task_group.h"
#include "check.h"
#include "task_sleep.h"
#include "task_start.h"

#include <stdlib.h>

struct group {
    struct slock lock;
    uint32_t aborted; /* under lock, with the fields below */
    uint64_t members;
    struct sleeper *joiner; /* who waits for members to become 0 */
};
_Static_assert(sizeof(struct group) <= sizeof(aglet_group), "a group fits its public storage");

static struct group *inside(aglet_group *g) {
    return (struct group *)(void *)g->private_;
}

int aglet_group_spawn(aglet_group *group, aglet_task_fn *entry, void *arg) {
    struct group *g = inside(group);
    slock_lock(&g->lock);
    bool aborted = g->aborted;
    if (!aborted)
        g->members++;
    slock_unlock(&g->lock);
    if (aborted)
        return -ECANCELED;
    int error =
        task_start(NULL, &(struct task_plan){.entry = entry, .arg = arg, .group = group, .detached = true});
    if (error)
        group_member_ended(group, NULL);
    return error;
}

void group_member_ended(struct aglet_group *group, struct aglet_task *t) {
    struct group *g = inside(group);
    struct wake wake = {0};
    slock_lock(&g->lock);
    if (t)
        atomic_store_explicit(&t->join, JOIN_DETACHED, memory_order_relaxed);
    if (--g->members == 0 && g->joiner) {
        wake = sleeper_fire(g->joiner);
        g->joiner = NULL;
    }
    /* The joiner takes the lock once more before it returns, so the group is still there. */
    slock_unlock(&g->lock);
    wake_send(wake);
}

/* Under the lock, because a member stops to be one under it: else the task could end between the look and the
 * abort, and its memory be another task. */
static void abort_member(struct aglet_task *t, void *group) {
    struct group *g = inside(group);
    if (task_group(t) != group)
        return;
    slock_lock(&g->lock);
    if (task_group(t) == group)
        aglet_abort(t);
    slock_unlock(&g->lock);
}

void aglet_group_abort(aglet_group *group) {
    struct group *g = inside(group);
    slock_lock(&g->lock);
    g->aborted = 1;
    slock_unlock(&g->lock);
    task_each(abort_member, group);
}

bool group_link(struct aglet_group *group, struct sleeper *s) {
    struct group *g = inside(group);
    slock_lock(&g->lock);
    bool wait = g->members > 0;
    if (wait)
        g->joiner = s;
    else
        g->aborted = 0;
    slock_unlock(&g->lock);
    return wait;
}

int aglet_group_join(aglet_group *group) {
    struct aglet_task *t = task_self();
    /* An aborted caller waits all the same: members may use what lies in its frames. */
    int error = await_begin("group join", CALLER());
    if (error)
        aglet_group_abort(group);
    for (;;) {
        struct sleeper s;
        sleeper_init(&s);
        if (!group_link(group, &s))
            return error;
        while (!sleeper_is_fired(&s)) {
            if (s.task && error) {
                t->stack->rest.waits_for = "group join";
                task_park(t);
                t->stack->rest.waits_for = NULL;
                continue;
            }
            if (sleeper_wait(&s, AGLET_FOREVER, "group join") == -ECANCELED) {
                error = -ECANCELED;
                aglet_group_abort(group);
            }
        }
    }
}

struct local {
    struct local *next;
    const aglet_local *key;
    void *value;
};

void *aglet_local_get(const aglet_local *key) {
    struct aglet_task *t = task_self();
    for (struct local *l = t ? task_rest(t)->locals : NULL; l; l = l->next)
        if (l->key == key)
            return l->value;
    return NULL;
}

int aglet_local_set(const aglet_local *key, void *value) {
    struct aglet_task *t = task_self();
    if (!t)
        return -ESRCH;
    struct task_rest *rest = task_rest(t);
    for (struct local *l = rest->locals; l; l = l->next)
        if (l->key == key) {
            l->value = value;
            return 0;
        }
    struct local *l = malloc(sizeof *l);
    if (!l)
        return -ENOMEM;
    *l = (struct local){rest->locals, key, value};
    rest->locals = l;
    return 0;
}

void task_locals_end_(struct task_rest *rest) {
    struct local *l = rest->locals;
    while (l) {
        struct local *next = l->next;
        rest->locals = next;
        if (l->value && l->key->destroy)
            l->key->destroy(l->value);
        free(l);
        /* A destructor may have set new values. */
        l = rest->locals;
    }
}
