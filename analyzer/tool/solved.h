/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The solved programs of a database, for words that show what the analysis knows: boundaries, graph, infer.
 * Stands on load.h and programs.h. */
#ifndef AGLET_TOOL_SOLVED_H
#define AGLET_TOOL_SOLVED_H

#include "program/program.h"

/* The units of one program. */
struct program_units {
    const char *title;   /* "program 'build/server'"; NULL where there is only one */
    struct unit **units; /* the word's own */
    size_t n;
    bool whole; /* nothing of it is missing */
};

struct solved_word {
    const char *usage, *about; /* for --help */
    /* An option of the word's own, `--name=VALUE` with its help; or NULL. take returns false when the value is none. */
    const char *option, *value, *option_help;
    bool (*take)(void *data, const char *value);
    /* Shows p; called for each program. Returns the exit status. */
    int (*show)(const struct program *p, const char *title, void *data);
    /* Called after all of them; or NULL. */
    int (*end)(void *data);
    /* Or, in place of both: solves by itself what the units give. options->models is set. */
    int (*work)(struct program_units *programs, size_t n, const struct program_options *options, void *data);
    void *data;
};

/* Reads `[-p BUILD] [-c FILE] [--program NAME] [-v] [FILE...] [-- FLAGS]`, analyses, solves each program, and calls show.
 * Returns  the worst of what was returned; EXIT_TROUBLE, said, when nothing could be analysed or some file was not. */
int solved_run(const struct solved_word *word, int argc, char **argv);

#endif
