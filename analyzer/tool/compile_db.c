/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads compile_commands.json. Stands on libjansson for JSON, command.h for what a command says. */
#include "compile_db.h"
#include "files.h"
#include "shell_words.h"
#include "base/alloc.h"
#include "base/hash.h"
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char db_name[] = "compile_commands.json";

char *compile_db_find(const char *path, char *err, size_t err_size) {
    if (path) {
        if (directory_exists(path)) {
            char *file = path_join(path, db_name);
            if (file_exists(file))
                return file;
            free(file);
            snprintf(err, err_size,
                     "there is no %s in '%s'; make one with cmake -DCMAKE_EXPORT_COMPILE_COMMANDS=ON, bear, "
                     "or aglet cc --record",
                     db_name, path);
            return NULL;
        }
        if (file_exists(path))
            return xstrdup(path);
        snprintf(err, err_size, "there is no compile database at '%s'", path);
        return NULL;
    }
    static const char *const places[] = {"", "build/"};
    char *above = path_working();
    for (;;) {
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            char *file = xasprintf("%s/%s%s", strcmp(above, "/") == 0 ? "" : above, places[i], db_name);
            if (file_exists(file)) {
                free(above);
                return file;
            }
            free(file);
        }
        if (strcmp(above, "/") == 0)
            break;
        char *next = path_directory(above);
        free(above);
        above = next;
    }
    free(above);
    snprintf(err, err_size,
             "there is no %s here or above; say where the build is with -p, or make one with cmake "
             "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON, bear, or aglet cc --record",
             db_name);
    return NULL;
}

/* The language of `file` in this command: of the input that names it, else of its own name. */
static enum language row_language(const struct compile_row *row) {
    struct command_input inputs[16];
    size_t n = command_inputs(&row->args, inputs, 16);
    for (size_t i = 0; i < n && i < 16; i++) {
        char *path = path_absolute(row->directory, row->args.at[inputs[i].at]);
        bool same = strcmp(path, row->file) == 0;
        free(path);
        if (same)
            return inputs[i].language;
    }
    return language_of(row->file);
}

void compile_db_add(struct compile_db *db, const char *directory, const char *file, const char *output,
                    struct string_list *args) {
    struct compile_row row = {0};
    row.directory = path_absolute(NULL, directory);
    row.file = path_absolute(row.directory, file);
    row.args = *args;
    *args = (struct string_list){0};
    command_strip_launchers(&row.args);
    expand_response_files(&row.args, row.directory);
    command_name_inputs(&row.args);
    command_action(&row.args, &row.cc1);
    row.language = row_language(&row);
    const char *object = output ? output : command_output(&row.args);
    row.object = object ? path_absolute(row.directory, object) : NULL;
    char *target = command_target(&row.args);
    if (target) {
        char *option = xasprintf("--target=%s", target);
        strings_insert(&row.args, 1, option);
        free(option);
        free(target);
    }
    if (row.language != LANGUAGE_C) {
        strings_add(row.language == LANGUAGE_CXX ? &db->cxx : &db->other, row.file);
        free(row.directory);
        free(row.file);
        free(row.object);
        strings_free(&row.args);
        return;
    }
    if (db->n == db->cap) {
        db->cap = db->cap ? db->cap * 2 : 64;
        db->rows = xrealloc(db->rows, db->cap * sizeof *db->rows);
    }
    db->rows[db->n++] = row;
}

static void row_free(struct compile_row *row) {
    free(row->directory);
    free(row->file);
    free(row->object);
    strings_free(&row->also);
    strings_free(&row->args);
}

