/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Collects under which lock of its own object each field is touched, each global under which of its file, and what is held at
 * each call.
 * Stands on habits.h; habit_judge.c says what is a habit. */
#include "habits.h"

#include <string.h>
#include "../base/alloc.h"

/* The lock fields of struct st. */
static struct own_locks lock_fields(const struct program *p, const struct linked_struct *st) {
    struct own_locks locks = {{0}, 0};

    for (uint32_t i = 0; i < st->n_fields && locks.n < MAX_SIBLINGS; i++)
        if (item_lock_in(p, st->first_field + i))
            locks.at[locks.n++] = st->first_field + i;
    return locks;
}

static uint32_t copy_locks(const struct own_locks *from, uint32_t *to) {
    memcpy(to, from->at, from->n * sizeof *to);
    return from->n;
}

static bool is_data(const struct program *p, const struct linked_field *f) {
    const struct model_type *m =
        models_find_ir_type(p->models, f->unit->unit, f->unit->unit->fields[f->field].type);

    return !item_lock_in(p, (uint32_t)(f - p->fields.at)) &&
           !(m && m->flags & (MODEL_TF_COND | MODEL_TF_SYNC_OBJECT | MODEL_TF_THREAD));
}

/* A variable that threads may share and that needs a lock for it: no constant, no atomic, no flag of a signal handler. */
static bool is_shared_data(const struct program *p, const struct linked_global *g) {
    const struct unit *u = g->unit->unit;
    const struct ir_var_rec *v = &u->vars[g->var];
    const struct model_type *m = models_find_ir_type(p->models, u, v->type);
    ir_type t = v->type, st;

    if (g->lock.lock || v->flags & IR_VF_TLS ||
        (m && m->flags & (MODEL_TF_COND | MODEL_TF_SYNC_OBJECT | MODEL_TF_THREAD)))
        return false;
    for (; u->types[t].kind == IR_T_TYPEDEF || u->types[t].kind == IR_T_QUALIFIED ||
           u->types[t].kind == IR_T_ARRAY;
         t = u->types[t].elem)
        if (u->types[t].kind == IR_T_QUALIFIED && u->types[t].flags & (IR_TF_CONST | IR_TF_VOLATILE))
            return false;
    st = type_struct(u, t);
    return u->types[t].kind != IR_T_ATOMIC && u->types[t].kind != IR_T_FUNCTION &&
           !(st && p->structs.at[g->unit->structs[st]].has_lock);
}

static void find_globals(struct program *p, struct habits *h) {
    h->shared = arena_array(&p->arena, bool, p->globals.n + 1);
    h->of_unit = arena_array(&p->arena, struct own_locks, p->units.n + 1);
    for (uint32_t i = 1; i < p->globals.n; i++) {
        const struct linked_global *g = &p->globals.at[i];
        const struct ir_var_rec *v = &g->unit->unit->vars[g->var];
        struct own_locks *locks = &h->of_unit[g->unit - p->units.at];
        h->shared[i] = is_shared_data(p, g);
        if (v->kind == IR_V_GLOBAL && v->flags & IR_VF_DEFINED && locks->n < MAX_SIBLINGS &&
            g->unit->unit->types[type_plain(g->unit->unit, v->type)].kind != IR_T_ARRAY &&
            item_lock_in(p, i | ITEM_GLOBAL))
            locks->at[locks->n++] = i | ITEM_GLOBAL;
    }
}

struct habits *habits_of(struct program *p) {
    if (!p->habits) {
        struct habits *h = p->habits = xcalloc(1, sizeof *p->habits);
        h->beside_lock = arena_array(&p->arena, bool, p->fields.n + 1);
        h->of_struct = arena_array(&p->arena, struct own_locks, p->structs.n + 1);
        for (size_t i = 1; i < p->structs.n; i++) {
            const struct linked_struct *st = &p->structs.at[i];
            h->of_struct[i] = lock_fields(p, st);
            if (h->of_struct[i].n)
                for (uint32_t k = 0; k < st->n_fields; k++)
                    h->beside_lock[st->first_field + k] = is_data(p, &p->fields.at[st->first_field + k]);
        }
        find_globals(p, h);
        h->last_pass = xcalloc(p->funcs.n, sizeof *h->last_pass);
    }
    return p->habits;
}

