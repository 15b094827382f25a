/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Talks to extractors that serve. Stands on pipes, poll and files in memory. */
#include "workers.h"
#include "base/alloc.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void workers_init(struct workers *w, const char *program, size_t limit, child_done *done, void *context) {
    *w = (struct workers){.limit = limit ? limit : 1, .program = program, .done = done, .context = context};
    w->slots = xcalloc(w->limit, sizeof *w->slots);
}

/* The environment of workers: a heap that grows in huge steps spares a tenth of the time, which went to page faults. */
static char **worker_environment(void) {
    size_t n = 0;
    while (environ[n])
        n++;
    char **all = xcalloc(n + 2, sizeof *all);
    memcpy(all, environ, n * sizeof *all);
    if (!getenv("GLIBC_TUNABLES"))
        all[n] = (char *)"GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=67108864";
    return all;
}

static int launch(struct workers *w, struct worker *worker) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0)
        return errno;
    if (pipe2(out, O_CLOEXEC) != 0) {
        int why = errno;
        close(in[0]);
        close(in[1]);
        return why;
    }
    worker->log = memfd_create("aglet-log", MFD_CLOEXEC);
    if (worker->log >= 0)
        fcntl(worker->log, F_SETFL, O_APPEND);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    if (worker->log >= 0)
        posix_spawn_file_actions_adddup2(&actions, worker->log, STDERR_FILENO);
    char *argv[] = {(char *)w->program, (char *)"--serve", NULL};
    char **environment = worker_environment();
    int error = posix_spawn(&worker->pid, w->program, &actions, NULL, argv, environment);
    free(environment);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    worker->to = in[1];
    worker->from = out[0];
    if (error) {
        worker->pid = 0;
        close(worker->to);
        close(worker->from);
        if (worker->log >= 0)
            close(worker->log);
    }
    return error;
}

static int wait_for(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* Tell a worker to end, and forget it. Returns its process. */
static pid_t release(struct worker *worker) {
    const pid_t pid = worker->pid;
    close(worker->to);
    close(worker->from);
    if (worker->log >= 0)
        close(worker->log);
    *worker = (struct worker){0};
    return pid;
}

/* The line a worker sent, as a wait status; false when it is gone. */
static bool read_reply(struct worker *worker, int *status) {
    char line[32];
    size_t n = 0;
    while (n + 1 < sizeof line) {
        ssize_t got = read(worker->from, line + n, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        if (line[n++] == '\n')
            break;
    }
    line[n] = '\0';
    int value;
    if (sscanf(line, "exit %d", &value) == 1)
        *status = (value & 0xff) << 8;
    else if (sscanf(line, "signal %d", &value) == 1)
        *status = value & 0x7f;
    else
        return false;
    return true;
}

static void collect(struct workers *w, struct worker *worker) {
    int status = 0;
    bool alive = read_reply(worker, &status);
    off_t size = worker->log >= 0 ? lseek(worker->log, 0, SEEK_END) : 0;
    char *log = xmalloc((size_t)(size > 0 ? size : 0) + 1);
    ssize_t got = size > 0 ? pread(worker->log, log, (size_t)size, 0) : 0;
    log[got > 0 ? got : 0] = '\0';
    size_t tag = worker->tag;
    worker->busy = false;
    w->running--;
    if (!alive) {
        status = wait_for(release(worker));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            status = 2 << 8; /* gone without a word */
    } else if (worker->log >= 0 && ftruncate(worker->log, 0) != 0) {
        wait_for(release(worker));
    }
    w->done(w->context, tag, status, log);
    free(log);
}

/* Ask which requests are answered; wait for one if need be. The answer is by slot, malloc'd. */
static struct pollfd *ask(const struct workers *w, bool wait, int *ready) {
    struct pollfd *fds = xcalloc(w->limit, sizeof *fds);
    for (size_t i = 0; i < w->limit; i++)
        fds[i] = (struct pollfd){w->slots[i].busy ? w->slots[i].from : -1, POLLIN, 0};
    do
        *ready = poll(fds, w->limit, wait ? -1 : 0);
    while (*ready < 0 && errno == EINTR);
    return fds;
}

bool workers_answered(const struct workers *w) {
    int ready;
    free(ask(w, false, &ready));
    return ready > 0;
}

/* Wait until one request at least is answered. */
static void wait_some(struct workers *w) {
    int ready;
    struct pollfd *fds = ask(w, true, &ready);
    for (size_t i = 0; i < w->limit; i++)
        if (w->slots[i].busy && fds[i].revents)
            collect(w, &w->slots[i]);
    free(fds);
}

static bool send_all(int fd, const char *bytes, size_t size) {
    while (size) {
        ssize_t put = write(fd, bytes, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        size -= (size_t)put;
    }
    return true;
}

/* That a worker is gone which should read this is seen by its reply, with its status and its words. */
static void send_request(struct worker *worker, char *const *argv, const char *directory) {
    char *request = NULL;
    size_t size;
    FILE *out = open_memstream(&request, &size);
    if (!out)
        die("no memory for a request");
    fwrite(directory, 1, strlen(directory) + 1, out);
    for (size_t i = 1; argv[i]; i++)
        fwrite(argv[i], 1, strlen(argv[i]) + 1, out);
    fclose(out);
    char head[24];
    int n = snprintf(head, sizeof head, "%zu\n", size);
    struct sigaction quiet = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGPIPE, &quiet, &before);
    if (send_all(worker->to, head, (size_t)n))
        send_all(worker->to, request, size);
    sigaction(SIGPIPE, &before, NULL);
    free(request);
}

int workers_start(struct workers *w, char *const *argv, const char *directory, size_t tag) {
    while (w->running >= w->limit)
        wait_some(w);
    struct worker *worker = NULL, *unused = NULL; /* one that runs already is preferred */
    for (size_t i = 0; i < w->limit && !worker; i++) {
        if (w->slots[i].pid && !w->slots[i].busy)
            worker = &w->slots[i];
        else if (!w->slots[i].pid && !unused)
            unused = &w->slots[i];
    }
    if (!worker) {
        worker = unused;
        int error = launch(w, worker);
        if (error)
            return error;
    }
    send_request(worker, argv, directory);
    worker->tag = tag;
    worker->busy = true;
    w->running++;
    return 0;
}

void workers_ready(struct workers *w) {
    for (size_t i = 0; i < w->limit; i++)
        if (!w->slots[i].pid) {
            launch(w, &w->slots[i]); /* what fails is met again by workers_start */
            return;
        }
}

void workers_finish(struct workers *w) {
    while (w->running)
        wait_some(w);
    for (size_t i = 0; i < w->limit; i++)
        if (w->slots[i].pid)
            vec_push(&w->leaving, release(&w->slots[i]));
}

void workers_destroy(struct workers *w) {
    workers_finish(w);
    for (size_t i = 0; i < w->leaving.n; i++)
        wait_for(w->leaving.at[i]);
    vec_free(&w->leaving);
    free(w->slots);
    *w = (struct workers){0};
}
