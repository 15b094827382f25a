/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reports printed before, in a table of fixed size, so that a report needs no memory. Stands on getpid(2). */
#include "repeats.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 256 }; /* reports of so many places; a program with more has them all printed */

static struct printed {
    const char *rule;
    uint64_t places;
    unsigned long again;
    char where[REPEATS_WHERE_ROOM];
} table[ROOM];
static unsigned used;
static pid_t counted_in; /* the process that the counts are of: a child of fork begins anew */

static void forget_the_parents(void) {
    if (counted_in == getpid())
        return;
    counted_in = getpid();
    for (unsigned i = 0; i < used; i++)
        table[i].again = 0;
}

bool repeats_is_first(const char *rule, uint64_t places, const char *where) {
    forget_the_parents();
    for (unsigned i = 0; i < used; i++)
        if (table[i].places == places && strcmp(table[i].rule, rule) == 0) {
            table[i].again++;
            return false;
        }
    if (used < ROOM) {
        struct printed *p = &table[used++];
        p->rule = rule;
        p->places = places;
        snprintf(p->where, sizeof p->where, "%s", where);
    }
    return true;
}

void repeats_each(void (*tell)(const char *rule, const char *where, unsigned long times)) {
    forget_the_parents();
    for (unsigned i = 0; i < used; i++)
        if (table[i].again != 0)
            tell(table[i].rule, table[i].where, table[i].again);
}
