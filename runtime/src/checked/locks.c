/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What happens on each lock operation: the held list, the owner, and the rules that one look at them decides.
 * Stands on engine.h. The first lines of check_acquired and check_release are what a checked lock costs. */
#include "engine.h"

#include "misuse.h"
#include "stack.h"
#include "tsan.h"

#include <string.h>

/* An id nobody gives out: the lock was destroyed. */
#define DESTROYED UINT32_C(0xdeadd1ed)

static bool in_checker(void) {
    return check_self != NULL && check_self->inside != 0;
}

/* Does the id field name another lock's record, or none: a copy, no lock at all, or one destroyed? Not when
 * another thread meets us at the lock's first use and writes it between our two looks. */
static bool strange(const void *lock, const uint32_t *id) {
    uint32_t seen = id != NULL ? __atomic_load_n(id, __ATOMIC_RELAXED) : 0;
    return seen != 0 && record_by_id(lock, seen) == NULL &&
           record_by_id(lock, __atomic_load_n(id, __ATOMIC_RELAXED)) == NULL;
}

/* The lock's id field names no record of this lock: it is strange, or was never seen before. With `waits` the
 * caller found it taken: a wait for such a lock would be for ever, so then the report is fatal. */
static struct lock_record *record_slow(enum check_kind kind, const void *lock, uint32_t *id,
                                       const void *caller, bool waits) {
    if (in_checker())
        return NULL;
    struct check_thread *t = thread_self();
    if (id == NULL) {
        struct lock_record *r = record_by_address(lock);
        return r != NULL ? r : record_new(kind, lock, NULL, NULL, caller, false);
    }
    uint32_t seen = __atomic_load_n(id, __ATOMIC_RELAXED);
    struct lock_record *met = record_by_id(lock, seen);
    if (met != NULL)
        return met; /* another thread met us at the lock's first use, and was faster */
    if (seen != 0) {
        const void *other = seen < lock_record_limit ? atomic_load(&lock_records[seen].lock) : NULL;
        t->inside++;
        if (seen == DESTROYED)
            misuse_report("uninitialised-lock", lock, waits, caller,
                          "thread '%s' uses a %s that was destroyed", t->name, kind_words(kind));
        else if (other != NULL)
            misuse_report("copy", lock, waits, caller,
                          "thread '%s' uses a %s at %p that is a copy of the one at %p: initialise each",
                          t->name, kind_words(kind), lock, other);
        else
            misuse_report("uninitialised-lock", lock, waits, caller,
                          "thread '%s' uses a %s that was never initialised", t->name, kind_words(kind));
        t->inside--;
    }
    return record_new(kind, lock, id, NULL, caller, false);
}

static inline struct lock_record *record_of(enum check_kind kind, const void *lock, uint32_t *id,
                                            const void *caller) {
    if (id != NULL) {
        struct lock_record *r = record_by_id(lock, __atomic_load_n(id, __ATOMIC_RELAXED));
        if (AGLET_LIKELY(r != NULL))
            return r;
    }
    return record_slow(kind, lock, id, caller, false);
}

/* Take the entry out of the middle: the chains after it are of other locks held now. */
void held_take_out(struct check_thread *t, struct held *h) {
    for (unsigned i = (unsigned)(h - t->held); i + 1 < t->held_count; i++) {
        t->held[i] = t->held[i + 1];
        t->held[i].chain = order_chain(held_before(t, i), held_record(&t->held[i]), held_mode(&t->held[i]));
        if (t->more != NULL)
            t->more[i] = t->more[i + 1];
    }
    t->held_count--;
}

static void report_still_held(const char *rule, const char *what, struct lock_record *r, const void *lock,
                              const void *caller) {
    struct check_thread *t = thread_self(), *owner = atomic_load(&r->owner);
    char words[LOCK_NAME_ROOM];
    t->inside++;
    struct misuse *m = misuse_open(rule, lock, false);
    lock_words(r, words);
    if (owner != NULL) {
        misuse_say(m, "%s %s while thread '%s' holds it", words, what, thread_name(owner));
        struct held *h = owner == t ? held_find(t, r, CHECK_EXCLUSIVE) : NULL;
        if (h != NULL)
            note_here(m, "it was taken", h->site);
    } else {
        misuse_say(m, "%s %s while thread '%s' holds it for reading", words, what, t->name);
    }
    note_here(m, what, caller);
    misuse_close(m);
    t->inside--;
}

