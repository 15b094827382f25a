/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Remembers what stat said and what contents hash to. Stands on base/hash.h. */
#include "file_facts.h"
#include "files.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

uint64_t wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct file_fact *file_facts_of(struct file_facts *f, const char *path) {
    uint64_t hash = hash_string(path);
    for (struct index_probe p = index_first(&f->index, hash); p.id; index_next(&f->index, &p))
        if (strcmp(f->v[p.id].path, path) == 0)
            return &f->v[p.id];
    if (f->n + 2 > f->cap) {
        f->cap = f->cap ? f->cap * 2 : 256;
        f->v = xrealloc(f->v, f->cap * sizeof *f->v);
    }
    struct file_fact *fact = &f->v[++f->n];
    *fact = (struct file_fact){.path = xstrdup(path)};
    index_add(&f->index, hash, f->n);
    struct stat st;
    f->stats++;
    if (stat(path, &st) == 0) {
        fact->exists = true;
        fact->directory = S_ISDIR(st.st_mode);
        fact->size = (uint64_t)st.st_size;
        fact->mtime = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
        fact->inode = st.st_ino;
    }
    return fact;
}

uint64_t file_facts_hash(struct file_facts *f, struct file_fact *fact) {
    if (!fact->hashed && fact->exists && !fact->directory) {
        size_t size;
        char *bytes = file_read(fact->path, &size);
        f->hashes++;
        fact->hash = bytes ? hash_bytes(bytes, size) : 0;
        free(bytes);
    }
    fact->hashed = true;
    return fact->hash;
}

void file_facts_free(struct file_facts *f) {
    for (uint32_t i = 1; i <= f->n; i++)
        free(f->v[i].path);
    free(f->v);
    index_free(&f->index);
    *f = (struct file_facts){0};
}
