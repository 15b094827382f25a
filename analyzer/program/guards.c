/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Is guarded data touched with its lock held, and if not, whose fault is it?
 * Stands on solver.h.
 *
 * The object's owner needs no lock: fresh objects, locals nobody knows, objects whose lock was initialised or destroyed
 * here, and everything before the first spawn. Otherwise the caller may hold the lock: where the lock can be said in the
 * callers' words and all callers are known, the access becomes the function's requirement and is judged at each call. */
#include "solver.h"
#include "habits.h"

#include <string.h>

struct loader {
    struct solver *s;
    struct world *w;
};

static term load_here(void *data, term at) {
    struct loader *l = data;

    return world_load(&l->s->t, l->w, at);
}

/* The lock of one guard path for the member at `at` (FIELD of some object), or of a global. */
static term guard_lock(struct solver *s, struct world *w, const struct lock_path *path, term at,
                       term *object) {
    struct loader l = {s, w};
    const struct linked_unit *lu;
    uint32_t want;
    term root = at;

    *object = at;
    switch (path->root) {
    case LOCK_AT_OBJECT:
        lu = program_unit(s->p, path->unit);
        want = lu ? lu->structs[path->object] : 0;
        for (;;) { /* outwards to the struct at which the path begins */
            const struct term_rec r = s->t.recs[root];
            if (r.op == TERM_INDEX) {
                root = r.a;
                continue;
            }
            if (r.op != TERM_FIELD)
                return 0;
            root = r.a;
            if (s->p->fields.at[r.b].parent == want || !want)
                break;
        }
        *object = root;
        break;
    case LOCK_AT_VAR:
        lu = program_unit(s->p, path->unit);
        if (!lu)
            return 0;
        root = lu->globals[path->var] ? term_make(&s->t, TERM_GLOBAL, lu->globals[path->var], 0, 0)
                                      : term_make(&s->t, TERM_LOCAL, path->var, 0, 0);
        break;
    case LOCK_AT_TOKEN: return term_make(&s->t, TERM_TOKEN, intern_string(&s->p->names, path->name), 0, 0);
    default: return 0;
    }
    return lock_path_term(s->p, &s->t, path, root, load_here, &l);
}

bool defers_to_callers(const struct solver *s) {
    return s->lf->n_callers && (s->lf->internal || s->p->options.whole) && !s->lf->is_thread_entry;
}

/* Was the lock given up here before, or is it another one that the function takes itself? Then no caller can be meant. */
static bool is_ours(struct solver *s, const struct world *w, term lock) {
    for (uint32_t i = 0; i < w->n_gone; i++)
        if (w->gone[i].mode != HELD_DOUBTED && term_same_shape(&s->t, w->gone[i].lock, lock))
            return true;
    for (uint32_t i = 0; i < w->n_held; i++)
        if (w->held[i].mode == HELD_RELEASED && term_same_shape(&s->t, w->held[i].lock, lock))
            return true;
    return false;
}

static void story_near(struct solver *s, const struct world *w, struct lock_problem *pr, term lock) {
    const struct object_class class = term_class(&s->t, lock);

    for (uint32_t i = 0; class_known(class) && i < w->n_held; i++) {
        const struct held *h = &w->held[i];
        if (h->mode == HELD_RELEASED || !class_equal(class, term_class(&s->t, h->lock)) ||
            term_same_shape(&s->t, h->lock, lock))
            continue;
        pr->near = print_place(s, h->lock);
        if (h->event)
            problem_story(s, pr, STORY_NEAR, s->u, s->u->events[h->event].loc, pr->near);
        return;
    }
}

/* Keep a missing lock until the function is done. */
static void missing(struct solver *s, struct world *w, term lock, term object, struct requirement r,
                    uint32_t problem) {
    struct pending_access a;

    memset(&a, 0, sizeof a);
    r.lock = to_path(s, NULL, lock, 0);
    r.object = object ? to_path(s, NULL, object, 0) : 0;
    a.r = r;
    a.lock = lock;
    a.object = object;
    a.problem = problem;
    a.trail = w->trail;
    a.n_held = w->n_held;
    a.n_gone = w->n_gone;
    for (uint32_t i = 0; i < w->n_gone; i++)
        if (w->gone[i].mode == HELD_FAILED && term_same_shape(&s->t, w->gone[i].lock, lock))
            a.tried = w->gone[i].event;
    a.spawn = w->spawn;
    a.here = !r.lock || is_ours(s, w, lock) || s->p->locks->problems.at[problem].near;
    vec_push(&s->pending, a);
}

