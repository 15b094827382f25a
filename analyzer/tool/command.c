/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads a compile command as the drivers of gcc and clang do. Stands on string_list.h; the tables below are the knowledge. */
#include "command.h"
#include "files.h"
#include "base/alloc.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Options whose value is the next argument. */
static const char *const with_value[] = {
    "-o",
    "-I",
    "-D",
    "-U",
    "-L",
    "-l",
    "-x",
    "-F",
    "-T",
    "-u",
    "-z",
    "-A",
    "-B",
    "-G",
    "-e",
    "-h",
    "-include",
    "-imacros",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-iprefix",
    "-iwithprefix",
    "-iwithprefixbefore",
    "-isysroot",
    "-imultilib",
    "-iframework",
    "-include-pch",
    "-MF",
    "-MT",
    "-MQ",
    "-MJ",
    "-Xclang",
    "-Xpreprocessor",
    "-Xassembler",
    "-Xlinker",
    "-Xanalyzer",
    "-mllvm",
    "-mthread-model",
    "-target",
    "-arch",
    "-aux-info",
    "-param",
    "--param",
    "-framework",
    "-dumpbase",
    "-dumpbase-ext",
    "-dumpdir",
    "-wrapper",
    "-specs",
    "-triple",
    "-main-file-name",
    "-mrelocation-model",
    "-pic-level",
    "-target-cpu",
    "-tune-cpu",
    "-target-feature",
    "-target-abi",
    "-resource-dir",
    "-internal-isystem",
    "-internal-externc-isystem",
    "-fdebug-compilation-dir",
    "-ferror-limit",
    "-fmessage-length",
    "-dependency-file",
    "-coverage-notes-file",
    "-coverage-data-file",
    "-load",
    "-plugin",
    "-add-plugin",
    "-aux-triple",
    "-mfloat-abi",
    "--sysroot",
    "--target",
    "-install_name",
    "-rpath",
    "-soname",
    "-serialize-diagnostic-file",
    "-split-dwarf-file",
};

static bool in_list(const char *s, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(s, list[i]) == 0)
            return true;
    return false;
}
#define IN(s, list) in_list((s), (list), sizeof(list) / sizeof *(list))

bool takes_value(const char *arg) {
    return IN(arg, with_value);
}

enum language language_of(const char *path) {
    static const char *const c[] = {".c", ".i", ".h"};
    static const char *const cxx[] = {".cc",  ".cpp", ".cxx", ".c++", ".C",    ".CPP", ".cp",  ".ii", ".hh",
                                      ".hpp", ".hxx", ".H",   ".cu",  ".cppm", ".ixx", ".ccm", ".tcc"};
    static const char *const other[] = {".s",  ".S",   ".sx",  ".asm", ".m",     ".mm", ".mi", ".M",   ".f",
                                        ".F",  ".for", ".f90", ".F90", ".f95",   ".go", ".d",  ".adb", ".ads",
                                        ".ll", ".bc",  ".cl",  ".hip", ".swift", ".rs", ".rc"};
    const char *dot = strrchr(path_base(path), '.');
    if (!dot)
        return LANGUAGE_NONE;
    return IN(dot, c)       ? LANGUAGE_C
           : IN(dot, cxx)   ? LANGUAGE_CXX
           : IN(dot, other) ? LANGUAGE_OTHER
                            : LANGUAGE_NONE;
}

static enum language language_named(const char *name) {
    if (strcmp(name, "c") == 0 || strcmp(name, "cpp-output") == 0 || strcmp(name, "c-header") == 0 ||
        strcmp(name, "c-cpp-output") == 0)
        return LANGUAGE_C;
    if (starts_with(name, "c++") || strcmp(name, "cuda") == 0)
        return LANGUAGE_CXX;
    return strcmp(name, "none") == 0 ? LANGUAGE_NONE : LANGUAGE_OTHER;
}

