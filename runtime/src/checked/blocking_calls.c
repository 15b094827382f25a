/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Functions of the C library that block, as the program calls them: in a task each keeps a worker, and all
 * tasks behind it, whether or not it takes long this time. Stands in for them, because the library comes
 * before libc in the program's search order; stands on dlsym(3) for the real ones.
 *
 * Not here: locks and what waits for threads in bounded time, stdio, regular files, writes. */
#undef _FORTIFY_SOURCE /* the functions themselves, not their inline forms */
#include "check.h"
#include "checked.h"
#include "misuse.h"
#include "stack.h"
#include "task_check.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static uintptr_t own_begin,
    own_end; /* this library's code; all there is where it is linked into the program */

static int find_own(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size;
    (void)unused;
    uintptr_t here = (uintptr_t)find_own;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t begin = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && here - begin < p->p_memsz) {
            own_begin = begin;
            own_end = begin + p->p_memsz;
            return 1;
        }
    }
    return 0;
}

__attribute__((constructor(101))) static void look_for_own(void) {
    dl_iterate_phdr(find_own, NULL);
}

/* Each place is told once. */
static bool is_new(const void *caller) {
    enum { PLACES = 256 };
    static _Atomic(const void *) told[PLACES];
    size_t at = ((uintptr_t)caller * UINT64_C(0x9e3779b97f4a7c15)) >> 56;
    for (size_t i = 0; i < PLACES; i++) {
        const void *seen = NULL;
        _Atomic(const void *) *place = &told[(at + i) % PLACES];
        if (atomic_compare_exchange_strong(place, &seen, caller))
            return true;
        if (seen == caller)
            return false;
    }
    return false;
}

static void report(const char *name, const void *caller) {
    struct aglet_task *t = task_self();
    int saved = errno;
    if (caller != NULL && !misuse_is_writing() && is_new(caller))
        misuse_report("blocking-in-task", t, false, caller,
                      "task %llu '%s' calls %s, which keeps its worker; aglet/blocking.h has a place for it",
                      (unsigned long long)task_id(t), task_name(t) ? task_name(t) : "unnamed", name);
    errno = saved;
}

void check_blocks(const char *name, const void *caller) {
    if (task_self())
        report(name, caller);
}

/* Does a receive on it wait? Regular files never do. */
static bool waits(int fd) {
    struct stat st;
    int saved = errno, flags = fcntl(fd, F_GETFL);
    bool yes = flags >= 0 && !(flags & O_NONBLOCK) && fstat(fd, &st) == 0 &&
               (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode) || isatty(fd));
    errno = saved;
    return yes;
}

static bool is_own(const void *code) {
    return (uintptr_t)code - own_begin < own_end - own_begin;
}

/* Who called it in the program, or NULL: this library did. Under a sanitizer it is the sanitizer's function of that
 * name that has called ours, in the program's stead or in ours. */
static const void *real_caller(const char *name, const void *caller) {
    const void *pcs[8]; /* our own frames come first, then `caller` */
    if (is_own(caller))
        return NULL;
    if (is_own(dlsym(RTLD_DEFAULT, name)) || stack_take(caller, pcs, 8) < 2 || pcs[0] != caller)
        return caller;
    return is_own(pcs[1]) ? NULL : pcs[1];
}

/* Linked into the program, the library cannot tell its own calls from the program's, and says nothing. */
#define STAND_IN(type, name, parameters, arguments, blocks)                                                  \
    __attribute__((visibility("default"))) type name parameters {                                            \
        static type(*_Atomic real) parameters;                                                               \
        type(*call) parameters = atomic_load_explicit(&real, memory_order_relaxed);                          \
        if (!call) {                                                                                         \
            void *found = dlsym(RTLD_NEXT, #name);                                                           \
            memcpy(&call, &found, sizeof call);                                                              \
            atomic_store_explicit(&real, call, memory_order_relaxed);                                        \
        }                                                                                                    \
        if (AGLET_UNLIKELY(task_self() != NULL) && !is_own(CALLER()) && (blocks))                            \
            report(#name, real_caller(#name, CALLER()));                                                     \
        return call arguments;                                                                               \
    }

STAND_IN(unsigned, sleep, (unsigned s), (s), s > 0)
STAND_IN(int, usleep, (useconds_t us), (us), us > 0)
STAND_IN(int, nanosleep, (const struct timespec *t, struct timespec *left), (t, left), true)
STAND_IN(int, clock_nanosleep, (clockid_t c, int how, const struct timespec *t, struct timespec *left),
         (c, how, t, left), true)
STAND_IN(int, pause, (void), (), true)
STAND_IN(int, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms), ms != 0)
STAND_IN(int, select, (int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *t), (n, r, w, e, t),
         !t || t->tv_sec || t->tv_usec)
STAND_IN(int, epoll_wait, (int fd, struct epoll_event *e, int n, int ms), (fd, e, n, ms), ms != 0)
STAND_IN(pid_t, wait, (int *status), (status), true)
STAND_IN(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), !(options & WNOHANG))
STAND_IN(int, system, (const char *command), (command), command != NULL)
STAND_IN(int, flock, (int fd, int how), (fd, how), !(how & (LOCK_NB | LOCK_UN)))
STAND_IN(int, accept, (int fd, __SOCKADDR_ARG a, socklen_t *n), (fd, a, n), waits(fd))
STAND_IN(int, accept4, (int fd, __SOCKADDR_ARG a, socklen_t *n, int flags), (fd, a, n, flags), waits(fd))
STAND_IN(int, connect, (int fd, __CONST_SOCKADDR_ARG a, socklen_t n), (fd, a, n), waits(fd))
STAND_IN(ssize_t, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags),
         !(flags & MSG_DONTWAIT) && waits(fd))
STAND_IN(ssize_t, recvfrom, (int fd, void *to, size_t n, int flags, __SOCKADDR_ARG a, socklen_t *l),
         (fd, to, n, flags, a, l), !(flags & MSG_DONTWAIT) && waits(fd))
STAND_IN(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags),
         !(flags & MSG_DONTWAIT) && waits(fd))
STAND_IN(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n), waits(fd))
STAND_IN(int, getaddrinfo,
         (const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out),
         (host, service, hints, out), !hints || !(hints->ai_flags & AI_NUMERICHOST))
STAND_IN(int, pthread_join, (pthread_t thread, void **result), (thread, result), true)

/* These end the worker's thread, and with it what is pinned to it. */
static void report_exit(const char *name, const void *caller) {
    struct aglet_task *t = task_self();
    misuse_report(
        "blocking-in-task", t, true, caller,
        "task %llu '%s' calls %s, which ends its worker's thread and not the task; return from its function",
        (unsigned long long)task_id(t), task_name(t) ? task_name(t) : "unnamed", name);
}

#define STAND_IN_EXIT(name, type)                                                                            \
    __attribute__((visibility("default"), noreturn)) void name(type result) {                                \
        void *found = dlsym(RTLD_NEXT, #name);                                                               \
        void (*real)(type) __attribute__((noreturn));                                                        \
        memcpy(&real, &found, sizeof real);                                                                  \
        if (task_self() != NULL)                                                                             \
            report_exit(#name, CALLER());                                                                    \
        real(result);                                                                                        \
    }

STAND_IN_EXIT(pthread_exit, void *)
STAND_IN_EXIT(thrd_exit, int)
