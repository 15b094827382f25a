/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Solves the unit and says the findings as Clang's own diagnostics, with notes and fix-its.
 * Stands on program/program.h, program/config.h, report/finding.h. Clang does not apply -Werror and -w to a plugin's diagnostics
 * on every version, so both are applied here. */
#include "PluginParts.h"
#include "program/config.h"
#include "program/program.h"
#include "report/ignores.h"
#include "rules/rule.h"

#include <llvm/Support/Path.h>

using namespace clang;

namespace aglet {

namespace {
bool rule_exists(const char *id) {
    for (const rule *const *r = rules_all; *r; r++)
        if (!strcmp((*r)->id, id))
            return true;
    return false;
}

class Reporter {
  public:
    explicit Reporter(CompilerInstance &compiler)
        : diagnostics(compiler.getDiagnostics()), sm(compiler.getSourceManager()) {}

    /* A failure of the plugin's own: one sentence, and the compilation fails. */
    void fail(const std::string &what) {
        say(DiagnosticsEngine::Error, nullptr, what);
    }

    /* What the analysis left out: no finding, so never an error. */
    void remark(const std::string &what) {
        say(DiagnosticsEngine::Remark, nullptr, what);
    }

    void say(const finding &f) {
        DiagnosticsEngine::Level level = DiagnosticsEngine::Remark;
        if (f.severity == SEVERITY_ERROR ||
            (f.severity == SEVERITY_WARNING && diagnostics.getWarningsAsErrors()))
            level = DiagnosticsEngine::Error;
        else if (f.severity == SEVERITY_WARNING)
            level = DiagnosticsEngine::Warning;
        say(level, &f.at, std::string(f.message) + " [aglet-" + f.rule + "]", &f);
        for (size_t i = 0; i < f.n_notes; i++)
            say(DiagnosticsEngine::Note, &f.notes[i].at, f.notes[i].text);
    }

  private:
    void say(DiagnosticsEngine::Level level, const position *at, std::string text,
             const finding *with_fixits = nullptr) {
        SourceLocation begin, end;
        if (at && at->file) {
            begin = location(at->file, at->line, at->col);
            end = location(at->file, at->end_line, at->end_col);
            if (begin.isInvalid() && level != DiagnosticsEngine::Note)
                text = std::string(at->file) + ":" + std::to_string(at->line) + ":" +
                       std::to_string(at->col) + ": " + text;
        }
        DiagnosticBuilder out = diagnostics.Report(begin, custom_diagnostic(diagnostics, level));
        out << text;
        if (begin.isValid() && end.isValid())
            out << CharSourceRange::getCharRange(begin, end);
        for (size_t i = 0; with_fixits && i < with_fixits->n_fixits; i++) {
            const fixit &edit = with_fixits->fixits[i];
            SourceLocation from = location(edit.at.file, edit.at.line, edit.at.col);
            SourceLocation to = location(edit.at.file, edit.at.end_line, edit.at.end_col);
            if (from.isInvalid())
                continue;
            if (to.isInvalid() || from == to)
                out << FixItHint::CreateInsertion(from, edit.text);
            else
                out << FixItHint::CreateReplacement(CharSourceRange::getCharRange(from, to), edit.text);
        }
    }

    SourceLocation location(const char *path, unsigned line, unsigned column) {
        if (!path || !line)
            return SourceLocation();
        auto file = sm.getFileManager().getOptionalFileRef(path);
        return file ? sm.translateFileLineCol(&file->getFileEntry(), line, column ? column : 1)
                    : SourceLocation();
    }

    DiagnosticsEngine &diagnostics;
    SourceManager &sm;
};

struct config *read_config(const PluginOptions &options, const char *main_file, std::string &error) {
    char text[1024] = "";
    struct config *config;
    if (!options.config.empty()) {
        config = config_read(options.config.c_str(), text, sizeof text);
    } else {
        std::string directory = llvm::sys::path::parent_path(main_file).str();
        char *found = config_find(directory.c_str());
        config = found ? config_read(found, text, sizeof text) : config_default();
        free(found);
    }
    if (config && !config_check_rules(config, rule_exists, text, sizeof text)) {
        config_free(config);
        config = nullptr;
    }
    error = text;
    return config;
}
} // namespace

void report_findings(CompilerInstance &compiler, const PluginOptions &options, unit *made) {
    Reporter reporter(compiler);
    std::string main_file = unit_str(made, made->main_file), error;
    struct config *config = read_config(options, main_file.c_str(), error);
    if (!config) {
        reporter.fail(error);
        return unit_free(made);
    }
    if (config_excluded(config, main_file.c_str())) {
        config_free(config);
        return unit_free(made);
    }

    std::vector<const char *> ids, known;
    for (const std::string &id : options.rules)
        ids.push_back(id.c_str());
    ids.push_back(nullptr);
    for (const rule *const *r = rules_all; *r; r++)
        known.push_back((*r)->id);
    known.push_back(nullptr);
    program_options how = {};
    how.level = options.level ? options.level : config_level(config, main_file.c_str());
    how.models = config_models(config);
    how.rules = options.rules.empty() ? nullptr : ids.data();

    struct report *found = report_new();
    struct ignores *comments = ignores_new();
    ignores_read_unit(comments, made);
    struct program *program = program_new(&how);
    program_add(program, made);
    program_solve(program);
    program_check(program, found);
    ignores_apply(comments, found, known.data(), how.rules, false);
    report_sort(found);
    for (size_t i = 0; i < report_count(found); i++) {
        const finding *f = report_at(found, i);
        const char *path = f->at.file ? f->at.file : main_file.c_str();
        int level = options.level ? options.level : config_level(config, path);
        bool wanted = f->severity == SEVERITY_ERROR ||
                      (int(f->level) <= level && !config_excluded(config, path) &&
                       (!options.rules.empty() || config_rule_on(config, f->rule, path)));
        if (wanted && !f->suppressed)
            reporter.say(*f);
    }
    for (size_t i = 0; report_left_out_at(found, i); i++)
        reporter.remark(std::string("aglet: ") + report_left_out_at(found, i));
    report_free(found);
    ignores_free(comments);
    program_free(program);
    config_free(config);
}

} // namespace aglet
