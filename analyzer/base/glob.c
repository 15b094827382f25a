/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Matches paths against patterns.
 * Stands on nothing: fnmatch() has no `**`. */
#include "glob.h"

#include <string.h>

/* One `[…]` at *p; leaves *p behind it. An unclosed one is an ordinary '['. */
static bool in_class(const char **p, char c) {
    const char *q = *p + 1;
    bool negated = *q == '!' || *q == '^', found = false;
    q += negated;
    const char *first = q;
    while (*q && (*q != ']' || q == first)) {
        if (q[1] == '-' && q[2] && q[2] != ']') {
            found |= q[0] <= c && c <= q[2];
            q += 3;
        } else {
            found |= *q++ == c;
        }
    }
    if (!*q) {
        *p += 1;
        return c == '[';
    }
    *p = q + 1;
    return found != negated;
}

/* Does the pattern match all of the path, or all of one of its leading directories? Stars are tried shortest first; only
 * the last star of each kind needs to be gone back to. */
static bool match_here(const char *p, const char *s) {
    const char *star = NULL, *star_at = NULL, *deep = NULL, *deep_at = NULL;
    for (;;) {
        if (*p == '\0' && (*s == '\0' || *s == '/'))
            return true;
        if (p[0] == '/' && p[1] == '\0' && *s == '/')
            return true;
        if (p[0] == '*' && p[1] == '*') {
            p += 2;
            if (*p == '/')
                p++;
            deep = p;
            deep_at = s;
            star = NULL;
            continue;
        }
        if (*p == '*') {
            star = ++p;
            star_at = s;
            continue;
        }
        bool same = false;
        const char *next = p + 1;
        if (*s && *p) {
            if (*p == '?')
                same = *s != '/';
            else if (*p == '[')
                next = p, same = in_class(&next, *s) && *s != '/';
            else
                same = *p == *s;
        }
        if (same) {
            p = next;
            s++;
        } else if (star && *star_at && *star_at != '/') {
            p = star;
            s = ++star_at;
        } else if (deep && *deep_at) {
            /* `**` takes whole components when something follows it. */
            do
                deep_at++;
            while (*deep_at && deep_at[-1] != '/');
            p = deep;
            s = deep_at;
            star = NULL;
            if (!*s && *p)
                return false;
        } else {
            return false;
        }
    }
}

bool glob_match(const char *pattern, const char *path) {
    if (strncmp(pattern, "./", 2) == 0)
        pattern += 2;
    if (strncmp(path, "./", 2) == 0)
        path += 2;
    const char *slash = strchr(pattern, '/');
    bool rooted = slash && slash[1] != '\0';
    if (match_here(pattern, path))
        return true;
    if (rooted)
        return false;
    for (const char *s = path; (s = strchr(s, '/')) != NULL;)
        if (match_here(pattern, ++s))
            return true;
    return false;
}
