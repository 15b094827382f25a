/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The order in which locks are taken: an edge from each lock that was held to each that was taken meanwhile,
 * by instance, and what is said of the circles they close (cycles.c finds them). Stands on engine.h, misuse.h.
 *
 * Cost model. Most takings repeat an order that was seen before: the locks held, in order, have a hash (the
 * chain), and a chain that was found in order once is found again in the lock's own record or in one shared
 * table, with no lock taken. Only a chain never seen adds edges and searches. (Lockdep's chain cache; by
 * instance, where lockdep has classes, since in C two locks of one class are commonly nested by address or by
 * tree depth.)
 */
#include "engine.h"

#include "misuse.h"
#include "stack.h"
#include "symbol.h"

#include <stdio.h>
#include <string.h>

enum { CHAINS = 1 << 15, ALL_PAIRS_DEPTH = 16, VARIANTS = 4 };

static _Atomic uint64_t chains[CHAINS]; /* chains found in order; a hash table that forgets */
static struct edge *free_edges;         /* linked by next_free, under engine_lock, as is the next */
static unsigned edges_noted;

static void forget_edge(struct edge *e) {
    cycle_remove(e);
    e->next_free = free_edges;
    free_edges = e;
}

void order_forget(struct lock_record *r) {
    while (r->node.out != NULL)
        forget_edge(edge_of(r->node.out));
    while (r->node.in != NULL)
        forget_edge(edge_of(r->node.in));
}