/* The compiler's name without its directory, ".exe" and a version at its end ("gcc-12", "clang-22.1"). */
static char *compiler_stem(const char *path) {
    char *name = xstrdup(path_base(path));
    size_t n = strlen(name);
    if (n > 4 && strcmp(name + n - 4, ".exe") == 0)
        name[n -= 4] = '\0';
    size_t end = n;
    while (end > 0 && (isdigit((unsigned char)name[end - 1]) || name[end - 1] == '.'))
        end--;
    if (end < n && end > 1 && name[end - 1] == '-')
        name[end - 1] = '\0';
    return name;
}

static bool is_cxx_compiler(const char *path) {
    char *stem = compiler_stem(path);
    bool cxx = ends_with(stem, "++") || ends_with(stem, "CC");
    free(stem);
    return cxx;
}

void command_strip_launchers(struct string_list *args) {
    static const char *const launchers[] = {"ccache",   "distcc",     "sccache", "icecc",
                                            "colorgcc", "buildcache", "time",    "nice"};
    while (args->n > 1) {
        const char *name = path_base(args->at[0]);
        if (IN(name, launchers)) {
            strings_remove(args, 0, 1);
            while (args->n > 1 && strchr(args->at[0], '=') && args->at[0][0] != '-')
                strings_remove(args, 0, 1); /* ccache's own settings: key=value */
        } else if (strcmp(name, "env") == 0) {
            strings_remove(args, 0, 1);
            while (args->n > 1 && (strchr(args->at[0], '=') || args->at[0][0] == '-'))
                strings_remove(args, 0, 1);
        } else if (strcmp(name, "aglet") == 0 && strcmp(args->at[1], "cc") == 0) {
            strings_remove(args, 0, 1);
        } else if (strcmp(name, "aglet-cc") == 0) {
            free(args->at[0]);
            args->at[0] = xstrdup("cc");
        } else {
            break;
        }
    }
}

void command_name_inputs(struct string_list *args) {
    size_t from = 1;
    while (from < args->n && strcmp(args->at[from], "--") != 0)
        from += takes_value(args->at[from]) ? 2 : 1;
    if (from >= args->n)
        return;
    strings_remove(args, from, 1);
    for (size_t i = from; i < args->n; i++)
        if (args->at[i][0] == '-' && args->at[i][1]) {
            char *named = xasprintf("./%s", args->at[i]);
            free(args->at[i]);
            args->at[i] = named;
        }
}

enum action command_action(const struct string_list *args, bool *cc1) {
    static const char *const questions[] = {"--version",    "--help",     "-dumpversion", "-dumpfullversion",
                                            "-dumpmachine", "-dumpspecs", "-###",         "--autocomplete",
                                            "-V",           "-qversion"};
    enum action action = ACTION_LINK;
    *cc1 = args->n > 1 && strcmp(args->at[1], "-cc1") == 0;
    if (*cc1)
        action = ACTION_SYNTAX; /* cc1's own default */
    for (size_t i = 1; i < args->n; i++) {
        const char *a = args->at[i];
        if (IN(a, questions) || starts_with(a, "-print-") || starts_with(a, "--print-"))
            return ACTION_ASK;
        if (strcmp(a, "-E") == 0 || strcmp(a, "-M") == 0 || strcmp(a, "-MM") == 0)
            action = ACTION_PREPROCESS;
        else if (action == ACTION_PREPROCESS)
            ;
        else if (strcmp(a, "-fsyntax-only") == 0)
            action = ACTION_SYNTAX;
        else if (strcmp(a, "-S") == 0 && action != ACTION_SYNTAX)
            action = ACTION_ASSEMBLE;
        else if ((strcmp(a, "-c") == 0 || strcmp(a, "--compile") == 0) && action == ACTION_LINK)
            action = ACTION_COMPILE;
        else if (*cc1 && (strcmp(a, "-emit-obj") == 0 || strcmp(a, "-S") == 0))
            action = ACTION_COMPILE;
        if (takes_value(a))
            i++;
    }
    return action;
}

