/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Initialisers to stores: the whole first (zero but for its parts), then each part that is written.
 * Stands on Expressions.cpp. Big tables of plain data say nothing about threads, so their parts are left out. */
#include "Function.h"

using namespace clang;

namespace aglet {

static bool holds_pointers(QualType type) {
    type = type.getCanonicalType();
    if (auto *array = dyn_cast<ArrayType>(type.getTypePtr()))
        return holds_pointers(array->getElementType());
    if (auto *record = type->getAsRecordDecl()) {
        for (const FieldDecl *field : record->fields())
            if (holds_pointers(field->getType()))
                return true;
        return false;
    }
    return type->isPointerType();
}

bool FunctionLowering::is_plain_data(const InitListExpr *list) {
    auto *array = unit.ast.getAsArrayType(list->getType());
    return array && list->getNumInits() > 16 && !holds_pointers(array->getElementType()) &&
           !list->HasSideEffects(unit.ast);
}

void FunctionLowering::initialise_global(ir_var var, const Expr *value) {
    initialise(var_place(var, value->getSourceRange()), value->getType(), value);
}

void FunctionLowering::initialise(ir_expr at, QualType type, const Expr *e, bool whole) {
    e = e->IgnoreParens();
    if (auto *full = dyn_cast<FullExpr>(e))
        return initialise(at, type, full->getSubExpr(), whole);
    uint32_t aggregate = type->isRecordType() || type->isArrayType() ? IR_SF_AGGREGATE : 0;
    if (auto *list = dyn_cast<InitListExpr>(e)) {
        if (list->isSyntacticForm() && list->getSemanticForm())
            list = list->getSemanticForm();
        if (aggregate)
            return initialise_list(at, list, whole);
        if (list->getNumInits() == 1)
            return initialise(at, type, list->getInit(0), whole);
        if (!list->getNumInits())
            return store(at, constant(0, unit.type(type)), IR_SF_INIT, loc(e));
        for (const Expr *part : list->inits())
            effect(part);
        return store(at, unknown(type), IR_SF_INIT, loc(e));
    }
    if (isa<ImplicitValueInitExpr>(e)) {
        if (whole)
            store(at, value(e), IR_SF_INIT | aggregate, 0);
        return;
    }
    if (isa<NoInitExpr>(e))
        return;
    if (auto *update = dyn_cast<DesignatedInitUpdateExpr>(e)) {
        initialise(at, type, update->getBase(), whole);
        return initialise(at, type, update->getUpdater(), false);
    }
    if (auto *cast = dyn_cast<ImplicitCastExpr>(e); cast && cast->getCastKind() == CK_LValueToRValue)
        if (auto *literal = dyn_cast<CompoundLiteralExpr>(cast->getSubExpr()->IgnoreParens()))
            return initialise(at, type, literal->getInitializer(), whole);
    if (auto *literal = dyn_cast<CompoundLiteralExpr>(e)) /* GNU: an array from a literal of its type */
        return initialise(at, type, literal->getInitializer(), whole);
    if (auto *c = dyn_cast<CallExpr>(e);
        c && unit.ast.hasSameUnqualifiedType(type, c->getType()) && expr_rec(at).op == IR_E_VAR) {
        ir_expr got = call(c, true, false, at);
        if (got != at)
            store(at, got, IR_SF_INIT | aggregate, loc(e));
        return;
    }
    ir_expr v = value(e);
    int64_t known;
    if (!whole && is_constant(v, known) && !known)
        return; /* the whole was zero before its parts */
    if (open())
        store(at, v, IR_SF_INIT | aggregate, loc(e));
}

void FunctionLowering::initialise_list(ir_expr at, const InitListExpr *list, bool whole) {
    QualType type = list->getType();
    bool plain = is_plain_data(list);
    if (whole || plain)
        store(at, make(IR_E_INIT, unit.type(type), !plain), IR_SF_INIT | IR_SF_AGGREGATE, loc(list));
    if (plain)
        return;
    if (list->getNumInits() == 1 && isa<StringLiteral>(list->getInit(0)->IgnoreParens()))
        return initialise(at, type, list->getInit(0), false);

    if (auto *array = unit.ast.getAsArrayType(type)) {
        QualType element = array->getElementType();
        ir_type element_type = unit.type(element);
        ir_expr first = make(IR_E_ADDR, unit.type(unit.ast.getPointerType(element)), at);
        for (unsigned i = 0; i < list->getNumInits(); i++) {
            const Expr *part = list->getInit(i);
            unsigned last = i;
            while (last + 1 < list->getNumInits() && list->getInit(last + 1) == part)
                last++;
            if (isa<ImplicitValueInitExpr>(part)) {
                i = last;
                continue;
            }
            /* A range, [2 ... 9] = x: one store to some element of it. */
            ir_expr index = last > i ? make(IR_E_UNKNOWN, unit.type(unit.ast.IntTy)) : integer(i);
            initialise(make(IR_E_INDEX, element_type, first, index, 0, loc(part)), element, part, false);
            i = last;
        }
        return;
    }
    const RecordDecl *record = type->getAsRecordDecl();
    if (!record)
        return;
    if (record->getDefinition())
        record = record->getDefinition();
    auto part_of = [&](const FieldDecl *member, const Expr *part) {
        ir_field row = unit.field(member);
        if (row)
            initialise(make(IR_E_FIELD, unit.type(member->getType()), at, row, 0, loc(part)),
                       member->getType(), part, false);
    };
    if (record->isUnion()) {
        if (list->getNumInits() && list->getInitializedFieldInUnion())
            part_of(list->getInitializedFieldInUnion(), list->getInit(0));
        return;
    }
    unsigned i = 0;
    for (const FieldDecl *member : record->fields()) {
        if (member->isBitField() && !member->getDeclName())
            continue;
        if (i >= list->getNumInits())
            break;
        if (const Expr *part = list->getInit(i++))
            part_of(member, part);
    }
}

/* The labels whose addresses are taken here can be the target of a computed goto. */
void FunctionLowering::note_labels(const Stmt *s) {
    if (!s)
        return;
    if (auto *address = dyn_cast<AddrLabelExpr>(s)) {
        const LabelDecl *decl = address->getLabel();
        for (const LabelDecl *known : addressed_labels)
            if (known == decl)
                return;
        addressed_labels.push_back(decl);
        return;
    }
    for (const Stmt *child : s->children())
        note_labels(child);
}

} // namespace aglet
