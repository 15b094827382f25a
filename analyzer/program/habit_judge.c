/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which field or global is nearly always touched with one lock held, and where is it not?
 * Stands on habits.h and threads.h. It is worth a hint when it is touched at least HABIT_MIN times with one lock held, at least three in
 * four of all, and somebody writes it. A function that most callers call with the lock held is not the exception: the calls
 * without it are. */
#include "habits.h"
#include "lock_order.h"

#include <string.h>
#include "../base/alloc.h"

#define HABIT_MIN 3u
#define HABIT_BESIDE                                                                                         \
    1u /* enough where the exceptions stand in one function that takes that very lock itself */
#define HABIT_BESIDE_EACH 2u /* for each of them, where they stand in several such functions */
#define HABIT_DEPTH 4        /* callers of callers that are looked at */

/* Is the lock, by a callee's path, one of the struct that holds the field? Where the callee is handed its address, the call's
 * argument tells; what tells nothing may be. f == NULL: the path alone. */
static bool of_struct(const struct program *p, term lock, uint32_t parent, const struct linked_func *f,
                      ir_event event) {
    const struct object_class c = term_class(&p->paths, lock);
    const struct term_rec *r = term_at(&p->paths, lock);
    const struct unit *u;
    ir_expr arg;

    if (class_known(c)) {
        const struct term_rec *outer =
            r->op == TERM_FIELD ? term_at(&p->paths, r->a) : r; /* a member that wraps it */
        return c.field && (p->fields.at[c.field].parent == parent ||
                           (outer != r && outer->op == TERM_FIELD &&
                            p->fields.at[outer->b].parent == parent && item_lock_in(p, outer->b) == c.field));
    }
    if (!f || r->op != TERM_PARAM)
        return false;
    u = f->unit->unit;
    if (r->a >= u->events[event].args.count)
        return false;
    arg = u->expr_refs[u->events[event].args.first + r->a];
    while (u->exprs[arg].op == IR_E_CAST || u->exprs[arg].op == IR_E_ADDR)
        arg = u->exprs[arg].a;
    return u->exprs[arg].op != IR_E_FIELD || p->fields.at[f->unit->fields[u->exprs[arg].b]].parent == parent;
}

static bool points_to(const struct linked_func *f, ir_type t, uint32_t parent) {
    const struct unit *u = f->unit->unit;
    ir_type st;

    t = type_plain(u, t);
    st = u->types[t].kind == IR_T_POINTER ? type_struct(u, u->types[t].elem) : 0;
    return st && f->unit->structs[st] == parent;
}

static bool find_making_or_ending(const struct program *p, const struct linked_func *f, uint32_t parent) {
    const struct summary *s = f->summary;
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->func];

    for (uint32_t i = 0; i < f->n_edges; i++) {
        const struct call_edge *e = &p->edges.at[f->first_edge + i];
        const struct summary *callee = p->funcs.at[e->callee].summary;
        for (uint32_t k = 0; callee && !e->callback && k < callee->n_inits; k++)
            if (of_struct(p, callee->inits[k], parent, f, e->event))
                return true;
        for (uint32_t k = 0; callee && !e->callback && k < callee->n_destroys && k < 32; k++)
            if (callee->destroys_always >> k & 1 && of_struct(p, callee->destroys[k], parent, f, e->event))
                return true;
    }
    if (!s)
        return false;
    if (s->fresh && points_to(f, u->types[type_plain(u, fr->type)].elem, parent))
        return true;
    for (uint32_t i = 0; i < fr->params.count && i < 64; i++)
        if (s->frees_always >> i & 1 && points_to(f, u->vars[fr->params.first + i].type, parent))
            return true;
    for (uint32_t i = 0; i < s->n_inits; i++)
        if (of_struct(p, s->inits[i], parent, NULL, 0))
            return true;
    for (uint32_t i = 0; i < s->n_destroys && i < 32; i++)
        if (s->destroys_always >> i & 1 && of_struct(p, s->destroys[i], parent, NULL, 0))
            return true;
    return false;
}

/* Does the function make or end objects of this struct (0: a global), itself or by a call? Then it may have one to itself. Asked for
 * every access. */
static bool makes_or_ends(const struct program *p, const struct linked_func *f, uint32_t parent) {
    bool fresh;
    uint32_t *slot;

    if (!parent)
        return false;
    slot = map64_place(&p->habits->makers, key_pair((uint32_t)(f - p->funcs.at), parent), &fresh);
    if (fresh)
        *slot = find_making_or_ending(p, f, parent);
    return *slot;
}

