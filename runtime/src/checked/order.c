/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The order in which locks are taken: an edge from each lock that was held to each that was taken meanwhile,
 * by instance, and the search for cycles when an edge is new. Stands on engine.h, misuse.h.
 *
 * Cost model. Most takings repeat an order that was seen before: the locks held, in order, have a hash (the
 * chain), and a chain that was found in order once is found again in the lock's own record or in one shared
 * table, with no lock taken. Only a chain never seen adds edges and searches. (Lockdep's chain cache; by
 * instance, where lockdep has classes, since in C two locks of one class are commonly nested by address or by
 * tree depth.)
 *
 * A cycle counts when its edges can stand in as many threads at one time: no two of them may share a lock
 * that both hold meanwhile (a gate), unless both hold it shared. Such edges exclude each other, and there is
 * no deadlock. */
#include "engine.h"

#include "misuse.h"
#include "stack.h"
#include "symbol.h"

#include <stdio.h>
#include <string.h>

enum {
    CHAINS = 1 << 15,
    ALL_PAIRS_DEPTH = 16,
    SEARCH_STEPS = 20000,
    CYCLE_ROOM = 32,
    LONG_ROOM = 1024,
    VARIANTS = 4
};

static _Atomic uint64_t chains[CHAINS]; /* chains found in order; a hash table that forgets */
static struct edge *free_edges;         /* under engine_lock, as is the next */
static uint32_t search;
static unsigned edges_noted;

static void unlink_edge(struct edge *e) {
    *e->link_out = e->next_out;
    if (e->next_out != NULL)
        e->next_out->link_out = e->link_out;
    *e->link_in = e->next_in;
    if (e->next_in != NULL)
        e->next_in->link_in = e->link_in;
    e->next_out = free_edges;
    free_edges = e;
}

void order_forget(struct lock_record *r) {
    while (r->out != NULL)
        unlink_edge(r->out);
    while (r->in != NULL)
        unlink_edge(r->in);
}

static bool both_shared(uint32_t a, uint32_t b) {
    return (a & b & CHECK_SHARED) != 0;
}

static bool holds(const struct edge *e, const struct lock_record *r, uint32_t mode) {
    if (e->from == r && !both_shared(e->from_mode, mode))
        return true;
    for (uint32_t i = 0; i < e->gate_count; i++)
        if (e->gates[i].record == r && !both_shared(e->gates[i].mode, mode))
            return true;
    return false;
}

/* Can two threads be at these two edges at one time? */
static bool compatible(const struct edge *a, const struct edge *b) {
    if (holds(a, b->from, b->from_mode))
        return false;
    for (uint32_t i = 0; i < b->gate_count; i++)
        if (holds(a, b->gates[i].record, b->gates[i].mode))
            return false;
    return true;
}

/* Can a thread at the end of `a` be blocked there by one that holds what `b` begins with? */
static bool blocks(const struct edge *a, const struct edge *b) {
    return !both_shared(a->to_mode, b->from_mode);
}

struct path {
    struct edge *edges[CYCLE_ROOM];
    unsigned count;
    int steps;
    bool wanted; /* there is a way back, whether or not it was found */
};

/* Extend the path, which ends at path->edges[count-1]->to, until it comes back to `goal`. */
static bool extend(struct path *p, struct lock_record *goal, unsigned longest) {
    struct edge *last = p->edges[p->count - 1];
    for (struct edge *e = last->to->out; e != NULL; e = e->next_out) {
        if (p->steps++ > SEARCH_STEPS)
            return false;
        if (!blocks(last, e))
            continue;
        bool fits = true;
        for (unsigned i = 0; fits && i < p->count; i++)
            fits = e->to != p->edges[i]->to && compatible(p->edges[i], e);
        if (!fits || (e->to == goal && !blocks(e, p->edges[0])))
            continue;
        p->edges[p->count++] = e;
        if (e->to == goal || (p->count < longest && extend(p, goal, longest)))
            return true;
        p->count--;
    }
    return false;
}

/* Is there any way from `from` to `goal`? Each record is looked at once. */
static bool reaches(struct lock_record *from, struct lock_record *goal, int depth) {
    if (from == goal)
        return true;
    if (depth > 500)
        return true; /* not known; the bounded search decides */
    for (struct edge *e = from->out; e != NULL; e = e->next_out)
        if (e->to->mark != search) {
            e->to->mark = search;
            if (reaches(e->to, goal, depth + 1))
                return true;
        }
    return false;
}

