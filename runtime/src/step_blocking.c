/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Stackless tasks wait for work on the blocking pools: users' own, files, names; and for a task under a
 * deadline. Stands on task_step.h, blocking.h. What is waited for lies on the heap: it may end after an
 * abort. */
#include "aglet/await.h"
#include "aglet/blocking.h"
#include "blocking.h"
#include "check.h"
#include "fs_call.h"
#include "net_core.h"
#include "task_join.h"
#include "task_step.h"

#include <errno.h>
#include <string.h>

struct job {
    struct work work;
    _Alignas(16) unsigned char context[];
};

/* Run work(context) on a pool. With a size, on a copy of the context, which is copied back. */
static int blocking_poll(struct aglet_frame *f, enum blocking_pool pool, void *(*run)(void *), void *context,
                         size_t size, void **result, const char *why, const void *caller) {
    struct step_wait *w = step_wait(f);
    int error;
    if (f->stage_ == STEP_NEW) {
        if ((error = step_begin(f, caller)) ||
            (error = step_arm(f, AGLET_FOREVER, sizeof(struct job) + size)))
            return error;
        struct job *job = (struct job *)(void *)w->more->room;
        job->work = (struct work){.run = run, .arg = size ? job->context : context, .sleeper = &w->sleeper};
        memcpy(job->context, context, size);
        error = blocking_submit(pool, &job->work);
        return error ? step_end(f, error) : step_pending(f, STEP_WAITING, why);
    }
    struct job *job = (struct job *)(void *)w->more->room;
    int seen = step_look(f);
    if (seen == AGLET_PENDING)
        return seen;
    if (seen && blocking_withdraw(pool, &job->work))
        return step_end(f, seen);
    if (!sleeper_is_fired(&w->sleeper))
        return AGLET_PENDING; /* work that runs cannot be stopped, and may use the frame */
    memcpy(context, job->context, size);
    if (result)
        *result = job->work.result;
    return step_end(f, 0);
}

int aglet_run_blocking_poll(struct aglet_frame *f, void *(*work)(void *), void *arg, void **result) {
    return blocking_poll(f, BLOCKING_GENERAL, work, arg, 0, result, "blocking work", CALLER());
}

/* A task that waits for the work. */
struct blocking_frame {
    AGLET_FRAME_HEADER;
    void *(*work)(void *);
    void *arg, *result;
};

static int run_in_pool(void *frame) {
    struct blocking_frame *f = frame;
    f->aglet_.at_ = __LINE__; /* begun, for dumps */
    int error = blocking_poll(&f->aglet_, BLOCKING_GENERAL, f->work, f->arg, 0, &f->result, "blocking work",
                              CALLER());
    if (error != AGLET_PENDING)
        aglet_frame_return_(&f->aglet_, error ? NULL : f->result);
    return error == AGLET_PENDING ? AGLET_PENDING : 0;
}

int aglet_spawn_blocking(aglet_task **task, void *(*work)(void *), void *arg) {
    struct blocking_frame frame = {.work = work, .arg = arg};
    return aglet_spawn_frame_(task, run_in_pool, &frame, sizeof frame);
}

int aglet_lookup_poll(struct aglet_frame *f, const char *host, uint16_t port,
                      struct sockaddr_storage *addresses, int max) {
    struct net_lookup l;
    int n = net_lookup_begin(&l, host, port, addresses, max);
    if (n)
        return n;
    int error = blocking_poll(f, BLOCKING_LOOKUP, net_lookup, &l, sizeof l, NULL, "lookup", CALLER());
    return error ? error : l.n;
}

static int file_poll(struct aglet_frame *f, void *(*work)(void *), struct fs_call *call, const char *why,
                     const void *caller) {
    int error = blocking_poll(f, BLOCKING_GENERAL, work, call, sizeof *call, NULL, why, caller);
    return error ? error : (int)call->result;
}

int aglet_file_open_poll(struct aglet_frame *f, const char *path, int flags, mode_t mode) {
    struct fs_call call = {.path = path, .flags = flags, .mode = mode};
    return file_poll(f, fs_open, &call, "open", CALLER());
}

int aglet_file_close_poll(struct aglet_frame *f, int fd) {
    struct fs_call call = {.fd = fd};
    return file_poll(f, fs_close, &call, "close", CALLER());
}

enum { MOST = 1 << 30 };

int aglet_file_read_poll(struct aglet_frame *f, int fd, void *to, size_t n, off_t at) {
    struct fs_call call = {.fd = fd, .buffer = to, .n = n < MOST ? n : MOST, .at = at};
    return file_poll(f, fs_read, &call, "file read", CALLER());
}

int aglet_file_write_poll(struct aglet_frame *f, int fd, const void *from, size_t n, off_t at) {
    struct fs_call call = {.fd = fd, .buffer = (void *)(uintptr_t)from, .n = n, .at = at};
    return n > MOST ? -EINVAL : file_poll(f, fs_write, &call, "file write", CALLER());
}

int aglet_file_sync_poll(struct aglet_frame *f, int fd) {
    struct fs_call call = {.fd = fd};
    return file_poll(f, fs_sync, &call, "sync", CALLER());
}

int aglet_file_stat_poll(struct aglet_frame *f, const char *path, struct stat *st) {
    struct fs_call call = {.path = path, .st = st};
    return file_poll(f, fs_stat, &call, "stat", CALLER());
}

int aglet_file_rename_poll(struct aglet_frame *f, const char *from, const char *to) {
    struct fs_call call = {.path = from, .to = to};
    return file_poll(f, fs_rename, &call, "rename", CALLER());
}

int aglet_file_unlink_poll(struct aglet_frame *f, const char *path) {
    struct fs_call call = {.path = path};
    return file_poll(f, fs_unlink, &call, "unlink", CALLER());
}

struct limited {
    aglet_task *task;
    int error; /* why it was aborted */
};

int aglet_timeout_poll(struct aglet_frame *f, aglet_task_fn *entry, void *arg, aglet_time deadline,
                       void **result) {
    enum { ABORTED = STEP_WAITING + 1 };
    struct step_wait *w = step_wait(f);
    struct limited *l;
    int error;
    if (f->stage_ == STEP_NEW) {
        if ((error = step_begin(f, CALLER())) || (error = step_arm(f, deadline, sizeof *l)))
            return error;
        l = (struct limited *)(void *)w->more->room;
        if ((error = aglet_spawn(&l->task, entry, arg)))
            return step_end(f, error);
        if (join_link(l->task, &w->waiter))
            return step_pending(f, STEP_WAITING, "join");
        join_take(l->task, result);
        return step_end(f, 0);
    }
    l = (struct limited *)(void *)w->more->room;
    if (f->stage_ == STEP_WAITING) {
        int seen = step_look(f);
        if (seen == AGLET_PENDING)
            return seen;
        if (!seen || !join_unlink(l->task, &w->waiter)) {
            join_take(l->task, result);
            return step_end(f, 0);
        }
        l->error = seen;
        aglet_abort(l->task);
        if (join_link(l->task, step_again(f)))
            return step_pending(f, ABORTED, "join");
    } else if (!sleeper_is_fired(&w->sleeper)) {
        return AGLET_PENDING;
    }
    join_take(l->task, NULL);
    error = l->error; /* step_end frees it */
    return step_end(f, error);
}
