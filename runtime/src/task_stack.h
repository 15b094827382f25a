/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The stacks of stackful tasks: mapped once, kept in a cache per worker, guarded below.
 * Stands on switch.h and mmap(2). */
#ifndef AGLET_SRC_TASK_STACK_H
#define AGLET_SRC_TASK_STACK_H

#include "aglet/base.h"
#include "switch.h"

#include <stdint.h>

/* Below each stack the checked library, and either under `aglet run`, has room for reports: one is written on
 * the stack of the task it is about, and reading debug information takes 300 KiB of it. The page between is
 * without access, but while a report is made; so a task that needs more than its stack is found, and a report
 * near the end of it does no harm. Only touched pages cost memory. STACK_SLACK is what the checks themselves
 * may need beyond what the program does. */
enum { STACK_FOR_REPORTS = 512 * 1024, STACK_SLACK = 8 * 1024 };

/* What lies below a stack: a page without access, of either kind; or nothing, and a canary at its bottom.
 * NEW: that is not decided before it is used. */
enum stack_guard { STACK_NEW, STACK_CANARY, STACK_GUARD_MAPPED, STACK_GUARD_LIGHT };

/* What a task of either kind needs once it has begun. All written by the task's own thread. */
struct task_rest {
    const char *waits_for; /* static text; set before it parks */
    const void *waits_at;  /* the caller's code address of the await */
    void *locals;          /* task-local storage */
    uintptr_t beside;      /* checked: the holder of its async locks, or when it began (check.h) */
};

/* The head of a stack, in its own highest bytes, so that it costs no page of its own. What a switch and a
 * wait touch comes first. */
struct stack {
    struct context ctx;    /* where the stack goes on when it is not running; offset 0 for debuggers */
    struct task_rest rest; /* of the task that runs on it, and the next two as well */
    void *arg;
    const void
        *waits_on; /* checked: the channel, task or async lock that it waits for, as rest.waits_for says */
    struct stack *next;        /* in a cache */
    char *bottom;              /* lowest usable byte */
    size_t usable;             /* bytes from bottom to this head */
    struct stack_chunk *chunk; /* the mapping it is part of, and which part */
    unsigned at;
    enum stack_guard guard;
    bool broken; /* the canary was found gone before a report wrote over it */
};

/* Map a stack of about `size` bytes whose first switch calls entry(stack). NULL: no memory. */
struct stack *stack_new(size_t size, void (*entry)(void *stack));

/* Give one back. Its pages are, its addresses are not: reading them finds zeros, or another stack. */
void stack_delete(struct stack *s);

/* Is the canary of an unguarded stack still there, and was it always? Guarded stacks: true.
 * Requires  stack_has_report_room(): else nobody has put one there. */
bool stack_intact(const struct stack *s);

/* How many bytes of it were ever touched, to a page. */
size_t stack_high_water(const struct stack *s);

/* Are reports written on stacks: by this library, or by the preloaded one for pthread programs? */
bool stack_has_report_room(void);

/* A report begins, or ends, on this stack. */
void stack_report(struct stack *s, bool begins);

/* The same for the stack that the caller runs on, if it is a task's. Exported for the preloaded library. */
__attribute__((visibility("default"))) void aglet_report_room_(bool begins);

/* Does `address` lie in a guard page of this stack? For the fault handler. */
bool stack_guard_hit(const struct stack *s, const void *address);

#endif
