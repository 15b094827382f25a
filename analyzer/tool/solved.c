/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Parses the common arguments, analyses the database, solves each program and hands it to the word.
 * Stands on solved.h, load.h and programs.h. */
#include "solved.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "load.h"
#include "programs.h"
#include "base/alloc.h"
#include "say.h"
#include "word.h"

enum { KEY_OWN = 256, KEY_PROGRAM };

struct arguments {
    const struct solved_word *word;
    struct load load;
    const char *config_file, *program;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct arguments *a = state->input;

    switch (key) {
    case 'p': a->load.database = arg; return 0;
    case 'c': a->config_file = arg; return 0;
    case 'v': say_is_verbose = true; return 0;
    case KEY_PROGRAM: a->program = arg; return 0;
    case KEY_OWN:
        if (!a->word->take(a->word->data, arg))
            argp_error(state, "--%s takes %s, not '%s'", a->word->option, a->word->value, arg);
        return 0;
    case ARGP_KEY_ARG: strings_add(&a->load.files, arg); return 0;
    case ARGP_KEY_END:
        if (a->program && a->load.files.n)
            argp_error(state, "--program chooses the files: name it, or FILEs");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int solve_and_call(const struct solved_word *word, const struct program_units *of,
                          struct program_options o) {
    struct program *p;
    int status;

    o.whole = of->whole;
    p = program_new(&o);
    for (size_t i = 0; i < of->n; i++)
        program_add(p, of->units[i]);
    program_solve(p);
    status = word->show(p, of->title, word->data);
    program_free(p);
    return status;
}

/* The units of program i, copied because another one may want them, too; all units where no programs are told apart. */
static struct program_units take_units(struct load *l, const struct linked_programs *programs, size_t i) {
    const struct linked_program *of = programs->n ? &programs->at[i] : NULL;
    struct program_units out = {NULL, xcalloc(l->db.n + 1, sizeof *out.units), 0, load_whole(l)};

    for (size_t k = 0; k < l->db.n; k++)
        if (l->units[k].unit && !of) {
            out.units[out.n++] = l->units[k].unit;
            l->units[k].unit = NULL;
        } else if (l->units[k].unit && of->in[k]) {
            out.units[out.n++] = unit_copy(l->units[k].unit);
        }
    out.whole = out.whole && (!of || of->complete);
    if (programs->n > 1)
        out.title = of->name ? xasprintf("program '%s'", of->name) : xstrdup("files of no program");
    return out;
}

static int worst(int a, int b) {
    return a > b ? a : b;
}

static int call_for_each(struct arguments *a, const struct linked_programs *programs,
                         const struct program_options *o) {
    const struct solved_word *word = a->word;
    const size_t n = programs->n ? programs->n : 1;
    struct program_units *all = xcalloc(n, sizeof *all);
    int status = EXIT_CLEAN;

    if (word->work) {
        for (size_t i = 0; i < n; i++)
            all[i] = take_units(&a->load, programs, i);
        status = word->work(all, n, o, word->data);
    } else {
        for (size_t i = 0; i < n; i++) { /* one after the other: each holds a copy of what it shares */
            all[i] = take_units(&a->load, programs, i);
            if (all[i].n)
                status = worst(status, solve_and_call(word, &all[i], *o));
        }
        if (word->end)
            status = worst(status, word->end(word->data));
    }
    for (size_t i = 0; i < n; i++) {
        free(all[i].units);
        free((char *)all[i].title);
    }
    free(all);
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
    if (load_find(&a->load) && load_any(&a->load)) {
        const struct program_options o = {.level = 1, .models = config_models(config)};
        struct linked_programs programs;
        load_decode(&a->load);
        if (load_programs(&a->load, a->program, &programs))
            status = call_for_each(a, &programs, &o);
        programs_free(&programs);
        if (load_missing(&a->load))
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
        {"program", KEY_PROGRAM, "NAME", 0,
         "Only this one of the programs that the build links or .aglet.yml names", 0},
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
