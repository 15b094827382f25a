/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The tasks that wait, and who waits for whom among tasks and threads. Stands on engine.h, task_check.h. */
#ifndef AGLET_SRC_CHECKED_ALL_WAIT_H
#define AGLET_SRC_CHECKED_ALL_WAIT_H

#include "engine.h"
#include "task_check.h"

enum { PARKED_SHOWN = 64, TASK_WORDS_ROOM = 96 };

struct parked {
    const struct aglet_executor *executor; /* NULL: any */
    struct aglet_task *list[PARKED_SHOWN];
    unsigned n, all;
};

/* Fill list, n and all with the tasks that wait. */
void parked_collect(struct parked *p);

/* A note: where the task waits, and in what. */
void parked_note(struct misuse *m, const struct aglet_task *t);

/* "task 3 'reader'" into `out`; returns it. */
const char *task_words(const struct aglet_task *t, char out[TASK_WORDS_ROOM]);

/* Who waits: a task that is parked, a task that keeps its thread, or a thread that runs none. */
struct party {
    struct aglet_task *task;     /* or NULL */
    struct check_thread *thread; /* NULL: the task is parked */
    uint64_t who;                /* as check_who */
};

struct party party_of_task(struct aglet_task *t);
struct party party_of_thread(struct check_thread *t);
const char *party_words(const struct party *p, char out[TASK_WORDS_ROOM]);

/* An async lock and who holds it (async_locks.c), or who waits for it without a deadline (async_held.c). */
struct async_hold {
    const void *object, *site;
    const char *what;
    struct aglet_task *task; /* NULL: a thread */
    uint64_t who;
    uint64_t serial; /* of a wait: no other has it */
};

/* What `who` waits for; false: for none. */
bool async_wait_of(uint64_t who, struct async_hold *out);

/* Up to `room` of the waits there are. Returns how many. */
unsigned async_waits(struct async_hold *out, unsigned room);

/* Up to `room` of the async locks that `who` holds, the newest first. Returns how many. */
unsigned async_held_by(uint64_t who, struct async_hold *out, unsigned room);

/* Who holds it: `who` where that is one of several. False: it is not known. */
bool async_holder(const void *object, uint64_t who, struct async_hold *out);

/* "async mutex 'table.mu'" into `out`; returns it. Only while a report is made. */
const char *async_words(const struct async_hold *h, char out[LOCK_NAME_ROOM]);

/* task_circles.c: look for parties that wait for each other, from these and from all that wait for a lock. Reports
 * double-lock or deadlock, and returns whether it did.
 *
 * `at_rest`: nothing runs any more; the report is fatal. Else it is looked for again and again while the program runs,
 * and a circle is reported when it is found a second time. A lock whose holder has ended is then none: it belongs to
 * the code, and another task may yet give it. */
bool circles_report(bool at_rest, const struct party *from, unsigned n);

#endif
