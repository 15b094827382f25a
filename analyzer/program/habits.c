/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Counts under which lock of its own object each field is touched.
 * Stands on habits.h. A field is worth a hint when it is touched at least HABIT_MIN times with one lock held, at least three in
 * four of all, and somebody writes it. */
#include "habits.h"

#include <string.h>
#include "../base/alloc.h"

#define HABIT_MIN 3u
#define HABIT_BESIDE 1u /* enough where the exceptions stand in one function that takes that very lock itself */

/* The lock fields of struct st; their number. */
static uint32_t lock_fields(const struct program *p, const struct linked_struct *st, uint32_t *locks)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < st->n_fields && n < MAX_SIBLINGS; i++)
        if (p->fields.at[st->first_field + i].lock.lock)
            locks[n++] = st->first_field + i;
    return n;
}

static bool is_data(const struct program *p, const struct linked_field *f)
{
    const struct model_type *m = models_find_ir_type(p->models, f->unit->unit, f->unit->unit->fields[f->field].type);

    return !f->lock.lock && !(m && m->flags & (MODEL_TF_COND | MODEL_TF_SYNC_OBJECT));
}

static struct habits *of(struct program *p)
{
    if (!p->habits) {
        struct habits *h = p->habits = xcalloc(1, sizeof *p->habits);
        h->beside_lock = arena_array(&p->arena, bool, p->fields.n + 1);
        for (size_t i = 1; i < p->structs.n; i++) {
            const struct linked_struct *st = &p->structs.at[i];
            uint32_t locks[MAX_SIBLINGS];
            if (lock_fields(p, st, locks))
                for (uint32_t k = 0; k < st->n_fields; k++)
                    h->beside_lock[st->first_field + k] = is_data(p, &p->fields.at[st->first_field + k]);
        }
        h->last_pass = xcalloc(p->funcs.n, sizeof *h->last_pass);
    }
    return p->habits;
}

/* The lock fields of the struct that holds `field`; their number. */
static uint32_t siblings(struct program *p, uint32_t field, uint32_t *locks)
{
    return of(p)->beside_lock[field] ? lock_fields(p, &p->structs.at[p->fields.at[field].parent], locks) : 0;
}

static void note(struct program *p, uint32_t func, uint32_t field, ir_loc loc, term object, uint8_t held, bool write)
{
    const uint32_t pass = of(p)->last_pass[func];
    struct habits *h = of(p);
    bool fresh;
    uint32_t *slot = map64_place(&h->seen, hash_add(key_pair(func, loc), field), &fresh);

    if (!fresh && h->accesses.at[*slot].pass == pass) {
        struct habit_access *a = &h->accesses.at[*slot];
        a->held &= held;
        a->write |= write;
        return;
    }
    *slot = (uint32_t)h->accesses.n;
    vec_push(&h->accesses, ((struct habit_access){field, func, loc, object, held, 0, write, false, pass}));
}

void habit_access(struct solver *s, const struct world *w, term at, bool write, ir_loc loc)
{
    uint32_t locks[MAX_SIBLINGS], n;
    uint8_t held = 0;
    struct term_rec r;

    for (;;) { /* outwards to the member of the struct that holds the lock */
        r = s->t.recs[at];
        if (r.op == TERM_FIELD && (n = siblings(s->p, r.b, locks)))
            break;
        if (r.op != TERM_FIELD && r.op != TERM_INDEX)
            return;
        at = r.a;
    }
    if (s->p->fields.at[r.b].guard || !loc)
        return;
    if (world_owns(&s->t, w, at) || !w->spawned)
        return;
    for (uint32_t i = 0; i < n; i++) { /* between giving up the caller's lock and taking it back: without it on purpose */
        const struct held *given_up = world_held(w, term_make(&((struct solver *)s)->t, TERM_FIELD, r.a, locks[i], 0));
        if (given_up && given_up->mode == HELD_RELEASED)
            return;
    }
    for (uint32_t i = 0; i < n; i++)
        if (lock_status((struct solver *)s, w, term_make(&s->t, TERM_FIELD, r.a, locks[i], 0), false))
            held |= (uint8_t)(1u << i);
    note(s->p, s->func, r.b, loc, r.a, held, write);
}

