/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Follows link commands from each program down to the rows of the database. Stands on base/hash.h. */
#include "programs.h"
#include "files.h"
#include "say.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/vec.h"
#include <stdlib.h>
#include <string.h>

enum {
    MOST_TIMES = 4,
    ALWAYS = 500
}; /* how often over, on average, a row may be solved; so many rows are solved anyhow */

/* The rows of a path, one after the other. */
struct link_of_chain {
    size_t row, next; /* next: + 1 */
};
struct chain {
    struct link_of_chain *at;
    size_t n, cap;
};

struct walk {
    const struct compile_db *db;
    const struct link_db *links;
    struct map64 objects; /* path of an object → its place in object_rows, + 1 */
    struct map64 sources; /* of a source → in source_rows */
    struct chain object_rows, source_rows;
    struct map64 outputs; /* path → link + 1 */
    bool *linked;         /* by link: something links it */
    bool *seen;           /* by link: in the program being made */
    struct linked_program *program;
};

static char *object_of(const struct compile_row *row) {
    if (row->object)
        return xstrdup(row->object);
    const char *base = path_base(row->file), *dot = strrchr(base, '.');
    return xasprintf("%s/%.*s.o", row->directory, (int)(dot ? (size_t)(dot - base) : strlen(base)), base);
}

static void index_row(struct map64 *map, struct chain *c, const char *path, size_t row) {
    bool fresh;
    uint32_t *slot = map64_place(map, hash_string(path), &fresh);
    vec_push(c, ((struct link_of_chain){row, fresh ? 0 : *slot}));
    *slot = (uint32_t)c->n;
}

static bool take(struct walk *w, const struct map64 *map, const struct chain *c, const char *path) {
    const uint32_t *slot = map64_find(map, hash_string(path));
    for (size_t i = slot ? *slot : 0; i; i = c->at[i - 1].next) {
        w->program->n += !w->program->in[c->at[i - 1].row];
        w->program->in[c->at[i - 1].row] = true;
    }
    return slot != NULL;
}

/* The link that makes this library: by path, "libx.so" for "libx.so.1.2", or by name for -lx. 0: none, + 1. */
static size_t library(const struct walk *w, const char *input) {
    const uint32_t *slot = map64_find(&w->outputs, hash_string(input));
    if (slot)
        return *slot;
    const bool by_name = starts_with(input, "-l");
    const char *name = by_name ? input + 2 : path_base(input);
    const size_t length = strlen(name);
    for (size_t i = 0; i < w->links->n; i++) {
        const char *base = path_base(w->links->links[i].output);
        if (by_name && !(starts_with(base, "lib") && strncmp(base + 3, name, length) == 0 &&
                         (strcmp(base + 3 + length, ".a") == 0 || starts_with(base + 3 + length, ".so"))))
            continue;
        if (!by_name &&
            !(w->links->links[i].shared && strncmp(base, name, length) == 0 && base[length] == '.'))
            continue;
        return i + 1;
    }
    return 0;
}

static void follow(struct walk *w, size_t link) {
    const struct link_command *l = &w->links->links[link];
    if (w->seen[link])
        return;
    w->seen[link] = true;
    for (size_t i = 0; i < l->inputs.n; i++) {
        const char *input = l->inputs.at[i];
        const size_t made = library(w, input);
        if (made)
            follow(w, made - 1);
        else if (!take(w, &w->objects, &w->object_rows, input) &&
                 !take(w, &w->sources, &w->source_rows, input))
            w->program->complete = w->program->complete && !ends_with(input, ".o");
    }
}

static void mark_linked(struct walk *w) {
    for (size_t i = 0; i < w->links->n; i++)
        for (size_t k = 0; k < w->links->links[i].inputs.n; k++) {
            const size_t made = library(w, w->links->links[i].inputs.at[k]);
            if (made && !w->links->links[i].part)
                w->linked[made - 1] = true;
        }
}

void programs_bound(struct linked_programs *p, size_t rows) {
    const size_t all = p->n;
    size_t sum = 0, kept = 0;
    for (; kept < p->n; kept++) {
        size_t largest = kept;
        for (size_t i = kept + 1; i < p->n; i++)
            if (p->at[i].n > p->at[largest].n)
                largest = i;
        if (kept && sum + p->at[largest].n > MOST_TIMES * rows && sum + p->at[largest].n > ALWAYS)
            break;
        sum += p->at[largest].n;
        const struct linked_program next = p->at[largest];
        p->at[largest] = p->at[kept];
        p->at[kept] = next;
    }
    for (size_t i = kept; i < all; i++)
        free(p->at[i].in);
    p->n = kept;
    if (kept < all)
        strings_addf(
            &p->left_out,
            "there are %zu programs that share most of their files: the %zu largest are analysed, and "
            "what only the others have as files of no known program; .aglet.yml can name the programs",
            all, kept);
}

static bool same_rows(const struct linked_program *a, const struct linked_program *b, size_t n) {
    return a->n == b->n && memcmp(a->in, b->in, n * sizeof *a->in) == 0;
}

struct linked_programs programs_linked(const struct compile_db *db) {
    struct linked_programs out = {0};
    struct walk w = {.db = db, .links = &db->links};
    w.linked = xcalloc(db->links.n + 1, sizeof *w.linked);
    w.seen = xcalloc(db->links.n + 1, sizeof *w.seen);
    for (size_t i = 0; i < db->n; i++) {
        char *object = object_of(&db->rows[i]);
        index_row(&w.objects, &w.object_rows, object, i);
        for (size_t k = 0; k < db->rows[i].also.n; k++)
            index_row(&w.objects, &w.object_rows, db->rows[i].also.at[k], i);
        index_row(&w.sources, &w.source_rows, db->rows[i].file, i);
        free(object);
    }
    for (size_t i = 0; i < db->links.n; i++)
        map64_put(&w.outputs, hash_string(db->links.links[i].output), (uint32_t)i + 1);
    mark_linked(&w);
    out.at = xcalloc(db->links.n + 1, sizeof *out.at);
    for (size_t i = 0; i < db->links.n; i++) {
        const struct link_command *l = &db->links.links[i];
        if (l->part || (l->shared && w.linked[i]))
            continue;
        struct linked_program p = {
            .name = l->output, .in = xcalloc(db->n + 1, sizeof *p.in), .complete = true};
        w.program = &p;
        memset(w.seen, 0, (db->links.n + 1) * sizeof *w.seen);
        follow(&w, i);
        bool known = p.n == 0;
        for (size_t k = 0; k < out.n && !known; k++)
            known = same_rows(&out.at[k], &p, db->n);
        if (known)
            free(p.in);
        else
            out.at[out.n++] = p;
    }
    vec_free(&w.object_rows);
    vec_free(&w.source_rows);
    free(w.linked);
    free(w.seen);
    map64_free(&w.objects);
    map64_free(&w.sources);
    map64_free(&w.outputs);
    return out;
}

struct linked_programs programs_of(const struct compile_db *db) {
    struct linked_programs out = programs_linked(db);
    if (out.n == 1 && out.at[0].n == db->n)
        programs_free(&out);
    programs_bound(&out, db->n);
    return out;
}

void programs_say_left_out(const struct linked_programs *p) {
    for (size_t i = 0; i < p->left_out.n; i++)
        say("%s", p->left_out.at[i]);
}

void programs_free(struct linked_programs *p) {
    for (size_t i = 0; i < p->n; i++)
        free(p->at[i].in);
    free(p->at);
    strings_free(&p->left_out);
    *p = (struct linked_programs){0};
}
