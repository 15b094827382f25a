/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads the annotations off declarations: our own words, and Clang's thread-safety attributes as the same words.
 * Stands on ir/annotations.def for what may stand where. Lock expressions stay text: the engine parses them. */
#include "Unit.h"

using namespace clang;

namespace aglet {

namespace {
struct Word {
    const char *name, *macro;
    unsigned places;
    int arity;
};
const Word words[] = {
    {"", "", 0, 0},
#define AGLET_ANNOTATION(name, macro, places, arity) {#name, #macro, unsigned(places), arity},
#include "ir/annotations.def"
};

const char prefix[] = "aglet:";

/* What a declaration is, as ON_* of annotation_places.h. */
unsigned places_of(const Decl *decl) {
    QualType type;
    unsigned places = 0;
    if (auto *function = dyn_cast<FunctionDecl>(decl)) {
        type = function->getReturnType();
        return ON_FUNCTION | ON_RESULT | (type->isPointerType() ? unsigned(ON_POINTER) : 0u);
    }
    if (isa<FieldDecl>(decl))
        places = ON_FIELD;
    else if (isa<ParmVarDecl>(decl))
        places = ON_PARAM;
    else if (isa<VarDecl>(decl))
        places = ON_VARIABLE;
    else if (auto *tag = dyn_cast<TagDecl>(decl))
        return ON_TYPE | (tag->isCompleteDefinition() ? 0u : unsigned(ON_FILE));
    else if (isa<TypedefNameDecl>(decl))
        places = ON_TYPE;
    if (auto *value = dyn_cast<ValueDecl>(decl))
        type = value->getType();
    else if (auto *alias = dyn_cast<TypedefNameDecl>(decl))
        type = alias->getUnderlyingType();
    if (type.isNull())
        return places;
    QualType element = type;
    while (const Type *inner = element->getPointeeOrArrayElementType()) {
        if (!element->isArrayType())
            break;
        element = QualType(inner, 0);
    }
    if (element->isPointerType())
        places |= ON_POINTER;
    if (element->isFunctionType() || element->isFunctionPointerType())
        places |= ON_FUNCTION;
    return places;
}

const char *place_name(unsigned places) {
    return places & ON_FIELD      ? "a field"
           : places & ON_PARAM    ? "a parameter"
           : places & ON_VARIABLE ? "a variable"
           : places & ON_RESULT   ? "a function"
           : places & ON_TYPE     ? "a type"
                                  : "this";
}

std::string places_wanted(unsigned places) {
    static const struct {
        unsigned place;
        const char *name;
    } names[] = {{ON_TYPE, "types"},
                 {ON_FILE, "tokens"},
                 {ON_FIELD, "fields"},
                 {ON_VARIABLE, "variables"},
                 {ON_PARAM, "parameters"},
                 {ON_FUNCTION, "functions"},
                 {ON_RESULT, "functions' results"}};
    std::string text;
    for (auto &name : names)
        if (places & name.place)
            text += (text.empty() ? "" : ", ") + std::string(name.name);
    if (places & ON_POINTER)
        text += " of pointer type";
    return text;
}

/* The expressions of a list, at its top level, without blanks. */
llvm::SmallVector<std::string, 4> arguments_of(llvm::StringRef text) {
    llvm::SmallVector<std::string, 4> out;
    if (text.trim().empty())
        return out;
    out.emplace_back();
    int depth = 0;
    char quote = 0;
    for (size_t i = 0; i < text.size(); i++) {
        char c = text[i];
        if (quote) {
            if (c == '\\' && i + 1 < text.size())
                out.back() += text[i++];
            else if (c == quote)
                quote = 0;
            out.back() += text[i];
            continue;
        }
        if (c == ',' && !depth) {
            out.emplace_back();
            continue;
        }
        if (c == '"' || c == '\'')
            quote = c;
        depth += (c == '(' || c == '[' || c == '{') - (c == ')' || c == ']' || c == '}');
        if (!isspace((unsigned char)c))
            out.back() += c;
    }
    return out;
}

/* Their number; -1 where one is missing. */
int count_arguments(llvm::StringRef text) {
    llvm::SmallVector<std::string, 4> list = arguments_of(text);
    return llvm::is_contained(list, "") ? -1 : int(list.size());
}

std::string wrong_arity(const Word &word, llvm::StringRef args) {
    std::string macro = word.macro;
    if (word.arity == ARITY_REASON)
        return args.trim().empty() ? macro + " needs a reason" : "";
    int n = count_arguments(args);
    if (n < 0)
        return "an argument of " + macro + " is empty";
    int least = word.arity == ARITY_SOME ? 1 : word.arity == ARITY_VALUE ? 2 : word.arity;
    if (n == least || (word.arity < 0 && n > least))
        return "";
    return macro + (word.arity < 0 ? " takes at least " : " takes ") + std::to_string(least) +
           (least == 1 ? " argument" : " arguments") + ", here are " + std::to_string(n);
}

/* What the word says cannot be of this declaration, although it may stand on such a one. */
std::string wrong_declaration(uint32_t kind, llvm::StringRef args, const Decl *on) {
    std::string macro = words[kind].macro;
    if (kind == IR_A_refcount && (places_of(on) & ON_POINTER))
        return macro + " stands on a pointer: it is for the number of references";
    auto *named = dyn_cast<NamedDecl>(on);
    if (kind == IR_A_guarded_by && named && named->getIdentifier() && named->getName() == args.trim())
        return "'" + args.trim().str() + "' cannot be guarded by itself";
    const FunctionDecl *function = dyn_cast<FunctionDecl>(on);
    if (auto *param = dyn_cast<ParmVarDecl>(on))
        function = dyn_cast<FunctionDecl>(param->getDeclContext());
    bool of_result = kind == IR_A_sending_if || kind == IR_A_spawns_if || kind == IR_A_try_acquires ||
                     kind == IR_A_try_acquires_shared || kind == IR_A_returns_lock;
    if (of_result && function && function->getReturnType()->isVoidType())
        return macro + " speaks of the result of '" + function->getName().str() + "', which returns nothing";
    return "";
}

/* Two words that cannot both be true of one declaration; `of_one_lock`: of one that both name. */
const struct {
    uint32_t kind, other;
    bool of_one_lock;
    const char *remedy;
} contradictions[] = {
    {IR_A_owned, IR_A_shared, false, ""},
    {IR_A_yields, IR_A_no_yield, false, ""},
    {IR_A_blocks, IR_A_no_block, false, ""},
    {IR_A_acquires, IR_A_releases, true,
     ": a function that gives it back and takes it again AGLET_REQUIRES it"},
    {IR_A_acquires_shared, IR_A_releases, true,
     ": a function that gives it back and takes it again AGLET_REQUIRES it"},
    {IR_A_requires, IR_A_excludes, true, ""},
    {IR_A_requires_shared, IR_A_excludes, true, ""},
    {IR_A_releases, IR_A_excludes, true, ": what is given back must be held when the function is called"},
};

/* Where the outermost star of the declared pointer stands. */
SourceLocation outermost_star(const Decl *decl) {
    TypeLoc type;
    if (auto *declarator = dyn_cast<DeclaratorDecl>(decl)) {
        if (TypeSourceInfo *info = declarator->getTypeSourceInfo())
            type = info->getTypeLoc();
    } else if (auto *alias = dyn_cast<TypedefNameDecl>(decl)) {
        type = alias->getTypeSourceInfo()->getTypeLoc();
    }
    for (; !type.isNull(); type = type.getNextTypeLoc()) {
        if (auto pointer = type.getAs<PointerTypeLoc>())
            return pointer.getStarLoc();
        if (type.getAs<TypedefTypeLoc>())
            break;
    }
    return SourceLocation();
}
} // namespace

bool is_annotation(const Attr *attr) {
    auto *annotate = dyn_cast<AnnotateAttr>(attr);
    return annotate && begins_with(annotate->getAnnotation(), prefix);
}

bool UnitLowering::is_annotated(const Decl *decl) {
    if (aside && aside->count(decl))
        return true;
    if (!decl->hasAttrs())
        return false;
    for (const Attr *attr : decl->getAttrs())
        if (is_annotation(attr))
            return true;
    return false;
}

bool UnitLowering::has_annotated_parameter(const FunctionDecl *function) {
    return llvm::any_of(function->parameters(),
                        [&](const ParmVarDecl *param) { return is_annotated(param); });
}

void UnitLowering::incomplete(const char *what, SourceRange where) {
    build_note(b, IR_N_INCOMPLETE, what, loc(where));
}

void UnitLowering::add_annotation(ir_annot_rec rec, Annotations &out) {
    for (const ir_annot_rec &other : out)
        if (other.kind == rec.kind && other.args == rec.args)
            return;
    out.push_back(rec);
}

/* Replace each identifier that stands alone (no member's name, nothing inside a literal) as `renamed` says; "" keeps it. */
static std::string rename(llvm::StringRef text, llvm::function_ref<std::string(llvm::StringRef)> renamed) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
        size_t start = i;
        char c = text[i++];
        if (c == '"' || c == '\'') {
            while (i < text.size() && text[i] != c)
                i += text[i] == '\\' ? 2 : 1;
            i = std::min(i + 1, text.size());
        } else if (isalnum((unsigned char)c) || c == '_' || c == '$') {
            while (i < text.size() && (isalnum((unsigned char)text[i]) || text[i] == '_'))
                i++;
            llvm::StringRef before = text.take_front(start).rtrim();
            bool member = ends_with(before, ".") || ends_with(before, "->");
            std::string other = member ? "" : renamed(text.slice(start, i));
            out += other.empty() ? text.slice(start, i).str() : other;
            continue;
        }
        out += text.slice(start, i).str();
    }
    return out;
}

