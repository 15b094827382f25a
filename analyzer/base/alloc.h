/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Memory that is there or ends the process: the analyzer has nothing useful to do without it.
 * Stands on malloc. Callable from C++. */
#ifndef AGLET_BASE_ALLOC_H
#define AGLET_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* malloc and kin, to be given to free(). When there is no memory, or n * size overflows, one sentence is printed on
 * standard error and the process exits with status 2 ("could not do its work"). A size of 0 gives a valid pointer. */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list ap)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 0)));

/* One sentence on standard error, after "aglet: ", and exit status 2. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#ifdef __cplusplus
}
#endif
#endif
