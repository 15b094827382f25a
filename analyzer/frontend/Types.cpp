/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Clang's types as rows of the type table. Sugar goes, but for typedefs, whose names models know and whose annotations count.
 * Stands on Clang's types. Each type is described once, by its address in Clang; each struct once, however it is spelled. */
#include "Unit.h"

#include <llvm/Support/Path.h>

using namespace clang;

namespace aglet {

ir_type UnitLowering::type(QualType type) {
    if (type.isNull())
        return 0;
    auto known = types.find(type.getAsOpaquePtr());
    if (known != types.end())
        return known->second;
    ir_type made = make_type(type);
    types[type.getAsOpaquePtr()] = made;
    return made;
}

static uint32_t size_of(ASTContext &ast, QualType type) {
    if (type->isIncompleteType() || type->isDependentType() || type->isFunctionType() ||
        type->isVariableArrayType() || type->isUndeducedType())
        return 0;
    int64_t size = ast.getTypeSizeInChars(type).getQuantity();
    return size > 0 && size <= UINT32_MAX ? uint32_t(size) : 0;
}

ir_type UnitLowering::make_type(QualType qualified) {
    ir_type_rec rec = {};
    if (Qualifiers quals = qualified.getLocalQualifiers(); quals.getCVRQualifiers()) {
        rec.kind = IR_T_QUALIFIED;
        rec.flags = (quals.hasConst() ? IR_TF_CONST : 0) | (quals.hasVolatile() ? IR_TF_VOLATILE : 0) |
                    (quals.hasRestrict() ? IR_TF_RESTRICT : 0);
        rec.elem = type(qualified.getLocalUnqualifiedType());
        rec.size = unit_builder_unit(b)->types[rec.elem].size;
        ir_type made = build_type_reserve(b);
        build_type_define(b, made, &rec);
        return made;
    }

    const Type *plain = qualified.getTypePtr();
    if (auto *alias = dyn_cast<TypedefType>(plain)) {
        const TypedefNameDecl *decl = alias->getDecl();
        if (ast.hasSameType(qualified, ast.getBuiltinVaListType()))
            return named_type(IR_T_VA_LIST, qualified, decl, 0);
        QualType under = decl->getUnderlyingType();
        /* The name of an anonymous struct is the struct's own name already. */
        auto *tag = under->getAsTagDecl();
        if (tag && tag->getTypedefNameForAnonDecl() == decl && !is_annotated(decl))
            return type(under);
        return named_type(IR_T_TYPEDEF, qualified, decl, type(under));
    }
    if (auto *tag = dyn_cast<RecordType>(plain))
        return record(cast<RecordDecl>(tag->getAsTagDecl()));

    /* Sugar of other kinds says nothing: attributes, parentheses, typeof, `struct` before a tag. */
    QualType desugared = qualified.getSingleStepDesugaredType(ast);
    if (desugared != qualified)
        return type(desugared);

    rec.size = size_of(ast, qualified);
    if (auto *builtin = dyn_cast<BuiltinType>(plain)) {
        rec.kind = builtin->isVoidType()                        ? IR_T_VOID
                   : builtin->isInteger()                       ? IR_T_INT
                   : builtin->isFloatingPoint()                 ? IR_T_FLOAT
                   : builtin->getKind() == BuiltinType::NullPtr ? IR_T_POINTER
                                                                : IR_T_UNKNOWN;
        if (rec.kind == IR_T_UNKNOWN)
            return 0;
        rec.flags = builtin->isUnsignedInteger() ? IR_TF_UNSIGNED : 0;
        rec.name = str(builtin->getName(ast.getPrintingPolicy()));
        if (rec.kind == IR_T_VOID)
            rec.size = 0;
        if (rec.kind == IR_T_POINTER)
            rec.elem = type(ast.VoidTy);
    } else if (plain->isEnumeralType()) {
        const auto *decl = cast<EnumDecl>(plain->getAsTagDecl());
        auto known = tags.find(decl->getCanonicalDecl());
        if (known != tags.end())
            return known->second;
        return tags[decl->getCanonicalDecl()] =
                   named_type(IR_T_ENUM, qualified, decl, type(decl->getIntegerType()));
    } else if (auto *pointer = dyn_cast<PointerType>(plain)) {
        rec.kind = IR_T_POINTER;
        rec.elem = type(pointer->getPointeeType());
    } else if (auto *array = dyn_cast<ArrayType>(plain)) {
        rec.kind = IR_T_ARRAY;
        rec.elem = type(array->getElementType());
        if (auto *sized = dyn_cast<ConstantArrayType>(array))
            rec.count = uint32_t(std::min<uint64_t>(sized->getSize().getZExtValue(), UINT32_MAX));
    } else if (auto *function = dyn_cast<FunctionType>(plain)) {
        return function_type(function);
    } else if (auto *atomic = dyn_cast<AtomicType>(plain)) {
        rec.kind = IR_T_ATOMIC;
        rec.elem = type(atomic->getValueType());
    } else if (auto *vector = dyn_cast<VectorType>(plain)) {
        rec.kind = IR_T_VECTOR;
        rec.elem = type(vector->getElementType());
        rec.count = vector->getNumElements();
    } else if (plain->isBitIntType()) {
        rec.kind = IR_T_INT;
        rec.flags = plain->isUnsignedIntegerType() ? IR_TF_UNSIGNED : 0;
        rec.name = str("_BitInt");
    } else if (auto *complex = dyn_cast<ComplexType>(plain)) {
        rec.kind = IR_T_VECTOR;
        rec.elem = type(complex->getElementType());
        rec.count = 2;
    } else {
        return 0;
    }
    ir_type made = build_type_reserve(b);
    build_type_define(b, made, &rec);
    return made;
}

ir_type UnitLowering::function_type(const FunctionType *function) {
    ir_type_rec rec = {};
    rec.kind = IR_T_FUNCTION;
    rec.elem = type(function->getReturnType());
    llvm::SmallVector<ir_type, 8> params;
    if (auto *proto = dyn_cast<FunctionProtoType>(function)) {
        for (QualType param : proto->param_types())
            params.push_back(type(param));
        if (proto->isVariadic())
            rec.flags |= IR_TF_VARIADIC;
    } else {
        rec.flags |= IR_TF_VARIADIC;
    }
    rec.params = build_type_refs(b, params.data(), params.size());
    ir_type made = build_type_reserve(b);
    build_type_define(b, made, &rec);
    return made;
}

/* A type that is its name and what it stands for. */
ir_type UnitLowering::named_type(uint32_t kind, QualType type, const NamedDecl *decl, ir_type elem) {
    ir_type_rec rec = {};
    rec.kind = kind;
    rec.elem = elem;
    rec.size = size_of(ast, type);
    rec.loc = loc(decl->getLocation());
    if (auto *tag = dyn_cast<TagDecl>(decl)) {
        std::string name = tag_name(tag, rec.flags);
        rec.name = str(name);
    } else {
        rec.name = str(decl->getName());
    }
    rec.annots = annotations(decl);
    ir_type made = build_type_reserve(b);
    build_type_define(b, made, &rec);
    return made;
}

/* Is it declared with this type written out: `struct { … } *m[2];`? */
static bool declares(const Decl *next, const TagDecl *tag) {
    auto *declarator = dyn_cast_or_null<DeclaratorDecl>(next);
    auto *alias = dyn_cast_or_null<TypedefNameDecl>(next);
    if (!declarator && !alias)
        return false;
    QualType type = declarator ? declarator->getType() : alias->getUnderlyingType();
    for (;;) {
        if (const Type *array = type->getAsArrayTypeUnsafe())
            type = cast<ArrayType>(array)->getElementType();
        else if (type->isPointerType())
            type = type->getPointeeType();
        else
            return type->getAsTagDecl() == tag;
    }
}

/* What tells a type without a name from others and moves with it, as a line would not: what is declared with it, else its own first
 * member or enumerator; or "". */
static llvm::StringRef name_near(const TagDecl *tag) {
    const Decl *next = tag->getNextDeclInContext();
    if (declares(next, tag) && cast<NamedDecl>(next)->getIdentifier())
        return cast<NamedDecl>(next)->getName();
    if (auto *record = dyn_cast<RecordDecl>(tag); record && isa<RecordDecl>(tag->getLexicalDeclContext())) {
        for (const FieldDecl *member : record->fields())
            if (member->getIdentifier())
                return member->getName();
    } else if (auto *list = dyn_cast<EnumDecl>(tag)) {
        for (const EnumConstantDecl *enumerator : list->enumerators())
            return enumerator->getName();
    }
    return "";
}

/* Blocks of one function may each have such a type: "#2" is the second. */
static std::string times_before(const TagDecl *tag, llvm::StringRef near) {
    unsigned n = 1;
    for (const Decl *other : tag->getLexicalDeclContext()->decls()) {
        auto *before = dyn_cast<TagDecl>(other);
        if (before == tag)
            break;
        n += before && !before->getIdentifier() && name_near(before) == near;
    }
    return n == 1 ? "" : "#" + std::to_string(n);
}

std::string UnitLowering::tag_name(const TagDecl *decl, uint32_t &flags) {
    if (decl->getIdentifier())
        return decl->getName().str();
    flags |= IR_TF_ANONYMOUS;
    if (auto *alias = decl->getTypedefNameForAnonDecl())
        return alias->getName().str();
    /* rko_u.mock.cmd: from the last type around it that has a name, else from its file, inwards. */
    std::string path;
    const DeclContext *around = decl;
    for (const auto *tag = decl; tag; tag = dyn_cast<TagDecl>(around)) {
        if (tag->getIdentifier() || tag->getTypedefNameForAnonDecl())
            return "(anonymous " + path + " in " +
                   (tag->getIdentifier() ? tag->getName() : tag->getTypedefNameForAnonDecl()->getName())
                       .str() +
                   ")";
        around = tag->getLexicalDeclContext();
        llvm::StringRef near = name_near(tag);
        if (near.empty())
            break;
        path = near.str() + (around->isFunctionOrMethod() ? times_before(tag, near) : "") +
               (path.empty() ? "" : "." + path);
    }
    const ir_loc_rec &at = unit_builder_unit(b)->locs[loc(decl->getLocation())];
    llvm::StringRef source = unit_str(unit_builder_unit(b), unit_builder_unit(b)->files[at.file].path);
    std::string file = llvm::sys::path::filename(source).str();
    if (auto *function = dyn_cast<FunctionDecl>(around); function && !path.empty())
        return "(anonymous " + path + " in " + function->getName().str() + " at " + file + ")";
    if (around->isFileContext() && !path.empty())
        return "(anonymous " + path + " at " + file + ")";
    return "(anonymous at " + file + ":" + std::to_string(at.line) + ":" + std::to_string(at.col) + ")";
}

ir_type UnitLowering::record(const RecordDecl *decl) {
    auto known = tags.find(cast<TagDecl>(decl->getCanonicalDecl()));
    if (known != tags.end())
        return known->second;
    ir_type made = build_type_reserve(b);
    tags[cast<TagDecl>(decl->getCanonicalDecl())] = made;

    if (const RecordDecl *definition = decl->getDefinition())
        decl = definition;
    ir_type_rec rec = {};
    rec.kind = decl->isUnion() ? IR_T_UNION : IR_T_STRUCT;
    rec.loc = loc(decl->getLocation());
    std::string name = tag_name(decl, rec.flags);
    rec.name = str(name);
    rec.annots = annotations(decl);
    if (!decl->isCompleteDefinition()) {
        rec.flags |= IR_TF_INCOMPLETE;
        build_type_define(b, made, &rec);
        return made;
    }

    bool laid_out = !decl->isInvalidDecl();
    const ASTRecordLayout *layout = laid_out ? &ast.getASTRecordLayout(decl) : nullptr;
    if (layout)
        rec.size = uint32_t(layout->getSize().getQuantity());
    if (decl->hasAttr<PackedAttr>())
        rec.flags |= IR_TF_PACKED;

    llvm::SmallVector<ir_field_rec, 16> rows;
    llvm::SmallVector<const FieldDecl *, 16> members;
    for (const FieldDecl *member : decl->fields()) {
        ir_field_rec row = {};
        row.name = member->getIdentifier() ? str(member->getName()) : 0;
        row.type = type(member->getType());
        if (layout)
            row.bit_offset = uint32_t(layout->getFieldOffset(member->getFieldIndex()));
        if (member->isBitField())
            if (auto width = member->getBitWidth()->getIntegerConstantExpr(ast))
                row.bit_width = uint32_t(width->getZExtValue());
        row.annots = annotations(member);
        row.loc = loc(member->getLocation());
        rows.push_back(row);
        members.push_back(member);
    }
    rec.fields = build_fields(b, made, rows.data(), rows.size());
    for (size_t i = 0; i < members.size(); i++)
        fields[members[i]] = rec.fields.first + uint32_t(i);
    build_type_define(b, made, &rec);
    return made;
}

ir_field UnitLowering::field(const FieldDecl *member) {
    auto known = fields.find(member);
    if (known != fields.end())
        return known->second;
    record(member->getParent());
    return fields.lookup(member);
}

} // namespace aglet
