/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Writes JSON as it goes.
 * Stands on <stdio.h>. */
#include "json_out.h"
#include <inttypes.h>
#include <string.h>
#include "utf8.h"

static void begin_value(struct json_out *j) {
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    if (j->any)
        fputc(',', j->out);
    if (j->depth)
        fprintf(j->out, "\n%*s", (int)j->depth, "");
    j->any = true;
}

void json_open(struct json_out *j, char bracket) {
    begin_value(j);
    fputc(bracket, j->out);
    j->depth++;
    j->any = false;
}

void json_close(struct json_out *j, char bracket) {
    j->depth--;
    if (j->any)
        fprintf(j->out, "\n%*s", (int)j->depth, "");
    fputc(bracket, j->out);
    j->any = true;
}

void json_text_n(struct json_out *j, const char *text, size_t n) {
    const unsigned char *s = (const unsigned char *)text;
    begin_value(j);
    fputc('"', j->out);
    for (size_t i = 0; i < n;) {
        size_t length = utf8_length(s + i, n - i);
        if (!length) {
            fputs("\xef\xbf\xbd", j->out);
            i++;
            continue;
        }
        if (s[i] == '"' || s[i] == '\\')
            fprintf(j->out, "\\%c", s[i]);
        else if (s[i] == '\n')
            fputs("\\n", j->out);
        else if (s[i] == '\t')
            fputs("\\t", j->out);
        else if (s[i] < 32 || s[i] == 127)
            fprintf(j->out, "\\u%04x", s[i]);
        else
            fwrite(s + i, 1, length, j->out);
        i += length;
    }
    fputc('"', j->out);
}

void json_text(struct json_out *j, const char *s) {
    if (s) {
        json_text_n(j, s, strlen(s));
    } else {
        begin_value(j);
        fputs("null", j->out);
    }
}

void json_key(struct json_out *j, const char *key) {
    json_text(j, key);
    fputs(": ", j->out);
    j->after_key = true;
}

void json_number(struct json_out *j, uint64_t n) {
    begin_value(j);
    fprintf(j->out, "%" PRIu64, n);
}

void json_bool(struct json_out *j, bool b) {
    begin_value(j);
    fputs(b ? "true" : "false", j->out);
}

void json_pair(struct json_out *j, const char *key, const char *value) {
    if (!value)
        return;
    json_key(j, key);
    json_text(j, value);
}

void json_pair_number(struct json_out *j, const char *key, uint64_t n) {
    json_key(j, key);
    json_number(j, n);
}
