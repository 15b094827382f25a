/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Derives Send, Sync and Frozen: one node per (type, trait), the greatest fixpoint over them.
 * Stands on traits.h; the rules by kind of type are docs/send-sync.md's table. */
#include "traits.h"

#include <stdio.h>
#include <string.h>
#include "../base/arena.h"
#include "../base/hash.h"
#include "../base/vec.h"

struct node {
    const struct unit *unit;
    ir_type type;
    uint8_t trait, answer;
    bool entered, solved, queued;
    const struct trait_reason *reason;
    uint32_t parents; /* into traits.edges, chained; only while unsolved */
};

struct edge {
    uint32_t parent, next;
};

struct traits {
    const struct models *models;
    const struct unit *(*complete)(void *data, const char *name, ir_type *type);
    void *data;
    struct arena arena;
    struct map64 units;  /* unit's address → its number + 1 */
    struct map64 nodes;  /* unit number, type, trait → node */
    struct map64 counts; /* unit number, type → counter found by use */
    VEC(struct node) node;
    VEC(struct edge) edges;
    VEC(uint32_t) stack, queue;
    uint32_t evaluating; /* the node whose children are being asked for; 0: none */
    bool entering;       /* children are pushed and remember their parent */
};

struct traits *traits_new(const struct models *models,
                          const struct unit *(*complete)(void *data, const char *name, ir_type *type), void *data)
{
    struct traits *t = xcalloc(1, sizeof *t);
    t->models = models;
    t->complete = complete;
    t->data = data;
    vec_add(&t->node); /* 0 is none */
    vec_add(&t->edges);
    return t;
}

void traits_free(struct traits *t)
{
    if (!t)
        return;
    arena_free(&t->arena);
    map64_free(&t->units);
    map64_free(&t->nodes);
    map64_free(&t->counts);
    vec_free(&t->node);
    vec_free(&t->edges);
    vec_free(&t->stack);
    vec_free(&t->queue);
    free(t);
}

static uint32_t unit_number(struct traits *t, const struct unit *u)
{
    uint32_t *place = map64_place(&t->units, (uint64_t)(uintptr_t)u, NULL);
    if (!*place)
        *place = t->units.n;
    return *place;
}

static struct trait_reason *because(struct traits *t, enum because why, enum trait trait, const struct unit *u, ir_type type)
{
    struct trait_reason *r = arena_new(&t->arena, struct trait_reason);
    r->because = why;
    r->trait = trait;
    r->unit = u;
    r->type = type;
    return r;
}

static const struct trait_verdict yes = {ANSWER_YES, NULL};

static struct trait_verdict end(struct traits *t, enum answer answer, enum because why, enum trait trait,
                                const struct unit *u, ir_type type)
{
    return (struct trait_verdict){answer, because(t, why, trait, u, type)};
}

/* v, reached through a step of the given kind. */
static struct trait_verdict through(struct traits *t, struct trait_verdict v, enum because why, enum trait trait,
                                    const struct unit *u, ir_type type, ir_field field)
{
    if (v.answer == ANSWER_YES)
        return v;
    struct trait_reason *r = because(t, why, trait, u, type);
    r->field = field;
    r->cause = v.reason;
    v.reason = r;
    return v;
}

static struct trait_verdict least(struct trait_verdict a, struct trait_verdict b)
{
    return b.answer < a.answer ? b : a;
}

/* ---- the table ---- */

static uint32_t node_of(struct traits *t, const struct unit *u, ir_type type, enum trait trait)
{
    uint64_t key = (uint64_t)unit_number(t, u) << 34 | (uint64_t)type << 2 | trait;
    bool is_new;
    uint32_t *place = map64_place(&t->nodes, key, &is_new);
    if (is_new) {
        *place = (uint32_t)t->node.n;
        struct node *n = vec_add(&t->node);
        n->unit = u;
        n->type = type;
        n->trait = (uint8_t)trait;
        n->answer = ANSWER_YES;
    }
    return *place;
}

static struct trait_verdict ask(struct traits *t, const struct unit *u, ir_type type, enum trait trait)
{
    uint32_t id = node_of(t, u, type, trait);
    struct node *n = &t->node.at[id];
    if (t->entering && !n->solved) {
        struct edge e = {t->evaluating, n->parents};
        n->parents = (uint32_t)t->edges.n;
        vec_push(&t->edges, e);
        if (!n->entered)
            vec_push(&t->stack, id);
    }
    n = &t->node.at[id];
    return (struct trait_verdict){(enum answer)n->answer, n->reason};
}