static bool runs(const struct check_thread *t) {
    return atomic_load_explicit(&t->state, memory_order_acquire) == THREAD_RUNS;
}

void check_init(enum check_kind kind, const void *lock, uint32_t *id, const char *name, const void *caller) {
    if (in_checker())
        return;
    struct lock_record *old = record_by_address(lock);
    struct check_thread *holder = old != NULL ? atomic_load(&old->owner) : NULL;
    if (holder != NULL && runs(holder)) /* in a child of fork, others hold nothing any more */
        report_still_held("destroy-held", "is initialised again", old, lock, caller);
    if (id != NULL)
        __atomic_store_n(id, 0, __ATOMIC_RELAXED);
    record_new(kind, lock, id, name, caller, true);
    tsan_create(lock);
}

void check_destroy(enum check_kind kind, const void *lock, uint32_t *id, const void *caller) {
    if (in_checker())
        return;
    struct lock_record *r =
        id != NULL ? record_by_id(lock, __atomic_load_n(id, __ATOMIC_RELAXED)) : record_by_address(lock);
    if (r == NULL && id != NULL && __atomic_load_n(id, __ATOMIC_RELAXED) != 0)
        r = record_slow(kind, lock, id, caller, false); /* says what it is */
    struct check_thread *t = thread_self();
    if (r != NULL) {
        struct check_thread *waiter = waits_for(r, CHECK_EXCLUSIVE);
        if (atomic_load(&r->owner) != NULL || held_find(t, r, CHECK_EXCLUSIVE | CHECK_SHARED) != NULL)
            report_still_held("destroy-held", "is destroyed", r, lock, caller);
        else if (waiter != NULL)
            misuse_report("destroy-held", lock, false, caller,
                          "a %s is destroyed while thread '%s' waits for it", kind_words(kind),
                          thread_name(waiter));
        struct held *h = held_find(t, r, CHECK_EXCLUSIVE | CHECK_SHARED);
        if (h != NULL) {
            tsan_unlock(lock, (int)held_mode(h));
            held_take_out(t, h);
        }
        record_free(r);
    }
    if (id != NULL)
        __atomic_store_n(id, DESTROYED, __ATOMIC_RELAXED);
    tsan_destroy(lock);
}

bool held_wants_more;
bool (*async_beside_taken)(struct check_thread *t);

__attribute__((constructor(102))) static void read_options(void) {
    held_wants_more = strcmp(options.stacks, "full") == 0 || options.max_hold_ms != 0 || tsan_here();
}

/* What some options want kept of a lock that was just taken. */
void held_note_more(struct check_thread *t) {
    if (t->more == NULL && (t->more = engine_memory(t->held_room * sizeof *t->more)) == NULL)
        return;
    struct held_more *more = &t->more[t->held_count - 1];
    more->since = options.max_hold_ms != 0 ? aglet_now() : 0;
    more->frames = strcmp(options.stacks, "full") == 0
                       ? stack_take(t->held[t->held_count - 1].site, more->stack, STACK_DEPTH)
                       : 0;
}

/* t has it, and a thread that did not give it had it: so its bytes were overwritten. */
static void taken_from(struct check_thread *t, const struct lock_record *r, const struct check_thread *holder,
                       const void *lock, const void *caller) {
    struct held *mine = holder == t ? held_find(t, r, CHECK_EXCLUSIVE) : NULL;
    if (!runs(holder) || (holder == t && mine == NULL))
        return;
    t->inside++;
    misuse_report("uninitialised-lock", lock, false, caller,
                  "the %s at %p was overwritten while thread '%s' held it", kind_words(r->kind), lock,
                  thread_name(holder));
    t->inside--;
    if (mine != NULL)
        held_take_out(t, mine);
}

