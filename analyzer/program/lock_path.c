/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Compares lock paths, and prints them as C would spell them.
 * Stands on lock_expr.h. */
#include "lock_expr.h"

#include <stdio.h>
#include <string.h>

static bool same_field(const struct lock_step *a, const struct lock_step *b) {
    if (a->unit == b->unit)
        return a->field == b->field;
    const struct ir_field_rec *f = &a->unit->fields[a->field], *g = &b->unit->fields[b->field];
    return strcmp(unit_str(a->unit, f->name), unit_str(b->unit, g->name)) == 0 &&
           strcmp(unit_str(a->unit, a->unit->types[f->parent].name),
                  unit_str(b->unit, b->unit->types[g->parent].name)) == 0;
}

bool lock_path_equal(const struct lock_path *a, const struct lock_path *b) {
    if (a->root != b->root || a->n_steps != b->n_steps || a->complement != b->complement ||
        a->address != b->address)
        return false;
    if (a->root == LOCK_AT_PARAM && a->index != b->index)
        return false;
    if (a->root == LOCK_AT_TOKEN && strcmp(a->name, b->name) != 0)
        return false;
    if (a->root == LOCK_AT_VAR && (a->unit == b->unit ? a->var != b->var : strcmp(a->name, b->name) != 0))
        return false;
    for (uint32_t i = 0; i < a->n_steps; i++) {
        const struct lock_step *s = &a->steps[i], *t = &b->steps[i];
        if (s->kind != t->kind || (s->kind == LOCK_STEP_FIELD && !same_field(s, t)))
            return false;
        if (s->kind == LOCK_STEP_INDEX && (s->value != t->value || !s->index != !t->index ||
                                           (s->index && !lock_path_equal(s->index, t->index))))
            return false;
    }
    return true;
}

int lock_path_print(const struct lock_path *path, const char *base, char *out, size_t size) {
    char text[512] = "", next[512];
    bool pointer = false; /* the last step was a dereference, not written yet */
    if (path->root == LOCK_AT_PARAM && !*path->name)
        snprintf(text, sizeof text, "$%u", path->index + 1);
    else if (path->root != LOCK_AT_OBJECT && path->name)
        snprintf(text, sizeof text, "%s", path->name);
    else if (base)
        snprintf(text, sizeof text, "%s", base);
    for (uint32_t i = 0; i < path->n_steps; i++) {
        const struct lock_step *s = &path->steps[i];
        char index[200] = "*";
        if (s->kind == LOCK_STEP_DEREF) {
            if (pointer)
                snprintf(next, sizeof next, "(*%.480s)", text);
            else
                snprintf(next, sizeof next, "%s", text);
            pointer = true;
        } else if (s->kind == LOCK_STEP_FIELD) {
            const char *field = unit_str(s->unit, s->unit->fields[s->field].name);
            const char *link = !*field || !*text || (i == 0 && path->root == LOCK_AT_OBJECT) ? ""
                               : pointer                                                     ? "->"
                                                                                             : ".";
            snprintf(next, sizeof next, "%.300s%s%.200s", text, link, field);
            pointer = pointer && !*field;
        } else {
            if (s->index)
                lock_path_print(s->index, NULL, index, sizeof index);
            else if (s->value != LOCK_INDEX_ANY)
                snprintf(index, sizeof index, "%lld", (long long)s->value);
            snprintf(next, sizeof next, "%.300s[%s]", text, index);
            pointer = false;
        }
        memcpy(text, next, sizeof text);
    }
    return snprintf(out, size, "%s%s%s", path->complement ? "!" : "", pointer ? "*" : "", text);
}