static ir_type stripped(const struct unit *u, ir_type type)
{
    while (u->types[type].kind == IR_T_TYPEDEF || u->types[type].kind == IR_T_QUALIFIED)
        type = u->types[type].elem;
    return type;
}

static bool is_const(const struct unit *u, ir_type type)
{
    for (;; type = u->types[type].elem) {
        if (u->types[type].kind == IR_T_QUALIFIED && (u->types[type].flags & IR_TF_CONST))
            return true;
        if (u->types[type].kind != IR_T_TYPEDEF && u->types[type].kind != IR_T_QUALIFIED)
            return false;
    }
}

static const struct ir_annot_rec *annotated(const struct unit *u, struct ir_range annots, enum ir_annot_kind kind)
{
    for (uint32_t i = 0; i < annots.count; i++)
        if (u->annots[annots.first + i].kind == kind)
            return &u->annots[annots.first + i];
    return NULL;
}

/* What the annotations of a type say of one trait: a mark, a lock, a guard. */
static bool marked(struct traits *t, const struct unit *u, ir_type type, enum trait trait, bool asserted, struct trait_verdict *out)
{
    struct ir_range annots = u->types[type].annots;
    bool send = trait == TRAIT_SEND;
    const struct ir_annot_rec *no = annotated(u, annots, send ? IR_A_not_send : IR_A_not_sync);
    if (no) {
        struct trait_reason *r = because(t, BECAUSE_MARKED, trait, u, type);
        r->text = unit_str(u, no->args);
        *out = (struct trait_verdict){ANSWER_NO, r};
        return true;
    }
    *out = yes;
    if (annotated(u, annots, send ? IR_A_trusted_send : IR_A_trusted_sync) ||
        (asserted && annotated(u, annots, send ? IR_A_send : IR_A_sync)))
        return true;
    if (annotated(u, annots, IR_A_lock_type) || annotated(u, annots, IR_A_async_lock_type))
        return true;
    if (send && annotated(u, annots, IR_A_guard_type)) {
        *out = end(t, ANSWER_NO, BECAUSE_GUARD, trait, u, type);
        return true;
    }
    return false;
}

static bool modelled(struct traits *t, const struct unit *u, ir_type type, const struct model_type *m, enum trait trait,
                     struct trait_verdict *out)
{
    uint8_t said = !m ? MODEL_UNKNOWN : trait == TRAIT_SEND ? m->send : trait == TRAIT_SYNC ? m->sync : m->frozen;
    if (m && said == MODEL_UNKNOWN && trait == TRAIT_SEND && (m->flags & MODEL_TF_GUARD)) {
        *out = end(t, ANSWER_NO, BECAUSE_GUARD, trait, u, type);
        return true;
    }
    if (said == MODEL_UNKNOWN)
        return false;
    *out = yes;
    if (said == MODEL_NO) {
        struct trait_reason *r = because(t, BECAUSE_MODEL, trait, u, type);
        r->text = m->why;
        *out = (struct trait_verdict){ANSWER_NO, r};
    }
    return true;
}

enum pointer_role traits_role(const struct unit *u, ir_type type, struct ir_range annots)
{
    for (;;) {
        if (annotated(u, annots, IR_A_owned) || annotated(u, annots, IR_A_sending))
            return ROLE_OWNED;
        if (annotated(u, annots, IR_A_shared))
            return ROLE_SHARED;
        uint32_t kind = u->types[type].kind;
        if (kind != IR_T_TYPEDEF && kind != IR_T_QUALIFIED && kind != IR_T_ARRAY)
            return ROLE_NONE;
        annots = u->types[type].annots;
        if (kind != IR_T_TYPEDEF)
            annots.count = 0;
        type = u->types[type].elem;
    }
}