void check_acquired(enum check_kind kind, int mode, const void *lock, uint32_t *id, const void *caller) {
    struct check_thread *t = thread_self();
    tsan_locked(lock, mode);
    if (AGLET_UNLIKELY(t->inside != 0))
        return;
    struct lock_record *r = record_of(kind, lock, id, caller);
    if (AGLET_UNLIKELY(r == NULL || r->left_alone))
        return;
    if (mode & CHECK_EXCLUSIVE) {
        if (AGLET_UNLIKELY(kind == CHECK_RECURSIVE) &&
            atomic_load_explicit(&r->owner, memory_order_relaxed) == t) {
            struct held *h = held_find(t, r, CHECK_EXCLUSIVE);
            if (h != NULL) {
                h->again++;
                return;
            }
        }
        struct check_thread *holder = atomic_load_explicit(&r->owner, memory_order_relaxed);
        if (AGLET_UNLIKELY(holder != NULL))
            taken_from(t, r, holder, lock, caller);
        atomic_store_explicit(&r->owner, t, memory_order_relaxed);
    }
    unsigned n = t->held_count;
    if (AGLET_UNLIKELY(n == t->held_room) && !held_grow(t)) {
        t->lost++;
        return;
    }
    struct held *h = &t->held[n];
    h->record_and_mode = held_tag(r, mode);
    h->site = caller;
    h->again = 0;
    h->task = t->task;
    h->chain = order_chain(held_before(t, n), r, (uint32_t)mode);
    t->held_count = n + 1;
    if (AGLET_UNLIKELY(held_wants_more))
        held_note_more(t);
    if (AGLET_UNLIKELY(t->beside != NULL) && async_beside_taken(t))
        return; /* that has looked at these locks and the async ones together: each is a gate to the others */
    if (n != 0 && atomic_load_explicit(&r->last_chain, memory_order_relaxed) != h->chain)
        order_taken(t);
}

static void report_unheld(struct check_thread *t, struct lock_record *r, const void *lock, int mode,
                          const void *caller) {
    char words[LOCK_NAME_ROOM];
    struct check_thread *owner = atomic_load(&r->owner);
    t->inside++;
    struct misuse *m = misuse_open("unlock-unheld", lock, false);
    lock_words(r, words);
    struct held *other = held_find(t, r, CHECK_EXCLUSIVE | CHECK_SHARED);
    if (other != NULL)
        misuse_say(m, "thread '%s' gives %s, held %s, as if held %s", t->name, words,
                   mode_words((int)held_mode(other)), mode_words(mode));
    else if (owner != NULL)
        misuse_say(m, "thread '%s' gives %s, which thread '%s' holds", t->name, words, thread_name(owner));
    else
        misuse_say(m, "thread '%s' gives %s, which it does not hold", t->name, words);
    note_here(m, "it is given", caller);
    if (other != NULL)
        note_here(m, "it was taken", other->site);
    misuse_close(m);
    t->inside--;
}

static void report_long_hold(struct check_thread *t, const struct held *h, aglet_time held_for,
                             const void *caller) {
    char words[LOCK_NAME_ROOM];
    t->inside++;
    struct misuse *m = misuse_open("long-hold", atomic_load(&held_record(h)->lock), false);
    misuse_say(m, "thread '%s' held %s for %ld ms; max_hold_ms is %ld", t->name,
               lock_words(held_record(h), words), (long)(held_for / 1000000), options.max_hold_ms);
    note_here(m, "it was taken", h->site);
    note_here(m, "and is given", caller);
    misuse_close(m);
    t->inside--;
}

