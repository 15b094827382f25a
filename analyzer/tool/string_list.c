/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A list of owned strings with a NULL after the last. Stands on base/alloc.h. */
#include "string_list.h"
#include "base/alloc.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void strings_take(struct string_list *list, char *s) {
    if (list->n + 2 > list->cap) {
        list->cap = list->cap ? list->cap * 2 : 8;
        list->at = xrealloc(list->at, list->cap * sizeof *list->at);
    }
    list->at[list->n++] = s;
    list->at[list->n] = NULL;
}

void strings_add(struct string_list *list, const char *s) {
    strings_take(list, xstrdup(s));
}

void strings_addf(struct string_list *list, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    strings_take(list, xvasprintf(format, ap));
    va_end(ap);
}

void strings_insert(struct string_list *list, size_t at, const char *s) {
    strings_add(list, s);
    char *last = list->at[list->n - 1];
    memmove(list->at + at + 1, list->at + at, (list->n - 1 - at) * sizeof *list->at);
    list->at[at] = last;
}

void strings_remove(struct string_list *list, size_t at, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(list->at[at + i]);
    memmove(list->at + at, list->at + at + count, (list->n - at - count + 1) * sizeof *list->at);
    list->n -= count;
}

bool strings_has(const struct string_list *list, const char *s) {
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->at[i], s) == 0)
            return true;
    return false;
}

char **strings_argv(struct string_list *list) {
    static char *none[] = {NULL};
    return list->at ? list->at : none;
}

void strings_free(struct string_list *list) {
    for (size_t i = 0; i < list->n; i++)
        free(list->at[i]);
    free(list->at);
    *list = (struct string_list){0};
}

bool starts_with(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool ends_with(const char *s, const char *suffix) {
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}