/* The parameters of a function pointer's own prototype, through typedefs. */
static llvm::ArrayRef<ParmVarDecl *> prototype_of(const Decl *decl) {
    TypeSourceInfo *info = nullptr;
    if (auto *declarator = dyn_cast<DeclaratorDecl>(decl))
        info = declarator->getTypeSourceInfo();
    else if (auto *alias = dyn_cast<TypedefNameDecl>(decl))
        info = alias->getTypeSourceInfo();
    TypeLoc type = info ? info->getTypeLoc() : TypeLoc();
    while (!type.isNull()) {
        if (auto prototype = type.getAs<FunctionProtoTypeLoc>())
            return prototype.getParams();
        auto alias = type.getAs<TypedefTypeLoc>();
        type = alias ? alias_of(alias)->getTypeSourceInfo()->getTypeLoc() : type.getNextTypeLoc();
    }
    return {};
}

/* Lock expressions are read against one declaration: a function's parameters go by the names of its definition, those of
 * a function pointer, which the type table does not name, by their numbers. */
std::string UnitLowering::in_shown_names(llvm::StringRef args, const Decl *on) {
    if (auto *function = dyn_cast<FunctionDecl>(on))
        return rename(args, [&](llvm::StringRef name) {
            for (const ParmVarDecl *param : function->parameters())
                if (param->getIdentifier() && param->getName() == name)
                    return param_name(function, param->getFunctionScopeIndex()).str();
            return std::string();
        });
    llvm::ArrayRef<ParmVarDecl *> params = prototype_of(on);
    return rename(args, [&](llvm::StringRef name) {
        for (size_t i = 0; i < params.size(); i++)
            if (params[i] && params[i]->getIdentifier() && params[i]->getName() == name)
                return "$" + std::to_string(i + 1);
        return std::string();
    });
}

