/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Summaries of functions that have no graph, from their model, and what annotations add.
 * Stands on summary.h, models.h and lock_expr.h. */
#include "summary.h"

#include <string.h>

#define ADD(p, list, count, type, ...)                                                                       \
    do {                                                                                                     \
        type *more_ = arena_array(&(p)->arena, type, (count) + 1);                                           \
        if (count)                                                                                           \
            memcpy(more_, (list), (count) * sizeof *more_);                                                  \
        more_[(count)++] = (__VA_ARGS__);                                                                    \
        (list) = more_;                                                                                      \
    } while (0)

static struct range range_of_when(struct result_when when, bool hold) {
    static const uint8_t op[] = {0, IR_B_EQ, IR_B_NE, IR_B_LT, IR_B_LE, IR_B_GT, IR_B_GE};
    static const uint8_t negated[] = {0, IR_B_NE, IR_B_EQ, IR_B_GE, IR_B_GT, IR_B_LE, IR_B_LT};

    return when.test == RESULT_ANY ? RANGE_ALL
                                   : range_when(hold ? op[when.test] : negated[when.test], when.value);
}

static term model_term(struct program *p, uint32_t func, const struct model_ref *r) {
    switch (r->root) {
    case MODEL_PARAM:
        return r->text ? model_member(p, func, r) : term_make(&p->paths, TERM_PARAM, r->index, 0, 0);
    case MODEL_RETURN: return term_make(&p->paths, TERM_RESULT, 0, 0, 0);
    case MODEL_TOKEN: return term_make(&p->paths, TERM_TOKEN, intern_string(&p->names, r->text), 0, 0);
    case MODEL_CONST: return term_const(&p->paths, r->value);
    case MODEL_OUT:
        return term_make(&p->paths, TERM_LOAD, term_make(&p->paths, TERM_PARAM, r->index, 0, 0), 0, 0);
    default: return 0;
    }
}

static uint64_t param_bit(const struct model_ref *r) {
    return r->root == MODEL_PARAM && r->index < 64 ? UINT64_C(1) << r->index : 0;
}

/* Two outcomes: the call came back with such a result, and e (may be NULL) is so, or with another. */
static void add_outcomes(struct program *p, struct summary *s, struct result_when when,
                         const struct lock_effect *e) {
    struct outcome yes = {.result = range_of_when(when, true)}, no = {.result = range_of_when(when, false)};

    if (when.test == RESULT_EQ && when.value == 1) /* 1 is true: what is not is 0, or an error */
        no.result = range_when(IR_B_LE, 0);
    if (e)
        ADD(p, yes.effects, yes.n_effects, struct lock_effect, *e);
    s->n_outcomes = 0;
    ADD(p, s->outcomes, s->n_outcomes, struct outcome, yes);
    if (when.test != RESULT_ANY)
        ADD(p, s->outcomes, s->n_outcomes, struct outcome, no);
}

static void add_effect(struct program *p, struct summary *s, struct lock_effect e) {
    if (!s->n_outcomes)
        ADD(p, s->outcomes, s->n_outcomes, struct outcome, ((struct outcome){.result = RANGE_ALL}));
    for (uint32_t i = 0; i < s->n_outcomes; i++)
        ADD(p, s->outcomes[i].effects, s->outcomes[i].n_effects, struct lock_effect, e);
}