/* Where the search by depth finds nothing: the shortest way back, as long as it may be. It counts if threads
 * can be at all of its edges at one time. Returns its length with `fresh`, into long_way, or 0. */
static struct edge *long_way[LONG_ROOM]; /* under engine_lock */
static unsigned find_long_cycle(struct edge *fresh) {
    struct lock_record *see = fresh->to, *last = see, *goal = fresh->from;
    search++;
    see->mark = search;
    see->came_by = fresh;
    see->next_to_see = NULL;
    for (; see != NULL && goal->mark != search; see = see->next_to_see)
        for (struct edge *e = see->out; e != NULL; e = e->next_out)
            if (e->to->mark != search && blocks(see->came_by, e)) {
                e->to->mark = search;
                e->to->came_by = e;
                e->to->next_to_see = NULL;
                last = last->next_to_see = e->to;
            }
    if (goal->mark != search || !blocks(goal->came_by, fresh))
        return 0;
    unsigned count = 0;
    for (struct edge *e = goal->came_by;; e = e->from->came_by) {
        if (count == LONG_ROOM)
            return 0;
        for (unsigned i = 0; i < count; i++)
            if (!compatible(long_way[i], e) || !compatible(e, long_way[i]))
                return 0;
        long_way[count++] = e;
        if (e == fresh)
            return count;
    }
}

static bool find_cycle(struct edge *fresh, struct path *p) {
    search++;
    p->wanted = fresh->to->out != NULL && reaches(fresh->to, fresh->from, 0);
    if (!p->wanted)
        return false;
    for (unsigned longest = 2; longest <= CYCLE_ROOM; longest *= 2) { /* short cycles tell the better story */
        p->edges[0] = fresh;
        p->count = 1;
        p->steps = 0;
        if (extend(p, fresh->from, longest))
            return true;
    }
    return false;
}

static struct edge *new_edge(void) {
    struct edge *e = free_edges;
    if (e != NULL) {
        free_edges = e->next_out;
        memset(e, 0, sizeof *e);
        return e;
    }
    return engine_memory(sizeof *e);
}

unsigned order_edges(void) {
    ilock_take(&engine_lock);
    unsigned n = edges_noted;
    ilock_give(&engine_lock);
    return n;
}

static bool same_gates(const struct edge *a, const struct edge *b) {
    return a->gate_count == b->gate_count &&
           memcmp(a->gates, b->gates, a->gate_count * sizeof *a->gates) == 0;
}

/* Note that t took its newest lock while it held the one at `index`. Under engine_lock. Returns the edge if
 * it is new, with `known` saying whether the pair was there before with other gates and was reported. */
static struct edge *add_edge(struct check_thread *t, unsigned index, const void *const *stack,
                             unsigned frames) {
    struct held *from = &t->held[index], *to = &t->held[t->held_count - 1];
    struct edge wanted;
    memset(&wanted, 0, sizeof wanted);
    for (unsigned i = 0; i < t->held_count - 1 && wanted.gate_count < GATES; i++)
        if (i != index)
            wanted.gates[wanted.gate_count++] = (struct gate){
                held_record(&t->held[i]), held_mode(&t->held[i]) & (CHECK_EXCLUSIVE | CHECK_SHARED)};
    unsigned variants = 0;
    bool reported = false;
    for (struct edge *e = held_record(from)->out; e != NULL; e = e->next_out) {
        if (e->to != held_record(to))
            continue;
        /* An edge with no gates says more than one with some. */
        if (e->gate_count == 0 || same_gates(e, &wanted))
            return NULL;
        reported |= e->reported;
        variants++;
    }
    if (variants >= VARIANTS)
        return NULL;
    struct edge *e = new_edge();
    if (e == NULL)
        return NULL;
    memcpy(e->gates, wanted.gates, sizeof e->gates);
    e->gate_count = wanted.gate_count;
    e->from = held_record(from);
    e->to = held_record(to);
    e->from_mode = held_mode(from) & (CHECK_EXCLUSIVE | CHECK_SHARED);
    e->to_mode = held_mode(to) & (CHECK_EXCLUSIVE | CHECK_SHARED);
    e->from_site = from->site;
    e->to_site = to->site;
    e->frames = frames < STACK_DEPTH ? frames : STACK_DEPTH;
    memcpy(e->stack, stack, e->frames * sizeof *stack);
    if (t->more != NULL && t->more[index].frames != 0) { /* stacks=full */
        e->from_frames = t->more[index].frames;
        memcpy(e->from_stack, t->more[index].stack, e->from_frames * sizeof *stack);
    }
    memcpy(e->thread, t->name, sizeof e->thread);
    e->thread_serial = t->serial;
    e->thread_began = atomic_load_explicit(&t->began, memory_order_relaxed);
    e->by = t;
    e->reported = reported;
    e->next_out = e->from->out;
    e->link_out = &e->from->out;
    if (e->next_out != NULL)
        e->next_out->link_out = &e->next_out;
    e->from->out = e;
    e->next_in = e->to->in;
    e->link_in = &e->to->in;
    if (e->next_in != NULL)
        e->next_in->link_in = &e->next_in;
    e->to->in = e;
    edges_noted++;
    return e;
}