/* Locks and data of other files, which annotations may be the only ones here to name. They are lowered at the end: one may name another. */
void UnitLowering::note_globals(llvm::StringRef args) {
    rename(args, [&](llvm::StringRef name) {
        auto known = ast.Idents.find(name);
        if (known != ast.Idents.end())
            for (const NamedDecl *found : ast.getTranslationUnitDecl()->lookup(known->second))
                if (auto *var = dyn_cast<VarDecl>(found))
                    named.push_back(var);
        return std::string();
    });
}

void UnitLowering::annotation(const AnnotateAttr *attr, const Decl *on, Annotations &out) {
    llvm::StringRef text = attr->getAnnotation(), rest = text.drop_front(strlen(prefix));
    ir_annot_rec rec = {};
    rec.loc = loc(attr->getRange());
    rec.kind = IR_A_UNKNOWN;
    rec.args = str(text);
    size_t open = rest.find('(');
    if (open != llvm::StringRef::npos && rest.back() == ')')
        for (uint32_t kind = 1; kind < IR_A_UNKNOWN; kind++)
            if (rest.take_front(open) == words[kind].name)
                rec.kind = kind;
    if (rec.kind == IR_A_UNKNOWN)
        return add_annotation(rec, out);

    const Word &word = words[rec.kind];
    llvm::StringRef args = rest.slice(open + 1, rest.size() - 1);
    rec.args = str(args);
    unsigned places = places_of(on);
    std::string wrong;
    if (!(word.places & places & ~unsigned(ON_POINTER)))
        wrong = std::string(word.macro) + " cannot stand on " + place_name(places) + ": it is for " +
                places_wanted(word.places);
    else if ((word.places & ON_POINTER) && !(places & ON_POINTER))
        wrong = std::string(word.macro) + " stands on something that is no pointer";
    else
        wrong = wrong_arity(word, args);
    if (wrong.empty())
        wrong = wrong_declaration(rec.kind, args, on);
    if (wrong.empty() && (word.places & ON_POINTER) && rec.kind != IR_A_pt_guarded_by) {
        SourceLocation star = outermost_star(on);
        if (star.isValid() &&
            sm.isBeforeInTranslationUnit(sm.getExpansionLoc(attr->getLocation()), sm.getExpansionLoc(star)))
            wrong = std::string(word.macro) + " stands before a '*': it speaks of the outermost pointer only";
    }
    if (!wrong.empty())
        return build_note(b, IR_N_ERROR, wrong.c_str(), rec.loc);
    add_annotation(rec, out);
}

