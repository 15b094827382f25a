/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which reports were printed before: a misuse in a loop is said once, and counted. Stands on nothing. */
#ifndef AGLET_SRC_REPEATS_H
#define AGLET_SRC_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

enum { REPEATS_WHERE_ROOM = 160 };

/* Note a report of `rule` whose places have the hash `places`; `where` is the first of them in words.
 *
 * Requires  one thread at a time.
 * Returns   whether it is to be printed: nothing of this rule with the same places was, or the table is full. */
bool repeats_is_first(const char *rule, uint64_t places, const char *where);

/* Call `tell` for each report that came up again since this process began, with how often. */
void repeats_each(void (*tell)(const char *rule, const char *where, unsigned long times));

#endif