/* Were the threads of two edges kept apart in this run: the same one, or one over before the other began? */
static bool kept_apart(const struct edge *a, const struct edge *b) {
    if (a->thread_serial == b->thread_serial)
        return true;
    const struct edge *first = a->thread_began < b->thread_began ? a : b, *second = first == a ? b : a;
    if (first->by->serial != first->thread_serial)
        return true; /* its record serves another thread by now */
    uint64_t ended = atomic_load_explicit(&first->by->ended, memory_order_relaxed);
    return ended != 0 && ended < second->thread_began;
}

/* `more` orders stand between the last and the one before it. */
static void report_cycle(struct edge *cycle, unsigned count, unsigned more) {
    bool potential = false;
    for (unsigned i = 0; i < count; i++)
        potential |= kept_apart(&cycle[i], &cycle[(i + 1) % count]);
    char from[LOCK_NAME_ROOM], to[LOCK_NAME_ROOM];
    struct misuse *m = misuse_open("lock-order", atomic_load(&cycle[0].to->lock), false);
    lock_words(cycle[0].to, to);
    lock_words(cycle[0].from, from);
    char circle[40] = "the other way round";
    if (count != 2)
        snprintf(circle, sizeof circle, "in a circle of %u orders", count + more);
    misuse_say(m, "%s is taken after %s here, and %s elsewhere%s", to, from, circle,
               potential ? " (potential: in this run the two were never under way at one time)" : "");
    for (unsigned i = 0; i < count; i++) {
        if (more != 0 && i == count - 1)
            misuse_note(m, "and so on, over %u orders more, until", more);
        lock_words(cycle[i].from, from);
        lock_words(cycle[i].to, to);
        misuse_note(m, "thread '%s' held %s, taken here", cycle[i].thread, from);
        if (cycle[i].from_frames != 0)
            misuse_stack(m, cycle[i].from_stack, cycle[i].from_frames);
        else
            misuse_place(m, cycle[i].from_site);
        misuse_note(m, "and took %s", to);
        if (cycle[i].frames != 0)
            misuse_stack(m, cycle[i].stack, cycle[i].frames);
        else
            misuse_place(m, cycle[i].to_site);
    }
    misuse_note(
        m,
        "threads that do this at one time wait for each other for ever: take them in one order everywhere");
    misuse_close(m);
}

/* `pair` is CLASS<CLASS: does it name these two, in this order? */
static bool listed(const char *list, const char *first, const char *second) {
    size_t a = strlen(first), b = strlen(second);
    for (const char *pair = list; *pair != '\0';) {
        size_t length = strcspn(pair, ",");
        if (length == a + b + 1 && memcmp(pair, first, a) == 0 && pair[a] == '<' &&
            memcmp(pair + a + 1, second, b) == 0)
            return true;
        pair += length + (pair[length] == ',');
    }
    return false;
}

static bool exempt(const struct edge *e) {
    return options.lock_order_exempt[0] != '\0' && e->from->name != NULL && e->to->name != NULL &&
           (listed(options.lock_order_exempt, e->from->name, e->to->name) ||
            listed(options.lock_order_exempt, e->to->name, e->from->name));
}

static bool against_declared(const struct edge *e) {
    return options.lock_order_declared[0] != '\0' && e->from->name != NULL && e->to->name != NULL &&
           listed(options.lock_order_declared, e->to->name, e->from->name);
}

