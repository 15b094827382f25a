/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What one compile command says: the compiler, its inputs and language, the object it writes, the target it compiles for.
 * Stands on string_list.h. Knows the drivers of gcc and clang and clang's own -cc1. */
#ifndef AGLET_TOOL_COMMAND_H
#define AGLET_TOOL_COMMAND_H

#include <stdbool.h>
#include "string_list.h"

enum language {
    LANGUAGE_NONE /* not compiled: an object, a library */,
    LANGUAGE_C,
    LANGUAGE_CXX,
    LANGUAGE_OTHER /* assembler, Objective-C, Fortran … */
};

/* What a command asks the compiler to do. */
enum action {
    ACTION_LINK,
    ACTION_COMPILE /* -c */,
    ACTION_ASSEMBLE /* -S */,
    ACTION_PREPROCESS /* -E, -M, -MM */,
    ACTION_SYNTAX /* -fsyntax-only */,
    ACTION_ASK /* --version, -print-… */
};

/* The language of a source by its name, as compilers judge it. */
enum language language_of(const char *path);

/* Does this argument take the next one for its value? ("-o", "-I", "-include" … when they stand alone) */
bool takes_value(const char *arg);

/* Take off what runs the compiler but is none: ccache, distcc, sccache, icecc, env with its assignments, `aglet cc`. */
void command_strip_launchers(struct string_list *args);

/* Name what stands behind "--" so that no word is needed before it, and take that off: options are added at the end. */
void command_name_inputs(struct string_list *args);

/* What the command does; cc1 tells whether it is clang's inner -cc1. */
enum action command_action(const struct string_list *args, bool *cc1);

/* The inputs: indexes into args, and the language of each (-x counted). Returns how many there are, at most max are stored.
 * args[0] is the compiler: where it is a C++ one, C sources are C++. "-" (standard input) is an input. */
struct command_input {
    size_t at;
    enum language language;
};
size_t command_inputs(const struct string_list *args, struct command_input *out, size_t max);

/* The value of -o, or NULL. Points into args. */
const char *command_output(const struct string_list *args);

/* The target that the compiler's name says ("arm-none-eabi" of /opt/bin/arm-none-eabi-gcc-12), malloc'd, or NULL: none, or the
 * command says one itself. */
char *command_target(const struct string_list *args);

/* The arguments that decide what is parsed, for a cache key: without outputs, dependency files, warnings and debug options. Does
 * not hold the compiler's name when nothing of its language or target follows from it. */
void command_normalised(const struct string_list *args, struct string_list *out);

#endif
