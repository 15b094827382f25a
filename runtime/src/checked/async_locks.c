/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Who holds which async lock, and in which order they are taken: by instance, with gates, as thread locks are (order.c).
 * Stands on engine.h, all_wait.h, task_lock.h.
 *
 * A holder is a task, or a thread outside tasks. To order.c it is a thread of its own, whose locks are the async ones.
 * Few tasks hold one at any time, so holders are lent: a task gets one with its first lock and gives it up with the
 * last, unless it has made an order; then it keeps it to its end, of which the orders tell. An async lock belongs to
 * the code: who gives it need not be who took it. So a list of locks has a short lock of its own.
 *
 * Async locks have no init and no destroy, but begin as zeroes. The number of the record lies in the word of the lock's own
 * short lock (task_lock.h), so memory that is used for another one makes another record.
 *
 * Orders between both kinds: while one who holds async locks runs, its thread has them `beside` its own locks, and each
 * thread lock goes the long way. Then the two lists are looked at as one. */
#include "all_wait.h"
#include "misuse.h"
#include "task_lock.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Serials of tasks and of threads are different numbers. */
static const uint64_t of_task = UINT64_C(1) << 62;

/* The list of locks is written by who holds them. An entry of a lock that is held alone counts while the record's owner is
 * this holder: who gives it for another changes that. Entries of locks held for reading are under `lock`, as is the
 * whole list while there are any. */
struct async_holder {
    struct check_thread locks; /* first, since records name it as their owner */
    struct slock lock;
    unsigned readings; /* how many entries are for reading */
    bool busy;         /* its own thread looks at the list: others only mark what they give */
    bool ended;        /* the task, or the thread; locks are left */
    bool known;        /* the list knows whose it is: it has made an order */
    uint64_t who;      /* as check_who; changed while it holds nothing, as the next */
    struct aglet_task *task;
    uintptr_t before;          /* what stood in the task's word */
    struct check_thread *both; /* for looks at both kinds of locks; made when it is needed */
    struct async_holder *next_all, *next_free;
};

static struct slock holders_lock;
static struct async_holder *holders, *free_holders; /* under holders_lock; the first only grows */

static struct async_holder *new_holder(void) {
    slock_lock(&holders_lock);
    struct async_holder *h = free_holders;
    if (h != NULL)
        free_holders = h->next_free;
    slock_unlock(&holders_lock);
    if (h != NULL)
        tsan_observe(h);
    if (h != NULL || (h = engine_memory(sizeof *h)) == NULL)
        return h;
    h->locks.held = h->locks.first_held;
    h->locks.held_room = FIRST_HELD;
    memcpy(h->locks.name, "a task", sizeof "a task");
    slock_lock(&holders_lock);
    h->next_all = holders;
    holders = h;
    slock_unlock(&holders_lock);
    return h;
}

static void free_holder(struct async_holder *h) {
    tsan_publish(h);
    slock_lock(&holders_lock);
    h->next_free = free_holders;
    free_holders = h;
    slock_unlock(&holders_lock);
}

/* Where a task or thread has its holder. While it has none the word says when the task began (NO_HOLDER). */
static inline uintptr_t *word_of(struct check_thread *me, struct aglet_task *t) {
    return t != NULL ? &task_rest(t)->beside : &me->async;
}

static inline struct async_holder *holder_in(uintptr_t word) {
    return word & NO_HOLDER ? NULL : (struct async_holder *)(word & ~(uintptr_t)HOLDS_NOTHING);
}

static inline struct async_holder *begin_holder(struct check_thread *me, struct aglet_task *t,
                                                uintptr_t *word) {
    struct async_holder *h = me->spare;
    if (AGLET_UNLIKELY(h == NULL) && (h = new_holder()) == NULL)
        return NULL;
    me->spare = NULL;
    h->task = t;
    h->who = t != NULL ? task_id(t) : check_who();
    h->before = *word;
    return h;
}

static inline void set_beside(struct check_thread *me, struct async_holder *h) {
    me->beside = h;
    held_fast_room(me);
}

/* It holds nothing any more. One that has made an order is kept. */
static inline void holds_nothing(struct check_thread *me, struct async_holder *h, uintptr_t *word) {
    set_beside(me, NULL);
    if (h->task == NULL || h->known) {
        *word |= HOLDS_NOTHING;
        return;
    }
    *word = h->before;
    if (me->spare == NULL)
        me->spare = h;
    else
        free_holder(h);
}

