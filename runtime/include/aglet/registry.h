/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How a debugger, or a script over a core file, finds every task: one global symbol, which needs no debug
 * information of the library. Stands on nothing.
 *
 *     for (chunk = *aglet_registry.chunks; chunk; chunk = pointer at chunk + chunk_next)
 *         for (i = 0; i < u32 at chunk + chunk_slots; i++) {
 *             task = chunk + chunk_first + i * (u32 at chunk + chunk_slot_size);
 *             if (byte at task + task_kind == AGLET_REGISTRY_STACKFUL && byte at task + task_started)
 *                 sp = pointer at ((pointer at task + task_stack) + stack_sp);
 *         }
 *
 * What a task waits for stands in its rest: a stackless one's lies at task + task_rest, a started stackful
 * one's at its stack + stack_rest. A task whose byte at task_named is not 0 has its name at index i of the
 * pointers that chunk_names leads to.
 *
 * At sp of a task that does not run lie `saved_words` words: the callee-saved registers, in the order of
 * switch.c, and at index saved_pc where it goes on; so its caller's frame ends at sp + saved_words words. The
 * task that a worker runs has its registers in that worker's thread, and what lies at sp is old. */
#ifndef AGLET_REGISTRY_H
#define AGLET_REGISTRY_H

#include "aglet/base.h"

enum { AGLET_REGISTRY_VERSION = 2 };

/* The byte at task_kind. */
enum { AGLET_REGISTRY_FREE, AGLET_REGISTRY_STACKFUL, AGLET_REGISTRY_STACKLESS };

/* Offsets are in bytes from the beginning of a chunk, a task, its rest, a stack or a stackless task's frame.
 */
struct aglet_registry {
    uint32_t version, size; /* of this structure; fields are only ever added at its end */
    const void *const *chunks;
    uint32_t chunk_next, chunk_slots, chunk_slot_size, chunk_first;
    uint32_t task_kind;    /* a byte, AGLET_REGISTRY_… */
    uint32_t task_started; /* a byte, not 0: it has a stack */
    uint32_t task_place;   /* a word: the worker or (lowest bit) executor, and in the two bits above that bit
                              the state: 0 runnable, 1 woken, 2 waiting, 3 ended */
    uint32_t task_stack;   /* pointer */
    uint32_t task_named, chunk_names;       /* a byte; pointer to pointers, or NULL */
    uint32_t task_rest, stack_rest;         /* where a rest begins */
    uint32_t rest_waits_for, rest_waits_at; /* pointers: static text, and a code address */
    uint32_t task_id;                       /* 64 bits; the id is what is above the lowest 16 */
    uint32_t task_frame;                    /* where a stackless task's frame begins */
    uint32_t frame_line;                    /* 32 bits: the source line of the await it is at */
    uint32_t stack_sp;                      /* pointer */
    uint32_t saved_words, saved_pc;
};

AGLET_BEGIN_DECLS
AGLET_API extern const struct aglet_registry aglet_registry;
AGLET_END_DECLS
#endif
