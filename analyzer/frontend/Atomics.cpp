/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Atomic operations in all their spellings: C11's, GNU __atomic and __sync, operators on _Atomic objects.
 * Stands on Expressions.cpp. Orders are kept as the __ATOMIC_* numbers they are written with. */
#include "Function.h"

using namespace clang;

namespace aglet {

enum { RELAXED = 0, ACQUIRE = 2, RELEASE = 3, SEQ_CST = 5 };

static uint32_t orders(uint32_t success, uint32_t failure = 0) {
    return success << IR_SF_ORDER_SHIFT | failure << (IR_SF_ORDER_SHIFT + 4);
}

uint32_t FunctionLowering::order_of(const Expr *order) {
    Expr::EvalResult known;
    if (!order || order->isValueDependent() || !order->EvaluateAsInt(known, unit.ast))
        return SEQ_CST;
    uint64_t number = known.Val.getInt().getZExtValue();
    return number <= SEQ_CST ? uint32_t(number) : uint32_t(SEQ_CST);
}

ir_expr FunctionLowering::atomic(uint32_t kind, ir_expr place, llvm::ArrayRef<ir_expr> operands,
                                 QualType result, bool wanted, uint32_t flags, ir_loc where) {
    if (auto *wrapped = result->getAs<AtomicType>())
        result = wrapped->getValueType();
    wanted = wanted && !result->isVoidType();
    ir_event_rec rec = {};
    rec.op = IR_EV_ATOMIC;
    rec.flags = flags;
    rec.a = place;
    rec.b = wanted ? var_place(temp(unit.type(result))) : 0;
    rec.c = kind;
    rec.args = build_expr_refs(b, operands.data(), operands.size());
    rec.loc = where;
    event(rec);
    return wanted ? load(rec.b) : 0;
}

ir_expr FunctionLowering::atomic_expression(const AtomicExpr *e, bool wanted) {
    const Expr *pointer = e->getPtr();
    QualType object = pointer->getType()->getPointeeType();
    ir_expr address_of = value(pointer);
    if (may_change(address_of) && e->getNumSubExprs() > 2)
        for (const Stmt *operand : e->children())
            if (operand != pointer && cast<Expr>(operand)->HasSideEffects(unit.ast))
                address_of = hold(address_of);
    ir_expr at = deref(address_of, unit.type(object), loc(pointer));
    ir_loc where = loc(e);
    uint32_t order =
        e->getOp() == AtomicExpr::AO__c11_atomic_init ? uint32_t(RELAXED) : order_of(e->getOrder());
    /* The generic __atomic forms pass values by address. */
    auto pointee = [&](const Expr *by_address) {
        return deref(value(by_address), unit.type(by_address->getType()->getPointeeType()), loc(by_address));
    };
    QualType type = e->getType();

    switch (e->getOp()) {
    case AtomicExpr::AO__c11_atomic_init:
        return atomic(IR_AT_INIT, at, value(e->getVal1()), type, false, 0, where);
    case AtomicExpr::AO__c11_atomic_load:
    case AtomicExpr::AO__atomic_load_n: return atomic(IR_AT_LOAD, at, {}, type, true, orders(order), where);
    case AtomicExpr::AO__atomic_load: {
        ir_expr to = pointee(e->getVal1());
        store(to, atomic(IR_AT_LOAD, at, {}, object.getUnqualifiedType(), true, orders(order), where), 0,
              where);
        return 0;
    }
    case AtomicExpr::AO__c11_atomic_store:
    case AtomicExpr::AO__atomic_store_n:
        return atomic(IR_AT_STORE, at, value(e->getVal1()), type, false, orders(order), where);
    case AtomicExpr::AO__atomic_store:
        return atomic(IR_AT_STORE, at, load(pointee(e->getVal1()), where), type, false, orders(order), where);
    case AtomicExpr::AO__c11_atomic_exchange:
    case AtomicExpr::AO__atomic_exchange_n:
        return atomic(IR_AT_EXCHANGE, at, value(e->getVal1()), type, wanted, orders(order), where);
    case AtomicExpr::AO__atomic_exchange: {
        ir_expr from = load(pointee(e->getVal1()), where), to = pointee(e->getVal2());
        store(to, atomic(IR_AT_EXCHANGE, at, from, object.getUnqualifiedType(), true, orders(order), where),
              0, where);
        return 0;
    }
    case AtomicExpr::AO__c11_atomic_compare_exchange_strong:
    case AtomicExpr::AO__c11_atomic_compare_exchange_weak:
    case AtomicExpr::AO__atomic_compare_exchange:
    case AtomicExpr::AO__atomic_compare_exchange_n: {
        uint32_t flags = orders(order, order_of(e->getOrderFail()));
        Expr::EvalResult weak;
        if (e->getOp() == AtomicExpr::AO__c11_atomic_compare_exchange_weak ||
            (e->getOp() != AtomicExpr::AO__c11_atomic_compare_exchange_strong &&
             e->getWeak()->EvaluateAsInt(weak, unit.ast) && weak.Val.getInt().getBoolValue()))
            flags |= IR_SF_WEAK;
        ir_expr expected = pointee(e->getVal1());
        ir_expr desired = e->getOp() == AtomicExpr::AO__atomic_compare_exchange
                              ? load(pointee(e->getVal2()), where)
                              : value(e->getVal2());
        return atomic(IR_AT_COMPARE_EXCHANGE, at, {expected, desired}, type, wanted, flags, where);
    }
    default: break;
    }
    /* Read-modify-write, and the dialects of other languages. */
    llvm::SmallVector<ir_expr, 1> operand;
    if (e->getNumSubExprs() > 2)
        operand.push_back(value(e->getVal1()));
    return atomic(IR_AT_RMW, at, operand, type, wanted, orders(order), where);
}

/* Builtins that are calls in the syntax tree. Returns false for one that is not atomic. */
bool FunctionLowering::sync_builtin(const CallExpr *e, llvm::StringRef name, bool wanted, ir_expr &result) {
    ir_loc where = loc(e);
    auto has = [&](llvm::StringRef part) { return name.find(part) != llvm::StringRef::npos; };
    if (has("fence") || name == "__sync_synchronize") {
        uint32_t order = e->getNumArgs() ? order_of(e->getArg(0)) : uint32_t(SEQ_CST);
        atomic(IR_AT_FENCE, 0, {}, e->getType(), false, orders(order), where);
        return true;
    }
    if (has("lock_free")) {
        result = fold(e, unknown(e->getType()));
        return true;
    }
    if (!e->getNumArgs() || !e->getArg(0)->getType()->isPointerType())
        return false;
    QualType object = e->getArg(0)->getType()->getPointeeType();
    if (auto *cast = dyn_cast<ImplicitCastExpr>(e->getArg(0)); cast && object->isVoidType())
        object = cast->getSubExpr()->getType()->getPointeeType();
    ir_expr address_of = value(e->getArg(0));
    for (unsigned i = 1; i < e->getNumArgs(); i++)
        if (may_change(address_of) && e->getArg(i)->HasSideEffects(unit.ast))
            address_of = hold(address_of);
    ir_expr at = deref(address_of, unit.type(object), loc(e->getArg(0)));
    llvm::SmallVector<ir_expr, 2> operands;
    for (unsigned i = 1; i < e->getNumArgs() && i < 3; i++)
        operands.push_back(value(e->getArg(i)));

    if (name == "__atomic_test_and_set") {
        result = atomic(IR_AT_EXCHANGE, at, integer(1), e->getType(), wanted, orders(order_of(e->getArg(1))),
                        where);
    } else if (name == "__atomic_clear") {
        atomic(IR_AT_STORE, at, integer(0), e->getType(), false, orders(order_of(e->getArg(1))), where);
    } else if (begins_with(name, "__sync_lock_test_and_set") || begins_with(name, "__sync_swap")) {
        operands.resize(1);
        result = atomic(IR_AT_EXCHANGE, at, operands, e->getType(), wanted, orders(ACQUIRE), where);
    } else if (begins_with(name, "__sync_lock_release")) {
        atomic(IR_AT_STORE, at, constant(0, expr_rec(at).type), e->getType(), false, orders(RELEASE), where);
    } else if (has("compare_and_swap") && operands.size() == 2) {
        ir_expr expected = var_place(temp(expr_rec(operands[0]).type));
        store(expected, operands[0], 0, where);
        result = atomic(IR_AT_COMPARE_EXCHANGE, at, {expected, operands[1]}, e->getType(), wanted,
                        orders(SEQ_CST, SEQ_CST), where);
    } else if (begins_with(name, "__sync_") && !operands.empty()) {
        operands.resize(1);
        result = atomic(IR_AT_RMW, at, operands, e->getType(), wanted, orders(SEQ_CST), where);
    } else {
        return false;
    }
    return true;
}

} // namespace aglet
