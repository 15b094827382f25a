/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Printing every living task. Stands on the registry in task_slab.c and on symbol.h. Reads tasks while they
 * run: what it prints of a running one may be a moment old. */
#include "aglet/task.h"
#include "symbol.h"
#include "worker.h"

#include <stdio.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define READS_RACILY __attribute__((no_sanitize("thread")))
#endif
#elif defined(__SANITIZE_THREAD__)
#define READS_RACILY __attribute__((no_sanitize_thread))
#endif
#ifndef READS_RACILY
#define READS_RACILY
#endif

struct dump {
    int fd;
    unsigned n;
};

static void say(int fd, const char *text, int length) {
    while (length > 0) {
        ssize_t n = write(fd, text, (size_t)length);
        if (n <= 0)
            return;
        text += n;
        length -= (int)n;
    }
}

READS_RACILY static void print_task(struct aglet_task *t, void *dump) {
    static const char *const states[] = {"runnable", "runnable", "waiting", "ended"};
    struct dump *d = dump;
    char line[512];
    struct worker *home = task_home(t);
    enum task_state state = task_state(t);
    bool running = home && home->current == t;
    int n = snprintf(
        line, sizeof line, "task %llu '%s' %s %s", (unsigned long long)t->id, t->name ? t->name : "",
        atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_STACKFUL ? "stackful" : "stackless",
        running ? "running" : states[state >> 1]);
    if (home && n < (int)sizeof line)
        n += snprintf(line + n, sizeof line - (size_t)n, " on worker %u", home->index);
    const char *why = t->waits_for;
    if (why && state == TASK_PARKED && n < (int)sizeof line)
        n += snprintf(line + n, sizeof line - (size_t)n, ", in '%s'", why);
    if (atomic_load_explicit(&t->aborted, memory_order_relaxed) && n < (int)sizeof line)
        n += snprintf(line + n, sizeof line - (size_t)n, ", aborted");
    if (task_stack(t) && !running && n < (int)sizeof line)
        n += snprintf(line + n, sizeof line - (size_t)n, ", stack used %zu of %zu",
                      stack_high_water(t->stack), t->stack->usable);
    if (t->waits_at && state == TASK_PARKED && n < (int)sizeof line) {
        struct symbol at;
        symbol_describe(t->waits_at, 1, 1, &at);
        if (at.line)
            n += snprintf(line + n, sizeof line - (size_t)n, "\n    at %s %s:%u", at.function, at.file,
                          at.line);
        else
            n += snprintf(line + n, sizeof line - (size_t)n, "\n    at %s+0x%lx in %s", at.function, at.into,
                          at.module);
    }
    if (n >= (int)sizeof line)
        n = sizeof line - 1;
    line[n++] = '\n';
    say(d->fd, line, n);
    d->n++;
}

void aglet_dump(int fd) {
    struct dump d = {fd, 0};
    char line[64];
    task_each(print_task, &d);
    say(fd, line, snprintf(line, sizeof line, "%u tasks\n", d.n));
}
