/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet lint: the whole-program analysis over a compile database. Stands on load.h (units) and analyse.h (findings).
 *
 * 1. load_find: each row's unit, from the cache, an object file or an extractor process.
 * 2. analyse_kept: when all units and settings are those of an earlier run, its findings.
 * 3. load_decode, analyse_solve: else link and solve the program, run the rules, keep what they found.
 * 4. analyse_print: levels, excludes, baseline; the output; the exit status. */
#include "ahead.h"
#include "analyse.h"
#include "heap.h"
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
    struct ahead *ahead; /* of look_ahead */
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
    bool good = fflush(out) == 0 && !ferror(out);
    if (!good)
        say("cannot write the graphs: %s", strerror(errno));
    if (out != stdout)
        fclose(out);
    return !good || load_missing(&l->load) ? EXIT_TROUBLE : EXIT_CLEAN;
}

/* To be solved at the highest level that any of its files asks for. */
static int level_of(const struct lint *l) {
    const struct load *load = &l->load;
    int level = l->analyse.level ? l->analyse.level : 1;
    for (size_t i = 0; i < load->db.n && !l->analyse.level; i++)
        if (!load->units[i].why && load->units[i].origin != ORIGIN_NOT_C &&
            config_level(load->config, load->db.rows[i].file) > level)
            level = config_level(load->config, load->db.rows[i].file);
    return level;
}

/* The units and their ids as far as they are there: to be freed. */
static struct analysis analysis_of(const struct lint *l) {
    const struct load *load = &l->load;
    struct analysis a = {.options = &l->analyse,
                         .config = load->config,
                         .n = load->db.n,
                         .whole = load_whole(load),
                         .level = level_of(l),
                         .cache = load->cache};
    struct cache_id *ids = xcalloc(a.n + 1, sizeof *ids);
    a.units = xcalloc(a.n + 1, sizeof *a.units);
    for (size_t i = 0; i < a.n; i++) {
        a.units[i] = load->units[i].unit;
        ids[i] = load->units[i].id;
    }
    a.ids = ids;
    return a;
}

static void analysis_end(struct analysis *a) {
    free(a->units);
    free((void *)a->ids);
}

static struct linked_programs linked_programs(const struct load *load) {
    const bool told = load->files.n || config_n_programs(load->config);
    return told ? (struct linked_programs){0} : programs_of(&load->db);
}

static bool is_over(const void *x) {
    return extract_answered(x);
}

/* While files are parsed. */
static void look_ahead(void *context, const struct extraction *x) {
    struct lint *l = context;
    struct analysis a = analysis_of(l);
    struct linked_programs programs = linked_programs(&l->load);
    const char **files = xcalloc(a.n + 1, sizeof *files);
    for (size_t i = 0; i < a.n; i++)
        files[i] = l->load.units[i].why ? NULL : l->load.db.rows[i].file;
    a.programs = &programs;
    l->ahead = ahead_new(&a, files);
    free(files);
    programs_free(&programs);
    analysis_end(&a);
    heap_populate(ahead_room(l->ahead), is_over, x);
}

static struct report *findings(struct lint *l, bool *solved) {
    struct load *load = &l->load;
    struct linked_programs programs = linked_programs(load);
    struct cache_id *ids = xcalloc(load->db.n + 1, sizeof *ids);
    size_t n = 0;
    for (size_t i = 0; i < load->db.n; i++)
        if (!load->units[i].why && load->units[i].origin != ORIGIN_NOT_C)
            ids[n++] = load->units[i].id;
    const int level = level_of(l);
    const bool whole = load_whole(load);
    const struct cache_id key =
        analyse_key(&l->analyse, load->config, ids, n, level, whole, &programs, load->db.n);
    free(ids);
    struct report *r = analyse_kept(load->cache, key);
    *solved = !r;
    if (r) {
        programs_free(&programs);
        return r;
    }
    load_decode(load);
    if (!load->files.n && !config_n_programs(load->config) && !load->db.links.n)
        programs = load_programs_by_symbols(load);
    struct analysis a = analysis_of(l);
    a.programs = &programs;
    a.key = key;
    a.level = level;
    a.whole = whole;
    a.ahead = l->ahead;
    l->ahead = NULL;
    for (size_t i = 0; i < load->db.n; i++)
        load->units[i].unit = NULL;
    r = analyse_solve(&a);
    programs_free(&programs);
    analysis_end(&a);
    return r;
}

static double seconds(const struct rusage *r) {
    return (double)(r->ru_utime.tv_sec + r->ru_stime.tv_sec) +
           (double)(r->ru_utime.tv_usec + r->ru_stime.tv_usec) / 1e6;
}

static void say_summary(struct load *l, const struct analyse_counts *c, bool solved) {
    char *origin = l->from_objects ? xasprintf("%zu parsed, %zu from the cache, %zu from objects", l->parsed,
                                               l->from_cache, l->from_objects)
                                   : xasprintf("%zu parsed, %zu from the cache", l->parsed, l->from_cache);
    char *missing = load_missing(l) ? xasprintf(", %zu could not be", load_missing(l)) : xstrdup("");
    char *baselined = c->baselined ? xasprintf(", %zu in the baseline", c->baselined) : xstrdup("");
    char *ignored = c->suppressed ? xasprintf(", %zu ignored by comments", c->suppressed) : xstrdup("");
    say("%zu file%s analysed (%s)%s: %zu finding%s, %zu hint%s%s%s", load_analysed(l),
        load_analysed(l) == 1 ? "" : "s", origin, missing, c->findings + c->errors,
        c->findings + c->errors == 1 ? "" : "s", c->hints, c->hints == 1 ? "" : "s", baselined, ignored);
    say_verbose("%s; %zu files were asked for their times, %zu for their contents",
                solved ? "the program was solved" : "nothing changed, the findings are those kept",
                l->facts.stats, l->facts.hashes);
    if (say_is_verbose) {
        load_end(l);
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
    l->load.meanwhile = l->analyse.text_graphs ? NULL : look_ahead;
    l->load.context = l;
    for (size_t i = 0; i < l->analyse.exclude.n; i++)
        strings_add(&l->load.exclude, l->analyse.exclude.at[i]);
    int status = EXIT_TROUBLE;
    const bool any = load_find(&l->load) && load_any(&l->load);
    if (any && l->analyse.text_graphs) {
        status = print_graphs(l);
    } else if (any) {
        bool solved;
        struct analyse_counts counts = {0};
        l->analyse.partial = l->load.files.n || load_missing(&l->load);
        struct report *found = findings(l, &solved);
        status = analyse_print(&l->analyse, config, found, &counts);
        if (status != EXIT_TROUBLE)
            say_summary(&l->load, &counts, solved);
        if (load_missing(&l->load)) {
            say("without %s the program is not known whole: what %s is unknown, and what needs all callers "
                "is not reported",
                load_missing(&l->load) == 1 ? "that file" : "those files",
                load_missing(&l->load) == 1 ? "it does" : "they do");
            status = EXIT_TROUBLE;
        }
    }
    ahead_free(l->ahead);
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
