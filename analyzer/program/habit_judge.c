/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which field is nearly always touched with one lock held, and where is it not?
 * Stands on habits.h. A field is worth a hint when it is touched at least HABIT_MIN times with one lock held, at least three in
 * four of all, and somebody writes it. A function that most callers call with the lock held is not the exception: the calls
 * without it are. */
#include "habits.h"

#include <string.h>
#include "../base/alloc.h"

#define HABIT_MIN 3u
#define HABIT_BESIDE 1u /* enough where the exceptions stand in one function that takes that very lock itself */
#define HABIT_DEPTH 4   /* callers of callers that are looked at */

static bool makes_or_ends(const struct program *p, const struct linked_func *f)
{
    const struct summary *s = f->summary;

    for (uint32_t i = 0; i < f->n_edges; i++) {
        const struct summary *callee = p->funcs.at[p->edges.at[f->first_edge + i].callee].summary;
        if (callee && ((callee->n_inits && term_at(&p->paths, callee->inits[0])->op == TERM_PARAM) ||
                       (callee->n_destroys && term_at(&p->paths, callee->destroys[0])->op == TERM_PARAM)))
            return true;
    }
    return s && (s->fresh || s->n_inits || s->n_destroys || s->frees);
}

/* ---- what callers hold ---- */
static const struct class_set *held_at(const struct habits *h, uint32_t caller, ir_event event)
{
    const uint32_t *slot = map64_find(&h->held_call, key_pair(caller, event));

    return slot && h->sets.at[*slot].pass == h->last_pass[caller] ? &h->sets.at[*slot] : NULL;
}

static struct class_set *entry_sets(struct program *p)
{
    struct habits *h = p->habits;
    struct class_set *entry = arena_array(&p->arena, struct class_set, p->funcs.n);
    bool changed = true;

    for (size_t f = 1; f < p->funcs.n; f++)
        entry[f].all = p->funcs.at[f].n_callers && !p->funcs.at[f].is_thread_entry && (p->options.whole || p->funcs.at[f].internal);
    while (changed) { /* callers first: more than two rounds are needed only by functions that call each other */
        changed = false;
        for (size_t i = p->order.n; i-- > 0;) {
            const uint32_t caller = p->order.at[i];
            const struct linked_func *lf = &p->funcs.at[caller];
            for (uint32_t k = lf->first_edge; k < lf->first_edge + lf->n_edges; k++) {
                const struct call_edge *e = &p->edges.at[k];
                if (p->funcs.at[e->callee].defined && (entry[e->callee].all || entry[e->callee].n))
                    changed |= class_set_meet(&p->arena, &entry[e->callee], &entry[caller], held_at(h, caller, e->event));
            }
        }
    }
    return entry;
}

/* One lock and one field being judged. */
struct judged {
    struct program *p;
    const struct class_set *entry;
    struct habit now;
    VEC(struct habit_exception) sites; /* calls that are to blame, each counted once */
    bool beside;                       /* all exceptions stand in one function that takes the lock itself */
};

static void add_exception(struct judged *j, struct habit_exception e, bool near)
{
    struct habit *now = &j->now;

    j->beside = near && (!now->n_out || (j->beside && now->out[0].func == e.func));
    if (now->n_out < 3)
        now->out[now->n_out++] = e;
}

static bool calls_with_it(const struct judged *j, const struct call_edge *e)
{
    const struct class_set *held = held_at(j->p->habits, e->caller, e->event);

    return (held && class_set_holds(held, j->now.lock)) || class_set_holds(&j->entry[e->caller], j->now.lock);
}

/* Is the function mostly called with the lock held? Then the calls without it are the exceptions. */
static bool blame_callers(struct judged *j, uint32_t func, bool write, int depth)
{
    const struct program *p = j->p;
    const struct linked_func *f = &p->funcs.at[func];
    uint32_t with = 0, without = 0;

    if (f->is_thread_entry || !(p->options.whole || f->internal) || !depth)
        return false;
    for (uint32_t i = 0; i < f->n_callers; i++) {
        const struct call_edge *e = &p->edges.at[f->callers[i]];
        if (e->caller != func && !makes_or_ends(p, &p->funcs.at[e->caller]))
            *(calls_with_it(j, e) ? &with : &without) += 1;
    }
    if (with <= without)
        return false;
    for (uint32_t i = 0; i < f->n_callers; i++) {
        const struct call_edge *e = &p->edges.at[f->callers[i]];
        const struct linked_func *caller = &p->funcs.at[e->caller];
        const struct habit_exception x = {e->caller, caller->unit->unit->events[e->event].loc, func, write};
        bool known = e->caller == func || makes_or_ends(p, caller) || calls_with_it(j, e);
        for (size_t k = 0; k < j->sites.n; k++)
            known |= j->sites.at[k].func == x.func && j->sites.at[k].loc == x.loc;
        if (known || blame_callers(j, e->caller, write, depth - 1))
            continue;
        vec_push(&j->sites, x);
        j->now.total++;
        add_exception(j, x, false);
    }
    return true;
}