struct refcount_of traits_refcount_of(const struct traits *t, const struct unit *u, ir_type type)
{
    struct refcount_of none = {REFCOUNT_NONE, 0, false}, found = none;
    type = stripped(u, type);
    const struct ir_type_rec *rec = &u->types[type];
    if (rec->kind != IR_T_STRUCT)
        return none;
    for (uint32_t i = 0; i < rec->fields.count && !found.field; i++)
        if (annotated(u, u->fields[rec->fields.first + i].annots, IR_A_refcount))
            found.field = rec->fields.first + i;
    if (!found.field && t->counts.n) {
        uint32_t number = map64_get(&t->units, (uint64_t)(uintptr_t)u, 0);
        found.field = map64_get(&t->counts, key_pair(number, type), 0);
        found.recognised = found.field != 0;
    }
    if (!found.field)
        return none;
    const struct ir_field_rec *f = &u->fields[found.field];
    ir_type bare = stripped(u, f->type);
    bool safe = u->types[bare].kind == IR_T_ATOMIC || annotated(u, f->annots, IR_A_guarded_by) ||
                models_find_ir_type(t->models, u, f->type) || u->types[bare].kind == IR_T_STRUCT;
    found.kind = safe ? REFCOUNT_ATOMIC : REFCOUNT_PLAIN;
    return found;
}

void traits_refcount(struct traits *t, const struct unit *u, ir_type type, ir_field counter)
{
    map64_put(&t->counts, key_pair(unit_number(t, u), stripped(u, type)), counter);
}

static struct trait_verdict count_is_plain(struct traits *t, const struct unit *u, ir_type type, struct refcount_of count,
                                           enum trait trait)
{
    struct trait_verdict v =
        end(t, count.recognised ? ANSWER_UNKNOWN : ANSWER_NO, BECAUSE_COUNT, trait, u, stripped(u, type));
    ((struct trait_reason *)v.reason)->field = count.field;
    return v;
}

/* The definition of a struct that is only declared here, where another unit has one. */
static const struct unit *completed(struct traits *t, const struct unit *u, ir_type *type)
{
    ir_type bare = stripped(u, *type);
    const struct ir_type_rec *rec = &u->types[bare];
    if ((rec->kind != IR_T_STRUCT && rec->kind != IR_T_UNION) || !(rec->flags & IR_TF_INCOMPLETE) || !t->complete)
        return u;
    ir_type other_type;
    const struct unit *other = t->complete(t->data, unit_str(u, rec->name), &other_type);
    if (!other)
        return u;
    *type = other_type;
    return other;
}

/* A pointer of no role: it is fine, or not, when it is whatever its role were; else its use decides. */
static struct trait_verdict raw_pointer(struct traits *t, const struct unit *u, ir_type pointee, ir_type pointer, enum trait trait)
{
    struct trait_verdict send = ask(t, u, pointee, TRAIT_SEND), sync = ask(t, u, pointee, TRAIT_SYNC),
                         frozen = ask(t, u, pointee, TRAIT_FROZEN);
    if (send.answer == ANSWER_NO && sync.answer == ANSWER_NO && frozen.answer == ANSWER_NO)
        return through(t, send, BECAUSE_POINTEE, trait, u, pointer, 0);
    const struct model_type *m = models_find_ir_type(t->models, u, pointee);
    if (m && send.answer == ANSWER_YES && sync.answer == ANSWER_YES)
        return yes;
    return end(t, ANSWER_UNKNOWN, BECAUSE_RAW, trait, u, pointer);
}

static struct trait_verdict pointer(struct traits *t, const struct unit *u, ir_type pointee, ir_type self, enum pointer_role role,
                                    bool pointee_guarded, enum trait trait)
{
    uint32_t kind = u->types[stripped(u, pointee)].kind;
    if (kind == IR_T_FUNCTION)
        return yes;
    if (kind == IR_T_VOID)
        return end(t, ANSWER_UNKNOWN, BECAUSE_VOID, trait, u, self);
    struct refcount_of count = {REFCOUNT_NONE, 0, false};
    ir_type counted = pointee;
    const struct unit *counted_in = completed(t, u, &counted);
    if (!is_const(u, pointee) || role == ROLE_SHARED)
        count = traits_refcount_of(t, counted_in, counted);
    if (count.kind == REFCOUNT_PLAIN && role != ROLE_OWNED)
        return through(t, count_is_plain(t, counted_in, counted, count, trait), BECAUSE_POINTEE, trait, u, self, 0);
    struct trait_verdict v;
    if (pointee_guarded && role != ROLE_OWNED) {
        v = ask(t, u, pointee, TRAIT_SEND);
    } else if (role == ROLE_OWNED) {
        if (trait == TRAIT_SYNC && !pointee_guarded)
            return end(t, ANSWER_NO, BECAUSE_OWNED_CELL, trait, u, self);
        v = ask(t, u, pointee, trait == TRAIT_SYNC ? TRAIT_SEND : trait);
    } else if (role == ROLE_SHARED || (count.kind == REFCOUNT_ATOMIC && !count.recognised)) {
        v = ask(t, u, pointee, TRAIT_SYNC);
        if (count.kind == REFCOUNT_ATOMIC)
            v = least(v, ask(t, u, pointee, TRAIT_SEND));
    } else if (is_const(u, pointee)) {
        v = ask(t, u, pointee, TRAIT_FROZEN);
    } else {
        return raw_pointer(t, u, pointee, self, trait);
    }
    return through(t, v, BECAUSE_POINTEE, trait, u, self, 0);
}

