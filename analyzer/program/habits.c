/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Collects under which lock of its own object each field is touched, and what is held at each call.
 * Stands on habits.h; habit_judge.c says what is a habit. */
#include "habits.h"

#include <string.h>
#include "../base/alloc.h"

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

struct habits *habits_of(struct program *p)
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

uint32_t habit_siblings(struct program *p, uint32_t field, uint32_t *locks)
{
    return habits_of(p)->beside_lock[field] ? lock_fields(p, &p->structs.at[p->fields.at[field].parent], locks) : 0;
}

static struct habit_access *note(struct program *p, uint32_t func, uint32_t field, ir_loc loc, term object, uint8_t held, bool write)
{
    const uint32_t pass = habits_of(p)->last_pass[func];
    struct habits *h = habits_of(p);
    bool fresh;
    uint32_t *slot = map64_place(&h->seen, hash_add(key_pair(func, loc), field), &fresh);

    if (!fresh && h->accesses.at[*slot].pass == pass) {
        struct habit_access *a = &h->accesses.at[*slot];
        a->held &= held;
        a->ever |= held;
        a->write |= write;
        return a;
    }
    *slot = (uint32_t)h->accesses.n;
    vec_push(&h->accesses, ((struct habit_access){field, func, loc, object, held, held, 0, write, false, false, pass}));
    return &h->accesses.at[*slot];
}

void habit_access(struct solver *s, const struct world *w, term at, bool write, ir_loc loc)
{
    uint32_t locks[MAX_SIBLINGS], n;
    uint8_t held = 0;
    bool given_up = false;
    struct term_rec r;

    for (;;) { /* outwards to the member of the struct that holds the lock */
        r = s->t.recs[at];
        if (r.op == TERM_FIELD && (n = habit_siblings(s->p, r.b, locks)))
            break;
        if (r.op != TERM_FIELD && r.op != TERM_INDEX)
            return;
        at = r.a;
    }
    if (s->p->fields.at[r.b].guard || !loc)
        return;
    if (world_owns(&s->t, w, at) || !w->spawned)
        return;
    for (uint32_t i = 0; i < n; i++) {
        const struct held *h = world_held(w, term_make(&((struct solver *)s)->t, TERM_FIELD, r.a, locks[i], 0));
        given_up |= h && h->mode == HELD_RELEASED;
    }
    for (uint32_t i = 0; i < n; i++)
        if (lock_status((struct solver *)s, w, term_make(&s->t, TERM_FIELD, r.a, locks[i], 0), false))
            held |= (uint8_t)(1u << i);
    note(s->p, s->func, r.b, loc, r.a, held, write)->given_up |= given_up;
}

static void add_class(struct class_set *x, uint32_t class)
{
    uint32_t k = x->n;

    if (class_set_holds(x, class))
        return;
    for (; k && x->at[k - 1] > class; k--)
        x->at[k] = x->at[k - 1];
    x->at[k] = class;
    x->n++;
}

/* An object that nobody else knows needs no lock: handing it on counts as holding its locks. */
static uint32_t owned_locks(const struct solver *s, const struct world *w, ir_event e, const term *args, uint32_t *locks, uint32_t most)
{
    const struct ir_event_rec *ev = &s->u->events[e];
    uint32_t n = 0;

    for (uint32_t i = 0; i < ev->args.count && n + MAX_SIBLINGS <= most; i++) {
        const ir_type t = type_plain(s->u, s->u->exprs[s->u->expr_refs[ev->args.first + i]].type);
        const ir_type st = s->u->types[t].kind == IR_T_POINTER ? type_struct(s->u, s->u->types[t].elem) : 0;
        if (st && s->lu->structs[st] && args[i] && world_owns(&s->t, w, args[i]))
            n += lock_fields(s->p, &s->p->structs.at[s->lu->structs[st]], locks + n);
    }
    return n;
}

