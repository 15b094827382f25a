/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Send, Sync and Frozen of a type, from those of its parts: the rules by kind of type are docs/send-sync.md's table.
 * Stands on traits_derive.h. */
#include "traits_derive.h"

static struct trait_reason *because(struct traits *t, enum because why, enum trait trait,
                                    const struct unit *u, ir_type type) {
    struct trait_reason *r = arena_new(&t->arena, struct trait_reason);
    r->because = why;
    r->trait = trait;
    r->unit = u;
    r->type = type;
    return r;
}

static const struct trait_verdict yes = {ANSWER_YES, NULL};

static struct trait_verdict end(struct traits *t, enum answer answer, enum because why, enum trait trait,
                                const struct unit *u, ir_type type) {
    return (struct trait_verdict){answer, because(t, why, trait, u, type)};
}

/* v, reached through a step of the given kind. */
static struct trait_verdict through(struct traits *t, struct trait_verdict v, enum because why,
                                    enum trait trait, const struct unit *u, ir_type type, ir_field field) {
    if (v.answer == ANSWER_YES)
        return v;
    struct trait_reason *r = because(t, why, trait, u, type);
    r->field = field;
    r->cause = v.reason;
    v.reason = r;
    return v;
}

static struct trait_verdict least(struct trait_verdict a, struct trait_verdict b) {
    return b.answer < a.answer ? b : a;
}

/* What the annotations of a type say of one trait: a mark, a lock, a guard. */
static bool marked(struct traits *t, const struct unit *u, ir_type type, enum trait trait, bool asserted,
                   struct trait_verdict *out) {
    struct ir_range annots = u->types[type].annots;
    bool send = trait == TRAIT_SEND;
    const struct ir_annot_rec *no = traits_annotated(u, annots, send ? IR_A_not_send : IR_A_not_sync);
    if (no) {
        struct trait_reason *r = because(t, BECAUSE_MARKED, trait, u, type);
        r->text = unit_str(u, no->args);
        *out = (struct trait_verdict){ANSWER_NO, r};
        return true;
    }
    *out = yes;
    if (traits_annotated(u, annots, send ? IR_A_trusted_send : IR_A_trusted_sync) ||
        (asserted && traits_annotated(u, annots, send ? IR_A_send : IR_A_sync)))
        return true;
    if (traits_annotated(u, annots, IR_A_lock_type) || traits_annotated(u, annots, IR_A_async_lock_type))
        return true;
    if (send && traits_annotated(u, annots, IR_A_guard_type)) {
        *out = end(t, ANSWER_NO, BECAUSE_GUARD, trait, u, type);
        return true;
    }
    return false;
}