/* The record of an async lock that is being taken. */
static __attribute__((noinline)) struct lock_record *new_record(struct slock *lock, enum check_kind kind,
                                                                const void *site) {
    static struct slock one_at_a_time;
    slock_lock(&one_at_a_time);
    struct lock_record *r = record_by_id(lock, slock_number(lock));
    if (r == NULL) {
        struct lock_record *before = record_by_address(lock); /* of what was there before */
        if (before != NULL)
            record_free(before);
        r = record_new(kind, lock, NULL, NULL, site, false);
        slock_lock(lock);
        slock_set_number(lock, r != NULL ? r->index : 0);
        slock_unlock(lock);
    }
    slock_unlock(&one_at_a_time);
    return r;
}

static inline void push(struct check_thread *t, const struct held *from) {
    if (AGLET_UNLIKELY(t->held_count == t->held_room) && !held_grow(t))
        return;
    struct held *h = &t->held[t->held_count];
    *h = *from;
    h->again = 0;
    h->chain = order_chain(held_before(t, t->held_count), held_record(h), held_mode(h));
    t->held_count++;
}

/* Does this entry still say what is so? Of one for reading: was it not given for this holder? */
static inline bool counts(const struct async_holder *h, const struct held *e) {
    if (held_mode(e) & CHECK_EXCLUSIVE)
        return atomic_load_explicit(&held_record(e)->owner, memory_order_relaxed) == &h->locks;
    return e->again == 0;
}

static inline void take_out(struct async_holder *h, struct held *e) {
    h->readings -= (held_mode(e) & CHECK_SHARED) != 0;
    held_take_out(&h->locks, e);
}

/* What others have given is taken out; and from now on, or no longer, they only mark it. */
static void tidy(struct async_holder *h, bool busy) {
    struct check_thread *t = &h->locks;
    slock_lock(&h->lock);
    for (unsigned i = t->held_count; i-- > 0;)
        if (!counts(h, &t->held[i]))
            take_out(h, &t->held[i]);
    h->busy = busy;
    slock_unlock(&h->lock);
}

/* Its orders tell whose they are. */
static void be_known(struct async_holder *h, const struct check_thread *me) {
    char words[TASK_WORDS_ROOM];
    struct check_thread *t = &h->locks;
    if (h->known)
        return;
    h->known = true;
    t->is_task = h->task != NULL;
    t->serial = t->is_task ? h->who | of_task : me->serial;
    uint64_t began = t->is_task ? (uint64_t)h->before >> 1 : atomic_load(&me->began);
    atomic_store_explicit(&t->began, began, memory_order_relaxed);
    atomic_store_explicit(&t->ended, 0, memory_order_relaxed);
    snprintf(t->name, sizeof t->name, "%.39s", t->is_task ? task_words(h->task, words) : me->name);
}

/* The newest of t's locks was taken after others: t is the holder's list, or that of both kinds. */
static inline bool is_in_order(const struct check_thread *t) {
    const struct held *newest = &t->held[t->held_count - 1];
    return t->held_count < 2 ||
           atomic_load_explicit(&held_record(newest)->last_chain, memory_order_relaxed) == newest->chain ||
           order_is_known(newest);
}

static __attribute__((noinline)) void look_at_order(struct check_thread *me, struct async_holder *h,
                                                    struct check_thread *t) {
    me->inside++;
    be_known(h, me);
    order_taken(t);
    me->inside--;
}

/* Those of other tasks left out. */
static void push_thread_locks(struct check_thread *t, const struct check_thread *me) {
    for (unsigned i = 0; i < me->held_count; i++)
        if (held_is_own(me, &me->held[i]))
            push(t, &me->held[i]);
}

static struct check_thread *begin_both(struct async_holder *h) {
    if (h->both == NULL && (h->both = engine_memory(sizeof *h->both)) != NULL) {
        h->both->held = h->both->first_held;
        h->both->held_room = FIRST_HELD;
        h->both->stands_for = &h->locks;
    }
    if (h->both != NULL)
        h->both->held_count = 0;
    return h->both;
}

