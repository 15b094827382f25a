/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Channels: a ring (bounded) or a list of blocks (unbounded) under one short lock, with a queue of waiting
 * senders and one of waiting receivers. Stands on task_sleep.h.
 *
 * A value goes straight into the slot of a receiver that waits, so the receiver never takes the lock again.
 * Hence, under the lock: receivers wait only while nothing is queued, senders only while the ring is full.
 *
 * Cost model: the lock is one locked instruction to take and a plain store to give, and it is all there is on
 * the fast path. Vyukov's ring needs no lock but one locked instruction too, and a second one as a fence to
 * find sleepers; measured on one worker it is no faster, and it can neither rendezvous nor hand over. */
#include "chan.h"
#include "chan_check.h"
#include "misuse.h"

#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    _Alignas(16) unsigned char items[];
};

struct aglet_chan {
    struct slock lock;
    uint32_t senders, receivers; /* handles; all below under lock */
    bool closed;                 /* the receiver wants no more */
    size_t item, capacity;
    size_t head, tail, count; /* bounded: positions in ring; unbounded: in first and last block */
    struct waitq send_q, recv_q;
    /* Unbounded. */
    size_t per_block;
    struct block *first, *last, *spare;
    struct chan_note note; /* checked library */
    /* Bounded. */
    _Alignas(16) unsigned char ring[];
};

static inline void copy_item(void *to, const void *from, size_t size) {
    if (size == sizeof(void *))
        memcpy(to, from, sizeof(void *));
    else
        memcpy(to, from, size);
}

aglet_chan *aglet_chan_new_(size_t item, size_t capacity) {
    bool bounded = capacity != AGLET_UNBOUNDED;
    size_t ring = 0;
    if (bounded && __builtin_mul_overflow(item, capacity, &ring))
        return NULL;
    if (ring > SIZE_MAX / 2)
        return NULL;
    struct aglet_chan *c = malloc(sizeof *c + ring);
    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    c->senders = c->receivers = 1;
    c->item = item;
    c->capacity = capacity;
    if (!bounded) {
        c->per_block = item < 64 ? 2048 / (item ? item : 1) : 32;
        c->first = c->last = malloc(sizeof(struct block) + c->per_block * item);
        if (!c->first) {
            free(c);
            return NULL;
        }
        c->first->next = NULL;
    }
    if (aglet_checked)
        check_chan_new(&c->note);
    return c;
}

bool chan_has_last_sender(const aglet_chan *c, struct chan_note *note) {
    *note = c->note;
    return c->senders == 1 && !c->count;
}

static void destroy(aglet_chan *c) {
    for (struct block *b = c->first; b;) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
    free(c->spare);
    free(c);
}

/* Put an item behind the others.
 *
 * Requires  the lock; bounded: count < capacity; unbounded: room_ready said yes. */
static inline void put(aglet_chan *c, const void *item) {
    if (c->capacity != AGLET_UNBOUNDED) {
        copy_item(c->ring + c->tail * c->item, item, c->item);
        if (++c->tail == c->capacity)
            c->tail = 0;
    } else {
        if (c->tail == c->per_block) {
            c->spare->next = NULL;
            c->last->next = c->spare;
            c->last = c->spare;
            c->spare = NULL;
            c->tail = 0;
        }
        copy_item(c->last->items + c->tail++ * c->item, item, c->item);
    }
    c->count++;
}

static inline void take(aglet_chan *c, void *item) {
    if (c->capacity != AGLET_UNBOUNDED) {
        copy_item(item, c->ring + c->head * c->item, c->item);
        if (++c->head == c->capacity)
            c->head = 0;
        c->count--;
        return;
    }
    copy_item(item, c->first->items + c->head++ * c->item, c->item);
    if (--c->count == 0) {
        /* Only the last block is left with unread room: start it over, it is still in the cache. */
        if (c->first == c->last)
            c->head = c->tail = 0;
    }
    if (c->head == c->per_block && c->first != c->last) {
        struct block *empty = c->first;
        c->first = empty->next;
        c->head = 0;
        if (!c->spare)
            c->spare = empty;
        else
            free(empty);
    }
}

