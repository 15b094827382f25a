/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Expressions to values and places without side effects; what happens at a moment of its own becomes an event first.
 * Stands on Graph.cpp. Evaluation order is left to right where C leaves it open, the value before the place in an assignment. */
#include "Function.h"

using namespace clang;

namespace aglet {

ir_expr FunctionLowering::value(const Expr *e) {
    ir_expr result = 0;
    runWithSufficientStackSpace([] {}, [&] { result = value_here(e); });
    return result;
}

static bool is_record(QualType type) {
    return type->isRecordType() || type->isArrayType();
}

/* The constant that an operator on constants amounts to, as Clang computes it. */
ir_expr FunctionLowering::fold(const Expr *e, ir_expr otherwise) {
    Expr::EvalResult known;
    if (!e->getType()->isIntegralOrEnumerationType() || e->isValueDependent() ||
        !e->EvaluateAsInt(known, unit.ast))
        return otherwise;
    const llvm::APSInt &v = known.Val.getInt();
    int64_t number =
        v.isSigned() ? v.sextOrTrunc(64).getSExtValue() : int64_t(v.zextOrTrunc(64).getZExtValue());
    return constant(number, unit.type(e->getType()));
}

ir_expr FunctionLowering::value_here(const Expr *e) {
    e = e->IgnoreParens();
    switch (e->getStmtClass()) {
    case Stmt::IntegerLiteralClass:
    case Stmt::CharacterLiteralClass:
    case Stmt::UnaryExprOrTypeTraitExprClass:
    case Stmt::OffsetOfExprClass:
    case Stmt::TypeTraitExprClass:
    case Stmt::CXXBoolLiteralExprClass:
    case Stmt::FixedPointLiteralClass: return fold(e, unknown(e->getType()));
    case Stmt::FloatingLiteralClass:
    case Stmt::ImaginaryLiteralClass: return make(IR_E_FLOAT, unit.type(e->getType()));
    case Stmt::GNUNullExprClass:
    case Stmt::CXXNullPtrLiteralExprClass:
    case Stmt::ImplicitValueInitExprClass:
        return is_record(e->getType()) ? make(IR_E_INIT, unit.type(e->getType()), 1)
                                       : constant(0, unit.type(e->getType()));
    case Stmt::AddrLabelExprClass:
        if (!in_globals)
            note_labels(e);
        return make(IR_E_LABEL, unit.type(e->getType()));
    case Stmt::DeclRefExprClass: {
        const ValueDecl *decl = cast<DeclRefExpr>(e)->getDecl();
        if (auto *enumerator = dyn_cast<EnumConstantDecl>(decl))
            return constant(enumerator->getInitVal().getExtValue(), unit.type(e->getType()));
        if (auto *callee = dyn_cast<FunctionDecl>(decl))
            return make(IR_E_FUNC, unit.type(callee->getType()), unit.function(callee), 0, 0, loc(e));
        break;
    }
    case Stmt::ConstantExprClass: return value(cast<ConstantExpr>(e)->getSubExpr());
    case Stmt::MaterializeTemporaryExprClass: return value(cast<MaterializeTemporaryExpr>(e)->getSubExpr());
    case Stmt::ExprWithCleanupsClass: return value(cast<ExprWithCleanups>(e)->getSubExpr());
    case Stmt::ImplicitCastExprClass:
    case Stmt::CStyleCastExprClass: return conversion(cast<CastExpr>(e));
    case Stmt::UnaryOperatorClass: return unary(cast<UnaryOperator>(e));
    case Stmt::BinaryOperatorClass: return binary(cast<BinaryOperator>(e));
    case Stmt::CompoundAssignOperatorClass: return compound_assign(cast<CompoundAssignOperator>(e), true);
    case Stmt::ConditionalOperatorClass:
    case Stmt::BinaryConditionalOperatorClass: return conditional(cast<AbstractConditionalOperator>(e), true);
    case Stmt::CallExprClass: return call(cast<CallExpr>(e), true);
    case Stmt::AtomicExprClass: return atomic_expression(cast<AtomicExpr>(e), true);
    case Stmt::StmtExprClass: return statement_expression(cast<StmtExpr>(e), true);
    case Stmt::GenericSelectionExprClass: return value(cast<GenericSelectionExpr>(e)->getResultExpr());
    case Stmt::ChooseExprClass: return value(cast<ChooseExpr>(e)->getChosenSubExpr());
    case Stmt::OpaqueValueExprClass: {
        auto found = opaques.find(cast<OpaqueValueExpr>(e));
        if (found != opaques.end())
            return found->second;
        return unknown(e->getType());
    }
    case Stmt::StringLiteralClass:
        return make(IR_E_STRING, unit.type(e->getType()),
                    cast<StringLiteral>(e)->getCharByteWidth() == 1
                        ? unit.str(cast<StringLiteral>(e)->getString())
                        : 0);
    case Stmt::PredefinedExprClass: return value(cast<PredefinedExpr>(e)->getFunctionName());
    case Stmt::VAArgExprClass: return va(cast<VAArgExpr>(e)->getSubExpr(), e->getType(), loc(e));
    case Stmt::InitListExprClass:
    case Stmt::DesignatedInitUpdateExprClass: {
        ir_expr at = var_place(temp(unit.type(e->getType())));
        initialise(at, e->getType(), e);
        return load(at);
    }
    case Stmt::CompoundLiteralExprClass:
        if (!e->isGLValue()) /* the argument of a transparent union */
            return value(cast<CompoundLiteralExpr>(e)->getInitializer());
        break;
    case Stmt::SourceLocExprClass:
        return e->getType()->isIntegerType() ? fold(e, unknown(e->getType())) : unknown(e->getType());
    default: break;
    }
    if (e->isGLValue())
        return load_place(place(e), e);
    for (const Stmt *child : e->children())
        if (auto *part = dyn_cast_or_null<Expr>(child))
            effect(part);
    return unknown(e->getType());
}

/* Load from a place; of an atomic object it is an atomic load. */
ir_expr FunctionLowering::load_place(ir_expr from, const Expr *of) {
    if (of->getType()->isAtomicType())
        return atomic(IR_AT_LOAD, from, {}, of->getType(), true, 5u << IR_SF_ORDER_SHIFT, loc(of));
    return load(from, loc(of));
}

ir_expr FunctionLowering::variable(const VarDecl *var, const DeclRefExpr *e) {
    auto found = vars.find(var);
    if (found != vars.end())
        return var_place(found->second, e->getSourceRange());
    if (var->hasGlobalStorage() && !var->isStaticLocal())
        return var_place(unit.global(var), e->getSourceRange());
    /* A local of a declaration that was not lowered, as in an unevaluated operand or after a parse error. */
    return make(IR_E_DEREF, unit.type(var->getType()), unknown(unit.ast.getPointerType(var->getType())));
}

/* Give a value a place: members of a structure that a function returned are read out of a temp. */
ir_expr FunctionLowering::place_of_value(ir_expr v, QualType type) {
    const ir_expr_rec &rec = expr_rec(v);
    if (rec.op == IR_E_LOAD)
        return rec.a;
    ir_expr at = var_place(temp(unit.type(type)));
    store(at, v, is_record(type) ? IR_SF_AGGREGATE : 0, 0);
    return at;
}

ir_expr FunctionLowering::place(const Expr *e) {
    e = e->IgnoreParens();
    switch (e->getStmtClass()) {
    case Stmt::DeclRefExprClass:
        if (auto *var = dyn_cast<VarDecl>(cast<DeclRefExpr>(e)->getDecl()))
            return variable(var, cast<DeclRefExpr>(e));
        break;
    case Stmt::MemberExprClass: {
        auto *member = cast<MemberExpr>(e);
        auto *decl = dyn_cast<FieldDecl>(member->getMemberDecl());
        const Expr *base = member->getBase();
        ir_expr of;
        if (member->isArrow())
            of = deref(value(base), unit.type(base->getType()->getPointeeType()), loc(base));
        else
            of = base->isGLValue() ? place(base) : place_of_value(value(base), base->getType());
        ir_field field = decl ? unit.field(decl) : 0;
        if (!field)
            break;
        return make(IR_E_FIELD, unit.type(e->getType()), of, field, 0, loc(e));
    }
    case Stmt::ArraySubscriptExprClass: {
        auto *subscript = cast<ArraySubscriptExpr>(e);
        const Expr *base = subscript->getBase();
        ir_expr of;
        if (base->getType()->isVectorType())
            of = make(IR_E_ADDR, unit.type(unit.ast.getPointerType(e->getType())),
                      base->isGLValue() ? place(base) : place_of_value(value(base), base->getType()));
        else if (auto *decay = dyn_cast<ImplicitCastExpr>(base->IgnoreParens());
                 decay && decay->getCastKind() == CK_ArrayToPointerDecay &&
                 !isa<StringLiteral>(decay->getSubExpr()->IgnoreParens()))
            of = address(place(decay->getSubExpr()),
                         unit.type(base->getType())); /* no address leaves the array here */
        else
            of = value(base);
        if (subscript->getIdx()->HasSideEffects(unit.ast) && may_change(of))
            of = hold(of);
        return make(IR_E_INDEX, unit.type(e->getType()), of, value(subscript->getIdx()), 0, loc(e));
    }
    case Stmt::UnaryOperatorClass: {
        auto *op = cast<UnaryOperator>(e);
        if (op->getOpcode() == UO_Deref)
            return deref(value(op->getSubExpr()), unit.type(e->getType()), loc(e));
        if (op->getOpcode() == UO_Extension || op->getOpcode() == UO_Real || op->getOpcode() == UO_Imag)
            return place(op->getSubExpr());
        break;
    }
    case Stmt::MaterializeTemporaryExprClass: {
        const Expr *sub = cast<MaterializeTemporaryExpr>(e)->getSubExpr();
        return place_of_value(value(sub), sub->getType());
    }
    case Stmt::CompoundLiteralExprClass: return compound_literal(cast<CompoundLiteralExpr>(e));
    case Stmt::ImplicitCastExprClass:
    case Stmt::CStyleCastExprClass:
        if (e->isGLValue())
            return place(cast<CastExpr>(e)->getSubExpr());
        break;
    case Stmt::GenericSelectionExprClass: return place(cast<GenericSelectionExpr>(e)->getResultExpr());
    case Stmt::ChooseExprClass: return place(cast<ChooseExpr>(e)->getChosenSubExpr());
    case Stmt::ConstantExprClass: return place(cast<ConstantExpr>(e)->getSubExpr());
    case Stmt::StringLiteralClass:
    case Stmt::PredefinedExprClass: return make(IR_E_DEREF, unit.type(e->getType()), value(e));
    default: break;
    }
    if (!e->isGLValue())
        return place_of_value(value(e), e->getType());
    for (const Stmt *child : e->children())
        if (auto *part = dyn_cast_or_null<Expr>(child))
            effect(part);
    return make(IR_E_DEREF, unit.type(e->getType()), unknown(unit.ast.getPointerType(e->getType())));
}

/* A compound literal is a local of the block around it; in the initialiser of a global it is a global. */
ir_expr FunctionLowering::compound_literal(const CompoundLiteralExpr *e) {
    ir_var_rec rec = {};
    rec.type = unit.type(e->getType());
    rec.loc = loc(e);
    if (in_globals || e->isFileScope()) {
        rec.kind = IR_V_GLOBAL;
        rec.flags = IR_VF_STATIC | IR_VF_DEFINED;
        ir_var made = build_global(b, &rec);
        unit.initialisers.push_back({made, e->getInitializer()});
        return var_place(made, e->getSourceRange());
    }
    rec.kind = IR_V_LOCAL;
    ir_var made = graph_local(b, &rec);
    begin_life(made, nullptr, e->getSourceRange());
    ir_expr at = var_place(made);
    initialise(at, e->getType(), e->getInitializer());
    return at;
}

/* Evaluate for what it does; a value that reads memory still reads it. */
void FunctionLowering::effect(const Expr *e, bool void_cast) {
    e = e->IgnoreParens();
    if (auto *c = dyn_cast<CastExpr>(e)) {
        if (c->getCastKind() == CK_ToVoid)
            return effect(c->getSubExpr(), isa<CStyleCastExpr>(c) || void_cast);
        if (c->getCastKind() == CK_NoOp)
            return effect(c->getSubExpr(), void_cast);
    } else if (auto *full = dyn_cast<FullExpr>(e)) {
        return effect(full->getSubExpr(), void_cast);
    } else if (auto *op = dyn_cast<CompoundAssignOperator>(e)) {
        compound_assign(op, false);
        return;
    } else if (auto *op = dyn_cast<BinaryOperator>(e)) {
        if (op->getOpcode() == BO_Assign) {
            assign(op, false);
            return;
        }
        if (op->getOpcode() == BO_Comma) {
            effect(op->getLHS());
            return effect(op->getRHS(), void_cast);
        }
        if (op->isLogicalOp()) {
            /* `ready || start();` as a statement */
            BlockId right = new_block(), after = new_block();
            bool is_and = op->getOpcode() == BO_LAnd;
            branch(op->getLHS(), is_and ? right : after, is_and ? after : right);
            cur = right;
            effect(op->getRHS());
            start(after);
            return;
        }
    } else if (auto *op = dyn_cast<UnaryOperator>(e)) {
        if (op->isIncrementDecrementOp()) {
            increment(op, false);
            return;
        }
        if (op->getOpcode() == UO_Extension)
            return effect(op->getSubExpr(), void_cast);
    } else if (auto *c = dyn_cast<AbstractConditionalOperator>(e)) {
        conditional(c, false);
        return;
    } else if (auto *c = dyn_cast<CallExpr>(e)) {
        call(c, false, void_cast);
        return;
    } else if (auto *a = dyn_cast<AtomicExpr>(e)) {
        atomic_expression(a, false);
        return;
    } else if (auto *s = dyn_cast<StmtExpr>(e)) {
        statement_expression(s, false);
        return;
    } else if (auto *g = dyn_cast<GenericSelectionExpr>(e)) {
        return effect(g->getResultExpr(), void_cast);
    } else if (auto *c = dyn_cast<ChooseExpr>(e)) {
        return effect(c->getChosenSubExpr(), void_cast);
    }
    if (!open() || (e->isGLValue() && !e->HasSideEffects(unit.ast) && !e->getType().isVolatileQualified() &&
                    isa<DeclRefExpr>(e)))
        return; /* `(void)x` says that x is unused */
    ir_event_rec rec = {};
    rec.op = IR_EV_EVAL;
    rec.a = value(e);
    rec.loc = loc(e);
    if (may_change(rec.a) || e->getType().isVolatileQualified())
        event(rec);
}

ir_expr FunctionLowering::convert(ir_expr v, QualType to, ir_loc where) {
    ir_type type = unit.type(to);
    if (expr_rec(v).type == type)
        return v;
    return make(IR_E_CAST, type, v, 0, 0, where);
}

ir_expr FunctionLowering::conversion(const CastExpr *e) {
    const Expr *sub = e->getSubExpr();
    switch (e->getCastKind()) {
    case CK_LValueToRValue:
        if (auto *member = dyn_cast<CompoundLiteralExpr>(sub->IgnoreParens()); member && in_globals)
            return value(member->getInitializer());
        return load_place(place(sub), sub);
    case CK_NoOp:
    case CK_AtomicToNonAtomic:
    case CK_NonAtomicToAtomic: return e->isGLValue() ? load_place(place(sub), sub) : value(sub);
    case CK_ArrayToPointerDecay: {
        const Expr *array = sub->IgnoreParens();
        if (isa<StringLiteral>(array) || isa<PredefinedExpr>(array)) {
            ir_expr_rec rec = expr_rec(value(array));
            return make(rec.op, unit.type(e->getType()), rec.a);
        }
        ir_expr at = place(sub);
        mark_addressed(at);
        return address(at, unit.type(e->getType()));
    }
    case CK_FunctionToPointerDecay:
    case CK_BuiltinFnToFnPtr: return value(sub);
    case CK_NullToPointer: return constant(0, unit.type(e->getType()));
    case CK_ToVoid: effect(sub, isa<CStyleCastExpr>(e)); return unknown(e->getType());
    case CK_IntegralToBoolean:
    case CK_PointerToBoolean:
    case CK_FloatingToBoolean: {
        ir_expr v = value(sub);
        int64_t known;
        if (is_constant(v, known))
            return constant(known != 0, unit.type(e->getType()));
        const ir_expr_rec &rec = expr_rec(v);
        if ((rec.op == IR_E_BINARY && rec.c >= IR_B_EQ) || (rec.op == IR_E_UNARY && rec.b == IR_U_LNOT))
            return convert(v, e->getType(), loc(e));
        return make(IR_E_BINARY, unit.type(e->getType()), v, constant(0, rec.type), IR_B_NE, loc(e));
    }
    case CK_ToUnion: {
        ir_expr at = var_place(temp(unit.type(e->getType())));
        ir_expr v = value(sub);
        store(at, make(IR_E_INIT, unit.type(e->getType())), IR_SF_INIT | IR_SF_AGGREGATE, loc(e));
        if (auto *record = e->getType()->getAsRecordDecl())
            for (const FieldDecl *member : record->fields())
                if (unit.ast.hasSameUnqualifiedType(member->getType(), sub->getType())) {
                    store(make(IR_E_FIELD, unit.type(member->getType()), at, unit.field(member)), v,
                          IR_SF_INIT, loc(e));
                    break;
                }
        return load(at);
    }
    default: break;
    }
    ir_expr v = value(sub);
    int64_t known;
    if (is_constant(v, known)) {
        QualType to = e->getType();
        if (to->isPointerType())
            return constant(known, unit.type(to));
        if (e->getCastKind() == CK_IntegralCast && to->isIntegerType()) {
            llvm::APInt narrowed = llvm::APInt(64, uint64_t(known)).sextOrTrunc(unit.ast.getIntWidth(to));
            return constant(to->isSignedIntegerOrEnumerationType()
                                ? narrowed.sextOrTrunc(64).getSExtValue()
                                : int64_t(narrowed.zextOrTrunc(64).getZExtValue()),
                            unit.type(to));
        }
        return fold(e, convert(v, to, loc(e)));
    }
    return convert(v, e->getType(), loc(e));
}

ir_expr FunctionLowering::unary(const UnaryOperator *e) {
    const Expr *sub = e->getSubExpr();
    switch (e->getOpcode()) {
    case UO_PostInc:
    case UO_PostDec:
    case UO_PreInc:
    case UO_PreDec: return increment(e, true);
    case UO_AddrOf: {
        if (sub->getType()->isFunctionType())
            return value(sub);
        ir_expr at = place(sub);
        mark_addressed(at);
        return address(at, unit.type(e->getType()));
    }
    case UO_Deref:
        if (e->getType()->isFunctionType())
            return value(sub);
        return load_place(place(e), e);
    case UO_Plus:
    case UO_Extension:
    case UO_Real: return value(sub);
    case UO_Minus:
    case UO_Not: {
        ir_expr v = value(sub);
        int64_t known;
        ir_expr op = make(IR_E_UNARY, unit.type(e->getType()), v,
                          e->getOpcode() == UO_Minus ? IR_U_NEG : IR_U_NOT, 0, loc(e));
        return is_constant(v, known) ? fold(e, op) : op;
    }
    case UO_LNot: {
        const Expr *inner = sub->IgnoreParenImpCasts();
        if (auto *op = dyn_cast<BinaryOperator>(inner); op && op->isLogicalOp())
            return logical(e);
        ir_expr v = value(sub);
        int64_t known;
        if (is_constant(v, known))
            return constant(!known, unit.type(e->getType()));
        return make(IR_E_UNARY, unit.type(e->getType()), v, IR_U_LNOT, 0, loc(e));
    }
    default: effect(sub); return unknown(e->getType());
    }
}

static int binary_op(BinaryOperatorKind kind) {
    switch (kind) {
    case BO_Add:
    case BO_AddAssign: return IR_B_ADD;
    case BO_Sub:
    case BO_SubAssign: return IR_B_SUB;
    case BO_Mul:
    case BO_MulAssign: return IR_B_MUL;
    case BO_Div:
    case BO_DivAssign: return IR_B_DIV;
    case BO_Rem:
    case BO_RemAssign: return IR_B_REM;
    case BO_Shl:
    case BO_ShlAssign: return IR_B_SHL;
    case BO_Shr:
    case BO_ShrAssign: return IR_B_SHR;
    case BO_And:
    case BO_AndAssign: return IR_B_AND;
    case BO_Or:
    case BO_OrAssign: return IR_B_OR;
    case BO_Xor:
    case BO_XorAssign: return IR_B_XOR;
    case BO_EQ: return IR_B_EQ;
    case BO_NE: return IR_B_NE;
    case BO_LT: return IR_B_LT;
    case BO_LE: return IR_B_LE;
    case BO_GT: return IR_B_GT;
    case BO_GE: return IR_B_GE;
    default: return -1;
    }
}

ir_expr FunctionLowering::binary(const BinaryOperator *e) {
    if (e->getOpcode() == BO_Assign)
        return assign(e, true);
    if (e->getOpcode() == BO_Comma) {
        effect(e->getLHS());
        return value(e->getRHS());
    }
    if (e->isLogicalOp())
        return logical(e);
    ir_expr left = value(e->getLHS());
    if (may_change(left) && e->getRHS()->HasSideEffects(unit.ast))
        left = hold(left);
    ir_expr right = value(e->getRHS());
    int op = binary_op(e->getOpcode());
    if (op < 0)
        return unknown(e->getType());
    int64_t known;
    if (op == IR_B_ADD && e->getType()->isPointerType() && !e->getLHS()->getType()->isPointerType())
        std::swap(left, right);
    ir_expr made = make(IR_E_BINARY, unit.type(e->getType()), left, right, op, loc(e));
    return is_constant(left, known) && is_constant(right, known) ? fold(e, made) : made;
}

static uint32_t volatile_flag(const Expr *e) {
    return e->getType().isVolatileQualified() ? IR_SF_VOLATILE : 0;
}

ir_expr FunctionLowering::increment(const UnaryOperator *e, bool wanted) {
    const Expr *sub = e->getSubExpr();
    ir_expr at = place(sub);
    ir_type type = unit.type(e->getType());
    ir_expr one = e->getType()->isPointerType() ? integer(1) : constant(1, type);
    uint32_t op = e->isIncrementOp() ? IR_B_ADD : IR_B_SUB;
    if (sub->getType()->isAtomicType())
        return atomic(IR_AT_RMW, at, one, e->getType(), wanted, 5u << IR_SF_ORDER_SHIFT, loc(e));
    ir_expr before = load(at, loc(sub));
    ir_expr old = wanted && e->isPostfix() ? hold(before) : 0;
    store(at, make(IR_E_BINARY, type, before, one, op, loc(e)), IR_SF_COMPOUND | volatile_flag(sub), loc(e));
    if (!wanted)
        return 0;
    if (old)
        return old;
    ir_expr after = load(at, loc(sub));
    return may_change(after) ? hold(after) : after;
}

/* The value of an assignment is what was stored; a place in memory is not read again for it. */
ir_expr FunctionLowering::assign(const BinaryOperator *e, bool wanted) {
    const Expr *left = e->getLHS(), *right = e->getRHS()->IgnoreParens();
    bool whole = is_record(left->getType());
    auto *target = dyn_cast<DeclRefExpr>(left->IgnoreParens());
    auto *var = target ? dyn_cast<VarDecl>(target->getDecl()) : nullptr;
    bool is_local = var && var->isLocalVarDeclOrParm() && !var->hasGlobalStorage();
    bool is_atomic = left->getType()->isAtomicType();

    if (is_local && !is_atomic && isa<CallExpr>(right) &&
        unit.ast.hasSameUnqualifiedType(left->getType(), right->getType())) {
        ir_expr at = place(left);
        ir_expr got = call(cast<CallExpr>(right), true, false, at);
        if (got != at)
            store(at, got, whole ? IR_SF_AGGREGATE : 0, loc(e));
        return wanted ? load(at, loc(left)) : 0;
    }
    ir_expr v = value(right);
    if (may_change(v) && (left->HasSideEffects(unit.ast) || (wanted && !is_local)))
        v = hold(v);
    ir_expr at = place(left);
    if (is_atomic) {
        atomic(IR_AT_STORE, at, v, e->getType(), false, 5u << IR_SF_ORDER_SHIFT, loc(e));
        return v;
    }
    store(at, v, (whole ? IR_SF_AGGREGATE : 0) | volatile_flag(left), loc(e));
    if (!wanted)
        return 0;
    int64_t known;
    return is_constant(v, known) || !is_local ? v : load(at, loc(left));
}

ir_expr FunctionLowering::compound_assign(const CompoundAssignOperator *e, bool wanted) {
    const Expr *left = e->getLHS();
    ir_expr right = value(e->getRHS());
    if (may_change(right) && left->HasSideEffects(unit.ast))
        right = hold(right);
    ir_expr at = place(left);
    if (left->getType()->isAtomicType())
        return atomic(IR_AT_RMW, at, right, e->getType(), wanted, 5u << IR_SF_ORDER_SHIFT, loc(e));
    int op = binary_op(e->getOpcode());
    ir_expr sum = make(IR_E_BINARY, unit.type(e->getType()), load(at, loc(left)), right,
                       op < 0 ? IR_B_ADD : op, loc(e));
    store(at, sum, IR_SF_COMPOUND | volatile_flag(left), loc(e));
    if (!wanted)
        return 0;
    ir_expr after = load(at, loc(left));
    return may_change(after) ? hold(after) : after;
}

ir_expr FunctionLowering::conditional(const AbstractConditionalOperator *e, bool wanted) {
    wanted = wanted && !e->getType()->isVoidType();
    BlockId yes = new_block(), no = new_block(), after = new_block();
    ir_expr at = wanted ? var_place(temp(unit.type(e->getType()))) : 0;
    auto arm = [&](BlockId block, const Expr *value_of) {
        cur = block;
        if (!wanted)
            effect(value_of);
        else if (ir_expr v = value(value_of); open())
            store(at, v, is_record(e->getType()) ? IR_SF_AGGREGATE : 0, loc(value_of));
        go(after);
    };
    if (auto *elvis = dyn_cast<BinaryConditionalOperator>(e)) {
        ir_expr common = hold(value(elvis->getCommon()));
        opaques[elvis->getOpaqueValue()] = common;
        branch_on(common, yes, no, elvis->getCommon()->getSourceRange());
    } else {
        branch(e->getCond(), yes, no);
    }
    arm(yes, e->getTrueExpr());
    arm(no, e->getFalseExpr());
    cur = after;
    return wanted ? load(at) : unknown(e->getType());
}

/* The value, 0 or 1, of a condition with && or || in it. */
ir_expr FunctionLowering::logical(const Expr *e) {
    ir_type type = unit.type(e->getType());
    ir_expr at = var_place(temp(type));
    BlockId yes = new_block(), no = new_block(), after = new_block();
    branch(e, yes, no);
    cur = yes;
    store(at, constant(1, type), 0, loc(e));
    go(after);
    cur = no;
    store(at, constant(0, type), 0, loc(e));
    go(after);
    cur = after;
    return load(at);
}

/* Its value is taken before the lives of its locals end. */
ir_expr FunctionLowering::statement_expression(const StmtExpr *e, bool wanted) {
    const CompoundStmt *body = e->getSubStmt();
    Life *outer = life;
    ir_expr result = 0;
    for (const Stmt *part : body->body()) {
        const Stmt *last = part;
        if (part == body->body_back() && wanted && !e->getType()->isVoidType()) {
            for (;;) {
                if (auto *labelled = dyn_cast<LabelStmt>(last)) {
                    Label &here = label(labelled->getDecl());
                    here.life = life;
                    here.placed = true;
                    start(here.block);
                    last = labelled->getSubStmt();
                } else if (auto *attributed = dyn_cast<AttributedStmt>(last)) {
                    last = attributed->getSubStmt();
                } else {
                    break;
                }
            }
            if (auto *v = dyn_cast<Expr>(last)) {
                result = value(v);
                if (reads_memory(result))
                    result = hold(result);
                continue;
            }
        }
        statement(last);
    }
    leave_to(outer, body->getRBracLoc());
    return result ? result : unknown(e->getType());
}

} // namespace aglet
