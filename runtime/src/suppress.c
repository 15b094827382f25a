/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The suppressions file. Stands on options.h. */
#include "suppress.h"

#include "misuse.h"
#include "options.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { FILE_ROOM = 16 * 1024 };
static char lines[FILE_ROOM]; /* under the report's lock, as is all of this file's state */
static bool read_already;

static void read_file(void) {
    read_already = true;
    if (options.suppressions[0] == '\0')
        return;
    int fd = open(options.suppressions, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    size_t used = 0;
    if (fd >= 0) {
        while (used < FILE_ROOM - 1 && (n = read(fd, lines + used, FILE_ROOM - 1 - used)) > 0)
            used += (size_t)n;
        close(fd);
    }
    lines[used] = '\0';
    if (n < 0)
        misuse_warn("the suppressions file cannot be read; nothing is suppressed");
    else if (used == FILE_ROOM - 1)
        misuse_warn("the suppressions file is longer than 16 KiB; its end is not used");
    for (const char *line = lines; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (length != 0 && *line != '#' && memchr(line, ':', length) == NULL) {
            misuse_warn("a line of the suppressions file is not RULE:PATTERN; it suppresses nothing");
            break;
        }
        line += length + (line[length] == '\n');
    }
}

/* Does `pattern` (to its end at `stop`) fit a piece of text that begins at `text`? */
static bool fits_here(const char *pattern, const char *stop, const char *text) {
    for (; pattern < stop; pattern++, text++) {
        if (*pattern == '*') {
            for (const char *rest = text;; rest++) {
                if (fits_here(pattern + 1, stop, rest))
                    return true;
                if (*rest == '\0')
                    return false;
            }
        }
        if (*text != *pattern)
            return false;
    }
    return true;
}

static bool fits(const char *pattern, const char *stop, const char *text) {
    for (;; text++) {
        if (fits_here(pattern, stop, text))
            return true;
        if (*text == '\0')
            return false;
    }
}

bool suppress_matches(const char *rule, const char *text) {
    if (!read_already)
        read_file();
    for (const char *line = lines; *line != '\0';) {
        const char *end = line + strcspn(line, "\n");
        const char *colon = memchr(line, ':', (size_t)(end - line));
        if (*line != '#' && colon != NULL) {
            size_t n = (size_t)(colon - line);
            bool rule_fits = (n == 1 && *line == '*') || (strlen(rule) == n && memcmp(line, rule, n) == 0);
            if (rule_fits && fits(colon + 1, end, text))
                return true;
        }
        line = *end == '\n' ? end + 1 : end;
    }
    return false;
}
