/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet boundaries: every place where a program hands something to another thread, to whom, and how it was judged.
 * Stands on load.h and program/boundary.h. For reading a code base, and for seeing what the rules had to go by. */
#include "load.h"
#include "say.h"
#include "word.h"
#include "program/boundary.h"
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listing {
    struct load load;
    const char *config_file;
};

static const struct argp_option options[] = {
    {"build", 'p', "PATH", 0, "compile_commands.json, or the directory it is in", 0},
    {"config", 'c', "FILE", 0, "The configuration instead of the nearest .aglet.yml: its models count", 0},
    {"verbose", 'v', 0, 0, "Say more of what is done", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct listing *l = state->input;
    (void)state;
    switch (key) {
    case 'p': l->load.database = arg; return 0;
    case 'c': l->config_file = arg; return 0;
    case 'v': say_is_verbose = true; return 0;
    case ARGP_KEY_ARG: strings_add(&l->load.files, arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void print_handoff(const struct program *p, const struct handoff *h)
{
    static const char *const verdicts[] = {"sent", "lent", "shared", "unknown"};
    const struct unit *u = h->flow->unit->unit;
    struct position at = program_position(u, u->events[h->at->event].loc);
    const char *slash = at.file ? strrchr(at.file, '/') : NULL;
    char region[200] = "nothing that can be named";
    if (h->region)
        place_print(h->flow, h->region, region, sizeof region);
    printf("%s:%u: %s: %s %s", slash ? slash + 1 : at.file ? at.file : "?", at.line, p->funcs.at[h->func].name,
           h->at->op == REGION_SPAWN ? "spawns" : "sends", region);
    const struct handoff_spec *s = h->at->spawn;
    for (uint32_t i = 0; i < s->n_entries; i++)
        printf("%s %s", i ? "," : " to", p->funcs.at[s->entries[i]].name);
    if (h->at->op == REGION_SPAWN && !s->n_entries)
        printf(" to a function that is not known");
    printf(": %s\n", verdicts[h->verdict]);
}

static int list(struct listing *l)
{
    char err[SAY_MAX] = "";
    char *path = l->config_file ? strdup(l->config_file) : config_find(".");
    struct config *config = path ? config_read(path, err, sizeof err) : config_default();
    free(path);
    if (!config) {
        say("%s", err);
        return EXIT_TROUBLE;
    }
    l->load.config = config;
    int status = EXIT_TROUBLE;
    if (load_find(&l->load) && load_analysed(&l->load)) {
        struct program_options o = {.level = 1, .whole = l->load.files.n == 0, .models = config_models(config)};
        struct program *p = program_new(&o);
        load_decode(&l->load);
        for (size_t i = 0; i < l->load.db.n; i++)
            if (l->load.units[i].unit) {
                program_add(p, l->load.units[i].unit);
                l->load.units[i].unit = NULL;
            }
        program_solve(p);
        size_t verdicts[4] = {0}, resolved = 0;
        for (size_t i = 0; i < p->boundaries->handoffs.n; i++) {
            const struct handoff *h = &p->boundaries->handoffs.at[i];
            print_handoff(p, h);
            verdicts[h->verdict]++;
            resolved += h->at->op == REGION_SEND || h->at->spawn->n_entries > 0;
        }
        printf("%zu hand-offs, %zu of them to a known function or queue: %zu sent, %zu lent, %zu shared, %zu unknown\n",
               p->boundaries->handoffs.n, resolved, verdicts[0], verdicts[1], verdicts[2], verdicts[3]);
        program_free(p);
        status = l->load.not_analysed ? EXIT_TROUBLE : EXIT_CLEAN;
    }
    load_free(&l->load);
    config_free(config);
    return status;
}

static int boundaries(int argc, char **argv)
{
    static const struct argp argp = {options, parse, "[FILE...] [-- COMPILER FLAGS]",
        "Lists the places where something is handed to another thread: what, to which function, and whether it is sent for "
        "good, lent until a join, shared by both, or not known.", NULL, NULL, NULL};
    struct listing l = {0};
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
    return list(&l);
}

AGLET_WORD("boundaries", "[-p BUILD] [FILE...]", "list what is handed to other threads, to whom, and how it was judged", boundaries)
