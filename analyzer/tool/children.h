/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Programs run side by side, at most so many at once, each one's standard error kept for when it has ended.
 * Stands on posix_spawn. Single-threaded: `done` is called from within start and finish, in the order in which programs end. */
#ifndef AGLET_TOOL_CHILDREN_H
#define AGLET_TOOL_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A program has ended: `status` as waitpid gives it; what it wrote to standard error, NUL-terminated, valid during the call. */
typedef void child_done(void *context, size_t tag, int status, const char *log);

struct children {
    size_t limit, running;
    struct child {
        pid_t pid; /* 0: free */
        int log;   /* its standard error, a file in memory, or -1 */
        size_t tag;
    } * slots;
    child_done *done;
    void *context;
};

void children_init(struct children *c, size_t limit, child_done *done, void *context);
/* Start argv in `directory` (NULL: here), with no standard input; waits for a place first. Returns 0 or an errno value. */
int children_start(struct children *c, char *const *argv, const char *directory, size_t tag);
/* Wait for all that run. */
void children_finish(struct children *c);
void children_destroy(struct children *c);

/* How many processors this process may use. */
size_t children_default_limit(void);

#endif
