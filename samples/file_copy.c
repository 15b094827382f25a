/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Copying a file without holding up other tasks: reads and writes run on the blocking pool while a task
 * ticks. Stands on aglet/fs.h.
 *
 * Prints  copied 1000000 bytes */
#include <aglet/executor.h>
#include <aglet/fs.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int copy(const char *from, const char *to) {
    static char buffer[64 * 1024];
    int in = aglet_file_open(from, O_RDONLY, 0);
    if (in < 0)
        return in;
    int out = aglet_file_open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t n = out < 0 ? out : 1;
    for (off_t at = 0; out >= 0 && (n = aglet_file_read(in, buffer, sizeof buffer, at)) > 0; at += n)
        if ((n = aglet_file_write(out, buffer, (size_t)n, at)) < 0)
            break;
    (void)aglet_file_close(in);
    if (out >= 0)
        (void)aglet_file_close(out);
    return n < 0 ? (int)n : 0;
}

static void *tick(void *arg) {
    long *ticks = arg;
    while (aglet_sleep_ms(1) == 0)
        ++*ticks;
    return NULL;
}

AGLET_MAIN(argc, argv) {
    char from[] = "/tmp/aglet-copy-XXXXXX", to[64];
    long ticks = 0;
    aglet_task *ticker;
    int fd = mkstemp(from);
    if (fd < 0 || aglet_spawn(&ticker, tick, &ticks))
        return 1;
    snprintf(to, sizeof to, "%s.copy", from);
    static char content[1000000];
    memset(content, 'x', sizeof content);
    struct stat st = {0};
    int bad = aglet_file_write(fd, content, sizeof content, 0) < 0 || copy(from, to) < 0 ||
              aglet_file_stat(to, &st) < 0;
    (void)aglet_file_close(fd);
    (void)aglet_file_unlink(from);
    (void)aglet_file_unlink(to);
    aglet_abort(ticker);
    (void)aglet_join(ticker, NULL);
    printf("copied %ld bytes\n", (long)st.st_size);
    return bad || st.st_size != sizeof content;
}
