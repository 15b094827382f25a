/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Turns text-form seeds into file-form seeds: make_seeds DIRECTORY SEED.txt…
 * Stands on the text and the file form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ir/file.h"
#include "ir/text.h"

int main(int argc, char **argv) {
    static char text[1 << 20];
    for (int i = 2; i < argc; i++) {
        FILE *in = fopen(argv[i], "r");
        size_t n = in ? fread(text, 1, sizeof text, in) : 0, size;
        if (in)
            fclose(in);
        char err[300];
        struct unit *u = unit_parse(argv[i], text, n, err, sizeof err);
        if (!u) {
            fprintf(stderr, "%s\n", err);
            return 1;
        }
        unsigned char *bytes = unit_encode(u, &size);
        const char *slash = strrchr(argv[i], '/');
        char path[4096];
        snprintf(path, sizeof path, "%s/%s.unit", argv[1], slash ? slash + 1 : argv[i]);
        FILE *out = fopen(path, "wb");
        if (!out || fwrite(bytes, 1, size, out) != size || fclose(out)) {
            fprintf(stderr, "%s: cannot be written\n", path);
            return 1;
        }
        free(bytes);
        unit_free(u);
    }
    return argc < 3;
}