static void apply_effect(struct program *p, uint32_t func, struct summary *s, const struct model_effect *m) {
    const term a = model_term(p, func, &m->a);
    struct lock_effect e = {a,
                            EFFECT_ACQUIRE,
                            m->flags & MODEL_SHARED,
                            m->flags & MODEL_ASYNC,
                            false,
                            false,
                            RANGE_ALL,
                            m->also,
                            {func, 0},
                            0,
                            false,
                            false};
    struct requirement r = {0};

    switch (m->kind) {
    case MODEL_ACQUIRES:
        if (!a)
            break;
        s->effects |= EFFECT_LOCKS;
        if (m->flags & MODEL_TRY) {
            add_outcomes(p, s, m->when, &e);
        } else {
            e.soft = m->when.test != RESULT_ANY;
            e.ok = range_of_when(m->when, true);
            add_effect(p, s, e);
            ADD(p, s->inner, s->n_inner, struct inner_lock,
                ((struct inner_lock){a, e.shared, {func, 0}, {{0, RANGE_ALL}}, 0, {0, 0}, 0, 0, 0, 0}));
        }
        break;
    case MODEL_RELEASES:
        if (!a)
            break;
        e.kind = EFFECT_RELEASE;
        s->effects |= EFFECT_LOCKS;
        add_effect(p, s, e);
        break;
    case MODEL_ASSERTS_HELD:
        e.kind = EFFECT_ASSERT;
        if (a)
            add_effect(p, s, e);
        break;
    case MODEL_REQUIRES:
    case MODEL_EXCLUDES:
        r.lock = a;
        r.excluded = m->kind == MODEL_EXCLUDES;
        r.site.func = func;
        if (a)
            ADD(p, s->requirements, s->n_requirements, struct requirement, r);
        break;
    case MODEL_RETURNS_LOCK: s->returns = a; break;
    case MODEL_RETURNS:
        s->returns = a;
        if (m->when.test != RESULT_ANY && !s->n_outcomes)
            add_outcomes(p, s, m->when, NULL);
        break;
    case MODEL_LOCK_INIT:
        if (a)
            ADD(p, s->inits, s->n_inits, term, a);
        break;
    case MODEL_ATTR_RECURSIVE: s->recursive_attr |= param_bit(&m->a); break;
    case MODEL_LOCK_DESTROY:
        if (a)
            ADD(p, s->destroys, s->n_destroys, term, a);
        s->destroys_always = ~0u;
        break;
    case MODEL_COND_WAIT:
        if (a && model_term(p, func, &m->b))
            ADD(p, s->waits, s->n_waits, struct wait_effect,
                ((struct wait_effect){.condition = a,
                                      .lock = model_term(p, func, &m->b),
                                      .site = {func, 0},
                                      .timed = m->flags & MODEL_TIMED}));
        s->effects |= EFFECT_LOCKS;
        break;
    case MODEL_SPAWNS:
        s->effects |= EFFECT_SPAWNS;
        s->escapes |= param_bit(&m->b);
        s->writes |= param_bit(&m->c);
        break;
    case MODEL_SENDS: s->escapes |= param_bit(&m->a); break;
    case MODEL_ALLOCATES:
        if (m->a.root == MODEL_RETURN)
            s->fresh = true;
        else if (m->a.root == MODEL_OUT && m->a.index < 64)
            s->writes |= UINT64_C(1) << m->a.index;
        break;
    case MODEL_FREES:
    case MODEL_REALLOCATES:
        s->frees |= param_bit(&m->a);
        s->frees_always = s->frees;
        break;
    case MODEL_READS: s->reads |= param_bit(&m->a); break;
    case MODEL_WRITES: s->writes |= param_bit(&m->a); break;
    case MODEL_STORES: s->escapes |= param_bit(&m->a); break;
    case MODEL_YIELDS: s->effects |= EFFECT_YIELDS; break;
    case MODEL_BLOCKS:
        if (m->only.test == MODEL_ALWAYS)
            s->effects |= EFFECT_BLOCKS;
        break;
    case MODEL_NORETURN: s->never_returns = true; break;
    default: break;
    }
    if (m->c.root == MODEL_OUT && m->c.index < 64)
        s->writes |= UINT64_C(1) << m->c.index;
}

struct summary *summary_of_model(struct program *p, uint32_t func) {
    const struct model_function *m = p->funcs.at[func].model;
    struct summary *s = arena_new(&p->arena, struct summary);

