/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tasks and threads that wait for each other: for async locks, thread locks and each other's ends. Stands on all_wait.h.
 * Circles of threads alone are found before the last of them waits (waits.c); with tasks in them, afterwards: at rest by
 * quiescence.c, in a program that goes on by the watchdog. */
#include "all_wait.h"
#include "misuse.h"

#include <stdio.h>
#include <string.h>

enum { LINKS = 64, WAITS = 256, REMEMBERED = 16 };

/* One party, and what it waits for. */
struct link {
    struct party party;
    bool async;                   /* for an async lock: */
    struct async_hold wait, hold; /* its wait, and who has the lock */
    uint64_t mark;                /* changes where the wait does */
};

struct chain {
    struct link links[LINKS];
    unsigned n, first; /* the circle begins at `first` */
    bool ended;        /* the last one waits for what a task that has ended left behind */
};

struct search {
    uint64_t who;
    struct aglet_task *task;
    struct check_thread *thread;
};

static void match_task(struct aglet_task *t, void *search) {
    struct search *s = search;
    if (task_id(t) == s->who)
        s->task = t;
}

static bool match_thread(struct check_thread *t, void *search) {
    struct search *s = search;
    bool is_it = t->task ? t->task == s->who : ((uint64_t)t->tid | UINT64_C(1) << 63) == s->who;
    if (is_it)
        s->thread = t;
    return !is_it;
}

struct party party_of_task(struct aglet_task *t) {
    struct search s = {.who = task_id(t)};
    if (task_state(t) != TASK_PARKED)
        threads_each(match_thread, &s);
    return (struct party){t, s.thread, s.who};
}

struct party party_of_thread(struct check_thread *t) {
    struct search s = {.who = t->task};
    if (t->task)
        task_each(match_task, &s);
    return (struct party){s.task, t, t->task ? t->task : (uint64_t)t->tid | UINT64_C(1) << 63};
}

const char *party_words(const struct party *p, char out[TASK_WORDS_ROOM]) {
    if (p->task)
        return task_words(p->task, out);
    snprintf(out, TASK_WORDS_ROOM, "thread '%s'", p->thread ? thread_name(p->thread) : "?");
    return out;
}

enum step { NOWHERE, ON, ENDED };

/* From a party to the task whose end it waits for. */
static enum step to_task(const void *task, struct party *next) {
    if (!task)
        return NOWHERE;
    *next = party_of_task((struct aglet_task *)(uintptr_t)task);
    return ON;
}

static enum step to_holder(struct link *l, struct party *next) {
    if (!async_wait_of(l->party.who, &l->wait) || !async_holder(l->wait.object, l->party.who, &l->hold))
        return NOWHERE;
    l->async = true;
    l->mark = l->wait.serial;
    struct aglet_task *t = l->hold.task;
    if (t) {
        bool lives =
            atomic_load(&t->kind) != TASK_FREE && task_id(t) == l->hold.who && task_state(t) != TASK_ENDED;
        if (lives)
            *next = party_of_task(t);
        return lives ? ON : ENDED;
    }
    struct search s = {.who = l->hold.who};
    threads_each(match_thread, &s);
    *next = (struct party){NULL, s.thread, s.who};
    return s.thread ? ON : ENDED;
}

/* A lock may have been taken by another task of the thread than the one it runs. */
static enum step to_owner(const struct lock_record *r, struct party *next) {
    struct check_thread *owner = atomic_load(&r->owner);
    uint64_t waiting;
    if (!owner || !waits_for_ever(owner, &waiting))
        return NOWHERE;
    const struct held *h = held_find(owner, r, CHECK_EXCLUSIVE);
    *next = party_of_thread(owner);
    if (h && h->task && h->task != owner->task) {
        struct search s = {.who = h->task};
        task_each(match_task, &s);
        if (!s.task)
            return NOWHERE;
        *next = party_of_task(s.task);
    }
    return ON;
}

static enum step follow(struct link *l, struct party *next) {
    const struct party *p = &l->party;
    if (!p->thread) {
        struct task_rest rest = {0};
        if (!dump_peek(p->task, p->who, &rest) || !rest.waits_for)
            return NOWHERE;
        l->mark = (uintptr_t)rest.waits_at;
        if (strcmp(rest.waits_for, "join") == 0)
            return task_stack(p->task) ? to_task(p->task->stack->waits_on, next) : NOWHERE;
        return to_holder(l, next);
    }
    if (!waits_for_ever(p->thread, &l->mark))
        return NOWHERE;
    struct check_thread *other = (struct check_thread *)(uintptr_t)p->thread->wait_object;
    switch (p->thread->wait_for) {
    case CHECK_ON_LOCK: return to_owner(p->thread->wait_object, next);
    case CHECK_ON_JOIN:
        if (!other || atomic_load(&other->state) != THREAD_RUNS)
            return NOWHERE;
        *next = party_of_thread(other);
        return ON;
    case CHECK_ON_AWAIT:
        return strcmp(p->thread->await_why, "join") == 0 ? to_task(p->thread->await_on, next)
                                                         : to_holder(l, next);
    default: return NOWHERE;
    }
}

