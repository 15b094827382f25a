/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Programs run side by side. Stands on posix_spawn and files in memory (memfd). */
#include "children.h"
#include "base/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

size_t children_default_limit(void) {
    cpu_set_t set;
    int n =
        sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (size_t)n : 1;
}

void children_init(struct children *c, size_t limit, child_done *done, void *context) {
    *c = (struct children){.limit = limit ? limit : 1, .done = done, .context = context};
    c->slots = xcalloc(c->limit, sizeof *c->slots);
}

/* What was written to the file, NUL-terminated; malloc'd. */
static char *read_log(int fd) {
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    if (size < 0)
        size = 0;
    char *text = xmalloc((size_t)size + 1);
    ssize_t got = size > 0 ? pread(fd, text, (size_t)size, 0) : 0;
    text[got > 0 ? got : 0] = '\0';
    return text;
}

static void wait_one(struct children *c) {
    int status;
    pid_t pid;
    do
        pid = waitpid(-1, &status, 0);
    while (pid < 0 && errno == EINTR);
    if (pid < 0) { /* somebody else took them: nothing is left to wait for */
        c->running = 0;
        return;
    }
    for (size_t i = 0; i < c->limit; i++) {
        struct child *child = &c->slots[i];
        if (child->pid != pid)
            continue;
        char *log = read_log(child->log);
        if (child->log >= 0)
            close(child->log);
        child->pid = 0;
        c->running--;
        c->done(c->context, child->tag, status, log);
        free(log);
        return;
    }
}

int children_start(struct children *c, char *const *argv, const char *directory, size_t tag) {
    while (c->running >= c->limit)
        wait_one(c);
    struct child *child = c->slots;
    while (child->pid)
        child++;
    child->tag = tag;
    child->log = memfd_create("aglet-log", MFD_CLOEXEC);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (child->log >= 0)
        posix_spawn_file_actions_adddup2(&actions, child->log, STDERR_FILENO);
    if (directory)
        posix_spawn_file_actions_addchdir_np(&actions, directory);
    int error = posix_spawn(&child->pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        if (child->log >= 0)
            close(child->log);
        child->pid = 0;
        return error;
    }
    c->running++;
    return 0;
}

void children_finish(struct children *c) {
    while (c->running)
        wait_one(c);
}

void children_destroy(struct children *c) {
    children_finish(c);
    free(c->slots);
    *c = (struct children){0};
}
