/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Growable arrays: VEC(int) v = {0}; vec_push(&v, 3); v.at[0]; v.n; vec_free(&v).
 * Stands on alloc.h. Zeroed is a valid, empty vector. Pointers into `at` move when it grows. C only. */
#ifndef AGLET_BASE_VEC_H
#define AGLET_BASE_VEC_H

#include <stdlib.h>
#include <string.h>
#include "alloc.h"

#define VEC(type)                                                                                            \
    struct {                                                                                                 \
        type *at;                                                                                            \
        size_t n, cap;                                                                                       \
    }

/* Room for `more` further elements, doubling. */
#define vec_reserve(v, more)                                                                                 \
    ((v)->n + (more) > (v)->cap                                                                              \
         ? (void)((v)->at = vec_grow_((v)->at, &(v)->cap, (v)->n + (more), sizeof *(v)->at))                 \
         : (void)0)
#define vec_push(v, x) (vec_reserve((v), 1), (v)->at[(v)->n++] = (x))
#define vec_pop(v) ((v)->at[--(v)->n])
#define vec_last(v) ((v)->at[(v)->n - 1])
/* A new zeroed element; its address. */
#define vec_add(v) (vec_reserve((v), 1), memset((v)->at + (v)->n, 0, sizeof *(v)->at), (v)->at + (v)->n++)
#define vec_append(v, from, count)                                                                           \
    (vec_reserve((v), (size_t)(count)),                                                                      \
     (count) ? (void)memcpy((v)->at + (v)->n, (from), (size_t)(count) * sizeof *(v)->at) : (void)0,          \
     (void)((v)->n += (size_t)(count)))
#define vec_clear(v) ((void)((v)->n = 0))
#define vec_free(v) (free((v)->at), (void)((v)->at = NULL, (v)->n = (v)->cap = 0))

/* The growth step of vec_reserve: at least `need` elements of `size` bytes. */
void *vec_grow_(void *at, size_t *cap, size_t need, size_t size);

#endif