/* ---- members ---- */

/* Is the member guarded by locks that all resolve? *readers: some of its readers may run in parallel. */
static bool guarded(struct traits *t, const struct unit *u, ir_field field, bool *readers)
{
    const struct ir_annot_rec *a = annotated(u, u->fields[field].annots, IR_A_guarded_by);
    if (!a)
        return false;
    struct lock_context c = lock_context_of(u, LOCK_IN_FIELD, field);
    c.complete = t->complete;
    c.data = t->data;
    struct arena scratch = {0};
    struct lock_list locks;
    const char *why;
    enum lock_status status = lock_expr_annotation(&c, &scratch, a, &locks, &why);
    *readers = locks.n_paths > 1;
    for (uint32_t i = 0; status == LOCK_RESOLVED && i < locks.n_paths; i++) {
        const struct lock_path *path = &locks.paths[i];
        const struct model_type *m = path->type ? models_find_ir_type(t->models, path->type_unit, path->type) : NULL;
        *readers |= m && (m->flags & MODEL_TF_RW);
    }
    arena_free(&scratch);
    return status != LOCK_WRONG;
}

/* A place: its type, with what the annotations of its declaration say of the outermost pointer. */
static struct trait_verdict place(struct traits *t, const struct unit *u, ir_type type, struct ir_range annots, enum trait trait)
{
    enum pointer_role role = traits_role(u, type, annots);
    bool pointee_guarded = annotated(u, annots, IR_A_pt_guarded_by) != NULL;
    ir_type bare = stripped(u, type);
    while (u->types[bare].kind == IR_T_ARRAY)
        bare = stripped(u, u->types[bare].elem);
    if (u->types[bare].kind != IR_T_POINTER || (role == ROLE_NONE && !pointee_guarded))
        return ask(t, u, type, trait);
    if (trait == TRAIT_SYNC && is_const(u, type))
        trait = TRAIT_FROZEN;
    return pointer(t, u, u->types[bare].elem, bare, role, pointee_guarded, trait);
}

static struct trait_verdict member(struct traits *t, const struct unit *u, ir_field field, enum trait trait)
{
    const struct ir_field_rec *f = &u->fields[field];
    bool readers = false;
    if (trait == TRAIT_SEND || !guarded(t, u, field, &readers))
        return through(t, place(t, u, f->type, f->annots, trait), BECAUSE_MEMBER, trait, u, f->type, field);
    struct trait_verdict v =
        through(t, place(t, u, f->type, f->annots, TRAIT_SEND), BECAUSE_MEMBER, trait, u, f->type, field);
    if (readers)
        v = least(v, through(t, place(t, u, f->type, f->annots, TRAIT_FROZEN), BECAUSE_RWLOCK, trait, u, f->type, field));
    return v;
}

static struct trait_verdict members(struct traits *t, const struct unit *u, ir_type type, enum trait trait)
{
    const struct ir_type_rec *rec = &u->types[type];
    struct trait_verdict v = yes;
    struct refcount_of count = traits_refcount_of(t, u, type);
    if (count.kind == REFCOUNT_PLAIN && trait != TRAIT_SEND)
        v = count_is_plain(t, u, type, count, trait);
    for (uint32_t i = 0; i < rec->fields.count && (v.answer != ANSWER_NO || t->entering); i++) {
        ir_field field = rec->fields.first + i;
        if (field != count.field || count.kind == REFCOUNT_NONE)
            v = least(v, member(t, u, field, trait));
    }
    return v;
}

