/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The epoll reactor. A source is registered once, for both directions and edge triggered: a task first tries
 * its system call and asks the reactor only after EAGAIN. Stands on epoll(7), eventfd(2), task_sleep.h.
 *
 * An event may reach a source that was removed a moment ago and whose memory serves another descriptor:
 * sources are never freed, and an event that is not true merely makes somebody try again. */
#include "reactor.h"
#include "fork.h"
#include "task_sleep.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct io_source {
    struct slock lock;
    int fd;
    struct reactor *reactor;
    uint32_t life;    /* of the reactor, when this was added */
    uint32_t depth;   /* fork_depth, then */
    bool removed;     /* under lock, with the fields below */
    bool drains;      /* see io_source_turn */
    uint32_t turn[2]; /* counts events */
    struct waitq waiters[2];
    struct io_source *next; /* in the free list */
};

struct slock reactor_lock; /* protects the lists */
static struct io_source *spare;
static struct reactor *spare_reactors;

struct reactor *reactor_new(void) {
    slock_lock(&reactor_lock);
    struct reactor *r = spare_reactors;
    if (r)
        spare_reactors = r->next_free;
    slock_unlock(&reactor_lock);
    if (!r && !(r = calloc(1, sizeof *r)))
        return NULL;
    r->epoll_fd = r->wake_fd = -1;
    return r;
}

void reactor_free(struct reactor *r) {
    if (!r)
        return;
    atomic_fetch_add(&r->life, 1);
    if (r->epoll_fd >= 0) {
        close(r->epoll_fd);
        close(r->wake_fd);
    }
    r->epoll_fd = r->wake_fd = -1;
    atomic_store(&r->sources, 0);
    slock_lock(&reactor_lock);
    r->next_free = spare_reactors;
    spare_reactors = r;
    slock_unlock(&reactor_lock);
}

static int open_epoll(struct reactor *r) {
    if (r->epoll_fd >= 0)
        return 0;
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        return -errno;
    int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    if (wake_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) != 0) {
        int error = -errno;
        if (wake_fd >= 0)
            close(wake_fd);
        close(epoll_fd);
        return error;
    }
    r->epoll_fd = epoll_fd;
    r->wake_fd = wake_fd;
    tsan_publish(&r->wake_fd); /* ThreadSanitizer looks after descriptors, too */
    return 0;
}

static void deliver(struct io_source *s, enum io_direction d, bool drains) {
    struct wake wakes[8];
    unsigned n;
    do {
        struct waiter *w;
        n = 0;
        slock_lock(&s->lock);
        s->turn[d]++;
        s->drains &= drains;
        while (n < 8 && (w = waitq_pop(&s->waiters[d]))) {
            w->result = 0;
            wakes[n++] = sleeper_fire(w->sleeper);
        }
        slock_unlock(&s->lock);
        for (unsigned i = 0; i < n; i++)
            wake_send(wakes[i]);
    } while (n == 8);
}

static int milliseconds_until(aglet_time deadline) {
    if (deadline == AGLET_FOREVER)
        return -1;
    if (deadline == 0)
        return 0;
    int64_t left = deadline - aglet_now();
    if (left <= 0)
        return 0;
    /* Rounded down and at least one: the worker sleeps what is left of a millisecond on its next round. */
    left /= 1000000;
    return left < 1 ? 1 : left > 1000000 ? 1000000 : (int)left;
}

static int wait_for_events(struct reactor *r, struct epoll_event *events, int max, aglet_time deadline) {
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 35)
    if (deadline != 0 && deadline != AGLET_FOREVER) {
        int64_t left = deadline - aglet_now();
        if (left < 0)
            left = 0;
        struct timespec ts = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        int n = epoll_pwait2(r->epoll_fd, events, max, &ts, NULL);
        if (n >= 0 || errno != ENOSYS)
            return n;
    }
#endif
#endif
    return epoll_wait(r->epoll_fd, events, max, milliseconds_until(deadline));
}

