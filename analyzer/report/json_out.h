/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Writes JSON as it goes: commas, indentation and escapes are its business. What is no UTF-8 becomes U+FFFD.
 * Stands on <stdio.h>. A library that builds the whole document first was rejected: reports may be big, and order is ours. */
#ifndef AGLET_REPORT_JSON_OUT_H
#define AGLET_REPORT_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_out {
    FILE *out;
    unsigned depth;
    bool any; /* something stands before at this depth */
    bool after_key;
};

void json_open(struct json_out *j, char bracket); /* '{' or '[' */
void json_close(struct json_out *j, char bracket);
void json_key(struct json_out *j, const char *key);
void json_text(
    struct json_out *j,
    const char *s); /* a string, NULL: null; jansson, which the command links, has the name json_string */
void json_text_n(struct json_out *j, const char *s, size_t n);
void json_number(struct json_out *j, uint64_t n);
void json_bool(struct json_out *j, bool b);

/* "key": "value", and nothing at all when the value is NULL. */
void json_pair(struct json_out *j, const char *key, const char *value);
void json_pair_number(struct json_out *j, const char *key, uint64_t n);

#endif
