/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Writes JSON as it goes.
 * Stands on <stdio.h>. */
#include "json_out.h"
#include <inttypes.h>
#include <string.h>

static void begin_value(struct json_out *j)
{
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

void json_open(struct json_out *j, char bracket)
{
    begin_value(j);
    fputc(bracket, j->out);
    j->depth++;
    j->any = false;
}

void json_close(struct json_out *j, char bracket)
{
    j->depth--;
    if (j->any)
        fprintf(j->out, "\n%*s", (int)j->depth, "");
    fputc(bracket, j->out);
    j->any = true;
}

/* Bytes of the UTF-8 sequence at s, or 0 when there is none (RFC 3629: no surrogates, no overlong forms). */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t want = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;
    if (!want || want > n)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
        return 0;
    return want;
}

void json_string_n(struct json_out *j, const char *text, size_t n)
{
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
        else if (s[i] < 32 || s[i] == 127 || (j->for_html && (s[i] == '<' || s[i] == '>' || s[i] == '&')))
            fprintf(j->out, "\\u%04x", s[i]);
        else
            fwrite(s + i, 1, length, j->out);
        i += length;
    }
    fputc('"', j->out);
}

void json_string(struct json_out *j, const char *s)
{
    if (s) {
        json_string_n(j, s, strlen(s));
    } else {
        begin_value(j);
        fputs("null", j->out);
    }
}

void json_key(struct json_out *j, const char *key)
{
    json_string(j, key);
    fputs(": ", j->out);
    j->after_key = true;
}

void json_number(struct json_out *j, uint64_t n)
{
    begin_value(j);
    fprintf(j->out, "%" PRIu64, n);
}

void json_bool(struct json_out *j, bool b)
{
    begin_value(j);
    fputs(b ? "true" : "false", j->out);
}

void json_pair(struct json_out *j, const char *key, const char *value)
{
    if (!value)
        return;
    json_key(j, key);
    json_string(j, value);
}

void json_pair_number(struct json_out *j, const char *key, uint64_t n)
{
    json_key(j, key);
    json_number(j, n);
}
