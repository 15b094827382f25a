/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Adds rows to a compile database. Stands on flock, so parallel makes may share one file. */
#include "record.h"
#include "command.h"
#include "files.h"
#include "base/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_INPUTS = 256 };

/* The row of one source: the command without its other inputs, and as a compilation where it was one and a link in one. */
static char *row_text(const struct string_list *args, const struct command_input *inputs, size_t n,
                      size_t which, enum action action) {
    json_t *arguments = json_array();
    for (size_t i = 0; i < args->n; i++) {
        const char *a = args->at[i];
        bool other = false;
        for (size_t k = 0; k < n; k++)
            other = other || (k != which && inputs[k].at == i);
        if (other)
            continue;
        if (action == ACTION_LINK && (strcmp(a, "-o") == 0 || strcmp(a, "-l") == 0 || strcmp(a, "-L") == 0)) {
            i++;
            continue;
        }
        if (action == ACTION_LINK && (starts_with(a, "-l") || starts_with(a, "-L") ||
                                      starts_with(a, "-Wl,") || (starts_with(a, "-o") && a[2])))
            continue;
        json_array_append_new(arguments, json_string(a));
        if (i == 0 && action == ACTION_LINK)
            json_array_append_new(arguments, json_string("-c"));
    }
    char *here = path_working();
    json_t *row = json_object();
    json_object_set_new(row, "directory", json_string(here));
    json_object_set_new(row, "file", json_string(args->at[inputs[which].at]));
    json_object_set_new(row, "arguments", arguments);
    const char *output = action == ACTION_LINK ? NULL : command_output(args);
    if (output)
        json_object_set_new(row, "output", json_string(output));
    char *text = json_dumps(row, JSON_COMPACT);
    json_decref(row);
    free(here);
    return text;
}

/* Put the rows before the closing bracket. The end of the file is all that is read. */
static bool append(int fd, char *const *rows, size_t n) {
    struct stat st;
    char tail[64];
    if (fstat(fd, &st) != 0)
        return false;
    off_t keep = 0; /* up to here stays */
    bool first = true;
    if (st.st_size > 0) {
        off_t from = st.st_size > (off_t)sizeof tail ? st.st_size - (off_t)sizeof tail : 0;
        ssize_t got = pread(fd, tail, sizeof tail, from);
        ssize_t at = got - 1;
        while (at >= 0 && strchr(" \n\r\t", tail[at]))
            at--;
        if (at < 0 || tail[at] != ']')
            return errno = EINVAL, false;
        at--;
        while (at >= 0 && strchr(" \n\r\t", tail[at]))
            at--;
        if (at < 0 || (tail[at] != '}' && tail[at] != '['))
            return errno = EINVAL, false;
        first = tail[at] == '[';
        keep = from + at + 1;
    }
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (st.st_size == 0)
        fputc('[', out);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "%s\n%s", first ? "" : ",", rows[i]);
        first = false;
    }
    fputs("\n]\n", out);
    fclose(out);
    bool good = pwrite(fd, text, size, keep) == (ssize_t)size && ftruncate(fd, keep + (off_t)size) == 0;
    free(text);
    return good;
}

static bool append_to(const char *file, char *const *rows, size_t n, char *err, size_t err_size) {
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    bool good = fd >= 0 && flock(fd, LOCK_EX) == 0 && append(fd, rows, n);
    if (!good && errno == EINVAL)
        snprintf(err, err_size,
                 "'%s' is not a compile database that can be added to; remove it or name another", file);
    else if (!good)
        snprintf(err, err_size, "cannot record into '%s': %s", file, strerror(errno));
    if (fd >= 0)
        close(fd);
    return good;
}

/* What was linked goes into a file beside the database: other tools take each of its rows for a source. */
static bool record_link(const char *database, const struct string_list *args, char *err, size_t err_size) {
    char *directory = path_directory(database), *file = path_join(directory, "link_commands.json"),
         *here = path_working();
    json_t *row = json_object(), *arguments = json_array();
    for (size_t i = 0; i < args->n; i++)
        json_array_append_new(arguments, json_string(args->at[i]));
    json_object_set_new(row, "directory", json_string(here));
    json_object_set_new(row, "output", json_string(command_output(args) ? command_output(args) : "a.out"));
    json_object_set_new(row, "arguments", arguments);
    char *text = json_dumps(row, JSON_COMPACT);
    bool good = append_to(file, &text, 1, err, err_size);
    json_decref(row);
    free(text);
    free(here);
    free(file);
    free(directory);
    return good;
}

bool record_command(const char *database, const struct string_list *args, char *err, size_t err_size) {
    struct command_input inputs[MOST_INPUTS];
    bool cc1;
    enum action action = command_action(args, &cc1);
    size_t n = command_inputs(args, inputs, MOST_INPUTS), n_rows = 0;
    if (cc1 || action == ACTION_ASK || action == ACTION_PREPROCESS || n > MOST_INPUTS)
        return true;
    char *rows[MOST_INPUTS];
    for (size_t i = 0; i < n; i++)
        if (inputs[i].language == LANGUAGE_C || inputs[i].language == LANGUAGE_CXX)
            rows[n_rows++] = row_text(args, inputs, n, i, action);
    bool good = true;
    if (n && action == ACTION_LINK)
        good = record_link(database, args, err, err_size);
    if (n_rows && good)
        good = append_to(database, rows, n_rows, err, err_size);
    for (size_t i = 0; i < n_rows; i++)
        free(rows[i]);
    return good;
}