uint32_t habit_siblings(struct program *p, uint32_t item, uint32_t *locks) {
    const struct habits *h = habits_of(p);
    const uint32_t global = item & ~ITEM_GLOBAL;

    if (item == global)
        return h->beside_lock[item] ? copy_locks(&h->of_struct[p->fields.at[item].parent], locks) : 0;
    return h->shared[global] ? copy_locks(&h->of_unit[p->globals.at[global].unit - p->units.at], locks) : 0;
}

/* A sibling as the lock of this object; of a global: that lock. */
static term sibling_of(struct solver *s, term object, uint32_t lock) {
    const uint32_t inner = item_lock_in(s->p, lock);
    const term at = lock & ITEM_GLOBAL ? term_make(&s->t, TERM_GLOBAL, lock & ~ITEM_GLOBAL, 0, 0)
                                       : term_make(&s->t, TERM_FIELD, object, lock, 0);

    return inner == lock ? at : term_make(&s->t, TERM_FIELD, at, inner, 0);
}

static struct habit_access *note_access(struct program *p, uint32_t func, uint32_t item, ir_loc loc,
                                        ir_event event, term object, uint8_t held, bool write) {
    const uint32_t pass = habits_of(p)->last_pass[func];
    struct habits *h = habits_of(p);
    bool fresh;
    uint32_t *slot = map64_place(&h->seen, hash_add(key_pair(func, loc), item), &fresh);

    if (!fresh && h->accesses.at[*slot].pass == pass) {
        struct habit_access *a = &h->accesses.at[*slot];
        a->held &= held;
        a->ever |= held;
        a->write |= write;
        return a;
    }
    *slot = (uint32_t)h->accesses.n;
    vec_push(&h->accesses, ((struct habit_access){item, func, loc, event, object, held, held, 0, write, false,
                                                  false, pass}));
    return &h->accesses.at[*slot];
}

void habit_again(struct program *p, const struct habit_access *a) {
    struct habits *h = habits_of(p);

    map64_put(&h->seen, hash_add(key_pair(a->func, a->loc), a->item), (uint32_t)h->accesses.n);
    vec_push(&h->accesses, *a);
    vec_last(&h->accesses).pass = h->last_pass[a->func];
}

/* Does the function ask here whether it has the lock, or count how often (relock.h)? What lies beside it tells, and is read without. */
static bool keeps_levels(const struct solver *s, const uint32_t *locks, uint32_t n) {
    for (uint32_t i = 0; i < s->n_levels; i++)
        for (uint32_t k = 0; k < n; k++)
            if (s->levels[i].item == locks[k])
                return true;
    return false;
}

void habit_access(struct solver *s, const struct world *w, term at, bool write, ir_loc loc) {
    uint32_t locks[MAX_SIBLINGS], n;
    uint8_t held = 0;
    bool given_up = false;
    struct term_rec r;
    uint32_t item;
    term object;

    if (!loc || !w->spawned)
        return;
    for (;;) { /* outwards to the member of the struct that holds the lock, or to the variable */
        r = s->t.recs[at];
        item = r.op == TERM_FIELD ? r.b : r.a | ITEM_GLOBAL;
        if ((r.op == TERM_FIELD || r.op == TERM_GLOBAL) && (n = habit_siblings(s->p, item, locks)))
            break;
        if (r.op != TERM_FIELD && r.op != TERM_INDEX)
            return;
        at = r.a;
    }
    if (item_guard(s->p, item) || world_owns(&s->t, w, at) || keeps_levels(s, locks, n))
        return;
    object = r.op == TERM_FIELD ? r.a : at;
    for (uint32_t i = 0; i < n; i++) {
        const struct held *h = world_held(w, sibling_of(s, object, locks[i]));
        given_up |= h && h->mode == HELD_RELEASED;
    }
    for (uint32_t i = 0; i < n; i++)
        if (lock_status(s, w, sibling_of(s, object, locks[i]), false))
            held |= (uint8_t)(1u << i);
    note_access(s->p, s->func, item, loc, s->now_at, object, held, write)->given_up |= given_up;
}

