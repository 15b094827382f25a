/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet-extract-N: one compile command in, the unit of its source file out.
 * Stands on Clang as a library, on Unit.h for the lowering, on ir/file.h and ir/text.h for what is written.
 *
 *     aglet-extract-N [--text | --out FILE] [--deps FILE] -- COMPILER ARGUMENTS…
 *     aglet-extract-N --serve          such command lines from standard input, each in a fork (tool/workers.h)
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
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace clang;

namespace {
enum { DONE = 0, UNPARSED = 1, FAILED = 2, NOT_C = 3, UNWRITTEN = 4 };

struct Options {
    bool text = false;
    std::string out, deps;
    std::vector<std::string> command;
};

int fail(const std::string &what) {
    fprintf(stderr, "aglet-extract-%d: %s\n", AGLET_CLANG_MAJOR, what.c_str());
    return FAILED;
}

/* The tool tries again elsewhere, and shows the reason, which stands last. */
int unwritten(const std::string &path) {
    fail("cannot write '" + path + "': " + strerror(errno));
    return UNWRITTEN;
}

class Consumer : public ASTConsumer {
  public:
    explicit Consumer(unit *&result) : result(result) {}
    void HandleTranslationUnit(ASTContext &ast) override {
        if (!ast.getDiagnostics().hasFatalErrorOccurred())
            result = aglet::UnitLowering(ast, nullptr).lower();
    }

  private:
    unit *&result;
};

class Action : public ASTFrontendAction {
  public:
    explicit Action(unit *&result) : result(result) {}
    std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &, llvm::StringRef) override {
        return std::make_unique<Consumer>(result);
    }

  private:
    unit *&result;
};

std::string clang_path() {
    if (const char *own = getenv("AGLET_CLANG"))
        if (strchr(own, '/'))
            return own;
    return AGLET_LLVM_BINDIR "/clang";
}

/* The compiler proper's own command line, as bear records it. */
std::shared_ptr<CompilerInvocation> from_cc1(const std::vector<const char *> &command,
                                             llvm::IntrusiveRefCntPtr<DiagnosticsEngine> diagnostics,
                                             const std::string &clang) {
    auto invocation = std::make_shared<CompilerInvocation>();
    llvm::ArrayRef<const char *> rest(command);
    CompilerInvocation::CreateFromArgs(*invocation, rest.drop_front(2), *diagnostics, clang.c_str());
    /* The row names the headers of the Clang it was recorded with; ours stand where our driver says. */
    if (auto own =
            aglet::make_invocation({clang.c_str(), "-fsyntax-only", "-xc", "/dev/null"}, diagnostics)) {
        HeaderSearchOptions &search = invocation->getHeaderSearchOpts();
        search.ResourceDir = own->getHeaderSearchOpts().ResourceDir;
        for (auto &entry : search.UserEntries)
            if (entry.Path.find("/lib/clang/") != std::string::npos &&
                aglet::ends_with(entry.Path, "/include"))
                entry.Path = search.ResourceDir + "/include";
    }
    return invocation;
}

int extract(const Options &options) {
    std::string clang = clang_path();
    std::vector<std::string> words = aglet::parse_only_command(options.command, clang);
    std::vector<const char *> command;
    for (const std::string &word : words)
        command.push_back(word.c_str());

    /* What the driver says of options only gcc knows is not heard. */
    auto quiet = aglet::make_diagnostics(new IgnoringDiagConsumer);
    bool cc1 = words.size() > 1 && words[1] == "-cc1";
    std::shared_ptr<CompilerInvocation> invocation =
        cc1 ? from_cc1(command, quiet, clang)
            : std::shared_ptr<CompilerInvocation>(aglet::make_invocation(command, quiet));
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
            return unwritten(options.out);
    }
    if (!options.deps.empty() && !aglet::write_dependencies(options.deps, compiler->getSourceManager(),
                                                            *listener, precompiled || source == "-"))
        return unwritten(options.deps);
    return parsed ? DONE : UNPARSED;
}
} // namespace

/* The work of one command line, which ends the process: the tree is not taken apart. */
[[noreturn]] static void run(const std::vector<std::string> &arguments) {
    Options options;
    size_t i = 0;
    auto finish = [](int status) {
        fflush(nullptr);
        _exit(status);
    };
    for (; i < arguments.size() && arguments[i] != "--"; i++) {
        const std::string &word = arguments[i];
        if (word == "--text")
            options.text = true;
        else if (word == "--out" && i + 1 < arguments.size())
            options.out = arguments[++i];
        else if (word == "--deps" && i + 1 < arguments.size())
            options.deps = arguments[++i];
        else if (word == "--version") {
            printf("aglet-extract %s, clang %s\n", AGLET_VERSION, CLANG_VERSION_STRING);
            finish(DONE);
        } else
            finish(fail("unknown option '" + word + "'"));
    }
    for (i++; i < arguments.size(); i++)
        options.command.push_back(arguments[i]);
    if (options.command.empty())
        finish(fail(
            "usage: aglet-extract-N [--text | --out FILE] [--deps FILE] -- COMPILER ARGUMENTS…, or --serve"));
    if (options.text == !options.out.empty())
        finish(fail("give one of --text and --out FILE"));
    finish(extract(options));
    abort();
}

static bool read_exactly(void *to, size_t size) {
    for (char *at = static_cast<char *>(to); size;) {
        ssize_t got = read(STDIN_FILENO, at, size);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return false;
        if (got > 0) {
            at += got;
            size -= size_t(got);
        }
    }
    return true;
}

/* Clang's libraries are loaded once; every request runs in a fork. The protocol is that of tool/workers.h. */
static int serve() {
    for (;;) {
        size_t size = 0;
        char digit;
        while (read_exactly(&digit, 1) && digit != '\n')
            size = size * 10 + size_t(digit - '0');
        std::string request(size, '\0');
        if (size == 0 || !read_exactly(&request[0], size))
            return DONE; /* nobody asks any more */
        pid_t child = fork();
        if (child < 0)
            return fail(std::string("cannot fork: ") + strerror(errno));
        if (child == 0) {
            std::vector<std::string> words;
            for (size_t at = 0; at < size; at += words.back().size() + 1)
                words.push_back(request.c_str() + at);
            if (chdir(words[0].c_str()) != 0)
                _exit(fail("no directory '" + words[0] + "'"));
            if (!freopen("/dev/null", "r", stdin) || dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO) < 0)
                _exit(fail("cannot open /dev/null"));
            words.erase(words.begin());
            run(words);
        }
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        dprintf(STDOUT_FILENO, "%s %d\n", WIFSIGNALED(status) ? "signal" : "exit",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
}

int main(int argc, char **argv) {
    noteBottomOfStack();
    if (argc == 2 && !strcmp(argv[1], "--serve"))
        return serve();
    run(std::vector<std::string>(argv + 1, argv + argc));
}
