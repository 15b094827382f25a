/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Resolves lock expressions: walks from the place a name gives through members, pointers and elements.
 * Stands on lock_expr_walk.h, and on lock_expr_parse.h for the syntax. */
#include "lock_expr_parse.h"
#include "lock_expr_walk.h"

/* The place that the pointer here points to: by *, ->, or []. */
static bool follow(struct walk *w, const char *what) {
    if (w->address) {
        w->address--;
        return true;
    }
    ir_type t = bare_type(w->unit, w->type);
    const struct ir_type_rec *rec = &w->unit->types[t];
    if (rec->kind == IR_T_POINTER)
        return walk_step(w, LOCK_STEP_DEREF, rec->elem);
    if (rec->kind == IR_T_ARRAY) {
        if (!walk_step(w, LOCK_STEP_INDEX, rec->elem))
            return false;
        w->steps[w->path.n_steps - 1].value = 0;
        return true;
    }
    if (rec->kind == IR_T_UNKNOWN) {
        w->status = LOCK_PENDING;
        return false;
    }
    return walk_wrong(w, arena_printf(w->arena, "'%s' is used on something that is no pointer", what));
}

/* The struct here, complete: in this unit, or in the one that `complete` knows. */
static bool complete(struct walk *w, ir_type *out) {
    ir_type t = bare_type(w->unit, w->type);
    const struct ir_type_rec *rec = &w->unit->types[t];
    if (rec->kind != IR_T_STRUCT && rec->kind != IR_T_UNION) {
        if (rec->kind == IR_T_UNKNOWN) {
            w->status = LOCK_PENDING;
            return false;
        }
        return walk_wrong(w, rec->kind == IR_T_POINTER ? "'.' is used on a pointer: write '->'"
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
        return walk_wrong(
            w, arena_printf(w->arena, "goes through 'struct %s', which no analysed file completes", tag));
    w->unit = other;
    return true;
}

static bool walk(struct walk *w, const struct lock_tree *t);

static bool walk_member(struct walk *w, const struct lock_tree *t) {
    if (!walk(w, t->a) || (t->arrow && !follow(w, "->")))
        return false;
    if (w->address)
        return walk_wrong(w, "'.' is used on an address: write '->'");
    ir_type object;
    if (!complete(w, &object))
        return false;
    struct guess g = {t->text, t->length, NULL, 1000};
    if (walk_to_member(w, object, t->text, t->length, &g, 0))
        return true;
    if (w->status != LOCK_RESOLVED)
        return false;
    const struct ir_type_rec *rec = &w->unit->types[object];
    return walk_wrong(w, arena_printf(w->arena,
                                      g.best ? "'%s %s' has no member '%.*s'; did you mean '%s'?"
                                             : "'%s %s' has no member '%.*s'",
                                      rec->kind == IR_T_UNION ? "union" : "struct",
                                      unit_str(w->unit, rec->name), (int)t->length, t->text, g.best));
}

static const struct lock_path *finish(struct walk *w, struct lock_path *out) {
    w->path.steps = arena_copy(w->arena, w->steps, w->path.n_steps * sizeof *w->steps);
    w->path.type = w->type;
    w->path.type_unit = w->unit;
    *out = w->path;
    return out;
}

static bool walk_index(struct walk *w, const struct lock_tree *t) {
    if (!walk(w, t->a))
        return false;
    ir_type bare = bare_type(w->unit, w->type);
    const struct ir_type_rec *rec = &w->unit->types[bare];
    if (w->address || (rec->kind != IR_T_ARRAY && rec->kind != IR_T_POINTER))
        return rec->kind == IR_T_UNKNOWN && !w->address
                   ? (w->status = LOCK_PENDING, false)
                   : walk_wrong(w, "'[]' is used on something that is no array");
    ir_type elem = rec->elem;
    if ((rec->kind == IR_T_POINTER && !walk_step(w, LOCK_STEP_DEREF, elem)) ||
        !walk_step(w, LOCK_STEP_INDEX, elem))
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
            return walk_wrong(w, inner.why);
    }
    return true;
}

static bool walk(struct walk *w, const struct lock_tree *t) {
    switch (t->kind) {
    case LOCK_TREE_NAME: return walk_to_name(w, t->text, t->length);
    case LOCK_TREE_PARAM:
        if (w->context->scope == LOCK_IN_FUNCTION)
            return walk_to_parameter(w, w->context->item, (uint32_t)t->number);
        if (w->context->scope == LOCK_IN_POINTER)
            return walk_to_pointer_parameter(w, function_type(w->unit, w->context->item),
                                             (uint32_t)t->number);
        return walk_wrong(w, "'$1' has a meaning on functions only");
    case LOCK_TREE_RESULT: return walk_to_result(w);
    case LOCK_TREE_MEMBER: return walk_member(w, t);
    case LOCK_TREE_INDEX: return walk_index(w, t);
    case LOCK_TREE_DEREF: return walk(w, t->a) && follow(w, "*");
    case LOCK_TREE_ADDR:
        if (!walk(w, t->a))
            return false;
        w->address++;
        return w->address == 1 || walk_wrong(w, "'&' is used on an address");
    case LOCK_TREE_NOT: return walk_wrong(w, "'!' may only stand before the whole lock");
    case LOCK_TREE_NUMBER: break;
    }
    return walk_wrong(w, "a number is no lock");
}

/* From the place of a lock, or a pointer to it, to the place of the lock. */
static bool to_lock(struct walk *w) {
    if (w->path.root == LOCK_AT_TOKEN) {
        w->address = 0;
        return w->path.n_steps == 0 || walk_wrong(w, "a token has no members");
    }
    if (w->address) {
        w->address = 0;
        return true;
    }
    ir_type bare = bare_type(w->unit, w->type);
    const struct ir_type_rec *rec = &w->unit->types[bare];
    switch (rec->kind) {
    case IR_T_POINTER: return walk_step(w, LOCK_STEP_DEREF, rec->elem);
    case IR_T_ARRAY: return walk_step(w, LOCK_STEP_INDEX, rec->elem);
    case IR_T_UNKNOWN:
    case IR_T_STRUCT:
    case IR_T_UNION: return true;
    default:
        if (bare != w->type && w->unit->types[w->type].kind != IR_T_QUALIFIED)
            return true; /* a typedef: pthread_spinlock_t is an int */
        return walk_wrong(
            w, arena_printf(w->arena, "a value of type '%s' is no lock", unit_str(w->unit, rec->name)));
    }
}

static const char *squeezed(struct arena *arena, const char *text, size_t length) {
    char *out = arena_alloc(arena, length + 1);
    size_t n = 0;
    for (size_t i = 0; i < length; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\n')
            out[n++] = text[i];
    out[n] = '\0';
    return out;
}

static enum lock_status resolve(const struct lock_context *context, struct arena *arena, const char *text,
                                size_t length, bool lock, struct lock_path *out, const char **why) {
    struct walk w = {.context = context, .arena = arena, .unit = context->unit, .value = !lock};
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
                                   size_t length, struct lock_path *out, const char **why) {
    return resolve(context, arena, text, length, true, out, why);
}

/* ---- whole annotations ---- */

/* "return != NULL", "return", "!return", "return < 0". */
static bool result_test(const char *text, size_t length, struct result_when *when) {
    static const struct {
        const char *sign;
        enum result_test test;
    } signs[] = {{"==", RESULT_EQ}, {"!=", RESULT_NE}, {"<=", RESULT_LE},
                 {">=", RESULT_GE}, {"<", RESULT_LT},  {">", RESULT_GT}};
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
                           struct result_when *when, const char **why) {
    if (kind == IR_A_spawns_if || kind == IR_A_sending_if) {
        if (result_test(text, length, when))
            return true;
        *why =
            arena_printf(arena, "'%.*s' is no test of the result such as 'return != 0'", (int)length, text);
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

/* What an annotation says is started must not be known for something else than a function. */
static bool is_entry(const struct lock_path *path) {
    const struct unit *u = path->type_unit;

    if (!path->type || !u)
        return true;
    const struct ir_type_rec *rec = &u->types[bare_type(u, path->type)];
    if (rec->kind == IR_T_POINTER)
        rec = &u->types[bare_type(u, rec->elem)];
    return rec->kind != IR_T_STRUCT && rec->kind != IR_T_UNION;
}

enum lock_status lock_expr_annotation(const struct lock_context *context, struct arena *arena,
                                      const struct ir_annot_rec *annotation, struct lock_list *out,
                                      const char **why) {
    const char *text = unit_str(context->unit, annotation->args), *part;
    size_t length = strlen(text), part_length;
    bool values = annotation->kind == IR_A_spawns || annotation->kind == IR_A_spawns_if ||
                  annotation->kind == IR_A_joins;
    unsigned first = annotation->kind == IR_A_try_acquires || annotation->kind == IR_A_try_acquires_shared ||
                     annotation->kind == IR_A_spawns_if || annotation->kind == IR_A_sending_if;
    memset(out, 0, sizeof *out);
    *why = NULL;
    if (annotation->kind == IR_A_spawns)
        out->when = (struct result_when){RESULT_EQ, 0};
    uint32_t n = 0;
    while (lock_text_part(text, length, n, &part, &part_length))
        n++;
    uint32_t wanted = annotation->kind == IR_A_spawns       ? 2
                      : annotation->kind == IR_A_spawns_if  ? 3
                      : annotation->kind == IR_A_sending_if ? 1
                                                            : first + 1;
    if (n < wanted || ((values || annotation->kind == IR_A_sending_if) && n > wanted)) {
        *why = arena_printf(arena, "%u argument%s wanted here, %u given", wanted,
                            wanted == 1 ? " is" : "s are", n);
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
    if (worst == LOCK_RESOLVED && values && annotation->kind != IR_A_joins && !is_entry(&paths[0])) {
        *why = arena_printf(arena, "'%s' is no function that could be started", paths[0].text);
        return LOCK_WRONG;
    }
    out->paths = paths;
    out->n_paths = n - first;
    return worst;
}
