/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is written on types and declarations that decides their traits: roles, marks, reference counts, and marks that
 * contradict each other.
 * Stands on traits_derive.h. */
#include "traits_derive.h"

ir_type traits_stripped(const struct unit *u, ir_type type) {
    while (u->types[type].kind == IR_T_TYPEDEF || u->types[type].kind == IR_T_QUALIFIED)
        type = u->types[type].elem;
    return type;
}

bool traits_is_const(const struct unit *u, ir_type type) {
    for (;; type = u->types[type].elem) {
        if (u->types[type].kind == IR_T_QUALIFIED && (u->types[type].flags & IR_TF_CONST))
            return true;
        if (u->types[type].kind != IR_T_TYPEDEF && u->types[type].kind != IR_T_QUALIFIED)
            return false;
    }
}

const struct ir_annot_rec *traits_annotated(const struct unit *u, struct ir_range annots,
                                            enum ir_annot_kind kind) {
    for (uint32_t i = 0; i < annots.count; i++)
        if (u->annots[annots.first + i].kind == kind)
            return &u->annots[annots.first + i];
    return NULL;
}

enum pointer_role traits_role(const struct unit *u, ir_type type, struct ir_range annots) {
    for (;;) {
        if (traits_annotated(u, annots, IR_A_owned) || traits_annotated(u, annots, IR_A_sending) ||
            traits_annotated(u, annots, IR_A_sending_if))
            return ROLE_OWNED;
        if (traits_annotated(u, annots, IR_A_shared))
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

struct refcount_of traits_refcount_of(const struct traits *t, const struct unit *u, ir_type type) {
    struct refcount_of none = {REFCOUNT_NONE, 0, false}, found = none;
    type = traits_stripped(u, type);
    const struct ir_type_rec *rec = &u->types[type];
    if (rec->kind != IR_T_STRUCT)
        return none;
    for (uint32_t i = 0; i < rec->fields.count && !found.field; i++)
        if (traits_annotated(u, u->fields[rec->fields.first + i].annots, IR_A_refcount))
            found.field = rec->fields.first + i;
    if (!found.field && t->counts.n) {
        uint32_t number = map64_get(&t->units, (uint64_t)(uintptr_t)u, 0);
        found.field = map64_get(&t->counts, key_pair(number, type), 0);
        found.recognised = found.field != 0;
    }
    if (!found.field)
        return none;
    const struct ir_field_rec *f = &u->fields[found.field];
    ir_type bare = traits_stripped(u, f->type);
    bool safe = u->types[bare].kind == IR_T_ATOMIC || traits_annotated(u, f->annots, IR_A_guarded_by) ||
                models_find_ir_type(t->models, u, f->type) || u->types[bare].kind == IR_T_STRUCT;
    found.kind = safe ? REFCOUNT_ATOMIC : REFCOUNT_PLAIN;
    return found;
}

const char *traits_contradiction(const struct unit *u, ir_type type, ir_loc *where) {
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
        {IR_A_guard_type, IR_A_send,
         "AGLET_GUARD_TYPE and AGLET_SEND stand on one type: a held lock stays on its thread"},
        {IR_A_guard_type, IR_A_trusted_send,
         "AGLET_GUARD_TYPE and AGLET_TRUSTED_SEND stand on one type: a held lock stays on its thread"},
    };
    struct ir_range annots = u->types[type].annots;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const struct ir_annot_rec *a = traits_annotated(u, annots, pairs[i].yes),
                                  *b = traits_annotated(u, annots, pairs[i].no);
        if (a && b) {
            *where = a > b ? a->loc : b->loc;
            return pairs[i].text;
        }
    }
    return NULL;
}
