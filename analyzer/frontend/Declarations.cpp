/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Functions and variables as rows; which of the unit's declarations are worth a row at all.
 * Stands on Clang's declarations at the end of the unit, when every redeclaration has been seen. */
#include "Function.h"
#include "Unit.h"

using namespace clang;

namespace aglet {

UnitLowering::UnitLowering(ASTContext &ast, const SetAside *aside)
    : ast(ast), sm(ast.getSourceManager()), b(unit_builder_new()), aside(aside) {}

ir_func_rec UnitLowering::function_record(const FunctionDecl *function) {
    const FunctionDecl *latest = function->getMostRecentDecl();
    const FunctionDecl *shown = function->getDefinition();
    if (!shown)
        shown = function->getFirstDecl();
    ir_func_rec rec = {};
    rec.name = str(library_name(ast, function));
    rec.type = type(shown->getType());
    rec.loc = loc(shown->getLocation());
    if (!function->isExternallyVisible())
        rec.flags |= IR_FF_STATIC;
    if (latest->isInlineSpecified())
        rec.flags |= IR_FF_INLINE;
    if (latest->isNoReturn())
        rec.flags |= IR_FF_NORETURN;
    if (function->isVariadic())
        rec.flags |= IR_FF_VARIADIC;
    if (function->getBuiltinID() && function->getLocation().isInvalid())
        rec.flags |= IR_FF_SYSTEM;
    if (function->getLocation().isInvalid() ||
        sm.isInSystemHeader(sm.getExpansionLoc(function->getFirstDecl()->getLocation())))
        rec.flags |= IR_FF_SYSTEM;
    if (latest->hasAttr<WeakAttr>())
        rec.flags |= IR_FF_WEAK;
    if (latest->hasAttr<WarnUnusedResultAttr>())
        rec.flags |= IR_FF_MUST_CHECK;
    if (latest->hasAttr<ConstructorAttr>())
        rec.flags |= IR_FF_CONSTRUCTOR;
    if (latest->hasAttr<PureAttr>() || latest->hasAttr<ConstAttr>())
        rec.flags |= IR_FF_PURE;
    if (auto *label = latest->getAttr<AsmLabelAttr>())
        rec.asm_name = str(label->getLabel());
    rec.annots = annotations(function);
    return rec;
}

ir_func UnitLowering::function(const FunctionDecl *function) {
    const FunctionDecl *key = function->getCanonicalDecl();
    auto known = functions.find(key);
    if (known != functions.end())
        return known->second;

    /* A builtin and the library function it stands for are one. */
    std::string name = library_name(ast, function);
    if (name != function->getName()) {
        auto found = ast.getTranslationUnitDecl()->lookup(&ast.Idents.get(name));
        for (NamedDecl *other : found)
            if (auto *library = dyn_cast<FunctionDecl>(other))
                return functions[key] = this->function(library);
        auto other = library_functions.find(name);
        if (other != library_functions.end())
            return functions[key] = other->second;
    }

    ir_func_rec rec = function_record(function);
    const FunctionDecl *shown = function->getDefinition();
    if (!shown)
        shown = function->getMostRecentDecl();
    llvm::SmallVector<ir_var_rec, 8> params;
    for (const ParmVarDecl *param : shown->parameters()) {
        ir_var_rec row = {};
        row.kind = IR_V_PARAM;
        row.name = str(param_name(function, param->getFunctionScopeIndex()));
        row.type = type(param->getType());
        row.loc = loc(param->getLocation());
        row.annots = annotations(param);
        params.push_back(row);
    }
    ir_func made = build_function(b, &rec, params.data(), params.size());
    functions[key] = made;
    if (name != function->getName())
        library_functions[name] = made;
    return made;
}

llvm::StringRef UnitLowering::param_name(const FunctionDecl *function, unsigned index) {
    const FunctionDecl *definition = function->getDefinition();
    if (definition && index < definition->getNumParams() && definition->getParamDecl(index)->getIdentifier())
        return definition->getParamDecl(index)->getName();
    for (const FunctionDecl *other : function->redecls())
        if (index < other->getNumParams() && other->getParamDecl(index)->getIdentifier())
            return other->getParamDecl(index)->getName();
    return "";
}

ir_var UnitLowering::global(const VarDecl *var) {
    const VarDecl *key = var->getCanonicalDecl();
    auto known = globals.find(key);
    if (known != globals.end())
        return known->second;

    const VarDecl *shown = var->getDefinition() ? var->getDefinition() : var->getMostRecentDecl();
    ir_var_rec rec = {};
    rec.kind = IR_V_GLOBAL;
    rec.name = str(var->getName());
    rec.type = type(shown->getType());
    rec.loc = loc(shown->getLocation());
    if (!var->isExternallyVisible())
        rec.flags |= IR_VF_STATIC;
    if (var->hasDefinition() != VarDecl::DeclarationOnly)
        rec.flags |= IR_VF_DEFINED;
    if (var->getTLSKind() != VarDecl::TLS_None)
        rec.flags |= IR_VF_TLS;
    rec.annots = annotations(var);
    ir_var made = build_global(b, &rec);
    globals[key] = made;
    if (const Expr *value = var->getAnyInitializer())
        initialisers.push_back({made, value});
    return made;
}

void UnitLowering::top_level(const Decl *decl) {
    bool annotated = is_annotated(decl);
    if (auto *func = dyn_cast<FunctionDecl>(decl))
        annotated = annotated || has_annotated_parameter(func);
    SourceLocation at = sm.getExpansionLoc(decl->getLocation());
    if (!annotated && (decl->isImplicit() || (at.isValid() && sm.isInSystemHeader(at))))
        return;
    if (auto *func = dyn_cast<FunctionDecl>(decl)) {
        if (annotated)
            function(func);
        if (!func->doesThisDeclarationHaveABody() || func->isInvalidDecl() || sm.isInSystemHeader(at))
            return;
        /* A header's inline function that nothing here uses says nothing about this unit. */
        if (!sm.isInMainFile(at) && !func->isReferenced() && !func->isUsed() && !func->isExternallyVisible())
            return;
        function(func);
        bodies.push_back(func);
    } else if (auto *var = dyn_cast<VarDecl>(decl)) {
        if (annotated || var->isThisDeclarationADefinition() != VarDecl::DeclarationOnly) {
            if (annotated || sm.isInMainFile(at) || var->isReferenced() || var->isUsed() ||
                var->isExternallyVisible())
                global(var);
        }
    } else if (auto *tag = dyn_cast<RecordDecl>(decl)) {
        bool wanted = annotated;
        if (tag->isCompleteDefinition())
            for (const FieldDecl *member : tag->fields())
                wanted = wanted || is_annotated(member);
        if (wanted)
            record(tag);
    } else if (auto *alias = dyn_cast<TypedefNameDecl>(decl)) {
        if (annotated)
            type(typedef_type(ast, alias));
    }
}

void UnitLowering::lower_initialisers() {
    if (initialisers.empty())
        return;
    ir_func_rec rec = {};
    rec.name = str("(initialisers)");
    rec.flags = IR_FF_STATIC | IR_FF_INITIALISERS | IR_FF_DEFINED;
    FunctionLowering lowering(*this, build_function(b, &rec, nullptr, 0), nullptr);
    for (size_t i = 0; i < initialisers.size();
         i++) /* grows while we walk: a global's value may name another */
        lowering.initialise_global(initialisers[i].var, initialisers[i].value);
    lowering.finish(SourceLocation());
}

unit *UnitLowering::lower() {
    std::string main_file = absolute(file_name_of(sm, sm.getMainFileID()));
    llvm::SmallString<256> directory(".");
    sm.getFileManager().makeAbsolutePath(directory);
    llvm::StringRef here = directory;
    if (ends_with(here, "/."))
        here = here.drop_back(2);
    std::string producer = "clang " CLANG_VERSION_STRING;
    unit_builder_set_origin(b, main_file.c_str(), here.str().c_str(),
                            ast.getTargetInfo().getTriple().str().c_str(), producer.c_str(),
                            uint32_t(ast.getTypeSizeInChars(ast.VoidPtrTy).getQuantity()));
    file(sm.getMainFileID());

    for (const Decl *decl : ast.getTranslationUnitDecl()->decls())
        top_level(decl);
    for (const FunctionDecl *definition : bodies) {
        FunctionLowering lowering(*this, function(definition), definition);
        lowering.lower_body();
    }
    for (size_t i = 0; i < named.size(); i++) /* grows while we walk */
        global(named[i]);
    lower_initialisers();
    for (size_t i = 0; i < named.size(); i++) /* and a value may bring in types with annotations */
        global(named[i]);
    every_file();
    const char *wrong;
    unit *made = unit_builder_try_finish(b, &wrong);
    if (!made) /* a mistake of ours costs this file's analysis, never its compilation */
        fprintf(stderr, "aglet: %s is not analysed, for its graphs came out wrong: %s\n", main_file.c_str(),
                wrong);
    return made;
}

} // namespace aglet
