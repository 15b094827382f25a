/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The growth step of growable arrays.
 * Stands on alloc.h. */
#include "vec.h"
#include <stdint.h>

void *vec_grow_(void *at, size_t *cap, size_t need, size_t size) {
    size_t want = *cap ? *cap * 2 : 8;
    if (want < need)
        want = need;
    if (want > SIZE_MAX / 2 / size)
        die("out of memory: an array of %zu elements was asked for", want);
    *cap = want;
    return xrealloc(at, want * size);
}
