/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Everything that differs between Clang 14 and 22, and the Clang headers the frontend stands on (precompiled once).
 * No other file of the frontend may ask for AGLET_CLANG_MAJOR. */
#ifndef AGLET_FRONTEND_CLANG_VERSIONS_H
#define AGLET_FRONTEND_CLANG_VERSIONS_H

#include <clang/AST/ASTConsumer.h>
#include <clang/AST/ASTContext.h>
#include <clang/AST/Attr.h>
#include <clang/AST/Decl.h>
#include <clang/AST/Expr.h>
#include <clang/AST/ExprCXX.h>
#include <clang/AST/RecordLayout.h>
#include <clang/AST/Stmt.h>
#include <clang/AST/TypeLoc.h>
#include <clang/Basic/Builtins.h>
#include <clang/Basic/FileManager.h>
#include <clang/Basic/SourceManager.h>
#include <clang/Basic/Stack.h>
#include <clang/Basic/TargetInfo.h>
#include <clang/Basic/Version.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/FrontendAction.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <clang/Frontend/Utils.h>
#include <clang/Lex/HeaderSearch.h>
#include <clang/Lex/Lexer.h>
#include <clang/Lex/Preprocessor.h>
#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Support/xxhash.h>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>
#if AGLET_CLANG_MAJOR >= 22
#include <clang/Driver/CreateInvocationFromArgs.h>
#endif

