/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Makes or finds the unit of each row. Stands on children.h for processes, cache.h for what is known already. */
#include "extract.h"
#include "children.h"
#include "files.h"
#include "object_units.h"
#include "say.h"
#include "workers.h"
#include "base/alloc.h"
#include "ir/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct extraction {
    const struct compile_db *db;
    const struct extract_options *options;
    struct extracted *out;
    struct cache_id *keys;
    char *temporary; /* directory of the extractors' outputs */
    bool *again;     /* rows whose unit could not be written there; NULL: they have failed */
    size_t done;
    bool
        serving; /* Aglet's own extractor, which serves; one that is named outright is started for each file */
    struct workers workers;
    struct children children;
};

/* Everything but file contents that decides what the extractor makes of this row. */
static struct cache_id command_key(const struct compile_row *row, const struct extract_options *o) {
    static const char *const environment[] = {"CPATH",           "C_INCLUDE_PATH", "SDKROOT",
                                              "GCC_EXEC_PREFIX", "COMPILER_PATH",  "CCC_OVERRIDE_OPTIONS"};
    struct cache_hash *h = cache_hash_new("command");
    cache_hash_string(h, AGLET_VERSION);
    cache_hash_number(h, AGLET_UNIT_VERSION);
    const struct file_fact *binary = file_facts_of(o->facts, o->extractor);
    cache_hash_string(h, path_base(o->extractor));
    cache_hash_number(h, binary->size);
    cache_hash_number(h, binary->mtime);
    cache_hash_number(h, binary->inode);
    for (size_t i = 0; i < sizeof environment / sizeof *environment; i++)
        cache_hash_string(h, getenv(environment[i]));
    cache_hash_string(h, row->directory);
    cache_hash_string(h, row->file);
    struct string_list args = {0};
    command_normalised(&row->args, &args);
    for (size_t i = 0; i < args.n; i++)
        cache_hash_string(h, args.at[i]);
    strings_free(&args);
    return cache_hash_end(h);
}

/* ---- units in object files ---- */
struct object_search {
    const struct compile_row *row;
    struct unit *unit;
    const unsigned char *bytes;
    size_t size;
};

static void consider_unit(void *context, const unsigned char *bytes, size_t size, const char *member) {
    (void)member;
    struct object_search *s = context;
    char err[SAY_MAX];
    struct unit *u = s->unit ? NULL : unit_decode(bytes, size, err, sizeof err);
    if (!u)
        return;
    char *main_file = path_absolute(unit_str(u, u->directory), unit_str(u, u->main_file));
    if (strcmp(main_file, s->row->file) == 0) {
        s->unit = u;
        s->bytes = bytes;
        s->size = size;
    } else {
        unit_free(u);
    }
    free(main_file);
}

/* Is every file the unit was made from as it was then? Fills deps with them. */
static bool up_to_date(const struct unit *u, struct file_facts *facts, struct deps *deps) {
    for (uint32_t i = 1; i < u->n_files; i++) {
        const struct ir_file_rec *file = &u->files[i];
        uint64_t hash = file->hash_lo | (uint64_t)file->hash_hi << 32;
        struct file_fact *fact = file_facts_of(facts, unit_str(u, file->path));
        if (hash == 0 || file_facts_hash(facts, fact) != hash)
            return false;
        if (deps->n == deps->cap) {
            deps->cap = deps->cap ? deps->cap * 2 : 64;
            deps->v = xrealloc(deps->v, deps->cap * sizeof *deps->v);
        }
        deps->v[deps->n++] =
            (struct dep){xstrdup(fact->path), fact->size, fact->mtime, fact->inode, hash, false};
    }
    return u->n_files > 1;
}

