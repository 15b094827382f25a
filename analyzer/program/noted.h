/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What solving one function notes in the program's facts, besides its own summary and problems: each is a small record, done at once
 * and, where what was solved is kept (step.h), written down, to be done again in a later run.
 * Stands on lock_facts.h. */
#ifndef AGLET_PROGRAM_NOTED_H
#define AGLET_PROGRAM_NOTED_H

#include "lock_facts.h"

enum noted_kind {
    NOTED_CANDIDATE, /* seen: bits, from, class, other. Made unless it is there */
    NOTED_PAIR,      /* this function does the candidate's other half */
    NOTED_CLASH,     /* … locks twice because of it */
    NOTED_PROBLEM,   /* number: to be reported if the candidate is a mistake */
    NOTED_BAD_CALL,  /* number: … if it is none */
    NOTED_NO_DOUBT,  /* there is nothing to judge */
    NOTED_MIXED,
    NOTED_RETURNS,    /* bits: mixed, every_return, reachable; those that are set */
    NOTED_CONDEMNED,  /* bits: it is, or it is not */
    NOTED_TOLD_AS,    /* other */
    NOTED_NAMELESS,   /* class */
    NOTED_SECTION,    /* class; event: where it ends; bits: it is empty */
    NOTED_GIVEN_BACK, /* class */
    NOTED_EXCUSED,    /* func: not every caller of it needs its locks */
    NOTED_HANDED_ON,  /* func; event of that one, from, to: as its order `number` */
    NOTED_TOO_MANY,   /* the lock-order rule gave the function up */
    NOTED_SOMETIMES,  /* event; item: a lock of this class is held there */
    NOTED_KINDS
};
#define NOTED_EVERY 2u
#define NOTED_REACHABLE 4u

struct noted {
    enum noted_kind kind;
    uint32_t bits, candidate, other, number, func, item;
    ir_event event;
    term from, to;
    struct object_class class;
};

/* What the candidate is called in every run; `from`: the name of n->other. */
uint64_t candidate_name(struct program *p, uint32_t by, const struct noted *n, uint64_t from);
/* Do it. by: the function that is being solved, in its pass. Returns the number of a CANDIDATE. */
uint32_t noted_do(struct program *p, uint32_t by, uint32_t pass, const struct noted *n);

#endif