    s->known = true;
    for (uint32_t i = 0; i < m->n_effects; i++)
        apply_effect(p, func, s, &m->effects[i]);
    for (uint32_t i = 0; m->flags & MODEL_FF_ERRNO && i < s->n_outcomes; i++)
        s->outcomes[i].result = range_meet(s->outcomes[i].result, range_when(IR_B_GE, 0));
    s->leaves = s->escapes;
    for (int i = 0; i < 4; i++)
        s->effect_at[i] = (struct site){func, 0};
    return s;
}

/* ---- annotations ---- */
term lock_path_term(struct program *p, struct term_table *t, const struct lock_path *path, term root,
                    term (*load)(void *data, term at), void *data) {
    term at = root;

    for (uint32_t i = 0; i < path->n_steps && at; i++) {
        const struct lock_step *s = &path->steps[i];
        const struct linked_unit *lu;
        switch (s->kind) {
        case LOCK_STEP_DEREF: at = load(data, at); break;
        case LOCK_STEP_FIELD:
            lu = program_unit(p, s->unit);
            at = lu && lu->fields[s->field] ? term_field(t, p, at, lu->fields[s->field]) : 0;
            break;
        default:
            if (s->index || s->value == LOCK_INDEX_ANY)
                at = term_make(t, TERM_INDEX, at, 0, 0);
            else
                at = term_index(t, at, term_const(t, s->value));
        }
    }
    return at;
}

static term load_path(void *data, term at) {
    struct program *p = data;
    const struct term_rec r = *term_at(&p->paths, at);

    if (r.op == TERM_LOCAL) /* the place of parameter a, or of the result */
        return r.a == UINT32_MAX ? term_make(&p->paths, TERM_RESULT, 0, 0, 0)
                                 : term_make(&p->paths, TERM_PARAM, r.a, 0, 0);
    return term_make(&p->paths, TERM_LOAD, at, 0, 0);
}

term lock_path_summary(struct program *p, const struct lock_path *path) {
    const struct linked_unit *lu;
    term root;

    switch (path->root) {
    case LOCK_AT_PARAM: root = term_make(&p->paths, TERM_LOCAL, path->index, 0, 0); break;
    case LOCK_AT_RESULT: root = term_make(&p->paths, TERM_LOCAL, UINT32_MAX, 0, 0); break;
    case LOCK_AT_VAR:
        lu = program_unit(p, path->unit);
        if (!lu || !lu->globals[path->var])
            return 0;
        root = term_make(&p->paths, TERM_GLOBAL, lu->globals[path->var], 0, 0);
        break;
    case LOCK_AT_OBJECT: root = term_make(&p->paths, TERM_PARAM, OBJECT_PARAM, 0, 0); break;
    case LOCK_AT_TOKEN: return term_make(&p->paths, TERM_TOKEN, intern_string(&p->names, path->name), 0, 0);
    default: return 0;
    }
    root = lock_path_term(p, &p->paths, path, root, load_path, p);
    return root && term_at(&p->paths, root)->op == TERM_LOCAL ? 0 : root;
}

static bool is_guard(const struct unit *u, ir_type t) {
    const struct ir_range annots = u->types[type_plain(u, t)].annots;

    for (uint32_t k = 0; k < annots.count; k++)
        if (u->annots[annots.first + k].kind == IR_A_guard_type)
            return true;
    return false;
}

/* Is a parameter a pointer to a guard? */
static bool takes_guard(const struct unit *u, ir_func func) {
    const struct ir_range params = u->funcs[func].params;

    for (uint32_t i = 0; i < params.count; i++) {
        ir_type t = type_plain(u, u->vars[params.first + i].type);
        if (u->types[t].kind != IR_T_POINTER)
            continue;
        if (is_guard(u, u->types[t].elem))
            return true;
    }
    return false;
}