size_t command_inputs(const struct string_list *args, struct command_input *out, size_t max) {
    enum language forced = LANGUAGE_NONE;
    bool cxx = args->n > 0 && is_cxx_compiler(args->at[0]), only_files = false;
    size_t n = 0;
    for (size_t i = 1; i < args->n; i++) {
        const char *a = args->at[i];
        if (!only_files && strcmp(a, "--") == 0) {
            only_files = true;
            continue;
        }
        if (!only_files && a[0] == '-' && a[1]) {
            if (strcmp(a, "-x") == 0 && i + 1 < args->n)
                forced = language_named(args->at[++i]);
            else if (starts_with(a, "-x") && a[2])
                forced = language_named(a + 2);
            else if (takes_value(a))
                i++;
            continue;
        }
        enum language language = forced ? forced : language_of(a);
        if (language == LANGUAGE_C && cxx && !forced)
            language = LANGUAGE_CXX;
        if (n < max)
            out[n] = (struct command_input){i, language};
        n++;
    }
    return n;
}

const char *command_output(const struct string_list *args) {
    const char *output = NULL;
    for (size_t i = 1; i < args->n; i++) {
        const char *a = args->at[i];
        if (strcmp(a, "-o") == 0 && i + 1 < args->n)
            output = args->at[++i];
        else if (starts_with(a, "-o") && a[2] && !starts_with(a, "-objc"))
            output = a + 2;
        else if (starts_with(a, "--output="))
            output = a + 9;
        else if (takes_value(a))
            i++;
    }
    return output;
}

char *command_target(const struct string_list *args) {
    static const char *const drivers[] = {"-gcc", "-cc", "-clang", "-g++", "-c++", "-clang++"};
    for (size_t i = 1; i < args->n; i++)
        if (strcmp(args->at[i], "-target") == 0 || starts_with(args->at[i], "--target") ||
            strcmp(args->at[i], "-triple") == 0)
            return NULL;
    char *stem = args->n ? compiler_stem(args->at[0]) : xstrdup("");
    char *target = NULL;
    for (size_t d = 0; d < sizeof drivers / sizeof *drivers && !target; d++)
        if (ends_with(stem, drivers[d]) && strlen(stem) > strlen(drivers[d]))
            target = xstrndup(stem, strlen(stem) - strlen(drivers[d]));
    free(stem);
    if (target && !strchr(target, '-')) { /* "my-gcc" and the like: a triple has a dash in it */
        free(target);
        target = NULL;
    }
    return target;
}

void command_normalised(const struct string_list *args, struct string_list *out) {
    static const char *const dropped[] = {"-c",
                                          "-S",
                                          "-pipe",
                                          "-v",
                                          "-w",
                                          "-MD",
                                          "-MMD",
                                          "-MP",
                                          "-MG",
                                          "-MV",
                                          "-pedantic",
                                          "-pedantic-errors",
                                          "-fsyntax-only",
                                          "-save-temps",
                                          "-Qunused-arguments",
                                          "-fcolor-diagnostics",
                                          "-fno-color-diagnostics"};
    static const char *const dropped_with_value[] = {
        "-o", "-MF", "-MT", "-MQ", "-MJ", "-L", "-l", "-Xlinker", "-aux-info", "-dumpdir", "-dumpbase"};
    static const char *const dropped_prefixes[] = {"-o",
                                                   "-MF",
                                                   "-MT",
                                                   "-MQ",
                                                   "-L",
                                                   "-l",
                                                   "-Wl,",
                                                   "-Wa,",
                                                   "-W",
                                                   "-g",
                                                   "-fdiagnostics-",
                                                   "-fmessage-length",
                                                   "-ferror-limit"};
    if (args->n && is_cxx_compiler(args->at[0]))
        strings_add(out, "c++");
    for (size_t i = 1; i < args->n; i++) {
        const char *a = args->at[i];
        bool drop = IN(a, dropped);
        if (IN(a, dropped_with_value)) {
            i++;
            continue;
        }
        for (size_t p = 0; !drop && p < sizeof dropped_prefixes / sizeof *dropped_prefixes; p++)
            drop = starts_with(a, dropped_prefixes[p]) && !starts_with(a, "-Wp,");
        if (drop)
            continue;
        strings_add(out, a);
        if (takes_value(a) && i + 1 < args->n)
            strings_add(out, args->at[++i]);
    }
}
