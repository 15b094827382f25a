/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Conditions to branches: each && and || is a branch of its own, and what changes no truth is looked through,
 * so that `if (likely(!pthread_mutex_trylock(&m) && n))` branches on the two values alone.
 * Stands on Expressions.cpp. */
#include "Function.h"

using namespace clang;

namespace aglet {

/* The expression under parentheses, __builtin_expect and conversions that keep zero zero and non-zero non-zero. */
static const Expr *plain_condition(const Expr *e, const ASTContext &ast) {
    for (;;) {
        const Expr *next = e->IgnoreParens();
        if (auto *full = dyn_cast<FullExpr>(next)) {
            next = full->getSubExpr();
        } else if (auto *op = dyn_cast<UnaryOperator>(next); op && op->getOpcode() == UO_Extension) {
            next = op->getSubExpr();
        } else if (auto *generic = dyn_cast<GenericSelectionExpr>(next)) {
            next = generic->getResultExpr();
        } else if (auto *choose = dyn_cast<ChooseExpr>(next)) {
            next = choose->getChosenSubExpr();
        } else if (auto *call = dyn_cast<CallExpr>(next)) {
            unsigned id = call->getBuiltinCallee();
            if (id == Builtin::BI__builtin_expect || id == Builtin::BI__builtin_expect_with_probability)
                next = call->getArg(0);
        } else if (auto *cast = dyn_cast<CastExpr>(next)) {
            const Expr *sub = cast->getSubExpr();
            switch (cast->getCastKind()) {
            case CK_NoOp:
                if (!next->isGLValue() && !sub->isGLValue())
                    next = sub;
                break;
            case CK_IntegralToBoolean:
            case CK_PointerToBoolean: next = sub; break;
            case CK_IntegralCast:
                if (ast.getIntWidth(next->getType()) >= ast.getIntWidth(sub->getType()) ||
                    sub->IgnoreParenImpCasts()->isKnownToHaveBooleanValue())
                    next = sub;
                break;
            default: break;
            }
        }
        if (next == e)
            return e;
        e = next;
    }
}

static bool is_zero(const Expr *e) {
    auto *literal = dyn_cast<IntegerLiteral>(e->IgnoreParenImpCasts());
    return literal && literal->getValue() == 0;
}

void FunctionLowering::branch(const Expr *cond, BlockId yes, BlockId no) {
    const Expr *e = plain_condition(cond, unit.ast);
    if (auto *op = dyn_cast<UnaryOperator>(e); op && op->getOpcode() == UO_LNot)
        return branch(op->getSubExpr(), no, yes);
    if (auto *op = dyn_cast<BinaryOperator>(e)) {
        switch (op->getOpcode()) {
        case BO_LAnd:
        case BO_LOr: {
            BlockId right = new_block();
            if (op->getOpcode() == BO_LAnd)
                branch(op->getLHS(), right, no);
            else
                branch(op->getLHS(), yes, right);
            cur = right;
            return branch(op->getRHS(), yes, no);
        }
        case BO_Comma: effect(op->getLHS()); return branch(op->getRHS(), yes, no);
        case BO_EQ:
        case BO_NE: {
            /* `(a && b) == 0`, `!x != 0`, `(a < b) != 0` */
            const Expr *left = plain_condition(op->getLHS(), unit.ast);
            if (is_zero(op->getRHS()) && left->isKnownToHaveBooleanValue())
                return op->getOpcode() == BO_NE ? branch(left, yes, no) : branch(left, no, yes);
            break;
        }
        default: break;
        }
    }
    if (auto *choice = dyn_cast<ConditionalOperator>(e)) {
        BlockId first = new_block(), second = new_block();
        branch(choice->getCond(), first, second);
        cur = first;
        branch(choice->getTrueExpr(), yes, no);
        cur = second;
        return branch(choice->getFalseExpr(), yes, no);
    }
    branch_on(value(e), yes, no, e->getSourceRange());
}

} // namespace aglet
