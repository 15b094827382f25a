/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* From the rows of a compile database to units: out of the cache, out of an object file that carries one, else by an extractor process.
 * Stands on cache.h, children.h, object_units.h and ir/file.h. One process per file: a crash of Clang in it costs that file. */
#ifndef AGLET_TOOL_EXTRACT_H
#define AGLET_TOOL_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include "cache.h"
#include "compile_db.h"
#include "ir/unit.h"

enum unit_origin {
    ORIGIN_NONE,   /* not analysed: `why` says the reason */
    ORIGIN_CACHE,  /* nothing it depends on has changed */
    ORIGIN_OBJECT, /* read from the object file the row names */
    ORIGIN_PARSED, /* an extractor made it now */
    ORIGIN_NOT_C   /* the extractor found that it is no C */
};

struct extracted {
    enum unit_origin origin;
    struct cache_id id;   /* of the unit: equal ids, equal units */
    struct unit *unit;    /* NULL until extract_load, or when not analysed */
    unsigned char *bytes; /* encoded, when this run made it */
    size_t size;
    char *why; /* one sentence, or NULL */
    char *log; /* what Clang said of a file that did not parse, or NULL */
};

struct extraction;

struct extract_options {
    const char *extractor; /* path of aglet-extract-N */
    struct cache *cache;   /* NULL: none */
    struct file_facts *facts;
    size_t jobs;
    bool objects; /* look into object files */
    /* Called while extractors work and all other units are decoded, if any must be parsed; or NULL. What could as well be done later
     * ends when extract_answered. */
    void (*meanwhile)(void *context, const struct extraction *x);
    void *context;
};

/* out: one result per row, in the rows' order, zeroed. All three outlive the extraction. */
struct extraction *extract_new(const struct compile_db *db, const struct extract_options *options,
                               struct extracted *out);

/* Find each row's unit, or make it. Units are not decoded yet, but for those that others had to wait for. */
void extract_all(struct extraction *x);

/* Did an extractor end, and wait for its answer to be read? */
bool extract_answered(const struct extraction *x);

/* Decode the unit of each result that has one. A cached unit that turns out damaged is extracted again. */
void extract_load(struct extraction *x);

/* Wait until all processes are gone. NULL is fine. */
void extract_free(struct extraction *x);

void extracted_free(struct extracted *e, size_t n);

#endif
