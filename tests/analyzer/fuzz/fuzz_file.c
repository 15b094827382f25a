/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* libFuzzer: any bytes as the file form, as a cache or an object section may hold them. The hash is made
 * right first, so that the bytes reach unit_check; what it passes must print and encode again to the same
 * bytes. Stands on the file form. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "ir/file.h"
#include "ir/text.h"

enum { HASH_AT = 16, HASHED_FROM = 24 };

static void decode(const unsigned char *bytes, size_t size) {
    char err[300];
    struct unit *u = unit_decode(bytes, size, err, sizeof err);
    if (!u)
        return;
    size_t n;
    unsigned char *again = unit_encode(u, &n);
    if (n > size || memcmp(again, bytes, n) != 0)
        abort();
    free(again);
    FILE *out = fopen("/dev/null", "w");
    unit_print(u, out);
    fclose(out);
    unit_free(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    decode(data, size);
    if (size < HASHED_FROM)
        return 0;
    unsigned char *bytes = malloc(size);
    memcpy(bytes, data, size);
    size_t length = unit_encoded_length(bytes, size);
    if (length >= HASHED_FROM) {
        uint64_t hash = hash_bytes(bytes + HASHED_FROM, length - HASHED_FROM);
        memcpy(bytes + HASH_AT, &hash, sizeof hash);
        decode(bytes, size);
    }
    free(bytes);
    return 0;
}
