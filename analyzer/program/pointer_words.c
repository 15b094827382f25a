/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What annotations say of the pointer that a call goes through. Stands on summary.h. */
#include "summary.h"

const struct summary *summary_of_call(struct program *p, uint32_t func, const struct ir_event_rec *call,
                                      ir_expr *object) {
    const struct linked_unit *lu = p->funcs.at[func].unit;
    const struct unit *u = lu->unit;
    ir_expr x = call->b;
    const struct ir_expr_rec *r;
    struct ir_range annots;
    ir_type type;
    ir_field field = 0;
    uint32_t *slot;
    bool fresh;

    *object = 0;
    while (u->exprs[x].op == IR_E_CAST || u->exprs[x].op == IR_E_LOAD || u->exprs[x].op == IR_E_DEREF)
        x = u->exprs[x].a;
    r = &u->exprs[x];
    if (r->op == IR_E_FIELD) {
        field = r->b;
        annots = u->fields[field].annots;
        type = u->fields[field].type;
        *object = r->a;
    } else if (r->op == IR_E_VAR) {
        annots = u->vars[r->a].annots;
        type = u->vars[r->a].type;
    } else {
        return NULL;
    }
    slot = map64_place(
        &p->pointers,
        (uint64_t)(lu - p->units.at) << 33 | (uint64_t)(field != 0) << 32 | (field ? field : r->a), &fresh);
    if (fresh) {
        struct summary *sum = summary_of_pointer(p, lu, type, annots, field, func);
        if (!p->pointer_summaries.n)
            vec_push(&p->pointer_summaries, NULL);
        if (sum) {
            vec_push(&p->pointer_summaries, sum);
            *slot = (uint32_t)p->pointer_summaries.n - 1;
        }
    }
    return *slot ? p->pointer_summaries.at[*slot] : NULL;
}