/* ---- sets of held classes: short sorted lists ---- */
static bool holds(const struct class_set *x, uint32_t class)
{
    uint32_t lo = 0, hi = x->n;

    while (lo < hi) {
        const uint32_t mid = (lo + hi) / 2;
        if (x->at[mid] < class)
            lo = mid + 1;
        else
            hi = mid;
    }
    return x->all || (lo < x->n && x->at[lo] == class);
}

/* Keep in x what also one of a and b holds (NULL: holds none). Returns whether something went. */
static bool meet(struct arena *arena, struct class_set *x, const struct class_set *a, const struct class_set *b)
{
    const uint32_t before = x->n;
    uint32_t n = 0;

    if ((a && a->all) || (b && b->all))
        return false;
    if (x->all) {
        *x = (struct class_set){arena_array(arena, uint32_t, (a ? a->n : 0) + (b ? b->n : 0) + 1), 0, false, x->pass};
        for (uint32_t i = 0, k = 0; (a && i < a->n) || (b && k < b->n);) {
            const uint32_t of_a = a && i < a->n ? a->at[i] : UINT32_MAX, of_b = b && k < b->n ? b->at[k] : UINT32_MAX;
            x->at[x->n++] = of_a < of_b ? of_a : of_b;
            i += of_a <= of_b;
            k += of_b <= of_a;
        }
        return true;
    }
    for (uint32_t i = 0; i < before; i++)
        if ((a && holds(a, x->at[i])) || (b && holds(b, x->at[i])))
            x->at[n++] = x->at[i];
    x->n = n;
    return n != before;
}

void habit_call(struct solver *s, const struct world *w, ir_event e)
{
    struct habits *h = of(s->p);
    struct class_set now = {arena_array(&s->arena, uint32_t, w->n_held + 1), 0, false, 0};
    uint32_t *slot;
    bool fresh;

    for (uint32_t i = 0; i < w->n_held; i++) {
        const struct object_class c = term_class(&s->t, w->held[i].lock);
        uint32_t k = now.n;
        if (!c.field || w->held[i].mode == HELD_RELEASED || holds(&now, c.field))
            continue;
        for (; k && now.at[k - 1] > c.field; k--)
            now.at[k] = now.at[k - 1];
        now.at[k] = c.field;
        now.n++;
    }
    slot = map64_place(&h->held_call, key_pair(s->func, e), &fresh);
    if (fresh) {
        *slot = (uint32_t)h->sets.n;
        vec_push(&h->sets, ((struct class_set){NULL, 0, true, s->pass}));
    } else if (h->sets.at[*slot].pass != s->pass) {
        h->sets.at[*slot] = (struct class_set){NULL, 0, true, s->pass};
    }
    (void)meet(&s->p->arena, &h->sets.at[*slot], &now, NULL);
}

void habit_begin(struct solver *s)
{
    of(s->p)->first_of_function = (uint32_t)of(s->p)->accesses.n;
    of(s->p)->last_pass[s->func] = s->pass;
}

void habit_forget(struct program *p, uint32_t func)
{
    of(p)->last_pass[func] = 0;
}