static bool take_from_object(struct extraction *x, size_t i) {
    const struct compile_row *row = &x->db->rows[i];
    struct stat st;
    int fd = open(row->object, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t size = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
    unsigned char *bytes = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (bytes == MAP_FAILED)
        return false;
    struct object_search search = {.row = row};
    object_units(bytes, size, consider_unit, &search, NULL);
    struct deps deps = {0};
    bool good = search.unit && up_to_date(search.unit, x->options->facts, &deps);
    if (good) {
        struct extracted *e = &x->out[i];
        e->origin = ORIGIN_OBJECT;
        e->bytes = xmalloc(search.size);
        memcpy(e->bytes, search.bytes, search.size);
        e->size = search.size;
        cache_store_unit(x->options->cache, x->keys[i], &deps, e->bytes, e->size, NULL, &e->id);
    }
    deps_free(&deps);
    unit_free(search.unit);
    munmap(bytes, size);
    return good;
}

/* ---- extractor processes ---- */
static char *output_path(const struct extraction *x, size_t i, const char *suffix) {
    return xasprintf("%s/%zu.%s", x->temporary, i, suffix);
}

static bool same_file(const char *a, const char *b) {
    struct stat one, other;
    return strcmp(a, b) == 0 || (stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
                                 one.st_ino == other.st_ino);
}

/* A command that compiles another file than its row says, or standard input, leaves the row's file out: to be told. */
static char *made_of_another(const struct unit *u, const char *file) {
    const char *main_file = unit_str(u, u->main_file);
    return same_file(main_file, file)
               ? NULL
               : xasprintf("'%s' is not analysed: its command compiles '%s'", file, main_file);
}

static void keep_product(struct extraction *x, size_t i) {
    struct extracted *e = &x->out[i];
    char *out = output_path(x, i, "unit"), *deps_file = output_path(x, i, "deps"), err[SAY_MAX];
    size_t text_size;
    struct file_view file;
    snprintf(err, sizeof err, "%s", file_look(out, &file) ? "" : strerror(errno));
    char *text = file_read(deps_file, &text_size);
    struct deps deps = {0};
    if (text && !deps_parse(text, text_size, &deps))
        say_verbose("the extractor's list of files for '%s' is malformed; its unit is not kept",
                    x->db->rows[i].file);
    e->unit = file.bytes ? unit_use(file.bytes, file.size, file.release, err, sizeof err) : NULL;
    if (e->unit && (e->why = made_of_another(e->unit, x->db->rows[i].file))) {
        unit_free(e->unit);
        e->unit = NULL;
    } else if (e->unit) {
        e->origin = ORIGIN_PARSED;
        cache_store_unit(x->options->cache, x->keys[i], &deps, file.bytes, file.size, out, &e->id);
    } else {
        e->why = xasprintf("'%s' is not analysed: the extractor's unit cannot be read: %s",
                           x->db->rows[i].file, err);
    }
    deps_free(&deps);
    unlink(out);
    unlink(deps_file);
    free(text);
    free(out);
    free(deps_file);
}

enum { UNWRITTEN = 4 }; /* the extractor's status: its outputs could not be written */

/* The cache's disk is full. What it would have kept is made elsewhere. */
static void make_again(struct extraction *x, size_t i, const char *log) {
    const char *why = strrchr(log, ':');
    const int length = why && why[1] == ' ' ? (int)strcspn(why + 2, "\n") : 0;
    cache_give_up(x->options->cache, length ? why + 2 : "full", length ? length : 4);
    x->again[i] = true;
}

static void extractor_ended(void *context, size_t i, int status, const char *log) {
    struct extraction *x = context;
    struct extracted *e = &x->out[i];
    const char *file = x->db->rows[i].file;
    if (WIFEXITED(status) && WEXITSTATUS(status) == UNWRITTEN && x->again) {
        make_again(x, i, log);
        return;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        keep_product(x, i);
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && *log)
        e->why = xasprintf("'%s' does not parse and is not analysed; the compiler's words:", file);
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
        e->origin = ORIGIN_NOT_C;
    else if (WIFSIGNALED(status))
        e->why = xasprintf("the extractor crashed on '%s' (%s); that file is not analysed", file,
                           strsignal(WTERMSIG(status)));
    else
        e->why = xasprintf("the extractor could not work on '%s' (exit status %d); that file is not analysed",
                           file, WEXITSTATUS(status));
    if (e->why && !WIFSIGNALED(status) && *log)
        e->log = xstrdup(log);
    else if (*log)
        say_verbose("the extractor's words on '%s':\n%s", file, log);
    say_progress(++x->done, x->db->n, file);
}

/* A response file that could not be put in its place; or NULL. */
static const char *missing_response_file(const struct compile_row *row) {
    for (size_t a = 0; a < row->args.n; a++)
        if (row->args.at[a][0] == '@')
            return row->args.at[a];
    return NULL;
}

static void start_extractor(struct extraction *x, size_t i) {
    const struct compile_row *row = &x->db->rows[i];
    struct extracted *e = &x->out[i];
    if (!file_facts_of(x->options->facts, row->file)->exists) {
        e->why = xasprintf("'%s' does not exist; the compile database is out of date", row->file);
        return;
    }
    if (!file_facts_of(x->options->facts, row->directory)->exists) {
        e->why =
            xasprintf("'%s' is not analysed: its directory '%s' does not exist", row->file, row->directory);
        return;
    }
    if (missing_response_file(row)) {
        e->why = xasprintf("'%s' is not analysed: its command names '%s', which cannot be read", row->file,
                           missing_response_file(row));
        return;
    }
    struct string_list argv = {0};
    strings_add(&argv, x->options->extractor);
    strings_add(&argv, "--out");
    strings_take(&argv, output_path(x, i, "unit"));
    strings_add(&argv, "--deps");
    strings_take(&argv, output_path(x, i, "deps"));
    strings_add(&argv, "--");
    for (size_t a = 0; a < row->args.n; a++)
        strings_add(&argv, row->args.at[a]);
    int error = x->serving ? workers_start(&x->workers, strings_argv(&argv), row->directory, i)
                           : children_start(&x->children, strings_argv(&argv), row->directory, i);
    if (error)
        e->why = xasprintf("cannot start the extractor on '%s': %s", row->file, strerror(error));
    strings_free(&argv);
}

struct sized {
    size_t row;
    uint64_t size;
};

static int larger_first(const void *a, const void *b) {
    const struct sized *x = a, *y = b;
    return x->size != y->size ? (x->size > y->size ? -1 : 1) : x->row < y->row ? -1 : x->row > y->row;
}

/* Large files first, so that no processor is left alone with one at the end. */
static void start_extractors(struct extraction *x, const bool *wanted) {
    struct sized *order = xcalloc(x->db->n + 1, sizeof *order);
    size_t n = 0;
    for (size_t i = 0; i < x->db->n; i++)
        if (wanted[i])
            order[n++] = (struct sized){i, file_facts_of(x->options->facts, x->db->rows[i].file)->size};
    qsort(order, n, sizeof *order, larger_first);
    for (size_t i = 0; i < n; i++)
        start_extractor(x, order[i].row);
    free(order);
}

static void give_back(void *bytes, size_t size) {
    (void)size;
    free(bytes);
}

/* Decode a unit that was kept. Returns false, said, when it cannot be used. */
static bool load_kept(struct extraction *x, size_t i) {
    struct extracted *e = &x->out[i];
    char err[SAY_MAX];
    e->unit = e->bytes ? unit_use(e->bytes, e->size, give_back, err, sizeof err)
                       : cache_load_unit(x->options->cache, e->id);
    e->bytes = NULL;
    if (!e->unit)
        say_verbose("the kept unit of '%s' cannot be used; it is made anew", x->db->rows[i].file);
    return e->unit;
}

static bool is_kept(const struct extracted *e) {
    return !e->unit && (e->origin == ORIGIN_CACHE || e->origin == ORIGIN_OBJECT);
}

/* While extractors work: a file changed, so that the program will be solved anew, and all units are needed. */
static void load_others(struct extraction *x) {
    for (size_t i = 0; i < x->db->n; i++)
        if (is_kept(&x->out[i]) && !load_kept(x, i)) {
            x->out[i].origin = ORIGIN_NONE;
            x->done--;
            start_extractor(x, i);
        }
}

static void run_once(struct extraction *x, const bool *wanted,
                     void (*meanwhile)(void *, const struct extraction *)) {
    bool any = false;
    for (size_t i = 0; i < x->db->n; i++)
        any = any || wanted[i];
    if (!any)
        return;
    x->temporary = cache_temporary(x->options->cache);
    if (!x->temporary) {
        int why = errno;
        for (size_t i = 0; i < x->db->n; i++)
            if (wanted[i])
                x->out[i].why = xasprintf("'%s' is not analysed: cannot make a temporary directory: %s",
                                          x->db->rows[i].file, strerror(why));
        return;
    }
    start_extractors(x, wanted);
    load_others(x);
    if (meanwhile)
        meanwhile(x->options->context, x);
    workers_finish(&x->workers);
    children_finish(&x->children);
    say_progress_end();
    directory_remove(x->temporary);
    free(x->temporary);
    x->temporary = NULL;
}

static void run_extractors(struct extraction *x, const bool *wanted,
                           void (*meanwhile)(void *, const struct extraction *)) {
    bool *again = xcalloc(x->db->n + 1, sizeof *again);
    x->again = cache_is_writable(x->options->cache) ? again : NULL;
    run_once(x, wanted, meanwhile);
    x->again = NULL;
    run_once(x, again, NULL);
    free(again);
}

bool extract_answered(const struct extraction *x) {
    return workers_answered(&x->workers);
}

struct extraction *extract_new(const struct compile_db *db, const struct extract_options *options,
                               struct extracted *out) {
    struct extraction *x = xcalloc(1, sizeof *x);
    const char *named = getenv("AGLET_EXTRACTOR");
    x->db = db;
    x->options = options;
    x->out = out;
    x->keys = xcalloc(db->n + 1, sizeof *x->keys);
    x->serving = !named || !*named;
    workers_init(&x->workers, options->extractor, options->jobs, extractor_ended, x);
    children_init(&x->children, options->jobs, extractor_ended, x);
    return x;
}

void extract_free(struct extraction *x) {
    if (!x)
        return;
    workers_destroy(&x->workers);
    children_destroy(&x->children);
    free(x->keys);
    free(x);
}

struct by_time {
    size_t row;
    uint64_t time;
};

static int younger_first(const void *a, const void *b) {
    const struct by_time *x = a, *y = b;
    return x->time != y->time ? (x->time > y->time ? -1 : 1) : x->row < y->row ? -1 : x->row > y->row;
}

/* Which rows must be parsed? The file that was just edited is looked at first, and found: Clang loads while the rest is looked at. */
static void find_units(struct extraction *x, bool *wanted) {
    const size_t n = x->db->n;
    struct by_time *order = xcalloc(n + 1, sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = (struct by_time){i, file_facts_of(x->options->facts, x->db->rows[i].file)->mtime};
    qsort(order, n, sizeof *order, younger_first);
    for (size_t k = 0; k < n; k++) {
        const size_t i = order[k].row;
        x->keys[i] = command_key(&x->db->rows[i], x->options);
        if (cache_find_unit(x->options->cache, x->keys[i], &x->out[i].id))
            x->out[i].origin = ORIGIN_CACHE;
        else if (!x->options->objects || !x->db->rows[i].object || !take_from_object(x, i))
            wanted[i] = true;
        x->done += !wanted[i];
        if (wanted[i] && x->serving)
            workers_ready(&x->workers);
    }
    free(order);
}

void extract_all(struct extraction *x) {
    bool *wanted = xcalloc(x->db->n + 1, sizeof *wanted);
    find_units(x, wanted);
    run_extractors(x, wanted, x->options->meanwhile);
    free(wanted);
}

void extract_load(struct extraction *x) {
    bool *wanted = xcalloc(x->db->n + 1, sizeof *wanted);
    for (size_t i = 0; i < x->db->n; i++)
        if (is_kept(&x->out[i]) && !load_kept(x, i)) {
            x->out[i].origin = ORIGIN_NONE;
            wanted[i] = true;
        }
    run_extractors(x, wanted, NULL);
    free(wanted);
}

void extracted_free(struct extracted *e, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unit_free(e[i].unit);
        free(e[i].bytes);
        free(e[i].why);
        free(e[i].log);
    }
    free(e);
}
