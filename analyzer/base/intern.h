/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Interned strings: equal strings get the same small number and the same address.
 * Stands on arena.h and hash.h. Zeroed is valid and empty. Not thread-safe. */
#ifndef AGLET_BASE_INTERN_H
#define AGLET_BASE_INTERN_H

#include "arena.h"
#include "hash.h"

#ifdef __cplusplus
extern "C" {
#endif

struct interner {
    struct arena arena;
    struct index index;
    struct interned {
        const char *text; /* NUL-terminated; valid until intern_free */
        uint32_t length;
    } * strings;
    uint32_t n, cap; /* strings[0] is "" */
};

/* The number of the string, made when it is new; "" is 0. */
uint32_t intern(struct interner *in, const char *s, size_t length);
uint32_t intern_string(struct interner *in, const char *s);
/* The number, or UINT32_MAX when the string was never interned. */
uint32_t intern_find(const struct interner *in, const char *s, size_t length);
const char *intern_text(const struct interner *in, uint32_t id);
void intern_free(struct interner *in);

#ifdef __cplusplus
}
#endif
#endif