static void push_async_locks(struct check_thread *t, const struct async_holder *h) {
    for (unsigned i = 0; i < h->locks.held_count; i++)
        push(t, &h->locks.held[i]);
}

/* A thread lock was taken by who holds async locks. */
static bool beside_taken(struct check_thread *me) {
    struct async_holder *h = me->beside;
    if (me->inside != 0)
        return false;
    tidy(h, true);
    struct check_thread *both = h->locks.held_count != 0 ? begin_both(h) : NULL;
    if (both != NULL) {
        push_async_locks(both, h);
        push_thread_locks(both, me);
        if (!is_in_order(both))
            look_at_order(me, h, both);
    }
    tidy(h, false);
    return both != NULL;
}

/* An async lock was taken, the newest of h. Tasks have thread locks then only by a try, or wrongly. */
static __attribute__((noinline)) void taken_after(struct check_thread *me, struct async_holder *h) {
    tidy(h, true);
    struct check_thread *t = me->held_count != 0 ? begin_both(h) : &h->locks;
    if (t != NULL && t != &h->locks) {
        push_thread_locks(t, me);
        push_async_locks(t, h);
    }
    if (t != NULL && !is_in_order(t))
        look_at_order(me, h, t);
    tidy(h, false);
}

void check_async_taken(struct slock *lock, enum check_kind kind, int mode, const void *site) {
    struct check_thread *me = thread_self();
    struct aglet_task *task = task_self();
    if (AGLET_UNLIKELY(me->inside != 0))
        return;
    struct lock_record *r = record_by_id(lock, slock_number(lock));
    if (AGLET_UNLIKELY(r == NULL) && (r = new_record(lock, kind, site)) == NULL)
        return;
    uintptr_t *word = word_of(me, task);
    struct async_holder *h = holder_in(*word);
    if (h == NULL && (h = begin_holder(me, task, word)) == NULL)
        return;
    *word = (uintptr_t)h;
    struct held taken = {.record_and_mode = held_tag(r, mode), .site = site};
    if (AGLET_UNLIKELY(mode & CHECK_SHARED || h->readings != 0)) {
        slock_lock(&h->lock);
        h->readings += (mode & CHECK_SHARED) != 0;
        push(&h->locks, &taken);
        slock_unlock(&h->lock);
    } else {
        push(&h->locks, &taken);
    }
    if (mode & CHECK_EXCLUSIVE)
        atomic_store_explicit(&r->owner, &h->locks, memory_order_release);
    if (me->beside != h)
        set_beside(me, h);
    if (AGLET_UNLIKELY(held_wants_more))
        held_note_more(&h->locks);
    if (AGLET_UNLIKELY(me->held_count != 0) || !is_in_order(&h->locks))
        taken_after(me, h);
}

/* Take the newest entry of this lock out of h, if it has one. */
static bool give(struct async_holder *h, const struct lock_record *r) {
    struct check_thread *t = &h->locks;
    struct held *e = NULL;
    bool locked = h->readings != 0 || h->ended;
    if (locked)
        slock_lock(&h->lock);
    for (unsigned i = t->held_count; i-- > 0 && e == NULL;)
        if (held_record(&t->held[i]) == r && t->held[i].again == 0)
            e = &t->held[i];
    if (e != NULL && h->busy)
        e->again = 1;
    else if (e != NULL)
        take_out(h, e);
    if (locked)
        slock_unlock(&h->lock);
    return e != NULL;
}

/* Call visit for every holder that holds something, under its lock, until it returns false. */
static void each_holder(bool (*visit)(struct async_holder *, void *), void *context) {
    slock_lock(&holders_lock);
    struct async_holder *h = holders;
    slock_unlock(&holders_lock);
    for (bool on = true; h != NULL && on; h = h->next_all) {
        slock_lock(&h->lock);
        on = h->locks.held_count == 0 || visit(h, context);
        slock_unlock(&h->lock);
    }
}

struct wanted {
    const struct lock_record *record;
    uint64_t who; /* rather than another */
    struct async_holder *holder;
    const void *site;
};

static bool holds_it(struct async_holder *h, void *context) {
    struct wanted *w = context;
    for (unsigned i = 0; i < h->locks.held_count; i++) {
        const struct held *e = &h->locks.held[i];
        if (held_record(e) == w->record && counts(h, e) && (w->holder == NULL || h->who == w->who)) {
            w->holder = h;
            w->site = e->site;
        }
    }
    return w->holder == NULL || w->holder->who != w->who;
}

