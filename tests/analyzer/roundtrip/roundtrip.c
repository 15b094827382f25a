/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Holds the text form against real units: roundtrip FILE.unit… decodes each, prints, parses, prints again and
 * compares; then encodes what was parsed, decodes it and compares that too. Prints how much it looked at.
 * Stands on the text and the file form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ir/file.h"
#include "ir/text.h"

static unsigned char *read_all(const char *path, size_t *size) {
    FILE *in = fopen(path, "rb");
    if (!in)
        return NULL;
    fseek(in, 0, SEEK_END);
    *size = (size_t)ftell(in);
    rewind(in);
    unsigned char *bytes = malloc(*size + 1);
    *size = fread(bytes, 1, *size, in);
    fclose(in);
    return bytes;
}

static char *print(const struct unit *u, size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    unit_print(u, out);
    fclose(out);
    return text;
}

/* Say where two texts part. */
static int differ(const char *path, const char *a, const char *b) {
    size_t i = 0, line = 1, start = 0;
    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '\n') {
            line++;
            start = i + 1;
        }
    fprintf(stderr, "%s: line %zu of the text:\n%.200s\nbecame:\n%.200s\n", path, line, a + start, b + start);
    return 1;
}

static int check(const char *path, unsigned *functions, size_t *text_size) {
    char err[300];
    size_t size, n, m;
    unsigned char *bytes = read_all(path, &size);
    struct unit *u = bytes ? unit_decode(bytes, size, err, sizeof err) : NULL;
    free(bytes);
    if (!u) {
        fprintf(stderr, "%s: %s\n", path, bytes ? err : "cannot be read");
        return 1;
    }
    char *first = print(u, &n);
    *functions += u->n_funcs - 1;
    *text_size += n;
    unit_free(u);
    u = unit_parse(path, first, n, err, sizeof err);
    if (!u) {
        fprintf(stderr, "%s\n", err);
        free(first);
        return 1;
    }
    char *second = print(u, &m);
    int bad = n != m || memcmp(first, second, n) ? differ(path, first, second) : 0;
    free(second);
    bytes = unit_encode(u, &size);
    unit_free(u);
    u = unit_decode(bytes, size, err, sizeof err);
    second = u ? print(u, &m) : strdup(err);
    if (!bad)
        bad = strcmp(first, second) ? differ(path, first, second) : 0;
    free(first);
    free(second);
    free(bytes);
    unit_free(u);
    return bad;
}

int main(int argc, char **argv) {
    int bad = 0;
    unsigned functions = 0;
    size_t text = 0;
    for (int i = 1; i < argc; i++)
        bad += check(argv[i], &functions, &text);
    printf("%d units, %u functions, %zu bytes of text, %d wrong\n", argc - 1, functions, text, bad);
    return bad || argc < 2;
}
