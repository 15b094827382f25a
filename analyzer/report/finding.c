/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The list of findings: collects, drops what was said before, sorts, gives each its fingerprint.
 * Stands on base/ and source.h. */
#include "finding.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../base/intern.h"
#include "../base/vec.h"
#include "source.h"

struct entry {
    struct finding f;
    VEC(struct finding_note) notes;
    VEC(struct fixit) fixits;
};

struct report {
    struct arena arena;    /* every string */
    struct interner names; /* rules, files, functions: said many times */
    VEC(struct entry *) entries;
    struct index index; /* over rule, position and message; entry number + 1 */
    struct entry *open; /* what notes and fix-its go to */
    struct entry *dropped;
    VEC(const char *) left_out;
};

struct report *report_new(void) {
    return xcalloc(1, sizeof(struct report));
}

static void entry_free(struct entry *e) {
    if (!e)
        return;
    vec_free(&e->notes);
    vec_free(&e->fixits);
    free(e);
}

void report_free(struct report *r) {
    if (!r)
        return;
    for (size_t i = 0; i < r->entries.n; i++)
        entry_free(r->entries.at[i]);
    vec_free(&r->entries);
    vec_free(&r->left_out);
    entry_free(r->dropped);
    index_free(&r->index);
    intern_free(&r->names);
    arena_free(&r->arena);
    free(r);
}

static const char *keep(struct report *r, const char *s) {
    return s ? intern_text(&r->names, intern_string(&r->names, s)) : NULL;
}

static struct position keep_position(struct report *r, const struct position *at) {
    struct position p = *at;
    p.file = keep(r, at->file);
    p.macro = keep(r, at->macro);
    return p;
}

static const char *format_kept(struct report *r, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));
static const char *format_kept(struct report *r, const char *format, va_list ap) {
    char *text = xvasprintf(format, ap);
    const char *kept = arena_strdup(&r->arena, text);
    free(text);
    return kept;
}

/* NULL like "". */
static int compare_text(const char *a, const char *b) {
    return strcmp(a ? a : "", b ? b : "");
}

static int compare_number(uint32_t a, uint32_t b) {
    return a < b ? -1 : a > b;
}

static int compare_findings(const struct finding *a, const struct finding *b) {
    int c = compare_text(a->at.file, b->at.file);
    if (!c)
        c = compare_number(a->at.line, b->at.line);
    if (!c)
        c = compare_number(a->at.col, b->at.col);
    if (!c)
        c = compare_text(a->rule, b->rule);
    return c ? c : compare_text(a->message, b->message);
}

static uint64_t identity(const struct finding *f) {
    uint64_t hash = hash_add(hash_string(f->message), hash_string(f->rule));
    return hash_add(hash_add(hash, key_pair(f->at.line, f->at.col)),
                    f->at.file ? hash_string(f->at.file) : 0);
}

void report_begin(struct report *r, const char *rule, enum severity severity, const struct position *at,
                  const char *format, ...) {
    static const struct position nowhere;
    struct entry *e = xcalloc(1, sizeof *e);
    va_list ap;
    va_start(ap, format);
    e->f.rule = keep(r, rule);
    e->f.severity = severity;
    e->f.level = 1;
    e->f.at = keep_position(r, at ? at : &nowhere);
    e->f.message = format_kept(r, format, ap);
    va_end(ap);
    uint64_t hash = identity(&e->f);
    struct index_probe p;
    r->open = e;
    for (p = index_first(&r->index, hash); p.id; index_next(&r->index, &p))
        if (!compare_findings(&r->entries.at[p.id - 1]->f, &e->f)) {
            entry_free(r->dropped);
            r->dropped = e; /* its notes are taken, and go with it */
            return;
        }
    vec_push(&r->entries, e);
    index_add(&r->index, hash, (uint32_t)r->entries.n);
}

/* Branches inside one macro stand in one place and read alike. Paths and macros are interned, so pointers do.
 */
static bool is_same_note(const struct finding_note *a, const struct finding_note *b) {
    return a->at.file == b->at.file && a->at.line == b->at.line && a->at.col == b->at.col &&
           a->at.macro == b->at.macro && !strcmp(a->text, b->text);
}

void report_left_out(struct report *r, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    const char *text = format_kept(r, format, ap);
    va_end(ap);
    for (size_t i = 0; i < r->left_out.n; i++)
        if (!strcmp(r->left_out.at[i], text))
            return;
    vec_push(&r->left_out, text);
}

