/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where locals live and die: the end of each life, with its cleanup call, on every way out of a scope.
 * Stands on Graph.cpp. Jumps to labels wait until the function is done, when every label's scope is known. */
#include "Function.h"

using namespace clang;

namespace aglet {

void FunctionLowering::begin_life(ir_var var, const VarDecl *decl, SourceRange where) {
    ir_event_rec rec = {};
    rec.op = IR_EV_BEGIN;
    rec.a = var;
    rec.loc = unit.loc(where);
    event(rec);
    lives.push_back({var, decl, life, life ? life->depth + 1 : 1});
    life = &lives.back();
}

/* End the lives from the newest out to `to`, which lives on. */
void FunctionLowering::end_lives(Life *from, Life *to, SourceRange where) {
    for (; from != to; from = from->up) {
        if (!open())
            return;
        auto *cleanup = from->decl ? from->decl->getAttr<CleanupAttr>() : nullptr;
        if (cleanup) {
            const FunctionDecl *callee = cleanup->getFunctionDecl();
            ir_expr place = var_place(from->var);
            mark_addressed(place);
            ir_expr argument =
                make(IR_E_ADDR, unit.type(unit.ast.getPointerType(from->decl->getType())), place);
            ir_event_rec rec = {};
            rec.op = IR_EV_CALL;
            rec.flags = IR_SF_CLEANUP;
            rec.b = make(IR_E_FUNC, unit.type(callee->getType()), unit.function(callee));
            rec.args = build_expr_refs(b, &argument, 1);
            rec.loc = unit.loc(where);
            event(rec);
        }
        ir_event_rec rec = {};
        rec.op = IR_EV_END;
        rec.a = from->var;
        rec.loc = unit.loc(where);
        event(rec);
    }
}

/* A jump into the scope of locals skips their declarations but not their lives. */
void FunctionLowering::begin_lives(Life *outer, Life *inner, SourceRange where) {
    if (inner == outer)
        return;
    begin_lives(outer, inner->up, where);
    ir_event_rec rec = {};
    rec.op = IR_EV_BEGIN;
    rec.a = inner->var;
    rec.loc = unit.loc(where);
    event(rec);
}

void FunctionLowering::leave_to(Life *outer, SourceRange where) {
    end_lives(life, outer, where);
    life = outer;
}

FunctionLowering::Life *FunctionLowering::common(Life *x, Life *y) {
    while (x != y) {
        unsigned dx = x ? x->depth : 0, dy = y ? y->depth : 0;
        if (dx >= dy)
            x = x->up;
        if (dy >= dx)
            y = y->up;
    }
    return x;
}

FunctionLowering::Label &FunctionLowering::label(const LabelDecl *decl) {
    auto found = labels.find(decl);
    if (found != labels.end())
        return found->second;
    Label made;
    made.block = new_block();
    return labels[decl] = made;
}

/* A block that goes to the label from here, through the ends of the lives in between. */
FunctionLowering::BlockId FunctionLowering::jump_block(const LabelDecl *decl, SourceRange where) {
    BlockId block = new_block();
    jumps.push_back({block, life, decl, where});
    return block;
}

/* Leave here for the label; the block stays open until its scope is known. */
void FunctionLowering::jump(const LabelDecl *decl, SourceRange where) {
    if (!open())
        return;
    jumps.push_back({cur, life, decl, where});
    start_nowhere();
}

void FunctionLowering::resolve_jumps() {
    for (const Indirect &indirect : indirects) {
        llvm::SmallVector<ir_succ_rec, 16> succs;
        for (const LabelDecl *decl : addressed_labels) {
            ir_succ_rec succ = {};
            succ.block = new_block();
            succs.push_back(succ);
            jumps.push_back({succ.block, indirect.from, decl, indirect.where});
        }
        cur = indirect.block;
        end_block(succs.empty() ? IR_TERM_UNREACHABLE : IR_TERM_INDIRECT, succs.empty() ? 0 : indirect.target,
                  succs, indirect.where);
    }
    for (const Jump &jump : jumps) {
        Label target = label(jump.label);
        cur = jump.block;
        Life *meet = common(jump.from, target.life);
        end_lives(jump.from, meet, jump.where);
        begin_lives(meet, target.life, jump.where);
        go(target.block, jump.where);
    }
}

void FunctionLowering::lower_body() {
    for (unsigned i = 0; i < definition->getNumParams(); i++)
        vars[definition->getParamDecl(i)] = unit_builder_unit(b)->funcs[func].params.first + i;
    const Stmt *body = definition->getBody();
    statement(body);
    finish(body->getEndLoc());
    ir_func_rec rec = unit_builder_unit(b)->funcs[func];
    rec.body_end = unit.loc(body->getEndLoc());
    build_function_update(b, func, &rec);
}

void FunctionLowering::finish(SourceLocation end) {
    if (open()) {
        ir_event_rec rec = {};
        rec.op = IR_EV_RETURN;
        rec.loc = unit.loc(end);
        event(rec);
        end_block(IR_TERM_RETURN, 0, {}, end);
    }
    resolve_jumps();
    graph_end(b);
}

} // namespace aglet
