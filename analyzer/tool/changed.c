/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Asks git for changed files. Stands on popen and the git command. */
#include "changed.h"
#include "files.h"
#include "shell_words.h"
#include "base/alloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

char *repository_root(const char *directory) {
    char *above = path_absolute(NULL, directory);
    for (;;) {
        char *git = path_join(above, ".git");
        bool here = access(git, F_OK) == 0;
        free(git);
        if (here)
            return above;
        char *next = path_directory(above);
        bool top = strcmp(next, above) == 0;
        free(above);
        above = next;
        if (top) {
            free(above);
            return NULL;
        }
    }
}

/* Run git and add each NUL-ended path it prints, made absolute. Returns its exit status as pclose gives it. */
static int git_paths(const char *root, const char *arguments, struct string_list *out) {
    char *quoted = shell_quote(root), *line = xasprintf("git -C %s %s 2>/dev/null", quoted, arguments);
    FILE *pipe = popen(line, "r");
    free(quoted);
    free(line);
    if (!pipe)
        return -1;
    char *path = NULL;
    size_t cap = 0;
    while (getdelim(&path, &cap, '\0', pipe) > 0)
        strings_take(out, path_absolute(root, path));
    free(path);
    return pclose(pipe);
}

static void why_unknown(const char *root, const char *revision, char *err, size_t err_size) {
    struct string_list none = {0};
    char *shallow = path_join(root, ".git/shallow");
    if (WEXITSTATUS(git_paths(root, "--version", &none)) == 127)
        snprintf(err, err_size, "--only-changed-since needs git, and there is none in PATH");
    else if (access(shallow, F_OK) == 0)
        snprintf(err, err_size,
                 "git knows no revision '%s' here: the clone is shallow; git fetch --unshallow", revision);
    else
        snprintf(err, err_size, "git knows no revision '%s' here", revision);
    strings_free(&none);
    free(shallow);
}

bool changed_since(const char *revision, struct string_list *out, char *err, size_t err_size) {
    char *root = repository_root(".");
    if (!root) {
        snprintf(err, err_size,
                 "--only-changed-since needs a git repository, and there is none here or above");
        return false;
    }
    char *quoted = shell_quote(revision);
    char *diff = xasprintf("diff --name-only -z --no-renames --end-of-options %s --", quoted);
    bool good = git_paths(root, diff, out) == 0;
    if (!good)
        why_unknown(root, revision, err, err_size);
    else
        git_paths(root, "ls-files --others --exclude-standard -z", out);
    free(diff);
    free(quoted);
    free(root);
    return good;
}