/* ---- what callers hold ---- */
static const struct class_set *held_at(const struct program *p, uint32_t caller, ir_event event) {
    const struct habits *h = p->habits;
    const uint32_t slot = p->funcs.at[caller].unit->held_classes[event];

    return slot && h->sets.at[slot - 1].pass == h->last_pass[caller] ? &h->sets.at[slot - 1] : NULL;
}

/* ---- functions whose locks are in doubt ----
 * One that returns with a lock it should have released, or releases one it does not hold: what is held in it, and what was meant to
 * be, is not known. What it touches itself, and what its callees touch when called from there, counts, and is not told. */
static void doubt_calls(struct program *p, uint32_t func, uint32_t item) {
    const struct linked_func *f = &p->funcs.at[func];

    for (uint32_t i = f->first_edge; i < f->first_edge + f->n_edges; i++) {
        const struct class_set *held = held_at(p, func, p->edges.at[i].event);
        if (!held || class_set_holds(held, item | HABIT_DOUBTED))
            continue;
        struct class_set *x = &p->habits->sets.at[held - p->habits->sets.at];
        uint32_t *room = arena_array(&p->arena, uint32_t, x->n + 1);
        if (x->n)
            memcpy(room, x->at, x->n * sizeof *room);
        x->at = room;
        class_set_add(x, item | HABIT_DOUBTED);
    }
}

static void doubt(struct program *p, struct map64 *doubts, uint32_t func, uint32_t lock, uint32_t wrapper) {
    if (!lock)
        return;
    map64_put(doubts, key_pair(func, lock), 1);
    doubt_calls(p, func, lock);
    if (wrapper)
        doubt_calls(p, func, wrapper);
}

/* By function and lock. Requires the judgement of the candidates. */
static struct map64 locks_in_doubt(struct program *p) {
    struct map64 doubts = {0};

    for (size_t i = 1; i < p->locks->candidates.n; i++) {
        const struct candidate *c = &p->locks->candidates.at[i];
        const uint32_t lock = c->class.field    ? c->class.field
                              : c->class.global ? c->class.global | ITEM_GLOBAL
                                                : 0;
        if (!c->stale && (c->condemned || !c->meant))
            doubt(p, &doubts, c->func, lock, c->lock ? lock_wrapper(p, &p->paths, c->lock) : 0);
    }
    for (size_t i = 0; i < p->locks->problems.n; i++) {
        const struct lock_problem *pr = &p->locks->problems.at[i];
        if (pr->kind == PROBLEM_UNHELD && !pr->dropped && !pr->stale)
            doubt(p, &doubts, pr->func, pr->item, pr->wrapper);
    }
    return doubts;
}

static struct class_set *entry_sets(struct program *p) {
    struct class_set *entry = arena_array(&p->arena, struct class_set, p->funcs.n);
    bool changed = true;

    for (size_t f = 1; f < p->funcs.n; f++)
        entry[f].all = p->funcs.at[f].n_callers && !p->funcs.at[f].is_thread_entry &&
                       (p->options.whole || p->funcs.at[f].internal);
    while (
        changed) { /* callers first: more than two rounds are needed only by functions that call each other */
        changed = false;
        for (size_t i = p->order.n; i-- > 0;) {
            const uint32_t caller = p->order.at[i];
            const struct linked_func *lf = &p->funcs.at[caller];
            for (uint32_t k = lf->first_edge; k < lf->first_edge + lf->n_edges; k++) {
                const struct call_edge *e = &p->edges.at[k];
                if (p->funcs.at[e->callee].defined && (entry[e->callee].all || entry[e->callee].n))
                    changed |= class_set_meet(&p->arena, &entry[e->callee], &entry[caller],
                                              held_at(p, caller, e->event));
            }
        }
    }
    return entry;
}

/* One lock and one field or global being judged. */
struct judged {
    struct program *p;
    const struct class_set *entry;
    uint32_t parent; /* the struct that holds the field; 0: a global */
    struct habit now;
    VEC(struct habit_exception) sites; /* calls that are to blame, each counted once */
    bool beside;         /* all exceptions stand in functions that take that very lock themselves */
    bool scattered;      /* … in more than one */
    uint32_t on_purpose; /* touched without it on purpose: counted, and no exception */
};

