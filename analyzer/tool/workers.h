/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Extractor processes that stay: each loads Clang once and forks for every file, which saves a sixth of the time of a cold run.
 * Stands on the extractor's --serve and children.h, whose interface it has. A crash is still the fork's, and costs one file.
 *
 * The protocol, on the worker's standard input and output:
 *     request   SIZE "\n" and SIZE bytes: the directory, then the arguments, each ended by NUL
 *     reply     "exit N\n" or "signal N\n"
 * Standard error of a worker and its forks is one file in memory, emptied before each request. */
#ifndef AGLET_TOOL_WORKERS_H
#define AGLET_TOOL_WORKERS_H

#include "children.h"
#include "base/vec.h"

struct workers {
    size_t limit, running;
    const char *program;
    struct worker {
        pid_t pid; /* 0: not started */
        int to, from, log;
        bool busy;
        size_t tag;
    } * slots;
    VEC(pid_t) leaving; /* they were told to end */
    child_done *done;
    void *context;
};

void workers_init(struct workers *w, const char *program, size_t limit, child_done *done, void *context);
/* As children_start, of the workers' program: argv[0] is left out of the request. */
int workers_start(struct workers *w, char *const *argv, const char *directory, size_t tag);
/* A request will come: one worker more, if there is a place, loads Clang meanwhile. */
void workers_ready(struct workers *w);
/* Is a request answered that workers_start or workers_finish would not have to wait for? */
bool workers_answered(const struct workers *w);
/* Wait for all requests and tell the workers to end, but not until they have. More requests may come. */
void workers_finish(struct workers *w);
/* Finish, and wait until all processes are gone. */
void workers_destroy(struct workers *w);

#endif
