/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What AGLET_OPTIONS says: words NAME=VALUE between colons, commas or spaces (a value with those stands in
 * single quotes). The words are listed once, in options.def. Stands on nothing. */
#ifndef AGLET_SRC_OPTIONS_H
#define AGLET_SRC_OPTIONS_H

struct options {
#define OPTION_FLAG(name, initial, help) long name;
#define OPTION_NUMBER(name, initial, help) long name;
#define OPTION_TEXT(name, initial, help) const char *name;
#include "options.def"
#undef OPTION_FLAG
#undef OPTION_NUMBER
#undef OPTION_TEXT
};

/* The options, read from the environment when the library is loaded. Never NULL; not changed afterwards. A
 * word nobody knows is said on stderr, once, and passed over. */
extern struct options options;

/* Read `text` over what is there; for tests. */
void options_parse(const char *text);

#endif