/* An unbounded channel allocates outside its lock. Returns false when the lock was given up meanwhile. */
static bool room_ready(aglet_chan *c, int *error) {
    if (c->tail < c->per_block || c->spare)
        return true;
    object_unlock(&c->lock);
    struct block *b = malloc(sizeof *b + c->per_block * c->item);
    if (!b) {
        *error = -ENOMEM;
        return false;
    }
    object_lock(&c->lock);
    if (c->spare)
        free(b);
    else
        c->spare = b;
    return false;
}

int chan_dropped(const char *what, const void *caller) {
    if (aglet_checked)
        misuse_report("send-after-close", NULL, false, caller,
                      "%s on a channel handle that was dropped before; clone it, or drop it later", what);
    return -EPIPE;
}

/* Hand *item to a receiver that waits, or put it behind the others.
 *
 * Returns   0 done, -EPIPE, -ENOMEM; -EAGAIN: no room, and the lock is held, so that the caller can wait. */
static inline __attribute__((always_inline)) int send_now(struct worker *here, aglet_chan *c,
                                                          const void *item) {
    object_lock(&c->lock);
    for (;;) {
        if (AGLET_UNLIKELY(!c->receivers || c->closed)) {
            object_unlock(&c->lock);
            return -EPIPE;
        }
        if (aglet_checked && AGLET_UNLIKELY(!c->senders)) { /* a copy of a handle outlived it */
            object_unlock(&c->lock);
            return chan_dropped("send", NULL);
        }
        struct waiter *r = c->recv_q.head ? waitq_pop(&c->recv_q) : NULL;
        if (r) {
            copy_item(r->slot, item, c->item);
            r->result = 0;
            struct wake wake = sleeper_fire(r->sleeper);
            object_unlock(&c->lock);
            wake_send_from(here, wake);
            return 0;
        }
        if (c->count < c->capacity) {
            int error = 0;
            if (c->capacity == AGLET_UNBOUNDED && AGLET_UNLIKELY(!room_ready(c, &error))) {
                if (error)
                    return error;
                continue;
            }
            put(c, item);
            object_unlock(&c->lock);
            return 0;
        }
        return -EAGAIN;
    }
}

int chan_send_begin(aglet_chan *c, const void *item, struct waiter *w) {
    int error = send_now(worker_here_, c, item);
    if (error != -EAGAIN)
        return error;
    if (w) {
        w->slot = (void *)(uintptr_t)item;
        waitq_push(&c->send_q, w);
    }
    object_unlock(&c->lock);
    return error;
}

/* There is room for one more: let the next sender in. Returns whom to wake. The lock is held. */
static struct wake admit_sender(aglet_chan *c) {
    struct waiter *s = c->send_q.head ? waitq_pop(&c->send_q) : NULL;
    if (!s)
        return (struct wake){0};
    if (s->notify) {
        s->result = -EAGAIN;
    } else {
        put(c, s->slot);
        s->result = 0;
    }
    return sleeper_fire(s->sleeper);
}

/* Take an item out, or from a sender that waits.
 *
 * Returns   0 done, -EPIPE; -EAGAIN: there is none, and the lock is held, so that the caller can wait. */
static inline __attribute__((always_inline)) int recv_now(struct worker *here, aglet_chan *c, void *item) {
    struct wake wake;
    object_lock(&c->lock);
    for (;;) {
        if (c->count) {
            take(c, item);
            if (AGLET_LIKELY(!c->send_q.head)) {
                object_unlock(&c->lock);
                return 0;
            }
            wake = admit_sender(c);
            object_unlock(&c->lock);
            wake_send_from(here, wake);
            return 0;
        }
        struct waiter *s = c->send_q.head ? waitq_pop(&c->send_q) : NULL; /* rendezvous */
        if (!s)
            break;
        if (s->notify) {
            /* A select that offers; it will come back and find us. */
            s->result = -EAGAIN;
            wake = sleeper_fire(s->sleeper);
            wake_send_from(here, wake);
            continue;
        }
        copy_item(item, s->slot, c->item);
        s->result = 0;
        wake = sleeper_fire(s->sleeper);
        object_unlock(&c->lock);
        wake_send_from(here, wake);
        return 0;
    }
    if (AGLET_UNLIKELY(!c->senders || c->closed)) {
        object_unlock(&c->lock);
        return -EPIPE;
    }
    return -EAGAIN;
}

