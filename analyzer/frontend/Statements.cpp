/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Statements to blocks. Conditions that are constant fold here, so `do { … } while (0)` is no loop.
 * Stands on Scopes.cpp for the ends of lives, on Expressions.cpp and Conditions.cpp for what statements compute. */
#include "Function.h"

using namespace clang;

namespace aglet {

void FunctionLowering::statement(const Stmt *s) {
    if (s)
        runWithSufficientStackSpace([] {}, [&] { statement_here(s); });
}

void FunctionLowering::statement_here(const Stmt *s) {
    switch (s->getStmtClass()) {
    case Stmt::NullStmtClass: return;
    case Stmt::CompoundStmtClass: return compound(cast<CompoundStmt>(s));
    case Stmt::DeclStmtClass: return declaration(cast<DeclStmt>(s));
    case Stmt::IfStmtClass: return if_statement(cast<IfStmt>(s));
    case Stmt::WhileStmtClass: return while_loop(cast<WhileStmt>(s));
    case Stmt::DoStmtClass: return do_loop(cast<DoStmt>(s));
    case Stmt::ForStmtClass: return for_loop(cast<ForStmt>(s));
    case Stmt::SwitchStmtClass: return switch_statement(cast<SwitchStmt>(s));
    case Stmt::CaseStmtClass:
    case Stmt::DefaultStmtClass: return switch_case(cast<SwitchCase>(s));
    case Stmt::ReturnStmtClass: return return_statement(cast<ReturnStmt>(s));
    case Stmt::IndirectGotoStmtClass: return indirect_goto(cast<IndirectGotoStmt>(s));
    case Stmt::GCCAsmStmtClass: return inline_asm(cast<GCCAsmStmt>(s));
    case Stmt::AttributedStmtClass: return statement(cast<AttributedStmt>(s)->getSubStmt());
    case Stmt::GotoStmtClass: return jump(cast<GotoStmt>(s)->getLabel(), s->getSourceRange());
    case Stmt::LabelStmtClass: {
        auto *labelled = cast<LabelStmt>(s);
        Label &here = label(labelled->getDecl());
        here.life = life;
        here.placed = true;
        start(here.block);
        return statement(labelled->getSubStmt());
    }
    case Stmt::BreakStmtClass:
    case Stmt::ContinueStmtClass: {
        const Stmt *named = named_target(s);
        for (size_t i = targets.size(); i--;) {
            if (named ? targets[i].statement != named : isa<ContinueStmt>(s) && !targets[i].is_loop)
                continue;
            Life *here = life;
            leave_to(targets[i].life, s->getSourceRange());
            life = here;
            return go(isa<BreakStmt>(s) ? targets[i].on_break : targets[i].on_continue, s->getSourceRange());
        }
        return;
    }
    default:
        if (auto *e = dyn_cast<Expr>(s))
            return effect(e);
        unit.incomplete("a statement of a kind that is not understood was left out", s->getSourceRange());
    }
}

void FunctionLowering::compound(const CompoundStmt *s) {
    Life *outer = life;
    for (const Stmt *part : s->body())
        statement(part);
    leave_to(outer, s->getRBracLoc());
}

void FunctionLowering::declaration(const DeclStmt *s) {
    for (const Decl *decl : s->decls()) {
        if (auto *var = dyn_cast<VarDecl>(decl))
            local(var);
        else if (auto *alias = dyn_cast<TypedefNameDecl>(decl))
            variable_sizes(alias->getUnderlyingType());
    }
}

/* The sizes of variable arrays are evaluated where they are declared. */
void FunctionLowering::variable_sizes(QualType type) {
    while (type->isVariablyModifiedType()) {
        if (auto *array = unit.ast.getAsArrayType(type)) {
            if (auto *variable = dyn_cast<VariableArrayType>(array))
                if (variable->getSizeExpr())
                    effect(variable->getSizeExpr());
            type = array->getElementType();
        } else if (type->isPointerType()) {
            type = type->getPointeeType();
        } else {
            return;
        }
    }
}

void FunctionLowering::local(const VarDecl *var) {
    if (var->hasExternalStorage()) {
        unit.global(var);
        return;
    }
    ir_var_rec rec = {};
    rec.kind = var->isStaticLocal() ? IR_V_STATIC_LOCAL : IR_V_LOCAL;
    rec.name = unit.str(var->getName());
    rec.type = unit.type(var->getType());
    rec.loc = unit.loc(var->getLocation());
    if (var->getTLSKind() != VarDecl::TLS_None)
        rec.flags |= IR_VF_TLS;
    if (var->hasAttr<CleanupAttr>())
        rec.flags |= IR_VF_CLEANUP;
    if (var->getType()->isVariableArrayType())
        rec.flags |= IR_VF_VLA;
    rec.annots = unit.annotations(var);
    ir_var made = graph_local(b, &rec);
    vars[var] = made;
    if (var->isStaticLocal()) {
        if (var->getInit()) {
            note_labels(var->getInit());
            unit.initialisers.push_back({made, var->getInit()});
        }
        return;
    }
    variable_sizes(var->getType());
    begin_life(made, var, var->getSourceRange());
    if (var->getInit())
        initialise(var_place(made), var->getType(), var->getInit());
}

void FunctionLowering::if_statement(const IfStmt *s) {
    Life *outer = life;
    if (s->getInit())
        statement(s->getInit());
    BlockId yes = new_block(), after = new_block(), no = s->getElse() ? new_block() : after;
    branch(s->getCond(), yes, no);
    Life *inner = life;
    if (no == after && inner != outer)
        after = new_block();
    cur = yes;
    statement(s->getThen());
    leave_to(outer, s->getThen()->getEndLoc());
    go(after);
    if (s->getElse() || no != after) {
        life = inner;
        cur = no;
        statement(s->getElse());
        leave_to(outer, s->getEndLoc());
        go(after);
    }
    life = outer;
    cur = after;
}

/* Where the condition of a loop began the life of a compound literal, leaving the loop ends it. */
void FunctionLowering::loop_exit(BlockId exit, Life *inner, Life *outer, BlockId after, SourceRange where) {
    cur = exit;
    end_lives(inner, outer, where);
    go(after, where);
    life = outer;
    cur = after;
}

void FunctionLowering::while_loop(const WhileStmt *s) {
    Life *outer = life;
    BlockId head = new_block(), body = new_block(), exit = new_block();
    go(head);
    cur = head;
    branch(s->getCond(), body, exit);
    Life *inner = life;
    BlockId after = inner == outer ? exit : new_block();
    targets.push_back({after, head, true, outer, s});
    cur = body;
    statement(s->getBody());
    leave_to(outer, s->getEndLoc());
    go(head);
    targets.pop_back();
    if (after != exit)
        return loop_exit(exit, inner, outer, after, s->getSourceRange());
    cur = after;
}

void FunctionLowering::do_loop(const DoStmt *s) {
    Life *outer = life;
    BlockId body = new_block(), condition = new_block(), after = new_block();
    targets.push_back({after, condition, true, outer, s});
    go(body);
    cur = body;
    statement(s->getBody());
    go(condition);
    targets.pop_back();
    cur = condition;
    Expr::EvalResult known;
    if (!s->getCond()->HasSideEffects(unit.ast) && s->getCond()->EvaluateAsInt(known, unit.ast)) {
        go(known.Val.getInt().getBoolValue() ? body : after, s->getCond()->getSourceRange());
    } else {
        BlockId exit = new_block(), again = new_block();
        branch(s->getCond(), again, exit);
        Life *inner = life;
        cur = again;
        end_lives(inner, outer, s->getWhileLoc());
        go(body);
        return loop_exit(exit, inner, outer, after, s->getWhileLoc());
    }
    cur = after;
}

void FunctionLowering::for_loop(const ForStmt *s) {
    Life *outermost = life;
    statement(s->getInit());
    Life *outer = life;
    BlockId head = new_block(), body = new_block(), exit = new_block();
    go(head);
    cur = head;
    if (s->getCond())
        branch(s->getCond(), body, exit);
    else
        go(body);
    Life *inner = life;
    BlockId after = inner == outer ? exit : new_block();
    BlockId next = s->getInc() ? new_block() : head;
    targets.push_back({after, next, true, outer, s});
    cur = body;
    statement(s->getBody());
    leave_to(outer, s->getBody()->getEndLoc());
    go(next);
    if (s->getInc()) {
        cur = next;
        effect(s->getInc());
        leave_to(outer, s->getInc()->getEndLoc());
        go(head);
    }
    targets.pop_back();
    life = outer;
    cur = after;
    if (after != exit)
        loop_exit(exit, inner, outer, after, s->getSourceRange());
    leave_to(outermost, s->getEndLoc());
}

static uint64_t case_value(const Expr *e, const ASTContext &ast) {
    llvm::APSInt v = e->EvaluateKnownConstInt(ast);
    return v.isSigned() ? uint64_t(v.sextOrTrunc(64).getSExtValue()) : v.zextOrTrunc(64).getZExtValue();
}

void FunctionLowering::switch_statement(const SwitchStmt *s) {
    Life *outer = life;
    if (s->getInit())
        statement(s->getInit());
    ir_expr cond = value(s->getCond());
    bool reached = open();
    BlockId head = cur, after = new_block();
    targets.push_back({after, 0, false, outer, s});
    switches.push_back({{}, false, life});
    start_nowhere();
    statement(s->getBody());
    leave_to(outer, s->getEndLoc());
    go(after);
    targets.pop_back();
    Switch done = std::move(switches.back());
    switches.pop_back();

    if (!done.has_default) {
        ir_succ_rec succ = {};
        succ.flags = IR_SUCC_DEFAULT;
        succ.block = after;
        if (s->isAllEnumCasesCovered()) { /* no other value is meant to be there, as Clang's own analyses take it */
            cur = succ.block = new_block();
            end_block(IR_TERM_UNREACHABLE, 0, {}, s->getCond()->getSourceRange());
        } else if (done.life != outer) {
            cur = succ.block = new_block();
            end_lives(done.life, outer, s->getEndLoc());
            go(after);
        }
        done.succs.push_back(succ);
    }
    life = outer;
    if (reached) {
        cur = head;
        int64_t known;
        if (is_constant(cond, known)) {
            BlockId to = 0;
            for (const ir_succ_rec &succ : done.succs) {
                auto half = [](const uint32_t v[2]) { return int64_t(uint64_t(v[1]) << 32 | v[0]); };
                if ((succ.flags & IR_SUCC_DEFAULT) || (half(succ.lo) <= known && known <= half(succ.hi)))
                    to = succ.block;
                if (to == succ.block && !(succ.flags & IR_SUCC_DEFAULT))
                    break;
            }
            go(to, s->getCond()->getSourceRange());
        } else {
            end_block(IR_TERM_SWITCH, cond, done.succs, s->getCond()->getSourceRange());
        }
    }
    cur = after;
}

void FunctionLowering::switch_case(const SwitchCase *s) {
    BlockId block = new_block();
    const Stmt *sub = s;
    if (!switches.empty()) {
        Switch &in = switches.back();
        BlockId entry = block;
        if (life != in.life) {
            BlockId fall = cur;
            cur = entry = new_block();
            begin_lives(in.life, life, s->getKeywordLoc());
            go(block);
            cur = fall;
        }
        while (auto *one = dyn_cast<SwitchCase>(sub)) {
            ir_succ_rec succ = {};
            succ.block = entry;
            if (auto *labelled = dyn_cast<CaseStmt>(one)) {
                uint64_t lo = case_value(labelled->getLHS(), unit.ast);
                uint64_t hi = labelled->getRHS() ? case_value(labelled->getRHS(), unit.ast) : lo;
                succ.flags = IR_SUCC_CASE;
                succ.lo[0] = uint32_t(lo), succ.lo[1] = uint32_t(lo >> 32);
                succ.hi[0] = uint32_t(hi), succ.hi[1] = uint32_t(hi >> 32);
                if (int64_t(lo) <= int64_t(hi) || labelled->getLHS()->getType()->isUnsignedIntegerType())
                    in.succs.push_back(succ);
            } else if (!in.has_default) {
                succ.flags = IR_SUCC_DEFAULT;
                in.has_default = true;
                in.succs.push_back(succ);
            }
            sub = one->getSubStmt();
        }
    }
    start(block);
    statement(sub);
}

void FunctionLowering::return_statement(const ReturnStmt *s) {
    ir_event_rec rec = {};
    rec.op = IR_EV_RETURN;
    rec.loc = loc(s);
    if (const Expr *e = s->getRetValue()) {
        if (e->getType()->isVoidType()) {
            effect(e);
        } else {
            rec.a = value(e);
            if (life)
                rec.a = hold(rec.a);
        }
    }
    if (!open())
        return;
    end_lives(life, nullptr, s->getSourceRange());
    event(rec);
    end_block(IR_TERM_RETURN, 0, {}, s->getSourceRange());
}

void FunctionLowering::indirect_goto(const IndirectGotoStmt *s) {
    if (const LabelDecl *known = s->getConstantTarget())
        return jump(known, s->getSourceRange());
    ir_expr target = hold(value(s->getTarget()));
    if (!open())
        return;
    indirects.push_back({cur, life, target, s->getSourceRange()});
    start_nowhere();
}

void FunctionLowering::inline_asm(const GCCAsmStmt *s) {
    llvm::SmallVector<ir_expr, 8> args;
    for (const Expr *input : s->inputs())
        args.push_back(input->isGLValue() ? load(place(input), loc(input)) : value(input));
    for (const Expr *output : s->outputs())
        args.push_back(place(output));
    ir_event_rec rec = {};
    rec.op = IR_EV_ASM;
    rec.args = build_expr_refs(b, args.data(), args.size());
    rec.loc = loc(s);
    if (s->isVolatile())
        rec.flags |= IR_SF_VOLATILE;
    for (unsigned i = 0; i < s->getNumClobbers(); i++)
        if (s->getClobber(i) == "memory")
            rec.flags |= IR_SF_CLOBBERS;
    event(rec);
    if (!s->isAsmGoto() || !open())
        return;
    BlockId next = new_block();
    llvm::SmallVector<ir_succ_rec, 4> succs;
    ir_succ_rec succ = {};
    succ.block = next;
    succs.push_back(succ);
    for (const AddrLabelExpr *target : s->labels()) {
        succ.block = jump_block(target->getLabel(), s->getSourceRange());
        succs.push_back(succ);
    }
    end_block(IR_TERM_INDIRECT, make(IR_E_UNKNOWN, 0), succs, s->getSourceRange());
    cur = next;
}

} // namespace aglet
