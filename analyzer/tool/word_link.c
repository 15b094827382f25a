/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet link: the whole-program half of the analysis, over objects that the plugin compiled. Stands on object_units.h and analyse.h.
 * The per-file half is then a plain build action, whose product travels in the object: ccache, distcc and remote builds carry it. */
#include "analyse.h"
#include "files.h"
#include "heap.h"
#include "object_units.h"
#include "say.h"
#include "word.h"
#include "base/alloc.h"
#include "base/vec.h"
#include "ir/file.h"
#include "ir/text.h"
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct link {
    struct analyse_options analyse;
    struct string_list inputs;
    const char *cache_directory;
    bool no_cache;

    VEC(struct unit *) units;
    VEC(struct cache_id) ids;
    size_t without, trouble; /* objects with no unit; inputs that could not be read */
    const char *input;       /* the one being read */
};

enum { OPTION_NO_CACHE = 2000, OPTION_CACHE };

static const struct argp_option options[] = {
    {"cache", OPTION_CACHE, "DIR", 0, "Keep findings here (as for aglet lint)", 0},
    {"no-cache", OPTION_NO_CACHE, 0, 0, "Keep nothing", 0},
    {"verbose", 'v', 0, 0, "Say more of what is done", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct link *l = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &l->analyse; return 0;
    case OPTION_CACHE: l->cache_directory = arg; return 0;
    case OPTION_NO_CACHE: l->no_cache = true; return 0;
    case 'v': say_is_verbose = true; return 0;
    case ARGP_KEY_ARG: strings_add(&l->inputs, arg); return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "no object is named"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void add_unit(struct link *l, struct unit *u, const unsigned char *bytes, size_t size) {
    struct cache_hash *h = cache_hash_new("linked unit");
    cache_hash_bytes(h, bytes, size);
    struct cache_id id = cache_hash_end(h);
    for (size_t i = 0; i < l->ids.n; i++)
        if (l->ids.at[i].low == id.low &&
            l->ids.at[i].high == id.high) { /* the same object named twice, or also in an archive */
            unit_free(u);
            return;
        }
    vec_push(&l->units, u);
    vec_push(&l->ids, id);
}

static void found_unit(void *context, const unsigned char *bytes, size_t size, const char *member) {
    struct link *l = context;
    char err[SAY_MAX];
    struct unit *u = unit_decode(bytes, size, err, sizeof err);
    if (u) {
        add_unit(l, u, bytes, size);
        return;
    }
    say("'%s%s%s%s' holds a unit that cannot be read: %s", l->input, *member ? "(" : "", member,
        *member ? ")" : "", err);
    l->trouble++;
}

/* A unit written as text, as --text-graphs prints it. */
static bool add_text(struct link *l, const char *text, size_t size) {
    char err[SAY_MAX];
    if (size < 5 || memcmp(text, "unit ", 5) != 0)
        return false;
    struct unit *u = unit_parse(l->input, text, size, err, sizeof err);
    if (u) {
        add_unit(l, u, (const unsigned char *)text, size);
    } else {
        say("%s", err);
        l->trouble++;
    }
    return true;
}

static void read_input(struct link *l) {
    size_t size, before = l->units.n, trouble = l->trouble;
    char *bytes = file_read(l->input, &size);
    if (!bytes) {
        say("cannot read '%s': %s", l->input, strerror(errno));
        l->trouble++;
        return;
    }
    const char *broken;
    enum object_kind kind = object_units((const unsigned char *)bytes, size, found_unit, l, &broken);
    if (kind == OBJECT_FOREIGN) {
        if (!add_text(l, bytes, size)) {
            say(size >= 8 && memcmp(bytes, "!<thin>\n", 8) == 0
                    ? "'%s' is a thin archive, which holds no objects; name the objects themselves"
                    : "'%s' is neither an object file nor an archive",
                l->input);
            l->trouble++;
        }
    } else if (broken) {
        say("'%s' cannot be used: %s", l->input, broken);
        l->trouble++;
    } else if (l->units.n == before && l->trouble == trouble && l->ids.n == before) {
        say("'%s' carries no event graphs (it was compiled without the plugin, or stripped); what it does is "
            "unknown",
            l->input);
        l->without++;
    }
    free(bytes);
}

static int analyse_units(struct link *l, const struct config *config) {
    bool whole = l->without == 0 && l->trouble == 0;
    struct file_facts facts = {0};
    char err[SAY_MAX] = "";
    struct cache *cache = l->no_cache ? NULL : cache_open(l->cache_directory, &facts, err, sizeof err);
    if (err[0])
        say("%s", err);
    struct analysis a = {.options = &l->analyse,
                         .config = config,
                         .units = l->units.at,
                         .n = l->units.n,
                         .whole = whole,
                         .cache = cache};
    a.level = l->analyse.level ? l->analyse.level : 1;
    for (size_t i = 0; i < l->units.n && !l->analyse.level; i++)
        if (config_level(config, unit_str(l->units.at[i], l->units.at[i]->main_file)) > a.level)
            a.level = config_level(config, unit_str(l->units.at[i], l->units.at[i]->main_file));
    a.key = analyse_key(&l->analyse, config, l->ids.at, l->ids.n, a.level, whole, NULL, 0);
    struct analyse_counts counts = {0};
    l->analyse.partial = !whole;
    size_t n = l->units.n;
    struct report *r = analyse_kept(cache, a.key);
    if (!r) {
        r = analyse_solve(&a);
        vec_clear(&l->units);
    }
    int status = analyse_print(&l->analyse, config, r, &counts);
    if (status != EXIT_TROUBLE)
        say("%zu unit%s%s: %zu finding%s, %zu hint%s", n, n == 1 ? "" : "s",
            whole ? "" : " of a program that is not known whole", counts.findings + counts.errors,
            counts.findings + counts.errors == 1 ? "" : "s", counts.hints, counts.hints == 1 ? "" : "s");
    cache_close(cache);
    file_facts_free(&facts);
    return status;
}

static int link_units(int argc, char **argv) {
    static const struct argp_child children[] = {{&analyse_argp, 0, NULL, 1}, {0}};
    static const struct argp argp = {
        options,
        parse,
        "OBJECT...",
        "Analyses as one program the objects and archives that were compiled with the plugin.\v"
        "Units by themselves, as files or as the text of --text-graphs, are taken too.\n\n"
        "Exit status: 0 clean, 1 findings, 2 when something could not be read, or nothing was analysed.",
        children,
        NULL,
        NULL};
    struct link l = {0};
    argp_err_exit_status = EXIT_TROUBLE;
    argp_parse(&argp, argc, argv, 0, NULL, &l);
    heap_reserve();
    struct config *config = analyse_config(&l.analyse, l.inputs.n ? l.inputs.at[0] : NULL);
    int status = EXIT_TROUBLE;
    if (config) {
        for (size_t i = 0; i < l.inputs.n; i++) {
            l.input = l.inputs.at[i];
            read_input(&l);
        }
        if (l.units.n == 0)
            say("nothing was analysed");
        else if (l.analyse.text_graphs)
            for (size_t i = 0; i < l.units.n; i++)
                unit_print(l.units.at[i], stdout);
        else
            status = analyse_units(&l, config);
        if (l.analyse.text_graphs && l.units.n)
            status = EXIT_CLEAN;
        if (l.trouble)
            status = EXIT_TROUBLE;
    }
    for (size_t i = 0; i < l.units.n; i++)
        unit_free(l.units.at[i]);
    vec_free(&l.units);
    vec_free(&l.ids);
    strings_free(&l.inputs);
    strings_free(&l.analyse.rules);
    strings_free(&l.analyse.exclude);
    config_free(config);
    return status;
}

AGLET_WORD("link", "OBJECT...", "analyse as one program the objects the plugin compiled", link_units)