static enum lock_problem_detail detail_of(enum access_kind kind) {
    switch (kind) {
    case ACCESS_READ: return DETAIL_READ;
    case ACCESS_WRITE: return DETAIL_WRITE;
    case ACCESS_ADDRESS: return DETAIL_ADDRESS;
    default: return DETAIL_COPY;
    }
}

/* Was this field touched without the lock before, with no branch, no lock and no new thread in between? Then it is one mistake. */
static bool said_in_section(struct solver *s, const struct world *w, term lock, uint32_t field,
                            uint32_t global, bool write) {
    for (size_t i = 0; i < s->pending.n; i++) {
        struct pending_access *a = &s->pending.at[i];
        if (a->lock != lock || a->r.field != field || a->r.global != global || (!field && !global) ||
            a->trail != w->trail || a->n_held != w->n_held || a->n_gone != w->n_gone ||
            a->spawn != w->spawn || a->r.reason != REQUIRED_BY_ACCESS || a->r.via.func)
            continue;
        a->r.write |= write;
        return true;
    }
    return false;
}

/* May there be such a lock, or is the pointer to its object null on this way, as where a lock function was asked with it and took none? */
static bool is_there(const struct solver *s, const struct world *w, term lock) {
    const term object = term_object(&s->t, lock);

    return s->t.recs[object].op != TERM_LOAD || !range_equal(world_range(&s->t, w, object), range_of(0));
}

static void check_guard(struct solver *s, struct world *w, const struct guard *guard,
                        const struct linked_unit *declared, term at, enum access_kind kind, ir_loc loc,
                        uint32_t field, uint32_t global, const char *data) {
    const bool write = kind == ACCESS_WRITE || kind == ACCESS_COPY_TO;
    term lock = 0, object = 0, wanted = 0, wanted_object = 0;
    struct requirement r;
    struct lock_problem *pr;
    uint32_t number;
    int best = 0, worst = 2;

    for (uint32_t i = 0; i < guard->locks.n_paths; i++) {
        int status;
        lock = guard_lock(s, w, &guard->locks.paths[i], at, &object);
        if (!lock)
            return;
        status = lock_status(s, w, lock, write);
        if (status > best)
            best = status;
        if (status < worst || !wanted) {
            worst = status;
            wanted = lock;
            wanted_object = object;
        }
    }
    if (!wanted || (write ? worst == 2 : best == 2))
        return;
    if (world_owns(&s->t, w, at) || !w->spawned || !s->recording || w->failed || !is_there(s, w, wanted))
        return;
    if (said_in_section(s, w, wanted, field, global, write))
        return;
    pr = problem_new(s, PROBLEM_GUARDED, worst == 1 ? DETAIL_SHARED_ONLY : detail_of(kind), loc, wanted,
                     &number);
    if (pr) {
        pr->item = field ? field : global | ITEM_GLOBAL;
        pr->data = data ? data : print_place(s, at);
        problem_story(s, pr, STORY_GUARD, declared->unit, guard->loc, pr->lock);
        if (worst != 1)
            story_near(s, w, pr, wanted);
        for (uint32_t i = 0; i < w->n_gone; i++)
            if (term_same_shape(&s->t, w->gone[i].lock, wanted) && w->gone[i].event &&
                w->gone[i].mode != HELD_FAILED)
                problem_story(s, pr, STORY_RELEASED, s->u, s->u->events[w->gone[i].event].loc, pr->lock);
        for (uint32_t i = 0; i < w->n_held; i++)
            if (worst == 1 && term_same_shape(&s->t, w->held[i].lock, wanted))
                problem_taken(s, pr, &w->held[i]);
    }
    memset(&r, 0, sizeof r);
    r.reason = REQUIRED_BY_ACCESS;
    r.write = write;
    r.site = (struct site){s->func, loc};
    r.data = s->p->locks->problems.at[number].data;
    r.guard = s->p->locks->problems.at[number].lock;
    r.field = field;
    r.global = global;
    missing(s, w, wanted, wanted_object, r, number);
}

/* A struct copied, cleared or passed whole: every guarded member is touched. */
static void check_members(struct solver *s, struct world *w, term at, ir_type type, enum access_kind kind,
                          ir_loc loc) {
    const ir_type st = type_struct(s->u, type);
    const struct linked_struct *ls;

    if (!st || !s->lu->structs[st])
        return;
    ls = &s->p->structs.at[s->lu->structs[st]];
    for (uint32_t i = 0; i < ls->n_fields; i++) {
        const struct linked_field *f = &s->p->fields.at[ls->first_field + i];
        if (f->guard)
            check_guard(s, w, f->guard, f->unit, term_make(&s->t, TERM_FIELD, at, ls->first_field + i, 0),
                        kind, loc, ls->first_field + i, 0, NULL);
    }
}

