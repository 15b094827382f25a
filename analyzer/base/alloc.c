/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Memory that is there or ends the process.
 * Stands on malloc. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "alloc.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    fputs("aglet: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(2);
}

static void *given(void *p, size_t size) {
    if (!p)
        die("out of memory: %zu bytes were asked for", size);
    return p;
}

void *xmalloc(size_t size) {
    return given(malloc(size ? size : 1), size);
}

void *xcalloc(size_t n, size_t size) {
    return given(n && size ? calloc(n, size) : calloc(1, 1),
                 n > SIZE_MAX / (size ? size : 1) ? SIZE_MAX : n * size);
}

void *xrealloc(void *p, size_t size) {
    return given(realloc(p, size ? size : 1), size);
}

char *xstrndup(const char *s, size_t n) {
    char *copy = xmalloc(n + 1);
    memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

char *xstrdup(const char *s) {
    return xstrndup(s, strlen(s));
}

char *xvasprintf(const char *format, va_list ap) {
    char *s = NULL;
    if (vasprintf(&s, format, ap) < 0)
        die("out of memory while making a message");
    return s;
}

char *xasprintf(const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    char *s = xvasprintf(format, ap);
    va_end(ap);
    return s;
}
