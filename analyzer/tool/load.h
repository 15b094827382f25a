/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The units a word works on: finds the database, the cache and the extractor, and says what could not be read.
 * Stands on extract.h. For words that need some files' units (explain-type, infer, graph) as well as for lint:
 *
 *     struct load load = {.database = p, .jobs = 0};
 *     strings_add(&load.files, "src/job.c");
 *     if (!load_find(&load)) return EXIT_TROUBLE;
 *     load_decode(&load);        … load.units[i].unit, NULL where load.units[i].why …
 *     load_free(&load); */
#ifndef AGLET_TOOL_LOAD_H
#define AGLET_TOOL_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include "cache.h"
#include "compile_db.h"
#include "extract.h"
#include "file_facts.h"
#include "programs.h"
#include "string_list.h"
#include "program/config.h"

struct load {
    /* what is asked; zero is the default */
    const char *database;     /* -p */
    struct string_list files; /* only these; empty: all rows */
    struct string_list flags; /* with have_flags: compile `files` with these, there is no database */
    bool have_flags;
    struct string_list exclude;  /* globs of files to leave out */
    const struct config *config; /* its excludes count too; may be NULL */
    const char *cache_directory;
    bool no_cache, no_objects;
    size_t jobs;                                                  /* 0: one per processor */
    void (*meanwhile)(void *context, const struct extraction *x); /* as in extract_options */
    void *context;

    /* what was found */
    struct compile_db db;
    struct extracted *units; /* one per row of db */
    size_t excluded;         /* rows left out by a glob */
    size_t not_analysed;     /* rows with a `why`, all of which were said */
    size_t from_cache, from_objects, parsed, not_c;
    struct file_facts facts;
    struct cache *cache;
    struct extract_options how;
    struct extraction *extraction;
    char *extractor;
};

/* Find every unit; says on standard error what could not be analysed, and the files of other languages it leaves out.
 * Returns false, having said why, when nothing can be done at all: no database, no extractor, a file that is not in the database. */
bool load_find(struct load *l);
/* Make load.units[i].unit of each that has one. */
void load_decode(struct load *l);
/* Is nothing of the database missing in what was analysed? */
bool load_whole(const struct load *l);
/* The programs that the configuration names, else those that the build links, else those that mains make, and what no program holds; or
 * the one of that name, where one is given. None where all is one program, or FILEs were asked for. After load_decode. Returns false, said, when that one is not there. */
bool load_programs(const struct load *l, const char *name, struct linked_programs *out);
/* Those that the files' mains make. After load_decode. */
struct linked_programs load_programs_by_symbols(const struct load *l);
/* Number of rows that have a unit. */
size_t load_analysed(const struct load *l);
/* Is there one? Else it is said that nothing was analysed. */
bool load_any(const struct load *l);
/* Files that should have been analysed and could not be; each was said. Rows of the database that name none count. */
size_t load_missing(const struct load *l);
/* Wait for the processes that parsed, after which they count among this process's children. No load_decode after it. */
void load_end(struct load *l);
void load_free(struct load *l);

/* Does the absolute path match a pattern (base/glob.h) that is absolute or relative to the working directory? */
bool glob_matches(const char *glob, const char *path);

#endif
