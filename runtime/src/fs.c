/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* File calls on the blocking pool. Stands on blocking.h. */
#include "blocking.h"
#include "check.h"
#include "fs_call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static ssize_t run(void *(*work)(void *), struct fs_call *call, const char *why, const void *caller) {
    int error = blocking_run(BLOCKING_GENERAL, work, call, NULL, why, caller);
    return error ? error : call->result;
}

static void answer(struct fs_call *c, ssize_t result) {
    c->result = result < 0 ? -errno : result;
}

void *fs_open(void *call) {
    struct fs_call *c = call;
    answer(c, open(c->path, c->flags | O_CLOEXEC, c->mode));
    return NULL;
}

void *fs_close(void *call) {
    struct fs_call *c = call;
    answer(c, close(c->fd));
    return NULL;
}

void *fs_read(void *call) {
    struct fs_call *c = call;
    ssize_t n;
    do
        n = pread(c->fd, c->buffer, c->n, c->at);
    while (n < 0 && errno == EINTR);
    answer(c, n);
    return NULL;
}

void *fs_write(void *call) {
    struct fs_call *c = call;
    size_t done = 0;
    while (done < c->n) {
        ssize_t n = pwrite(c->fd, (char *)c->buffer + done, c->n - done, c->at + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            answer(c, n);
            return NULL;
        }
        done += (size_t)n;
    }
    c->result = (ssize_t)done;
    return NULL;
}

void *fs_sync(void *call) {
    struct fs_call *c = call;
    answer(c, fsync(c->fd));
    return NULL;
}

void *fs_stat(void *call) {
    struct fs_call *c = call;
    answer(c, stat(c->path, c->st));
    return NULL;
}

void *fs_rename(void *call) {
    struct fs_call *c = call;
    answer(c, rename(c->path, c->to));
    return NULL;
}

void *fs_unlink(void *call) {
    struct fs_call *c = call;
    answer(c, unlink(c->path));
    return NULL;
}

int aglet_file_open(const char *path, int flags, mode_t mode) {
    return (int)run(fs_open, &(struct fs_call){.path = path, .flags = flags, .mode = mode}, "open", CALLER());
}

int aglet_file_close(int fd) {
    return (int)run(fs_close, &(struct fs_call){.fd = fd}, "close", CALLER());
}

ssize_t aglet_file_read(int fd, void *to, size_t n, off_t at) {
    return run(fs_read, &(struct fs_call){.fd = fd, .buffer = to, .n = n, .at = at}, "file read", CALLER());
}

ssize_t aglet_file_write(int fd, const void *from, size_t n, off_t at) {
    struct fs_call c = {.fd = fd, .buffer = (void *)(uintptr_t)from, .n = n, .at = at};
    return run(fs_write, &c, "file write", CALLER());
}

int aglet_file_sync(int fd) {
    return (int)run(fs_sync, &(struct fs_call){.fd = fd}, "sync", CALLER());
}

int aglet_file_stat(const char *path, struct stat *st) {
    return (int)run(fs_stat, &(struct fs_call){.path = path, .st = st}, "stat", CALLER());
}

int aglet_file_rename(const char *from, const char *to) {
    return (int)run(fs_rename, &(struct fs_call){.path = from, .to = to}, "rename", CALLER());
}

int aglet_file_unlink(const char *path) {
    return (int)run(fs_unlink, &(struct fs_call){.path = path}, "unlink", CALLER());
}
