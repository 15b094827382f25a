/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Blocks, events and the expressions in them: the small calls with which the rest of the lowering speaks.
 * Stands on ir/builder.h. */
#include "Function.h"

using namespace clang;

namespace aglet {

FunctionLowering::FunctionLowering(UnitLowering &unit, ir_func func, const FunctionDecl *definition)
    : unit(unit), b(unit.b), func(func), definition(definition) {
    in_globals = !definition;
    graph_begin(b, func);
    cur = new_block();
}

/* Is there a way to the place we are at? Events after a jump go to a block of their own, which the builder drops
 * unless a label leads there. */
bool FunctionLowering::open() {
    return !graph_terminated(b, cur);
}

void FunctionLowering::start(BlockId block) {
    if (open())
        go(block);
    cur = block;
}

/* What follows is not reached by falling into it. */
void FunctionLowering::start_nowhere() {
    cur = new_block();
    graph_terminate(b, cur, IR_TERM_UNREACHABLE, 0, nullptr, 0, 0);
}

void FunctionLowering::event(const ir_event_rec &rec) {
    if (!open())
        cur = new_block();
    graph_event(b, cur, &rec);
}

void FunctionLowering::end_block(ir_term_kind term, ir_expr cond, llvm::ArrayRef<ir_succ_rec> succs,
                                 SourceRange where) {
    if (!open())
        cur = new_block();
    graph_terminate(b, cur, term, cond, succs.data(), succs.size(), unit.loc(where));
}

void FunctionLowering::go(BlockId target, SourceRange where) {
    if (!open())
        return;
    ir_succ_rec succ = {};
    succ.block = target;
    end_block(IR_TERM_GOTO, 0, succ, where);
}

void FunctionLowering::branch_on(ir_expr cond, BlockId yes, BlockId no, SourceRange where) {
    int64_t known;
    if (is_constant(cond, known))
        return go(known ? yes : no, where);
    if (!open())
        return;
    ir_succ_rec succs[2] = {};
    succs[0].block = yes;
    succs[1].block = no;
    end_block(IR_TERM_BRANCH, cond, succs, where);
}

ir_expr FunctionLowering::make(uint32_t op, ir_type type, uint32_t a, uint32_t bb, uint32_t c, ir_loc loc) {
    ir_expr_rec rec = {op, type, a, bb, c, loc};
    return build_expr(b, &rec);
}

ir_expr FunctionLowering::constant(int64_t value, ir_type type) {
    return make(IR_E_CONST, type, uint32_t(value), uint32_t(uint64_t(value) >> 32));
}

bool FunctionLowering::is_constant(ir_expr e, int64_t &value) const {
    const ir_expr_rec &rec = expr_rec(e);
    if (rec.op != IR_E_CONST)
        return false;
    value = int64_t(uint64_t(rec.b) << 32 | rec.a);
    return true;
}

ir_expr FunctionLowering::var_place(ir_var var, SourceRange where) {
    const ir_var_rec &rec = unit_builder_unit(b)->vars[var];
    bool shared = rec.kind == IR_V_GLOBAL || rec.kind == IR_V_STATIC_LOCAL;
    return make(IR_E_VAR, rec.type, var, 0, 0, shared ? unit.loc(where) : 0);
}

/* A value has no qualifiers, its place may. */
ir_expr FunctionLowering::load(ir_expr place, ir_loc loc) {
    return make(IR_E_LOAD, unqualified(expr_rec(place).type), place, 0, 0, loc);
}

ir_type FunctionLowering::unqualified(ir_type type) const {
    const auto *u = unit_builder_unit(b);
    while (u->types[type].kind == IR_T_QUALIFIED)
        type = u->types[type].elem;
    return type;
}

ir_expr FunctionLowering::address(ir_expr place, ir_type type) {
    const ir_expr_rec &rec = expr_rec(place);
    if (rec.op == IR_E_DEREF)
        return rec.a;
    return make(IR_E_ADDR, type, place);
}

ir_expr FunctionLowering::deref(ir_expr pointer, ir_type type, ir_loc loc) {
    const ir_expr_rec &rec = expr_rec(pointer);
    if (rec.op == IR_E_ADDR && unqualified(expr_rec(rec.a).type) == unqualified(type))
        return rec.a;
    /* `(volatile T *)&x`, as the atomic operations are given it, is x */
    if (rec.op == IR_E_CAST && expr_rec(rec.a).op == IR_E_ADDR &&
        unqualified(expr_rec(expr_rec(rec.a).a).type) == unqualified(type))
        return expr_rec(rec.a).a;
    return make(IR_E_DEREF, type, pointer, 0, 0, loc);
}

void FunctionLowering::store(ir_expr place, ir_expr value, uint32_t flags, ir_loc loc) {
    ir_event_rec rec = {};
    rec.op = IR_EV_STORE;
    rec.flags = flags;
    rec.a = place;
    rec.b = value;
    rec.loc = loc;
    event(rec);
}

ir_var FunctionLowering::temp(ir_type type) {
    ir_var_rec rec = {};
    rec.kind = IR_V_TEMP;
    rec.type = type;
    return graph_local(b, &rec);
}

/* Can a later event of the same full expression change what this value reads? Variables of this function whose address
 * nobody asks for are left alone: an expression that also writes them has no defined value in C. */
bool FunctionLowering::may_change(ir_expr value) const {
    const ir_expr_rec &rec = expr_rec(value);
    if (rec.op == IR_E_LOAD) {
        const ir_expr_rec &from = expr_rec(rec.a);
        if (from.op == IR_E_VAR) {
            const ir_var_rec &var = unit_builder_unit(b)->vars[from.a];
            return var.kind == IR_V_GLOBAL || var.kind == IR_V_STATIC_LOCAL;
        }
        return true;
    }
    unsigned operands = ir_operands(rec.op);
    return ((operands & 1) && may_change(rec.a)) || ((operands & 2) && may_change(rec.b));
}

bool FunctionLowering::reads_memory(ir_expr value) const {
    const ir_expr_rec &rec = expr_rec(value);
    if (rec.op == IR_E_LOAD)
        return true;
    unsigned operands = ir_operands(rec.op);
    return ((operands & 1) && reads_memory(rec.a)) || ((operands & 2) && reads_memory(rec.b));
}

static bool is_whole(const unit *u, ir_type type) {
    while (u->types[type].kind == IR_T_TYPEDEF || u->types[type].kind == IR_T_QUALIFIED)
        type = u->types[type].elem;
    return u->types[type].kind == IR_T_STRUCT || u->types[type].kind == IR_T_UNION ||
           u->types[type].kind == IR_T_ARRAY;
}

ir_expr FunctionLowering::hold(ir_expr value) {
    if (!reads_memory(value))
        return value;
    const ir_expr_rec &rec = expr_rec(value);
    if (rec.op == IR_E_LOAD && expr_rec(rec.a).op == IR_E_VAR &&
        unit_builder_unit(b)->vars[expr_rec(rec.a).a].kind == IR_V_TEMP)
        return value;
    ir_loc where = rec.loc;
    ir_type type = rec.type;
    ir_expr place = var_place(temp(type));
    store(place, value, is_whole(unit_builder_unit(b), type) ? IR_SF_AGGREGATE : 0, where);
    return load(place);
}

void FunctionLowering::mark_addressed(ir_expr place) {
    for (;;) {
        const ir_expr_rec &rec = expr_rec(place);
        if (rec.op == IR_E_FIELD) {
            place = rec.a;
        } else if (rec.op == IR_E_INDEX && expr_rec(rec.a).op == IR_E_ADDR) {
            place = expr_rec(rec.a).a;
        } else if (rec.op == IR_E_VAR) {
            ir_var var = rec.a;
            ir_var_rec row = unit_builder_unit(b)->vars[var];
            if (row.flags & IR_VF_ADDRESSED)
                return;
            row.flags |= IR_VF_ADDRESSED;
            if (row.kind == IR_V_GLOBAL)
                build_global_update(b, var, &row);
            else if (row.kind == IR_V_PARAM)
                build_param_update(b, func, var - unit_builder_unit(b)->funcs[func].params.first, &row);
            else
                graph_local_update(b, var, &row);
            return;
        } else {
            return;
        }
    }
}

} // namespace aglet
