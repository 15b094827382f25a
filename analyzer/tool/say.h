/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the command says to people on standard error: one sentence, "aglet: " before it. Stands on stdio. */
#ifndef AGLET_TOOL_SAY_H
#define AGLET_TOOL_SAY_H

#include <stdbool.h>

/* Room for a sentence that a function hands to its caller. */
#define SAY_MAX 1024

/* Print one line. A progress line that stands there is wiped first. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, only under --verbose. */
void say_verbose(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern bool say_is_verbose;

/* Show how far a run is, "[done/total] what", on one line that is overwritten; nothing where standard error is no terminal. */
void say_progress(unsigned long done, unsigned long total, const char *what);
void say_progress_end(void);

#endif
