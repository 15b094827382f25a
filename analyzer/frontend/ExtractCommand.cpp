/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The table of options that a parse does not need. What it needs stays: -D -U -I -isystem -include -std -x -m… -f… --sysroot.
 * Stands on strings alone; options of gcc that Clang does not know are left to its driver, whose complaints are not heard. */
#include "ExtractCommand.h"

#include <cstring>

namespace aglet {

namespace {
enum How {
    EXACT,    /* this word */
    AND_NEXT, /* this word and the one after it */
    PREFIX,   /* every word that begins so */
    JOINED    /* begins so; alone, it takes the next word too */
};
struct Dropped {
    const char *word;
    How how;
};

const Dropped dropped[] = {
    /* where output goes, and which */
    {"-o", JOINED},
    {"-c", EXACT},
    {"-S", EXACT},
    {"-E", EXACT},
    {"-pipe", EXACT},
    {"-save-temps", PREFIX},
    {"--save-temps", PREFIX},
    {"-emit-llvm", EXACT},
    {"-fsyntax-only", EXACT},
    {"-dumpbase", AND_NEXT},
    {"-dumpdir", AND_NEXT},
    {"-aux-info", AND_NEXT},
    {"-ftime-trace", PREFIX},
    {"-fdiagnostics-", PREFIX},
    {"-fno-diagnostics-", PREFIX},
    {"-fcolor-diagnostics", EXACT},
    {"-ansi-escape-codes", EXACT},
    {"-fmessage-length", PREFIX},
    {"-H", EXACT},
    {"-v", EXACT},
    {"-###", EXACT},
    /* dependency files */
    {"-MF", JOINED},
    {"-MT", JOINED},
    {"-MQ", JOINED},
    {"-MJ", JOINED},
    {"-M", EXACT},
    {"-MM", EXACT},
    {"-MD", EXACT},
    {"-MMD", EXACT},
    {"-MG", EXACT},
    {"-MP", EXACT},
    {"-MV", EXACT},
    {"-Wp,-M", PREFIX},
    {"--write-dependencies", EXACT},
    {"--write-user-dependencies", EXACT},
    /* plugins, coverage, debug information */
    {"-fplugin", PREFIX},
    {"-fpass-plugin", PREFIX},
    {"-specs", PREFIX},
    {"--coverage", EXACT},
    {"-ftest-coverage", EXACT},
    {"-fprofile-", PREFIX},
    {"-gsplit-dwarf", PREFIX},
    {"-flto", PREFIX},
    {"-ffat-lto-objects", EXACT},
    {"-fuse-ld", PREFIX},
    {"-Wl,", PREFIX},
    {"-Wa,", PREFIX},
    {"-Xlinker", AND_NEXT},
    {"-Xassembler", AND_NEXT},
    {"-resource-dir", JOINED},
    {"-fmodule", PREFIX},
    {"-index-store-path", AND_NEXT},
    {"-ivfsoverlay", AND_NEXT},
    {"--serialize-diagnostics", AND_NEXT},
    {"-serialize-diagnostics", AND_NEXT},
    {"--param", JOINED},
    {"-Werror", PREFIX},
};

/* The same for the compiler proper. */
const Dropped dropped_cc1[] = {
    {"-o", AND_NEXT},
    {"-emit-obj", EXACT},
    {"-emit-llvm", EXACT},
    {"-emit-llvm-bc", EXACT},
    {"-S", EXACT},
    {"-E", EXACT},
    {"-fsyntax-only", EXACT},
    {"-MT", AND_NEXT},
    {"-MQ", AND_NEXT},
    {"-MP", EXACT},
    {"-MG", EXACT},
    {"-MV", EXACT},
    {"-sys-header-deps", EXACT},
    {"-dependency-file", AND_NEXT},
    {"-load", AND_NEXT},
    {"-plugin", AND_NEXT},
    {"-add-plugin", AND_NEXT},
    {"-plugin-arg-", PREFIX},
    {"-fplugin", PREFIX},
    {"-resource-dir", AND_NEXT},
    {"-serialize-diagnostic-file", AND_NEXT},
    {"-coverage-", PREFIX},
    {"-dwarf-", PREFIX},
    {"-debug", PREFIX},
    {"-mllvm", AND_NEXT},
    {"-faddrsig", EXACT},
    {"-D__GCC_HAVE_DWARF2_CFI_ASM=1", EXACT},
    {"-split-dwarf", PREFIX},
    {"-fcolor-diagnostics", EXACT},
    {"-Werror", PREFIX},
    {"-verify", PREFIX},
};

/* What gcc compiles with a warning, Clang must not refuse: the source is judged, not its dialect. */
const char *const leniency[] = {
    "-w",
    "-Wno-error",
    "-Wno-implicit-function-declaration",
    "-Wno-implicit-int",
    "-Wno-int-conversion",
    "-Wno-incompatible-pointer-types",
    "-Wno-incompatible-function-pointer-types",
    "-Wno-return-mismatch",
    "-Wno-return-type",
    "-Wno-unknown-warning-option",
    "-Wno-unknown-attributes",
    "-Wno-register",
    "-Wno-enum-constexpr-conversion",
};

template <size_t N> size_t words_dropped(const Dropped (&table)[N], const std::string &word) {
    for (const Dropped &entry : table) {
        size_t length = strlen(entry.word);
        switch (entry.how) {
        case EXACT:
            if (word == entry.word)
                return 1;
            break;
        case AND_NEXT:
            if (word == entry.word)
                return 2;
            break;
        case PREFIX:
            if (word.compare(0, length, entry.word) == 0)
                return 1;
            break;
        case JOINED:
            if (word == entry.word)
                return 2;
            if (word.compare(0, length, entry.word) == 0)
                return 1;
            break;
        }
    }
    return 0;
}

bool is_warning_option(const std::string &word) {
    return word.size() > 1 && word[0] == '-' && word[1] == 'W' && word.compare(0, 4, "-Wp,") != 0;
}
} // namespace

std::vector<std::string> parse_only_command(const std::vector<std::string> &command,
                                            const std::string &clang) {
    std::vector<std::string> out = {clang};
    bool cc1 = command.size() > 1 && command[1] == "-cc1";
    for (size_t i = 1; i < command.size(); i++) {
        const std::string &word = command[i];
        if (word == "-Xclang" && i + 1 < command.size() && words_dropped(dropped_cc1, command[i + 1])) {
            /* -Xclang -load -Xclang FILE: each word of the pair is wrapped */
            i += words_dropped(dropped_cc1, command[i + 1]) == 2 ? 3 : 1;
            continue;
        }
        size_t n = cc1 ? words_dropped(dropped_cc1, word) : words_dropped(dropped, word);
        if (n) {
            i += n - 1;
            continue;
        }
        if (!is_warning_option(word))
            out.push_back(word);
    }
    if (!cc1)
        out.insert(out.begin() + 1, "-Qunused-arguments");
    auto at = out.begin() + (cc1 ? 2 : 1);
    out.insert(at, std::begin(leniency), std::end(leniency));
    out.push_back("-fsyntax-only");
    out.push_back("-D__AGLET__=1");
    return out;
}

} // namespace aglet
