/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Source files by line, read once.
 * Stands on base/. */
#include "source.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../base/alloc.h"

/* A source file bigger than this is no source file. */
enum { MAX_SOURCE = 256 << 20 };

void source_read(const char *path, source_text *text) {
    struct stat st;
    const int in = open(path, O_RDONLY | O_CLOEXEC);
    const bool known = in >= 0 && fstat(in, &st) == 0 && st.st_size > 0 && st.st_size < MAX_SOURCE;
    ssize_t got = in < 0 ? 0 : 1;
    vec_clear(text);
    vec_reserve(text, known ? (size_t)st.st_size + 2 : 2);
    while (got > 0 && text->n <= MAX_SOURCE) {
        vec_reserve(text, 2);
        got = read(in, text->at + text->n, text->cap - text->n - 1);
        if (got > 0)
            text->n += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    if (in >= 0)
        close(in);
    text->at[text->n] = 0;
}

static struct source_file *load(struct sources *s, const char *path) {
    struct source_file *f = arena_new(&s->arena, struct source_file);
    f->path = arena_strdup(&s->arena, path);
    source_text text = {0};
    source_read(path, &text);
    f->text = text.at;
    f->size = text.n;
    uint32_t cap = 64;
    f->lines = xmalloc(cap * sizeof *f->lines);
    for (size_t at = 0; at < f->size;) {
        if (f->n_lines + 1 == cap)
            f->lines = xrealloc(f->lines, (cap *= 2) * sizeof *f->lines);
        f->lines[f->n_lines++] = (uint32_t)at;
        const char *end = memchr(f->text + at, '\n', f->size - at);
        at = end ? (size_t)(end - f->text) + 1 : f->size;
    }
    f->lines[f->n_lines] = (uint32_t)f->size;
    return f;
}

const struct source_file *source_of(struct sources *s, const char *path) {
    uint64_t hash = hash_string(path);
    struct index_probe p;
    for (p = index_first(&s->index, hash); p.id; index_next(&s->index, &p))
        if (!strcmp(s->files[p.id - 1]->path, path))
            return s->files[p.id - 1];
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->files = xrealloc(s->files, s->cap * sizeof *s->files);
    }
    s->files[s->n++] = load(s, path);
    index_add(&s->index, hash, (uint32_t)s->n);
    return s->files[s->n - 1];
}

const char *source_line(const struct source_file *f, uint32_t line, size_t *length) {
    if (!line || line > f->n_lines)
        return NULL;
    const char *start = f->text + f->lines[line - 1];
    size_t n = f->lines[line] - f->lines[line - 1];
    while (n && (start[n - 1] == '\n' || start[n - 1] == '\r'))
        n--;
    *length = n;
    return start;
}

void sources_free(struct sources *s) {
    for (size_t i = 0; i < s->n; i++) {
        free(s->files[i]->text);
        free(s->files[i]->lines);
    }
    free(s->files);
    index_free(&s->index);
    arena_free(&s->arena);
    *s = (struct sources){0};
}
