/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads an extractor's --deps file. Stands on nothing but the C library; the text may come from anywhere. */
#include "deps.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

void deps_free(struct deps *d) {
    for (size_t i = 0; i < d->n; i++)
        free(d->v[i].path);
    free(d->v);
    *d = (struct deps){0};
}

/* A number in `base` and the one space after it; moves *at on. */
static bool number(const char **at, const char *end, int base, uint64_t *out) {
    uint64_t value = 0;
    const char *p = *at;
    for (; p < end && *p != ' '; p++) {
        int digit = *p >= '0' && *p <= '9' ? *p - '0' : *p >= 'a' && *p <= 'f' ? *p - 'a' + 10 : 99;
        if (digit >= base)
            return false;
        value = value * (uint64_t)base + (uint64_t)digit;
    }
    if (p == *at || p == end)
        return false;
    *at = p + 1;
    *out = value;
    return true;
}

static bool line_is(const char *line, const char *end, const char *word) {
    size_t n = strlen(word);
    return (size_t)(end - line) == n && memcmp(line, word, n) == 0;
}

static bool record(const char *at, const char *end, struct deps *out) {
    struct dep d = {0};
    if (end - at > 5 && memcmp(at, "miss ", 5) == 0) {
        d.miss = true;
        at += 5;
    } else if (end - at > 5 && memcmp(at, "read ", 5) == 0) {
        at += 5;
        if (!number(&at, end, 10, &d.size) || !number(&at, end, 10, &d.mtime) ||
            !number(&at, end, 10, &d.inode) || !number(&at, end, 16, &d.hash))
            return false;
    } else {
        return false;
    }
    if (at == end || *at != '/')
        return false;
    if (out->n == out->cap) {
        out->cap = out->cap ? out->cap * 2 : 64;
        out->v = xrealloc(out->v, out->cap * sizeof *out->v);
    }
    d.path = xstrndup(at, (size_t)(end - at));
    out->v[out->n++] = d;
    return true;
}

bool deps_parse(const char *text, size_t len, struct deps *out) {
    *out = (struct deps){0};
    const char *at = text, *stop = text + len;
    for (bool first = true; at < stop; first = false) {
        const char *end = memchr(at, '\n', (size_t)(stop - at));
        if (!end)
            break;
        if (first) {
            if (!line_is(at, end, "aglet-deps 1"))
                break;
        } else if (line_is(at, end, "end")) {
            return true;
        } else if (line_is(at, end, "uncacheable")) {
            out->uncacheable = true;
        } else if (!record(at, end, out)) {
            break;
        }
        at = end + 1;
    }
    deps_free(out);
    return false;
}
