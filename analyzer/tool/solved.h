/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The solved program of a database, for words that show what the analysis knows: boundaries, graph.
 * Stands on load.h. */
#ifndef AGLET_TOOL_SOLVED_H
#define AGLET_TOOL_SOLVED_H

#include "program/program.h"

struct solved_word {
    const char *usage, *about; /* for --help */
    /* An option of the word's own, `--name=VALUE` with its help; or NULL. take returns false when the value is none. */
    const char *option, *value, *option_help;
    bool (*take)(void *data, const char *value);
    /* Shows p. Returns the exit status. */
    int (*show)(const struct program *p, void *data);
    /* Or, in place of show: solves by itself what the units give, and owns them. options->whole and models are set. */
    int (*work)(struct unit **units, size_t n, const struct program_options *options, void *data);
    void *data;
};

/* Reads `[-p BUILD] [-c FILE] [-v] [FILE...] [-- FLAGS]`, analyses, solves, and calls show.
 * Returns  what show returned; EXIT_TROUBLE, said, when nothing could be analysed or some file was not. */
int solved_run(const struct solved_word *word, int argc, char **argv);

#endif
