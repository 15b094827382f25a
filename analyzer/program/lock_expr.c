/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Resolves lock expressions: finds each name where the annotation stands, walks members through the type table.
 * Stands on lock_expr_parse.h for the syntax.
 *
 * Names are looked up by walking the unit's tables: annotations are few, and an index per unit would cost more to build. */
#include "lock_expr.h"

#include <stdio.h>
#include <string.h>
#include "../base/arena.h"
#include "lock_expr_parse.h"

enum { MAX_STEPS = 32 };

/* A path under construction, and the type of the place it has reached. */
struct walk {
    const struct lock_context *context;
    struct arena *arena;
    struct lock_path path;
    struct lock_step steps[MAX_STEPS];
    const struct unit *unit; /* of type */
    ir_type type;
    int address; /* how many & stand before the place */
    enum lock_status status;
    const char *why;
};

static bool wrong(struct walk *w, const char *why)
{
    w->status = LOCK_WRONG;
    w->why = why;
    return false;
}

static ir_type bare_type(const struct unit *u, ir_type t)
{
    while (u->types[t].kind == IR_T_TYPEDEF || u->types[t].kind == IR_T_QUALIFIED || u->types[t].kind == IR_T_ATOMIC)
        t = u->types[t].elem;
    return t;
}

static bool step(struct walk *w, enum lock_step_kind kind, ir_type type)
{
    if (w->path.n_steps == MAX_STEPS)
        return wrong(w, "the path is too long");
    struct lock_step *s = &w->steps[w->path.n_steps++];
    memset(s, 0, sizeof *s);
    s->kind = kind;
    s->unit = w->unit;
    s->value = LOCK_INDEX_ANY;
    w->type = type;
    return true;
}

/* ---- suggestions ---- */

struct guess {
    const char *name; /* what was written */
    size_t length;
    const char *best;
    unsigned distance;
};

