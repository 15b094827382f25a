/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds plugins, extractors and the compilers they fit. Stands on files.h. */
#include "layout.h"
#include "files.h"
#include "base/alloc.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OLDEST = 14,
    NEWEST = 40
}; /* majors looked for; a Clang newer than today's is found when its plugin is there */

const char *layout_self(void) {
    static char path[PATH_MAX];
    if (!path[0]) {
        ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
        if (n <= 0)
            return NULL;
        path[n] = '\0';
    }
    return path;
}

/* `directory`/NAME if it is there; frees directory. */
static char *look_in(char *directory, const char *name) {
    char *path = path_join(directory, name);
    free(directory);
    if (file_exists(path))
        return path;
    free(path);
    return NULL;
}

char *layout_find(const char *name) {
    const char *home = getenv("AGLET_HOME");
    if (home && *home) {
        char *found = look_in(path_join(home, "lib/aglet"), name);
        if (found)
            return found;
    }
    const char *self = layout_self();
    if (!self)
        return NULL;
    static const char *const beside[] = {"../lib/aglet", "../" AGLET_LIBDIR "/aglet", "../lib"};
    char *bin = path_directory(self), *found = NULL;
    for (size_t i = 0; !found && i < sizeof beside / sizeof *beside; i++)
        found = look_in(path_absolute(bin, beside[i]), name);
    free(bin);
    return found;
}

char *layout_extractor(char *err, size_t err_size) {
    const char *named = getenv("AGLET_EXTRACTOR"), *only = getenv("AGLET_CLANG_MAJOR");
    if (named && *named) {
        if (access(named, X_OK) == 0)
            return path_absolute(NULL, named);
        snprintf(err, err_size, "AGLET_EXTRACTOR is '%s', which is no program", named);
        return NULL;
    }
    for (int major = NEWEST; major >= OLDEST; major--) {
        if (only && *only && atoi(only) != major)
            continue;
        char name[40];
        snprintf(name, sizeof name, "aglet-extract-%d", major);
        char *path = layout_find(name);
        if (path)
            return path;
    }
    if (only && *only)
        snprintf(err, err_size,
                 "there is no extractor for Clang %s (AGLET_CLANG_MAJOR); Aglet was built without it", only);
    else
        snprintf(err, err_size,
                 "no extractor (aglet-extract-N) lies beside the command; build Aglet with a Clang's headers "
                 "installed, or set AGLET_HOME");
    return NULL;
}

/* The program in PATH, malloc'd, or NULL. */
static char *in_path(const char *name) {
    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
    const char *path = getenv("PATH");
    for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
        size_t n = strcspn(p, ":");
        char *full = n ? xasprintf("%.*s/%s", (int)n, p, name) : xasprintf("./%s", name);
        if (access(full, X_OK) == 0 && file_exists(full))
            return full;
        free(full);
        p += n + (p[n] == ':');
    }
    return NULL;
}

/* What `clang --version` says of itself, or 0. */
static int major_of(const char *clang) {
    char *quoted = xasprintf("'%s' --version 2>/dev/null", clang);
    FILE *out = strchr(clang, '\'') ? NULL : popen(quoted, "r");
    free(quoted);
    char line[256] = "";
    int major = 0;
    if (out) {
        const char *at = fgets(line, sizeof line, out) ? strstr(line, "clang version ") : NULL;
        if (at)
            major = atoi(at + strlen("clang version "));
        pclose(out);
    }
    return major;
}

char *layout_clang(char **plugin, char *err, size_t err_size) {
    const char *named = getenv("AGLET_CLANG");
    char name[40];
    if (named && *named) {
        char *clang = in_path(named);
        int major = clang ? major_of(clang) : 0;
        snprintf(name, sizeof name, "aglet-clang-%d.so", major);
        *plugin = major ? layout_find(name) : NULL;
        if (*plugin)
            return clang;
        if (!clang)
            snprintf(err, err_size, "AGLET_CLANG is '%s', which is no program in PATH", named);
        else if (!major)
            snprintf(err, err_size,
                     "AGLET_CLANG is '%s', which is no Clang: it does not answer --version as one", named);
        else
            snprintf(
                err, err_size,
                "'%s' is Clang %d, for which there is no plugin (%s); build Aglet for it, or choose another",
                named, major, name);
        free(clang);
        return NULL;
    }
    for (int major = NEWEST; major >= OLDEST; major--) {
        snprintf(name, sizeof name, "aglet-clang-%d.so", major);
        *plugin = layout_find(name);
        if (!*plugin)
            continue;
        snprintf(name, sizeof name, "clang-%d", major);
        char *clang = in_path(name);
        if (!clang) {
            char *versioned = xasprintf("/usr/lib/llvm-%d/bin/clang", major);
            clang = in_path(versioned);
            free(versioned);
        }
        if (!clang) {
            char *plain = in_path("clang");
            if (plain && major_of(plain) == major)
                clang = plain;
            else
                free(plain);
        }
        if (clang)
            return clang;
        free(*plugin);
    }
    *plugin = NULL;
    snprintf(err, err_size,
             "no Clang with a plugin that fits it was found; install clang-N for an aglet-clang-N.so, or set "
             "AGLET_CLANG");
    return NULL;
}
