/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What does a task keep where it waits that it must not? Locals of stackless tasks, which are lost there;
 * members of frames, and locals of tasks that may move, whose type is not Send; and what belongs to the
 * thread. Stands on linked.h, summary.h and traits.h. Found once, after the boundaries; the rules
 * local-across-await and send-across-yield word it.
 *
 * A stackless task is a function with a parameter marked AGLET_FRAME that goes on where a switch over a
 * member of that frame (or a computed goto) says: the targets of that switch, but for case 0, are where it
 * comes back. A stackful task moves at a call that may suspend it, where that call, or the task's entry, is
 * marked AGLET_MIGRATES. */
#ifndef AGLET_PROGRAM_KEPT_H
#define AGLET_PROGRAM_KEPT_H

#include "linked.h"
#include "traits.h"

enum kept_kind {
    KEPT_LOCAL,         /* a local of a stackless task, whose value is lost */
    KEPT_ADDRESS,       /* the address of one */
    KEPT_FIELD,         /* a member of a stackless task's frame, and not Send */
    KEPT_VALUE,         /* a local of a task that may move, and not Send */
    KEPT_THREAD,        /* a variable of the thread, used on both sides; no variable: errno */
    KEPT_THREAD_ADDRESS /* a local or member that holds the address of one */
};

struct kept {
    enum kept_kind kind;
    uint32_t func;
    const struct unit *unit;
    ir_var var;                /* the local, or the variable of the thread; 0: none */
    ir_field field;            /* of the frame; 0: none */
    ir_loc written;            /* before; 0: unknown, or by who started the task */
    ir_loc wait;               /* 0: where the task is started */
    ir_loc used;               /* after; 0: the waiting itself has the address */
    uint32_t callee;           /* the call that suspends, by name; 0: none */
    struct trait_verdict send; /* FIELD, VALUE */
};

struct kept_facts {
    VEC(struct kept) all;
};

struct kept_facts *kept_find(const struct program *p);
void kept_free(struct kept_facts *k); /* NULL is fine */

#endif
