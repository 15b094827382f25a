/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Gives the functions, globals, structs and fields of all units their numbers in the program, and resolves guards.
 * Stands on linked.h and lock_expr.h.
 *
 * External names are joined by name, internal ones stay apart. A static inline function of a header is one function
 * however many units include it, when each made the same graph of it: solving librdkafka's queue helpers once, not
 * eighty times. Structs are joined by tag and place of definition, so two files may use one tag for two things. */
#include "linked.h"

#include <stdio.h>
#include <string.h>
#include "../base/alloc.h"

struct linker {
    struct program *p;
    struct map64 funcs, headers, globals, structs, complete; /* name number or hash → number */
};

struct position program_position(const struct unit *u, ir_loc loc) {
    const struct ir_loc_rec *l = &u->locs[loc];
    struct position at = {NULL, 0, 0, 0, 0, NULL};

    if (!loc)
        return at;
    at.file = unit_str(u, u->files[l->file].path);
    at.line = l->line;
    at.col = l->col;
    at.end_line = l->end_line;
    at.end_col = l->end_col;
    at.macro = l->macro ? unit_str(u, l->macro) : NULL;
    return at;
}

ir_type type_plain(const struct unit *u, ir_type t) {
    while (u->types[t].kind == IR_T_TYPEDEF || u->types[t].kind == IR_T_QUALIFIED)
        t = u->types[t].elem;
    return t;
}

bool type_is_volatile(const struct unit *u, ir_type t) {
    while (u->types[t].kind == IR_T_TYPEDEF || u->types[t].kind == IR_T_QUALIFIED) {
        if (u->types[t].kind == IR_T_QUALIFIED && u->types[t].flags & IR_TF_VOLATILE)
            return true;
        t = u->types[t].elem;
    }
    return u->types[t].kind == IR_T_ATOMIC;
}

ir_type type_struct(const struct unit *u, ir_type t) {
    t = type_plain(u, t);
    return u->types[t].kind == IR_T_STRUCT || u->types[t].kind == IR_T_UNION ? t : 0;
}

const struct linked_unit *program_unit(const struct program *p, const struct unit *u) {
    for (size_t i = 0; i < p->units.n; i++)
        if (p->units.at[i].unit == u)
            return &p->units.at[i];
    return NULL;
}

struct lock_kind lock_kind_of(const struct program *p, const struct unit *u, ir_type t) {
    struct lock_kind k = {false, false, false, false, false};
    const struct model_type *m;

    while (u->types[t].kind == IR_T_ARRAY)
        t = u->types[t].elem;
    m = models_find_ir_type(p->models, u, t);
    if (m && m->flags & (MODEL_TF_LOCK | MODEL_TF_RW)) {
        k.lock = true;
        k.rw = m->flags & MODEL_TF_RW;
        k.recursive = m->flags & MODEL_TF_RECURSIVE;
        k.async = m->flags & MODEL_TF_ASYNC;
        k.spin = m->flags & MODEL_TF_SPIN;
        return k;
    }
    for (;;) {
        const struct ir_type_rec *r = &u->types[t];
        if (annotated(u, r->annots, IR_A_lock_type))
            k.lock = true;
        if (annotated(u, r->annots, IR_A_async_lock_type))
            k.lock = k.async = true;
        if (k.lock || (r->kind != IR_T_TYPEDEF && r->kind != IR_T_QUALIFIED && r->kind != IR_T_ARRAY))
            return k;
        t = r->elem;
    }
}

/* ---- functions ---- */
static bool same_graph(const struct unit *a, ir_func fa, const struct unit *b, ir_func fb) {
    const struct ir_func_rec *ra = &a->funcs[fa], *rb = &b->funcs[fb];

    return ra->blocks.count == rb->blocks.count && ra->locals.count == rb->locals.count &&
           ra->params.count == rb->params.count &&
           (!ra->blocks.count ||
            a->blocks[ra->blocks.first].events.count == b->blocks[rb->blocks.first].events.count);
}

