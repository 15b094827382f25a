/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds the places of insertions in C text and shows the result as a diff. Stands on edits.h. */
#include "edits.h"

#include <ctype.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "report/paths.h"

extern char **environ;

/* ---- C text ---- */

/* Past one comment, literal, or character at p, which is not the end. */
static const char *past_token(const char *p) {
    if (p[0] == '/' && p[1] == '*') {
        const char *end = strstr(p + 2, "*/");
        return end ? end + 2 : p + strlen(p);
    }
    if (p[0] == '/' && p[1] == '/')
        return p + strcspn(p, "\n");
    if (*p == '"' || *p == '\'') {
        const char quote = *p++;
        while (*p && *p != quote)
            p += *p == '\\' && p[1] ? 2 : 1;
        return *p ? p + 1 : p;
    }
    return p + 1;
}

/* Past blanks and comments. */
static const char *past_blank(const char *p) {
    while (isspace((unsigned char)*p) || (p[0] == '/' && (p[1] == '*' || p[1] == '/')))
        p = past_token(p);
    return p;
}

/* From p, outside all brackets that open later: the first of `ends`, or NULL where more than `closing`
 * brackets close that opened before, a preprocessor line begins or the text ends. */
static const char *find_outside(const char *p, const char *ends, int closing) {
    int depth = 0;

    for (; *p; p = past_token(p)) {
        if (!depth && strchr(ends, *p))
            return p;
        depth += strchr("([{", *p) != NULL;
        depth -= strchr(")]}", *p) != NULL;
        if (depth < 0) {
            depth = 0;
            closing--;
        }
        if (closing < 0 || *p == '#' || (*p == '}' && !depth))
            return NULL;
    }
    return NULL;
}

/* Back over blanks and comments before p, no further than `floor`. */
static const char *before_blank(const char *floor, const char *p) {
    const char *last = floor;

    for (const char *q = floor; q < p;) {
        const char *next = past_token(q);
        if (!isspace((unsigned char)*q) && !(q[0] == '/' && (q[1] == '*' || q[1] == '/')))
            last = next;
        q = next;
    }
    return last;
}

/* ---- places ---- */

/* The path without "." and "x/..", if that is the same file: git takes no other, and one file is to have one name. */
static char *plain_path(const char *path) {
    char *plain = xstrdup(path), *out = plain;
    struct stat one, other;

    for (const char *in = path; *in;) {
        const size_t n = strcspn(in, "/"), slash = in[n] == '/';
        const bool up = n == 2 && in[0] == '.' && in[1] == '.' && out > plain + 1;
        if (up) /* behind the slash before the last name */
            for (out--; out > plain && out[-1] != '/';)
                out--;
        else if (!(n == 1 && in[0] == '.')) {
            memcpy(out, in, n + slash);
            out += n + slash;
        }
        in += n + slash;
    }
    *out = '\0';
    if (stat(path, &one) || stat(plain, &other) || one.st_ino != other.st_ino || one.st_dev != other.st_dev)
        strcpy(plain, path);
    return plain;
}

/* Just behind the name that stands at `at`; NULL when the text is not there. */
static const char *behind_name(struct edits *e, const struct position *at, const struct source_file **file) {
    size_t length = 0;
    char *path = at->file && !at->macro ? plain_path(at->file) : NULL;
    const char *line = path ? source_line(*file = source_of(&e->sources, path), at->line, &length) : NULL;
    free(path);
    const char *name = line && at->col && at->col <= length ? line + at->col - 1 : NULL;

    if (!name || !(isalpha((unsigned char)*name) || *name == '_'))
        return NULL;
    while (isalnum((unsigned char)*name) || *name == '_')
        name++;
    return name;
}

static bool insert(struct edits *e, const struct source_file *file, const char *where, const char *text) {
    if (!where)
        return false;
    for (size_t i = 0; i < e->list.n; i++) /* one place by two names */
        if (e->list.at[i].file == file && e->list.at[i].offset == (size_t)(where - file->text) &&
            !strcmp(e->list.at[i].text, text))
            return true;
    vec_push(&e->list, ((struct edit){file, (size_t)(where - file->text), xstrdup(text)}));
    return true;
}

bool edits_declarator(struct edits *e, const struct position *at, const char *text) {
    const struct source_file *file;
    const char *name = behind_name(e, at, &file), *end = name ? /* of void (*f)(int) too */
                                                             find_outside(name, ",;=", 8)
                                                              : NULL;

    return insert(e, file, end ? before_blank(name, end) : NULL, text);
}

bool edits_prototype(struct edits *e, const struct position *at, const char *text) {
    const struct source_file *file;
    const char *name = behind_name(e, at, &file), *open = name ? past_blank(name) : NULL;
    const char *close = open && *open == '(' ? find_outside(open + 1, ")", 0) : NULL;
    const char *next = close ? past_blank(close + 1) : NULL;

    return insert(e, file,
                  next && (*next == ';' || isalpha((unsigned char)*next) || *next == '_') ? close + 1 : NULL,
                  text);
}

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