static bool modelled(struct traits *t, const struct unit *u, ir_type type, const struct model_type *m,
                     enum trait trait, struct trait_verdict *out) {
    uint8_t said = !m                    ? MODEL_UNKNOWN
                   : trait == TRAIT_SEND ? m->send
                   : trait == TRAIT_SYNC ? m->sync
                                         : m->frozen;
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

static struct trait_verdict count_is_plain(struct traits *t, const struct unit *u, ir_type type,
                                           struct refcount_of count, enum trait trait) {
    struct trait_verdict v = end(t, count.recognised ? ANSWER_UNKNOWN : ANSWER_NO, BECAUSE_COUNT, trait, u,
                                 traits_stripped(u, type));
    ((struct trait_reason *)v.reason)->field = count.field;
    return v;
}

/* The definition of a struct that is only declared here, where another unit has one. */
static const struct unit *completed(struct traits *t, const struct unit *u, ir_type *type) {
    ir_type bare = traits_stripped(u, *type);
    const struct ir_type_rec *rec = &u->types[bare];
    if ((rec->kind != IR_T_STRUCT && rec->kind != IR_T_UNION) || !(rec->flags & IR_TF_INCOMPLETE) ||
        !t->complete)
        return u;
    ir_type other_type;
    const struct unit *other = t->complete(t->data, unit_str(u, rec->name), &other_type);
    if (!other)
        return u;
    *type = other_type;
    return other;
}

/* A pointer of no role: it is fine, or not, when it is whatever its role were; else its use decides. */
static struct trait_verdict raw_pointer(struct traits *t, const struct unit *u, ir_type pointee,
                                        ir_type pointer, enum trait trait) {
    struct trait_verdict send = traits_ask(t, u, pointee, TRAIT_SEND),
                         sync = traits_ask(t, u, pointee, TRAIT_SYNC),
                         frozen = traits_ask(t, u, pointee, TRAIT_FROZEN);
    if (send.answer == ANSWER_NO && sync.answer == ANSWER_NO && frozen.answer == ANSWER_NO)
        return through(t, send, BECAUSE_POINTEE, trait, u, pointer, 0);
    const struct model_type *m = models_find_ir_type(t->models, u, pointee);
    if (m && send.answer == ANSWER_YES && sync.answer == ANSWER_YES)
        return yes;
    return end(t, ANSWER_UNKNOWN, BECAUSE_RAW, trait, u, pointer);
}

struct trait_verdict traits_pointer(struct traits *t, const struct unit *u, ir_type pointee, ir_type self,
                                    enum pointer_role role, bool pointee_guarded, enum trait trait) {
    uint32_t kind = u->types[traits_stripped(u, pointee)].kind;
    if (kind == IR_T_FUNCTION)
        return yes;
    if (kind == IR_T_VOID)
        return end(t, ANSWER_UNKNOWN, BECAUSE_VOID, trait, u, self);
    struct refcount_of count = {REFCOUNT_NONE, 0, false};
    ir_type counted = pointee;
    const struct unit *counted_in = completed(t, u, &counted);
    if (!traits_is_const(u, pointee) || role == ROLE_SHARED)
        count = traits_refcount_of(t, counted_in, counted);
    if (count.kind == REFCOUNT_PLAIN && role != ROLE_OWNED)
        return through(t, count_is_plain(t, counted_in, counted, count, trait), BECAUSE_POINTEE, trait, u,
                       self, 0);
    struct trait_verdict v;
    if (pointee_guarded && role != ROLE_OWNED) {
        v = traits_ask(t, u, pointee, TRAIT_SEND);
    } else if (role == ROLE_OWNED) {
        if (trait == TRAIT_SYNC && !pointee_guarded)
            return end(t, ANSWER_NO, BECAUSE_OWNED_CELL, trait, u, self);
        v = traits_ask(t, u, pointee, trait == TRAIT_SYNC ? TRAIT_SEND : trait);
    } else if (role == ROLE_SHARED || (count.kind == REFCOUNT_ATOMIC && !count.recognised)) {
        v = traits_ask(t, u, pointee, TRAIT_SYNC);
        if (count.kind == REFCOUNT_ATOMIC)
            v = least(v, traits_ask(t, u, pointee, TRAIT_SEND));
    } else if (traits_is_const(u, pointee)) {
        v = traits_ask(t, u, pointee, TRAIT_FROZEN);
    } else {
        return raw_pointer(t, u, pointee, self, trait);
    }
    return through(t, v, BECAUSE_POINTEE, trait, u, self, 0);
}

/* ---- members ---- */

/* Is the member guarded by locks that all resolve? *readers: some of its readers may run in parallel. */
static bool guarded(struct traits *t, const struct unit *u, ir_field field, bool *readers) {
    const struct ir_annot_rec *a = traits_annotated(u, u->fields[field].annots, IR_A_guarded_by);
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
        const struct model_type *m =
            path->type ? models_find_ir_type(t->models, path->type_unit, path->type) : NULL;
        *readers |= m && (m->flags & MODEL_TF_RW);
    }
    arena_free(&scratch);
    return status != LOCK_WRONG;
}

/* A place: its type, with what the annotations of its declaration say of the outermost pointer. */
struct trait_verdict traits_place(struct traits *t, const struct unit *u, ir_type type,
                                  struct ir_range annots, enum trait trait) {
    enum pointer_role role = traits_role(u, type, annots);
    bool pointee_guarded = traits_annotated(u, annots, IR_A_pt_guarded_by) != NULL;
    ir_type bare = traits_stripped(u, type);
    while (u->types[bare].kind == IR_T_ARRAY)
        bare = traits_stripped(u, u->types[bare].elem);
    if (u->types[bare].kind != IR_T_POINTER || (role == ROLE_NONE && !pointee_guarded))
        return traits_ask(t, u, type, trait);
    if (trait == TRAIT_SYNC && traits_is_const(u, type))
        trait = TRAIT_FROZEN;
    return traits_pointer(t, u, u->types[bare].elem, bare, role, pointee_guarded, trait);
}

