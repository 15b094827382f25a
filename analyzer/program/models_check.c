/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What models say of a function's parameters, held against its declaration.
 * Stands on summary.h and lock_expr.h. */
#include <string.h>
#include "summary.h"

static enum lock_status resolve_member(struct program *p, uint32_t func, const struct model_ref *r,
                                       struct lock_path *path, const char **why) {
    const struct linked_func *f = &p->funcs.at[func];
    struct lock_context context = program_context(p, f->unit->unit, LOCK_IN_FUNCTION, f->func);
    const char *text = arena_printf(&p->arena, "$%u%s", r->index + 1u, r->text);

    return lock_expr_resolve(&context, &p->arena, text, strlen(text), path, why);
}

term model_member(struct program *p, uint32_t func, const struct model_ref *r) {
    struct lock_path path;
    const char *why;

    return resolve_member(p, func, r, &path, &why) == LOCK_RESOLVED ? lock_path_summary(p, &path) : 0;
}

/* How many parameters the function is declared with; UINT32_MAX: as many as one likes. */
static uint32_t parameters(const struct linked_func *f) {
    const struct unit *u = f->unit->unit;
    const struct ir_type_rec *type = &u->types[type_plain(u, u->funcs[f->func].type)];

    return type->kind != IR_T_FUNCTION || type->flags & IR_TF_VARIADIC ? UINT32_MAX : type->params.count;
}

/* What is wrong with the effect of function f; or NULL. */
static const char *mistake(struct program *p, uint32_t func, const struct model_effect *e) {
    const struct linked_func *f = &p->funcs.at[func];
    const struct model_ref *const refs[] = {&e->a, &e->b, &e->c};
    const uint32_t n = parameters(f);
    uint32_t most = e->only.test == MODEL_ALWAYS ? 0 : e->only.index + 1u;
    struct lock_path path;
    const char *why = NULL;

    for (size_t i = 0; i < sizeof refs / sizeof *refs; i++)
        if ((refs[i]->root == MODEL_PARAM || refs[i]->root == MODEL_OUT) && refs[i]->index + 1u > most)
            most = refs[i]->index + 1u;
    if (most > n)
        return arena_printf(&p->arena, "there is no $%u: '%s' has %u parameter%s", most, f->name, n,
                            n == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof refs / sizeof *refs; i++)
        if (refs[i]->root == MODEL_PARAM && refs[i]->text &&
            resolve_member(p, func, refs[i], &path, &why) == LOCK_WRONG)
            return why;
    return NULL;
}

void models_check(struct program *p) {
    for (uint32_t i = 1; i < p->funcs.n; i++) {
        const struct model_function *m = p->funcs.at[i].model;
        for (uint32_t k = 0; m && m->source && k < m->n_effects; k++) {
            const struct model_effect *e = &m->effects[k];
            const char *why = mistake(p, i, e);
            if (why)
                vec_push(&p->errors,
                         ((struct annotation_error){
                             .text = why, .model = m->source, .line = e->line, .column = e->column}));
        }
    }
}