namespace aglet {

inline bool begins_with(llvm::StringRef text, llvm::StringRef prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

inline bool ends_with(llvm::StringRef text, llvm::StringRef suffix) {
    return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

/* The name a file was opened by, or an empty text for a buffer that is no file. */
inline llvm::StringRef file_name_of(const clang::SourceManager &sm, clang::FileID id) {
    auto entry = sm.getFileEntryRefForID(id);
    return entry ? entry->getName() : llvm::StringRef();
}

inline clang::QualType typedef_type(clang::ASTContext &ast, const clang::TypedefNameDecl *alias) {
#if AGLET_CLANG_MAJOR >= 22
    return ast.getTypedefType(clang::ElaboratedTypeKeyword::None, std::nullopt, alias);
#else
    return ast.getTypedefType(alias);
#endif
}

inline const clang::TypedefNameDecl *alias_of(clang::TypedefTypeLoc at) {
#if AGLET_CLANG_MAJOR >= 22
    return at.getDecl();
#else
    return at.getTypedefNameDecl();
#endif
}

/* The loop or switch that `break name;` or `continue name;` speaks of, or null for the plain form. */
inline const clang::Stmt *named_target(const clang::Stmt *jump) {
#if AGLET_CLANG_MAJOR >= 22
    auto *control = llvm::cast<clang::LoopControlStmt>(jump);
    return control->hasLabelTarget() ? control->getNamedLoopOrSwitch() : nullptr;
#else
    (void)jump;
    return nullptr;
#endif
}

/* Clang's deprecated lock attributes, gone since 21: calls back for each that the declaration has. */
template <class TryLock, class Asserts>
void each_deprecated_lock_attribute(const clang::Attr *attr, TryLock on_try_lock, Asserts on_assert) {
#if AGLET_CLANG_MAJOR < 22
    if (auto *exclusive = llvm::dyn_cast<clang::ExclusiveTrylockFunctionAttr>(attr))
        on_try_lock(exclusive->getSuccessValue(), exclusive->args(), false);
    else if (auto *shared = llvm::dyn_cast<clang::SharedTrylockFunctionAttr>(attr))
        on_try_lock(shared->getSuccessValue(), shared->args(), true);
    else if (auto *held = llvm::dyn_cast<clang::AssertExclusiveLockAttr>(attr))
        on_assert(held->args());
    else if (auto *held_shared = llvm::dyn_cast<clang::AssertSharedLockAttr>(attr))
        on_assert(held_shared->args());
#else
    (void)attr, (void)on_try_lock, (void)on_assert;
#endif
}

/* Diagnostics that print to standard error as Clang prints them. */
inline auto make_diagnostics(clang::DiagnosticConsumer *client) {
#if AGLET_CLANG_MAJOR >= 21
    static clang::DiagnosticOptions options;
    return clang::CompilerInstance::createDiagnostics(*llvm::vfs::getRealFileSystem(), options, client,
                                                      client != nullptr);
#elif AGLET_CLANG_MAJOR >= 20
    return clang::CompilerInstance::createDiagnostics(
        *llvm::vfs::getRealFileSystem(), new clang::DiagnosticOptions, client, client != nullptr);
#else
    return clang::CompilerInstance::createDiagnostics(new clang::DiagnosticOptions, client,
                                                      client != nullptr);
#endif
}

/* The invocation that a driver command line amounts to, its first compile job; null when it has none. */
inline std::shared_ptr<clang::CompilerInvocation>
make_invocation(const std::vector<const char *> &command,
                llvm::IntrusiveRefCntPtr<clang::DiagnosticsEngine> diagnostics) {
#if AGLET_CLANG_MAJOR >= 15
    clang::CreateInvocationOptions options;
    options.Diags = diagnostics;
    options.RecoverOnError = true;
    return clang::createInvocation(command, options);
#else
    return clang::createInvocationFromCommandLine(command, diagnostics, nullptr, true);
#endif
}

/* A compiler for the invocation that reads through `files` and says what is wrong on standard error. */
inline std::unique_ptr<clang::CompilerInstance>
make_compiler(std::shared_ptr<clang::CompilerInvocation> invocation,
              llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> files) {
#if AGLET_CLANG_MAJOR >= 21
    auto compiler = std::make_unique<clang::CompilerInstance>(std::move(invocation));
#else
    auto compiler = std::make_unique<clang::CompilerInstance>();
    compiler->setInvocation(std::move(invocation));
#endif
#if AGLET_CLANG_MAJOR >= 22
    compiler->setVirtualFileSystem(files);
    compiler->createDiagnostics();
    compiler->createFileManager();
#elif AGLET_CLANG_MAJOR >= 20
    compiler->createDiagnostics(*files);
    compiler->createFileManager(files);
#else
    compiler->createDiagnostics();
    compiler->createFileManager(files);
#endif
    return compiler;
}

/* The language options of an invocation were a shared pointer before 18. */
inline auto &language_options(clang::CompilerInvocation &invocation) {
#if AGLET_CLANG_MAJOR >= 18
    return invocation.getLangOpts();
#else
    return *invocation.getLangOpts();
#endif
}

/* A diagnostic whose whole text is its argument. */
inline unsigned custom_diagnostic(clang::DiagnosticsEngine &diagnostics,
                                  clang::DiagnosticsEngine::Level level) {
    return diagnostics.getCustomDiagID(level, "%0");
}

inline clang::FileScopeAsmDecl *make_file_scope_asm(clang::ASTContext &ast, llvm::StringRef text) {
#if AGLET_CLANG_MAJOR >= 18
    auto kind = clang::StringLiteralKind::Ordinary;
#elif AGLET_CLANG_MAJOR >= 15
    auto kind = clang::StringLiteral::Ordinary;
#else
    auto kind = clang::StringLiteral::Ascii;
#endif
    clang::QualType type = ast.getStringLiteralArrayType(ast.CharTy, unsigned(text.size()));
    auto *literal = clang::StringLiteral::Create(ast, text, kind, false, type, clang::SourceLocation());
    return clang::FileScopeAsmDecl::Create(ast, ast.getTranslationUnitDecl(), literal, {}, {});
}

inline bool is_objective_c(const clang::LangOptions &language) {
    return language.ObjC;
}

/* The keys of the source manager's files are entries before 18, references since. */
#if AGLET_CLANG_MAJOR < 18
inline const clang::FileEntry *file_entry(const clang::FileEntry *entry) {
    return entry;
}
inline llvm::StringRef entry_name(const clang::FileEntry *entry) {
    return entry->getName();
}
#endif
inline const clang::FileEntry *file_entry(clang::FileEntryRef entry) {
    return &entry.getFileEntry();
}
inline llvm::StringRef entry_name(clang::FileEntryRef entry) {
    return entry.getName();
}

} // namespace aglet

#endif