const char *report_left_out_at(const struct report *r, size_t i) {
    return i < r->left_out.n ? r->left_out.at[i] : NULL;
}

void report_note(struct report *r, const struct position *at, const char *format, ...) {
    static const struct position nowhere;
    va_list ap;
    va_start(ap, format);
    struct finding_note note = {keep_position(r, at ? at : &nowhere), format_kept(r, format, ap)};
    va_end(ap);
    if (r->open->notes.n && is_same_note(&vec_last(&r->open->notes), &note))
        return;
    vec_push(&r->open->notes, note);
    r->open->f.notes = r->open->notes.at;
    r->open->f.n_notes = r->open->notes.n;
}

void report_fixit(struct report *r, const struct position *at, const char *text) {
    struct fixit fix = {keep_position(r, at), arena_strdup(&r->arena, text)};
    vec_push(&r->open->fixits, fix);
    r->open->f.fixits = r->open->fixits.at;
    r->open->f.n_fixits = r->open->fixits.n;
}

void report_subject(struct report *r, const char *function, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    r->open->f.function = keep(r, function);
    r->open->f.subject = format_kept(r, format, ap);
    va_end(ap);
}

void report_level(struct report *r, uint32_t level) {
    r->open->f.level = level;
}

void report_suppressed(struct report *r, const char *reason) {
    r->open->f.suppressed = keep(r, reason);
}

void report_fingerprint(struct report *r, uint64_t fingerprint) {
    r->open->f.fingerprint = fingerprint;
}

void report_suppress(struct report *r, size_t i, const char *reason) {
    r->entries.at[i]->f.suppressed = keep(r, reason);
}

/* ---- order and fingerprints ---- */

static int compare_entries(const void *a, const void *b) {
    return compare_findings(&(*(struct entry *const *)a)->f, &(*(struct entry *const *)b)->f);
}

/* Hash of a line of code, blind to white space and to comments. */
static uint64_t code_hash(const char *line, size_t n) {
    char text[512];
    size_t k = 0;
    for (size_t i = 0; i < n && k < sizeof text; i++) {
        if (line[i] == '/' && i + 1 < n && line[i + 1] == '/')
            break;
        if (line[i] == '/' && i + 1 < n && line[i + 1] == '*') {
            for (i += 2; i + 1 < n && !(line[i] == '*' && line[i + 1] == '/'); i++)
                ;
            i++;
            continue;
        }
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            text[k++] = line[i];
    }
    return hash_bytes(text, k);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The code is that of the finding's own line. More lines around would tell more findings apart and would make
 * more edits look like new findings; findings still alike are told apart by their order, so that mending one
 * of three leaves two. */
static void set_fingerprints(struct report *r) {
    size_t have = 0;
    while (have < r->entries.n && r->entries.at[have]->f.fingerprint)
        have++;
    if (have == r->entries.n)
        return; /* no source need be read */
    struct sources sources = {0};
    struct map64 seen = {0};
    for (size_t i = 0; i < r->entries.n; i++) {
        struct finding *f = &r->entries.at[i]->f;
        uint64_t h = hash_string(f->rule);
        h = hash_add(h, f->at.file ? hash_string(base_name(f->at.file)) : 0);
        h = hash_add(h, f->function ? hash_string(f->function) : 0);
        h = hash_add(h, f->subject ? hash_string(f->subject) : 0);
        size_t n;
        const char *line = f->at.file ? source_line(source_of(&sources, f->at.file), f->at.line, &n) : NULL;
        h = hash_add(h, line ? code_hash(line, n) : 0);
        uint32_t nth = (*map64_place(&seen, h, NULL))++;
        if (!f->fingerprint)
            f->fingerprint = hash_add(h, nth);
    }
    map64_free(&seen);
    sources_free(&sources);
}

void report_sort(struct report *r) {
    if (r->entries.n)
        qsort(r->entries.at, r->entries.n, sizeof *r->entries.at, compare_entries);
    index_clear(&r->index);
    for (size_t i = 0; i < r->entries.n; i++)
        index_add(&r->index, identity(&r->entries.at[i]->f), (uint32_t)i + 1);
    r->open = NULL;
    set_fingerprints(r);
}

size_t report_count(const struct report *r) {
    return r->entries.n;
}

const struct finding *report_at(const struct report *r, size_t i) {
    return &r->entries.at[i]->f;
}
