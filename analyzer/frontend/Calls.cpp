/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Calls, and the compiler builtins that are no calls: hints, overflow arithmetic, variable arguments.
 * Stands on Expressions.cpp. A builtin that stands for a library function is that function. */
#include "Function.h"

#include <clang/Lex/Lexer.h>

using namespace clang;

namespace aglet {

std::string library_name(ASTContext &ast, const FunctionDecl *function) {
    if (!function->getIdentifier())
        return "";
    llvm::StringRef name = function->getName();
    unsigned id = function->getBuiltinID();
    if (!id || !begins_with(name, "__builtin_") || !ast.BuiltinInfo.isLibFunction(id))
        return name.str();
    name = name.drop_front(strlen("__builtin_"));
    if (begins_with(name, "__") && ends_with(name, "_chk"))
        name = name.drop_front(2).drop_back(4);
    return name.str();
}

/* __LINE__, handed to a function that fails or logs: which line is nothing to any rule, and as a number it would make other code of what
 * only stands elsewhere. Where it is compared or kept (`case __LINE__:`) it stays what it is. */
static bool is_line_number(const ASTContext &ast, const Expr *e) {
    const SourceManager &sm = ast.getSourceManager();
    auto *literal = dyn_cast<IntegerLiteral>(e->IgnoreParenImpCasts());

    return literal && literal->getLocation().isMacroID() &&
           sm.isWrittenInScratchSpace(sm.getSpellingLoc(literal->getLocation())) &&
           Lexer::getImmediateMacroName(literal->getLocation(), sm, ast.getLangOpts()) == "__LINE__";
}

ir_expr FunctionLowering::call(const CallExpr *e, bool wanted, bool void_cast, ir_expr into) {
    const FunctionDecl *callee = e->getDirectCallee();
    wanted = wanted && !e->getType()->isVoidType();
    if (unsigned id = callee ? callee->getBuiltinID() : 0) {
        ir_expr result = 0;
        if (builtin(e, id, wanted, result))
            return result ? result : unknown(e->getType());
    }

    /* What is written first must not see what later arguments change. */
    int last_effect = -1;
    for (unsigned i = 0; i < e->getNumArgs(); i++)
        if (e->getArg(i)->HasSideEffects(unit.ast))
            last_effect = int(i);
    ir_expr target;
    if (callee) {
        target =
            make(IR_E_FUNC, unit.type(callee->getType()), unit.function(callee), 0, 0, loc(e->getCallee()));
    } else {
        target = value(e->getCallee());
        if (last_effect >= 0 && may_change(target))
            target = hold(target);
    }
    llvm::SmallVector<ir_expr, 8> args;
    for (unsigned i = 0; i < e->getNumArgs(); i++) {
        const Expr *arg = e->getArg(i);
        ir_expr v = is_line_number(unit.ast, arg) ? unknown(arg->getType()) : value(arg);
        if (int(i) < last_effect && may_change(v))
            v = hold(v);
        args.push_back(v);
    }

    ir_event_rec rec = {};
    rec.op = IR_EV_CALL;
    rec.b = target;
    rec.args = build_expr_refs(b, args.data(), args.size());
    rec.loc = loc(e);
    if (wanted)
        rec.a = into ? into : var_place(temp(unit.type(e->getType())));
    else if (!e->getType()->isVoidType())
        rec.flags |= IR_SF_UNUSED | (void_cast ? IR_SF_VOID_CAST : 0);
    event(rec);

    QualType type = e->getCallee()->getType();
    if (type->isPointerType())
        type = type->getPointeeType();
    auto *function = type->getAs<FunctionType>();
    if ((callee && callee->isNoReturn()) || (function && function->getNoReturnAttr()))
        end_block(IR_TERM_UNREACHABLE, 0, {}, e->getSourceRange());
    if (!wanted)
        return unknown(e->getType());
    return into ? into : load(rec.a);
}

/* An event on a va_list; the value of va_arg is not followed. */
ir_expr FunctionLowering::va(const Expr *list, QualType type, ir_loc where) {
    const Expr *e = list->IgnoreParenImpCasts();
    ir_event_rec rec = {};
    rec.op = IR_EV_VA;
    if (e->isGLValue()) {
        rec.a = place(e);
        mark_addressed(rec.a);
    } else {
        rec.a = deref(value(e), unit.type(unit.ast.getBuiltinVaListType()), where);
    }
    rec.loc = where;
    event(rec);
    return unknown(type);
}

/* Lower what is no call of a function.
 * Returns  false for a builtin that is one. */
bool FunctionLowering::builtin(const CallExpr *e, unsigned id, bool wanted, ir_expr &result) {
    switch (id) {
    case Builtin::BI__builtin_expect:
    case Builtin::BI__builtin_expect_with_probability:
    case Builtin::BI__builtin_assume_aligned:
        for (unsigned i = 1; i < e->getNumArgs(); i++)
            if (e->getArg(i)->HasSideEffects(unit.ast))
                effect(e->getArg(i));
        if (wanted)
            result = value(e->getArg(0));
        else
            effect(e->getArg(0));
        return true;
    case Builtin::BI__builtin_unreachable:
    case Builtin::BI__builtin_trap: end_block(IR_TERM_UNREACHABLE, 0, {}, e->getSourceRange()); return true;
    case Builtin::BI__builtin_assume:
    case Builtin::BI__assume: return true;
    case Builtin::BI__builtin_constant_p:
    case Builtin::BI__builtin_object_size:
    case Builtin::BI__builtin_dynamic_object_size:
    case Builtin::BI__builtin_classify_type: result = fold(e, unknown(e->getType())); return true;
    case Builtin::BI__builtin_prefetch:
        for (const Expr *arg : e->arguments())
            if (arg->HasSideEffects(unit.ast))
                effect(arg);
        return true;
    case Builtin::BI__builtin_va_start:
    case Builtin::BI__builtin_va_end:
    case Builtin::BI__builtin_stdarg_start: va(e->getArg(0), e->getType(), loc(e)); return true;
    case Builtin::BI__builtin_va_copy:
        va(e->getArg(1), e->getType(), loc(e));
        va(e->getArg(0), e->getType(), loc(e));
        return true;
    case Builtin::BI__builtin_add_overflow:
    case Builtin::BI__builtin_sub_overflow:
    case Builtin::BI__builtin_mul_overflow: {
        ir_expr left = hold(value(e->getArg(0))), right = hold(value(e->getArg(1)));
        QualType to = e->getArg(2)->getType()->getPointeeType();
        ir_expr at = deref(value(e->getArg(2)), unit.type(to), loc(e->getArg(2)));
        uint32_t op = id == Builtin::BI__builtin_add_overflow   ? IR_B_ADD
                      : id == Builtin::BI__builtin_sub_overflow ? IR_B_SUB
                                                                : IR_B_MUL;
        store(at, make(IR_E_BINARY, unit.type(to), left, right, op, loc(e)), 0, loc(e));
        result = unknown(e->getType());
        return true;
    }
    default: break;
    }
    llvm::StringRef name = e->getDirectCallee()->getName();
    if (begins_with(name, "__sync_") || begins_with(name, "__atomic_") || begins_with(name, "__c11_atomic_"))
        return sync_builtin(e, name, wanted, result);
    return false;
}

} // namespace aglet
