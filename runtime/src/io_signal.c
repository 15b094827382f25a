/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Signals as descriptors: each open aglet_signal has an eventfd, to which the handler adds one.
 * Stands on eventfd(2), whose write is async-signal-safe, and on io_core.h. */
#include "io_core.h"
#include "check.h"
#include "fork.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MAX_OPEN = 64 };

/* Written under signal_table_lock, read by the handler at any time; number 0 is a free place. */
static struct { _Atomic int number, fd; } table[MAX_OPEN];
struct slock signal_table_lock;
static struct sigaction
    before[NSIG]; /* under signal_table_lock: what was set before the first of its kind was opened */

static void on_signal(int number) {
    int saved = errno;
    for (int i = 0; i < MAX_OPEN; i++)
        if (atomic_load(&table[i].number) == number) {
            uint64_t one = 1;
            ssize_t n = write(atomic_load(&table[i].fd), &one, sizeof one);
            (void)n;
        }
    errno = saved;
}

static int count_open(int number) {
    int n = 0;
    for (int i = 0; i < MAX_OPEN; i++)
        n += atomic_load(&table[i].number) == number;
    return n;
}

int aglet_signal_open(aglet_signal *s, int number) {
    *s = (aglet_signal){.io = {.fd = -1}};
    if (number < 1 || number >= NSIG)
        return -EINVAL;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = -EMFILE;
    object_lock(&signal_table_lock);
    bool first = count_open(number) == 0;
    for (int i = 0; i < MAX_OPEN; i++) {
        if (atomic_load(&table[i].number) != 0)
            continue;
        struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        sigemptyset(&act.sa_mask);
        error = first && sigaction(number, &act, &before[number]) != 0 ? -errno : 0;
        if (!error) {
            atomic_store(&table[i].fd, fd);
            atomic_store(&table[i].number, number);
        }
        break;
    }
    object_unlock(&signal_table_lock);
    if (error) {
        close(fd);
        return error;
    }
    *s = (aglet_signal){.io = {.fd = fd}, .number = number};
    return 0;
}

void aglet_signal_close(aglet_signal *s) {
    if (s->io.fd < 0)
        return;
    object_lock(&signal_table_lock);
    for (int i = 0; i < MAX_OPEN; i++)
        if (atomic_load(&table[i].number) == s->number && atomic_load(&table[i].fd) == s->io.fd) {
            atomic_store(&table[i].number, 0);
            break;
        }
    if (count_open(s->number) == 0)
        sigaction(s->number, &before[s->number], NULL);
    object_unlock(&signal_table_lock);
    aglet_io_close(&s->io);
}

ssize_t io_try_signal(int fd, void *count) {
    return read(fd, count, sizeof(uint64_t));
}

static int next(aglet_signal *s, const void *caller) {
    uint64_t count = 0;
    ssize_t n = io_loop(&s->io, IO_READ, io_try_signal, &count, AGLET_FOREVER, "signal", caller);
    return n < 0 ? (int)n : io_signal_count(count);
}

int aglet_signal_next(aglet_signal *s) {
    return next(s, CALLER());
}

int aglet_signal_wait(int number) {
    aglet_signal s;
    int error = aglet_signal_open(&s, number);
    if (error)
        return error;
    int n = next(&s, CALLER());
    aglet_signal_close(&s);
    return n < 0 ? n : 0;
}