void check_access(struct solver *s, struct world *w, term at, ir_type type, enum access_kind kind,
                  ir_loc loc) {
    term x = at;

    if (!s->recording)
        return;
    habit_access(s, w, at, kind == ACCESS_WRITE || kind == ACCESS_COPY_TO, loc);
    for (;;) {
        const struct term_rec r = s->t.recs[x];
        if (r.op == TERM_FIELD) {
            const struct linked_field *f = &s->p->fields.at[r.b];
            if (f->guard)
                check_guard(s, w, f->guard, f->unit, x, kind, loc, r.b, 0,
                            x == at ? NULL : print_place(s, at));
        } else if (r.op == TERM_GLOBAL) {
            const struct linked_global *g = &s->p->globals.at[r.a];
            if (g->guard)
                check_guard(s, w, g->guard, g->unit, x, kind, loc, 0, r.a,
                            x == at ? NULL : print_place(s, at));
            break;
        } else if (r.op != TERM_INDEX) {
            break;
        }
        x = r.a;
    }
    if (kind == ACCESS_COPY_FROM || kind == ACCESS_COPY_TO || kind == ACCESS_ADDRESS)
        check_members(s, w, at, type, kind == ACCESS_ADDRESS ? ACCESS_COPY_TO : kind, loc);
}

void check_pointee(struct solver *s, struct world *w, ir_expr pointer, bool write, ir_event at, ir_loc loc) {
    const struct guard *guard = NULL;
    const struct linked_unit *declared = NULL;
    term place;

    while (s->u->exprs[pointer].op == IR_E_CAST || (s->u->exprs[pointer].op == IR_E_BINARY))
        pointer = s->u->exprs[pointer].a;
    if (s->u->exprs[pointer].op != IR_E_LOAD)
        return;
    pointer = s->u->exprs[pointer].a;
    if (s->u->exprs[pointer].op == IR_E_FIELD) {
        const struct linked_field *f = &s->p->fields.at[s->lu->fields[s->u->exprs[pointer].b]];
        guard = f->pointee_guard;
        declared = f->unit;
    } else if (s->u->exprs[pointer].op == IR_E_VAR && s->lu->globals[s->u->exprs[pointer].a]) {
        const struct linked_global *g = &s->p->globals.at[s->lu->globals[s->u->exprs[pointer].a]];
        guard = g->pointee_guard;
        declared = g->unit;
    }
    if (!guard)
        return;
    place = eval_place(s, w, pointer, at);
    char *text = arena_printf(&s->p->arena, "*%s", print_place(s, place));
    check_guard(s, w, guard, declared, place, write ? ACCESS_WRITE : ACCESS_READ, loc, 0, 0, text);
}

/* Does data of type t hold pointers to objects of that struct? */
static bool links(const struct linked_unit *lu, ir_type t, uint32_t to, int depth) {
    const struct unit *u = lu->unit;
    ir_type st;

    t = type_plain(u, t);
    while (u->types[t].kind == IR_T_ARRAY)
        t = type_plain(u, u->types[t].elem);
    if (u->types[t].kind == IR_T_POINTER) {
        st = type_struct(u, u->types[t].elem);
        return st && lu->structs[st] == to;
    }
    st = type_struct(u, t);
    if (!st || depth > 3)
        return false;
    for (uint32_t i = 0; i < u->types[st].fields.count; i++)
        if (links(lu, u->fields[u->types[st].fields.first + i].type, to, depth + 1))
            return true;
    return false;
}

/* May the guarded member f keep objects of this struct, so that they are under its lock as well? */
static bool may_link(const struct linked_field *f, uint32_t to) {
    return to && links(f->unit, f->unit->unit->fields[f->field].type, to, 0);
}

bool escape_is_link(const struct solver *s, term value, uint32_t to) {
    for (;;) {
        const struct term_rec r = s->t.recs[value];
        if (r.op == TERM_FIELD && s->p->fields.at[r.b].guard)
            return may_link(&s->p->fields.at[r.b], to);
        if (r.op != TERM_FIELD && r.op != TERM_INDEX)
            return false;
        value = r.a;
    }
}

