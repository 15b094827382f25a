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
#include <sys/mman.h>
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

static char *read_all(int fd, size_t expected, size_t *size) {
    size_t cap = expected ? expected + 1 : 4096, n = 0;
    char *bytes = xmalloc(cap + 1);
    for (;;) {
        if (n == cap)
            bytes = xrealloc(bytes, (cap *= 2) + 1);
        ssize_t got = read(fd, bytes + n, cap - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            free(bytes);
            return NULL;
        }
        if (got == 0)
            break;
        n += (size_t)got;
    }
    bytes[n] = '\0';
    *size = n;
    return bytes;
}

static void close_kept_errno(int fd) {
    int saved = errno;
    close(fd);
    errno = saved;
}

char *file_read(const char *path, size_t *size) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *bytes = read_all(fd, fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0, size);
    close_kept_errno(fd);
    return bytes;
}

static void unmap(void *bytes, size_t size) {
    munmap(bytes, size);
}

static void give_back(void *bytes, size_t size) {
    (void)size;
    free(bytes);
}

/* A page for a page is cheaper than a copy. But what another user can cut short, or change after it was checked, is copied. */
static bool is_ours_alone(const struct stat *st) {
    return S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

bool file_look(const char *path, struct file_view *out) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *out = (struct file_view){0};
    if (fd < 0)
        return false;
    const size_t size = fstat(fd, &st) == 0 && st.st_size > 0 ? (size_t)st.st_size : 0;
    if (size && is_ours_alone(&st)) {
        void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (bytes != MAP_FAILED)
            *out = (struct file_view){bytes, size, size, unmap};
    }
    if (!out->bytes) {
        out->bytes = read_all(fd, size, &out->size);
        out->held = out->size;
        out->release = give_back;
    }
    close_kept_errno(fd);
    return out->bytes;
}

void file_look_end(struct file_view *v) {
    if (v->bytes)
        v->release(v->bytes, v->held);
    *v = (struct file_view){0};
}

static bool write_all(int fd, const char *bytes, size_t size) {
    while (size) {
        ssize_t put = write(fd, bytes, size);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            bytes += put;
            size -= (size_t)put;
        }
    }
    return true;
}

bool file_write_parts(const char *path, unsigned mode, const struct iovec *parts, size_t n) {
    char *temporary = xasprintf("%s.%ld.tmp", path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    bool good = fd >= 0;
    for (size_t i = 0; good && i < n; i++)
        good = write_all(fd, parts[i].iov_base, parts[i].iov_len);
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

bool file_write(const char *path, const void *bytes, size_t size) {
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
        return false;
    }
    char *target = realpath(path, NULL);
    bool good = file_write_parts(target ? target : path, 0666, &(struct iovec){(void *)bytes, size}, 1);
    free(target);
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
