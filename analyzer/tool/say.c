/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Sentences and the progress line on standard error. Stands on stdio and the terminal's width. */
#include "say.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool say_is_verbose;
static bool progress_shown;

void say_progress_end(void) {
    if (progress_shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    progress_shown = false;
}

static void say_list(const char *format, va_list list) {
    say_progress_end();
    fputs("aglet: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
}

void say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    say_list(format, list);
    va_end(list);
}

void say_verbose(const char *format, ...) {
    if (!say_is_verbose)
        return;
    va_list list;
    va_start(list, format);
    say_list(format, list);
    va_end(list);
}

void say_progress(unsigned long done, unsigned long total, const char *what) {
    static int terminal = -1;
    if (terminal < 0)
        terminal = isatty(STDERR_FILENO);
    if (!terminal)
        return;
    struct winsize size = {0};
    int width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col - 1 : 79;
    char line[512];
    int head = snprintf(line, sizeof line, "[%lu/%lu] ", done, total);
    int room = width - head, length = (int)strlen(what);
    /* The end of a path says more than its beginning. */
    snprintf(line + head, sizeof line - (size_t)head, "%s",
             length > room && room > 0 ? what + (length - room) : what);
    fprintf(stderr, "\r\033[K%.*s", width, line);
    fflush(stderr);
    progress_shown = true;
}