static struct trait_verdict record(struct traits *t, const struct unit *u, ir_type type, enum trait trait, bool marks)
{
    const struct ir_type_rec *rec = &u->types[type];
    struct trait_verdict v;
    if (marks && marked(t, u, type, trait, true, &v))
        return v;
    if (modelled(t, u, type, models_find_ir_type(t->models, u, type), trait, &v))
        return v;
    if (rec->flags & IR_TF_INCOMPLETE) {
        ir_type other_type = type;
        const struct unit *other = completed(t, u, &other_type);
        return other != u ? ask(t, other, other_type, trait) : end(t, ANSWER_UNKNOWN, BECAUSE_INCOMPLETE, trait, u, type);
    }
    return members(t, u, type, trait);
}

static struct trait_verdict evaluate(struct traits *t, const struct unit *u, ir_type type, enum trait trait)
{
    const struct ir_type_rec *rec = &u->types[type];
    struct trait_verdict v;
    switch ((enum ir_type_kind)rec->kind) {
    case IR_T_INT:
    case IR_T_FLOAT:
    case IR_T_ENUM:
    case IR_T_VECTOR:
        return trait == TRAIT_SYNC ? end(t, ANSWER_NO, BECAUSE_CELL, trait, u, type) : yes;
    case IR_T_FUNCTION:
    case IR_T_ATOMIC:
        return yes;
    case IR_T_POINTER:
        return pointer(t, u, rec->elem, type, ROLE_NONE, false, trait);
    case IR_T_ARRAY:
        return through(t, ask(t, u, rec->elem, trait), BECAUSE_ELEMENT, trait, u, type, 0);
    case IR_T_QUALIFIED:
        return ask(t, u, rec->elem, (rec->flags & IR_TF_CONST) && trait == TRAIT_SYNC ? TRAIT_FROZEN : trait);
    case IR_T_TYPEDEF: {
        if (marked(t, u, type, trait, true, &v) ||
            modelled(t, u, type, models_find_type(t->models, unit_str(u, rec->name)), trait, &v))
            return v;
        return rec->annots.count ? place(t, u, rec->elem, rec->annots, trait) : ask(t, u, rec->elem, trait);
    }
    case IR_T_STRUCT:
    case IR_T_UNION:
        return record(t, u, type, trait, true);
    case IR_T_VA_LIST:
        return end(t, ANSWER_NO, BECAUSE_VA_LIST, trait, u, type);
    case IR_T_VOID:
        return end(t, ANSWER_UNKNOWN, BECAUSE_VOID, trait, u, type);
    case IR_T_UNKNOWN:
    case IR_T_KINDS:
        break;
    }
    return end(t, ANSWER_UNKNOWN, BECAUSE_OPAQUE, trait, u, type);
}

/* ---- the fixpoint ---- */

static void lower(struct traits *t, uint32_t id)
{
    struct node n = t->node.at[id];
    if (n.answer == ANSWER_NO)
        return;
    t->evaluating = id;
    struct trait_verdict v = evaluate(t, n.unit, n.type, (enum trait)n.trait);
    if (v.answer >= n.answer)
        return;
    t->node.at[id].answer = (uint8_t)v.answer;
    t->node.at[id].reason = v.reason;
    for (uint32_t e = t->node.at[id].parents; e; e = t->edges.at[e].next) {
        struct node *parent = &t->node.at[t->edges.at[e].parent];
        if (parent->answer > v.answer && !parent->queued) {
            parent->queued = true;
            vec_push(&t->queue, t->edges.at[e].parent);
        }
    }
}

/* From `root` down: first every node it reaches is entered, then each is lowered when its children are, then whoever asked
 * for a node that went down again after him. Reasons point only to nodes that went down before, so chains end. */