struct trait_verdict traits_member(struct traits *t, const struct unit *u, ir_field field, enum trait trait) {
    const struct ir_field_rec *f = &u->fields[field];
    bool readers = false;
    if (trait == TRAIT_SEND || !guarded(t, u, field, &readers))
        return through(t, traits_place(t, u, f->type, f->annots, trait), BECAUSE_MEMBER, trait, u, f->type,
                       field);
    struct trait_verdict v = through(t, traits_place(t, u, f->type, f->annots, TRAIT_SEND), BECAUSE_MEMBER,
                                     trait, u, f->type, field);
    if (readers)
        v = least(v, through(t, traits_place(t, u, f->type, f->annots, TRAIT_FROZEN), BECAUSE_RWLOCK, trait,
                             u, f->type, field));
    return v;
}

static struct trait_verdict members(struct traits *t, const struct unit *u, ir_type type, enum trait trait) {
    const struct ir_type_rec *rec = &u->types[type];
    struct trait_verdict v = yes;
    struct refcount_of count = traits_refcount_of(t, u, type);
    if (count.kind == REFCOUNT_PLAIN && trait != TRAIT_SEND)
        v = count_is_plain(t, u, type, count, trait);
    for (uint32_t i = 0; i < rec->fields.count && (v.answer != ANSWER_NO || t->entering); i++) {
        ir_field field = rec->fields.first + i;
        if (field != count.field || count.kind == REFCOUNT_NONE)
            v = least(v, traits_member(t, u, field, trait));
    }
    return v;
}

struct trait_verdict traits_record(struct traits *t, const struct unit *u, ir_type type, enum trait trait,
                                   bool marks) {
    const struct ir_type_rec *rec = &u->types[type];
    struct trait_verdict v;
    if (marks && marked(t, u, type, trait, true, &v))
        return v;
    if (modelled(t, u, type, models_find_ir_type(t->models, u, type), trait, &v))
        return v;
    if (rec->flags & IR_TF_INCOMPLETE) {
        ir_type other_type = type;
        const struct unit *other = completed(t, u, &other_type);
        return other != u ? traits_ask(t, other, other_type, trait)
                          : end(t, ANSWER_UNKNOWN, BECAUSE_INCOMPLETE, trait, u, type);
    }
    return members(t, u, type, trait);
}

struct trait_verdict traits_evaluate(struct traits *t, const struct unit *u, ir_type type, enum trait trait) {
    const struct ir_type_rec *rec = &u->types[type];
    struct trait_verdict v;
    switch ((enum ir_type_kind)rec->kind) {
    case IR_T_INT:
    case IR_T_FLOAT:
    case IR_T_ENUM:
    case IR_T_VECTOR: return trait == TRAIT_SYNC ? end(t, ANSWER_NO, BECAUSE_CELL, trait, u, type) : yes;
    case IR_T_FUNCTION:
    case IR_T_ATOMIC: return yes;
    case IR_T_POINTER: return traits_pointer(t, u, rec->elem, type, ROLE_NONE, false, trait);
    case IR_T_ARRAY:
        return through(t, traits_ask(t, u, rec->elem, trait), BECAUSE_ELEMENT, trait, u, type, 0);
    case IR_T_QUALIFIED:
        return traits_ask(t, u, rec->elem,
                          (rec->flags & IR_TF_CONST) && trait == TRAIT_SYNC ? TRAIT_FROZEN : trait);
    case IR_T_TYPEDEF: {
        if (marked(t, u, type, trait, true, &v) ||
            modelled(t, u, type, models_find_type(t->models, unit_str(u, rec->name)), trait, &v))
            return v;
        return rec->annots.count ? traits_place(t, u, rec->elem, rec->annots, trait)
                                 : traits_ask(t, u, rec->elem, trait);
    }
    case IR_T_STRUCT:
    case IR_T_UNION: return traits_record(t, u, type, trait, true);
    case IR_T_VA_LIST: return end(t, ANSWER_NO, BECAUSE_VA_LIST, trait, u, type);
    case IR_T_VOID: return end(t, ANSWER_UNKNOWN, BECAUSE_VOID, trait, u, type);
    case IR_T_UNKNOWN:
    case IR_T_KINDS: break;
    }
    return end(t, ANSWER_UNKNOWN, BECAUSE_OPAQUE, trait, u, type);
}