static uint32_t new_func(struct linker *l, const struct linked_unit *lu, ir_func f) {
    const struct unit *u = lu->unit;
    const struct ir_func_rec *r = &u->funcs[f];
    struct linked_func *lf = vec_add(&l->p->funcs);

    lf->unit = lu;
    lf->func = f;
    lf->name = unit_str(u, r->name);
    lf->defined = r->blocks.count > 0;
    lf->internal = r->flags & IR_FF_STATIC;
    lf->noreturn = r->flags & IR_FF_NORETURN;
    lf->unchecked = annotated(u, r->annots, IR_A_unchecked);
    lf->is_thread_entry =
        annotated(u, r->annots, IR_A_thread_entry) || annotated(u, r->annots, IR_A_task_entry);
    lf->model = models_find(l->p->models, lf->name);
    return (uint32_t)l->p->funcs.n - 1;
}

/* What tells one file from another: its contents and its name without directories, for one header is opened by many paths
 * ("src/x.h", "src/net/../x.h"); where the contents are not known, the path. */
static uint64_t file_key(const struct unit *u, uint32_t file) {
    const struct ir_file_rec *f = &u->files[file];
    const char *path = unit_str(u, f->path), *slash = strrchr(path, '/');

    if (!f->hash_lo && !f->hash_hi)
        return hash_string(path);
    return hash_add(key_pair(f->hash_lo, f->hash_hi), hash_string(slash ? slash + 1 : path));
}

static uint32_t link_func(struct linker *l, const struct linked_unit *lu, ir_func f) {
    const struct unit *u = lu->unit;
    const struct ir_func_rec *r = &u->funcs[f];
    const ir_str key = r->asm_name ? r->asm_name : r->name;
    const bool defined = r->blocks.count > 0;
    uint32_t *slot, id;
    bool fresh;

    if (r->flags & (IR_FF_STATIC | IR_FF_INITIALISERS)) {
        const struct ir_loc_rec *loc = &u->locs[r->loc];
        if (!defined || r->flags & IR_FF_INITIALISERS || u->files[loc->file].flags & IR_FILE_MAIN || !r->loc)
            return new_func(l, lu, f);
        slot = map64_place(
            &l->headers,
            hash_add(hash_add(file_key(u, loc->file), loc->line), hash_string(unit_str(u, r->name))), &fresh);
        if (!fresh && same_graph(u, f, l->p->funcs.at[*slot].unit->unit, l->p->funcs.at[*slot].func))
            return *slot;
        id = new_func(l, lu, f);
        if (fresh)
            *slot = id;
        return id;
    }
    slot = map64_place(&l->funcs, intern_string(&l->p->names, unit_str(u, key)), &fresh);
    if (fresh)
        return *slot = new_func(l, lu, f);
    id = *slot;
    if (defined) {
        struct linked_func *lf = &l->p->funcs.at[id];
        if (lf->defined) /* defined again: its own unit calls it, the others the first */
            return new_func(l, lu, f);
        const bool noreturn = lf->noreturn;
        lf->unit = lu;
        lf->func = f;
        lf->defined = true;
        lf->noreturn = noreturn || r->flags & IR_FF_NORETURN;
        lf->unchecked |= annotated(u, r->annots, IR_A_unchecked);
    } else if (r->annots.count && !l->p->funcs.at[id].defined &&
               !l->p->funcs.at[id].unit->unit->funcs[l->p->funcs.at[id].func].annots.count) {
        l->p->funcs.at[id].unit = lu; /* the declaration that says more */
        l->p->funcs.at[id].func = f;
    }
    return id;
}

/* ---- globals ---- */
static uint32_t link_global(struct linker *l, const struct linked_unit *lu, ir_var v) {
    const struct unit *u = lu->unit;
    const struct ir_var_rec *r = &u->vars[v];
    const bool internal = r->flags & IR_VF_STATIC || r->kind == IR_V_STATIC_LOCAL;
    uint32_t *slot = NULL, id = 0;
    bool fresh = true;
    struct linked_global *g;

    if (!internal) {
        slot = map64_place(&l->globals, intern_string(&l->p->names, unit_str(u, r->name)), &fresh);
        id = *slot;
    }
    if (fresh) {
        g = vec_add(&l->p->globals);
        id = (uint32_t)l->p->globals.n - 1;
        if (slot)
            *slot = id;
    } else {
        g = &l->p->globals.at[id];
        if (!(r->flags & IR_VF_DEFINED || (r->annots.count && !g->unit->unit->vars[g->var].annots.count)))
            return id;
    }
    g->unit = lu;
    g->var = v;
    g->name = unit_str(u, r->name);
    g->internal = internal;
    g->lock = lock_kind_of(l->p, u, r->type);
    return id;
}

