/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet lint: the whole-program analysis over a compile database. Stands on load.h (units) and analyse.h (findings).
 *
 * 1. load_find: each row's unit, from the cache, an object file or an extractor process.
 * 2. analyse_kept: when all units and settings are those of an earlier run, its findings.
 * 3. load_decode, analyse_solve: else link and solve the program, run the rules, keep what they found.
 * 4. analyse_print: levels, excludes, baseline; the output; the exit status. */
#include "analyse.h"
#include "load.h"
#include "say.h"
#include "word.h"
#include "base/alloc.h"
#include "ir/text.h"
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct lint {
    struct load load;
    struct analyse_options analyse;
};

enum { OPTION_NO_CACHE = 2000, OPTION_CACHE, OPTION_NO_OBJECTS };

static const struct argp_option options[] = {
    {"build", 'p', "PATH", 0,
     "compile_commands.json, or the directory it is in (the nearest above, there or in build/)", 0},
    {"jobs", 'j', "N", 0, "Files read side by side (one per processor)", 0},
    {"cache", OPTION_CACHE, "DIR", 0,
     "Keep units here ($AGLET_CACHE_DIR, $XDG_CACHE_HOME/aglet, ~/.cache/aglet)", 0},
    {"no-cache", OPTION_NO_CACHE, 0, 0, "Read every file anew and keep nothing", 0},
    {"no-objects", OPTION_NO_OBJECTS, 0, 0, "Do not take units out of object files the plugin compiled", 0},
    {"verbose", 'v', 0, 0, "Say more of what is done", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct lint *l = state->input;
    char *end;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &l->analyse; return 0;
    case 'p': l->load.database = arg; return 0;
    case 'j':
        l->load.jobs = strtoul(arg, &end, 10);
        if (*end || l->load.jobs == 0 || l->load.jobs > 1024)
            argp_error(state, "--jobs wants a number from 1 to 1024, got '%s'", arg);
        return 0;
    case OPTION_CACHE: l->load.cache_directory = arg; return 0;
    case OPTION_NO_CACHE: l->load.no_cache = true; return 0;
    case OPTION_NO_OBJECTS: l->load.no_objects = true; return 0;
    case 'v': say_is_verbose = true; return 0;
    case ARGP_KEY_ARG: strings_add(&l->load.files, arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int print_graphs(struct lint *l) {
    FILE *out = l->analyse.output ? fopen(l->analyse.output, "w") : stdout;
    if (!out) {
        say("cannot write '%s': %s", l->analyse.output, strerror(errno));
        return EXIT_TROUBLE;
    }
    load_decode(&l->load);
    for (size_t i = 0; i < l->load.db.n; i++)
        if (l->load.units[i].unit)
            unit_print(l->load.units[i].unit, out);
    if (out != stdout)
        fclose(out);
    return l->load.not_analysed || !load_analysed(&l->load) ? EXIT_TROUBLE : EXIT_CLEAN;
}

static struct report *findings(struct lint *l, const struct config *config, bool *solved) {
    struct load *load = &l->load;
    const bool whole = load_whole(load);
    struct analysis a = {
        .options = &l->analyse, .config = config, .n = load->db.n, .whole = whole, .cache = load->cache};
    struct cache_id *ids = xcalloc(load->db.n + 1, sizeof *ids);
    size_t n = 0;
    a.level = l->analyse.level ? l->analyse.level : 1;
    for (size_t i = 0; i < load->db.n; i++) {
        if (load->units[i].why || load->units[i].origin == ORIGIN_NOT_C)
            continue;
        ids[n++] = load->units[i].id;
        if (!l->analyse.level && config_level(config, load->db.rows[i].file) > a.level)
            a.level = config_level(config, load->db.rows[i].file);
    }
    struct linked_programs programs = {0};
    if (!load->files.n && !config_n_programs(config))
        programs = programs_of(&load->db);
    a.programs = &programs;
    a.key = analyse_key(&l->analyse, config, ids, n, a.level, whole, &programs, load->db.n);
    free(ids);
    struct report *r = analyse_kept(load->cache, a.key);
    *solved = !r;
    if (r) {
        programs_free(&programs);
        return r;
    }
    load_decode(load);
    if (!load->files.n && !config_n_programs(config) && !load->db.links.n)
        programs = load_programs_by_symbols(load);
    a.units = xcalloc(load->db.n + 1, sizeof *a.units);
    a.ids = ids = xcalloc(load->db.n + 1, sizeof *ids);
    for (size_t i = 0; i < load->db.n; i++) {
        a.units[i] = load->units[i].unit;
        ids[i] = load->units[i].id;
        load->units[i].unit = NULL;
    }
    r = analyse_solve(&a);
    programs_free(&programs);
    free(a.units);
    free(ids);
    return r;
}

static double seconds(const struct rusage *r) {
    return (double)(r->ru_utime.tv_sec + r->ru_stime.tv_sec) +
           (double)(r->ru_utime.tv_usec + r->ru_stime.tv_usec) / 1e6;
}

static void say_summary(const struct load *l, const struct analyse_counts *c, bool solved) {
    char *origin = l->from_objects ? xasprintf("%zu parsed, %zu from the cache, %zu from objects", l->parsed,
                                               l->from_cache, l->from_objects)
                                   : xasprintf("%zu parsed, %zu from the cache", l->parsed, l->from_cache);
    char *missing = l->not_analysed ? xasprintf(", %zu could not be", l->not_analysed) : xstrdup("");
    char *baselined = c->baselined ? xasprintf(", %zu in the baseline", c->baselined) : xstrdup("");
    char *ignored = c->suppressed ? xasprintf(", %zu ignored by comments", c->suppressed) : xstrdup("");
    say("%zu file%s analysed (%s)%s: %zu finding%s, %zu hint%s%s%s", load_analysed(l),
        load_analysed(l) == 1 ? "" : "s", origin, missing, c->findings + c->errors,
        c->findings + c->errors == 1 ? "" : "s", c->hints, c->hints == 1 ? "" : "s", baselined, ignored);
    say_verbose("%s; %zu files were asked for their times, %zu for their contents",
                solved ? "the program was solved" : "nothing changed, the findings are those kept",
                l->facts.stats, l->facts.hashes);
    if (say_is_verbose) {
        struct rusage self, readers;
        getrusage(RUSAGE_SELF, &self);
        getrusage(RUSAGE_CHILDREN, &readers);
        say("%.2f s of processor for reading (%.0f MiB at most), %.2f s for the rest (%.0f MiB)",
            seconds(&readers), (double)readers.ru_maxrss / 1024, seconds(&self),
            (double)self.ru_maxrss / 1024);
    }
    free(origin);
    free(missing);
    free(baselined);
    free(ignored);
}

static int lint_run(struct lint *l) {
    struct config *config = analyse_config(&l->analyse, l->load.database);
    if (!config)
        return EXIT_TROUBLE;
    l->load.config = config;
    for (size_t i = 0; i < l->analyse.exclude.n; i++)
        strings_add(&l->load.exclude, l->analyse.exclude.at[i]);
    int status = EXIT_TROUBLE;
    if (!load_find(&l->load)) {
        ;
    } else if (load_analysed(&l->load) == 0) {
        say("nothing was analysed");
    } else if (l->analyse.text_graphs) {
        status = print_graphs(l);
    } else {
        bool solved;
        struct analyse_counts counts = {0};
        struct report *found = findings(l, config, &solved);
        status = analyse_print(&l->analyse, config, found, &counts);
        if (status != EXIT_TROUBLE)
            say_summary(&l->load, &counts, solved);
        if (l->load.not_analysed) {
            say("without %s the program is not known whole: what %s is unknown, and what needs all callers "
                "is not reported",
                l->load.not_analysed == 1 ? "that file" : "those files",
                l->load.not_analysed == 1 ? "it does" : "they do");
            status = EXIT_TROUBLE;
        }
    }
    load_free(&l->load);
    config_free(config);
    return status;
}

static int lint(int argc, char **argv) {
    static const struct argp_child children[] = {{&analyse_argp, 0, NULL, 1}, {0}};
    static const struct argp argp = {
        options,
        parse,
        "[FILE...] [-- COMPILER FLAGS]",
        "Analyses the C files of a compile database as one program.\v"
        "With FILEs: only those, as part of a program that is not known whole. With -- the flags after it "
        "compile the FILEs, "
        "and no database is needed.\n\n"
        "Exit status: 0 clean, 1 findings, 2 when something could not be analysed.",
        children,
        NULL,
        NULL};
    struct lint l = {0};
    int own = argc;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0) {
            own = i;
            l.load.have_flags = true;
            for (int k = i + 1; k < argc; k++)
                strings_add(&l.load.flags, argv[k]);
            break;
        }
    argp_err_exit_status = EXIT_TROUBLE;
    argp_parse(&argp, own, argv, 0, NULL, &l);
    int status = lint_run(&l);
    strings_free(&l.analyse.rules);
    strings_free(&l.analyse.exclude);
    return status;
}

AGLET_WORD("lint", "[-p BUILD] [FILE...]", "analyse the C files of a compile database as one program", lint)