uint32_t lock_wrapper(const struct program *p, const struct term_table *t, term lock) {
    const struct term_rec *r = term_at(t, lock), *outer = r->op == TERM_FIELD ? term_at(t, r->a) : r;
    const uint32_t item = outer == r                 ? 0
                          : outer->op == TERM_FIELD  ? outer->b
                          : outer->op == TERM_GLOBAL ? outer->a | ITEM_GLOBAL
                                                     : 0;

    return item && item_lock_in(p, item) == r->b ? item : 0;
}

/* An object that nobody else knows needs no lock: handing it on counts as holding its locks. */
static uint32_t owned_locks(const struct solver *s, const struct world *w, ir_event e, const term *args,
                            uint32_t *locks, uint32_t most) {
    const struct ir_event_rec *ev = &s->u->events[e];
    uint32_t n = 0;

    for (uint32_t i = 0; i < ev->args.count && n + MAX_SIBLINGS <= most; i++) {
        const ir_type t = type_plain(s->u, s->u->exprs[s->u->expr_refs[ev->args.first + i]].type);
        const ir_type st = s->u->types[t].kind == IR_T_POINTER ? type_struct(s->u, s->u->types[t].elem) : 0;
        if (st && s->lu->structs[st] && args[i] && world_owns(&s->t, w, args[i]))
            n += copy_locks(&habits_of(s->p)->of_struct[s->lu->structs[st]], locks + n);
    }
    return n;
}

uint64_t habit_sometimes_key(uint32_t func, ir_event event, uint32_t class) {
    return hash_add(key_pair(func, event), class);
}

static void add_held(struct class_set *now, uint32_t class) {
    class_set_add(now, class);
    class_set_add(now, class | HABIT_LOCKED);
    class_set_add(now, class | HABIT_DOUBTED);
}

void habit_call(struct solver *s, const struct world *w, ir_event e, const term *args) {
    struct habits *h = habits_of(s->p);
    uint32_t owned[4 * MAX_SIBLINGS];
    const uint32_t n_owned = owned_locks(s, w, e, args, owned, 4 * MAX_SIBLINGS);
    struct class_set now = {arena_array(&s->scratch, uint32_t, 6 * w->n_held + 2 * n_owned + 1), 0,
                            !w->spawned, 0};
    uint32_t *slot = &s->lu->held_classes[e];

    for (uint32_t i = 0; i < w->n_held; i++) {
        const struct object_class c = term_class(&s->t, w->held[i].lock);
        uint32_t class = c.field ? c.field : c.global ? c.global | ITEM_GLOBAL : 0;
        if (!class || w->held[i].mode == HELD_RELEASED)
            continue;
        add_held(&now, class);
        (void)note(s, (struct noted){.kind = NOTED_SOMETIMES, .event = e, .item = class});
        if ((class = lock_wrapper(s->p, &s->t, w->held[i].lock)))
            add_held(&now, class);
    }
    for (uint32_t i = 0; i < n_owned; i++) {
        class_set_add(&now, owned[i]);
        class_set_add(&now, owned[i] | HABIT_DOUBTED);
    }
    if (!*slot) {
        vec_push(&h->sets, ((struct class_set){NULL, 0, true, s->pass}));
        *slot = (uint32_t)h->sets.n;
    } else if (h->sets.at[*slot - 1].pass != s->pass) {
        h->sets.at[*slot - 1] = (struct class_set){NULL, 0, true, s->pass};
    }
    (void)class_set_meet(&s->p->arena, &h->sets.at[*slot - 1], &now, NULL);
}

void habit_begin(struct solver *s) {
    habits_of(s->p)->first_of_function = (uint32_t)habits_of(s->p)->accesses.n;
    habits_of(s->p)->last_pass[s->func] = s->pass;
}

void habit_forget(struct program *p, uint32_t func) {
    habits_of(p)->last_pass[func] = 0;
}

