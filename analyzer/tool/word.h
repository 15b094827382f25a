/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a word of the command is: `aglet NAME …` runs it. One word_<name>.c = one word; the build collects them into a
 * generated table (cmake/words.cmake). Stands on nothing. */
#ifndef AGLET_TOOL_WORD_H
#define AGLET_TOOL_WORD_H

/* The exit status of every word, but for cc and run, which give that of the program they start. */
enum { EXIT_CLEAN = 0, EXIT_FINDINGS = 1, EXIT_TROUBLE = 2 };

struct word {
    const char *name;
    const char *usage;   /* what follows the name: "RULE" */
    const char *summary; /* one line for `aglet --help` */
    /* argv[0] is "aglet NAME" for messages; returns the exit status. */
    int (*run)(int argc, char **argv);
};

/* In word_<name>.c, once; the build names the symbol, with dashes made underscores. */
#define AGLET_WORD(name_string, usage_string, summary_string, run_function)                                  \
    const struct word AGLET_WORD_SYMBOL = {name_string, usage_string, summary_string, run_function};

extern const struct word *const words_all[]; /* sorted by name, ends in NULL */

#endif