/* Is the place under the same lock: guarded by it, in an object found there, or in one that f links? */
static bool is_under(struct solver *s, struct world *w, term place, const struct linked_field *f, term lock) {
    bool whole = true;

    for (;;) {
        const struct term_rec r = s->t.recs[place];
        term object;
        if (r.op == TERM_FIELD) {
            const struct linked_field *g = &s->p->fields.at[r.b];
            const term other = g->guard ? guard_lock(s, w, &g->guard->locks.paths[0], place, &object) : 0;
            if ((other && term_same_shape(&s->t, other, lock)) || (whole && may_link(f, g->parent)))
                return true;
        } else if (r.op == TERM_LOAD) {
            whole = false;
        } else if (r.op != TERM_INDEX) {
            return false;
        }
        place = r.a;
    }
}

void check_escape(struct solver *s, struct world *w, term value, term into, enum lock_problem_detail how,
                  ir_loc loc) {
    term x = value, object, lock;
    const struct linked_field *f;
    struct lock_problem *pr;

    if (!s->recording)
        return;
    while (s->t.recs[x].op == TERM_INDEX ||
           (s->t.recs[x].op == TERM_FIELD && !s->p->fields.at[s->t.recs[x].b].guard))
        x = s->t.recs[x].a;
    if (s->t.recs[x].op != TERM_FIELD || world_owns(&s->t, w, x) || !w->spawned)
        return;
    f = &s->p->fields.at[s->t.recs[x].b];
    lock = guard_lock(s, w, &f->guard->locks.paths[0], x, &object);
    if (!lock || (defers_to_callers(s) && how == DETAIL_RETURNED && !is_ours(s, w, lock)))
        return; /* an accessor: what its callers do with the pointer is seen there */
    for (uint32_t i = 0; how == DETAIL_RETURNED && i < w->n_held; i++)
        if (w->held[i].flags & HELD_ENTRY && w->held[i].mode != HELD_RELEASED &&
            term_same_shape(&s->t, w->held[i].lock, lock))
            return; /* the caller still holds it */
    if (into && is_under(s, w, into, f, lock))
        return;
    pr = problem_new(s, PROBLEM_ESCAPE, how, loc, lock, NULL);
    if (!pr)
        return;
    pr->data = print_place(s, value);
    pr->item = s->t.recs[x].b;
    problem_story(s, pr, STORY_GUARD, f->unit->unit, f->guard->loc, pr->lock);
}

void check_requirement(struct solver *s, struct world *w, const struct requirement *r, uint32_t callee,
                       term lock, term object, ir_loc loc) {
    const struct linked_func *cf = &s->p->funcs.at[callee];
    const int status = lock_status(s, w, lock, r->write);
    struct requirement up = *r;
    struct lock_problem *pr;
    uint32_t number;

    if (r->excluded) {
        struct held *h = world_held(w, lock);
        if (!h || h->mode == HELD_RELEASED || h->flags & HELD_MAYBE)
            return;
        pr = problem_new(s, PROBLEM_EXCLUDES, DETAIL_NONE, loc, lock, NULL);
        if (pr) {
            pr->data = cf->name ? cf->name : "the pointer";
            problem_taken(s, pr, h);
            problem_story_in(s, pr, STORY_CONTRACT, r->site.func, r->site.loc, r->guard);
        }
        return;
    }
    if (status == 2)
        return;
    if (r->reason == REQUIRED_BY_ACCESS &&
        ((object && world_owns(&s->t, w, object)) || !w->spawned || w->failed)) {
        (void)note(s, (struct noted){.kind = NOTED_EXCUSED, .func = callee});
        return;
    }
    pr = problem_new(s, r->reason == REQUIRED_BY_ACCESS ? PROBLEM_GUARDED : PROBLEM_REQUIRES,
                     status == 1                       ? DETAIL_SHARED_ONLY
                     : r->reason == REQUIRED_BY_ACCESS ? DETAIL_IN_CALLEE
                                                       : DETAIL_NONE,
                     loc, lock, &number);
    if (pr) {
        pr->item = r->field ? r->field : r->global | ITEM_GLOBAL;
        pr->data = r->reason == REQUIRED_BY_ACCESS ? r->data : cf->name ? cf->name : "the pointer";
        if (r->reason == REQUIRED_BY_ACCESS) {
            problem_story(s, pr, STORY_CALL, s->u, loc, cf->name);
            problem_story_in(s, pr, STORY_ACCESS, r->site.func, r->site.loc, r->data);
        } else {
            problem_story_in(s, pr, STORY_CONTRACT, r->site.func, r->site.loc, r->guard);
        }
        story_near(s, w, pr, lock);
        for (uint32_t i = 0; i < w->n_held; i++)
            if (status == 1 && term_same_shape(&s->t, w->held[i].lock, lock))
                problem_taken(s, pr, &w->held[i]);
    }
    up.via = (struct site){s->func, loc};
    missing(s, w, lock, object, up, number);
}