std::string UnitLowering::source_text(const Expr *expr) {
    expr = expr->IgnoreParenImpCasts();
    if (auto *address = dyn_cast<UnaryOperator>(expr))
        if (address->getOpcode() == UO_AddrOf)
            expr = address->getSubExpr()->IgnoreParens();
    if (auto *string = dyn_cast<StringLiteral>(expr))
        return string->getString().str();
    if (!expr->getBeginLoc().isMacroID() && !expr->getEndLoc().isMacroID())
        return Lexer::getSourceText(CharSourceRange::getTokenRange(expr->getSourceRange()), sm,
                                    ast.getLangOpts())
            .str();
    std::string text;
    llvm::raw_string_ostream out(text);
    expr->printPretty(out, nullptr, ast.getPrintingPolicy());
    return out.str();
}

void UnitLowering::clang_attribute(const Attr *attr, Annotations &out) {
    std::string args;
    auto add = [&](uint32_t kind) {
        ir_annot_rec rec = {kind, str(args), loc(attr->getRange()), IR_AF_CLANG};
        add_annotation(rec, out);
    };
    auto about = [&](uint32_t kind, auto exprs) {
        for (const Expr *expr : exprs)
            args += (args.empty() ? "" : ", ") + source_text(expr);
        if (!args.empty())
            add(kind);
    };
    auto about_one = [&](uint32_t kind, const Expr *expr) {
        about(kind, llvm::ArrayRef<const Expr *>(expr));
    };

    if (auto *guarded = dyn_cast<GuardedByAttr>(attr))
        about_one(IR_A_guarded_by, guarded->getArg());
    else if (auto *pointee = dyn_cast<PtGuardedByAttr>(attr))
        about_one(IR_A_pt_guarded_by, pointee->getArg());
    else if (auto *needs = dyn_cast<RequiresCapabilityAttr>(attr))
        about(needs->isShared() ? IR_A_requires_shared : IR_A_requires, needs->args());
    else if (auto *takes = dyn_cast<AcquireCapabilityAttr>(attr))
        about(takes->isShared() ? IR_A_acquires_shared : IR_A_acquires, takes->args());
    else if (auto *gives = dyn_cast<ReleaseCapabilityAttr>(attr))
        about(IR_A_releases, gives->args());
    else if (auto *tries = dyn_cast<TryAcquireCapabilityAttr>(attr)) {
        if (tries->args_size()) {
            args = source_text(tries->getSuccessValue());
            about(tries->isShared() ? IR_A_try_acquires_shared : IR_A_try_acquires, tries->args());
        }
    } else if (auto *held = dyn_cast<AssertCapabilityAttr>(attr))
        about(IR_A_asserts_held, held->args());
    else if (auto *gets = dyn_cast<LockReturnedAttr>(attr))
        about_one(IR_A_returns_lock, gets->getArg());
    else if (auto *free = dyn_cast<LocksExcludedAttr>(attr))
        about(IR_A_excludes, free->args());
    else if (auto *before = dyn_cast<AcquiredBeforeAttr>(attr))
        about(IR_A_acquired_before, before->args());
    else if (auto *after = dyn_cast<AcquiredAfterAttr>(attr))
        about(IR_A_acquired_after, after->args());
    else if (isa<CapabilityAttr>(attr))
        add(IR_A_lock_type);
    else if (isa<ScopedLockableAttr>(attr))
        add(IR_A_guard_type);
    else if (isa<NoThreadSafetyAnalysisAttr>(attr)) {
        args = "no_thread_safety_analysis";
        add(IR_A_unchecked);
    } else {
        each_deprecated_lock_attribute(
            attr,
            [&](const Expr *value, auto exprs, bool shared) {
                args = source_text(value);
                about(shared ? IR_A_try_acquires_shared : IR_A_try_acquires, exprs);
            },
            [&](auto exprs) { about(IR_A_asserts_held, exprs); });
    }
}

