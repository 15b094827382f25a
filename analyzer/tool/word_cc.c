/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet cc: a C compiler for CC=, Clang with the plugin. Stands on layout.h (which Clang, which plugin) and command.h.
 * What is not the compilation of C by a build — questions, links, probes of configure and CMake, other languages — goes to Clang
 * as it came, so that nothing that reads the compiler's words can be misled. */
#include "command.h"
#include "files.h"
#include "gcc_only.h"
#include "layout.h"
#include "record.h"
#include "say.h"
#include "shell_words.h"
#include "word.h"
#include "base/alloc.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(FILE *out) {
    fputs("Usage: aglet cc [--record FILE] COMPILER ARGUMENTS\n\n"
          "Compiles with Clang and Aglet's plugin, as a drop-in C compiler: make CC=\"aglet cc\".\n"
          "Called as aglet-cc it does the same, for what wants one word.\n\n"
          "  --record FILE     add each compilation to this compile database (also: AGLET_RECORD=FILE)\n\n"
          "Environment: AGLET_CLANG  the Clang to use (default: the newest with a plugin that fits it)\n"
          "             AGLET_OFF=1  leave the plugin out\n"
          "Plugin options go to it as -fplugin-arg-aglet-level=2, -fplugin-arg-aglet-rules=A,B, "
          "-fplugin-arg-aglet-off.\n"
          "The exit status is Clang's.\n",
          out);
    return out == stdout ? EXIT_CLEAN : EXIT_TROUBLE;
}

/* Is this path a test source of a build system's configuration, not of the program? Absolute, or "-". */
static bool is_probe_path(const char *path) {
    static const char *const names[] = {
        "conftest.c",     "conftest.i",      "_conftest.c",   "CMakeCCompilerId.c", "CMakeCCompilerABI.c",
        "sanitycheckc.c", "testCCompiler.c", "try_compile.c", "/dev/null",          "-"};
    static const char *const within[] = {"/CMakeTmp/",     "/CMakeScratch/", "/meson-private/",
                                         "/config.tests/", "/.conf_check",   "/conftest."};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(path_base(path), names[i]) == 0 || strcmp(path, names[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof within / sizeof *within; i++)
        if (strstr(path, within[i]))
            return true;
    return false;
}

enum how { AS_IT_CAME, WITH_MACRO /* preprocessing: as the plugin would see it */, WITH_PLUGIN };

enum { MOST_INPUTS = 256 };

/* Does the configuration of a build ask, not the build itself? */
static bool is_probe(const struct string_list *args) {
    struct command_input inputs[MOST_INPUTS];
    size_t n = command_inputs(args, inputs, MOST_INPUTS);
    char *here = path_working(), *inside = xasprintf("%s/", here);
    bool probe = is_probe_path(inside);
    free(here);
    free(inside);
    for (size_t i = 0; i < n && i < MOST_INPUTS && !probe; i++) {
        const char *input = args->at[inputs[i].at];
        char *path = strcmp(input, "-") == 0 ? xstrdup(input) : path_absolute(NULL, input);
        probe = is_probe_path(path);
        free(path);
    }
    return probe;
}

static enum how judge(const struct string_list *args) {
    struct command_input inputs[MOST_INPUTS];
    bool cc1, any_c = false;
    enum action action = command_action(args, &cc1);
    size_t n = command_inputs(args, inputs, MOST_INPUTS);
    const char *off = getenv("AGLET_OFF");
    if (cc1 || action == ACTION_ASK || n > MOST_INPUTS || is_probe(args) ||
        (off && *off && strcmp(off, "0") != 0))
        return AS_IT_CAME;
    for (size_t i = 0; i < n; i++) {
        any_c = any_c || inputs[i].language == LANGUAGE_C;
        if (inputs[i].language == LANGUAGE_CXX)
            return AS_IT_CAME;
    }
    if (!any_c)
        return AS_IT_CAME;
    return action == ACTION_PREPROCESS ? WITH_MACRO : WITH_PLUGIN;
}

/* Our own options, before anything else is looked at. Returns the database to record into, or NULL; *bad tells of misuse. */
static const char *take_own(struct string_list *args, bool *bad) {
    static char database[4096];
    const char *record = getenv("AGLET_RECORD");
    *bad = false;
    if (args->n > 1 && starts_with(args->at[1], "--record=")) {
        snprintf(database, sizeof database, "%s", args->at[1] + 9);
        strings_remove(args, 1, 1);
        return database;
    }
    if (args->n > 1 && strcmp(args->at[1], "--record") == 0) {
        *bad = args->n < 3;
        snprintf(database, sizeof database, "%s", *bad ? "" : args->at[2]);
        strings_remove(args, 1, *bad ? 1 : 2);
        return database;
    }
    return record && *record ? record : NULL;
}

/* With what stands in response files in their place: build systems remove them, and they may hold the source's name. */
static struct string_list in_full(const struct string_list *args) {
    struct string_list full = {0};
    for (size_t i = 0; i < args->n; i++)
        strings_add(&full, args->at[i]);
    expand_response_files(&full, NULL);
    return full;
}

static int cc(int argc, char **argv) {
    struct string_list args = {0};
    for (int i = 0; i < argc; i++)
        strings_add(&args, argv[i]);
    bool bad;
    const char *database = take_own(&args, &bad);
    if (bad || args.n == 1)
        return usage(stderr);
    if (args.n == 2 && strcmp(args.at[1], "--help") == 0)
        return usage(stdout);
    char err[SAY_MAX], *plugin = NULL, *clang = layout_clang(&plugin, err, sizeof err);
    if (!clang) {
        say("%s", err);
        strings_free(&args);
        return EXIT_TROUBLE;
    }
    free(args.at[0]);
    args.at[0] = clang;
    struct string_list full = in_full(&args);
    enum how how = judge(&full);
    if (database && !is_probe(&full) && !record_command(database, &full, err, sizeof err))
        say("%s", err); /* a lost row is said, and breaks no build */
    strings_free(&full);
    if (how == WITH_MACRO) {
        strings_insert(&args, 1, "-D__AGLET__=1");
    } else if (how == WITH_PLUGIN) {
        for (size_t i = args.n; i-- > 1;)
            if (is_gcc_only(args.at[i]) && !takes_value(args.at[i - 1]))
                strings_remove(&args, i, 1);
        char *option = xasprintf("-fplugin=%s", plugin);
        strings_insert(&args, 1, option);
        free(option);
    }
    if (how != AS_IT_CAME) { /* before the user's own, which win */
        strings_insert(&args, 1, "-Wno-unknown-warning-option");
        strings_insert(&args, 1, "-Wno-ignored-optimization-argument");
    }
    fflush(NULL);
    execv(clang, strings_argv(&args));
    say("cannot run '%s': %s", clang, strerror(errno));
    return EXIT_TROUBLE;
}

AGLET_WORD("cc", "COMPILER ARGUMENTS", "compile with Clang and the plugin, as a drop-in C compiler", cc)
