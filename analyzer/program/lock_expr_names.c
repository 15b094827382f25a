/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds each name of a lock expression where the annotation stands.
 * Stands on lock_expr_walk.h.
 *
 * Names are looked up by walking the unit's tables: annotations are few, and an index per unit would cost more to build. */
#include "lock_expr_walk.h"

bool walk_wrong(struct walk *w, const char *why) {
    w->status = LOCK_WRONG;
    w->why = why;
    return false;
}

ir_type bare_type(const struct unit *u, ir_type t) {
    while (u->types[t].kind == IR_T_TYPEDEF || u->types[t].kind == IR_T_QUALIFIED ||
           u->types[t].kind == IR_T_ATOMIC)
        t = u->types[t].elem;
    return t;
}

bool walk_step(struct walk *w, enum lock_step_kind kind, ir_type type) {
    if (w->path.n_steps == MAX_STEPS)
        return walk_wrong(w, "the path is too long");
    struct lock_step *s = &w->steps[w->path.n_steps++];
    memset(s, 0, sizeof *s);
    s->kind = kind;
    s->unit = w->unit;
    s->value = LOCK_INDEX_ANY;
    w->type = type;
    return true;
}

/* ---- suggestions ---- */
static void consider(struct guess *g, const char *candidate) {
    enum { LONGEST = 40 };
    size_t n = strlen(candidate);
    if (n == 0 || n > LONGEST || g->length > LONGEST)
        return;
    unsigned row[LONGEST + 1];
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= g->length; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned above = row[j], best = diagonal + (g->name[i - 1] != candidate[j - 1]);
            best = best < above + 1 ? best : above + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    unsigned limit = g->length < 4 ? 1 : (unsigned)g->length / 3;
    if (row[n] && row[n] <= limit && row[n] < g->distance) {
        g->best = candidate;
        g->distance = row[n];
    }
}

static bool equals(const char *s, const char *text, size_t length) {
    return strncmp(s, text, length) == 0 && s[length] == '\0';
}

/* ---- names ---- */

bool walk_to_member(struct walk *w, ir_type t, const char *name, size_t length, struct guess *g,
                    unsigned depth) {
    const struct unit *u = w->unit;
    const struct ir_type_rec *rec = &u->types[t];
    if ((rec->kind != IR_T_STRUCT && rec->kind != IR_T_UNION) || depth > 16)
        return false;
    for (uint32_t i = 0; i < rec->fields.count; i++) {
        ir_field f = rec->fields.first + i;
        const char *field_name = unit_str(u, u->fields[f].name);
        uint32_t steps = w->path.n_steps;
        ir_type type = w->type;
        if (*field_name == '\0') {
            if (!walk_step(w, LOCK_STEP_FIELD, u->fields[f].type))
                return false;
            w->steps[steps].field = f;
            if (walk_to_member(w, bare_type(u, u->fields[f].type), name, length, g, depth + 1))
                return true;
            w->path.n_steps = steps;
            w->type = type;
        } else if (equals(field_name, name, length)) {
            if (!walk_step(w, LOCK_STEP_FIELD, u->fields[f].type))
                return false;
            w->steps[steps].field = f;
            return true;
        } else if (g) {
            consider(g, field_name);
        }
    }
    return false;
}

/* The one struct or union that has a member of type t by value (or an array of it), or 0. */
static ir_type encloser(const struct unit *u, ir_type t) {
    ir_type found = 0;
    for (ir_field f = 1; f < u->n_fields; f++) {
        ir_type parent = u->fields[f].parent;
        if (u->types[parent].kind != IR_T_STRUCT && u->types[parent].kind != IR_T_UNION)
            continue;
        ir_type held = bare_type(u, u->fields[f].type);
        while (u->types[held].kind == IR_T_ARRAY)
            held = bare_type(u, u->types[held].elem);
        if (held != t || parent == t)
            continue;
        if (found && found != parent)
            return 0;
        found = parent;
    }
    return found;
}

static bool sibling(struct walk *w, ir_field of, const char *name, size_t length, struct guess *g) {
    ir_type object = w->unit->fields[of].parent;
    for (unsigned depth = 0; object && depth < 16; depth++) {
        w->path.root = LOCK_AT_OBJECT;
        w->path.object = object;
        w->type = object;
        if (walk_to_member(w, object, name, length, g, 0))
            return true;
        object = encloser(w->unit, object);
    }
    w->path.root = LOCK_AT_NOTHING;
    w->path.object = 0;
    return false;
}

bool walk_to_parameter(struct walk *w, ir_func f, uint32_t i) {
    const struct unit *u = w->unit;
    if (i >= u->funcs[f].params.count)
        return walk_wrong(
            w, arena_printf(w->arena, "'%s' has no parameter %u", unit_str(u, u->funcs[f].name), i + 1));
    w->path.root = LOCK_AT_PARAM;
    w->path.index = i;
    w->type = u->vars[u->funcs[f].params.first + i].type;
    w->path.name = unit_str(u, u->vars[u->funcs[f].params.first + i].name);
    return true;
}