/* ---- structs ---- */
static uint32_t link_struct(struct linker *l, struct linked_unit *lu, ir_type t) {
    const struct unit *u = lu->unit;
    const struct ir_type_rec *r = &u->types[t];
    const char *name = unit_str(u, r->name);
    const bool complete = !(r->flags & IR_TF_INCOMPLETE);
    const struct ir_loc_rec *loc = &u->locs[r->loc];
    uint64_t key = hash_add(hash_string(name), r->kind);
    uint32_t *slot, id;
    bool fresh;

    if (!complete) {
        id = map64_get(&l->complete, intern_string(&l->p->names, name), 0);
        return id;
    }
    key = hash_add(hash_add(key, file_key(u, loc->file)), loc->line);
    key = hash_add(key, r->fields.count);
    slot = map64_place(&l->structs, key, &fresh);
    if (fresh) {
        struct linked_struct *s = vec_add(&l->p->structs);
        *slot = id = (uint32_t)l->p->structs.n - 1;
        s->unit = lu;
        s->type = t;
        s->name = name;
        s->complete = true;
        s->first_field = (uint32_t)l->p->fields.n;
        s->n_fields = r->fields.count;
        for (uint32_t i = 0; i < r->fields.count; i++) {
            struct linked_field *f = vec_add(&l->p->fields);
            f->unit = lu;
            f->field = r->fields.first + i;
            f->parent = id;
            f->name = unit_str(u, u->fields[f->field].name);
            f->lock = lock_kind_of(l->p, u, u->fields[f->field].type);
        }
        if (*name && !map64_find(&l->complete, intern_string(&l->p->names, name)))
            map64_put(&l->complete, intern_string(&l->p->names, name), id);
    }
    id = *slot;
    for (uint32_t i = 0; i < r->fields.count; i++)
        lu->fields[r->fields.first + i] = l->p->structs.at[id].first_field + i;
    return id;
}

static bool type_has_lock(struct program *p, const struct linked_unit *lu, ir_type t, int depth) {
    const struct unit *u = lu->unit;
    ir_type s;

    if (depth > 16)
        return false;
    if (lock_kind_of(p, u, t).lock)
        return true;
    t = type_plain(u, t);
    while (u->types[t].kind == IR_T_ARRAY)
        t = type_plain(u, u->types[t].elem);
    s = type_struct(u, t);
    if (!s)
        return false;
    for (uint32_t i = 0; i < u->types[s].fields.count; i++)
        if (type_has_lock(p, lu, u->fields[u->types[s].fields.first + i].type, depth + 1))
            return true;
    return false;
}

/* ---- guards ---- */
const struct unit *program_complete(void *program, const char *name, ir_type *type) {
    struct program *p = program;

    for (size_t i = 1; i < p->structs.n; i++)
        if (p->structs.at[i].complete && !strcmp(p->structs.at[i].name, name)) {
            *type = p->structs.at[i].type;
            return p->structs.at[i].unit->unit;
        }
    return NULL;
}

struct lock_context program_context(struct program *p, const struct unit *u, enum lock_scope scope,
                                    uint32_t item) {
    struct lock_context c = lock_context_of(u, scope, item);

    if (p->options.whole) {
        c.complete = program_complete;
        c.data = p;
    }
    return c;
}

static const struct guard *resolve_guard(struct program *p, const struct unit *u, enum lock_scope scope,
                                         uint32_t item, struct ir_range annots, enum ir_annot_kind kind) {
    struct lock_context context = program_context(p, u, scope, item);
    struct guard *g = NULL;

    for (uint32_t i = 0; i < annots.count; i++) {
        const struct ir_annot_rec *a = &u->annots[annots.first + i];
        struct lock_list list = {NULL, 0, {RESULT_ANY, 0}};
        const char *why = NULL;
        enum lock_status status;
        if (a->kind != (uint32_t)kind)
            continue;
        status = lock_expr_annotation(&context, &p->arena, a, &list, &why);
        if (status == LOCK_WRONG) {
            struct annotation_error e = {.unit = u, .loc = a->loc, .text = why ? why : "this names no lock"};
            vec_push(&p->errors, e);
        }
        if (status != LOCK_RESOLVED)
            continue;
        if (!g)
            g = arena_new(&p->arena, struct guard);
        if (!g->locks.n_paths) {
            g->locks = list;
            g->loc = a->loc;
        } else { /* two annotations on one field: all their locks */
            struct lock_path *all = arena_array(&p->arena, struct lock_path, g->locks.n_paths + list.n_paths);
            memcpy(all, g->locks.paths, g->locks.n_paths * sizeof *all);
            memcpy(all + g->locks.n_paths, list.paths, list.n_paths * sizeof *all);
            g->locks.paths = all;
            g->locks.n_paths += list.n_paths;
        }
    }
    return g;
}

