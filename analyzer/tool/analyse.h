/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The second half of a lint: units in, findings out. Shared by `aglet lint` and `aglet link`.
 * Stands on program/program.h, program/config.h and the report's printers. */
#ifndef AGLET_TOOL_ANALYSE_H
#define AGLET_TOOL_ANALYSE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include "cache.h"
#include "programs.h"
#include "string_list.h"
#include "ir/unit.h"
#include "program/config.h"
#include "report/finding.h"

/* What the command line says of rules and outputs; zero is the default. */
struct analyse_options {
    int level;                /* 0: as the configuration says */
    struct string_list rules; /* empty: all */
    const char *format;       /* NULL: text */
    const char *output;       /* NULL: standard output */
    const char *baseline;
    bool update_baseline;
    bool partial; /* files are missing in what is analysed: an updated baseline keeps its entries */
    const char *changed_since; /* a revision, or NULL */
    struct string_list exclude;
    const char *config_file; /* NULL: the nearest .aglet.yml */
    bool text_graphs;        /* print the units instead */
};

/* The argp parser of these options, for argp children: its input is a struct analyse_options. */
extern const struct argp analyse_argp;

/* The configuration that governs: the option's, else the nearest .aglet.yml at or above the working directory, else at or above
 * `beside` (a file or directory; NULL: none). NULL, having said why, when it is malformed. Names of rules are checked too. */
struct config *analyse_config(const struct analyse_options *o, const char *beside);

struct analysis {
    const struct analyse_options *options;
    const struct config *config;
    struct unit **units; /* taken: freed by analyse; NULL entries are passed over */
    const struct cache_id *
        ids; /* theirs: what a program's findings are kept under; NULL: only all findings together are kept */
    size_t n;
    struct linked_programs
        *programs; /* by unit; NULL or none: the configuration tells them apart, or they are one */
    bool whole;    /* nothing of the program is missing */
    int level; /* to solve at: the highest that any of its files asks for; findings are then judged by their own path's */
    struct cache *cache; /* to keep findings in, with `key`; NULL: none */
    struct cache_id key; /* of the units, from analyse_key */
    struct ahead *ahead; /* what was made ready (ahead.h), or NULL; taken */
};

/* A hash begun with all but the units that decides what is found. */
struct cache_hash *analyse_settings(const char *purpose, const struct analyse_options *o,
                                    const struct config *c, int level, bool whole);

/* The key of findings: over unit ids in order and everything else that decides them. programs: by row, of n_rows; or NULL. */
struct cache_id analyse_key(const struct analyse_options *o, const struct config *c,
                            const struct cache_id *ids, size_t n, int level, bool whole,
                            const struct linked_programs *programs, size_t n_rows);

/* Findings kept under the key, or NULL. */
struct report *analyse_kept(struct cache *cache, struct cache_id key);
/* Solve, check, keep. Never NULL. Frees the units. */
struct report *analyse_solve(struct analysis *a);

struct analyse_counts {
    size_t findings, hints, errors; /* new ones */
    size_t baselined, suppressed;
};
/* Choose what is to be shown, print it. Returns the exit status: clean, findings, or trouble (said) when an output cannot be written.
 * Frees the report. */
int analyse_print(const struct analyse_options *o, const struct config *c, struct report *all,
                  struct analyse_counts *counts);

#endif
