/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Broadcast and watch: a ring with a running number, in which each receiver keeps its own place.
 * Stands on task_sleep.h, and on chan.h for what a dropped handle is told. */
#include "chan_bus.h"
#include "chan.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

struct aglet_bus {
    struct slock lock;
    uint32_t senders, receivers; /* under lock, as all below */
    uint64_t sent;               /* number of the next value; a receiver's place is the number it wants */
    size_t item, capacity;
    struct waitq q;
    _Alignas(16) unsigned char ring[];
};

aglet_bus *aglet_bus_new_(size_t item, size_t capacity) {
    size_t ring;
    if (capacity < 1)
        capacity = 1;
    if (__builtin_mul_overflow(item, capacity, &ring) || ring > SIZE_MAX / 2)
        return NULL;
    aglet_bus *b = calloc(1, sizeof *b + ring);
    if (!b)
        return NULL;
    b->senders = 1;
    b->item = item;
    b->capacity = capacity;
    return b;
}

void aglet_bus_hold_(aglet_bus *b, bool sender) {
    if (!b) {
        (void)chan_dropped("subscribe", CALLER());
        return;
    }
    object_lock(&b->lock);
    if (sender)
        b->senders++;
    else
        b->receivers++;
    object_unlock(&b->lock);
}

/* Wake all who wait. Takes over the lock and gives it; wakes under it, so that nobody frees the bus
 * meanwhile. */
static void wake_all(aglet_bus *b) {
    struct wake wakes[32];
    unsigned n = 0;
    struct waiter *w;
    while ((w = waitq_pop(&b->q))) {
        w->result = 0;
        wakes[n++] = sleeper_fire(w->sleeper);
        if (n == 32)
            while (n > 0)
                wake_send(wakes[--n]);
    }
    object_unlock(&b->lock);
    while (n > 0)
        wake_send(wakes[--n]);
}

void aglet_bus_drop_(aglet_bus *b, bool sender) {
    if (!b)
        return;
    object_lock(&b->lock);
    if (sender)
        b->senders--;
    else
        b->receivers--;
    bool last = !b->senders && !b->receivers;
    if (!b->senders)
        wake_all(b);
    else
        object_unlock(&b->lock);
    if (last)
        free(b);
}

int aglet_bus_send_(aglet_bus *b, const void *item) {
    if (!b)
        return chan_dropped("send", CALLER());
    object_lock(&b->lock);
    memcpy(b->ring + (b->sent % b->capacity) * b->item, item, b->item);
    b->sent++;
    wake_all(b);
    return 0;
}

uint64_t aglet_bus_now_(aglet_bus *b) {
    if (!b) /* aglet_bus_hold_ tells of it. */
        return 0;
    object_lock(&b->lock);
    uint64_t now = b->sent;
    object_unlock(&b->lock);
    return now;
}

/* -EAGAIN: nothing new. The lock is held. */
static int take_next(aglet_bus *b, uint64_t *at, void *item, bool latest) {
    if (*at >= b->sent)
        return b->senders ? -EAGAIN : -EPIPE;
    uint64_t oldest = b->sent > b->capacity ? b->sent - b->capacity : 0;
    if (latest) {
        *at = b->sent - 1;
    } else if (*at < oldest) {
        *at = oldest;
        return -EOVERFLOW;
    }
    memcpy(item, b->ring + (*at % b->capacity) * b->item, b->item);
    ++*at;
    return 0;
}

int bus_recv_begin(const struct bus_place *p, void *item, struct waiter *w) {
    object_lock(&p->bus->lock);
    int error = take_next(p->bus, p->at, item, p->latest);
    if (error == -EAGAIN && w)
        waitq_push(&p->bus->q, w);
    object_unlock(&p->bus->lock);
    return error;
}

bool bus_recv_link(const struct bus_place *p, struct waiter *w) {
    object_lock(&p->bus->lock);
    bool wait = *p->at >= p->bus->sent && p->bus->senders;
    if (wait)
        waitq_push(&p->bus->q, w);
    object_unlock(&p->bus->lock);
    return wait;
}

bool bus_recv_unlink(const struct bus_place *p, struct waiter *w) {
    object_lock(&p->bus->lock);
    bool linked = w->linked;
    if (linked)
        waitq_remove(&p->bus->q, w);
    object_unlock(&p->bus->lock);
    return linked;
}

int aglet_bus_recv_(aglet_bus *b, uint64_t *at, void *item, aglet_time deadline, bool latest) {
    if (!b)
        return chan_dropped("receive", CALLER());
    const struct bus_place place = {b, at, latest};
    int error = deadline ? await_begin("bus recv", CALLER()) : 0;
    if (error)
        return error;
    for (;;) {
        struct sleeper s;
        sleeper_init(&s);
        struct waiter w = {.sleeper = &s};
        error = bus_recv_begin(&place, item, deadline ? &w : NULL);
        if (error != -EAGAIN) {
            if (deadline)
                task_spend();
            return error;
        }
        if (!deadline)
            return -ETIMEDOUT;
        error = sleeper_wait(&s, deadline, "bus recv");
        if (error && bus_recv_unlink(&place, &w))
            return error;
    }
}
