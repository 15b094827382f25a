/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Groups of tasks, and task-local storage. Stands on task_sleep.h.
 *
 * A group is a list of its living members under a short lock. A member's place in it is a piece of memory of
 * its own, since a task that waits to run has no room for one; the task's word `join` leads there. */
#include "task_group.h"
#include "check.h"
#include "task_sleep.h"
#include "task_start.h"

#include <stdlib.h>

struct group_member {
    struct aglet_group *group;
    struct aglet_task *task;
    struct group_member *next, *prev; /* in the group's ring, under its lock */
};

struct group {
    struct slock lock;
    uint32_t aborted;          /* under lock, with the fields below */
    uint64_t members;          /* and those who are about to start one, or are aborting them */
    struct waitq joiners;      /* who wait for members to become 0; each one that goes wakes the next */
    struct group_member *ring; /* the oldest living one, or NULL */
};
_Static_assert(sizeof(struct group) <= sizeof(aglet_group), "a group fits its public storage");

static struct group *inside(aglet_group *g) {
    return (struct group *)(void *)g->private_;
}

static void ring_push(struct group *g, struct group_member *m) {
    struct group_member *oldest = g->ring;
    m->next = oldest ? oldest : m;
    m->prev = oldest ? oldest->prev : m;
    m->next->prev = m->prev->next = m;
    if (!oldest)
        g->ring = m;
}

static void ring_remove(struct group *g, struct group_member *m) {
    m->prev->next = m->next;
    m->next->prev = m->prev;
    if (g->ring == m)
        g->ring = m->next == m ? NULL : m->next;
}

/* No member is left: wake a joiner, where one waits. It takes the lock once more before it returns, so the group is still
 * there. Gives the lock up. */
static void let_a_joiner_go(struct group *g) {
    struct waiter *w = waitq_pop(&g->joiners);
    struct wake wake = {0};
    if (w)
        wake = sleeper_fire(w->sleeper);
    object_unlock(&g->lock);
    wake_send(wake);
}

/* One of those that were counted is not, or no longer, alive. Gives the lock up. */
static void count_down(struct group *g) {
    if (--g->members == 0)
        let_a_joiner_go(g);
    else
        object_unlock(&g->lock);
}

int aglet_group_spawn(aglet_group *group, aglet_task_fn *entry, void *arg) {
    struct group *g = inside(group);
    struct group_member *m = malloc(sizeof *m);
    if (!m)
        return -ENOMEM;
    m->group = group;
    object_lock(&g->lock);
    bool aborted = g->aborted;
    if (!aborted)
        g->members++;
    object_unlock(&g->lock);
    int error = -ECANCELED;
    if (!aborted) {
        error =
            task_start(NULL, &(struct task_plan){.entry = entry, .arg = arg, .member = m, .detached = true});
        if (!error)
            return 0;
        object_lock(&g->lock);
        count_down(g);
    }
    free(m);
    return error;
}

void group_member_begins(struct group_member *m, struct aglet_task *t) {
    struct group *g = inside(m->group);
    m->task = t;
    object_lock(&g->lock);
    ring_push(g, m);
    if (g->aborted)
        atomic_store_explicit(&t->aborted, 1, memory_order_relaxed);
    object_unlock(&g->lock);
}

void group_member_ended(struct group_member *m) {
    struct group *g = inside(m->group);
    object_lock(&g->lock);
    ring_remove(g, m);
    atomic_store_explicit(&m->task->join, JOIN_DETACHED, memory_order_relaxed);
    count_down(g);
    free(m);
}

/* Under the lock, because a member leaves the ring under it: else the task could end between the look and the
 * abort, and its memory be another task. A few at a time, and those behind the others: nobody joins the ring
 * any more. */
void aglet_group_abort(aglet_group *group) {
    enum { AT_ONCE = 16 };
    struct group *g = inside(group);
    object_lock(&g->lock);
    g->aborted = 1;
    uint64_t left = g->members++; /* whoever aborts counts as a member: the joiner waits for it, too */
    while (left > 0 && g->ring) {
        for (int i = 0; i < AT_ONCE && left > 0; i++, left--) {
            aglet_abort(g->ring->task);
            g->ring = g->ring->next;
        }
        object_unlock(&g->lock);
        object_lock(&g->lock);
    }
    count_down(g);
}

bool group_link(struct aglet_group *group, struct waiter *w) {
    struct group *g = inside(group);
    object_lock(&g->lock);
    if (g->members > 0) {
        waitq_push(&g->joiners, w);
        object_unlock(&g->lock);
        return true;
    }
    g->aborted = 0;
    let_a_joiner_go(g);
    return false;
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
        struct waiter w = {.sleeper = &s};
        if (!group_link(group, &w))
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
