/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet explain-type TYPE: is it Send, Sync, Frozen, and if not, by which member and why. Stands on load.h and program/traits.h. */
#include "load.h"
#include "base/alloc.h"
#include "say.h"
#include "word.h"
#include "program/traits.h"
#include <argp.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct explain {
    struct load load;
    const char *type, *config_file, *program;
    const bool *in; /* by row: the program being explained; NULL: all */
};

enum { KEY_PROGRAM = 256 };

static const struct argp_option options[] = {
    {"build", 'p', "PATH", 0, "compile_commands.json, or the directory it is in", 0},
    {"config", 'c', "FILE", 0, "The configuration instead of the nearest .aglet.yml: its models count", 0},
    {"program", KEY_PROGRAM, "NAME", 0,
     "As this one of the programs sees it that the build links or .aglet.yml names", 0},
    {"verbose", 'v', 0, 0, "Say more of what is done", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct explain *e = state->input;
    switch (key) {
    case 'p': e->load.database = arg; return 0;
    case 'c': e->config_file = arg; return 0;
    case 'v': say_is_verbose = true; return 0;
    case KEY_PROGRAM: e->program = arg; return 0;
    case ARGP_KEY_ARG:
        if (e->type)
            strings_add(&e->load.files, arg);
        else
            e->type = arg;
        return 0;
    case ARGP_KEY_END:
        if (!e->type)
            argp_error(state, "a type is wanted, such as 'struct job'");
        if (e->program && e->load.files.n)
            argp_error(state, "--program chooses the files: name it, or FILEs");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- finding the type ---- */

/* "struct job *": kind of tag (0: any), name, number of stars. */
struct wanted {
    enum ir_type_kind tag;
    char name[200];
    unsigned stars;
};

static bool read_type(const char *text, struct wanted *w) {
    static const struct {
        const char *word;
        enum ir_type_kind kind;
    } tags[] = {{"struct", IR_T_STRUCT}, {"union", IR_T_UNION}, {"enum", IR_T_ENUM}};
    memset(w, 0, sizeof *w);
    size_t n = 0;
    for (const char *p = text; *p;) {
        if (isspace((unsigned char)*p)) {
            p++;
        } else if (*p == '*') {
            w->stars++;
            p++;
        } else if (isalnum((unsigned char)*p) || *p == '_') {
            size_t length = 0;
            while (isalnum((unsigned char)p[length]) || p[length] == '_')
                length++;
            bool tag = false;
            for (size_t i = 0; i < 3 && !n; i++)
                if (strlen(tags[i].word) == length && strncmp(p, tags[i].word, length) == 0) {
                    w->tag = tags[i].kind;
                    tag = true;
                }
            if (!tag) {
                if (w->stars || n + length + 2 > sizeof w->name)
                    return false;
                n +=
                    (size_t)snprintf(w->name + n, sizeof w->name - n, "%s%.*s", n ? " " : "", (int)length, p);
            }
            p += length;
        } else {
            return false;
        }
    }
    return n > 0;
}

/* The best description in a unit: a complete one before a declared one. */
static ir_type find_type(const struct unit *u, const struct wanted *w, bool *complete) {
    ir_type found = 0;
    for (ir_type t = 1; t < u->n_types; t++) {
        const struct ir_type_rec *rec = &u->types[t];
        bool named_by_tag = rec->kind == IR_T_STRUCT || rec->kind == IR_T_UNION || rec->kind == IR_T_ENUM;
        bool kind_fits = w->tag ? rec->kind == w->tag && !(rec->flags & IR_TF_ANONYMOUS)
                                : !named_by_tag || (rec->flags & IR_TF_ANONYMOUS);
        if (!kind_fits || rec->kind == IR_T_POINTER || strcmp(unit_str(u, rec->name), w->name) != 0)
            continue;
        *complete = !(rec->flags & IR_TF_INCOMPLETE);
        if (*complete)
            return t;
        found = t;
    }
    return found;
}

static const struct unit *unit_of(const struct explain *e, size_t row) {
    return !e->in || e->in[row] ? e->load.units[row].unit : NULL;
}

static const struct unit *complete_in(void *data, const char *name, ir_type *type) {
    const struct explain *e = data;
    struct wanted w = {0};
    snprintf(w.name, sizeof w.name, "%s", name);
    for (size_t i = 0; i < e->load.db.n; i++)
        for (unsigned k = 0; k < 2 && unit_of(e, i); k++) {
            bool complete = false;
            w.tag = k ? IR_T_UNION : IR_T_STRUCT;
            *type = find_type(unit_of(e, i), &w, &complete);
            if (*type && complete)
                return unit_of(e, i);
        }
    return NULL;
}

/* ---- saying it ---- */

static void print_place(const struct unit *u, ir_loc loc) {
    const struct ir_loc_rec *at = &u->locs[loc];
    const char *path = unit_str(u, u->files[at->file].path), *slash = strrchr(path, '/');
    if (at->line)
        printf("%s:%u:%u: ", slash ? slash + 1 : path, at->line, at->col);
}

static void print_step(const struct trait_reason *r) {
    char type[200];
    type_spelling(r->unit, r->type, type, sizeof type);
    switch (r->because) {
    case BECAUSE_MEMBER:
    case BECAUSE_RWLOCK:
        printf("      ");
        print_place(r->unit, r->unit->fields[r->field].loc);
        printf("member '%s' is a '%s'%s\n", unit_str(r->unit, r->unit->fields[r->field].name), type,
               r->because == BECAUSE_RWLOCK ? ", and the readers of its lock run in parallel" : "");
        break;
    case BECAUSE_POINTEE:
        if (r->cause) {
            char target[200];
            type_spelling(r->unit,
                          r->unit->types[r->type].kind == IR_T_POINTER ? r->unit->types[r->type].elem
                                                                       : r->type,
                          target, sizeof target);
            printf("      which points to '%s'%s%s\n", target,
                   r->cause->trait != r->trait ? ", asked to be " : "",
                   r->cause->trait != r->trait ? trait_name(r->cause->trait) : "");
        }
        break;
    case BECAUSE_ELEMENT: printf("      whose elements are asked\n"); break;
    case BECAUSE_COUNT:
        printf("      ");
        print_place(r->unit, r->unit->fields[r->field].loc);
        printf("its references are counted here\n");
        break;
    default: break;
    }
}

static void print_answer(const char *type, enum trait trait, struct trait_verdict v) {
    static const char *const answers[] = {"no", "unknown", "yes"};
    printf("  %-7s %s", trait_name(trait), answers[v.answer]);
    if (!v.reason) {
        putchar('\n');
        return;
    }
    char path[300], words[300];
    trait_reason_path(v.reason, type, path, sizeof path);
    trait_reason_words(v.reason, words, sizeof words);
    printf(": %s%s%s\n", strcmp(path, type) != 0 ? path : "", strcmp(path, type) != 0 ? ": " : "", words);
    for (const struct trait_reason *r = v.reason; r; r = r->cause)
        print_step(r);
    const char *remedy = trait_reason_remedy(v.reason);
    if (remedy)
        printf("      remedy: %s\n", remedy);
}

/* The pointer with so many stars to it that the unit uses; 0: it uses none. */
static ir_type pointer_to(const struct unit *u, ir_type t, unsigned stars) {
    ir_type found = t;
    for (; stars && found; stars--) {
        t = found;
        found = 0;
        for (ir_type p = 1; p < u->n_types && !found; p++)
            if (u->types[p].kind == IR_T_POINTER && u->types[p].elem == t)
                found = p;
    }
    return found;
}

static int explain_found(struct explain *e, const struct models *models, const struct wanted *w,
                         const struct unit *u, ir_type t) {
    struct traits *traits = traits_new(models, complete_in, e);
    const ir_type asked = pointer_to(u, t, w->stars);
    print_place(u, u->types[t].loc);
    printf("%s\n", e->type);
    for (int trait = 0; trait < TRAITS; trait++) {
        /* Only the outermost star matters for more than one: a raw pointer to a raw pointer. */
        struct trait_verdict v = asked ? traits_of(traits, u, asked, (enum trait)trait)
                                       : traits_of_pointer(traits, u, t, ROLE_NONE, (enum trait)trait);
        print_answer(w->stars ? "" : w->name, (enum trait)trait, v);
    }
    ir_loc where;
    const char *contradiction = traits_contradiction(u, t, &where);
    if (contradiction)
        printf("  %s\n", contradiction);
    traits_free(traits);
    return contradiction ? EXIT_FINDINGS : EXIT_CLEAN;
}

/* What the rows that are `in` know of the type, the complete description before the others. */
static const struct unit *find_best(const struct explain *e, const struct wanted *w, ir_type *type) {
    const struct unit *best = NULL;
    for (size_t i = 0; i < e->load.db.n; i++) {
        bool complete = false;
        const ir_type t = unit_of(e, i) ? find_type(unit_of(e, i), w, &complete) : 0;
        if (!t || (best && !complete))
            continue;
        best = unit_of(e, i);
        *type = t;
        if (complete)
            break;
    }
    return best;
}

static bool same_place(const struct unit *a, ir_type s, const struct unit *b, ir_type t) {
    const struct ir_loc_rec *x = &a->locs[a->types[s].loc], *y = &b->locs[b->types[t].loc];
    return x->line == y->line && x->col == y->col &&
           strcmp(unit_str(a, a->files[x->file].path), unit_str(b, b->files[y->file].path)) == 0;
}

/* Once for each program that means another type by the name; in the first of them that has it where all mean the same. */
static int explain_in_programs(struct explain *e, const struct linked_programs *programs,
                               const struct wanted *w) {
    const size_t n = programs->n ? programs->n : 1;
    const struct unit **units = xcalloc(n, sizeof *units);
    ir_type *types = xcalloc(n, sizeof *types);
    size_t found = 0, different = 0;
    int status = EXIT_TROUBLE;
    for (size_t i = 0; i < n; i++) {
        e->in = programs->n ? programs->at[i].in : NULL;
        units[i] = find_best(e, w, &types[i]);
        for (size_t k = 0; k < i && units[i]; k++)
            if (units[k] && same_place(units[k], types[k], units[i], types[i]))
                units[i] = NULL;
        different += units[i] != NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (!units[i])
            continue;
        e->in = programs->n ? programs->at[i].in : NULL;
        if (different > 1 && programs->at[i].name)
            printf("%sprogram '%s':\n", found ? "\n" : "", programs->at[i].name);
        else if (different > 1)
            printf("%sfiles of no program:\n", found ? "\n" : "");
        const int one = explain_found(e, config_models(e->load.config), w, units[i], types[i]);
        status = found++ && status > one ? status : one;
    }
    if (!found)
        say("no '%s' is used in what was analysed", e->type);
    free(units);
    free(types);
    return status;
}

static int explain_run(struct explain *e) {
    struct wanted w;
    if (!read_type(e->type, &w)) {
        say("'%s' is no type that can be explained: 'struct job', 'job_t' or 'struct job *' can", e->type);
        return EXIT_TROUBLE;
    }
    char err[SAY_MAX] = "";
    char *path = e->config_file ? strdup(e->config_file) : config_find(".");
    struct config *config = path ? config_read(path, err, sizeof err) : config_default();
    free(path);
    if (!config) {
        say("%s", err);
        return EXIT_TROUBLE;
    }
    e->load.config = config;
    int status = EXIT_TROUBLE;
    if (load_find(&e->load)) {
        struct linked_programs programs;
        load_decode(&e->load);
        if (load_programs(&e->load, e->program, &programs))
            status = explain_in_programs(e, &programs, &w);
        programs_free(&programs);
    }
    load_free(&e->load);
    config_free(config);
    return status;
}

static int explain_type(int argc, char **argv) {
    static const struct argp argp = {
        options,
        parse,
        "TYPE [FILE...] [-- COMPILER FLAGS]",
        "Says whether TYPE is Send, Sync and Frozen, and if not, by which member and why.\v"
        "With FILEs: as those files see it. With -- the flags after it compile the FILEs, and no database is "
        "needed.\n\n"
        "Exit status: 0, 1 when its marks contradict each other, 2 when it was not found.",
        NULL,
        NULL,
        NULL};
    struct explain e = {0};
    int own = argc;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0) {
            own = i;
            e.load.have_flags = true;
            for (int k = i + 1; k < argc; k++)
                strings_add(&e.load.flags, argv[k]);
            break;
        }
    argp_err_exit_status = EXIT_TROUBLE;
    argp_parse(&argp, own, argv, 0, NULL, &e);
    return explain_run(&e);
}

AGLET_WORD("explain-type", "TYPE [-p BUILD] [--program NAME] [FILE...]",
           "is the type Send, Sync, Frozen; if not, which member forbids it", explain_type)