void habit_finish(struct solver *s) {
    struct habits *h = habits_of(s->p);

    for (size_t i = h->first_of_function; i < h->accesses.n;
         i++) /* the object's maker or destroyer needs no lock */
        for (size_t k = 0; k < s->retired.n; k++) {
            term x = h->accesses.at[i].object;
            while (x != s->retired.at[k] && (s->t.recs[x].op == TERM_FIELD || s->t.recs[x].op == TERM_INDEX))
                x = s->t.recs[x].a;
            h->accesses.at[i].dropped |= x == s->retired.at[k];
        }
    for (size_t i = h->first_of_function; i < h->accesses.n; i++) {
        uint32_t locks[MAX_SIBLINGS];
        const uint32_t n = habit_siblings(s->p, h->accesses.at[i].item, locks);
        for (uint32_t k = 0; k < n; k++) {
            const term lock = sibling_of(s, h->accesses.at[i].object, locks[k]);
            h->accesses.at[i].dropped |= locks[k] & ITEM_GLOBAL && term_in(s->retired.at, s->retired.n, lock);
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
    ir_event event; /* where the walk is; 0: between events */
};

/* The member of the struct with the lock that `place` lies in, outwards through members and elements of arrays by value, of an
 * object behind a pointer (a local's own parts are nobody else's), or the global with a lock beside it. 0: none. */
static uint32_t item_with_lock(const struct walk *x, ir_expr place) {
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
            const uint32_t global = r->op == IR_E_VAR ? x->lu->globals[r->a] : 0;
            return global && habit_siblings(x->p, global | ITEM_GLOBAL, locks) ? global | ITEM_GLOBAL : 0;
        }
    }
}

static void note_plain(const struct walk *x, uint32_t item, ir_loc loc, bool write) {
    if (!item_guard(x->p, item))
        (void)note_access(x->p, x->func, item, loc, x->event, 0, 0, write);
}

/* `argument`: e is handed to a function. */
static void walk_expr(struct walk *x, ir_expr e, bool write, bool argument, ir_loc loc) {
    const struct unit *u = x->lu->unit;
    const struct ir_expr_rec *r = &u->exprs[e];
    uint32_t item;

    switch (r->op) {
    case IR_E_ADDR: /* handed on: touched there */
        if (argument && (item = item_with_lock(x, r->a)))
            note_plain(x, item, r->loc ? r->loc : loc, true);
        walk_expr(x, r->a, false, false, loc);
        break;
    case IR_E_FIELD:
        /* touched as a whole, or the place that is stored to */
        if (write && (item = item_with_lock(x, e)))
            note_plain(x, item, r->loc ? r->loc : loc, true);
        walk_expr(x, r->a, false, false, loc);
        break;
    case IR_E_LOAD:
        if ((item = item_with_lock(x, r->a)))
            note_plain(x, item, r->loc ? r->loc : u->exprs[r->a].loc ? u->exprs[r->a].loc : loc, false);
        walk_expr(x, r->a, false, false, loc);
        break;
    case IR_E_UNARY:
    case IR_E_CAST: walk_expr(x, r->a, false, argument, loc); break;
    case IR_E_DEREF: walk_expr(x, r->a, false, false, loc); break;
    case IR_E_VAR:
        if (write && (item = item_with_lock(x, e)))
            note_plain(x, item, r->loc ? r->loc : loc, true);
        break;
    case IR_E_INDEX:
        if (write && (item = item_with_lock(x, e)))
            note_plain(x, item, r->loc ? r->loc : loc, true);
        /* fallthrough */
    case IR_E_BINARY:
        walk_expr(x, r->a, false, false, loc);
        walk_expr(x, r->b, false, false, loc);
        break;
    default: break;
    }
}

void habit_walk_function(struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *fr = &u->funcs[f->func];
    struct walk x = {p, func, f->unit, 0};

    for (uint32_t b = fr->blocks.first; b < fr->blocks.first + fr->blocks.count; b++) {
        x.event = u->blocks[b].events.count ? u->blocks[b].events.first + u->blocks[b].events.count - 1 : 0;
        if (u->blocks[b].cond)
            walk_expr(&x, u->blocks[b].cond, false, false, u->blocks[b].loc);
        for (uint32_t i = 0; i < u->blocks[b].events.count; i++) {
            const struct ir_event_rec *ev = &u->events[u->blocks[b].events.first + i];
            x.event = u->blocks[b].events.first + i;
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

void habits_end(struct program *p, bool *solved) {
    habits_of(p)->solved = solved;
}

void habits_free(struct habits *h) {
    if (!h)
        return;
    vec_free(&h->accesses);
    vec_free(&h->sets);
    map64_free(&h->seen);
    map64_free(&h->makers);
    map64_free(&h->sometimes);
    free(h->found);
    vec_free(&h->kept);
    free(h->last_pass);
    free(h->solved);
    free(h);
}