static void add_exception(struct judged *j, struct habit_exception e, bool near) {
    struct habit *now = &j->now;

    j->beside = near && (!now->n_out || j->beside);
    j->scattered |= now->n_out && now->out[0].func != e.func;
    if (now->n_out < 3)
        now->out[now->n_out++] = e;
}

static bool calls_with_it(const struct judged *j, const struct call_edge *e) {
    const struct class_set *held = held_at(j->p, e->caller, e->event);

    return (held && class_set_holds(held, j->now.lock)) || class_set_holds(&j->entry[e->caller], j->now.lock);
}

/* Is the lock held on some way to the call, and not on others? Then the caller was told whether it has it. */
static bool calls_either_way(const struct judged *j, const struct call_edge *e) {
    const struct habits *h = j->p->habits;

    return map64_get(&h->sometimes, habit_sometimes_key(e->caller, e->event, j->now.lock), 0) ==
               h->last_pass[e->caller] &&
           h->last_pass[e->caller];
}

static bool calls_in_doubt(const struct judged *j, const struct call_edge *e) {
    const struct class_set *held = held_at(j->p, e->caller, e->event);

    return !calls_with_it(j, e) && ((held && class_set_holds(held, j->now.lock | HABIT_DOUBTED)) ||
                                    class_set_holds(&j->entry[e->caller], j->now.lock | HABIT_DOUBTED));
}

/* A call that may run several functions need not mean this one. */
static bool may_mean_another(const struct program *p, const struct call_edge *e) {
    uint32_t n;

    (void)program_calls(p, e->caller, e->event, &n);
    return e->indirect && n > 1;
}

enum convention { CALLED_ANYHOW, CALLED_EITHER_WAY, CALLED_WITH_LOCK };

/* Is the function mostly called with the lock held, or as often as not? Then the calls without it are the exceptions. */
static enum convention blame_callers(struct judged *j, uint32_t func, bool write, int depth) {
    const struct program *p = j->p;
    const struct linked_func *f = &p->funcs.at[func];
    uint32_t with = 0, without = 0;

    if (f->is_thread_entry || !(p->options.whole || f->internal) || !depth)
        return CALLED_ANYHOW;
    for (uint32_t i = 0; i < f->n_callers; i++) {
        const struct call_edge *e = &p->edges.at[f->callers[i]];
        if (e->caller != func && !makes_or_ends(p, &p->funcs.at[e->caller], j->parent) &&
            !calls_in_doubt(j, e))
            *(calls_with_it(j, e) ? &with : &without) += 1;
    }
    if (!with || with < without)
        return CALLED_ANYHOW;
    for (uint32_t i = 0; i < f->n_callers; i++) {
        const struct call_edge *e = &p->edges.at[f->callers[i]];
        const struct linked_func *caller = &p->funcs.at[e->caller];
        const struct habit_exception x = {e->caller, caller->unit->unit->events[e->event].loc, func, write};
        bool known = e->caller == func || makes_or_ends(p, caller, j->parent) || calls_with_it(j, e) ||
                     calls_in_doubt(j, e) || may_mean_another(p, e) || calls_either_way(j, e);
        for (size_t k = 0; k < j->sites.n; k++)
            known |= j->sites.at[k].func == x.func && j->sites.at[k].loc == x.loc;
        if (known || blame_callers(j, e->caller, write, depth - 1))
            continue;
        vec_push(&j->sites, x);
        j->now.total++;
        add_exception(j, x, false);
    }
    return with > without ? CALLED_WITH_LOCK : CALLED_EITHER_WAY;
}

static int by_item(const void *a, const void *b) {
    const struct habit_access *x = a, *y = b;

    if (x->item != y->item)
        return x->item < y->item ? -1 : 1;
    if (x->func != y->func)
        return x->func < y->func ? -1 : 1;
    return x->loc < y->loc ? -1 : x->loc > y->loc;
}

/* Between three in four and four in five: only where somebody writes without it. */
static bool only_writes(struct habit *h) {
    uint32_t n = 0;

    for (uint32_t k = 0; k < h->n_out; k++)
        if (h->out[k].write)
            h->out[n++] = h->out[k];
    h->n_out = n;
    return n;
}

/* Does each exception stand beside a section of that very lock? In one function that is enough; in several, the sections must
 * outnumber them. */
