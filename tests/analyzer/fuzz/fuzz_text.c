/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* libFuzzer: any bytes as the text form. What parses must pass unit_check, print, parse again and print the
 * same. Stands on the text form. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ir/text.h"

static char *print(const struct unit *u, size_t *size) {
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    unit_print(u, out);
    fclose(out);
    return text;
}

static void fail(const char *what, const char *first, const char *second) {
    fprintf(stderr, "%s\n---- first print:\n%s\n---- second:\n%s\n", what, first, second);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char err[300];
    struct unit *u = unit_parse("fuzz", (const char *)data, size, err, sizeof err);
    if (!u)
        return 0;
    if (unit_check(u))
        fail(unit_check(u), "", "");
    size_t n, m;
    char *first = print(u, &n);
    struct unit *again = unit_parse("print", first, n, err, sizeof err);
    if (!again)
        fail(err, first, "");
    char *second = print(again, &m);
    if (n != m || memcmp(first, second, n) != 0)
        fail("printing what was printed gives something else", first, second);
    free(first);
    free(second);
    unit_free(u);
    unit_free(again);
    return 0;
}