void UnitLowering::annotations_on(const Decl *decl, Annotations &out) {
    llvm::SmallVector<ir_annot_rec, 4> found_here;
    collect_annotations(decl, found_here);
    for (ir_annot_rec rec : found_here) {
        if (rec.kind != IR_A_UNKNOWN && words[rec.kind].arity != ARITY_REASON && words[rec.kind].arity != 0) {
            std::string args = unit_str(unit_builder_unit(b), rec.args);
            note_globals(args);
            rec.args = str(in_shown_names(args, decl));
        }
        add_annotation(rec, out);
    }
}

void UnitLowering::collect_annotations(const Decl *decl, Annotations &out) {
    if (decl->hasAttrs())
        for (const Attr *attr : decl->getAttrs()) {
            auto *inheritable = dyn_cast<InheritableAttr>(attr);
            if (inheritable && inheritable->isInherited())
                continue;
            if (is_annotation(attr))
                annotation(cast<AnnotateAttr>(attr), decl, out);
            else
                clang_attribute(attr, out);
        }
    if (!aside)
        return;
    auto found = aside->find(decl);
    if (found != aside->end())
        for (const AnnotateAttr *attr : found->second)
            if (!attr->isInherited())
                annotation(attr, decl, out);
}

/* Clang's own attributes are left alone: others read them, too, and each its own way. */
void UnitLowering::check_contradictions(const Annotations &list) {
    auto text_of = [&](const ir_annot_rec &rec) {
        return llvm::StringRef(unit_str(unit_builder_unit(b), rec.args));
    };
    for (const ir_annot_rec &one : list)
        for (const ir_annot_rec &two : list)
            for (auto &pair : contradictions) {
                if (one.kind != pair.kind || two.kind != pair.other ||
                    ((one.flags | two.flags) & IR_AF_CLANG))
                    continue;
                std::string lock;
                if (pair.of_one_lock) {
                    auto others = arguments_of(text_of(two));
                    for (const std::string &argument : arguments_of(text_of(one)))
                        if (llvm::is_contained(others, argument))
                            lock = argument;
                    if (lock.empty())
                        continue;
                    lock = " on '" + lock + "'";
                }
                std::string text = std::string(words[pair.kind].macro) + " and " + words[pair.other].macro +
                                   " contradict each other" + lock + pair.remedy;
                build_note(b, IR_N_ERROR, text.c_str(), two.loc);
            }
}

ir_range UnitLowering::annotations(const Decl *decl) {
    llvm::SmallVector<ir_annot_rec, 4> out;
    auto *param = dyn_cast<ParmVarDecl>(decl);
    auto *function = param ? dyn_cast<FunctionDecl>(param->getDeclContext()) : nullptr;
    if (function && param->getFunctionScopeIndex() < function->getNumParams()) {
        for (const FunctionDecl *other : function->redecls())
            if (param->getFunctionScopeIndex() < other->getNumParams())
                annotations_on(other->getParamDecl(param->getFunctionScopeIndex()), out);
    } else {
        for (const Decl *other : decl->redecls())
            annotations_on(other, out);
    }
    if (out.size() > 1)
        check_contradictions(out);
    return build_annots(b, out.data(), out.size());
}

} // namespace aglet