bool check_release(enum check_kind kind, int mode, const void *lock, uint32_t *id, const void *caller) {
    struct check_thread *t = thread_self();
    bool odd = t->inside == 0 && strange(lock, id);
    struct lock_record *r = record_of(kind, lock, id, caller);
    if (AGLET_UNLIKELY(odd)) /* that was said; that it is not held is no news */
        return false;
    if (AGLET_UNLIKELY(r == NULL || r->left_alone)) {
        tsan_unlock(lock, mode);
        return true;
    }
    unsigned n = t->held_count;
    struct held *h = n != 0 ? &t->held[n - 1] : NULL;
    if (AGLET_UNLIKELY(h == NULL || held_record(h) != r || !(held_mode(h) & (uint32_t)mode))) {
        h = held_find(t, r, mode);
        if (h == NULL && (t->inside != 0 || t->lost != 0)) { /* taken while nothing was noted */
            if (t->inside == 0)
                t->lost--;
            else
                misuse_warn(
                    "a lock was given in the middle of a report; that is not checked, and was left out");
            if (mode & CHECK_EXCLUSIVE)
                atomic_store_explicit(&r->owner, NULL, memory_order_relaxed);
            return true;
        }
        if (h == NULL) {
            report_unheld(t, r, lock, mode, caller);
            return false;
        }
    }
    if (AGLET_UNLIKELY(h->again != 0)) {
        h->again--;
        return true;
    }
    if (AGLET_UNLIKELY(options.max_hold_ms != 0) && t->more != NULL) {
        aglet_time held_for = aglet_now() - t->more[h - t->held].since;
        if (held_for > options.max_hold_ms * (aglet_time)1000000)
            report_long_hold(t, h, held_for, caller);
    }
    if (mode & CHECK_EXCLUSIVE)
        atomic_store_explicit(&r->owner, NULL, memory_order_relaxed);
    if (AGLET_LIKELY(h == &t->held[n - 1]))
        t->held_count = n - 1;
    else
        held_take_out(t, h);
    tsan_unlock(lock, mode);
    return true;
}

/* A deadline that has passed makes a try of it, and no wait. */
static bool waits_in_vain(aglet_time deadline) {
    return deadline == AGLET_FOREVER || deadline > aglet_now();
}

/* Fatal where the wait would be for ever. */
static void report_double(struct check_thread *t, struct lock_record *r, const void *lock, struct held *h,
                          const char *rule, const char *sentence, aglet_time deadline, const void *caller) {
    char words[LOCK_NAME_ROOM];
    t->inside++;
    struct misuse *m = misuse_open(rule, lock, deadline == AGLET_FOREVER);
    misuse_say(m, "thread '%s' %s %s, which it holds already%s", t->name, sentence, lock_words(r, words),
               deadline == AGLET_FOREVER ? "" : ": the wait ends at its deadline, in vain");
    note_here(m, "it is taken again", caller);
    misuse_note(m, "it was taken here");
    note_taken(m, t, h);
    misuse_close(m);
    t->inside--;
}

bool check_before_shared(enum check_kind kind, const void *lock, uint32_t *id, aglet_time deadline,
                         const void *caller) {
    struct check_thread *t = check_self;
    if (AGLET_LIKELY(t == NULL || t->held_count == 0) || t->inside != 0)
        return true;
    struct lock_record *r = record_of(kind, lock, id, caller);
    struct held *h = r != NULL ? held_find(t, r, CHECK_EXCLUSIVE | CHECK_SHARED) : NULL;
    if (AGLET_LIKELY(h == NULL))
        return true;
    bool reads = (held_mode(h) & CHECK_SHARED) != 0;
    if (!reads && deadline != AGLET_FOREVER)
        return true; /* check_wait_begin is next */
    report_double(t, r, lock, h, "double-lock",
                  reads ? "takes for reading a second time" : "takes for reading", AGLET_FOREVER, caller);
    return false;
}

bool check_holds(enum check_kind kind, const void *lock, const void *caller) {
    struct check_thread *t = thread_self();
    struct lock_record *r = t->inside == 0 && t->lost == 0 ? record_of(kind, lock, NULL, caller) : NULL;
    return r == NULL || held_find(t, r, CHECK_EXCLUSIVE | CHECK_SHARED) != NULL;
}

void check_leave_alone(const void *lock) {
    struct lock_record *r = record_by_address(lock);
    if (r != NULL)
        r->left_alone = true;
}

