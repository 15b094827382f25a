/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Numbers and texts as bytes, for what is kept from one run to the next on this machine. Stands on vec.h.
 *
 * A number takes as many bytes as it needs, seven bits in each; a small negative one is no longer than a small positive one. Reading
 * never leaves the bytes: past their end everything is zero, and `bad` says so. */
#ifndef AGLET_BASE_BYTES_H
#define AGLET_BASE_BYTES_H

#include "vec.h"
#include <stdbool.h>
#include <stdint.h>

struct bytes_out {
    VEC(unsigned char) list;
};

static inline void put_number(struct bytes_out *out, uint64_t n) {
    vec_reserve(&out->list, 10);
    for (; n >= 0x80; n >>= 7)
        out->list.at[out->list.n++] = (unsigned char)(n | 0x80);
    out->list.at[out->list.n++] = (unsigned char)n;
}
static inline void put_signed(struct bytes_out *out, int64_t n) {
    put_number(out, (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0));
}
static inline void put_word(struct bytes_out *out, uint64_t n) { /* eight bytes: hashes and masks */
    vec_append(&out->list, (const unsigned char *)&n, sizeof n);
}
static inline void put_bytes(struct bytes_out *out, const void *from, size_t n) {
    vec_append(&out->list, (const unsigned char *)from, n);
}
static inline void put_text(struct bytes_out *out, const char *s) { /* NULL is kept apart from "" */
    const size_t n = s ? strlen(s) + 1 : 0;
    put_number(out, n);
    put_bytes(out, s, n);
}

struct bytes_in {
    const unsigned char *at, *end;
    bool bad;
};

static inline uint64_t get_number(struct bytes_in *in) {
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        const unsigned char b = *in->at++;
        n |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return n;
    }
    in->bad = true;
    return 0;
}
static inline int64_t get_signed(struct bytes_in *in) {
    const uint64_t n = get_number(in);
    return (int64_t)(n >> 1 ^ (n & 1 ? UINT64_MAX : 0));
}
/* A number that must be less than `end`: else bad, and 0. */
static inline uint32_t get_below(struct bytes_in *in, uint64_t end) {
    const uint64_t n = get_number(in);
    if (n < end && n <= UINT32_MAX)
        return (uint32_t)n;
    in->bad = true;
    return 0;
}
static inline const void *get_bytes(struct bytes_in *in, size_t n) {
    const unsigned char *from = in->at;
    if ((size_t)(in->end - in->at) < n) {
        in->bad = true;
        in->at = in->end;
        return NULL;
    }
    in->at += n;
    return from;
}
static inline uint64_t get_word(struct bytes_in *in) {
    uint64_t n = 0;
    const void *from = get_bytes(in, sizeof n);
    if (from)
        memcpy(&n, from, sizeof n);
    return n;
}
/* Points into the bytes. */
static inline const char *get_text(struct bytes_in *in) {
    const size_t n = (size_t)get_number(in);
    const char *s = n ? get_bytes(in, n) : NULL;
    if (s && s[n - 1] != 0) {
        in->bad = true;
        return NULL;
    }
    return s;
}
/* How many things follow: each takes a byte at least, so that a number that is none makes no room for more than there are bytes. */
static inline uint32_t get_count(struct bytes_in *in) {
    return get_below(in, (uint64_t)(in->end - in->at) + 1);
}

#endif