static bool stands_beside(const struct judged *j) {
    const struct habit *now = &j->now;

    return j->beside && now->held >= (j->scattered ? HABIT_BESIDE_EACH * now->n_out : HABIT_BESIDE) &&
           now->total == now->held + now->n_out + j->on_purpose;
}

static void judge_item(struct program *p, size_t first, size_t end, const struct class_set *entry,
                       const struct map64 *doubts) {
    struct habits *h = p->habits;
    uint32_t locks[MAX_SIBLINGS];
    const uint32_t item = h->accesses.at[first].item, n = habit_siblings(p, item, locks);
    struct judged best;

    memset(&best, 0, sizeof best);
    best.now.item = item;
    for (uint32_t i = 0; i < n; i++) {
        struct judged j;
        bool written = false;
        memset(&j, 0, sizeof j);
        j.p = p;
        j.entry = entry;
        j.parent = item & ITEM_GLOBAL ? 0 : p->fields.at[item].parent;
        j.now.item = item;
        j.now.lock = locks[i];
        for (size_t k = first; k < end; k++) {
            const struct habit_access *a = &h->accesses.at[k];
            const bool near = a->near >> i & 1;
            if (a->dropped || a->pass != h->last_pass[a->func] ||
                makes_or_ends(p, &p->funcs.at[a->func], j.parent) ||
                (a->event && threads_alone(p->lock_order->threads, a->func, a->event)))
                continue;
            if (class_set_holds(&entry[a->func], locks[i]) &&
                !class_set_holds(&entry[a->func], locks[i] | HABIT_LOCKED))
                continue; /* some caller hands over an object of its own: no word for the lock nor against it */
            j.now.total++;
            written |= a->write && !(item & ITEM_GLOBAL);
            if (map64_find(doubts, key_pair(a->func, item_lock_in(p, locks[i]))))
                continue;
            if (a->held >> i & 1 || class_set_holds(&entry[a->func], locks[i])) {
                j.now.held++;
                written |=
                    a->write; /* of all the locks of a file, a global's is the one under which it is written */
                continue;
            }
            if (class_set_holds(&entry[a->func], locks[i] | HABIT_DOUBTED))
                continue;
            /* under a lock that is taken on a condition, or after one given up: without it on purpose */
            const bool on_purpose = a->given_up || a->ever >> i & 1;
            const enum convention how =
                near || on_purpose ? CALLED_ANYHOW : blame_callers(&j, a->func, a->write, HABIT_DEPTH);
            j.now.held += how == CALLED_WITH_LOCK;
            j.on_purpose += on_purpose;
            if (how == CALLED_ANYHOW && !on_purpose)
                add_exception(&j, (struct habit_exception){a->func, a->loc, 0, a->write}, near);
        }
        vec_free(&j.sites);
        if (written && j.now.held > best.now.held)
            best = j;
    }
    if (best.now.held && best.now.held == best.now.total)
        vec_push(&h->kept, best.now);
    if (!stands_beside(&best)) {
        if (best.now.held < HABIT_MIN || best.now.held == best.now.total ||
            best.now.held * 4 < best.now.total * 3)
            return;
        if (best.now.held * 5 < best.now.total * 4 && !only_writes(&best.now))
            return;
    }
    h->found = xrealloc(h->found, (h->n_found + 1) * sizeof *h->found);
    h->found[h->n_found++] = best.now;
}

void program_find_habits(struct program *p) {
    struct map64 doubts;
    struct habits *h = habits_of(p);
    struct class_set *entry;

    for (uint32_t f = 1; f < p->funcs.n; f++)
        if (p->funcs.at[f].defined && !h->solved[f] &&
            !(p->funcs.at[f].unit->unit->funcs[p->funcs.at[f].func].flags & IR_FF_INITIALISERS))
            habit_walk_function(p, f);
    doubts = locks_in_doubt(p);
    entry = entry_sets(p);
    if (h->accesses.n)
        qsort(h->accesses.at, h->accesses.n, sizeof *h->accesses.at, by_item);
    for (size_t i = 0; i < h->accesses.n;) {
        size_t end = i;
        while (end < h->accesses.n && h->accesses.at[end].item == h->accesses.at[i].item)
            end++;
        judge_item(p, i, end, entry, &doubts);
        i = end;
    }
    map64_free(&doubts);
}
