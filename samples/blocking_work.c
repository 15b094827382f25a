/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Blocking work in the pool beside async I/O: the pipe answers while the pool thread sleeps. Stands on
 * aglet/blocking.h and aglet/io.h.
 *
 * Prints  26 letters came back, digest 1ae706e738581a */
#include <aglet/blocking.h>
#include <aglet/executor.h>
#include <aglet/io.h>
#include <stdio.h>
#include <unistd.h>

static void *slow_digest(void *arg) {
    usleep(30000);
    const char *text = arg;
    unsigned long h = 5381;
    while (*text)
        h = h * 33 + (unsigned char)*text++;
    return (void *)h;
}

static void *echo(void *arg) {
    aglet_io *ends = arg;
    char c;
    while (aglet_read(&ends[0], &c, 1) == 1)
        if (aglet_write(&ends[1], &c, 1) != 1)
            break;
    aglet_io_close(&ends[1]);
    return NULL;
}

AGLET_MAIN(argc, argv) {
    aglet_io there[2], back[2], ends[2];
    aglet_task *hasher, *echoer;
    void *h;
    int echoed = 0;
    if (aglet_pipe(&there[0], &there[1]) || aglet_pipe(&back[0], &back[1]))
        return 1;
    ends[0] = there[0];
    ends[1] = back[1];
    if (aglet_spawn_blocking(&hasher, slow_digest, "fearless") || aglet_spawn(&echoer, echo, ends))
        return 1;
    for (char c = 'a'; c <= 'z'; c++) {
        char got = 0;
        if (aglet_write(&there[1], &c, 1) == 1 && aglet_read(&back[0], &got, 1) == 1)
            echoed += got == c;
    }
    aglet_io_close(&there[1]);
    (void)aglet_join(echoer, NULL);
    (void)aglet_join(hasher, &h);
    aglet_io_close(&ends[0]);
    aglet_io_close(&back[0]);
    printf("%d letters came back, digest %lx\n", echoed, (unsigned long)h);
    return echoed == 26 && h ? 0 : 1;
}