/* Of a task, or thread, that has ended: are its locks given by now? Under h->lock. */
static bool is_over(struct async_holder *h) {
    if (!h->ended)
        return false;
    bool holds = false;
    for (unsigned i = 0; i < h->locks.held_count; i++)
        holds |= counts(h, &h->locks.held[i]);
    if (!holds) {
        h->locks.held_count = h->readings = 0;
        h->ended = h->known = false;
    }
    return !holds;
}

static void free_if_over(struct async_holder *h) {
    slock_lock(&h->lock);
    bool over = is_over(h);
    slock_unlock(&h->lock);
    if (over)
        free_holder(h);
}

/* Some reader's hold of it goes: the lock belongs to the code, and another task gives it. */
static __attribute__((noinline)) void give_for_reader(const struct lock_record *r) {
    struct wanted w = {.record = r};
    each_holder(holds_it, &w);
    if (w.holder != NULL && give(w.holder, r))
        free_if_over(w.holder);
}

void check_async_given(struct slock *lock) {
    struct check_thread *me = thread_self();
    struct lock_record *r = record_by_id(lock, slock_number(lock));
    if (AGLET_UNLIKELY(r == NULL || me->inside != 0))
        return;
    uintptr_t *word = word_of(me, task_self());
    struct async_holder *h = holder_in(*word);
    struct check_thread *owner = atomic_load_explicit(&r->owner, memory_order_acquire);
    atomic_store_explicit(&r->owner, NULL, memory_order_relaxed);
    if (h != NULL && (owner == NULL || owner == &h->locks) && give(h, r)) {
        if (h->locks.held_count == 0)
            holds_nothing(me, h, word);
    } else if (owner == NULL) {
        give_for_reader(r);
    } else {
        free_if_over((struct async_holder *)(void *)owner);
    }
}

/* Its task, or thread, ends. */
static void end_holder(struct async_holder *h) {
    slock_lock(&h->lock);
    h->ended = true;
    atomic_store_explicit(&h->locks.ended, atomic_fetch_add(&check_clock, 1), memory_order_relaxed);
    slock_unlock(&h->lock);
    free_if_over(h);
}

void check_rest_ends(struct task_rest *rest) {
    struct async_holder *h = holder_in(rest->beside);
    if (h != NULL)
        end_holder(h);
    rest->beside = NO_HOLDER;
}

static void thread_ends(struct check_thread *t) {
    if (t->async != 0)
        end_holder(holder_in(t->async));
    if (t->spare != NULL)
        free_holder(t->spare);
    t->async = 0;
    t->spare = t->beside = NULL;
}

bool async_holder(const void *object, uint64_t who, struct async_hold *out) {
    struct wanted w = {.record = record_by_address(object), .who = who};
    if (w.record == NULL)
        return false;
    each_holder(holds_it, &w);
    if (w.holder != NULL)
        *out = (struct async_hold){.object = object,
                                   .site = w.site,
                                   .what = kind_words(w.record->kind),
                                   .task = w.holder->task,
                                   .who = w.holder->who};
    return w.holder != NULL;
}

struct listing {
    uint64_t who;
    struct async_hold *out;
    unsigned n, room;
};

static bool list_it(struct async_holder *h, void *context) {
    struct listing *l = context;
    if (h->who != l->who)
        return true;
    for (unsigned i = h->locks.held_count; i-- > 0 && l->n < l->room;) {
        const struct lock_record *r = held_record(&h->locks.held[i]);
        if (counts(h, &h->locks.held[i]))
            l->out[l->n++] = (struct async_hold){.object = atomic_load(&r->lock),
                                                 .site = h->locks.held[i].site,
                                                 .what = kind_words(r->kind),
                                                 .task = h->task,
                                                 .who = h->who};
    }
    return false;
}

unsigned async_held_by(uint64_t who, struct async_hold *out, unsigned room) {
    struct listing l = {who, out, 0, room};
    each_holder(list_it, &l);
    return l.n;
}

__attribute__((constructor(103))) static void be_asked(void) {
    async_beside_taken = beside_taken;
    async_thread_ends = thread_ends;
}