static void resolve_guards(struct program *p) {
    for (size_t i = 1; i < p->fields.n; i++) {
        struct linked_field *f = &p->fields.at[i];
        const struct unit *u = f->unit->unit;
        const struct ir_range a = u->fields[f->field].annots;
        if (!a.count)
            continue;
        f->guard = resolve_guard(p, u, LOCK_IN_FIELD, f->field, a, IR_A_guarded_by);
        f->pointee_guard = resolve_guard(p, u, LOCK_IN_FIELD, f->field, a, IR_A_pt_guarded_by);
    }
    for (size_t i = 1; i < p->globals.n; i++) {
        struct linked_global *g = &p->globals.at[i];
        const struct unit *u = g->unit->unit;
        const struct ir_range a = u->vars[g->var].annots;
        if (!a.count)
            continue;
        g->guard = resolve_guard(p, u, LOCK_IN_VAR, g->var, a, IR_A_guarded_by);
        g->pointee_guard = resolve_guard(p, u, LOCK_IN_VAR, g->var, a, IR_A_pt_guarded_by);
    }
}

#define WRAPPER_MAX 4u /* members of a struct that is but a lock with something to watch it */

static uint32_t find_lock_in(const struct program *p, uint32_t item) {
    const bool global = item & ITEM_GLOBAL;
    const uint32_t k = item & ~ITEM_GLOBAL;
    const struct linked_unit *lu = global ? p->globals.at[k].unit : p->fields.at[k].unit;
    const struct unit *u = lu->unit;
    const ir_type t = global ? u->vars[p->globals.at[k].var].type : u->fields[p->fields.at[k].field].type;
    const ir_type st = type_struct(u, t);
    const struct linked_struct *ls = st && lu->structs[st] ? &p->structs.at[lu->structs[st]] : NULL;
    uint32_t lock = 0;

    if (global ? p->globals.at[k].lock.lock : p->fields.at[k].lock.lock)
        return item;
    if (!ls || !ls->has_lock || ls->n_fields > WRAPPER_MAX)
        return 0;
    for (uint32_t i = ls->first_field; i < ls->first_field + ls->n_fields; i++) {
        const struct linked_field *f = &p->fields.at[i];
        const uint32_t kind =
            f->unit->unit->types[type_plain(f->unit->unit, f->unit->unit->fields[f->field].type)].kind;
        if (f->lock.lock && lock)
            return 0;
        if (f->lock.lock)
            lock = i;
        else if (kind != IR_T_INT && kind != IR_T_ENUM && kind != IR_T_POINTER)
            return 0;
    }
    return lock;
}

/* Asked for at every access. */
static void find_item_locks(struct program *p) {
    for (uint32_t i = 1; i < p->fields.n; i++)
        p->fields.at[i].lock_in = find_lock_in(p, i);
    for (uint32_t i = 1; i < p->globals.n; i++)
        p->globals.at[i].lock_in = find_lock_in(p, i | ITEM_GLOBAL);
}

uint32_t item_lock_in(const struct program *p, uint32_t item) {
    return item & ITEM_GLOBAL ? p->globals.at[item & ~ITEM_GLOBAL].lock_in : p->fields.at[item].lock_in;
}

void item_lock_text(const struct program *p, uint32_t item, char *out, size_t size) {
    const uint32_t lock = item_lock_in(p, item);

    if (!lock || lock == item)
        snprintf(out, size, "%s", item_name(p, item));
    else
        snprintf(out, size, "%s.%s", item_name(p, item), p->fields.at[lock].name);
}

const char *item_name(const struct program *p, uint32_t item) {
    return item & ITEM_GLOBAL ? p->globals.at[item & ~ITEM_GLOBAL].name : p->fields.at[item].name;
}

