/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which threads run a function, and which of them can run at the same time?
 * Stands on the call graph and boundary.h. Built after the boundaries are found.
 *
 * A thread is a place that starts one (a hand-off with a known entry), number 1 and up; number 0 is the main thread, and
 * THREAD_OUTSIDE whoever calls the functions of a library: any number of them. A thread that is joined before another is
 * started does not run beside it; what main does before its first spawn and after its last join runs alone. */
#ifndef AGLET_PROGRAM_THREADS_H
#define AGLET_PROGRAM_THREADS_H

#include "linked.h"

#define MAX_THREADS 62u
#define THREAD_OUTSIDE 63u

struct thread_site {
    uint32_t func; /* where the spawn itself stands */
    ir_event event;
    uint64_t beside; /* threads alive when it starts, in some function that sees both */
    uint64_t seen; /* threads that some function sees beside or apart from it: for others nothing is known */
    bool many;     /* it may run several times at once */
};

struct threads {
    struct thread_site at[MAX_THREADS + 1];
    uint32_t n;       /* sites 1 … n */
    uint64_t *runs;   /* by linked function: the threads that may run it */
    uint64_t *called; /* by linked function: threads that may be alive when main calls it */
    struct map64
        live; /* key_pair(function, event) → index into masks: threads alive before it; in functions that start some */
    uint64_t *
        leaves; /* by linked function: threads it starts with nothing in hand and leaves alive, which no region of its callers shows */
    struct map64
        joined; /* the same → index into masks: threads surely joined before it, by handles that are globals */
    VEC(uint64_t) masks;
    bool overflow; /* more threads than numbers: everything may run beside everything */
    bool blind;    /* some thread is started of which nothing is known */
};

struct threads *threads_find(const struct program *p);
/* The number of the place that starts a thread; 0: not known, or there are too many. */
uint32_t threads_site(struct threads *t, uint32_t func, ir_event event);
/* The threads that a call leaves alive, of those that no region shows. */
uint64_t threads_left(const struct program *p, const struct threads *t, uint32_t func, ir_event event);
/* Fill `joined` (threads_joined.c). Requires that it is known which threads are many. */
void threads_find_joined(const struct program *p, struct threads *t);
void threads_note_joined(struct threads *t, uint32_t func, ir_event e, uint64_t joined);
void threads_free(struct threads *t); /* NULL is fine */

/* All that threads_beside asks of a place: equal contexts give equal answers. */
struct thread_context {
    uint64_t runs;  /* the threads that may be there */
    uint64_t alive; /* when the main thread is there, the threads alive */
};
struct thread_context threads_context(const struct threads *t, uint32_t func, ir_event e);
/* May some thread be at the one place while another is at the other? */
bool threads_beside(const struct threads *t, const struct thread_context *x, const struct thread_context *y);

/* Is main there, with no other thread alive: before the first spawn, or after the last join? Events are those of the function itself. */
bool threads_alone(const struct threads *t, uint32_t func, ir_event e);

#endif
