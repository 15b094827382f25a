/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Database, selection, cache, extraction; and the sentences about what was left out. Stands on extract.h. */
#include "load.h"
#include "children.h"
#include "files.h"
#include "heap.h"
#include "layout.h"
#include "say.h"
#include "word.h"
#include "base/alloc.h"
#include "base/glob.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool glob_matches(const char *glob, const char *path) {
    if (glob[0] == '/')
        return glob_match(glob, path);
    char *here = path_working();
    size_t n = strlen(here);
    bool below = strncmp(path, here, n) == 0 && path[n] == '/';
    bool match = glob_match(starts_with(glob, "./") ? glob + 2 : glob,
                            below ? path + n + 1 : path + strspn(path, "/"));
    free(here);
    return match;
}

/* Take off the rows that `unwanted` says; returns how many. */
static size_t drop_rows(struct load *l,
                        bool (*unwanted)(const struct load *, const char *file, const struct string_list *),
                        const struct string_list *list) {
    struct compile_db *db = &l->db;
    size_t kept = 0, n = db->n;
    for (size_t i = 0; i < n; i++) {
        struct compile_row *row = &db->rows[i];
        if (!unwanted(l, row->file, list)) {
            db->rows[kept++] = *row;
            continue;
        }
        free(row->directory);
        free(row->file);
        free(row->object);
        strings_free(&row->args);
    }
    db->n = kept;
    return n - kept;
}

static bool not_listed(const struct load *l, const char *file, const struct string_list *list) {
    (void)l;
    return !strings_has(list, file);
}

static bool is_excluded(const struct load *l, const char *file, const struct string_list *list) {
    for (size_t i = 0; i < list->n; i++)
        if (glob_matches(list->at[i], file))
            return true;
    return l->config && config_excluded(l->config, file);
}

/* Keep the rows of the files asked for; a file that has none is said. */
static bool select_files(struct load *l, const char *database) {
    bool good = true;
    struct string_list wanted = {0};
    for (size_t i = 0; i < l->files.n; i++) {
        strings_take(&wanted, path_absolute(NULL, l->files.at[i]));
        bool found = false;
        for (size_t r = 0; r < l->db.n && !found; r++)
            found = strcmp(l->db.rows[r].file, wanted.at[i]) == 0;
        if (!found) {
            bool known = strings_has(&l->db.cxx, wanted.at[i]) || strings_has(&l->db.other, wanted.at[i]);
            say(known ? "'%s' is not C; Aglet analyses C only" : "'%s' is not in the compile database '%s'",
                l->files.at[i], database);
            good = false;
        }
    }
    if (good && l->files.n)
        drop_rows(l, not_listed, &wanted);
    if (l->files.n) {
        strings_free(&l->db.cxx);
        strings_free(&l->db.other);
    }
    strings_free(&wanted);
    return good;
}

static bool rows_of_flags(struct load *l) {
    char *here = path_working();
    struct string_list named = {0};
    bool good = l->files.n > 0;
    if (!good)
        say("no file is named before --");
    for (size_t i = 0; i < l->files.n && good; i++) {
        char *full = path_absolute(here, l->files.at[i]);
        good = file_exists(full);
        if (!good)
            say(directory_exists(full) ? "'%s' is a directory; before -- stand C files"
                                       : "'%s' does not exist",
                l->files.at[i]);
        const bool again = strings_has(&named, full);
        strings_take(&named, full);
        if (!good || again)
            continue;
        struct string_list args = {0};
        strings_add(&args, "cc");
        for (size_t a = 0; a < l->flags.n; a++)
            strings_add(&args, l->flags.at[a]);
        strings_add(&args, "-c");
        strings_add(&args, l->files.at[i]);
        compile_db_add(&l->db, here, l->files.at[i], NULL, &args);
    }
    free(here);
    strings_free(&named);
    compile_db_unique(&l->db);
    return good;
}

static bool find_rows(struct load *l) {
    char err[SAY_MAX];
    if (l->have_flags)
        return rows_of_flags(l);
    char *database = compile_db_find(l->database, err, sizeof err);
    bool good = database && compile_db_read(database, &l->db, err, sizeof err);
    if (!good && !l->database && !database && l->files.n)
        say("%s; or give the compiler's flags yourself: aglet lint %s -- -Iinclude", err, l->files.at[0]);
    else if (!good)
        say("%s", err);
    else if (l->db.n + l->db.cxx.n + l->db.other.n + l->db.unusable == 0) {
        say("the compile database '%s' is empty; nothing was analysed", database);
        good = false;
    } else
        good = select_files(l, database);
    free(database);
    return good;
}

static void say_unusable(const struct compile_db *db) {
    if (db->unusable == 1)
        say("%s; that entry is left out", db->why_unusable);
    else if (db->unusable)
        say("%s; that entry and %zu more that are none are left out", db->why_unusable, db->unusable - 1);
}

/* "3 C++ files are left out: a.cc, b.cc, c.cc" */
static void say_left_out(const struct string_list *files, const char *what) {
    if (files->n == 0)
        return;
    char *line = xstrdup(path_base(files->at[0]));
    for (size_t i = 1; i < files->n && i < 3; i++) {
        char *longer = xasprintf("%s, %s", line, path_base(files->at[i]));
        free(line);
        line = longer;
    }
    say("%zu %s file%s left out, only C is analysed: %s%s", files->n, what, files->n == 1 ? " is" : "s are",
        line, files->n > 3 ? ", …" : "");
    free(line);
}

