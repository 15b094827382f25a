/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A list of strings that it owns, NULL after the last, as argv wants it. Stands on base/alloc.h. Zeroed is valid and empty
 * (then `at` is NULL: use strings_argv where a program's argument list is wanted). */
#ifndef AGLET_TOOL_STRING_LIST_H
#define AGLET_TOOL_STRING_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct string_list {
    char **at;
    size_t n, cap;
};

void strings_add(struct string_list *list, const char *s); /* a copy of s */
void strings_take(struct string_list *list, char *s);      /* s itself, malloc'd */
void strings_addf(struct string_list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strings_insert(struct string_list *list, size_t at, const char *s); /* a copy of s before element `at` */
void strings_remove(struct string_list *list, size_t at, size_t count);
bool strings_has(const struct string_list *list, const char *s);
char **strings_argv(struct string_list *list); /* never NULL; valid until the list changes */
void strings_free(struct string_list *list);

bool starts_with(const char *s, const char *prefix);
bool ends_with(const char *s, const char *suffix);

#endif
