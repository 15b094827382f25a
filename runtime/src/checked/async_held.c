/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Who holds which lock: for dumps. Async locks may be held while a task waits: a table by address, whose
 * entries are used again. Thread locks may not, but are shown where they are all the same. Stands on engine.h,
 * task_check.h. */
#include "engine.h"
#include "task_check.h"
#include "task_lock.h"

enum { BUCKETS = 256 };

struct hold {
    struct hold *next;
    const void *object, *site;
    const char *what;
    uint64_t task; /* its id; a thread's number where no task took it */
};

static struct bucket {
    struct slock lock;
    struct hold *list, *spare; /* under lock */
} table[BUCKETS];

static struct bucket *bucket_of(const void *object) {
    return &table[((uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15)) >> 56];
}

void check_async_taken(const void *object, const char *what, uint64_t task, const void *site) {
    struct bucket *b = bucket_of(object);
    slock_lock(&b->lock);
    struct hold *h = b->spare;
    if (h)
        b->spare = h->next;
    else
        h = engine_memory(sizeof *h);
    if (h) {
        *h = (struct hold){b->list, object, site, what, task};
        b->list = h;
    }
    slock_unlock(&b->lock);
}

/* The lock belongs to the code: where another task gives it, the oldest hold goes. */
void check_async_given(const void *object, uint64_t task) {
    struct bucket *b = bucket_of(object);
    struct hold **found = NULL;
    slock_lock(&b->lock);
    for (struct hold **at = &b->list; *at; at = &(*at)->next)
        if ((*at)->object == object) {
            found = at;
            if ((*at)->task == task)
                break;
        }
    if (found) {
        struct hold *h = *found;
        *found = h->next;
        h->next = b->spare;
        b->spare = h;
    }
    slock_unlock(&b->lock);
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
    for (unsigned i = 0; i < BUCKETS; i++) {
        struct hold found[4];
        unsigned n = 0;
        slock_lock(&table[i].lock);
        for (struct hold *h = table[i].list; h && n < 4; h = h->next)
            if (h->task == trace->id)
                found[n++] = *h;
        slock_unlock(&table[i].lock);
        while (n-- > 0) {
            dump_say(out, "    holds %s %p, taken here\n", found[n].what, found[n].object);
            dump_frame(out, 0, found[n].site);
        }
    }
}