static void consider(struct guess *g, const char *candidate)
{
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

static bool equals(const char *s, const char *text, size_t length)
{
    return strncmp(s, text, length) == 0 && s[length] == '\0';
}

/* ---- names ---- */

/* The member `name` of struct t, looking into anonymous members; the steps to it are added. */
static bool member(struct walk *w, ir_type t, const char *name, size_t length, struct guess *g, unsigned depth)
{
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
            if (!step(w, LOCK_STEP_FIELD, u->fields[f].type))
                return false;
            w->steps[steps].field = f;
            if (member(w, bare_type(u, u->fields[f].type), name, length, g, depth + 1))
                return true;
            w->path.n_steps = steps;
            w->type = type;
        } else if (equals(field_name, name, length)) {
            if (!step(w, LOCK_STEP_FIELD, u->fields[f].type))
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
static ir_type encloser(const struct unit *u, ir_type t)
{
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

static bool sibling(struct walk *w, ir_field of, const char *name, size_t length, struct guess *g)
{
    ir_type object = w->unit->fields[of].parent;
    for (unsigned depth = 0; object && depth < 16; depth++) {
        w->path.root = LOCK_AT_OBJECT;
        w->path.object = object;
        w->type = object;
        if (member(w, object, name, length, g, 0))
            return true;
        object = encloser(w->unit, object);
    }
    w->path.root = LOCK_AT_NOTHING;
    w->path.object = 0;
    return false;
}

static bool parameter(struct walk *w, ir_func f, uint32_t i)
{
    const struct unit *u = w->unit;
    if (i >= u->funcs[f].params.count)
        return wrong(w, arena_printf(w->arena, "'%s' has no parameter %u", unit_str(u, u->funcs[f].name), i + 1));
    w->path.root = LOCK_AT_PARAM;
    w->path.index = i;
    w->type = u->vars[u->funcs[f].params.first + i].type;
    w->path.name = unit_str(u, u->vars[u->funcs[f].params.first + i].name);
    return true;
}

static bool pointer_parameter(struct walk *w, ir_type function, uint32_t i)
{
    const struct ir_type_rec *rec = &w->unit->types[function];
    if (rec->kind != IR_T_FUNCTION || (i >= rec->params.count && i >= rec->fields.count))
        return wrong(w, arena_printf(w->arena, "the function has no parameter %u", i + 1));
    w->path.root = LOCK_AT_PARAM;
    w->path.index = i;
    w->type = i < rec->fields.count ? w->unit->fields[rec->fields.first + i].type
                                    : w->unit->type_refs[rec->params.first + i];
    w->path.name = i < rec->fields.count ? unit_str(w->unit, w->unit->fields[rec->fields.first + i].name) : "";
    return true;
}

/* The function type behind pointers and typedefs. */
static ir_type function_type(const struct unit *u, ir_type t)
{
    for (unsigned i = 0; i < 16; i++) {
        t = bare_type(u, t);
        if (u->types[t].kind != IR_T_POINTER && u->types[t].kind != IR_T_ARRAY)
            return t;
        t = u->types[t].elem;
    }
    return 0;
}

static bool file_scope(struct walk *w, const char *name, size_t length, ir_func locals_of, struct guess *g)
{
    const struct unit *u = w->unit;
    for (unsigned pass = locals_of ? 0 : 1; pass < 2; pass++)
        for (ir_var v = 1; v < u->n_vars; v++) {
            const struct ir_var_rec *rec = &u->vars[v];
            bool seen = pass == 0 ? rec->func == locals_of && rec->kind != IR_V_TEMP : rec->kind == IR_V_GLOBAL;
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

static const char *token_of(const struct unit *u, struct ir_range annots)
{
    for (uint32_t i = 0; i < annots.count; i++)
        if (u->annots[annots.first + i].kind == IR_A_token)
            return unit_str(u, u->annots[annots.first + i].args);
    return NULL;
}

static bool token(struct walk *w, const char *name, size_t length, struct guess *g)
{
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

/* Innermost scope first. */
static bool name(struct walk *w, const char *text, size_t length)
{
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
                return parameter(w, c->item, i);
            consider(&g, candidate);
        }
    if (c->scope == LOCK_IN_POINTER) {
        ir_type t = function_type(u, c->item);
        for (uint32_t i = 0; i < u->types[t].fields.count; i++) {
            const char *candidate = unit_str(u, u->fields[u->types[t].fields.first + i].name);
            if (equals(candidate, text, length))
                return pointer_parameter(w, t, i);
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
    if (g.best)
        return wrong(w, arena_printf(w->arena, "'%.*s' names no lock here; did you mean '%s'?", (int)length, text, g.best));
    return wrong(w, arena_printf(w->arena, "'%.*s' names no lock here", (int)length, text));
}

static bool result(struct walk *w)
{
    const struct lock_context *c = w->context;
    ir_type t = c->scope == LOCK_IN_FUNCTION  ? function_type(w->unit, w->unit->funcs[c->item].type)
                : c->scope == LOCK_IN_POINTER ? function_type(w->unit, c->item)
                                              : 0;
    if (!t)
        return wrong(w, "'return' has a meaning on functions only");
    w->path.root = LOCK_AT_RESULT;
    w->path.name = "return";
    w->type = w->unit->types[t].elem;
    return true;
}

/* ---- walking ---- */

/* The place that the pointer here points to: by *, ->, or []. */
static bool follow(struct walk *w, const char *what)
{
    if (w->address) {
        w->address--;
        return true;
    }
    ir_type t = bare_type(w->unit, w->type);
    const struct ir_type_rec *rec = &w->unit->types[t];
    if (rec->kind == IR_T_POINTER)
        return step(w, LOCK_STEP_DEREF, rec->elem);
    if (rec->kind == IR_T_ARRAY) {
        if (!step(w, LOCK_STEP_INDEX, rec->elem))
            return false;
        w->steps[w->path.n_steps - 1].value = 0;
        return true;
    }
    if (rec->kind == IR_T_UNKNOWN) {
        w->status = LOCK_PENDING;
        return false;
    }
    return wrong(w, arena_printf(w->arena, "'%s' is used on something that is no pointer", what));
}

/* The struct here, complete: in this unit, or in the one that `complete` knows. */
static bool complete(struct walk *w, ir_type *out)
{
    ir_type t = bare_type(w->unit, w->type);
    const struct ir_type_rec *rec = &w->unit->types[t];
    if (rec->kind != IR_T_STRUCT && rec->kind != IR_T_UNION) {
        if (rec->kind == IR_T_UNKNOWN) {
            w->status = LOCK_PENDING;
            return false;
        }
        return wrong(w, rec->kind == IR_T_POINTER ? "'.' is used on a pointer: write '->'"
                                                  : "a member is named of something that is no struct");
    }
    *out = t;
    if (!(rec->flags & IR_TF_INCOMPLETE))
        return true;
    if (!w->context->complete) {
        w->status = LOCK_PENDING;
        return false;
    }
    const char *tag = unit_str(w->unit, rec->name);
    const struct unit *other = w->context->complete(w->context->data, tag, out);
    if (!other)
        return wrong(w, arena_printf(w->arena, "goes through 'struct %s', which no analysed file completes", tag));
    w->unit = other;
    return true;
}

static bool walk(struct walk *w, const struct lock_tree *t);

static bool walk_member(struct walk *w, const struct lock_tree *t)
{
    if (!walk(w, t->a) || (t->arrow && !follow(w, "->")))
        return false;
    if (w->address)
        return wrong(w, "'.' is used on an address: write '->'");
    ir_type object;
    if (!complete(w, &object))
        return false;
    struct guess g = {t->text, t->length, NULL, 1000};
    if (member(w, object, t->text, t->length, &g, 0))
        return true;
    if (w->status != LOCK_RESOLVED)
        return false;
    const struct ir_type_rec *rec = &w->unit->types[object];
    return wrong(w, arena_printf(w->arena, g.best ? "'%s %s' has no member '%.*s'; did you mean '%s'?" : "'%s %s' has no member '%.*s'",
                                 rec->kind == IR_T_UNION ? "union" : "struct", unit_str(w->unit, rec->name),
                                 (int)t->length, t->text, g.best));
}

static const struct lock_path *finish(struct walk *w, struct lock_path *out)
{
    w->path.steps = arena_copy(w->arena, w->steps, w->path.n_steps * sizeof *w->steps);
    w->path.type = w->type;
    w->path.type_unit = w->unit;
    *out = w->path;
    return out;
}

static bool walk_index(struct walk *w, const struct lock_tree *t)
{
    if (!walk(w, t->a))
        return false;
    ir_type bare = bare_type(w->unit, w->type);
    const struct ir_type_rec *rec = &w->unit->types[bare];
    if (w->address || (rec->kind != IR_T_ARRAY && rec->kind != IR_T_POINTER))
        return rec->kind == IR_T_UNKNOWN && !w->address ? (w->status = LOCK_PENDING, false)
                                                        : wrong(w, "'[]' is used on something that is no array");
    ir_type elem = rec->elem;
    if ((rec->kind == IR_T_POINTER && !step(w, LOCK_STEP_DEREF, elem)) || !step(w, LOCK_STEP_INDEX, elem))
        return false;
    struct lock_step *s = &w->steps[w->path.n_steps - 1];
    if (t->b && t->b->kind == LOCK_TREE_NUMBER) {
        s->value = t->b->number;
    } else if (t->b) {
        struct walk inner = {.context = w->context, .arena = w->arena, .unit = w->context->unit};
        inner.path.unit = w->context->unit;
        if (walk(&inner, t->b) && !inner.address)
            s->index = finish(&inner, arena_new(w->arena, struct lock_path));
        else if (inner.status == LOCK_WRONG)
            return wrong(w, inner.why);
    }
    return true;
}

static bool walk(struct walk *w, const struct lock_tree *t)
{
    switch (t->kind) {
    case LOCK_TREE_NAME:
        return name(w, t->text, t->length);
    case LOCK_TREE_PARAM:
        if (w->context->scope == LOCK_IN_FUNCTION)
            return parameter(w, w->context->item, (uint32_t)t->number);
        if (w->context->scope == LOCK_IN_POINTER)
            return pointer_parameter(w, function_type(w->unit, w->context->item), (uint32_t)t->number);
        return wrong(w, "'$1' has a meaning on functions only");
    case LOCK_TREE_RESULT:
        return result(w);
    case LOCK_TREE_MEMBER:
        return walk_member(w, t);
    case LOCK_TREE_INDEX:
        return walk_index(w, t);
    case LOCK_TREE_DEREF:
        return walk(w, t->a) && follow(w, "*");
    case LOCK_TREE_ADDR:
        if (!walk(w, t->a))
            return false;
        w->address++;
        return w->address == 1 || wrong(w, "'&' is used on an address");
    case LOCK_TREE_NOT:
        return wrong(w, "'!' may only stand before the whole lock");
    case LOCK_TREE_NUMBER:
        break;
    }
    return wrong(w, "a number is no lock");
}

/* From the place of a lock, or a pointer to it, to the place of the lock. */
static bool to_lock(struct walk *w)
{
    if (w->path.root == LOCK_AT_TOKEN) {
        w->address = 0;
        return w->path.n_steps == 0 || wrong(w, "a token has no members");
    }
    if (w->address) {
        w->address = 0;
        return true;
    }
    ir_type bare = bare_type(w->unit, w->type);
    const struct ir_type_rec *rec = &w->unit->types[bare];
    switch (rec->kind) {
    case IR_T_POINTER:
        return step(w, LOCK_STEP_DEREF, rec->elem);
    case IR_T_ARRAY:
        return step(w, LOCK_STEP_INDEX, rec->elem);
    case IR_T_UNKNOWN:
    case IR_T_STRUCT:
    case IR_T_UNION:
        return true;
    default:
        if (bare != w->type && w->unit->types[w->type].kind != IR_T_QUALIFIED)
            return true; /* a typedef: pthread_spinlock_t is an int */
        return wrong(w, arena_printf(w->arena, "a value of type '%s' is no lock", unit_str(w->unit, rec->name)));
    }
}

static const char *squeezed(struct arena *arena, const char *text, size_t length)
{
    char *out = arena_alloc(arena, length + 1);
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\n')
            out[n++] = text[i];
    out[n] = '\0';
    return out;
}

static enum lock_status resolve(const struct lock_context *context, struct arena *arena, const char *text, size_t length,
                                bool lock, struct lock_path *out, const char **why)
{
    struct walk w = {.context = context, .arena = arena, .unit = context->unit};
    w.path.unit = context->unit;
    w.path.text = squeezed(arena, text, length);
    const struct lock_tree *t = lock_tree_parse(arena, text, length, why);
    if (!t)
        return LOCK_WRONG;
    if (t->kind == LOCK_TREE_NOT) {
        w.path.complement = true;
        t = t->a;
    }
    if (walk(&w, t) && (!lock || to_lock(&w))) {
        w.path.address = w.address != 0;
        finish(&w, out);
        return LOCK_RESOLVED;
    }
    *why = w.status == LOCK_PENDING ? "goes through a type that is incomplete here" : w.why;
    return w.status;
}

enum lock_status lock_expr_resolve(const struct lock_context *context, struct arena *arena, const char *text,
                                   size_t length, struct lock_path *out, const char **why)
{
    return resolve(context, arena, text, length, true, out, why);
}

/* ---- whole annotations ---- */

/* "return != NULL", "return", "!return", "return < 0". */
static bool result_test(const char *text, size_t length, struct result_when *when)
{
    static const struct {
        const char *sign;
        enum result_test test;
    } signs[] = {{"==", RESULT_EQ}, {"!=", RESULT_NE}, {"<=", RESULT_LE}, {">=", RESULT_GE}, {"<", RESULT_LT}, {">", RESULT_GT}};
    while (length && *text == ' ')
        text++, length--;
    bool negated = length && *text == '!';
    if (negated)
        text++, length--;
    size_t skip = length > 6 && *text == '$' ? 7 : 6;
    if (length < skip || memcmp(text + skip - 6, "return", 6) != 0)
        return false;
    text += skip, length -= skip;
    while (length && *text == ' ')
        text++, length--;
    when->test = negated ? RESULT_EQ : RESULT_NE;
    when->value = 0;
    if (length == 0)
        return true;
    for (size_t i = 0; i < 6 && !negated; i++) {
        size_t n = strlen(signs[i].sign);
        if (length > n && memcmp(text, signs[i].sign, n) == 0) {
            when->test = signs[i].test;
            return lock_text_constant(text + n, length - n, &when->value);
        }
    }
    return false;
}

static bool first_argument(enum ir_annot_kind kind, struct arena *arena, const char *text, size_t length,
                           struct result_when *when, const char **why)
{
    if (kind == IR_A_spawns_if) {
        if (result_test(text, length, when))
            return true;
        *why = arena_printf(arena, "'%.*s' is no test of the result such as 'return != 0'", (int)length, text);
        return false;
    }
    when->test = RESULT_EQ;
    if (length == 4 && memcmp(text, "true", 4) == 0) {
        when->test = RESULT_NE;
        when->value = 0;
        return true;
    }
    if (lock_text_constant(text, length, &when->value))
        return true;
    *why = arena_printf(arena, "'%.*s' is no constant that the function could return", (int)length, text);
    return false;
}

enum lock_status lock_expr_annotation(const struct lock_context *context, struct arena *arena,
                                      const struct ir_annot_rec *annotation, struct lock_list *out, const char **why)
{
    const char *text = unit_str(context->unit, annotation->args), *part;
    size_t length = strlen(text), part_length;
    bool values = annotation->kind == IR_A_spawns || annotation->kind == IR_A_spawns_if || annotation->kind == IR_A_joins;
    unsigned first = annotation->kind == IR_A_try_acquires || annotation->kind == IR_A_try_acquires_shared ||
                     annotation->kind == IR_A_spawns_if;
    memset(out, 0, sizeof *out);
    *why = NULL;
    if (annotation->kind == IR_A_spawns)
        out->when = (struct result_when){RESULT_EQ, 0};
    uint32_t n = 0;
    while (lock_text_part(text, length, n, &part, &part_length))
        n++;
    uint32_t wanted = annotation->kind == IR_A_spawns ? 2 : annotation->kind == IR_A_spawns_if ? 3 : first + 1;
    if (n < wanted || (values && n > wanted)) {
        *why = arena_printf(arena, "%u argument%s wanted here, %u given", wanted, wanted == 1 ? " is" : "s are", n);
        return LOCK_WRONG;
    }
    if (first) {
        lock_text_part(text, length, 0, &part, &part_length);
        if (!first_argument(annotation->kind, arena, part, part_length, &out->when, why))
            return LOCK_WRONG;
    }
    struct lock_path *paths = arena_array(arena, struct lock_path, n - first);
    enum lock_status worst = LOCK_RESOLVED;
    for (uint32_t i = first; i < n && worst != LOCK_WRONG; i++) {
        lock_text_part(text, length, i, &part, &part_length);
        enum lock_status status = resolve(context, arena, part, part_length, !values, &paths[i - first], why);
        worst = status > worst ? status : worst;
    }
    out->paths = paths;
    out->n_paths = n - first;
    return worst;
}

/* ---- comparing and printing ---- */

static bool same_field(const struct lock_step *a, const struct lock_step *b)
{
    if (a->unit == b->unit)
        return a->field == b->field;
    const struct ir_field_rec *f = &a->unit->fields[a->field], *g = &b->unit->fields[b->field];
    return strcmp(unit_str(a->unit, f->name), unit_str(b->unit, g->name)) == 0 &&
           strcmp(unit_str(a->unit, a->unit->types[f->parent].name), unit_str(b->unit, b->unit->types[g->parent].name)) == 0;
}

bool lock_path_equal(const struct lock_path *a, const struct lock_path *b)
{
    if (a->root != b->root || a->n_steps != b->n_steps || a->complement != b->complement || a->address != b->address)
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
        if (s->kind == LOCK_STEP_INDEX &&
            (s->value != t->value || !s->index != !t->index || (s->index && !lock_path_equal(s->index, t->index))))
            return false;
    }
    return true;
}

int lock_path_print(const struct lock_path *path, const char *base, char *out, size_t size)
{
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
            const char *link = !*field || !*text || (i == 0 && path->root == LOCK_AT_OBJECT) ? "" : pointer ? "->" : ".";
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
