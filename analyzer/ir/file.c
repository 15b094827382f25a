/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The file form of a unit: one header, then the tables as they lie in memory, then the strings.
 * Stands on base/hash.h (xxhash). */
#include "file.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"
#include "../base/hash.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "units are kept little-endian, as they lie in memory: this machine needs a byte swap here"
#endif

#define MAGIC UINT32_C(0x544c4741) /* "AGLT" */

/* Which table has which place in the header: a table added to IR_TABLES must change AGLET_UNIT_VERSION. */
enum table {
#define X(type, name) TABLE_##name,
    IR_TABLES(X)
#undef X
        N_TABLES
};

struct header {
    uint32_t magic, version;
    uint64_t length;       /* of everything, header included */
    uint64_t hash;         /* of everything after this field */
    uint32_t record_sizes; /* hash of the sizes of all records: a struct that changed without a new version is
                              caught */
    uint32_t main_file, directory, target, producer, pointer_size;
    uint32_t n_strings;
    uint32_t reserved; /* 0 */
    uint32_t counts[N_TABLES];
};
_Static_assert(sizeof(struct header) == 24 + 4 * (8 + N_TABLES),
               "the header has padding: its bytes would be anything");
#define HASHED_FROM offsetof(struct header, record_sizes)

static uint32_t record_sizes(void) {
    static const uint32_t sizes[] = {
#define X(type, name) sizeof(type),
        IR_TABLES(X)
#undef X
    };
    return (uint32_t)hash_bytes(sizes, sizeof sizes);
}

/* The length that a header with these counts asks for. No overflow: at most 15 tables of 2^32 records of some
 * 60 bytes. */
static uint64_t wanted_length(const struct header *h) {
    uint64_t length = sizeof *h + (uint64_t)h->n_strings;
#define X(type, name) length += (uint64_t)h->counts[TABLE_##name] * sizeof(type);
    IR_TABLES(X)
#undef X
    return length;
}

unsigned char *unit_encode(const struct unit *u, size_t *size) {
    struct header h = {.magic = MAGIC, .version = AGLET_UNIT_VERSION, .record_sizes = record_sizes()};
    h.main_file = u->main_file;
    h.directory = u->directory;
    h.target = u->target;
    h.producer = u->producer;
    h.pointer_size = u->pointer_size;
    h.n_strings = u->n_strings;
#define X(type, name) h.counts[TABLE_##name] = u->n_##name;
    IR_TABLES(X)
#undef X
    h.length = wanted_length(&h);
    unsigned char *bytes = xmalloc(h.length), *at = bytes + sizeof h;
#define X(type, name)                                                                                        \
    memcpy(at, u->name, u->n_##name * sizeof(type));                                                         \
    at += u->n_##name * sizeof(type);
    IR_TABLES(X)
#undef X
    memcpy(at, u->strings, u->n_strings);
    memcpy(bytes, &h, sizeof h);
    h.hash = hash_bytes(bytes + HASHED_FROM, h.length - HASHED_FROM);
    memcpy(bytes, &h, sizeof h);
    *size = h.length;
    return bytes;
}

size_t unit_encoded_length(const unsigned char *bytes, size_t size) {
    struct header h;
    if (size < sizeof h)
        return 0;
    memcpy(&h, bytes, sizeof h);
    return h.magic == MAGIC && h.length >= sizeof h && h.length <= size ? h.length : 0;
}

static bool refuse(char *err, size_t err_size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool refuse(char *err, size_t err_size, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    vsnprintf(err, err_size, format, ap);
    va_end(ap);
    return false;
}

/* The header, if it promises what these bytes are. */
static bool read_header(const unsigned char *bytes, size_t size, struct header *h, char *err,
                        size_t err_size) {
    if (size < 8 || memcmp(bytes, &(uint32_t){MAGIC}, 4))
        return refuse(err, err_size, "this is no unit of Aglet's");
    memcpy(h, bytes, 8);
    if (h->version != AGLET_UNIT_VERSION)
        return refuse(err, err_size,
                      "the unit is of version %u, this program reads version %u: analyse the file again",
                      h->version, AGLET_UNIT_VERSION);
    if (size < sizeof *h)
        return refuse(err, err_size, "the unit is cut short: %zu bytes", size);
    memcpy(h, bytes, sizeof *h);
    if (h->record_sizes != record_sizes())
        return refuse(err, err_size,
                      "the unit was made by another build of this version: analyse the file again");
    if (h->length > size || h->length != wanted_length(h) || h->reserved)
        return refuse(err, err_size, "the unit is cut short or damaged: %zu bytes where %llu are promised",
                      size, (unsigned long long)h->length);
    if (h->hash != hash_bytes(bytes + HASHED_FROM, h->length - HASHED_FROM))
        return refuse(err, err_size, "the unit is damaged: its hash does not match");
    return true;
}

/* Takes the bytes, behind whose header they are as long as it says. */
static struct unit *lay_out(const struct header *h, void *bytes, size_t size, void (*release)(void *, size_t),
                            char *err, size_t err_size) {
    struct unit *u = xcalloc(1, sizeof *u);
    char *at = (char *)bytes + sizeof *h;
    u->bytes = bytes;
    u->n_bytes = size;
    u->release = release;
    u->main_file = h->main_file;
    u->directory = h->directory;
    u->target = h->target;
    u->producer = h->producer;
    u->pointer_size = h->pointer_size;
#define X(type, name)                                                                                        \
    _Static_assert(_Alignof(type) <= _Alignof(uint32_t), "tables lie one behind the other");                 \
    u->n_##name = h->counts[TABLE_##name];                                                                   \
    u->name = (type *)(void *)at;                                                                            \
    at += u->n_##name * sizeof(type);
    IR_TABLES(X)
#undef X
    u->n_strings = h->n_strings;
    u->strings = at;
    const char *wrong = unit_check(u);
    if (wrong) {
        unit_free(u);
        refuse(err, err_size, "the unit is damaged: %s", wrong);
        return NULL;
    }
    return u;
}

static void free_bytes(void *bytes, size_t size) {
    (void)size;
    free(bytes);
}

struct unit *unit_decode(const unsigned char *bytes, size_t size, char *err, size_t err_size) {
    struct header h;
    if (!read_header(bytes, size, &h, err, err_size))
        return NULL;
    return lay_out(&h, memcpy(xmalloc(h.length), bytes, h.length), h.length, free_bytes, err, err_size);
}

struct unit *unit_use(void *bytes, size_t size, void (*release)(void *, size_t), char *err, size_t err_size) {
    struct header h;
    if (read_header(bytes, size, &h, err, err_size))
        return lay_out(&h, bytes, size, release, err, err_size);
    release(bytes, size);
    return NULL;
}