void habit_finish(struct solver *s)
{
    struct habits *h = of(s->p);

    for (size_t i = h->first_of_function; i < h->accesses.n; i++) /* the object's maker or destroyer needs no lock */
        for (size_t k = 0; k < s->retired.n; k++) {
            term x = h->accesses.at[i].object;
            while (x != s->retired.at[k] && (s->t.recs[x].op == TERM_FIELD || s->t.recs[x].op == TERM_INDEX))
                x = s->t.recs[x].a;
            h->accesses.at[i].dropped |= x == s->retired.at[k];
        }
    for (size_t i = h->first_of_function; i < h->accesses.n; i++) {
        uint32_t locks[MAX_SIBLINGS];
        const uint32_t n = siblings(s->p, h->accesses.at[i].field, locks);
        for (uint32_t k = 0; k < n; k++) {
            const term lock = term_make(&s->t, TERM_FIELD, h->accesses.at[i].object, locks[k], 0);
            for (size_t j = 0; j < s->taken.n; j++)
                if (s->taken.at[j] == lock)
                    h->accesses.at[i].near |= (uint8_t)(1u << k);
        }
    }
}

/* ---- functions that were not solved ---- */
struct walk {
    struct program *p;
    uint32_t func;
    const struct linked_unit *lu;
};

/* The member of the struct with the lock that `place` lies in, outwards through members and elements of arrays by value, of an
 * object behind a pointer: a local's own parts are nobody else's. 0: none. */
static uint32_t member_with_lock(const struct walk *x, ir_expr place)
{
    const struct unit *u = x->lu->unit;
    uint32_t locks[MAX_SIBLINGS];

    for (;;) {
        const struct ir_expr_rec *r = &u->exprs[place];
        if (r->op == IR_E_INDEX && u->exprs[r->a].op == IR_E_ADDR) {
            place = u->exprs[r->a].a;
        } else if (r->op == IR_E_FIELD) {
            if (siblings(x->p, x->lu->fields[r->b], locks))
                return u->exprs[r->a].op == IR_E_DEREF ? x->lu->fields[r->b] : 0;
            place = r->a;
        } else {
            return 0;
        }
    }
}

/* `argument`: e is handed to a function. */
static void walk_expr(struct walk *x, ir_expr e, bool write, bool argument, ir_loc loc)
{
    const struct unit *u = x->lu->unit;
    const struct ir_expr_rec *r = &u->exprs[e];
    uint32_t member;

    switch (r->op) {
    case IR_E_ADDR: /* handed on: touched there */
        if (argument && (member = member_with_lock(x, r->a)))
            note(x->p, x->func, member, r->loc ? r->loc : loc, 0, 0, true);
        walk_expr(x, r->a, false, false, loc);
        break;
    case IR_E_FIELD:
        /* touched as a whole, or the place that is stored to */
        if (write && (member = member_with_lock(x, e)))
            note(x->p, x->func, member, r->loc ? r->loc : loc, 0, 0, true);
        walk_expr(x, r->a, false, false, loc);
        break;
    case IR_E_LOAD:
        if ((member = member_with_lock(x, r->a)))
            note(x->p, x->func, member, r->loc ? r->loc : u->exprs[r->a].loc ? u->exprs[r->a].loc : loc, 0, 0, false);
        walk_expr(x, r->a, false, false, loc);
        break;
    case IR_E_UNARY: case IR_E_CAST: walk_expr(x, r->a, false, argument, loc); break;
    case IR_E_DEREF: walk_expr(x, r->a, false, false, loc); break;
    case IR_E_INDEX:
        if (write && (member = member_with_lock(x, e)))
            note(x->p, x->func, member, r->loc ? r->loc : loc, 0, 0, true);
        /* fallthrough */
    case IR_E_BINARY:
        walk_expr(x, r->a, false, false, loc);
        walk_expr(x, r->b, false, false, loc);
        break;
    default: break;
    }
}

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

static void walk_function(struct program *p, uint32_t func)
{
    const struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->func];
    struct walk x = {p, func, f->unit};

    for (uint32_t b = fr->blocks.first; b < fr->blocks.first + fr->blocks.count; b++) {
        if (u->blocks[b].cond)
            walk_expr(&x, u->blocks[b].cond, false, false, u->blocks[b].loc);
        for (uint32_t i = 0; i < u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &u->events[u->blocks[b].events.first + i];
            if (ev->op == IR_EV_STORE) {
                walk_expr(&x, ev->a, true, false, ev->loc);
                walk_expr(&x, ev->b, false, false, ev->loc);
            } else if (ev->op == IR_EV_EVAL || ev->op == IR_EV_RETURN) {
                walk_expr(&x, ev->a, false, false, ev->loc);
            } else if (ev->op == IR_EV_CALL) {
                if (ev->a)
                    walk_expr(&x, ev->a, true, false, ev->loc);
                for (uint32_t k = 0; k < ev->args.count; k++)
                    walk_expr(&x, u->expr_refs[ev->args.first + k], false, true, ev->loc);
            }
        }
    }
}