int chan_recv_begin(aglet_chan *c, void *item, struct waiter *w) {
    int error = recv_now(worker_here_, c, item);
    if (error != -EAGAIN)
        return error;
    if (w) {
        w->slot = item;
        waitq_push(&c->recv_q, w);
    }
    object_unlock(&c->lock);
    return error;
}

bool chan_send_link(aglet_chan *c, struct waiter *w) {
    w->notify = true;
    object_lock(&c->lock);
    /* A receiver that waits through a select counts: it can be handed the value. */
    bool wait = c->receivers && !c->closed && !c->recv_q.head && c->count >= c->capacity;
    if (wait)
        waitq_push(&c->send_q, w);
    object_unlock(&c->lock);
    return wait;
}

bool chan_recv_link(aglet_chan *c, void *item, struct waiter *w) {
    object_lock(&c->lock);
    bool wait = !c->count && c->senders && !c->closed;
    /* Of the senders that wait on an empty ring, those that only want to be notified must be: two selects
     * would else wait for each other. */
    struct wake wakes[4];
    unsigned n = 0;
    while (wait && c->send_q.head && n < 4) {
        if (!c->send_q.head->notify) {
            wait = false;
            break;
        }
        struct waiter *s = waitq_pop(&c->send_q);
        if (s) {
            s->result = -EAGAIN;
            wakes[n++] = sleeper_fire(s->sleeper);
        }
    }
    if (wait) {
        w->slot = item;
        waitq_push(&c->recv_q, w);
    }
    object_unlock(&c->lock);
    while (n > 0)
        wake_send(wakes[--n]);
    return wait;
}

static bool unlink_from(aglet_chan *c, struct waitq *q, struct waiter *w) {
    object_lock(&c->lock);
    bool linked = w->linked;
    if (linked)
        waitq_remove(q, w);
    object_unlock(&c->lock);
    return linked;
}

bool chan_send_unlink(aglet_chan *c, struct waiter *w) {
    return unlink_from(c, &c->send_q, w);
}

bool chan_recv_unlink(aglet_chan *c, struct waiter *w) {
    return unlink_from(c, &c->recv_q, w);
}

/* There is no room: wait until there is. Takes the lock over. */
static __attribute__((noinline)) int send_later(aglet_chan *c, const void *item, aglet_time deadline) {
    struct sleeper s;
    sleeper_init(&s);
    struct waiter w;
    w.sleeper = &s;
    w.slot = (void *)(uintptr_t)item;
    w.index = 0;
    w.notify = false;
    waitq_push(&c->send_q, &w);
    object_unlock(&c->lock);
    int error = sleeper_wait_one(&s, deadline, "send");
    if (error && chan_send_unlink(c, &w))
        return error;
    return w.result;
}

int aglet_chan_send_(aglet_chan *c, const void *item, aglet_time deadline) {
    if (AGLET_UNLIKELY(!c))
        return chan_dropped("send", CALLER());
    struct worker *here = worker_here_;
    int error = await_begin_at(here, "send", CALLER());
    if (AGLET_UNLIKELY(error))
        return error;
    error = send_now(here, c, item);
    if (error == -EAGAIN)
        return send_later(c, item, deadline);
    task_spend_from(here);
    return error;
}

int aglet_chan_try_send_(aglet_chan *c, const void *item) {
    if (AGLET_UNLIKELY(!c))
        return chan_dropped("send", CALLER());
    return chan_send_begin(c, item, NULL);
}

/* There is nothing: wait until there is. Takes the lock over. */
static __attribute__((noinline)) int recv_later(aglet_chan *c, void *item, aglet_time deadline) {
    struct sleeper s;
    sleeper_init(&s);
    struct waiter w;
    w.sleeper = &s;
    w.slot = item;
    w.index = 0;
    waitq_push(&c->recv_q, &w);
    object_unlock(&c->lock);
    sleeper_is_for(&s, deadline == AGLET_FOREVER ? c : NULL);
    int error = sleeper_wait_one(&s, deadline, "recv");
    if (error && chan_recv_unlink(c, &w))
        return error;
    return w.result;
}

