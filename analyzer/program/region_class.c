/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which locks and atomics are alike? Each member and global that orders threads has a class, one bit of a mask.
 * Stands on region_flow.h. The bit is made of names: masks that are kept from one run to the next mean the same in a program that
 * has one member more. */
#include "region_flow.h"

#include <string.h>

/* The member, global or parameter that tells the class of what is at p; NULL: it is not known. */
static const struct place *class_place(const struct solve *x, place_id p) {
    while (p && (x->f->places[p].op == PLACE_INDEX || x->f->places[p].op == PLACE_DEREF ||
                 x->f->places[p].op == PLACE_LOADED))
        p = x->f->places[p].a;
    const struct place *at = &x->f->places[p];
    bool named = at->op == PLACE_FIELD || at->op == PLACE_GLOBAL ||
                 (at->op == PLACE_PARAM && CLASS_FIRST_PARAM + at->a < 32);
    return p && named ? at : NULL;
}

/* Is it a lock, or a pointer to one? */
static bool is_lock(const struct program *p, const struct unit *u, ir_type t) {
    t = type_plain(u, t);
    while (u->types[t].kind == IR_T_ARRAY)
        t = type_plain(u, u->types[t].elem);
    ir_type to = u->types[t].kind == IR_T_POINTER ? u->types[t].elem : 0;
    return to && lock_kind_of(p, u, to).lock;
}

/* A struct without a tag is called by where it stands, which is another place after every edit above it. */
static uint64_t name_of_field(const struct program *p, uint32_t field) {
    const struct linked_field *f = &p->fields.at[field];
    const struct linked_struct *s = &p->structs.at[f->parent];
    const uint64_t within = strchr(s->name, '(') ? 0 : hash_string(s->name);

    return hash_add(hash_add(within, hash_string(f->name)), field - s->first_field);
}

/* Two files' globals of one name are told apart, wherever the files lie. */
static uint64_t name_of_global(const struct linked_global *g) {
    const struct unit *u = g->unit->unit;
    const char *path = unit_str(u, u->files[u->locs[u->vars[g->var].loc].file].path);
    const char *slash = strrchr(path, '/');

    return hash_add(hash_string(g->name), g->internal ? hash_string(slash ? slash + 1 : path) : 1);
}

static struct class_bits classes_of(const struct program *p, uint32_t slot) {
    enum { MUTEXES = 16 }; /* bits of CLASS_MUTEXES */
    uint64_t name;
    bool lock;

    if (slot & SLOT_GLOBAL) {
        const struct linked_global *g = &p->globals.at[slot & ~SLOT_GLOBAL];
        name = hash_add(PLACE_GLOBAL, name_of_global(g));
        lock = g->lock.lock || is_lock(p, g->unit->unit, g->unit->unit->vars[g->var].type);
    } else {
        const struct linked_field *f = &p->fields.at[slot];
        name = hash_add(PLACE_FIELD, name_of_field(p, slot));
        lock = f->lock.lock || is_lock(p, f->unit->unit, f->unit->unit->fields[f->field].type);
    }
    return (struct class_bits){
        (uint8_t)(1 + (lock ? name % MUTEXES : MUTEXES + name % (CLASS_FIRST_PARAM - MUTEXES))),
        (uint8_t)(1 + 32 + name % CLASS_FIRST_PARAM)};
}

struct class_bits region_slot_classes(struct regions *r, uint32_t slot) {
    const size_t at = slot & SLOT_GLOBAL ? r->p->fields.n + (slot & ~SLOT_GLOBAL) : slot;

    if (!r->classes[at].sync)
        r->classes[at] = classes_of(r->p, slot);
    return r->classes[at];
}

static uint32_t slot_of(const struct place *at) {
    return at->op == PLACE_FIELD ? at->b : at->a | SLOT_GLOBAL;
}

uint64_t region_class(const struct solve *x, place_id p) {
    const struct place *at = class_place(x, p);
    if (!at)
        return UINT64_MAX;
    if (at->op == PLACE_PARAM)
        return UINT64_C(1) << (CLASS_FIRST_PARAM + at->a);
    return UINT64_C(1) << (region_slot_classes(x->r, slot_of(at)).sync - 1);
}

uint64_t region_atomic_class(struct regions *r, uint32_t slot) {
    return UINT64_C(1) << (region_slot_classes(r, slot).atomic - 1);
}

uint64_t region_class_atomic(const struct solve *x, place_id p) {
    const struct place *at = class_place(x, p);
    if (!at)
        return UINT64_MAX;
    if (at->op == PLACE_PARAM)
        return UINT64_C(1) << (32 + CLASS_FIRST_PARAM + at->a);
    return region_atomic_class(x->r, slot_of(at));
}
