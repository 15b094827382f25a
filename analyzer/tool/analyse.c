/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Solves programs and chooses which findings are shown. Stands on the engine's one header; argp reads its options. */
#include "analyse.h"
#include "ahead.h"
#include "changed.h"
#include "files.h"
#include "heap.h"
#include "layout.h"
#include "load.h"
#include "mixed.h"
#include "moved.h"
#include "near.h"
#include "print.h"
#include "report_file.h"
#include "say.h"
#include "word.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "program/memo.h"
#include "program/program.h"
#include "report/ignores.h"
#include "rules/rule.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPTION_UPDATE = 1000, OPTION_CHANGED, OPTION_TEXT_GRAPHS, OPTION_LEVEL, OPTION_RULES, OPTION_CONFIG };

static const struct argp_option options[] = {
    {"format", 'f', "text|json|sarif|html", 0, "How findings are printed (text)", 1},
    {"output", 'o', "FILE", 0, "Where they are printed (standard output)", 1},
    {"baseline", 'b', "FILE", 0, "Findings that this file lists fail no build; only new ones do", 1},
    {"update-baseline", OPTION_UPDATE, 0, 0, "Write the findings of this run into the baseline", 1},
    {"only-changed-since", OPTION_CHANGED, "REV", 0,
     "Show only findings that touch a file changed since this git revision", 1},
    {"level", OPTION_LEVEL, "1|2", 0,
     "1: only where the evidence is complete; 2: strict, what is unknown is reported", 1},
    {"rules", OPTION_RULES, "A,B", 0, "Only these rules", 1},
    {"exclude", 'x', "GLOB", 0, "Leave out files, and findings in them; may be repeated", 1},
    {"config", OPTION_CONFIG, "FILE", 0, "Read this instead of the nearest .aglet.yml", 1},
    {"text-graphs", OPTION_TEXT_GRAPHS, 0, 0, "Print the event graphs as text instead of findings", 1},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
    struct analyse_options *o = state->input;
    switch (key) {
    case 'f':
        if (!print_knows(arg))
            argp_error(state, "there is no format '%s'; text, json, sarif and html are known", arg);
        o->format = arg;
        return 0;
    case 'o': o->output = arg; return 0;
    case 'b': o->baseline = arg; return 0;
    case OPTION_UPDATE: o->update_baseline = true; return 0;
    case OPTION_CHANGED: o->changed_since = arg; return 0;
    case OPTION_LEVEL:
        if (strcmp(arg, "1") != 0 && strcmp(arg, "2") != 0)
            argp_error(state, "there is no level '%s'; 1 (default) and 2 (strict) are known", arg);
        o->level = arg[0] - '0';
        return 0;
    case OPTION_RULES:
        for (char *id = strtok(arg, ", "); id; id = strtok(NULL, ", "))
            strings_add(&o->rules, strncmp(id, "aglet-", 6) == 0 ? id + 6 : id);
        if (!o->rules.n)
            argp_error(state, "--rules names no rule");
        return 0;
    case 'x':
        if (!*arg)
            argp_error(state, "--exclude wants a path pattern, not an empty text");
        strings_add(&o->exclude, arg);
        return 0;
    case OPTION_CONFIG: o->config_file = arg; return 0;
    case OPTION_TEXT_GRAPHS: o->text_graphs = true; return 0;
    case ARGP_KEY_END:
        if (o->update_baseline && !o->baseline)
            argp_error(state, "--update-baseline needs --baseline FILE to write to");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

const struct argp analyse_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

static bool rule_exists(const char *id) {
    const struct rule *const *r = rules_all;
    while (*r && strcmp((*r)->id, id) != 0)
        r++;
    return *r;
}

static bool rules_exist(const struct string_list *ids) {
    bool good = true;
    for (size_t i = 0; i < ids->n; i++) {
        if (rule_exists(ids->at[i]))
            continue;
        const char *near = near_rule(ids->at[i]);
        if (near)
            say("there is no rule '%s'; did you mean '%s'?", ids->at[i], near);
        else
            say("there is no rule '%s'; aglet rules lists them", ids->at[i]);
        good = false;
    }
    return good;
}

struct config *analyse_config(const struct analyse_options *o, const char *beside) {
    char err[SAY_MAX];
    if (!rules_exist(&o->rules))
        return NULL;
    char *here = path_working(), *path = o->config_file ? xstrdup(o->config_file) : config_find(here);
    if (!path && beside) {
        char *full = path_absolute(NULL, beside),
             *directory = directory_exists(full) ? xstrdup(full) : path_directory(full);
        path = config_find(directory);
        free(directory);
        free(full);
    }
    struct config *c = path ? config_read(path, err, sizeof err) : config_default();
    if (c && !config_check_rules(c, rule_exists, err, sizeof err)) {
        config_free(c);
        c = NULL;
    }
    if (!c)
        say("%s", err);
    free(here);
    free(path);
    return c;
}

struct cache_hash *analyse_settings(const char *purpose, const struct analyse_options *o,
                                    const struct config *c, int level, bool whole) {
    struct cache_hash *h = cache_hash_new(purpose);
    struct file_facts facts = {0};
    const char *self = layout_self();
    if (self) {
        const struct file_fact *binary = file_facts_of(&facts, self);
        cache_hash_number(h, binary->size);
        cache_hash_number(h, binary->mtime);
        cache_hash_number(h, binary->inode);
    }
    file_facts_free(&facts);
    cache_hash_string(h, AGLET_VERSION);
    cache_hash_number(h, (uint64_t)level);
    cache_hash_number(h, whole);
    cache_hash_number(h, config_hash(c));
    for (size_t i = 0; i < o->rules.n; i++)
        cache_hash_string(h, o->rules.at[i]);
    return h;
}

struct cache_id analyse_key(const struct analyse_options *o, const struct config *c,
                            const struct cache_id *ids, size_t n, int level, bool whole,
                            const struct linked_programs *programs, size_t n_rows) {
    struct cache_hash *h = analyse_settings("findings", o, c, level, whole);
    cache_hash_number(h, n);
    for (size_t i = 0; i < n; i++)
        cache_hash_id(h, ids[i]);
    for (size_t i = 0; programs && i < programs->n; i++) {
        cache_hash_number(h, programs->at[i].complete);
        for (size_t k = 0; k < n_rows; k++)
            cache_hash_number(h, programs->at[i].in[k]);
    }
    return cache_hash_end(h);
}

struct report *analyse_kept(struct cache *cache, struct cache_id key) {
    struct file_view kept = {0};
    struct report *r = cache_load_findings(cache, key, &kept) ? report_new() : NULL;
    if (r && !report_decode(kept.bytes, kept.size, r)) {
        say_verbose("the kept findings cannot be used; the program is solved again");
        report_free(r);
        r = NULL;
    }
    file_look_end(&kept);
    return r;
}

static double processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* "solved in 0.40 s of processor: link 0.02, call graph 0.01, …" */
static void say_phases(const struct program *p, double rules) {
    size_t n;
    const struct program_phase *phases = program_phases(p, &n);
    char *line = xstrdup("");
    double all = rules;
    for (size_t i = 0; i < n; i++) {
        char *longer = xasprintf("%s%s %.3f, ", line, phases[i].name, phases[i].seconds);
        free(line);
        line = longer;
        all += phases[i].seconds;
    }
    size_t calls, resolved;
    program_indirect_calls(p, &calls, &resolved);
    say_verbose("of %zu calls through pointers %zu are resolved", calls, resolved);
    say_verbose("solved in %.3f s of processor: %srules %.3f", all, line, rules);
    free(line);
}

static struct unit *take_unit(const struct analysis *a, size_t i) {
    struct unit *u = a->units[i];
    a->units[i] = NULL;
    return u;
}

static const char **main_files(const struct analysis *a) {
    const char **files = xcalloc(a->n + 1, sizeof *files);
    for (size_t i = 0; i < a->n; i++)
        files[i] = a->units[i] ? unit_str(a->units[i], a->units[i]->main_file) : NULL;
    return files;
}

/* The last program of a run is left to the end of the process, which is sooner done with it. */
static struct program *left;

static void leave(struct program *p) {
    program_free(left);
    left = p;
}

/* Solve the units that are `in` (NULL: all) as one program. */
static void solve_one(const struct analysis *a, const bool *in, bool whole, struct report *out) {
    leave(NULL);
    const char **files = main_files(a);
    struct known_steps known = ahead_steps(a, files, in, whole);
    const size_t before = heap_used();
    struct program_options options = {
        .level = a->level, .whole = whole, .models = config_models(a->config), .memo = known.memo};
    if (a->options->rules.n)
        options.rules = (const char *const *)a->options->rules.at;
    struct program *p = program_new(&options);
    if (whole)
        report_mixed(out, a->units, in, a->n);
    for (size_t i = 0; i < a->n; i++)
        if (in ? in[i] : a->units[i] != NULL)
            program_add_known(p, in ? unit_copy(a->units[i]) : take_unit(a, i), a->ids ? a->ids[i].low : 0);
    program_solve(p);
    double since = processor_time();
    program_check(p, out);
    say_phases(p, processor_time() - since);
    if (program_cycles_cut_short(p))
        report_left_out(out,
                        "%zu groups of locks are too entangled to look at every cycle among them: lock-order "
                        "may know more than it reports",
                        program_cycles_cut_short(p));
    const size_t took = heap_used() - before;
    leave(p);
    known_steps_keep(a, &known, took);
    free(files);
}

static struct linked_programs named_programs(const struct analysis *a) {
    const char **files = main_files(a);
    struct linked_programs out = programs_named(a->config, files, a->n);
    free(files);
    return out;
}

/* Of the units as they are, or of their code wherever it stands. */
static struct cache_id program_key(const struct analysis *a, const struct moved_program *units, bool whole,
                                   bool code) {
    struct cache_hash *h = analyse_settings(code ? "code of a program" : "findings of a program", a->options,
                                            a->config, a->level, whole);
    if (code)
        moved_hash(h, units);
    for (size_t i = 0; !code && i < a->n; i++)
        if (units->units[i] && (!units->in || units->in[i]))
            cache_hash_id(h, a->ids[i]);
    return cache_hash_end(h);
}

static void keep_findings(const struct analysis *a, struct cache_id key, const struct report *r) {
    size_t size;
    char *bytes = report_encode(r, &size);
    cache_store_findings(a->cache, key, bytes, size);
    free(bytes);
}

/* What is wrong in a program, in: its units, or NULL: all. From the cache, where none of its own files changed, or only where their
 * code stands. */
static struct report *find_in_program(const struct analysis *a, const bool *in, bool whole) {
    const struct moved_program units = {a->cache, a->units, in, a->ids, ahead_codes(a), a->n};
    const bool keeps = a->cache && a->ids;
    const struct cache_id key = keeps ? program_key(a, &units, whole, false) : (struct cache_id){0, 0};
    struct report *r = keeps ? analyse_kept(a->cache, key) : NULL;
    if (r) {
        say_verbose("none of them changed, their findings are those kept");
        return r;
    }
    const struct cache_id code = keeps ? program_key(a, &units, whole, true) : key;
    r = keeps ? moved_find(&units, code, analyse_kept) : NULL;
    if (keeps)
        moved_keep(&units, code, key);
    if (r) {
        say_verbose("no code changed, only where it stands: the findings kept are moved with it");
    } else {
        r = report_new();
        solve_one(a, in, whole, r);
    }
    if (keeps)
        keep_findings(a, key, r);
    return r;
}

/* What one mistake has in common in every program, whatever each knows of the way to it. */
static uint64_t mistake(const struct finding *f) {
    uint64_t hash = hash_add(hash_add(hash_string(f->rule), f->severity), key_pair(f->at.line, f->at.col));
    hash = hash_add(hash, f->at.file ? hash_string(f->at.file) : 0);
    hash = hash_add(hash, hash_string(f->function));
    return hash_add(hash, hash_string(f->subject));
}

/* The findings of one program. A mistake that an earlier one was told of, in other words perhaps, is not told again. */
static void add_findings(struct report *out, const struct report *from, struct map64 *told,
                         uint32_t program) {
    for (size_t i = 0; i < report_count(from); i++) {
        const struct finding *f = report_at(from, i);
        bool fresh = true;
        uint32_t *first = f->function && f->subject ? map64_place(told, mistake(f), &fresh) : NULL;
        if (first && fresh)
            *first = program;
        if (!first || *first == program)
            report_copy(out, f);
    }
    for (size_t i = 0; report_left_out_at(from, i); i++)
        report_left_out(out, "%s", report_left_out_at(from, i));
}

static void solve_all(const struct analysis *a, struct report *out) {
    struct map64 told = {0};
    struct report *found = find_in_program(a, NULL, a->whole);
    add_findings(out, found, &told, 0);
    report_free(found);
    map64_free(&told);
}

/* Each program, and what no program holds as one more. */
static void solve_programs(const struct analysis *a, struct linked_programs *programs, struct report *out) {
    bool *there = xcalloc(a->n + 1, sizeof *there);
    struct map64 told = {0};
    for (size_t i = 0; i < a->n; i++)
        there[i] = a->units[i] != NULL;
    programs_add_rest(programs, there, a->n);
    for (size_t p = 0; p < programs->n; p++) {
        const struct linked_program *program = &programs->at[p];
        if (!program->n)
            continue;
        for (size_t i = 0; i < a->n; i++)
            program->in[i] = program->in[i] && there[i];
        if (program->name)
            say_verbose("program '%s' is made of %zu of the files", program->name, program->n);
        struct report *found = find_in_program(a, program->in, a->whole && program->complete);
        add_findings(out, found, &told, (uint32_t)p);
        report_free(found);
    }
    map64_free(&told);
    free(there);
}

static void apply_ignores(const struct analysis *a, const struct ignores *ig, struct report *out) {
    size_t n = 0;
    while (rules_all[n])
        n++;
    const char **known = xcalloc(n + 1, sizeof *known);
    for (size_t i = 0; i < n; i++)
        known[i] = rules_all[i]->id;
    ignores_apply(ig, out, known, a->options->rules.n ? (const char *const *)a->options->rules.at : NULL,
                  a->whole);
    free(known);
}

struct report *analyse_solve(struct analysis *a) {
    struct report *out = report_new();
    struct ignores *ig = ahead_ignores(a);
    struct linked_programs named = {0};
    if (config_n_programs(a->config))
        named = named_programs(a);
    struct linked_programs *programs = named.n ? &named : a->programs;
    for (size_t i = 0; programs && i < programs->left_out.n; i++)
        report_left_out(out, "%s", programs->left_out.at[i]);
    if (programs && programs->n)
        solve_programs(a, programs, out);
    else
        solve_all(a, out);
    for (size_t i = 0; i < a->n; i++)
        unit_free(a->units[i]);
    programs_free(&named);
    apply_ignores(a, ig, out);
    report_sort(out);
    if (a->cache)
        keep_findings(a, a->key, out);
    ahead_free(a->ahead);
    a->ahead = NULL;
    return out;
}

static bool touches(const struct finding *f, const struct string_list *files) {
    bool any = f->at.file && strings_has(files, f->at.file);
    for (size_t i = 0; i < f->n_notes && !any; i++)
        any = f->notes[i].at.file && strings_has(files, f->notes[i].at.file);
    return any;
}

static bool is_shown(const struct analyse_options *o, const struct config *c, const struct finding *f,
                     const struct string_list *changed) {
    const char *path = f->at.file ? f->at.file : "";
    for (size_t i = 0; i < o->exclude.n; i++)
        if (glob_matches(o->exclude.at[i], path))
            return false;
    if (changed && !touches(f, changed))
        return false;
    if (f->severity == SEVERITY_ERROR)
        return true;
    if (config_excluded(c, path) || !config_rule_on(c, f->rule, path))
        return false;
    return f->level <= (uint32_t)(o->level ? o->level : config_level(c, path));
}

int analyse_print(const struct analyse_options *o, const struct config *c, struct report *all,
                  struct analyse_counts *counts) {
    struct string_list changed = {0};
    char err[SAY_MAX];
    if (o->changed_since && !changed_since(o->changed_since, &changed, err, sizeof err)) {
        say("%s", err);
        report_free(all);
        return EXIT_TROUBLE;
    }
    struct report *shown = report_new();
    for (size_t i = 0; i < report_count(all); i++)
        if (is_shown(o, c, report_at(all, i), o->changed_since ? &changed : NULL))
            report_copy(shown, report_at(all, i));
    report_sort(shown);
    for (size_t i = 0; report_left_out_at(all, i); i++)
        say("%s", report_left_out_at(all, i));
    int status = print_report(o, shown, counts);
    report_free(shown);
    report_free(all);
    strings_free(&changed);
    return status;
}