/* The function takes the lock and returns a guard by value: the guard's pointer to a lock is this one. */
static void keep_in_guard(struct program *p, uint32_t func, struct summary *s, term lock) {
    const struct linked_unit *lu = p->funcs.at[func].unit;
    const struct unit *u = lu->unit;
    const ir_type result = u->types[type_plain(u, u->funcs[p->funcs.at[func].func].type)].elem;
    const ir_type st = type_struct(u, result);

    if (!st || !is_guard(u, result) || s->n_stores == MAX_STORES)
        return;
    for (uint32_t i = 0; i < u->types[st].fields.count; i++) {
        const ir_field f = u->types[st].fields.first + i;
        const ir_type t = type_plain(u, u->fields[f].type);
        if (u->types[t].kind == IR_T_POINTER && lock_kind_of(p, u, u->types[t].elem).lock) {
            const term root = term_make(&p->paths, TERM_RESULT, 0, 0, 0);
            const struct summary_store held = {term_make(&p->paths, TERM_FIELD, root, lu->fields[f], 0),
                                               lock};
            ADD(p, s->stores, s->n_stores, struct summary_store, held);
            return;
        }
    }
}

static bool returns_bool(const struct unit *u, ir_func f) {
    const ir_type result = type_plain(u, u->types[type_plain(u, u->funcs[f].type)].elem);
    const char *name = unit_str(u, u->types[result].name);

    return u->types[result].kind == IR_T_INT && (!strcmp(name, "_Bool") || !strcmp(name, "bool"));
}

/* Does the function wait on a condition with this mutex? */
static bool waits_with(const struct summary *s, term lock) {
    for (uint32_t i = 0; i < s->n_waits; i++)
        if (s->waits[i].lock == lock)
            return true;
    return false;
}

static void one_annotation(struct program *p, uint32_t func, struct summary *s, const struct linked_unit *lu,
                           struct lock_context context, const struct ir_annot_rec *a, bool *replaced) {
    struct lock_list list = {NULL, 0, {RESULT_ANY, 0}};
    const char *why = NULL;
    enum lock_status status;

    switch (a->kind) {
    case IR_A_yields:
    case IR_A_awaits: s->effects |= EFFECT_YIELDS; return;
    case IR_A_blocks: s->effects |= EFFECT_BLOCKS; return;
    case IR_A_no_yield: s->effects &= ~(uint32_t)EFFECT_YIELDS; return;
    case IR_A_no_block: s->effects &= ~(uint32_t)EFFECT_BLOCKS; return;
    case IR_A_spawns:
    case IR_A_spawns_if: s->effects |= EFFECT_SPAWNS; return;
    default: break;
    }
    if (!annotation_names_locks(a->kind))
        return;
    status = lock_expr_annotation(&context, &p->arena, a, &list, &why);
    if (status == LOCK_WRONG) {
        struct annotation_error e = {
            .unit = lu->unit, .loc = a->loc, .text = why ? why : "this names no lock"};
        vec_push(&p->errors, e);
    }
    if (status != LOCK_RESOLVED)
        return;
    if (list.when.test == RESULT_EQ && list.when.value == 1 && returns_bool(lu->unit, p->funcs.at[func].func))
        list.when = (struct result_when){RESULT_NE, 0}; /* `true` reached us as 1; a bool is nothing else */
    for (uint32_t i = 0; i < list.n_paths; i++) {
        const struct lock_path *path = &list.paths[i];
        const term lock = lock_path_summary(p, path);
        struct lock_effect e = {lock,
                                EFFECT_ACQUIRE,
                                a->kind == IR_A_acquires_shared || a->kind == IR_A_try_acquires_shared,
                                path->type && lock_kind_of(p, path->type_unit, path->type).async,
                                false,
                                false,
                                RANGE_ALL,
                                0,
                                {func, a->loc},
                                0,
                                false,
                                false};
        struct requirement r = {0};
        if (!lock)
            continue;
        switch (a->kind) {
        case IR_A_requires:
        case IR_A_requires_shared:
        case IR_A_excludes:
            if (waits_with(s, lock))
                break; /* a condition wait: that it wants its mutex is said as such */
            r.lock = lock;
            r.write = a->kind == IR_A_requires;
            r.excluded = a->kind == IR_A_excludes || list.paths[i].complement;
            r.reason = REQUIRED_BY_ANNOTATION;
            r.site = (struct site){func, a->loc};
            r.guard = list.paths[i].text;
            ADD(p, s->requirements, s->n_requirements, struct requirement, r);
            break;
        case IR_A_returns_lock: s->returns = lock; break;
        default:
            if (!*replaced) { /* what the annotation says is all that callers see */
                s->n_outcomes = 0;
                s->outcomes = NULL;
                *replaced = true;
            }
            if (a->kind == IR_A_asserts_held) {
                e.kind = EFFECT_ASSERT;
                add_effect(p, s, e);
                break;
            }
            s->effects |= EFFECT_LOCKS;
            if (a->kind == IR_A_try_acquires || a->kind == IR_A_try_acquires_shared) {
                /* `true` is 1 by the time <stdbool.h> is through with it; a pointer is true when it is not NULL */
                const struct ir_type_rec *type =
                    &lu->unit->types[type_plain(lu->unit, lu->unit->funcs[p->funcs.at[func].func].type)];
                if (lu->unit->types[type_plain(lu->unit, type->elem)].kind == IR_T_POINTER &&
                    list.when.test == RESULT_EQ && list.when.value)
                    list.when = (struct result_when){.test = RESULT_NE, .value = 0};
                add_outcomes(p, s, list.when, &e);
            } else {
                e.kind = a->kind == IR_A_releases ? EFFECT_RELEASE : EFFECT_ACQUIRE;
                e.guard = e.kind == EFFECT_RELEASE && takes_guard(lu->unit, p->funcs.at[func].func);
                add_effect(p, s, e);
                if (e.kind == EFFECT_ACQUIRE)
                    keep_in_guard(p, func, s, lock);
                if (e.kind == EFFECT_ACQUIRE)
                    ADD(p, s->inner, s->n_inner, struct inner_lock,
                        ((struct inner_lock){
                            lock, e.shared, e.site, {{0, RANGE_ALL}}, 0, {0, 0}, 0, 0, 0, 0}));
            }
        }
    }
}

