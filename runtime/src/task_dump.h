/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The text of a dump, which grows in a fixed buffer and goes out when it is full. Stands on write(2). */
#ifndef AGLET_SRC_TASK_DUMP_H
#define AGLET_SRC_TASK_DUMP_H

#include "task_core.h"

enum { DUMP_ROOM = 4096 };

struct dump_text {
    int fd;
    bool deep; /* names and lines may be looked up in debug information */
    unsigned used;
    char room[DUMP_ROOM];
};

void dump_say(struct dump_text *out, const char *format, ...) AGLET_PRINTF(2, 3);

/* One line of a stack: "    #2 function file:line", or module and offset where that is all that is known. */
void dump_frame(struct dump_text *out, unsigned number, const void *pc);

void dump_flush(struct dump_text *out);

/* Copy what a task of any thread waits for. False: the task of this id has not begun, or has ended. */
bool dump_peek(const struct aglet_task *t, uint64_t id, struct task_rest *rest);

#endif
