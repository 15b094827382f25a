/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The text form of a unit: what `aglet-extract --text` prints, what engine tests are written in, what the fuzzer feeds.
 * docs/text-form.md describes the grammar. Printing and parsing are inverse: parse(print(u)) prints the same again. */
#ifndef AGLET_IR_TEXT_H
#define AGLET_IR_TEXT_H

#include <stdio.h>
#include "unit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Print the whole unit. */
void unit_print(const struct unit *u, FILE *out);

/* Parse `len` bytes of text, which need not end in NUL. `name` is used in messages.
 * Returns the unit, owned by the caller, for which unit_check passes; or NULL with a sentence
 * "name:line:col: what" in err (always NUL-terminated, at most err_size bytes). Never crashes on any input. */
struct unit *unit_parse(const char *name, const char *text, size_t len, char *err, size_t err_size);

#ifdef __cplusplus
}
#endif
#endif