static void report_declared(struct edge *e) {
    struct misuse *m = misuse_open("lock-order", atomic_load(&e->to->lock), false);
    misuse_say(m, "lock '%s' is taken after '%s', against the declared order", e->to->name, e->from->name);
    misuse_note(m, "thread '%s' took it", e->thread);
    misuse_stack(m, e->stack, e->frames);
    misuse_close(m);
}

/* The options name static variables as reports do, by their symbols. Done before engine_lock is taken, since
 * symbols need malloc; two threads that do it at one time store equal names. */
static void name_for_options(struct lock_record *r) {
    if ((options.lock_order_exempt[0] == '\0' && options.lock_order_declared[0] == '\0') || r->name != NULL ||
        options.symbolize == 0 || in_signal_handler())
        return;
    struct symbol s;
    symbol_describe(atomic_load_explicit(&r->lock, memory_order_relaxed), 0, true, &s);
    size_t room = strlen(s.function) + 1;
    char *name = room > 1 && s.into == 0 ? engine_memory(room) : NULL;
    if (name != NULL) {
        memcpy(name, s.function, room);
        __atomic_store_n(&r->name, name, __ATOMIC_RELEASE);
    }
}

void order_taken(struct check_thread *t) {
    struct held *newest = &t->held[t->held_count - 1];
    _Atomic uint64_t *slot = &chains[newest->chain % CHAINS];
    if (atomic_load_explicit(slot, memory_order_relaxed) == newest->chain) {
        atomic_store_explicit(&held_record(newest)->last_chain, newest->chain, memory_order_relaxed);
        return;
    }
    if (t->inside != 0 || options.lock_order == 0)
        return;
    held_forget_dead(t); /* one that is held no more serialises nothing */
    if (t->held_count < 2)
        return;
    newest = &t->held[t->held_count - 1];
    slot = &chains[newest->chain % CHAINS];
    if (!(held_mode(newest) & CHECK_TRIED)) { /* who does not wait can close no circle */
        t->inside++;
        for (unsigned i = 0; i < t->held_count; i++)
            name_for_options(held_record(&t->held[i]));
        const void *stack[STACK_DEPTH];
        unsigned frames =
            strcmp(options.stacks, "none") == 0 ? 0 : stack_take(newest->site, stack, STACK_DEPTH);
        struct edge copy[CYCLE_ROOM];
        unsigned cycle = 0, more = 0;
        bool declared = false;
        struct class_hint hint[HINT_ROOM];
        unsigned hinted = 0;
        ilock_take(&engine_lock);
        for (unsigned i = t->held_count - 1; i-- > 0;) {
            struct edge *fresh = add_edge(t, i, stack, frames);
            struct path p;
            if (fresh != NULL && cycle == 0 && !declared && !fresh->reported && !exempt(fresh)) {
                if (against_declared(fresh)) {
                    declared = true;
                    copy[0] = *fresh;
                    fresh->reported = true;
                } else if (find_cycle(fresh, &p)) {
                    cycle = p.count;
                    for (unsigned k = 0; k < cycle; k++) {
                        copy[k] = *p.edges[k];
                        p.edges[k]->reported = true;
                    }
                } else if (p.wanted && (cycle = find_long_cycle(fresh)) != 0) {
                    /* long_way leads back from the end, and the fresh edge is its last. */
                    for (unsigned k = 0; k < cycle; k++)
                        long_way[k]->reported = true;
                    more = cycle > CYCLE_ROOM ? cycle - CYCLE_ROOM : 0;
                    cycle -= more;
                    for (unsigned k = 0; k + 1 < cycle; k++)
                        copy[k] = *long_way[cycle + more - 1 - k];
                    copy[cycle - 1] = *long_way[0];
                } else if (hinted == 0) {
                    hinted = classes_note(fresh, hint);
                }
            }
            /* Deep nests: what the nearest lock taken by waiting implies is not repeated for each lock below
             * it. */
            if (t->held_count > ALL_PAIRS_DEPTH && !(held_mode(&t->held[i]) & (CHECK_TRIED | CHECK_SHARED)))
                break;
        }
        ilock_give(&engine_lock);
        if (declared)
            report_declared(&copy[0]);
        else if (cycle != 0)
            report_cycle(copy, cycle, more);
        else if (hinted != 0)
            classes_report(hint, hinted);
        t->inside--;
    }
    atomic_store_explicit(slot, newest->chain, memory_order_relaxed);
    atomic_store_explicit(&held_record(newest)->last_chain, newest->chain, memory_order_relaxed);
}
