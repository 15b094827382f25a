/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Parses the common arguments, analyses the database, solves the program and hands it to the word.
 * Stands on solved.h and load.h. */
#include "solved.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "load.h"
#include "base/alloc.h"
#include "say.h"
#include "word.h"

enum { KEY_OWN = 256 };

struct arguments {
    const struct solved_word *word;
    struct load load;
    const char *config_file;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct arguments *a = state->input;

    switch (key) {
    case 'p':
        a->load.database = arg;
        return 0;
    case 'c':
        a->config_file = arg;
        return 0;
    case 'v':
        say_is_verbose = true;
        return 0;
    case KEY_OWN:
        if (!a->word->take(a->word->data, arg))
            argp_error(state, "--%s takes %s, not '%s'", a->word->option, a->word->value, arg);
        return 0;
    case ARGP_KEY_ARG:
        strings_add(&a->load.files, arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int solve_and_call(const struct solved_word *word, struct unit **units, size_t n,
                          const struct program_options *o) {
    struct program *p = program_new(o);
    int status;

    for (size_t i = 0; i < n; i++)
        program_add(p, units[i]);
    program_solve(p);
    status = word->show(p, word->data);
    program_free(p);
    return status;
}

static int solve_and_show(struct arguments *a) {
    char err[SAY_MAX] = "";
    char *path = a->config_file ? strdup(a->config_file) : config_find(".");
    struct config *config = path ? config_read(path, err, sizeof err) : config_default();
    int status = EXIT_TROUBLE;

    free(path);
    if (!config) {
        say("%s", err);
        return EXIT_TROUBLE;
    }
    a->load.config = config;
    if (load_find(&a->load) && load_analysed(&a->load)) {
        struct program_options o = {
            .level = 1, .whole = a->load.files.n == 0, .models = config_models(config)};
        struct unit **units = xcalloc(a->load.db.n + 1, sizeof *units);
        size_t n = 0;
        load_decode(&a->load);
        for (size_t i = 0; i < a->load.db.n; i++)
            if (a->load.units[i].unit) {
                units[n++] = a->load.units[i].unit;
                a->load.units[i].unit = NULL;
            }
        status = a->word->work ? a->word->work(units, n, &o, a->word->data)
                               : solve_and_call(a->word, units, n, &o);
        free(units);
        if (a->load.not_analysed)
            status = EXIT_TROUBLE;
    }
    load_free(&a->load);
    config_free(config);
    return status;
}

int solved_run(const struct solved_word *word, int argc, char **argv) {
    struct argp_option options[] = {
        {"build", 'p', "PATH", 0, "compile_commands.json, or the directory it is in", 0},
        {"config", 'c', "FILE", 0, "The configuration instead of the nearest .aglet.yml: its models count",
         0},
        {"verbose", 'v', 0, 0, "Say more of what is done", 0},
        {word->option, KEY_OWN, word->value, 0, word->option_help, 0},
        {0},
    };
    const struct argp argp = {options, parse, word->usage, word->about, NULL, NULL, NULL};
    struct arguments a = {.word = word};
    int own = argc;

    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0) {
            own = i;
            a.load.have_flags = true;
            for (int k = i + 1; k < argc; k++)
                strings_add(&a.load.flags, argv[k]);
            break;
        }
    argp_err_exit_status = EXIT_TROUBLE;
    argp_parse(&argp, own, argv, 0, NULL, &a);
    return solve_and_show(&a);
}