static int by_field(const void *a, const void *b)
{
    const struct habit_access *x = a, *y = b;

    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    if (x->func != y->func)
        return x->func < y->func ? -1 : 1;
    return x->loc < y->loc ? -1 : x->loc > y->loc;
}

/* Between three in four and four in five: only where somebody writes without it. */
static bool only_writes(struct habit *h)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < h->n_out; k++)
        if (h->out[k].write)
            h->out[n++] = h->out[k];
    h->n_out = n;
    return n;
}

static void judge_field(struct program *p, size_t first, size_t end, const struct class_set *entry)
{
    struct habits *h = p->habits;
    uint32_t locks[MAX_SIBLINGS];
    const uint32_t field = h->accesses.at[first].field, n = habit_siblings(p, field, locks);
    struct habit best;
    bool beside = false;

    memset(&best, 0, sizeof best);
    best.field = field;
    for (uint32_t i = 0; i < n; i++) {
        struct judged j;
        bool written = false;
        memset(&j, 0, sizeof j);
        j.p = p;
        j.entry = entry;
        j.now.field = field;
        j.now.lock = locks[i];
        for (size_t k = first; k < end; k++) {
            const struct habit_access *a = &h->accesses.at[k];
            const bool near = a->near >> i & 1;
            if (a->dropped || a->pass != h->last_pass[a->func] || makes_or_ends(p, &p->funcs.at[a->func]))
                continue;
            if (class_set_holds(&entry[a->func], locks[i]) && !class_set_holds(&entry[a->func], locks[i] | HABIT_LOCKED))
                continue; /* some caller hands over an object of its own: no word for the lock nor against it */
            j.now.total++;
            written |= a->write;
            if (a->held >> i & 1 || class_set_holds(&entry[a->func], locks[i]) ||
                (!near && blame_callers(&j, a->func, a->write, HABIT_DEPTH)))
                j.now.held++;
            else
                add_exception(&j, (struct habit_exception){a->func, a->loc, 0, a->write}, near);
        }
        if (written && j.now.held > best.held) {
            best = j.now;
            beside = j.beside;
        }
        vec_free(&j.sites);
    }
    if (best.held && best.held == best.total)
        vec_push(&h->kept, best);
    if (beside && best.held >= HABIT_BESIDE && best.total == best.held + best.n_out)
        ; /* the exceptions stand beside a section of that very lock, in one function */
    else if (best.held < HABIT_MIN || best.held == best.total || best.held * 4 < best.total * 3)
        return;
    else if (best.held * 5 < best.total * 4 && !only_writes(&best))
        return;
    h->found = xrealloc(h->found, (h->n_found + 1) * sizeof *h->found);
    h->found[h->n_found++] = best;
}

void program_find_habits(struct program *p, const bool *solved)
{
    struct class_set *entry;
    struct habits *h;

    habits_of(p);
    for (uint32_t f = 1; f < p->funcs.n; f++)
        if (p->funcs.at[f].defined && !solved[f] && !(p->funcs.at[f].unit->unit->funcs[p->funcs.at[f].func].flags & IR_FF_INITIALISERS))
            habit_walk_function(p, f);
    h = p->habits;
    entry = entry_sets(p);
    if (h->accesses.n)
        qsort(h->accesses.at, h->accesses.n, sizeof *h->accesses.at, by_field);
    for (size_t i = 0; i < h->accesses.n;) {
        size_t end = i;
        while (end < h->accesses.n && h->accesses.at[end].field == h->accesses.at[i].field)
            end++;
        judge_field(p, i, end, entry);
        i = end;
    }
}
