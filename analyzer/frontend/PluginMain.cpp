/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The plugin proper: runs before code generation in every compilation that `clang -fplugin=aglet-clang-N.so` does.
 * Stands on Unit.h for the lowering and on PluginParts.h for what is done with the unit. */
#include "PluginParts.h"
#include "rules/rule.h"

#include <clang/Frontend/FrontendPluginRegistry.h>

using namespace clang;

namespace {

class Consumer : public ASTConsumer {
  public:
    Consumer(CompilerInstance &compiler, aglet::PluginOptions options)
        : compiler(compiler), options(std::move(options)) {}

    bool HandleTopLevelDecl(DeclGroupRef group) override {
        for (Decl *decl : group)
            aglet::set_aside(decl, aside);
        return true;
    }

    void HandleTagDeclDefinition(TagDecl *decl) override {
        aglet::set_aside(decl, aside);
    }

    void HandleTranslationUnit(ASTContext &ast) override {
        DiagnosticsEngine &diagnostics = compiler.getDiagnostics();
        bool embed = options.embed && aglet::can_embed(compiler);
        if (diagnostics.hasErrorOccurred() || (diagnostics.getIgnoreAllWarnings() && !embed))
            return;
        unit *made = aglet::UnitLowering(ast, &aside).lower();
        if (!made)
            return;
        if (embed)
            aglet::embed_unit(compiler, ast, made);
        if (diagnostics.getIgnoreAllWarnings())
            return unit_free(made);
        aglet::report_findings(compiler, options, made);
    }

  private:
    CompilerInstance &compiler;
    aglet::PluginOptions options;
    aglet::SetAside aside;
};

class Plugin : public PluginASTAction {
  protected:
    std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &compiler, llvm::StringRef) override {
        /* Preprocessed input was made without the annotations; a precompiled header is checked where it is used. */
        const LangOptions &language = compiler.getLangOpts();
        if (options.off || language.CPlusPlus || aglet::is_objective_c(language) ||
            compiler.getFrontendOpts().ProgramAction == frontend::GeneratePCH)
            return std::make_unique<ASTConsumer>();
        Preprocessor &preprocessor = compiler.getPreprocessor();
        preprocessor.setPredefines(std::string(preprocessor.getPredefines()) + "#define __AGLET__ 1\n");
        return std::make_unique<Consumer>(compiler, options);
    }

    bool ParseArgs(const CompilerInstance &compiler, const std::vector<std::string> &args) override {
        for (const std::string &arg : args) {
            llvm::StringRef value = llvm::StringRef(arg).split('=').second;
            if (arg == "off")
                options.off = true;
            else if (arg == "no-embed")
                options.embed = false;
            else if (arg == "level=1" || arg == "level=2")
                options.level = arg.back() - '0';
            else if (aglet::begins_with(arg, "rules="))
                add_rules(value);
            else if (aglet::begins_with(arg, "config=") && !value.empty())
                options.config = value.str();
            else
                return complain(
                    compiler, "there is no plugin argument '" + arg +
                                  "'; off, no-embed, level=1, level=2, rules=A,B and config=FILE are known");
        }
        for (const std::string &id : options.rules)
            if (!is_rule(id))
                return complain(compiler, "there is no rule '" + id + "'; `aglet rules` lists them");
        return true;
    }

    PluginASTAction::ActionType getActionType() override {
        return AddBeforeMainAction;
    }

  private:
    void add_rules(llvm::StringRef list) {
        llvm::SmallVector<llvm::StringRef, 8> ids;
        list.split(ids, ',', -1, false);
        for (llvm::StringRef id : ids)
            options.rules.push_back(aglet::begins_with(id, "aglet-") ? id.drop_front(6).str() : id.str());
    }

    static bool is_rule(const std::string &id) {
        for (const rule *const *r = rules_all; *r; r++)
            if (id == (*r)->id)
                return true;
        return false;
    }

    static bool complain(const CompilerInstance &compiler, const std::string &what) {
        DiagnosticsEngine &diagnostics = compiler.getDiagnostics();
        diagnostics.Report(aglet::custom_diagnostic(diagnostics, DiagnosticsEngine::Error))
            << "aglet: " + what;
        return false;
    }

    aglet::PluginOptions options;
};

FrontendPluginRegistry::Add<Plugin> registration("aglet", "fearless concurrency for C");

} // namespace
