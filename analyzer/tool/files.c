/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Paths and whole files. Stands on POSIX. */
#include "files.h"
#include "base/alloc.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *path_working(void) {
    char *here = getcwd(NULL, 0);
    return here ? here : xstrdup("/");
}

char *path_join(const char *directory, const char *name) {
    return xasprintf("%s/%s", directory, name);
}

/* "..", lexically, as compilers and build systems do when they shorten paths. */
static void normalise(char *path) {
    char *out = path, *in = path;
    while (*in) {
        while (*in == '/')
            in++;
        size_t n = strcspn(in, "/");
        if (n == 0)
            break;
        if (n == 2 && in[0] == '.' && in[1] == '.') {
            while (out > path && *--out != '/')
                ;
        } else if (!(n == 1 && in[0] == '.')) {
            *out++ = '/';
            memmove(out, in, n);
            out += n;
        }
        in += n;
    }
    if (out == path)
        *out++ = '/';
    *out = '\0';
}

char *path_absolute(const char *directory, const char *path) {
    char *full;
    if (path[0] == '/') {
        full = xstrdup(path);
    } else if (directory) {
        full = path_join(directory, path);
    } else {
        char *here = path_working();
        full = path_join(here, path);
        free(here);
    }
    normalise(full);
    return full;
}

const char *path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *path_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return xstrdup(".");
    return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

bool file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

bool directory_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *file_read(const char *path, size_t *size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct stat st;
    size_t cap = fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size + 1 : 4096, n = 0;
    char *bytes = xmalloc(cap + 1);
    for (;;) {
        if (n == cap)
            bytes = xrealloc(bytes, (cap *= 2) + 1);
        ssize_t got = read(fd, bytes + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            int saved = errno;
            free(bytes);
            close(fd);
            errno = saved;
            return NULL;
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    bytes[n] = '\0';
    *size = n;
    return bytes;
}

bool file_write(const char *path, const void *bytes, size_t size) {
    char *temporary = xasprintf("%s.%ld.tmp", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool good = fd >= 0;
    for (size_t done = 0; good && done < size;) {
        ssize_t put = write(fd, (const char *)bytes + done, size - done);
        if (put < 0 && errno != EINTR)
            good = false;
        else if (put > 0)
            done += (size_t)put;
    }
    if (fd >= 0 && close(fd) != 0)
        good = false;
    if (good && rename(temporary, path) != 0)
        good = false;
    if (!good) {
        int saved = errno;
        unlink(temporary);
        errno = saved;
    }
    free(temporary);
    return good;
}

bool directory_make(const char *path) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return directory_exists(path) || (errno = ENOTDIR, false);
    if (errno != ENOENT)
        return false;
    char *above = path_directory(path);
    bool good = strcmp(above, path) != 0 && directory_make(above);
    free(above);
    return good && (mkdir(path, 0777) == 0 || errno == EEXIST);
}

void directory_remove(const char *path) {
    DIR *dir = opendir(path);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
    rmdir(path);
}
