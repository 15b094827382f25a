/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The cache directory. Stands on manifest.h for the first level, libxxhash for names, files.h for whole-file writes. */
#include "cache.h"
#include "files.h"
#include "say.h"
#include "base/alloc.h"
#include "ir/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include "evict.h"

struct cache {
    char *directory;
    struct file_facts *facts;
    bool writable;
    uint64_t stored; /* bytes */
    char *temporary;
};

/* ---- keys ---- */
struct cache_hash {
    XXH3_state_t *state;
};

struct cache_hash *cache_hash_new(const char *purpose) {
    struct cache_hash *h = xmalloc(sizeof *h);
    h->state = XXH3_createState();
    if (!h->state)
        die("no memory for a hash");
    XXH3_128bits_reset(h->state);
    cache_hash_string(h, purpose);
    return h;
}

void cache_hash_number(struct cache_hash *h, uint64_t n) {
    XXH3_128bits_update(h->state, &n, sizeof n);
}

void cache_hash_bytes(struct cache_hash *h, const void *bytes, size_t size) {
    cache_hash_number(h, size);
    XXH3_128bits_update(h->state, bytes, size);
}

void cache_hash_string(struct cache_hash *h, const char *s) {
    if (s)
        cache_hash_bytes(h, s, strlen(s));
    else
        cache_hash_number(h, UINT64_MAX);
}

void cache_hash_id(struct cache_hash *h, struct cache_id id) {
    cache_hash_number(h, id.low);
    cache_hash_number(h, id.high);
}

struct cache_id cache_hash_end(struct cache_hash *h) {
    XXH128_hash_t sum = XXH3_128bits_digest(h->state);
    XXH3_freeState(h->state);
    free(h);
    return (struct cache_id){sum.low64, sum.high64};
}

/* ---- files ---- */
static char *path_of(const struct cache *c, char kind, struct cache_id id) {
    return xasprintf("%s/%c/%02x/%016" PRIx64 "%016" PRIx64, c->directory, kind, (unsigned)(id.high >> 56),
                     id.high, id.low);
}

/* Look at one of our files, without its closing hash; false when it is absent, cut off or foreign. */
static bool load(struct cache *c, char kind, struct cache_id id, struct file_view *out) {
    if (!c)
        return false;
    char *path = path_of(c, kind, id);
    bool good = file_look(path, out);
    if (good) {
        uint64_t sum = 0;
        const size_t size = out->size >= sizeof sum ? out->size - sizeof sum : 0;
        memcpy(&sum, (char *)out->bytes + size, out->size >= sizeof sum ? sizeof sum : 0);
        good = sum == hash_bytes(out->bytes, size);
        if (good) {
            evict_touch(path);
            out->size = size;
        } else {
            say_verbose("the cache file '%s' is damaged; it is made anew", path);
            file_look_end(out);
        }
    }
    free(path);
    return good;
}

/* What others may not write to is mapped when it is read, not copied. */
enum { MODE = 0644 };

static bool write_in(const char *path, const struct iovec *parts, size_t n) {
    bool good = file_write_parts(path, MODE, parts, n);
    if (!good && errno == ENOENT) {
        char *directory = path_directory(path);
        good = directory_make(directory) && file_write_parts(path, MODE, parts, n);
        free(directory);
    }
    return good;
}

static void stored(struct cache *c, bool good, size_t size) {
    if (good) {
        c->stored += size;
    } else {
        const char *why = strerror(errno);
        cache_give_up(c, why, (int)strlen(why));
    }
}

static void store(struct cache *c, char kind, struct cache_id id, const void *bytes, size_t size) {
    if (!c || !c->writable)
        return;
    uint64_t sum = hash_bytes(bytes, size);
    char *path = path_of(c, kind, id);
    stored(c, write_in(path, (struct iovec[]){{(void *)bytes, size}, {&sum, sizeof sum}}, 2), size);
    free(path);
}

