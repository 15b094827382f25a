/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Prints, parses and judges manifests. Stands on deps.h, whose lines it keeps, and file_facts.h. */
#include "manifest.h"
#include "base/alloc.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "aglet-manifest 1\n";
enum { TAIL = 21 };                        /* "sum " 16 digits "\n" */
static const uint64_t young = 2000000000u; /* ns: coarser than any file system's clock in use */

void manifest_free(struct manifest *m) {
    for (size_t i = 0; i < m->n; i++)
        deps_free(&m->entries[i].deps);
    *m = (struct manifest){0};
}

char *manifest_print(const struct manifest *m, size_t *len) {
    char *text = NULL;
    FILE *out = open_memstream(&text, len);
    if (!out)
        die("no memory for a cache entry");
    fputs(magic, out);
    for (size_t i = 0; i < m->n; i++) {
        const struct manifest_entry *e = &m->entries[i];
        fprintf(out, "unit %016" PRIx64 "%016" PRIx64 "\naglet-deps 1\n", e->unit.high, e->unit.low);
        for (size_t d = 0; d < e->deps.n; d++) {
            const struct dep *dep = &e->deps.v[d];
            if (dep->miss)
                fprintf(out, "miss %s\n", dep->path);
            else
                fprintf(out, "read %" PRIu64 " %" PRIu64 " %" PRIu64 " %016" PRIx64 " %s\n", dep->size,
                        dep->mtime, dep->inode, dep->hash, dep->path);
        }
        fputs("end\n", out);
    }
    fflush(out);
    fprintf(out, "sum %016" PRIx64 "\n", hash_bytes(text, *len));
    fclose(out);
    return text;
}

static bool parse_hex(const char *at, uint64_t *out) {
    *out = 0;
    for (int i = 0; i < 16; i++) {
        int c = at[i], digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        *out = *out << 4 | (uint64_t)digit;
    }
    return true;
}

/* The byte after the line "end" that closes the list at `at`, or NULL. */
static const char *list_end(const char *at, const char *stop) {
    while (at < stop) {
        const char *line = memchr(at, '\n', (size_t)(stop - at));
        if (!line)
            return NULL;
        if (line - at == 3 && memcmp(at, "end", 3) == 0)
            return line + 1;
        at = line + 1;
    }
    return NULL;
}

bool manifest_parse(const char *text, size_t len, struct manifest *out) {
    *out = (struct manifest){0};
    uint64_t sum;
    size_t head = sizeof magic - 1;
    if (len < head + TAIL || memcmp(text, magic, head) != 0)
        return false;
    const char *at = text + head, *stop = text + len - TAIL;
    if (memcmp(stop, "sum ", 4) != 0 || text[len - 1] != '\n' || !parse_hex(stop + 4, &sum) ||
        sum != hash_bytes(text, (size_t)(stop - text)))
        return false;
    while (at < stop && out->n < MANIFEST_ENTRIES) {
        struct manifest_entry *e = &out->entries[out->n];
        const char *list = at + 38, *end;
        if (stop - at < 38 || memcmp(at, "unit ", 5) != 0 || !parse_hex(at + 5, &e->unit.high) ||
            !parse_hex(at + 21, &e->unit.low) || at[37] != '\n' || !(end = list_end(list, stop)) ||
            !deps_parse(list, (size_t)(end - list), &e->deps)) {
            manifest_free(out);
            return false;
        }
        out->n++;
        at = end;
    }
    return true;
}

void deps_distrust_young(struct deps *d, uint64_t now) {
    for (size_t i = 0; i < d->n; i++)
        if (d->v[i].mtime + young > now && d->v[i].hash)
            d->v[i].mtime = 0;
}

static bool unchanged(struct dep *d, struct file_facts *facts, uint64_t now, bool *changed) {
    struct file_fact *fact = file_facts_of(facts, d->path);
    if (d->miss)
        return !fact->exists || fact->directory;
    if (!fact->exists || fact->directory || fact->size != d->size)
        return false;
    if (d->mtime && fact->mtime == d->mtime && fact->inode == d->inode)
        return true;
    if (!d->hash || file_facts_hash(facts, fact) != d->hash)
        return false;
    if (fact->mtime + young <= now && (fact->mtime != d->mtime || fact->inode != d->inode)) {
        d->mtime = fact->mtime;
        d->inode = fact->inode;
        *changed = true;
    }
    return true;
}

int manifest_match(struct manifest *m, struct file_facts *facts, bool *changed) {
    uint64_t now = wall_clock();
    *changed = false;
    for (size_t i = 0; i < m->n; i++) {
        struct deps *deps = &m->entries[i].deps;
        size_t d = 0;
        while (d < deps->n && unchanged(&deps->v[d], facts, now, changed))
            d++;
        if (d == deps->n && d > 0)
            return (int)i;
    }
    return -1;
}

void manifest_add(struct manifest *m, struct cache_id unit, struct deps *deps) {
    for (size_t i = 0; i < m->n; i++)
        if (m->entries[i].unit.low == unit.low && m->entries[i].unit.high == unit.high) {
            deps_free(&m->entries[i].deps);
            memmove(m->entries + i, m->entries + i + 1, (m->n - i - 1) * sizeof *m->entries);
            m->n--;
            break;
        }
    if (m->n == MANIFEST_ENTRIES)
        deps_free(&m->entries[--m->n].deps);
    memmove(m->entries + 1, m->entries, m->n * sizeof *m->entries);
    m->entries[0] = (struct manifest_entry){unit, *deps};
    *deps = (struct deps){0};
    m->n++;
}