void summary_annotate(struct program *p, uint32_t func, struct summary *s) {
    const struct linked_unit *lu = p->funcs.at[func].unit;
    const struct unit *u = lu->unit;
    const struct ir_func_rec *fr = &u->funcs[p->funcs.at[func].func];
    bool replaced = false;

    for (uint32_t i = 0; i < fr->annots.count; i++)
        one_annotation(p, func, s, lu, program_context(p, u, LOCK_IN_FUNCTION, p->funcs.at[func].func),
                       &u->annots[fr->annots.first + i], &replaced);
    if (fr->annots.count)
        s->known = true;
    if (fr->flags & IR_FF_NORETURN)
        s->never_returns = true;
}

struct summary *summary_of_pointer(struct program *p, const struct linked_unit *lu, ir_type type,
                                   struct ir_range annots, ir_field field, uint32_t func) {
    const struct unit *u = lu->unit;
    struct lock_context context = program_context(p, u, LOCK_IN_POINTER, 0);
    struct summary *s = NULL;
    bool replaced = false;
    uint32_t n = annots.count;

    context.item = type_plain(u, type);
    if (u->types[context.item].kind == IR_T_POINTER)
        context.item = type_plain(u, u->types[context.item].elem);
    if (u->types[context.item].kind != IR_T_FUNCTION)
        return NULL;
    context.field = field;
    for (;;) {
        for (uint32_t i = 0; i < n; i++) {
            if (!s)
                s = arena_new(&p->arena, struct summary);
            one_annotation(p, func, s, lu, context, &u->annots[annots.first + i], &replaced);
        }
        if (u->types[type].kind != IR_T_TYPEDEF && u->types[type].kind != IR_T_QUALIFIED &&
            u->types[type].kind != IR_T_POINTER)
            break;
        annots = u->types[type].kind == IR_T_TYPEDEF ? u->types[type].annots : (struct ir_range){0, 0};
        n = annots.count;
        type = u->types[type].elem;
    }
    if (s && !s->n_requirements && !s->n_outcomes && !s->effects)
        return NULL;
    if (s)
        s->known = true;
    return s;
}