const struct guard *item_guard(const struct program *p, uint32_t item) {
    return item & ITEM_GLOBAL ? p->globals.at[item & ~ITEM_GLOBAL].guard : p->fields.at[item].guard;
}

ir_loc item_loc(const struct program *p, uint32_t item, const struct unit **u) {
    const struct linked_unit *lu =
        item & ITEM_GLOBAL ? p->globals.at[item & ~ITEM_GLOBAL].unit : p->fields.at[item].unit;

    if (u)
        *u = lu->unit;
    return item & ITEM_GLOBAL ? lu->unit->vars[p->globals.at[item & ~ITEM_GLOBAL].var].loc
                              : lu->unit->fields[p->fields.at[item].field].loc;
}

/* Guards taken as written (see program_options). */
static void assume_guards(struct program *p) {
    for (size_t i = 0; i < p->options.n_assumed; i++) {
        const uint32_t item = p->options.assumed[i].item;
        const char *why;
        char lock[120];
        const struct unit *u;
        struct guard *g = arena_new(&p->arena, struct guard);
        struct lock_context context;

        item_lock_text(p, p->options.assumed[i].lock, lock, sizeof lock);
        g->loc = item_loc(p, item, &u);
        context = item & ITEM_GLOBAL ? lock_context_of(u, LOCK_IN_VAR, p->globals.at[item & ~ITEM_GLOBAL].var)
                                     : lock_context_of(u, LOCK_IN_FIELD, p->fields.at[item].field);
        g->locks.paths = arena_array(&p->arena, struct lock_path, 1);
        g->locks.n_paths = 1;
        if (item_guard(p, item) || lock_expr_resolve(&context, &p->arena, lock, strlen(lock),
                                                     &g->locks.paths[0], &why) != LOCK_RESOLVED)
            continue;
        if (item & ITEM_GLOBAL)
            p->globals.at[item & ~ITEM_GLOBAL].guard = g;
        else
            p->fields.at[item].guard = g;
    }
}

void program_link(struct program *p) {
    struct linker l = {p, {0}, {0}, {0}, {0}, {0}};

    (void)vec_add(&p->structs); /* number 0 is none */
    (void)vec_add(&p->fields);
    (void)vec_add(&p->globals);
    (void)vec_add(&p->funcs);
    for (size_t i = 0; i < p->units.n; i++) {
        struct linked_unit *lu = &p->units.at[i];
        struct unit *u = lu->unit;
        lu->funcs = arena_array(&p->arena, uint32_t, u->n_funcs);
        lu->globals = arena_array(&p->arena, uint32_t, u->n_vars);
        lu->structs = arena_array(&p->arena, uint32_t, u->n_types);
        lu->fields = arena_array(&p->arena, uint32_t, u->n_fields);
        for (ir_type t = 1; t < u->n_types; t++)
            if ((u->types[t].kind == IR_T_STRUCT || u->types[t].kind == IR_T_UNION) &&
                !(u->types[t].flags & IR_TF_INCOMPLETE))
                lu->structs[t] = link_struct(&l, lu, t);
        for (ir_var v = 1; v < u->n_vars; v++)
            if (u->vars[v].kind == IR_V_GLOBAL || u->vars[v].kind == IR_V_STATIC_LOCAL)
                lu->globals[v] = link_global(&l, lu, v);
        for (ir_func f = 1; f < u->n_funcs; f++)
            lu->funcs[f] = link_func(&l, lu, f);
    }
    for (size_t i = 0; i < p->units.n; i++) { /* incomplete ones, now that all complete ones are known */
        struct linked_unit *lu = &p->units.at[i];
        const struct unit *u = lu->unit;
        for (ir_type t = 1; t < u->n_types; t++)
            if ((u->types[t].kind == IR_T_STRUCT || u->types[t].kind == IR_T_UNION) &&
                u->types[t].flags & IR_TF_INCOMPLETE)
                lu->structs[t] = link_struct(&l, lu, t);
    }
    for (size_t i = 1; i < p->structs.n; i++)
        p->structs.at[i].has_lock = type_has_lock(p, p->structs.at[i].unit, p->structs.at[i].type, 0);
    find_item_locks(p);
    resolve_guards(p);
    assume_guards(p);
    map64_free(&l.funcs);
    map64_free(&l.headers);
    map64_free(&l.globals);
    map64_free(&l.structs);
    map64_free(&l.complete);
}