static struct edge *new_edge(void) {
    struct edge *e = free_edges;
    if (e != NULL) {
        free_edges = e->next_free;
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

/* The edge to be added for t having taken its newest lock while it held the one at `index`; NULL where it is
 * there, or no memory for it. Under engine_lock. It counts as reported where the pair was, with other gates. */
static struct edge *edge_to_add(struct check_thread *t, unsigned index, const void *const *stack,
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
    for (const struct edge *e = NULL; (e = cycle_edge(held_record(from), held_record(to), e)) != NULL;) {
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
    e->arc.from = &held_record(from)->node;
    e->arc.to = &held_record(to)->node;
    e->from_mode = held_mode(from) & (CHECK_EXCLUSIVE | CHECK_SHARED);
    e->to_mode = held_mode(to) & (CHECK_EXCLUSIVE | CHECK_SHARED);
    e->from_chain = held_before(t, index + 1);
    e->to_chain = to->chain;
    e->from_site = from->site;
    e->to_site = to->site;
    e->frames = frames < STACK_DEPTH ? frames : STACK_DEPTH;
    memcpy(e->stack, stack, e->frames * sizeof *stack);
    if (t->more != NULL && t->more[index].frames != 0) { /* stacks=full */
        e->from_frames = t->more[index].frames;
        memcpy(e->from_stack, t->more[index].stack, e->from_frames * sizeof *stack);
    }
    struct check_thread *by = t->stands_for != NULL ? t->stands_for : t;
    memcpy(e->thread, by->name, sizeof e->thread);
    e->thread_serial = by->serial;
    e->thread_began = atomic_load_explicit(&by->began, memory_order_relaxed);
    e->by = by;
    e->by_task = by->is_task;
    e->reported = reported;
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

static void report_cycle(const struct cycle *c) {
    const struct edge *cycle = c->edges;
    unsigned count = c->count;
    bool potential = false, by_tasks = false;
    for (unsigned i = 0; i < count; i++)
        by_tasks |= cycle[i].by_task;
    for (unsigned i = 0; i < count; i++)
        potential |= kept_apart(&cycle[i], &cycle[(i + 1) % count]);
    char from[LOCK_NAME_ROOM], to[LOCK_NAME_ROOM];
    struct misuse *m = misuse_open("lock-order", atomic_load(&edge_to(&cycle[0])->lock), false);
    lock_words(edge_to(&cycle[0]), to);
    lock_words(edge_from(&cycle[0]), from);
    char circle[40] = "the other way round";
    if (count != 2)
        snprintf(circle, sizeof circle, "in a circle of %u orders", count + c->more);
    misuse_say(m, "%s is taken after %s here, and %s elsewhere%s", to, from, circle,
               potential ? " (potential: in this run the two were never under way at one time)" : "");
    for (unsigned i = 0; i < count; i++) {
        if (c->more != 0 && i == count - 1)
            misuse_note(m, "and so on, over %u orders more, until", c->more);
        lock_words(edge_from(&cycle[i]), from);
        lock_words(edge_to(&cycle[i]), to);
        misuse_note(m, cycle[i].by_task ? "%s held %s, taken here" : "thread '%s' held %s, taken here",
                    cycle[i].thread, from);
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
    misuse_note(m,
                "%s that do this at one time wait for each other for ever: take them in one order everywhere",
                by_tasks ? "tasks" : "threads");
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
    return options.lock_order_exempt[0] != '\0' && edge_from(e)->name != NULL && edge_to(e)->name != NULL &&
           (listed(options.lock_order_exempt, edge_from(e)->name, edge_to(e)->name) ||
            listed(options.lock_order_exempt, edge_to(e)->name, edge_from(e)->name));
}

static bool against_declared(const struct edge *e) {
    return options.lock_order_declared[0] != '\0' && edge_from(e)->name != NULL && edge_to(e)->name != NULL &&
           listed(options.lock_order_declared, edge_to(e)->name, edge_from(e)->name);
}

static void report_declared(const struct edge *e) {
    struct misuse *m = misuse_open("lock-order", atomic_load(&edge_to(e)->lock), false);
    misuse_say(m, "lock '%s' is taken after '%s', against the declared order", edge_to(e)->name,
               edge_from(e)->name);
    misuse_note(m, e->by_task ? "%s took it" : "thread '%s' took it", e->thread);
    misuse_stack(m, e->stack, e->frames);
    misuse_close(m);
}

/* The options name static variables as reports do, by their symbols. Done before engine_lock is taken, since
 * symbols need malloc. */
static void name_for_options(struct lock_record *r) {
    if ((options.lock_order_exempt[0] == '\0' && options.lock_order_declared[0] == '\0') || r->name != NULL ||
        options.symbolize == 0 || in_signal_handler() || !misuse_hold())
        return;
    struct symbol s;
    symbol_describe(atomic_load_explicit(&r->lock, memory_order_relaxed), 0, true, &s);
    size_t room = strlen(s.function) + 1;
    char *name = r->name == NULL && room > 1 && s.into == 0 ? engine_memory(room) : NULL;
    if (name != NULL) {
        memcpy(name, s.function, room);
        __atomic_store_n(&r->name, name, __ATOMIC_RELEASE);
    }
    misuse_let_go();
}

/* What the edges of one taking came to, to be told without engine_lock. */
struct outcome {
    struct cycle *cycle;
    bool lost, against; /* a circle there was no memory to copy; an edge against the declared order */
    struct edge against_edge;
    struct class_hint hints[HINT_ROOM];
    unsigned hint_count;
};

static void add_edges(struct check_thread *t, const void *const *stack, unsigned frames, struct outcome *o) {
    for (unsigned i = t->held_count - 1; i-- > 0;) {
        struct edge *fresh = edge_to_add(t, i, stack, frames);
        if (fresh != NULL) {
            bool wanted = o->cycle == NULL && !o->lost && !o->against && !fresh->reported && !exempt(fresh);
            if (wanted && against_declared(fresh)) {
                fresh->reported = true;
                o->against = true;
                o->against_edge = *fresh;
            }
            wanted &= !o->against;
            struct cycle *closed = cycle_add(fresh, wanted, &o->lost);
            if (closed != NULL)
                o->cycle = closed;
            else if (wanted && !o->lost && o->hint_count == 0)
                o->hint_count = classes_note(fresh, o->hints);
        }
        /* Deep nests: what the nearest lock taken by waiting implies is not repeated for each lock below it. */
        if (t->held_count > ALL_PAIRS_DEPTH && !(held_mode(&t->held[i]) & (CHECK_TRIED | CHECK_SHARED)))
            break;
    }
}

static void tell(struct outcome *o) {
    if (o->against)
        report_declared(&o->against_edge);
    else if (o->cycle != NULL)
        report_cycle(o->cycle);
    else if (o->lost)
        misuse_warn("two locks are taken in both orders, and the checker got no memory to say where");
    else if (o->hint_count != 0)
        classes_report(o->hints, o->hint_count);
    if (o->cycle != NULL)
        cycle_told(o->cycle);
}

static void note_order(struct check_thread *t) {
    for (unsigned i = 0; i < t->held_count; i++)
        name_for_options(held_record(&t->held[i]));
    const void *stack[STACK_DEPTH];
    unsigned frames = strcmp(options.stacks, "none") == 0
                          ? 0
                          : stack_take(t->held[t->held_count - 1].site, stack, STACK_DEPTH);
    struct outcome o = {.cycle = NULL};
    ilock_take(&engine_lock);
    add_edges(t, stack, frames, &o);
    ilock_give(&engine_lock);
    tell(&o);
}

bool order_is_known(const struct held *newest) {
    if (atomic_load_explicit(&chains[newest->chain % CHAINS], memory_order_relaxed) != newest->chain)
        return false;
    atomic_store_explicit(&held_record(newest)->last_chain, newest->chain, memory_order_relaxed);
    return true;
}

void order_taken(struct check_thread *t) {
    struct held *newest = &t->held[t->held_count - 1];
    if (order_is_known(newest))
        return;
    if (t->inside != 0 || options.lock_order == 0)
        return;
    held_forget_dead(t); /* one that is held no more serialises nothing */
    if (t->held_count < 2)
        return;
    newest = &t->held[t->held_count - 1];
    if (!(held_mode(newest) & CHECK_TRIED)) { /* who does not wait can close no circle */
        t->inside++;
        note_order(t);
        t->inside--;
    }
    atomic_store_explicit(&chains[newest->chain % CHAINS], newest->chain, memory_order_relaxed);
    atomic_store_explicit(&held_record(newest)->last_chain, newest->chain, memory_order_relaxed);
}