int reactor_poll(struct reactor *r, aglet_time deadline) {
    struct epoll_event events[128];
    int n = wait_for_events(r, events, 128, deadline);
    for (int i = 0; i < n; i++) {
        struct io_source *s = events[i].data.ptr;
        if (!s) {
            uint64_t count;
            if (read(r->wake_fd, &count, sizeof count) < 0)
                continue; /* another poll took it */
            continue;
        }
        uint32_t seen = events[i].events;
        if (seen & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
            deliver(s, IO_READ, !(seen & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)));
        if (seen & (EPOLLOUT | EPOLLHUP | EPOLLERR))
            deliver(s, IO_WRITE, true);
    }
    return n < 0 ? 0 : n;
}

void reactor_kick(struct reactor *r) {
    uint64_t one = 1;
    tsan_observe(&r->wake_fd);
    ssize_t written = write(r->wake_fd, &one, sizeof one);
    (void)written; /* EAGAIN: it is awake already */
}

static bool is_tcp(int fd) {
    int protocol = 0;
    socklen_t size = sizeof protocol;
    return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == IPPROTO_TCP;
}

int io_source_add(struct reactor *r, int fd, struct io_source **source) {
    int error = open_epoll(r);
    if (error)
        return error;
    slock_lock(&reactor_lock);
    struct io_source *s = spare;
    if (s)
        spare = s->next;
    slock_unlock(&reactor_lock);
    if (!s && !(s = calloc(1, sizeof *s)))
        return -ENOMEM;
    bool drains = is_tcp(fd);
    slock_lock(&s->lock);
    s->fd = fd;
    s->reactor = r;
    s->life = atomic_load_explicit(&r->life, memory_order_relaxed);
    s->depth = fork_depth;
    s->removed = false;
    s->drains = drains;
    slock_unlock(&s->lock);
    struct epoll_event event = {.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = s};
    if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        error = -errno;
        slock_lock(&reactor_lock);
        s->next = spare;
        spare = s;
        slock_unlock(&reactor_lock);
        return error;
    }
    atomic_fetch_add_explicit(&r->sources, 1, memory_order_relaxed);
    *source = s;
    return 0;
}

/* In a child of fork the descriptor is still in the parent's epoll: to take it out there would take it from the
 * parent. */
bool io_source_is_dead(struct io_source *s) {
    return s->depth != fork_depth || atomic_load_explicit(&s->reactor->life, memory_order_relaxed) != s->life;
}

void io_source_remove(struct io_source *s) {
    if (!s)
        return;
    if (!io_source_is_dead(s)) {
        epoll_ctl(s->reactor->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
        atomic_fetch_sub_explicit(&s->reactor->sources, 1, memory_order_relaxed);
    }
    slock_lock(&s->lock);
    s->removed = true;
    for (int d = 0; d < 2; d++) {
        struct waiter *w;
        while ((w = waitq_pop(&s->waiters[d]))) {
            w->result = -ECANCELED;
            /* Under the lock: the source is about to serve another descriptor. */
            wake_send(sleeper_fire(w->sleeper));
        }
    }
    slock_unlock(&s->lock);
    slock_lock(&reactor_lock);
    s->next = spare;
    spare = s;
    slock_unlock(&reactor_lock);
}

uint32_t io_source_turn(struct io_source *s, enum io_direction d, bool *drains) {
    slock_lock(&s->lock);
    uint32_t turn = s->turn[d];
    if (drains)
        *drains = s->drains;
    slock_unlock(&s->lock);
    return turn;
}

bool io_source_link(struct io_source *s, enum io_direction d, uint32_t turn, struct waiter *w) {
    slock_lock(&s->lock);
    bool link = s->turn[d] == turn && !s->removed;
    if (link)
        waitq_push(&s->waiters[d], w);
    slock_unlock(&s->lock);
    return link;
}

void io_source_unlink(struct io_source *s, enum io_direction d, struct waiter *w) {
    slock_lock(&s->lock);
    if (w->linked)
        waitq_remove(&s->waiters[d], w);
    slock_unlock(&s->lock);
}

int io_source_wait(struct io_source *s, enum io_direction d, uint32_t turn, aglet_time deadline,
                   const char *why) {
    struct sleeper sleeper;
    sleeper_init(&sleeper);
    struct waiter w = {.sleeper = &sleeper};
    if (!io_source_link(s, d, turn, &w))
        return 0;
    int gave_up = sleeper_wait(&sleeper, deadline, why);
    if (!gave_up)
        return w.result;
    io_source_unlink(s, d, &w);
    return sleeper_is_fired(&sleeper) ? w.result : gave_up;
}
