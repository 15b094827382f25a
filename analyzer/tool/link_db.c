/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads link commands. Stands on libjansson for rows, nftw for CMake's link.txt files. */
#include "link_db.h"
#include "command.h"
#include "files.h"
#include "shell_words.h"
#include "base/alloc.h"
#include <ftw.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 24 }; /* descriptors for the walk */

static bool is_shared(const char *path) {
    const char *base = path_base(path), *so = strstr(base, ".so");
    return (so && (!so[3] || so[3] == '.')) || ends_with(base, ".dylib");
}

void link_db_put(struct link_db *db, const char *output, struct string_list *inputs) {
    size_t at = 0;
    while (at < db->n && strcmp(db->links[at].output, output) != 0)
        at++;
    if (at == db->n) {
        if (db->n == db->cap) {
            db->cap = db->cap ? db->cap * 2 : 16;
            db->links = xrealloc(db->links, db->cap * sizeof *db->links);
        }
        db->links[db->n++] = (struct link_command){.output = xstrdup(output)};
    }
    struct link_command *l = &db->links[at];
    strings_free(&l->inputs);
    l->inputs = *inputs;
    *inputs = (struct string_list){0};
    l->part = ends_with(output, ".a") || ends_with(output, ".o") || ends_with(output, ".lo");
    l->shared = is_shared(output);
}

/* ar OPERATION ARCHIVE MEMBERS… */
static bool add_archive(struct link_db *db, const char *directory, const struct string_list *args) {
    struct string_list members = {0};
    char *output = NULL;
    bool operation = false;
    for (size_t i = 1; i < args->n; i++) {
        const char *a = args->at[i];
        if (starts_with(a, "--"))
            continue;
        if (!operation) {
            operation = true;
            if (!strpbrk(a, "qr"))
                break;
        } else if (!output) {
            output = path_absolute(directory, a);
        } else {
            strings_take(&members, path_absolute(directory, a));
        }
    }
    if (output && members.n)
        link_db_put(db, output, &members);
    const bool found = output != NULL;
    strings_free(&members);
    free(output);
    return found;
}

static bool add_link(struct link_db *db, const char *directory, const struct string_list *args) {
    struct command_input *inputs = xcalloc(args->n + 1, sizeof *inputs);
    struct string_list in = {0};
    bool cc1 = false;
    const bool links = command_action(args, &cc1) == ACTION_LINK && !cc1;
    const size_t n = links ? command_inputs(args, inputs, args->n) : 0;
    for (size_t i = 0; i < n; i++)
        strings_take(&in, path_absolute(directory, args->at[inputs[i].at]));
    for (size_t i = 1; links && i < args->n; i++) {
        if (strcmp(args->at[i], "-l") == 0 && i + 1 < args->n)
            strings_addf(&in, "-l%s", args->at[++i]);
        else if (starts_with(args->at[i], "-l"))
            strings_add(&in, args->at[i]);
    }
    free(inputs);
    if (n) {
        char *output = path_absolute(directory, command_output(args) ? command_output(args) : "a.out");
        link_db_put(db, output, &in);
        for (size_t i = 0; i < args->n; i++)
            if (strcmp(args->at[i], "-shared") == 0 || strcmp(args->at[i], "-dynamiclib") == 0)
                db->links[db->n - 1].shared = true;
        free(output);
    }
    strings_free(&in);
    return n > 0;
}

static bool add_one(struct link_db *db, const char *directory, struct string_list *args) {
    command_strip_launchers(args);
    if (!args->n)
        return false;
    expand_response_files(args, directory);
    const char *tool = path_base(args->at[0]);
    const size_t length = strlen(tool);
    if (length >= 2 && strcmp(tool + length - 2, "ar") == 0 && (length == 2 || tool[length - 3] == '-'))
        return add_archive(db, directory, args);
    static const char *const compilers[] = {"cc", "gcc", "clang", "c++", "g++", "aglet"};
    for (size_t i = 0; i < sizeof compilers / sizeof *compilers; i++)
        if (strstr(tool, compilers[i]))
            return add_link(db, directory, args);
    return false;
}

bool link_db_add(struct link_db *db, const char *directory, const struct string_list *words) {
    char *here = xstrdup(directory);
    struct string_list args = {0};
    bool found = false;
    for (size_t i = 0; i <= words->n; i++) {
        if (i < words->n && strcmp(words->at[i], "&&") != 0 && strcmp(words->at[i], ";") != 0) {
            strings_add(&args, words->at[i]);
            continue;
        }
        if (args.n == 2 && strcmp(args.at[0], "cd") == 0) {
            char *there = path_absolute(here, args.at[1]);
            free(here);
            here = there;
        } else if (args.n) {
            found = add_one(db, here, &args) || found;
        }
        strings_free(&args);
        args = (struct string_list){0};
    }
    free(here);
    return found;
}

/* ---- link_commands.json: rows as those of a compile database ---- */
static void read_rows(struct link_db *db, const char *path) {
    size_t size;
    char *text = file_read(path, &size), *base = path_directory(path);
    json_t *root = text ? json_loadb(text, size, 0, NULL) : NULL, *row;
    size_t i, k;
    json_array_foreach(root, i, row) {
        const char *directory = json_string_value(json_object_get(row, "directory"));
        struct string_list args = {0};
        json_t *arg;
        json_array_foreach(json_object_get(row, "arguments"), k, arg)
            strings_add(&args, json_string_value(arg) ? json_string_value(arg) : "");
        char *where = path_absolute(base, directory ? directory : ".");
        link_db_add(db, where, &args);
        free(where);
        strings_free(&args);
    }
    json_decref(root);
    free(base);
    free(text);
}

/* ---- CMake's link.txt: NAME/CMakeFiles/TARGET.dir/link.txt, run in NAME ---- */
static struct link_db *walked; /* nftw passes nothing on */

static int visit(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st;
    if (kind != FTW_F || strcmp(path + at->base, "link.txt") != 0 || !strstr(path, "/CMakeFiles/"))
        return 0;
    size_t size;
    char *text = file_read(path, &size), *target = path_directory(path), *files = path_directory(target),
         *where = path_directory(files);
    for (char *line = text, *next; line && *line; line = next) {
        struct string_list words = {0};
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (shell_words(line, &words))
            link_db_add(walked, where, &words);
        strings_free(&words);
    }
    free(text);
    free(target);
    free(files);
    free(where);
    return 0;
}

void link_db_beside(struct link_db *db, const char *database) {
    char *full = path_absolute(NULL, database), *directory = path_directory(full);
    char *rows = path_join(directory, "link_commands.json"), *ninja = path_join(directory, "build.ninja");
    char *make = path_join(directory, "CMakeFiles/Makefile2");
    if (file_exists(rows))
        read_rows(db, rows);
    if (file_exists(ninja)) {
        link_db_ninja(db, ninja);
    } else if (file_exists(make)) {
        walked = db;
        (void)nftw(directory, visit, DEEPEST, FTW_PHYS);
    }
    free(make);
    free(ninja);
    free(rows);
    free(directory);
    free(full);
}

void link_db_free(struct link_db *db) {
    for (size_t i = 0; i < db->n; i++) {
        free(db->links[i].output);
        strings_free(&db->links[i].inputs);
    }
    free(db->links);
    *db = (struct link_db){0};
}