bool walk_to_pointer_parameter(struct walk *w, ir_type function, uint32_t i) {
    const struct ir_type_rec *rec = &w->unit->types[function];
    if (rec->kind != IR_T_FUNCTION || (i >= rec->params.count && i >= rec->fields.count))
        return walk_wrong(w, arena_printf(w->arena, "the function has no parameter %u", i + 1));
    w->path.root = LOCK_AT_PARAM;
    w->path.index = i;
    w->type = i < rec->fields.count ? w->unit->fields[rec->fields.first + i].type
                                    : w->unit->type_refs[rec->params.first + i];
    w->path.name =
        i < rec->fields.count ? unit_str(w->unit, w->unit->fields[rec->fields.first + i].name) : "";
    return true;
}

ir_type function_type(const struct unit *u, ir_type t) {
    for (unsigned i = 0; i < 16; i++) {
        t = bare_type(u, t);
        if (u->types[t].kind != IR_T_POINTER && u->types[t].kind != IR_T_ARRAY)
            return t;
        t = u->types[t].elem;
    }
    return 0;
}

static bool file_scope(struct walk *w, const char *name, size_t length, ir_func locals_of, struct guess *g) {
    const struct unit *u = w->unit;
    for (unsigned pass = locals_of ? 0 : 1; pass < 2; pass++)
        for (ir_var v = 1; v < u->n_vars; v++) {
            const struct ir_var_rec *rec = &u->vars[v];
            bool seen =
                pass == 0 ? rec->func == locals_of && rec->kind != IR_V_TEMP : rec->kind == IR_V_GLOBAL;
            if (!seen)
                continue;
            if (!equals(unit_str(u, rec->name), name, length)) {
                consider(g, unit_str(u, rec->name));
                continue;
            }
            w->path.root = LOCK_AT_VAR;
            w->path.var = v;
            w->path.name = unit_str(u, rec->name);
            w->type = rec->type;
            return true;
        }
    return false;
}

static const char *token_of(const struct unit *u, struct ir_range annots) {
    for (uint32_t i = 0; i < annots.count; i++)
        if (u->annots[annots.first + i].kind == IR_A_token)
            return unit_str(u, u->annots[annots.first + i].args);
    return NULL;
}

static bool token(struct walk *w, const char *name, size_t length, struct guess *g) {
    const struct unit *u = w->unit;
    for (ir_type t = 1; t < u->n_types; t++) {
        const char *found = token_of(u, u->types[t].annots);
        if (!found)
            continue;
        if (!equals(found, name, length)) {
            consider(g, found);
            continue;
        }
        w->path.root = LOCK_AT_TOKEN;
        w->path.name = found;
        w->type = 0;
        return true;
    }
    return false;
}

bool walk_to_name(struct walk *w, const char *text, size_t length) {
    const struct lock_context *c = w->context;
    const struct unit *u = w->unit;
    struct guess g = {text, length, NULL, 1000};
    ir_func locals_of = 0;
    if (c->scope == LOCK_IN_FIELD && sibling(w, c->item, text, length, &g))
        return true;
    if (c->scope == LOCK_IN_FUNCTION)
        for (uint32_t i = 0; i < u->funcs[c->item].params.count; i++) {
            const char *candidate = unit_str(u, u->vars[u->funcs[c->item].params.first + i].name);
            if (equals(candidate, text, length))
                return walk_to_parameter(w, c->item, i);
            consider(&g, candidate);
        }
    if (c->scope == LOCK_IN_POINTER) {
        ir_type t = function_type(u, c->item);
        for (uint32_t i = 0; i < u->types[t].fields.count; i++) {
            const char *candidate = unit_str(u, u->fields[u->types[t].fields.first + i].name);
            if (equals(candidate, text, length))
                return walk_to_pointer_parameter(w, t, i);
            consider(&g, candidate);
        }
        if (c->field && sibling(w, c->field, text, length, &g))
            return true;
    }
    if (w->status != LOCK_RESOLVED)
        return false;
    if (c->scope == LOCK_IN_VAR)
        locals_of = u->vars[c->item].func;
    if (file_scope(w, text, length, locals_of, &g) || token(w, text, length, &g))
        return true;
    const char *what = w->value ? "nothing" : "no lock";
    if (g.best)
        return walk_wrong(w, arena_printf(w->arena, "'%.*s' names %s here; did you mean '%s'?", (int)length,
                                          text, what, g.best));
    return walk_wrong(w, arena_printf(w->arena, "'%.*s' names %s here", (int)length, text, what));
}

bool walk_to_result(struct walk *w) {
    const struct lock_context *c = w->context;
    ir_type t = c->scope == LOCK_IN_FUNCTION  ? function_type(w->unit, w->unit->funcs[c->item].type)
                : c->scope == LOCK_IN_POINTER ? function_type(w->unit, c->item)
                                              : 0;
    if (!t)
        return walk_wrong(w, "'return' has a meaning on functions only");
    w->path.root = LOCK_AT_RESULT;
    w->path.name = "return";
    w->type = w->unit->types[t].elem;
    return true;
}