/* ---- open, close ---- */
static char *default_directory(void) {
    const char *named = getenv("AGLET_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (named && *named)
        return path_absolute(NULL, named);
    if (xdg && *xdg == '/')
        return path_join(xdg, "aglet");
    return home && *home == '/' ? path_join(home, ".cache/aglet") : NULL;
}

struct cache *cache_open(const char *directory, struct file_facts *facts, char *err, size_t err_size) {
    if (err_size)
        err[0] = '\0';
    char *path = directory ? path_absolute(NULL, directory) : default_directory();
    if (!path) {
        snprintf(err, err_size,
                 "there is no directory for the cache (HOME is not set); going on without, or say one with "
                 "--cache");
        return NULL;
    }
    struct cache *c = xcalloc(1, sizeof *c);
    c->directory = path;
    c->facts = facts;
    c->writable = directory_make(path);
    int why = errno;
    if (c->writable) {
        char *probe = xasprintf("%s/tmp", path);
        c->writable = directory_make(probe) && access(probe, W_OK) == 0 && access(path, W_OK) == 0;
        why = errno;
        free(probe);
    }
    if (!c->writable)
        snprintf(err, err_size,
                 "cannot write to the cache directory '%s': %s; going on without keeping anything", path,
                 strerror(why));
    if (!c->writable && !directory_exists(path)) {
        free(path);
        free(c);
        return NULL;
    }
    return c;
}

bool cache_is_writable(const struct cache *c) {
    return c && c->writable;
}

void cache_give_up(struct cache *c, const char *why, int length) {
    if (c->writable)
        say("cannot write to the cache directory '%s': %.*s; going on without keeping anything", c->directory,
            length, why);
    c->writable = false;
}

char *cache_temporary(struct cache *c) {
    const char *base = getenv("TMPDIR");
    char *path = NULL;
    if (cache_is_writable(c)) {
        path = xasprintf("%s/tmp/run-XXXXXX", c->directory);
        if (!mkdtemp(path)) {
            const char *why = strerror(errno);
            cache_give_up(c, why, (int)strlen(why));
            free(path);
            path = NULL;
        }
    }
    if (!path) {
        path = xasprintf("%s/aglet-XXXXXX", base && *base ? base : "/tmp");
        if (!mkdtemp(path)) {
            free(path);
            return NULL;
        }
    }
    if (c) {
        free(c->temporary);
        c->temporary = xstrdup(path);
    }
    return path;
}

void cache_close(struct cache *c) {
    if (!c)
        return;
    if (c->temporary)
        directory_remove(c->temporary);
    if (c->stored && c->writable)
        evict_after(c->directory, c->stored);
    free(c->temporary);
    free(c->directory);
    free(c);
}

/* ---- units ---- */
static bool load_manifest(struct cache *c, struct cache_id command, struct manifest *out) {
    size_t size;
    char *path = path_of(c, 'm', command);
    char *text = file_read(path, &size);
    bool good = text && manifest_parse(text, size, out);
    if (text && !good)
        say_verbose("the cache file '%s' is damaged; it is made anew", path);
    else if (good)
        evict_touch(path);
    free(path);
    free(text);
    return good;
}

static void store_manifest(struct cache *c, struct cache_id command, const struct manifest *m) {
    if (!c->writable)
        return;
    size_t size;
    char *text = manifest_print(m, &size), *path = path_of(c, 'm', command);
    if (write_in(path, &(struct iovec){text, size}, 1))
        c->stored += size;
    free(path);
    free(text);
}

bool cache_find_unit(struct cache *c, struct cache_id command, struct cache_id *unit) {
    struct manifest m;
    if (!c || !load_manifest(c, command, &m))
        return false;
    bool changed;
    int i = manifest_match(&m, c->facts, &changed);
    bool hit = false;
    if (i >= 0) {
        *unit = m.entries[i].unit;
        char *path = path_of(c, 'u', *unit);
        hit = access(path, R_OK) == 0;
        free(path);
        if (changed)
            store_manifest(c, command, &m);
    }
    manifest_free(&m);
    return hit;
}

struct unit *cache_load_unit(struct cache *c, struct cache_id id) {
    char err[200];
    struct file_view file;
    if (!c)
        return NULL;
    char *path = path_of(c, 'u', id);
    struct unit *u = NULL;
    if (file_look(path, &file)) {
        u = unit_use(file.bytes, file.size, file.release, err, sizeof err);
        if (u)
            evict_touch(path);
        else
            say_verbose("the cache file '%s' is damaged (%s); it is made anew", path, err);
    }
    free(path);
    return u;
}

/* A file of this run becomes that of the cache. */
static bool move_in(const char *from, const char *to) {
    struct stat st;
    bool good = stat(from, &st) == 0 && (!(st.st_mode & ~MODE & 0777) || chmod(from, st.st_mode & MODE) == 0);
    good = good && rename(from, to) == 0;
    if (!good && errno == ENOENT) {
        char *directory = path_directory(to);
        good = directory_make(directory) && rename(from, to) == 0;
        free(directory);
    }
    return good;
}

void cache_store_unit(struct cache *c, struct cache_id command, struct deps *deps, const void *bytes,
                      size_t size, const char *file, struct cache_id *unit) {
    struct cache_hash *h = cache_hash_new("unit");
    cache_hash_id(h, command);
    cache_hash_bytes(h, bytes, size);
    *unit = cache_hash_end(h);
    if (!c || !c->writable || deps->uncacheable || deps->n == 0) {
        deps_free(deps);
        return;
    }
    char *path = path_of(c, 'u', *unit);
    stored(c, (file && move_in(file, path)) || write_in(path, &(struct iovec){(void *)bytes, size}, 1), size);
    free(path);
    struct manifest m;
    if (!load_manifest(c, command, &m))
        m = (struct manifest){0};
    deps_distrust_young(deps, wall_clock());
    manifest_add(&m, *unit, deps);
    store_manifest(c, command, &m);
    manifest_free(&m);
}

/* ---- findings ---- */
bool cache_load_findings(struct cache *c, struct cache_id key, struct file_view *out) {
    return load(c, 'r', key, out);
}

void cache_store_findings(struct cache *c, struct cache_id key, const void *bytes, size_t size) {
    store(c, 'r', key, bytes, size);
}

/* ---- solved functions ---- */
bool cache_load_solved(struct cache *c, struct cache_id key, struct file_view *out) {
    return load(c, 's', key, out);
}

void cache_store_solved(struct cache *c, struct cache_id key, const void *bytes, size_t size) {
    store(c, 's', key, bytes, size);
}
