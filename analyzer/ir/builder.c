/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Makes units: interns what may be shared, keeps a graph apart until it is whole, puts everything in order at
 * the end. Stands on base/. */
#include "builder.h"
#include "../base/hash.h"
#include "../base/vec.h"

struct draft_block {
    uint32_t term;
    bool terminated;
    ir_expr cond;
    ir_loc loc;
    struct ir_range succs; /* into draft_succs, graph-local block numbers */
    uint32_t n_events;
};
struct draft_event {
    uint32_t block;
    struct ir_event_rec rec;
};

struct expr_size {
    uint32_t depth, nodes; /* as of IR_MAX_EXPR_* */
};

struct unit_builder {
    struct unit *u;
    struct index strings, files, locs, exprs;
    VEC(struct expr_size) sizes; /* parallel to exprs */
    ir_func open;                /* the graph being built, or 0 */
    VEC(struct draft_block) blocks;
    VEC(struct draft_event) events;
    VEC(struct ir_succ_rec) succs;
};

/* Room for `more` records at the end of a table. */
#define GROW(u, table, more)                                                                                 \
    do {                                                                                                     \
        if ((uint64_t)(u)->n_##table + (more) > UINT32_MAX / 2)                                              \
            die("a unit with more than %u " #table " is too big", UINT32_MAX / 2);                           \
        if ((u)->n_##table + (more) > (u)->cap_##table) {                                                    \
            uint32_t cap_ = (u)->cap_##table ? (u)->cap_##table * 2 : 64;                                    \
            if (cap_ < (u)->n_##table + (more))                                                              \
                cap_ = (u)->n_##table + (uint32_t)(more);                                                    \
            (u)->table = xrealloc((u)->table, (size_t)cap_ * sizeof *(u)->table);                            \
            (u)->cap_##table = cap_;                                                                         \
        }                                                                                                    \
    } while (0)
#define X(type, name)                                                                                        \
    static uint32_t append_##name(struct unit *u, type rec) {                                                \
        GROW(u, name, 1);                                                                                    \
        u->name[u->n_##name] = rec;                                                                          \
        return u->n_##name++;                                                                                \
    }
IR_TABLES(X)
#undef X

struct unit_builder *unit_builder_new(void) {
    struct unit_builder *b = xcalloc(1, sizeof *b);
    b->u = xcalloc(1, sizeof *b->u);
    GROW(b->u, strings, 1);
    b->u->strings[b->u->n_strings++] = 0;
#define X(type, name) append_##name(b->u, (type){0});
    IR_TABLES(X)
#undef X
    (void)vec_add(&b->sizes);
    return b;
}

void unit_builder_free(struct unit_builder *b) {
    if (!b)
        return;
    unit_free(b->u);
    index_free(&b->strings);
    index_free(&b->files);
    index_free(&b->locs);
    index_free(&b->exprs);
    vec_free(&b->sizes);
    vec_free(&b->blocks);
    vec_free(&b->events);
    vec_free(&b->succs);
    free(b);
}

const struct unit *unit_builder_unit(const struct unit_builder *b) {
    return b->u;
}

void unit_builder_set_origin(struct unit_builder *b, const char *main_file, const char *directory,
                             const char *target, const char *producer, uint32_t pointer_size) {
    b->u->main_file = build_str(b, main_file, strlen(main_file));
    b->u->directory = build_str(b, directory, strlen(directory));
    b->u->target = build_str(b, target, strlen(target));
    b->u->producer = build_str(b, producer, strlen(producer));
    b->u->pointer_size = pointer_size;
}

/* ---- what is interned ---- */

ir_str build_str(struct unit_builder *b, const char *s, size_t len) {
    struct unit *u = b->u;
    const char *nul = len ? memchr(s, 0, len) : NULL;
    if (nul)
        len = (size_t)(nul - s); /* a string literal with a NUL inside is kept up to it */
    if (!len)
        return 0;
    uint64_t hash = hash_bytes(s, len);
    struct index_probe p;
    for (p = index_first(&b->strings, hash); p.id; index_next(&b->strings, &p))
        if (!strncmp(u->strings + p.id, s, len) && !u->strings[p.id + len])
            return p.id;
    GROW(u, strings, len + 1);
    ir_str id = u->n_strings;
    memcpy(u->strings + id, s, len);
    u->strings[id + len] = 0;
    u->n_strings += (uint32_t)len + 1;
    index_add(&b->strings, hash, id);
    return id;
}

ir_file build_file(struct unit_builder *b, const char *path, uint32_t flags, uint64_t hash) {
    struct ir_file_rec rec = {build_str(b, path, strlen(path)), flags, (uint32_t)hash,
                              (uint32_t)(hash >> 32)};
    uint64_t key = hash_mix(rec.path);
    struct index_probe p;
    for (p = index_first(&b->files, key); p.id; index_next(&b->files, &p))
        if (b->u->files[p.id].path == rec.path) {
            b->u->files[p.id].flags |= flags;
            return p.id;
        }
    ir_file id = append_files(b->u, rec);
    index_add(&b->files, key, id);
    return id;
}

ir_loc build_loc(struct unit_builder *b, const struct ir_loc_rec *loc) {
    static const struct ir_loc_rec none;
    if (!memcmp(loc, &none, sizeof none))
        return 0;
    uint64_t key = hash_words((const uint32_t *)loc, sizeof *loc / 4);
    struct index_probe p;
    for (p = index_first(&b->locs, key); p.id; index_next(&b->locs, &p))
        if (!memcmp(&b->u->locs[p.id], loc, sizeof *loc))
            return p.id;
    ir_loc id = append_locs(b->u, *loc);
    index_add(&b->locs, key, id);
    return id;
}

ir_expr build_expr(struct unit_builder *b, const struct ir_expr_rec *e) {
    unsigned uses = ir_operands(e->op);
    struct expr_size size = {1, 1};
    for (int i = 0; i < 2; i++) {
        if (!(uses & 1u << i))
            continue;
        uint32_t of = i ? e->b : e->a;
        if (of >= b->u->n_exprs)
            die("the frontend named expression %u before it was made", of);
        struct expr_size s = b->sizes.at[of];
        if (s.depth + 1 > size.depth)
            size.depth = s.depth + 1;
        size.nodes += s.nodes;
    }
    struct ir_expr_rec rec = *e;
    if (size.depth > IR_MAX_EXPR_DEPTH || size.nodes > IR_MAX_EXPR_NODES) {
        struct ir_expr_rec unknown = {.op = IR_E_UNKNOWN, .loc = e->loc};
        if (ir_is_place(e->op)) {
            unknown = (struct ir_expr_rec){.op = IR_E_DEREF, .type = e->type, .loc = e->loc};
            unknown.a = build_expr(b, &(struct ir_expr_rec){.op = IR_E_UNKNOWN, .loc = e->loc});
            size = (struct expr_size){2, 2};
        } else {
            unknown.type = e->type;
            size = (struct expr_size){1, 1};
        }
        rec = unknown;
    }
    uint64_t key = hash_words((const uint32_t *)&rec, sizeof rec / 4);
    struct index_probe p;
    for (p = index_first(&b->exprs, key); p.id; index_next(&b->exprs, &p))
        if (!memcmp(&b->u->exprs[p.id], &rec, sizeof rec))
            return p.id;
    ir_expr id = append_exprs(b->u, rec);
    vec_push(&b->sizes, size);
    index_add(&b->exprs, key, id);
    return id;
}

/* ---- runs ---- */

static struct ir_range run_of_words(struct unit *u, bool types, const uint32_t *from, uint32_t n) {
    if (!n)
        return (struct ir_range){0, 0};
    uint32_t first;
    if (types) {
        GROW(u, type_refs, n);
        first = u->n_type_refs;
        memcpy(u->type_refs + first, from, n * sizeof *from);
        u->n_type_refs += n;
    } else {
        GROW(u, expr_refs, n);
        first = u->n_expr_refs;
        memcpy(u->expr_refs + first, from, n * sizeof *from);
        u->n_expr_refs += n;
    }
    return (struct ir_range){first, n};
}

struct ir_range build_expr_refs(struct unit_builder *b, const ir_expr *refs, uint32_t n) {
    return run_of_words(b->u, false, refs, n);
}

struct ir_range build_type_refs(struct unit_builder *b, const ir_type *refs, uint32_t n) {
    return run_of_words(b->u, true, refs, n);
}

struct ir_range build_annots(struct unit_builder *b, const struct ir_annot_rec *a, uint32_t n) {
    struct ir_range r = {n ? b->u->n_annots : 0, n};
    for (uint32_t i = 0; i < n; i++)
        append_annots(b->u, a[i]);
    return r;
}

void build_note(struct unit_builder *b, enum ir_note_kind kind, const char *text, ir_loc loc) {
    struct ir_note_rec rec = {kind, build_str(b, text, strlen(text)), loc};
    append_notes(b->u, rec);
}

/* ---- types ---- */

ir_type build_type_reserve(struct unit_builder *b) {
    return append_types(b->u, (struct ir_type_rec){0});
}

void build_type_define(struct unit_builder *b, ir_type t, const struct ir_type_rec *rec) {
    b->u->types[t] = *rec;
}

struct ir_range build_fields(struct unit_builder *b, ir_type parent, const struct ir_field_rec *f,
                             uint32_t n) {
    struct ir_range r = {n ? b->u->n_fields : 0, n};
    for (uint32_t i = 0; i < n; i++) {
        ir_field id = append_fields(b->u, f[i]);
        b->u->fields[id].parent = parent;
    }
    return r;
}

void build_field_update(struct unit_builder *b, ir_field f, const struct ir_field_rec *rec) {
    ir_type parent = b->u->fields[f].parent;
    b->u->fields[f] = *rec;
    b->u->fields[f].parent = parent;
}

/* ---- variables and functions ---- */

ir_var build_global(struct unit_builder *b, const struct ir_var_rec *v) {
    ir_var id = append_vars(b->u, *v);
    b->u->vars[id].kind = IR_V_GLOBAL;
    b->u->vars[id].func = 0;
    return id;
}

void build_global_update(struct unit_builder *b, ir_var v, const struct ir_var_rec *rec) {
    b->u->vars[v] = *rec;
    b->u->vars[v].kind = IR_V_GLOBAL;
    b->u->vars[v].func = 0;
}

ir_func build_function(struct unit_builder *b, const struct ir_func_rec *f, const struct ir_var_rec *params,
                       uint32_t n_params) {
    ir_func id = append_funcs(b->u, *f);
    struct ir_func_rec *rec = &b->u->funcs[id];
    rec->params = (struct ir_range){n_params ? b->u->n_vars : 0, n_params};
    rec->locals = rec->blocks = (struct ir_range){0, 0};
    for (uint32_t i = 0; i < n_params; i++) {
        ir_var v = append_vars(b->u, params[i]);
        b->u->vars[v].kind = IR_V_PARAM;
        b->u->vars[v].func = id;
    }
    return id;
}

void build_function_update(struct unit_builder *b, ir_func f, const struct ir_func_rec *rec) {
    struct ir_func_rec *old = &b->u->funcs[f], now = *rec;
    now.params = old->params;
    now.locals = old->locals;
    now.blocks = old->blocks;
    *old = now;
}

void build_param_update(struct unit_builder *b, ir_func f, uint32_t index, const struct ir_var_rec *rec) {
    struct ir_range params = b->u->funcs[f].params;
    if (index >= params.count)
        die("the frontend updated parameter %u of '%s', which has %u", index,
            unit_str(b->u, b->u->funcs[f].name), params.count);
    struct ir_var_rec *v = &b->u->vars[params.first + index];
    *v = *rec;
    v->kind = IR_V_PARAM;
    v->func = f;
}

ir_var build_local(struct unit_builder *b, ir_func f, const struct ir_var_rec *v) {
    ir_var id = append_vars(b->u, *v);
    b->u->vars[id].func = f;
    return id;
}

/* ---- graphs ---- */

void graph_begin(struct unit_builder *b, ir_func f) {
    if (b->open)
        die("the frontend began a graph inside another");
    if (b->u->funcs[f].blocks.count)
        die("the frontend gave '%s' a second graph", unit_str(b->u, b->u->funcs[f].name));
    b->open = f;
    vec_clear(&b->blocks);
    vec_clear(&b->events);
    vec_clear(&b->succs);
}

ir_var graph_local(struct unit_builder *b, const struct ir_var_rec *v) {
    return build_local(b, b->open, v);
}

void graph_local_update(struct unit_builder *b, ir_var v, const struct ir_var_rec *rec) {
    ir_func f = b->u->vars[v].func;
    b->u->vars[v] = *rec;
    b->u->vars[v].func = f;
}

uint32_t graph_block(struct unit_builder *b) {
    (void)vec_add(&b->blocks);
    return (uint32_t)b->blocks.n - 1;
}

void graph_event(struct unit_builder *b, uint32_t block, const struct ir_event_rec *ev) {
    struct draft_event e = {block, *ev};
    vec_push(&b->events, e);
    b->blocks.at[block].n_events++;
}

void graph_terminate(struct unit_builder *b, uint32_t block, enum ir_term_kind term, ir_expr cond,
                     const struct ir_succ_rec *succs, uint32_t n_succs, ir_loc loc) {
    struct draft_block *d = &b->blocks.at[block];
    if (d->terminated)
        die("the frontend ended block %u of '%s' twice", block, unit_str(b->u, b->u->funcs[b->open].name));
    *d = (struct draft_block){term, true, cond, loc, {(uint32_t)b->succs.n, n_succs}, d->n_events};
    vec_append(&b->succs, succs, n_succs);
}

bool graph_terminated(const struct unit_builder *b, uint32_t block) {
    return b->blocks.at[block].terminated;
}

/* Depth first from the entry, without recursion: marks what is reached (place[i] != 0) and the edges that
 * close a loop. */
static void walk_graph(struct unit_builder *b, uint32_t *place) {
    enum { NEW, ON_PATH, LEFT };
    struct step {
        uint32_t block, next;
    };
    VEC(struct step) path = {0};
    unsigned char *state = xcalloc(b->blocks.n, 1);
    vec_push(&path, ((struct step){0, 0}));
    state[0] = ON_PATH;
    while (path.n) {
        struct step *top = &vec_last(&path);
        struct ir_range succs = b->blocks.at[top->block].succs;
        if (top->next == succs.count) {
            place[top->block] = 1;
            state[top->block] = LEFT;
            path.n--;
            continue;
        }
        struct ir_succ_rec *s = &b->succs.at[succs.first + top->next++];
        if (s->block >= b->blocks.n)
            die("the frontend named block %u of '%s', which was never made", s->block,
                unit_str(b->u, b->u->funcs[b->open].name));
        s->flags &= ~IR_SUCC_BACK;
        if (state[s->block] == ON_PATH) {
            s->flags |= IR_SUCC_BACK;
        } else if (state[s->block] == NEW) {
            state[s->block] = ON_PATH;
            vec_push(&path, ((struct step){s->block, 0}));
        }
    }
    free(state);
    vec_free(&path);
}

void graph_end(struct unit_builder *b) {
    struct unit *u = b->u;
    ir_func f = b->open;
    if (!b->blocks.n)
        graph_block(b);
    uint32_t *place = xcalloc(b->blocks.n, sizeof *place), n = 0;
    walk_graph(b, place);
    for (size_t i = 0; i < b->blocks.n; i++)
        if (place[i])
            place[i] = u->n_blocks + n++;
    u->funcs[f].blocks = (struct ir_range){u->n_blocks, n};
    u->funcs[f].flags |= IR_FF_DEFINED;

    uint32_t at = u->n_events;
    for (size_t i = 0; i < b->blocks.n; i++) {
        const struct draft_block *d = &b->blocks.at[i];
        if (!place[i])
            continue;
        struct ir_block_rec rec = {.func = f, .term = d->term, .cond = d->cond, .loc = d->loc};
        rec.events = (struct ir_range){d->n_events ? at : 0, d->n_events};
        at += d->n_events;
        rec.succs = (struct ir_range){d->succs.count ? u->n_succs : 0, d->succs.count};
        for (uint32_t s = 0; s < d->succs.count; s++) {
            struct ir_succ_rec succ = b->succs.at[d->succs.first + s];
            succ.block = place[succ.block];
            append_succs(u, succ);
        }
        append_blocks(u, rec);
    }
    /* Events came in any order of blocks: deal them out, each block's in the order they came. */
    GROW(u, events, b->events.n);
    u->n_events = at;
    uint32_t *next = xcalloc(b->blocks.n, sizeof *next);
    for (size_t i = 0; i < b->blocks.n; i++)
        next[i] = place[i] ? u->blocks[place[i]].events.first : 0;
    for (size_t i = 0; i < b->events.n; i++)
        if (place[b->events.at[i].block])
            u->events[next[b->events.at[i].block]++] = b->events.at[i].rec;
    free(next);
    free(place);
    b->open = 0;
}

/* ---- the end ---- */

/* Each function's locals side by side: while a body is lowered, globals and functions it meets are made in
 * between. */
static void order_vars(struct unit *u) {
    uint32_t *count = xcalloc(u->n_funcs + 1, sizeof *count), n = 1;
    ir_var *place = xcalloc(u->n_vars, sizeof *place);
    struct ir_var_rec *vars = xcalloc(u->n_vars, sizeof *vars);
#define IS_LOCAL(v) (u->vars[v].kind != IR_V_GLOBAL && u->vars[v].kind != IR_V_PARAM)
    for (ir_var v = 1; v < u->n_vars; v++)
        if (IS_LOCAL(v))
            count[u->vars[v].func]++;
        else
            place[v] = n++;
    for (ir_func f = 0; f < u->n_funcs; f++) {
        u->funcs[f].locals = (struct ir_range){count[f] ? n : 0, count[f]};
        n += count[f];
        count[f] = u->funcs[f].locals.first;
    }
    for (ir_var v = 1; v < u->n_vars; v++) {
        if (IS_LOCAL(v))
            place[v] = count[u->vars[v].func]++;
        vars[place[v]] = u->vars[v];
    }
#undef IS_LOCAL
    free(u->vars);
    u->vars = vars;
    u->cap_vars = u->n_vars;
    for (ir_func f = 1; f < u->n_funcs; f++)
        if (u->funcs[f].params.count)
            u->funcs[f].params.first = place[u->funcs[f].params.first];
    for (ir_expr e = 1; e < u->n_exprs; e++)
        if (u->exprs[e].op == IR_E_VAR && u->exprs[e].a < u->n_vars)
            u->exprs[e].a = place[u->exprs[e].a];
    for (ir_event e = 1; e < u->n_events; e++)
        if ((u->events[e].op == IR_EV_BEGIN || u->events[e].op == IR_EV_END) && u->events[e].a < u->n_vars)
            u->events[e].a = place[u->events[e].a];
    free(place);
    free(count);
}

struct unit *unit_builder_try_finish(struct unit_builder *b, const char **wrong) {
    struct unit *u = b->u;
    if (b->open)
        die("the frontend left the graph of '%s' unfinished", unit_str(u, u->funcs[b->open].name));
    order_vars(u);
    for (ir_func f = 1; f < u->n_funcs; f++)
        if (!u->funcs[f].blocks.count)
            u->funcs[f].flags &= ~IR_FF_DEFINED;
    *wrong = unit_check(u);
    if (!*wrong)
        b->u = NULL;
    else
        u = NULL;
    unit_builder_free(b);
    return u;
}

struct unit *unit_builder_finish(struct unit_builder *b) {
    const char *wrong;
    char *of = xstrdup(unit_str(b->u, b->u->main_file));
    struct unit *u = unit_builder_try_finish(b, &wrong);
    if (!u)
        die("%s: the frontend made a bad unit: %s", of, wrong);
    free(of);
    return u;
}

void unit_free(struct unit *u) {
    if (!u)
        return;
    if (u->bytes) {
        u->release(u->bytes, u->n_bytes);
    } else {
        free(u->strings);
#define X(type, name) free(u->name);
        IR_TABLES(X)
#undef X
    }
    free(u->marks);
    free(u);
}

struct unit *unit_copy(const struct unit *u) {
    struct unit *copy = xmalloc(sizeof *copy);

    *copy = *u;
    copy->bytes = NULL;
    copy->marks = NULL;
    copy->strings = xmalloc(u->n_strings);
    copy->cap_strings = u->n_strings;
    memcpy(copy->strings, u->strings, u->n_strings);
#define X(type, name)                                                                                        \
    copy->name = xmalloc(u->n_##name * sizeof(type));                                                        \
    copy->cap_##name = u->n_##name;                                                                          \
    memcpy(copy->name, u->name, u->n_##name * sizeof(type));
    IR_TABLES(X)
#undef X
    return copy;
}
