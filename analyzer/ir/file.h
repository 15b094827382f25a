/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The file form of a unit: what the lint's cache, the extractor's output and the object section `.aglet` hold.
 * A header (magic, version, table sizes, xxhash of the rest), then the tables as they lie in memory, uncompressed, little-endian. */
#ifndef AGLET_IR_FILE_H
#define AGLET_IR_FILE_H

#include "unit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Serialise. Returns malloc'd bytes, owned by the caller; their number in *size. */
unsigned char *unit_encode(const struct unit *u, size_t *size);

/* The inverse. The bytes may come from anywhere: wrong magic, version, truncation, hash or any reference out of its table
 * gives NULL with a sentence in err. The unit copies what it needs; the caller keeps the bytes. */
struct unit *unit_decode(const unsigned char *bytes, size_t size, char *err, size_t err_size);

/* The same without a copy: the unit's tables are the bytes, which are aligned for uint32_t, stay as they are and are released by
 * unit_free; at once where there is no unit. */
struct unit *unit_use(void *bytes, size_t size, void (*release)(void *bytes, size_t size), char *err,
                      size_t err_size);

/* The encoding names its own length: bytes of one unit at the start of `bytes`, or 0 when it is not one. The object
 * section may hold several units one after the other (ld -r, archives). */
size_t unit_encoded_length(const unsigned char *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif
