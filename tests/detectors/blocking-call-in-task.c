/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task calls functions of the C library that block, each for a moment only. Finds: blocking-in-task.
 * Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"
#include "aglet/io.h"
#include <poll.h>

static void *work(void *argument) {
    int ends[2];
    char c;
    if (pipe(ends) || write(ends[1], "x", 1) != 1)
        return NULL;
    if (mended) {
        struct pollfd p = {.fd = ends[0], .events = POLLIN};
        aglet_io io;
        (void)aglet_sleep_ms(1);
        (void)poll(&p, 1, 0); /* does not wait */
        if (aglet_io_open(&io, ends[0]) == 0)
            (void)aglet_read(&io, &c, 1);
    } else {
        usleep(10);
        (void)!read(ends[0], &c, 1);
    }
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