/* ---- what callers hold ---- */
static struct class_set *entry_sets(struct program *p)
{
    struct habits *h = of(p);
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
                const uint32_t *slot = map64_find(&h->held_call, key_pair(caller, e->event));
                if (p->funcs.at[e->callee].defined && (entry[e->callee].all || entry[e->callee].n))
                    changed |= meet(&p->arena, &entry[e->callee], &entry[caller], slot && h->sets.at[*slot].pass == h->last_pass[caller] ? &h->sets.at[*slot] : NULL);
            }
        }
    }
    return entry;
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

static void judge_field(struct program *p, size_t first, size_t end, const struct class_set *entry)
{
    struct habits *h = p->habits;
    uint32_t locks[MAX_SIBLINGS];
    const uint32_t field = h->accesses.at[first].field, n = siblings(p, field, locks);
    struct habit best = {field, 0, 0, 0, {0, 0, 0}, 0};
    bool beside = false;

    for (uint32_t i = 0; i < n; i++) {
        struct habit now = {field, locks[i], 0, 0, {0, 0, 0}, 0};
        bool written = false, near = false;
        for (size_t k = first; k < end; k++) {
            const struct habit_access *a = &h->accesses.at[k];
            if (a->dropped || a->pass != h->last_pass[a->func] || makes_or_ends(p, &p->funcs.at[a->func]))
                continue;
            now.total++;
            written |= a->write;
            if (a->held >> i & 1 || holds(&entry[a->func], locks[i]))
                now.held++;
            else if (now.n_out < 3) {
                near = a->near >> i & 1 && (!now.n_out || (near && h->accesses.at[now.out[0]].func == a->func));
                now.out[now.n_out++] = (uint32_t)k;
            }
        }
        if (written && now.held > best.held) {
            best = now;
            beside = near;
        }
    }
    if (beside && best.held >= HABIT_BESIDE && best.total == best.held + best.n_out)
        goto worth_it; /* the exceptions stand beside a section of that very lock, in one function */
    if (best.held && best.held == best.total)
        vec_push(&h->kept, best);
    if (best.held < HABIT_MIN || best.held == best.total || best.held * 4 < best.total * 3)
        return;
    if (best.held * 5 < best.total * 4) { /* between: only where somebody writes without it */
        uint32_t n = 0;
        for (uint32_t k = 0; k < best.n_out; k++)
            if (h->accesses.at[best.out[k]].write)
                best.out[n++] = best.out[k];
        best.n_out = n;
        if (!n)
            return;
    }
worth_it:
    h->found = xrealloc(h->found, (h->n_found + 1) * sizeof *h->found);
    h->found[h->n_found++] = best;
}

void program_find_habits(struct program *p, const bool *solved)
{
    struct habits *h = of(p);
    struct class_set *entry;

    for (uint32_t f = 1; f < p->funcs.n; f++)
        if (p->funcs.at[f].defined && !solved[f] && !(p->funcs.at[f].unit->unit->funcs[p->funcs.at[f].func].flags & IR_FF_INITIALISERS))
            walk_function(p, f);
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

void habits_free(struct habits *h)
{
    if (!h)
        return;
    vec_free(&h->accesses);
    vec_free(&h->sets);
    map64_free(&h->seen);
    map64_free(&h->held_call);
    free(h->found);
    vec_free(&h->kept);
    free(h->last_pass);
    free(h);
}
