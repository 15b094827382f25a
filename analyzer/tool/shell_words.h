/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A command line as one string, taken apart as a POSIX shell quotes, and response files. Stands on string_list.h. */
#ifndef AGLET_TOOL_SHELL_WORDS_H
#define AGLET_TOOL_SHELL_WORDS_H

#include <stdbool.h>
#include "string_list.h"

/* Add the words of `line` to out: single quotes, double quotes (in which \ quotes only " \ $ ` and a line end) and backslashes are
 * undone, nothing is expanded. Returns false when a quote is not closed. */
bool shell_words(const char *line, struct string_list *out);

/* The inverse for one word: as a shell reads it back; malloc'd. */
char *shell_quote(const char *word);

/* Replace each "@file" that can be read (relative to `directory`) by the words in it, also in those, at most 8 deep. */
void expand_response_files(struct string_list *args, const char *directory);

#endif
