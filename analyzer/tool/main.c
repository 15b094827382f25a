/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The aglet command: finds the word it was given and runs it. Stands on the generated table of words.
 * Called as aglet-cc it is `aglet cc`, for build systems that take one word for a compiler. */
#include "heap.h"
#include "say.h"
#include "word.h"
#include <stdio.h>
#include <string.h>

static void print_help(FILE *out) {
    fputs("Aglet: fearless concurrency for C.\n\nUsage: aglet WORD [arguments]\n\n", out);
    for (const struct word *const *w = words_all; *w; w++)
        fprintf(out, "  %-13s %s\n", (*w)->name, (*w)->summary);
    fputs("\n`aglet WORD --help` tells more of one.\n"
          "Exit status: 0 clean, 1 findings, 2 the work could not be done (cc and run: that of the program "
          "they start).\n",
          out);
}

static const struct word *find_word(const char *name) {
    for (const struct word *const *w = words_all; *w; w++)
        if (strcmp((*w)->name, name) == 0)
            return *w;
    return NULL;
}

int main(int argc, char **argv) {
    heap_set_up();
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *self = argc > 0 ? (slash ? slash + 1 : argv[0]) : "";
    if (strcmp(self, "aglet-cc") == 0)
        return find_word("cc")->run(argc, argv);
    if (argc < 2) {
        print_help(stderr);
        return EXIT_TROUBLE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        const struct word *about = argc > 2 ? find_word(argv[2]) : NULL;
        if (about) {
            char help[] = "--help";
            char *ask[] = {argv[2], help, NULL};
            return about->run(2, ask);
        }
        print_help(stdout);
        return EXIT_CLEAN;
    }
    if (strcmp(name, "--version") == 0) {
        puts("aglet " AGLET_VERSION);
        return EXIT_CLEAN;
    }
    const struct word *word = find_word(name);
    if (!word) {
        say("there is no word '%s'; aglet --help lists them", name);
        return EXIT_TROUBLE;
    }
    static char title[64];
    snprintf(title, sizeof title, "aglet %s", name);
    argv[1] = title;
    return word->run(argc - 1, argv + 1);
}