/* Of the headers that lead to an error, a cycle has hundreds. */
static void put_words(const char *log) {
    enum { MOST = 10 };
    size_t run = 0;
    for (const char *end; *log; log = end) {
        end = log + strcspn(log, "\n");
        end += *end == '\n';
        const bool leads =
            starts_with(log, "In file included from ") || starts_with(log, "                 from ");
        if (!leads && run > MOST)
            fprintf(stderr, "… and %zu more\n", run - MOST);
        run = leads ? run + 1 : 0;
        if (run <= MOST)
            fwrite(log, 1, (size_t)(end - log), stderr);
    }
}

static void count(struct load *l) {
    say_unusable(&l->db);
    for (size_t i = 0; i < l->db.n; i++) {
        struct extracted *e = &l->units[i];
        l->from_cache += e->origin == ORIGIN_CACHE;
        l->from_objects += e->origin == ORIGIN_OBJECT;
        l->parsed += e->origin == ORIGIN_PARSED;
        if (e->origin == ORIGIN_NOT_C) {
            strings_add(&l->db.other, l->db.rows[i].file);
            l->not_c++;
        }
        if (!e->why)
            continue;
        l->not_analysed++;
        say("%s", e->why);
        if (e->log)
            put_words(e->log);
    }
    say_left_out(&l->db.cxx, "C++");
    say_left_out(&l->db.other, "other-language");
}

bool load_find(struct load *l) {
    heap_reserve();
    char err[SAY_MAX];
    if (!find_rows(l))
        return false;
    l->excluded = drop_rows(l, is_excluded, &l->exclude);
    l->extractor = layout_extractor(err, sizeof err);
    if (!l->extractor) {
        say("%s", err);
        return false;
    }
    if (!l->no_cache) {
        l->cache = cache_open(l->cache_directory, &l->facts, err, sizeof err);
        if (err[0])
            say("%s", err);
    }
    l->how = (struct extract_options){.extractor = l->extractor,
                                      .cache = l->cache,
                                      .facts = &l->facts,
                                      .jobs = l->jobs ? l->jobs : children_default_limit(),
                                      .objects = !l->no_objects,
                                      .meanwhile = l->meanwhile,
                                      .context = l->context};
    l->units = xcalloc(l->db.n + 1, sizeof *l->units);
    l->extraction = extract_new(&l->db, &l->how, l->units);
    extract_all(l->extraction);
    count(l);
    return true;
}

/* What the frontend left out of a unit's graphs. */
static void say_incomplete(const struct unit *u) {
    for (uint32_t i = 1; i < u->n_notes; i++)
        if (u->notes[i].kind == IR_N_INCOMPLETE) {
            const struct ir_loc_rec *at = &u->locs[u->notes[i].loc];
            say_verbose("%s:%u:%u: %s", unit_str(u, u->files[at->file].path), at->line, at->col,
                        unit_str(u, u->notes[i].text));
        }
}

void load_decode(struct load *l) {
    extract_load(l->extraction);
    for (size_t i = 0; i < l->db.n && say_is_verbose; i++)
        if (l->units[i].unit)
            say_incomplete(l->units[i].unit);
}

bool load_whole(const struct load *l) {
    return l->files.n == 0 && load_missing(l) == 0 && l->excluded == 0 && l->db.cxx.n == 0;
}

struct linked_programs load_programs_by_symbols(const struct load *l) {
    struct unit **units = xcalloc(l->db.n + 1, sizeof *units);
    for (size_t i = 0; i < l->db.n; i++)
        units[i] = l->units[i].unit;
    struct linked_programs out = programs_by_symbols(units, &l->db);
    free(units);
    return out;
}

bool load_programs(const struct load *l, const char *name, struct linked_programs *out) {
    const char **files = xcalloc(l->db.n + 1, sizeof *files);
    bool *there = xcalloc(l->db.n + 1, sizeof *there), good = true;
    for (size_t i = 0; i < l->db.n; i++)
        if ((there[i] = l->units[i].unit != NULL))
            files[i] = unit_str(l->units[i].unit, l->units[i].unit->main_file);
    if (l->files.n)
        *out = (struct linked_programs){0};
    else if (config_n_programs(l->config))
        *out = programs_named(l->config, files, l->db.n);
    else
        *out = name ? programs_linked(&l->db) : programs_of(&l->db);
    if (!l->files.n && !config_n_programs(l->config) && !l->db.links.n)
        *out = load_programs_by_symbols(l);
    programs_say_left_out(out);
    if (name)
        good = programs_choose(out, name);
    else
        programs_add_rest(out, there, l->db.n);
    free(files);
    free(there);
    return good;
}

size_t load_analysed(const struct load *l) {
    return l->db.n - l->not_analysed - l->not_c;
}

bool load_any(const struct load *l) {
    if (load_analysed(l))
        return true;
    if (l->excluded)
        say("nothing was analysed: %zu C file%s excluded by --exclude or .aglet.yml", l->excluded,
            l->excluded == 1 ? " is" : "s are");
    else
        say("nothing was analysed");
    return false;
}

size_t load_missing(const struct load *l) {
    return l->not_analysed + (l->files.n ? 0 : l->db.unusable);
}

void load_end(struct load *l) {
    extract_free(l->extraction);
    l->extraction = NULL;
}

void load_free(struct load *l) {
    load_end(l);
    if (l->units)
        extracted_free(l->units, l->db.n);
    cache_close(l->cache);
    compile_db_free(&l->db);
    file_facts_free(&l->facts);
    strings_free(&l->files);
    strings_free(&l->flags);
    strings_free(&l->exclude);
    free(l->extractor);
    *l = (struct load){0};
}