bool check_wait_begin(enum check_kind kind, int mode, const void *lock, uint32_t *id, aglet_time deadline,
                      const void *caller) {
    struct check_thread *t = thread_self();
    if (t->inside != 0)
        return true;
    bool odd = strange(lock, id);
    struct lock_record *r = odd ? record_slow(kind, lock, id, caller, deadline == AGLET_FOREVER)
                                : record_of(kind, lock, id, caller);
    if (odd && deadline == AGLET_FOREVER)
        return false;
    if (r == NULL || r->left_alone)
        return true;
    struct held *h = kind == CHECK_RECURSIVE ? NULL : held_find(t, r, CHECK_EXCLUSIVE | CHECK_SHARED);
    if (h != NULL && waits_in_vain(deadline)) {
        if ((held_mode(h) & CHECK_SHARED) && (mode & CHECK_EXCLUSIVE))
            report_double(t, r, lock, h, "deadlock", "takes for writing, and so waits for itself,", deadline,
                          caller);
        else
            report_double(t, r, lock, h, "double-lock", "takes", deadline, caller);
        if (deadline == AGLET_FOREVER)
            return false;
    }
    waits_publish(t, CHECK_ON_LOCK, mode, r, deadline, caller);
    if (deadline == AGLET_FOREVER && !waits_check(t)) {
        waits_end(t);
        return false;
    }
    return true;
}

void check_wait_end(bool taken) {
    (void)taken;
    waits_end(thread_self());
}

void check_assert_held(enum check_kind kind, int mode, const void *lock, const uint32_t *id,
                       const void *caller) {
    struct check_thread *t = thread_self();
    if (t->inside != 0)
        return;
    if (strange(lock, id)) {
        record_slow(kind, lock, (uint32_t *)(uintptr_t)id, caller, false);
        return;
    }
    struct lock_record *r = record_by_id(lock, __atomic_load_n(id, __ATOMIC_RELAXED));
    int enough = mode & CHECK_SHARED ? CHECK_SHARED | CHECK_EXCLUSIVE : CHECK_EXCLUSIVE;
    if (r != NULL && held_find(t, r, enough) != NULL)
        return;
    char words[LOCK_NAME_ROOM];
    t->inside++;
    struct misuse *m = misuse_open("requires", lock, false);
    if (r != NULL)
        misuse_say(m, "thread '%s' must hold %s here and does not", t->name, lock_words(r, words));
    else
        misuse_say(m, "thread '%s' must hold the %s at %p here and nobody ever took it", t->name,
                   kind_words(kind), lock);
    note_here(m, "it is needed", caller);
    note_held(m, t, true);
    misuse_close(m);
    t->inside--;
}

void held_forget_dead(struct check_thread *t) {
    for (unsigned i = t->held_count; i-- > 0;)
        if (atomic_load_explicit(&held_record(&t->held[i])->lock, memory_order_relaxed) == NULL)
            held_take_out(t, &t->held[i]);
}

unsigned check_yield(const void *caller) {
    struct check_thread *t = check_self;
    if (AGLET_LIKELY(t == NULL || t->held_count == 0))
        return 0;
    if (t->inside == 0)
        held_forget_dead(t);
    const struct held *newest = NULL;
    unsigned n = 0;
    for (unsigned i = 0; i < t->held_count; i++)
        if (held_is_own(t, &t->held[i])) {
            newest = &t->held[i];
            n++;
        }
    if (newest == NULL || t->inside != 0)
        return n;
    char words[LOCK_NAME_ROOM];
    t->inside++;
    struct misuse *m = misuse_open("lock-across-yield", atomic_load(&held_record(newest)->lock), false);
    misuse_say(m,
               "task %llu is suspended with %s held, and others run with it held; give it first, or use an "
               "async lock",
               (unsigned long long)t->task, lock_words(held_record(newest), words));
    note_here(m, "the task is suspended", caller);
    note_held(m, t, false);
    misuse_close(m);
    t->inside--;
    return n;
}
