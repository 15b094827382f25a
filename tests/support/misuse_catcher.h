/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Catches reports instead of letting them end the test: the last one, and how many there were.
 * Stands on aglet/misuse.h. */
#ifndef AGLET_TESTS_MISUSE_CATCHER_H
#define AGLET_TESTS_MISUSE_CATCHER_H

#include "aglet/misuse.h"

#include <stdio.h>
#include <string.h>

struct caught {
    int count, hints; /* hints are not counted as reports */
    bool fatal;
    char rule[64], message[512], text[16384], json[16384];
};

static struct caught caught;

static void catch_misuse(const struct aglet_misuse *m, void *context)
{
    struct caught *c = context;
    if (m->hint)
        c->hints++;
    else
        c->count++;
    c->fatal = m->fatal;
    snprintf(c->rule, sizeof c->rule, "%s", m->rule);
    snprintf(c->message, sizeof c->message, "%s", m->message);
    snprintf(c->text, sizeof c->text, "%s", m->text);
    snprintf(c->json, sizeof c->json, "%s", m->json);
}

/* From here on; forgets what was caught before. */
static inline void start_catching(void)
{
    memset(&caught, 0, sizeof caught);
    aglet_on_misuse(catch_misuse, &caught);
}

#endif