/* Words that say for what place in memory code is made, not what it means: libtool compiles every file of a library with and without. */
static bool is_about_position(const char *word) {
    static const char *const words[] = {"-fPIC",    "-fpic",    "-fPIE",    "-fpie", "-fno-pic",
                                        "-fno-PIC", "-fno-pie", "-fno-PIE", "-DPIC", "-DPIC=1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static uint64_t hash_args(const struct compile_row *row) {
    struct string_list normal = {0};
    command_normalised(&row->args, &normal);
    uint64_t h = hash_add(hash_string(row->directory), hash_string(row->file));
    for (size_t i = 0; i < normal.n; i++)
        if (!is_about_position(normal.at[i]))
            h = hash_add(h, hash_string(normal.at[i]));
    strings_free(&normal);
    return h;
}

static uint64_t hash_object(const struct compile_row *row) {
    return hash_add(hash_string(row->object), hash_string(row->file));
}

void compile_db_unique(struct compile_db *db) {
    struct map64 seen = {0}, driven = {0}, last = {0};
    for (size_t i = 0; i < db->n; i++) {
        if (!db->rows[i].cc1)
            map64_put(&driven, hash_string(db->rows[i].file), 1);
        if (db->rows[i].object)
            map64_put(&last, hash_object(&db->rows[i]), (uint32_t)i);
    }
    size_t kept = 0;
    for (size_t i = 0; i < db->n; i++) {
        struct compile_row *row = &db->rows[i];
        uint32_t *first = NULL;
        bool fresh = false, replaced = row->object && map64_get(&last, hash_object(row), 0) != i;
        if (!replaced && (!row->cc1 || !map64_get(&driven, hash_string(row->file), 0)))
            first = map64_place(&seen, hash_args(row), &fresh);
        if (fresh) {
            *first = (uint32_t)kept;
            db->rows[kept++] = *row;
        } else {
            if (first && row->object)
                strings_add(&db->rows[*first].also, row->object);
            row_free(row);
            db->repeated++;
        }
    }
    db->n = kept;
    map64_free(&seen);
    map64_free(&driven);
    map64_free(&last);
}

static bool read_row(struct compile_db *db, const json_t *row, const char *base, const char **missing) {
    const char *directory = json_string_value(json_object_get(row, "directory"));
    const char *file = json_string_value(json_object_get(row, "file"));
    const char *output = json_string_value(json_object_get(row, "output"));
    const json_t *arguments = json_object_get(row, "arguments");
    const char *command = json_string_value(json_object_get(row, "command"));
    struct string_list args = {0};
    *missing = !json_is_object(row) ? "is no object" : !file || !*file ? "has no \"file\"" : NULL;
    if (!*missing && json_is_array(arguments)) {
        size_t i;
        json_t *arg;
        json_array_foreach(arguments, i, arg) {
            if (json_is_string(arg))
                strings_add(&args, json_string_value(arg));
            else
                *missing = "has an argument that is no text";
        }
    } else if (!*missing && command) {
        if (!shell_words(command, &args))
            *missing = "has a command with an unclosed quote";
    }
    if (!*missing && args.n == 0)
        *missing = "has neither \"arguments\" nor \"command\"";
    if (*missing) {
        strings_free(&args);
        return false;
    }
    char *where = path_absolute(base, directory ? directory : ".");
    const bool links = link_db_add(&db->links, where, &args);
    if (links && language_of(file) == LANGUAGE_NONE)
        strings_free(&args);
    else
        compile_db_add(db, where, file, output, &args);
    free(where);
    return true;
}

bool compile_db_read(const char *path, struct compile_db *out, char *err, size_t err_size) {
    *out = (struct compile_db){0};
    size_t size;
    char *text = file_read(path, &size);
    if (!text) {
        snprintf(err, err_size, "cannot read '%s': %s", path, strerror(errno));
        return false;
    }
    json_error_t bad;
    json_t *root = json_loadb(text, size, 0, &bad);
    free(text);
    if (!root) {
        snprintf(err, err_size, "%s:%d:%d: not a compile database: %s", path, bad.line > 0 ? bad.line : 1,
                 bad.column > 0 ? bad.column : 1, bad.text);
        return false;
    }
    bool good = json_is_array(root);
    if (!good)
        snprintf(err, err_size, "%s:1:1: not a compile database: an array of commands is wanted", path);
    char *full = path_absolute(NULL, path), *base = path_directory(full);
    size_t i;
    json_t *row;
    json_array_foreach(root, i, row) {
        const char *missing;
        if (!read_row(out, row, base, &missing) && out->unusable++ == 0)
            out->why_unusable = xasprintf("%s: entry %zu %s", path, i + 1, missing);
    }
    free(full);
    free(base);
    json_decref(root);
    if (good)
        link_db_beside(&out->links, path);
    if (good)
        compile_db_unique(out);
    else
        compile_db_free(out);
    return good;
}

void compile_db_free(struct compile_db *db) {
    for (size_t i = 0; i < db->n; i++)
        row_free(&db->rows[i]);
    free(db->rows);
    strings_free(&db->cxx);
    strings_free(&db->other);
    free(db->why_unusable);
    link_db_free(&db->links);
    *db = (struct compile_db){0};
}
