/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Who waits for which async lock, for circles of those who wait: a table by who waits, whose entries are used again. And
 * what dumps show of locks that are held: thread locks may not be held while a task waits, but are shown where they are
 * all the same. Stands on all_wait.h, async_locks.c, task_lock.h. */
#include "all_wait.h"
#include "misuse.h"
#include "symbol.h"
#include "task_lock.h"

#include <stdio.h>

enum { BUCKETS = 256 };

struct entry {
    struct entry *next;
    struct async_hold hold;
};

struct bucket {
    struct slock lock;
    struct entry *list, *spare; /* under lock */
};

static struct bucket waits[BUCKETS];
static _Atomic uint64_t serials;

static struct bucket *bucket_of(uint64_t key) {
    return &waits[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 56];
}

static void put(struct bucket *b, const struct async_hold *hold) {
    slock_lock(&b->lock);
    struct entry *e = b->spare;
    if (e)
        b->spare = e->next;
    else
        e = engine_memory(sizeof *e);
    if (e) {
        *e = (struct entry){b->list, *hold};
        b->list = e;
    }
    slock_unlock(&b->lock);
}

/* Under the lock: the entry that *at points to is free. */
static void take_out(struct bucket *b, struct entry **at) {
    struct entry *e = *at;
    *at = e->next;
    e->next = b->spare;
    b->spare = e;
}

void check_async_unheld(const void *object, const char *what, const void *caller) {
    char words[LOCK_NAME_ROOM];
    struct misuse *m = misuse_open("unlock-unheld", object, false);
    misuse_say(m, "%s is given, which nobody holds",
               async_words(&(struct async_hold){.object = object, .what = what}, words));
    note_here(m, "it is given", caller);
    misuse_close(m);
}

void check_async_waits(const void *object, const char *what, const void *site) {
    uint64_t who = check_who(), serial = atomic_fetch_add(&serials, 1);
    put(bucket_of(who), &(struct async_hold){object, site, what, task_self(), who, serial});
}

void check_async_waits_no_more(void) {
    uint64_t who = check_who();
    struct bucket *b = bucket_of(who);
    slock_lock(&b->lock);
    for (struct entry **at = &b->list; *at; at = &(*at)->next)
        if ((*at)->hold.who == who) {
            take_out(b, at);
            break;
        }
    slock_unlock(&b->lock);
}

bool async_wait_of(uint64_t who, struct async_hold *out) {
    struct bucket *b = bucket_of(who);
    bool found = false;
    slock_lock(&b->lock);
    for (const struct entry *e = b->list; e && !found; e = e->next)
        if ((found = e->hold.who == who))
            *out = e->hold;
    slock_unlock(&b->lock);
    return found;
}

unsigned async_waits(struct async_hold *out, unsigned room) {
    unsigned n = 0;
    for (unsigned i = 0; i < BUCKETS && n < room; i++) {
        slock_lock(&waits[i].lock);
        for (const struct entry *e = waits[i].list; e && n < room; e = e->next)
            out[n++] = e->hold;
        slock_unlock(&waits[i].lock);
    }
    return n;
}

const char *async_words(const struct async_hold *h, char out[LOCK_NAME_ROOM]) {
    struct symbol s;
    symbol_describe(h->object, 0, options.symbolize != 0, &s);
    if (s.function[0] == '\0')
        snprintf(out, LOCK_NAME_ROOM, "%s %p", h->what, h->object);
    else if (s.into == 0)
        snprintf(out, LOCK_NAME_ROOM, "%s '%.100s'", h->what, s.function);
    else
        snprintf(out, LOCK_NAME_ROOM, "%s '%.100s'+%lu", h->what, s.function, s.into);
    return out;
}

void check_trace_held(struct trace *trace) {
    const struct check_thread *t = check_self;
    for (unsigned i = 0; t && i < t->held_count && trace->held_n < TRACE_LOCKS; i++)
        if (t->held[i].task == trace->id) {
            trace->held[trace->held_n].lock = t->held[i].record_and_mode;
            trace->held[trace->held_n++].site = t->held[i].site;
        }
}

void check_print_held(const struct trace *trace, struct dump_text *out) {
    for (unsigned i = 0; i < trace->held_n; i++) {
        char words[LOCK_NAME_ROOM];
        struct held h = {.record_and_mode = trace->held[i].lock};
        dump_say(out, "    holds %s, taken here\n", lock_words(held_record(&h), words));
        dump_frame(out, 0, trace->held[i].site);
    }
    struct async_hold found[TRACE_LOCKS];
    for (unsigned n = async_held_by(trace->id, found, TRACE_LOCKS); n-- > 0;) {
        dump_say(out, "    holds %s %p, taken here\n", found[n].what, found[n].object);
        dump_frame(out, 0, found[n].site);
    }
}