void habit_call(struct solver *s, const struct world *w, ir_event e, const term *args)
{
    struct habits *h = habits_of(s->p);
    uint32_t owned[4 * MAX_SIBLINGS];
    const uint32_t n_owned = owned_locks(s, w, e, args, owned, 4 * MAX_SIBLINGS);
    struct class_set now = {arena_array(&s->scratch, uint32_t, 2 * w->n_held + n_owned + 1), 0, !w->spawned, 0};
    uint32_t *slot;
    bool fresh;

    for (uint32_t i = 0; i < w->n_held; i++) {
        const struct object_class c = term_class(&s->t, w->held[i].lock);
        if (c.field && w->held[i].mode != HELD_RELEASED) {
            add_class(&now, c.field);
            add_class(&now, c.field | HABIT_LOCKED);
        }
    }
    for (uint32_t i = 0; i < n_owned; i++)
        add_class(&now, owned[i]);
    slot = map64_place(&h->held_call, key_pair(s->func, e), &fresh);
    if (fresh) {
        *slot = (uint32_t)h->sets.n;
        vec_push(&h->sets, ((struct class_set){NULL, 0, true, s->pass}));
    } else if (h->sets.at[*slot].pass != s->pass) {
        h->sets.at[*slot] = (struct class_set){NULL, 0, true, s->pass};
    }
    (void)class_set_meet(&s->p->arena, &h->sets.at[*slot], &now, NULL);
}

void habit_begin(struct solver *s)
{
    habits_of(s->p)->first_of_function = (uint32_t)habits_of(s->p)->accesses.n;
    habits_of(s->p)->last_pass[s->func] = s->pass;
}

void habit_forget(struct program *p, uint32_t func)
{
    habits_of(p)->last_pass[func] = 0;
}

void habit_finish(struct solver *s)
{
    struct habits *h = habits_of(s->p);

    for (size_t i = h->first_of_function; i < h->accesses.n; i++) /* the object's maker or destroyer needs no lock */
        for (size_t k = 0; k < s->retired.n; k++) {
            term x = h->accesses.at[i].object;
            while (x != s->retired.at[k] && (s->t.recs[x].op == TERM_FIELD || s->t.recs[x].op == TERM_INDEX))
                x = s->t.recs[x].a;
            h->accesses.at[i].dropped |= x == s->retired.at[k];
        }
    for (size_t i = h->first_of_function; i < h->accesses.n; i++) {
        uint32_t locks[MAX_SIBLINGS];
        const uint32_t n = habit_siblings(s->p, h->accesses.at[i].field, locks);
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
            if (habit_siblings(x->p, x->lu->fields[r->b], locks))
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
            (void)note(x->p, x->func, member, r->loc ? r->loc : loc, 0, 0, true);
        walk_expr(x, r->a, false, false, loc);
        break;
    case IR_E_FIELD:
        /* touched as a whole, or the place that is stored to */
        if (write && (member = member_with_lock(x, e)))
            (void)note(x->p, x->func, member, r->loc ? r->loc : loc, 0, 0, true);
        walk_expr(x, r->a, false, false, loc);
        break;
    case IR_E_LOAD:
        if ((member = member_with_lock(x, r->a)))
            (void)note(x->p, x->func, member, r->loc ? r->loc : u->exprs[r->a].loc ? u->exprs[r->a].loc : loc, 0, 0, false);
        walk_expr(x, r->a, false, false, loc);
        break;
    case IR_E_UNARY: case IR_E_CAST: walk_expr(x, r->a, false, argument, loc); break;
    case IR_E_DEREF: walk_expr(x, r->a, false, false, loc); break;
    case IR_E_INDEX:
        if (write && (member = member_with_lock(x, e)))
            (void)note(x->p, x->func, member, r->loc ? r->loc : loc, 0, 0, true);
        /* fallthrough */
    case IR_E_BINARY:
        walk_expr(x, r->a, false, false, loc);
        walk_expr(x, r->b, false, false, loc);
        break;
    default: break;
    }
}

void habit_walk_function(struct program *p, uint32_t func)
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