static bool leads_round(struct chain *c, struct party at) {
    struct party next;
    c->ended = false;
    for (c->n = 0; c->n < LINKS; c->n++, at = next) {
        for (c->first = 0; c->first < c->n; c->first++)
            if (c->links[c->first].party.who == at.who)
                return true;
        struct link *l = &c->links[c->n];
        *l = (struct link){.party = at};
        enum step step = follow(l, &next);
        if (step == NOWHERE)
            return false;
        if (step == ENDED) {
            c->first = c->n++;
            return c->ended = true;
        }
    }
    return false;
}

/* The same for the same waits of the same parties, whichever of them it was found from. */
static uint64_t signature(const struct chain *c) {
    uint64_t sum = 0;
    for (unsigned i = c->first; i < c->n; i++)
        sum += (c->links[i].party.who * 2 + 1) * (c->links[i].mark * UINT64_C(0x9e3779b97f4a7c15) + 1);
    return sum;
}

static void note_link(struct misuse *m, const struct link *l) {
    char words[TASK_WORDS_ROOM], lock[LOCK_NAME_ROOM];
    if (l->async) {
        misuse_note(m, "%s waits for %s here", party_words(&l->party, words), async_words(&l->wait, lock));
        misuse_place(m, l->wait.site);
        misuse_note(m, "it was taken here");
        misuse_place(m, l->hold.site);
    } else if (l->party.thread) {
        waits_note(m, l->party.thread);
    } else {
        parked_note(m, l->party.task);
    }
}

static void tell(const struct chain *c, bool fatal) {
    char words[TASK_WORDS_ROOM], other[TASK_WORDS_ROOM], lock[LOCK_NAME_ROOM];
    const struct link *l = &c->links[c->first];
    unsigned n = c->n - c->first;
    bool alone = n == 1 && !c->ended && l->async;
    struct misuse *m =
        misuse_open(alone ? "double-lock" : "deadlock", l->async ? l->wait.object : NULL, fatal);
    party_words(&l->party, words);
    if (c->ended)
        misuse_say(m, "%s waits for ever for %s: who took it has ended and not given it", words,
                   async_words(&l->wait, lock));
    else if (alone)
        misuse_say(m, "%s waits for ever for %s, which it holds already; give it first", words,
                   async_words(&l->wait, lock));
    else if (n == 2)
        misuse_say(m, "%s and %s wait for each other for ever; take locks in one order everywhere", words,
                   party_words(&l[1].party, other));
    else
        misuse_say(
            m,
            "%s and %u others wait for each other for ever, in a circle; take locks in one order everywhere",
            words, n - 1);
    for (unsigned i = c->first; i < c->n; i++)
        note_link(m, &c->links[i]);
    misuse_close(m);
}

/* The circles of a look at a running program; under the watchdog's thread alone. */
static struct remembered {
    uint64_t list[REMEMBERED];
    unsigned n;
} last, told;

static bool knows(const struct remembered *r, uint64_t signature) {
    for (unsigned i = 0; i < r->n && i < REMEMBERED; i++)
        if (r->list[i] == signature)
            return true;
    return false;
}

static void remember(struct remembered *r, uint64_t signature) {
    r->list[r->n++ % REMEMBERED] = signature;
}

struct look {
    bool at_rest, done;
    struct remembered seen;
};

static void look_from(struct look *l, struct party from) {
    struct chain c;
    if (l->done || !leads_round(&c, from) || (c.ended && !l->at_rest))
        return;
    uint64_t is = signature(&c);
    if (!l->at_rest && (knows(&l->seen, is) || knows(&told, is)))
        return;
    if (!l->at_rest && !knows(&last, is)) {
        remember(&l->seen, is);
        return;
    }
    if (!l->at_rest)
        remember(&told, is);
    tell(&c, l->at_rest);
    l->done = true;
}

bool circles_report(bool at_rest, const struct party *from, unsigned n) {
    struct look l = {.at_rest = at_rest};
    struct async_hold waits[WAITS];
    unsigned count = async_waits(waits, WAITS);
    for (unsigned i = 0; i < count; i++) {
        struct search s = {.who = waits[i].who};
        if (!waits[i].task)
            threads_each(match_thread, &s);
        if (waits[i].task || s.thread)
            look_from(&l,
                      waits[i].task ? party_of_task(waits[i].task) : (struct party){NULL, s.thread, s.who});
    }
    for (unsigned i = 0; i < n; i++)
        look_from(&l, from[i]);
    if (!at_rest)
        last = l.seen;
    return l.done;
}