static void solve(struct traits *t, uint32_t root)
{
    if (t->node.at[root].solved)
        return;
    vec_clear(&t->stack);
    vec_clear(&t->queue);
    t->edges.n = 1;
    vec_push(&t->stack, root);
    VEC(uint32_t) entered = {0};
    while (t->stack.n) {
        uint32_t id = vec_last(&t->stack);
        struct node *n = &t->node.at[id];
        if (n->entered) {
            (void)vec_pop(&t->stack);
            if (!n->solved)
                lower(t, id);
            continue;
        }
        n->entered = true;
        vec_push(&entered, id);
        t->evaluating = id;
        t->entering = true;
        evaluate(t, n->unit, n->type, (enum trait)n->trait);
        t->entering = false;
    }
    for (size_t i = 0; i < t->queue.n; i++) {
        t->node.at[t->queue.at[i]].queued = false;
        lower(t, t->queue.at[i]);
    }
    for (size_t i = 0; i < entered.n; i++) {
        t->node.at[entered.at[i]].solved = true;
        t->node.at[entered.at[i]].parents = 0;
    }
    vec_free(&entered);
}

/* Evaluate something that is no node itself: once to meet its children, solve those, once more with their answers. */
#define WITH_CHILDREN_SOLVED(t, v, expression)                                                                         \
    do {                                                                                                               \
        size_t before_ = (t)->node.n;                                                                                  \
        (void)(expression);                                                                                            \
        for (size_t i_ = before_; i_ < (t)->node.n; i_++)                                                              \
            solve((t), (uint32_t)i_);                                                                                  \
        (v) = (expression);                                                                                            \
    } while (0)

struct trait_verdict traits_of(struct traits *t, const struct unit *u, ir_type type, enum trait trait)
{
    uint32_t id = node_of(t, u, type, trait);
    solve(t, id);
    return (struct trait_verdict){(enum answer)t->node.at[id].answer, t->node.at[id].reason};
}

struct trait_verdict traits_of_pointer(struct traits *t, const struct unit *u, ir_type pointee, enum pointer_role role,
                                       enum trait trait)
{
    struct trait_verdict v;
    WITH_CHILDREN_SOLVED(t, v, pointer(t, u, pointee, pointee, role, false, trait));
    return v;
}

struct trait_verdict traits_of_field(struct traits *t, const struct unit *u, ir_field field, enum trait trait)
{
    struct trait_verdict v;
    WITH_CHILDREN_SOLVED(t, v, member(t, u, field, trait));
    return v;
}

struct trait_verdict traits_by_members(struct traits *t, const struct unit *u, ir_type type, enum trait trait)
{
    struct trait_verdict v;
    while (u->types[type].kind == IR_T_QUALIFIED)
        type = u->types[type].elem;
    if (u->types[type].kind == IR_T_TYPEDEF)
        WITH_CHILDREN_SOLVED(t, v, place(t, u, u->types[type].elem, u->types[type].annots, trait));
    else
        WITH_CHILDREN_SOLVED(t, v, record(t, u, type, trait, false));
    return v;
}

const char *traits_contradiction(const struct unit *u, ir_type type, ir_loc *where)
{
    static const struct {
        enum ir_annot_kind yes, no;
        const char *text;
    } pairs[] = {
        {IR_A_send, IR_A_not_send, "AGLET_SEND and AGLET_NOT_SEND stand on one type"},
        {IR_A_sync, IR_A_not_sync, "AGLET_SYNC and AGLET_NOT_SYNC stand on one type"},
        {IR_A_trusted_send, IR_A_not_send, "AGLET_TRUSTED_SEND and AGLET_NOT_SEND stand on one type"},
        {IR_A_trusted_sync, IR_A_not_sync, "AGLET_TRUSTED_SYNC and AGLET_NOT_SYNC stand on one type"},
        {IR_A_send, IR_A_trusted_send, "AGLET_SEND asks for a proof that AGLET_TRUSTED_SEND makes needless"},
        {IR_A_sync, IR_A_trusted_sync, "AGLET_SYNC asks for a proof that AGLET_TRUSTED_SYNC makes needless"},
        {IR_A_guard_type, IR_A_send, "AGLET_GUARD_TYPE and AGLET_SEND stand on one type: a held lock stays on its thread"},
        {IR_A_guard_type, IR_A_trusted_send,
         "AGLET_GUARD_TYPE and AGLET_TRUSTED_SEND stand on one type: a held lock stays on its thread"},
    };
    struct ir_range annots = u->types[type].annots;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const struct ir_annot_rec *a = annotated(u, annots, pairs[i].yes), *b = annotated(u, annots, pairs[i].no);
        if (a && b) {
            *where = a > b ? a->loc : b->loc;
            return pairs[i].text;
        }
    }
    return NULL;
}
