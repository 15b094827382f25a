/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The engine as its hosts see it: units in, solved, rules run, findings out.
 * Stands on linked.h, lock_facts.h and the table of rules. */
#include "program.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include "../base/alloc.h"
#include "../rules/rule.h"
#include "boundary.h"
#include "habits.h"
#include "kept.h"
#include "lock_order.h"
#include "predicates.h"
#include "blocks_when.h"
#include "lock_facts.h"
#include "memo.h"
#include "tasks.h"

struct program *program_new(const struct program_options *options) {
    struct program *p = xcalloc(1, sizeof *p);

    p->options = *options;
    p->memo = options->memo;
    p->models = options->models ? options->models : models_builtin();
    (void)term_make(&p->paths, TERM_RESULT, 0, 0, 0);
    p->lock_order = xcalloc(1, sizeof *p->lock_order);
    return p;
}

void program_add_known(struct program *p, struct unit *u, uint64_t id) {
    struct linked_unit lu;

    memset(&lu, 0, sizeof lu);
    lu.unit = u;
    lu.id = id;
    vec_push(&p->units, lu);
}

void program_add(struct program *p, struct unit *u) {
    program_add_known(p, u, 0);
}

static double now(void) {
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The phase ends that began at *since. */
static void phase(struct program *p, const char *name, double *since) {
    const double at = now();

    vec_push(&p->phases, ((struct program_phase){name, at - *since}));
    *since = at;
}

void program_indirect_calls(const struct program *p, size_t *calls, size_t *resolved) {
    *calls = p->calls_indirect;
    *resolved = p->calls_indirect - p->calls_unresolved;
}

const struct program_phase *program_phases(const struct program *p, size_t *n) {
    *n = p->phases.n;
    return p->phases.at;
}

void program_solve(struct program *p) {
    double since = now();

    program_link(p);
    models_check(p);
    if (p->memo)
        symbols_find(p);
    phase(p, "link", &since);
    program_call_graph(p);
    phase(p, "call graph", &since);
    program_solve_effects(p);
    program_find_recursive_locks(p);
    if (p->memo)
        p->environment = memo_environment(p);
    phase(p, "effects", &since);
    program_solve_locks(p);
    program_judge(p);
    program_drop_after_await(p);
    phase(p, "locks", &since);
    program_find_boundaries(p);
    phase(p, "hand-offs", &since);
    program_find_lock_order(p);
    program_drop_alone(p);
    phase(p, "lock order", &since);
    program_find_habits(p);
    phase(p, "habits", &since);
    p->tasks = tasks_find(p);
    p->kept = kept_find(p);
    phase(p, "tasks", &since);
    p->solved = true;
}

void program_give_up(struct program *p, uint32_t func, const char *by) {
    bool fresh;

    (void)map64_place(&p->given_up_once, hash_add(hash_string(by), func), &fresh);
    if (fresh)
        vec_push(&p->given_up, ((struct given_up){func, by}));
}

/* "2 functions were given up by the lock rules, being too large: 'f', 'g'": the first three are named. */
static void say_given_up(const struct program *p, struct report *out, const char *by) {
    char names[400] = "";
    size_t n = 0, length = 0;

    for (size_t i = 0; i < p->given_up.n; i++)
        if (!strcmp(p->given_up.at[i].by, by) && n++ < 3 && length < sizeof names)
            length += (size_t)snprintf(names + length, sizeof names - length, "%s'%.100s'", n > 1 ? ", " : "",
                                       p->funcs.at[p->given_up.at[i].func].name);
    report_left_out(out, "%zu function%s given up by %s: %s%s", n, n == 1 ? " was" : "s were", by, names,
                    n > 3 ? ", …" : "");
}

static void report_given_up(const struct program *p, struct report *out) {
    struct map64 said = {0};
    bool fresh;

    for (size_t i = 0; i < p->given_up.n; i++) {
        (void)map64_place(&said, hash_string(p->given_up.at[i].by), &fresh);
        if (!fresh)
            continue;
        if (p->given_up.at[i].func)
            say_given_up(p, out, p->given_up.at[i].by);
        else
            report_left_out(out, "%s", p->given_up.at[i].by);
    }
    map64_free(&said);
}

static bool chosen(const struct program *p, const char *id) {
    if (!p->options.rules)
        return true;
    for (const char *const *r = p->options.rules; *r; r++)
        if (!strcmp(*r, id))
            return true;
    return false;
}

void program_check(const struct program *p, struct report *out) {
    for (size_t i = 0; i < p->errors.n; i++) {
        const struct annotation_error *e = &p->errors.at[i];
        const struct position at = e->model ? (struct position){e->model, e->line, e->column, 0, 0, NULL}
                                            : program_position(e->unit, e->loc);
        report_begin(out, "annotation", SEVERITY_ERROR, &at, "%s", p->errors.at[i].text);
        report_subject(out, NULL, "%s", p->errors.at[i].text);
    }
    program_report_unknown_words(p, out);
    report_given_up(p, out);
    for (const struct rule *const *r = rules_all; *r; r++)
        if (chosen(p, (*r)->id))
            (*r)->check(p, out);
}

size_t program_cycles_cut_short(const struct program *p) {
    return p->lock_order->cut_short;
}

void program_free_keep_units(struct program *p, struct unit **out) {
    for (size_t i = 0; i < p->units.n; i++) {
        out[i] = p->units.at[i].unit;
        p->units.at[i].unit = NULL;
    }
    program_free(p);
}

void program_free(struct program *p) {
    if (!p)
        return;
    for (size_t i = 0; i < p->units.n; i++)
        unit_free(p->units.at[i].unit);
    if (p->locks) {
        for (size_t i = 0; i < p->locks->candidates.n; i++) {
            vec_free(&p->locks->candidates.at[i].problems);
            vec_free(&p->locks->candidates.at[i].bad_calls);
            vec_free(&p->locks->candidates.at[i].pairs);
            vec_free(&p->locks->candidates.at[i].clashes);
        }
        vec_free(&p->locks->problems);
        vec_free(&p->locks->candidates);
        vec_free(&p->locks->waits);
        free(p->locks->last_problem);
        free(p->locks->last_candidate);
        map64_free(&p->locks->candidate_named);
        map64_free(&p->locks->seen);
        map64_free(&p->locks->candidate_of);
        map64_free(&p->locks->sections);
        map64_free(&p->locks->gates);
        map64_free(&p->locks->given_back);
        map64_free(&p->locks->nameless);
    }
    tasks_free(p->tasks);
    kept_free(p->kept);
    lock_order_free(p->lock_order);
    habits_free(p->habits);
    boundaries_free(p->boundaries);
    vec_free(&p->pointer_summaries);
    map64_free(&p->pointers);
    map64_free(&p->call_waits);
    map64_free(&p->called_with);
    map64_free(&p->lock_deciders);
    vec_free(&p->level_edges);
    predicates_free(p->predicates);
    map64_free(&p->section_flags);
    stored_values_free(p->stored);
    vec_free(&p->phases);
    vec_free(&p->given_up);
    map64_free(&p->given_up_once);
    symbols_free(p);
    vec_free(&p->digests.path);
    vec_free(&p->digests.of_part);
    map64_free(&p->digests.part);
    map64_free(&p->digests.guards);
    vec_free(&p->units);
    vec_free(&p->structs);
    vec_free(&p->fields);
    vec_free(&p->globals);
    vec_free(&p->funcs);
    vec_free(&p->edges);
    vec_free(&p->order);
    vec_free(&p->errors);
    term_table_free(&p->paths);
    intern_free(&p->names);
    arena_free(&p->arena);
    free(p);
}
