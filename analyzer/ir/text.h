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

/* The same with less said, for people and golden files; what is left out is not found again by parsing. */
void unit_print_parts(const struct unit *u, FILE *out, unsigned flags);
#define UNIT_PRINT_NO_LOCS 1u /* no source positions */
#define UNIT_PRINT_EVENT_LOCS                                                                                \
    2u /* positions of declarations, events and terminators, none inside expressions */
#define UNIT_PRINT_DEFINED_ONLY 4u /* no types and no functions that are only declared */

/* One type, one expression of a unit, as the text form spells them. Returns malloc'd text, owned by the caller. */
char *type_to_text(const struct unit *u, ir_type t);
char *expr_to_text(const struct unit *u, ir_expr e);

/* Parse `len` bytes of text, which need not end in NUL. `name` is used in messages.
 * Returns the unit, owned by the caller, for which unit_check passes; or NULL with a sentence
 * "name:line:col: what" in err (always NUL-terminated, at most err_size bytes). Never crashes on any input. */
struct unit *unit_parse(const char *name, const char *text, size_t len, char *err, size_t err_size);

#ifdef __cplusplus
}
#endif
#endif
