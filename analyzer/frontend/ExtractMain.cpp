/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet-extract-N: one compile command in, the unit of its source file out.
 * Stands on Clang as a library, on Unit.h for the lowering, on ir/file.h and ir/text.h for what is written.
 *
 *     aglet-extract-N [--text | --out FILE] [--deps FILE] -- COMPILER ARGUMENTS…
 *
 * Exit status: 0 done · 1 the source did not parse (the unit is still written when Clang could go on to the end)
 * · 2 could not do its work · 3 the command compiles no C. */
#include "ExtractCommand.h"
#include "ExtractDependencies.h"
#include "Unit.h"
#include "ir/file.h"
#include "ir/text.h"

#include <clang/Lex/PreprocessorOptions.h>
#include <llvm/Support/FileSystem.h>
#include <llvm/Support/Path.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

using namespace clang;

namespace {
enum { DONE = 0, UNPARSED = 1, FAILED = 2, NOT_C = 3 };

struct Options {
    bool text = false;
    std::string out, deps;
    std::vector<std::string> command;
};

int fail(const std::string &what)
{
    fprintf(stderr, "aglet-extract-%d: %s\n", AGLET_CLANG_MAJOR, what.c_str());
    return FAILED;
}

class Consumer : public ASTConsumer {
public:
    explicit Consumer(unit *&result) : result(result) {}
    void HandleTranslationUnit(ASTContext &ast) override
    {
        if (!ast.getDiagnostics().hasUnrecoverableErrorOccurred() || !ast.getDiagnostics().hasFatalErrorOccurred())
            result = aglet::UnitLowering(ast, nullptr).lower();
    }

private:
    unit *&result;
};

class Action : public ASTFrontendAction {
public:
    explicit Action(unit *&result) : result(result) {}
    std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &, llvm::StringRef) override
    {
        return std::make_unique<Consumer>(result);
    }

private:
    unit *&result;
};

std::string clang_path()
{
    if (const char *own = getenv("AGLET_CLANG"))
        if (strchr(own, '/'))
            return own;
    return AGLET_LLVM_BINDIR "/clang";
}

/* The compiler proper's own command line, as bear records it. */
std::shared_ptr<CompilerInvocation> from_cc1(const std::vector<const char *> &command,
                                             llvm::IntrusiveRefCntPtr<DiagnosticsEngine> diagnostics, const std::string &clang)
{
    auto invocation = std::make_shared<CompilerInvocation>();
    llvm::ArrayRef<const char *> rest(command);
    CompilerInvocation::CreateFromArgs(*invocation, rest.drop_front(2), *diagnostics, clang.c_str());
    /* The row names the headers of the Clang it was recorded with; ours stand where our driver says. */
    if (auto own = aglet::make_invocation({clang.c_str(), "-fsyntax-only", "-xc", "/dev/null"}, diagnostics)) {
        HeaderSearchOptions &search = invocation->getHeaderSearchOpts();
        search.ResourceDir = own->getHeaderSearchOpts().ResourceDir;
        for (auto &entry : search.UserEntries)
            if (entry.Path.find("/lib/clang/") != std::string::npos && aglet::ends_with(entry.Path, "/include"))
                entry.Path = search.ResourceDir + "/include";
    }
    return invocation;
}

int extract(const Options &options)
{
    std::string clang = clang_path();
    std::vector<std::string> words = aglet::parse_only_command(options.command, clang);
    std::vector<const char *> command;
    for (const std::string &word : words)
        command.push_back(word.c_str());

    /* What the driver says of options only gcc knows is not heard. */
    auto quiet = aglet::make_diagnostics(new IgnoringDiagConsumer);
    bool cc1 = words.size() > 1 && words[1] == "-cc1";
    std::shared_ptr<CompilerInvocation> invocation =
        cc1 ? from_cc1(command, quiet, clang) : std::shared_ptr<CompilerInvocation>(aglet::make_invocation(command, quiet));
    if (!invocation || invocation->getFrontendOpts().Inputs.empty())
        return fail("the command compiles no source file");
    FrontendOptions &frontend = invocation->getFrontendOpts();
    Language language = frontend.Inputs[0].getKind().getLanguage();
    if (language != Language::C)
        return NOT_C;
    std::string source = frontend.Inputs[0].getFile().str();
    if (source != "-" && !llvm::sys::fs::exists(source))
        return fail("there is no file '" + source + "'");

    frontend.ProgramAction = frontend::ParseSyntaxOnly;
    frontend.DisableFree = true;
    frontend.Plugins.clear();
    frontend.OutputFile.clear();
    aglet::language_options(*invocation).SpellChecking = false;
    bool precompiled = !invocation->getPreprocessorOpts().ImplicitPCHInclude.empty();

    llvm::IntrusiveRefCntPtr<aglet::ListeningFileSystem> listener(new aglet::ListeningFileSystem);
    auto compiler = aglet::make_compiler(std::move(invocation), listener);
    unit *made = nullptr;
    Action action(made);
    compiler->ExecuteAction(action);
    bool parsed = !compiler->getDiagnostics().hasErrorOccurred();
    if (!made)
        return parsed ? fail("Clang parsed '" + source + "' but gave nothing") : UNPARSED;

    if (options.text) {
        unit_print(made, stdout);
        if (fflush(stdout) != 0)
            return fail(std::string("cannot write to standard output: ") + strerror(errno));
    } else {
        size_t size;
        unsigned char *bytes = unit_encode(made, &size);
        FILE *out = fopen(options.out.c_str(), "wb");
        if (!out || fwrite(bytes, 1, size, out) != size || fclose(out) != 0)
            return fail("cannot write '" + options.out + "': " + strerror(errno));
    }
    if (!options.deps.empty() &&
        !aglet::write_dependencies(options.deps, compiler->getSourceManager(), *listener, precompiled || source == "-"))
        return fail("cannot write '" + options.deps + "': " + strerror(errno));
    return parsed ? DONE : UNPARSED;
}
} // namespace

int main(int argc, char **argv)
{
    noteBottomOfStack();
    Options options;
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (!strcmp(argv[i], "--text"))
            options.text = true;
        else if (!strcmp(argv[i], "--out") && i + 1 < argc)
            options.out = argv[++i];
        else if (!strcmp(argv[i], "--deps") && i + 1 < argc)
            options.deps = argv[++i];
        else if (!strcmp(argv[i], "--version")) {
            printf("aglet-extract %s, clang %s\n", AGLET_VERSION, CLANG_VERSION_STRING);
            return 0;
        } else
            return fail(std::string("unknown option '") + argv[i] + "'");
    }
    for (i++; i < argc; i++)
        options.command.push_back(argv[i]);
    if (options.command.size() < 2)
        return fail("usage: aglet-extract-N [--text | --out FILE] [--deps FILE] -- COMPILER ARGUMENTS…");
    if (options.text == !options.out.empty())
        return fail("give one of --text and --out FILE");
    int status = extract(options);
    fflush(nullptr);
    _exit(status); /* the tree is not taken apart: the process ends here */
}