int aglet_chan_recv_(aglet_chan *c, void *item, aglet_time deadline) {
    if (AGLET_UNLIKELY(!c))
        return chan_dropped("receive", CALLER());
    struct worker *here = worker_here_;
    int error = await_begin_at(here, "recv", CALLER());
    if (AGLET_UNLIKELY(error))
        return error;
    error = recv_now(here, c, item);
    if (error == -EAGAIN)
        return recv_later(c, item, deadline);
    task_spend_from(here);
    return error;
}

int aglet_chan_try_recv_(aglet_chan *c, void *item) {
    if (AGLET_UNLIKELY(!c))
        return chan_dropped("receive", CALLER());
    return chan_recv_begin(c, item, NULL);
}

size_t chan_take_more(aglet_chan *c, void *items, size_t n, size_t max) {
    struct wake wakes[16];
    unsigned woken = 0;
    object_lock(&c->lock);
    while (n < max && c->count && woken < 16) {
        take(c, (char *)items + n++ * c->item);
        wakes[woken] = admit_sender(c);
        woken += wakes[woken].task || wakes[woken].futex;
    }
    object_unlock(&c->lock);
    while (woken > 0)
        wake_send(wakes[--woken]);
    return n;
}

long aglet_chan_recv_many_(aglet_chan *c, void *items, size_t max) {
    if (!max)
        return 0;
    if (AGLET_UNLIKELY(!c))
        return chan_dropped("receive", CALLER());
    int error = aglet_chan_recv_(c, items, AGLET_FOREVER);
    return error ? error : (long)chan_take_more(c, items, 1, max);
}

size_t aglet_chan_length_(aglet_chan *c) {
    object_lock(&c->lock);
    size_t n = c->count;
    object_unlock(&c->lock);
    return n;
}

/* Fire every waiter of a queue with an error. Takes the lock, and gives it up. */
static void fail_all(aglet_chan *c, struct waitq *q, int error) {
    for (;;) {
        struct wake wakes[16];
        unsigned n = 0;
        struct waiter *w;
        while (n < 16 && (w = waitq_pop(q))) {
            w->result = error;
            wakes[n++] = sleeper_fire(w->sleeper);
        }
        if (n < 16) {
            object_unlock(&c->lock);
            while (n > 0)
                wake_send(wakes[--n]);
            return;
        }
        /* Under the lock: between two batches nobody may free the channel. */
        while (n > 0)
            wake_send(wakes[--n]);
    }
}

void aglet_chan_clone_sender_(aglet_chan *c) {
    if (AGLET_UNLIKELY(!c)) {
        (void)chan_dropped("clone", CALLER());
        return;
    }
    object_lock(&c->lock);
    c->senders++;
    c->note.cloned = true;
    object_unlock(&c->lock);
}

void aglet_chan_clone_receiver_(aglet_chan *c) {
    if (AGLET_UNLIKELY(!c)) {
        (void)chan_dropped("clone", CALLER());
        return;
    }
    object_lock(&c->lock);
    c->receivers++;
    object_unlock(&c->lock);
}

void aglet_chan_drop_sender_(aglet_chan *c) {
    if (!c)
        return;
    object_lock(&c->lock);
    bool last = --c->senders == 0 && c->receivers == 0;
    if (!c->senders)
        fail_all(c, &c->recv_q, -EPIPE);
    else
        object_unlock(&c->lock);
    if (last)
        destroy(c);
}

void aglet_chan_drop_receiver_(aglet_chan *c) {
    if (!c)
        return;
    object_lock(&c->lock);
    bool last = --c->receivers == 0 && c->senders == 0;
    if (!c->receivers)
        fail_all(c, &c->send_q, -EPIPE);
    else
        object_unlock(&c->lock);
    if (last)
        destroy(c);
}

void aglet_chan_close_(aglet_chan *c) {
    if (AGLET_UNLIKELY(!c)) {
        (void)chan_dropped("close", CALLER());
        return;
    }
    object_lock(&c->lock);
    c->closed = true;
    fail_all(c, &c->recv_q, -EPIPE);
    object_lock(&c->lock);
    fail_all(c, &c->send_q, -EPIPE);
}