bool edits_definition(struct edits *e, const struct position *at, const char *text) {
    const struct source_file *file;
    const char *name = behind_name(e, at, &file), *start, *p;
    int depth = 0;

    if (!name)
        return false;
    while (is_word(name[-1]))
        name--;
    for (p = start = past_blank(file->text); p < name;) {
        const bool directive = *p == '#';
        while (directive && *p && *p != '\n') /* lines that end in a backslash go on */
            p += p[0] == '\\' && p[1] ? 2 : 1;
        depth += !directive && strchr("([{", *p) != NULL;
        depth -= !directive && strchr(")]}", *p) != NULL;
        const bool ends = directive || (!depth && (*p == ';' || *p == '}'));
        p = *p ? past_token(p) : p;
        if (ends)
            start = p = past_blank(p);
    }
    for (const char *q = start; q < name; q = past_token(q)) /* what a macro stands for is not known */
        if (*q == '(' && strncmp(start, "__attribute__", 13) != 0)
            return false;
    return insert(e, file, start <= name ? start : NULL, text);
}

/* Where an #include may stand first: behind the leading comments, #pragma once and the include guard. */
static const char *first_place(const char *text) {
    const char *p = past_blank(text), *q;

    if (!strncmp(p, "#pragma once", 12)) {
        p += strcspn(p, "\n");
    } else if (!strncmp(p, "#ifndef", 7)) {
        q = p + strcspn(p, "\n");
        q = past_blank(q);
        if (!strncmp(q, "#define", 7))
            p = q + strcspn(q, "\n");
    }
    if (*p == '\n')
        return p + 1;
    while (p > text && p[-1] != '\n') /* at the line's beginning */
        p--;
    return p;
}

static int by_place(const void *a, const void *b) {
    const struct edit *x = a, *y = b;
    const int file = x->file == y->file ? 0 : strcmp(x->file->path, y->file->path);

    if (file)
        return file;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return strcmp(x->text, y->text);
}

static void sort(struct edits *e) {
    size_t kept = 0;

    if (e->list.n)
        qsort(e->list.at, e->list.n, sizeof *e->list.at, by_place);
    for (size_t i = 0; i < e->list.n; i++)
        if (kept && !by_place(&e->list.at[kept - 1], &e->list.at[i]))
            free(e->list.at[i].text); /* one header seen by two units */
        else
            e->list.at[kept++] = e->list.at[i];
    e->list.n = kept;
}

void edits_include(struct edits *e, const char *header) {
    const size_t n = e->list.n;

    for (size_t i = 0; i < n; i++) {
        const struct source_file *file = e->list.at[i].file;
        bool seen = strstr(file->text, "aglet/") != NULL;
        for (size_t k = 0; k < i; k++)
            seen |= e->list.at[k].file == file;
        if (!seen) {
            char *line = xasprintf("#include %s\n", header);
            insert(e, file, first_place(file->text), line);
            free(line);
        }
    }
}

size_t edits_files(const struct edits *e) {
    size_t files = 0;

    for (size_t i = 0; i < e->list.n; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= e->list.at[k].file == e->list.at[i].file;
        files += !seen;
    }
    return files;
}

/* ---- the diff ---- */

static bool write_edited(const struct edits *e, size_t first, size_t end, int out) {
    const struct source_file *file = e->list.at[first].file;
    FILE *f = fdopen(out, "w");
    size_t at = 0;

    if (!f)
        return false;
    for (size_t i = first; i < end; i++) {
        fwrite(file->text + at, 1, e->list.at[i].offset - at, f);
        fputs(e->list.at[i].text, f);
        at = e->list.at[i].offset;
    }
    fwrite(file->text + at, 1, file->size - at, f);
    const bool written = !ferror(f);
    return fclose(f) == 0 && written;
}

static bool diff(const char *path, const char *edited, const char *name, char *err, size_t err_size) {
    char *old_label = xasprintf("a/%s", name), *new_label = xasprintf("b/%s", name);
    char *const argv[] = {"diff",    "-u",         "--label",      old_label, "--label",
                          new_label, (char *)path, (char *)edited, NULL};
    pid_t pid;
    int status = 0, failed = posix_spawnp(&pid, "diff", NULL, NULL, argv, environ);

    if (failed)
        snprintf(err, err_size, "cannot run diff: %s", strerror(failed));
    while (!failed && waitpid(pid, &status, 0) < 0)
        failed = errno == EINTR ? 0 : errno;
    if (!failed && !(WIFEXITED(status) && WEXITSTATUS(status) == 1)) { /* 1: they differ */
        snprintf(err, err_size, "diff failed on '%s'", path);
        failed = EIO;
    }
    free(old_label);
    free(new_label);
    return !failed;
}

bool edits_print(struct edits *e, const char *root, char *err, size_t err_size) {
    bool good = true;

    sort(e);
    fflush(stdout);
    for (size_t i = 0, end; good && i < e->list.n; i = end) {
        const char *directory = getenv("TMPDIR"), *path = e->list.at[i].file->path;
        char *edited = xasprintf("%s/aglet-infer-XXXXXX", directory && *directory ? directory : "/tmp");
        const int out = mkstemp(edited);
        for (end = i + 1; end < e->list.n && e->list.at[end].file == e->list.at[i].file;)
            end++;
        good = out >= 0 && write_edited(e, i, end, out);
        if (!good)
            snprintf(err, err_size, "cannot write '%s': %s", edited, strerror(errno));
        good = good && diff(path, edited, path_below(root, path), err, err_size);
        if (out >= 0)
            unlink(edited);
        free(edited);
    }
    return good;
}

void edits_free(struct edits *e) {
    for (size_t i = 0; i < e->list.n; i++)
        free(e->list.at[i].text);
    vec_free(&e->list);
    sources_free(&e->sources);
}
