/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Lowers one parsed translation unit to the tables of ir/unit.h: places, types, declarations; bodies go to Function.h.
 * Stands on Clang's AST as it is at the end of the unit, and on ir/builder.h. */
#ifndef AGLET_FRONTEND_UNIT_H
#define AGLET_FRONTEND_UNIT_H

#include "clang_versions.h"
#include "ir/annotation_places.h"
#include "ir/builder.h"

namespace aglet {

/* Attributes taken off declarations before code generation saw them (the plugin's), by declaration. */
using SetAside = llvm::DenseMap<const clang::Decl *, llvm::SmallVector<const clang::AnnotateAttr *, 2>>;

/* Is this one of our annotations? */
bool is_annotation(const clang::Attr *attr);

/* The name a function is known by: of a compiler builtin that stands for a library function, that one's. */
std::string library_name(clang::ASTContext &ast, const clang::FunctionDecl *function);

class UnitLowering {
  public:
    /* Neither argument is owned; `aside` may be null. */
    UnitLowering(clang::ASTContext &ast, const SetAside *aside);

    /* Lower everything.
     * Returns  the unit, owned by the caller (unit_free), or null when unit_check refused it, which was said. */
    unit *lower();

    clang::ASTContext &ast;
    clang::SourceManager &sm;
    unit_builder *const b;

    ir_str str(llvm::StringRef text);
    /* The place of a range: where a reader would point, outside every macro's body. */
    ir_loc loc(clang::SourceRange range);
    ir_loc loc(clang::SourceLocation at) {
        return loc(clang::SourceRange(at, at));
    }

    ir_type type(clang::QualType type);
    ir_field field(const clang::FieldDecl *field);
    /* A variable with a fixed address: file scope, extern, a compound literal there. */
    ir_var global(const clang::VarDecl *var);
    ir_func function(const clang::FunctionDecl *function);

    /* What is written on the declaration, all its redeclarations and, for a parameter, those of its function.
     * What does not belong there, or has the wrong number of arguments, is noted as an error and left out. */
    ir_range annotations(const clang::Decl *decl);

    /* Something left out of the graphs, said under --verbose. */
    void incomplete(const char *what, clang::SourceRange where);

    /* Static locals and compound literals whose initialisers are still to be lowered, with those of globals. */
    struct Initialiser {
        ir_var var;
        const clang::Expr *value;
    };
    std::vector<Initialiser> initialisers;

  private:
    struct File {
        clang::FileID id;
        ir_file file = 0;
        bool has_line_directives = false;
    };
    const File &file(clang::FileID id);
    void
    every_file(); /* also those no location is in: whoever keeps the unit asks whether they are as they were */
    std::string absolute(llvm::StringRef path);

    ir_type make_type(clang::QualType type);
    ir_type record(const clang::RecordDecl *decl);
    ir_type named_type(uint32_t kind, clang::QualType type, const clang::NamedDecl *decl, ir_type elem);
    ir_type function_type(const clang::FunctionType *type);
    std::string tag_name(const clang::TagDecl *decl, uint32_t &flags);

    void top_level(const clang::Decl *decl);
    bool is_annotated(const clang::Decl *decl);
    bool has_annotated_parameter(const clang::FunctionDecl *function);
    void lower_initialisers();
    /* The name a parameter goes by, whichever declaration gives it. */
    llvm::StringRef param_name(const clang::FunctionDecl *function, unsigned index);
    std::string in_shown_names(llvm::StringRef args, const clang::Decl *on);
    void note_globals(llvm::StringRef args);
    ir_func_rec function_record(const clang::FunctionDecl *function);

    using Annotations = llvm::SmallVectorImpl<ir_annot_rec>;
    void annotations_on(const clang::Decl *decl, Annotations &out);
    void collect_annotations(const clang::Decl *decl, Annotations &out);
    void check_contradictions(const Annotations &list);
    void annotation(const clang::AnnotateAttr *attr, const clang::Decl *on, Annotations &out);
    void add_annotation(ir_annot_rec rec, Annotations &out);
    void clang_attribute(const clang::Attr *attr, Annotations &out);
    std::string source_text(const clang::Expr *expr);

    const SetAside *aside;
    llvm::DenseMap<clang::FileID, File> files;
    File last_file;
    llvm::StringMap<std::string> shortened; /* names with "..", and what they come to */
    llvm::DenseMap<std::pair<unsigned, unsigned>, ir_loc> locs;
    llvm::DenseMap<const void *, ir_type> types;
    llvm::DenseMap<const clang::TagDecl *, ir_type> tags;
    llvm::DenseMap<const clang::FieldDecl *, ir_field> fields;
    llvm::DenseMap<const clang::VarDecl *, ir_var> globals;
    llvm::DenseMap<const clang::FunctionDecl *, ir_func> functions;
    std::map<std::string, ir_func> library_functions;
    std::vector<const clang::FunctionDecl *> bodies;
    std::vector<const clang::VarDecl *> named; /* by annotations */
};

} // namespace aglet

#endif
