/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which reports are not to be made, by the file that the option `suppressions` names. Stands on options.h. */
#ifndef AGLET_SRC_SUPPRESS_H
#define AGLET_SRC_SUPPRESS_H

#include <stdbool.h>

/* Does a line RULE:PATTERN fit? RULE is a rule id or `*`; PATTERN, in which `*` stands for anything, is
 * looked for anywhere in the report's text: a function, a file, a lock's name. Lines that begin with # are
 * comments. The file is read at the first report. */
bool suppress_matches(const char *rule, const char *text);

#endif
