/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Stream sockets. Stands on io_core.h; names go to the lookup pool of blocking.h. */
#include "aglet/net.h"
#include "blocking.h"
#include "check.h"
#include "io_core.h"
#include "net_core.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* A numeric address and port as the kernel wants them. Returns the length, or 0. */
static socklen_t numeric(const char *address, uint16_t port, struct sockaddr_storage *out) {
    memset(out, 0, sizeof *out);
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof *v4;
    }
    if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        return sizeof *v6;
    }
    return 0;
}

static int stream_socket(int family) {
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int listen_on(aglet_io *listener, const struct sockaddr *address, socklen_t length) {
    int fd = stream_socket(address->sa_family);
    if (fd < 0)
        return fd;
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, address, length) != 0 || listen(fd, BACKLOG) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    *listener = (aglet_io){.fd = fd};
    return 0;
}

int aglet_tcp_listen(aglet_io *listener, const char *address, uint16_t port) {
    struct sockaddr_storage at;
    socklen_t length = numeric(address ? address : "::", port, &at);
    *listener = (aglet_io){.fd = -1};
    if (!length)
        return -EINVAL;
    int error = listen_on(listener, (struct sockaddr *)&at, length);
    if (error == -EAFNOSUPPORT && !address) {
        length = numeric("0.0.0.0", port, &at);
        error = listen_on(listener, (struct sockaddr *)&at, length);
    }
    return error;
}

int aglet_tcp_port(const aglet_io *io) {
    struct sockaddr_storage at;
    socklen_t length = sizeof at;
    if (getsockname(io->fd, (struct sockaddr *)&at, &length) != 0)
        return -errno;
    if (at.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&at)->sin_port);
    if (at.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&at)->sin6_port);
    return -EAFNOSUPPORT;
}

ssize_t io_try_accept(int fd, void *unused) {
    (void)unused;
    int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    /* The connection was reset before we took it: there may be others. */
    if (got < 0 && (errno == ECONNABORTED || errno == EPROTO))
        errno = EINTR;
    return got;
}

int io_accepted(aglet_io *connection, ssize_t fd) {
    int one = 1;
    *connection = (aglet_io){.fd = fd < 0 ? -1 : (int)fd};
    if (fd < 0)
        return (int)fd;
    /* Fails harmlessly on Unix sockets. */
    setsockopt((int)fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return 0;
}

static int accept_until(aglet_io *listener, aglet_io *connection, aglet_time deadline, const void *caller) {
    return io_accepted(connection,
                       io_loop(listener, IO_READ, io_try_accept, NULL, deadline, "accept", caller));
}

int aglet_accept(aglet_io *listener, aglet_io *connection) {
    return accept_until(listener, connection, AGLET_FOREVER, CALLER());
}

int aglet_accept_until(aglet_io *listener, aglet_io *connection, aglet_time deadline) {
    return accept_until(listener, connection, deadline, CALLER());
}

ssize_t net_try_connect(int fd, void *target) {
    struct net_target *t = target;
    if (!t->begun) {
        t->begun = true;
        if (connect(fd, t->address, t->length) == 0)
            return 0;
        /* No connection is on its way, and nobody would tell when one can be: not an EAGAIN to wait after. */
        if (errno == EAGAIN)
            errno = NET_FULL;
        else if (errno == EINPROGRESS)
            errno = EAGAIN;
        return -1;
    }
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0)
        return 0;
    int error = 0;
    length = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    errno = error ? error : EAGAIN;
    return -1;
}

int net_socket(aglet_io *connection, int family) {
    int fd = stream_socket(family);
    if (fd < 0)
        return fd;
    *connection = (aglet_io){.fd = fd};
    return 0;
}

int net_connected(aglet_io *connection, int error) {
    int one = 1;
    if (error)
        aglet_io_close(connection);
    else
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return error == -NET_FULL ? -EAGAIN : error;
}

static int connect_to(aglet_io *connection, const struct sockaddr *address, socklen_t length,
                      aglet_time deadline, const void *caller) {
    int error = net_socket(connection, address->sa_family);
    if (error)
        return error;
    struct net_target t = {.address = address, .length = length};
    error = (int)io_loop(connection, IO_WRITE, net_try_connect, &t, deadline, "connect", caller);
    return net_connected(connection, error);
}

void *net_lookup(void *lookup) {
    struct net_lookup *l = lookup;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found = NULL;
    int error = getaddrinfo(l->host, l->port, &hints, &found);
    if (error) {
        l->n = error == EAI_MEMORY   ? -ENOMEM
               : error == EAI_AGAIN  ? -EAGAIN
               : error == EAI_SYSTEM ? -errno
                                     : -ENOENT;
        return NULL;
    }
    for (struct addrinfo *a = found; a && l->n < l->max; a = a->ai_next)
        memcpy(&l->addresses[l->n++], a->ai_addr, a->ai_addrlen);
    freeaddrinfo(found);
    return NULL;
}

int net_lookup_begin(struct net_lookup *l, const char *host, uint16_t port,
                     struct sockaddr_storage *addresses, int max) {
    if (max < 1 || !host)
        return -EINVAL;
    if (numeric(host, port, &addresses[0]))
        return 1;
    *l = (struct net_lookup){.host = host, .addresses = addresses, .max = max};
    snprintf(l->port, sizeof l->port, "%u", port);
    return 0;
}

static int lookup_name(const char *host, uint16_t port, struct sockaddr_storage *addresses, int max,
                       const void *caller) {
    struct net_lookup l;
    int n = net_lookup_begin(&l, host, port, addresses, max);
    if (n)
        return n;
    int error = blocking_run(BLOCKING_LOOKUP, net_lookup, &l, NULL, "lookup", caller);
    return error ? error : l.n;
}

int aglet_lookup(const char *host, uint16_t port, struct sockaddr_storage *addresses, int max) {
    return lookup_name(host, port, addresses, max, CALLER());
}

int aglet_tcp_connect(aglet_io *connection, const char *host, uint16_t port, aglet_time deadline) {
    struct sockaddr_storage addresses[NET_ADDRESSES];
    *connection = (aglet_io){.fd = -1};
    int n = lookup_name(host, port, addresses, NET_ADDRESSES, CALLER());
    if (n < 0)
        return n == -ENOENT ? -EHOSTUNREACH : n;
    int error = -EHOSTUNREACH;
    for (int i = 0; i < n; i++) {
        error = connect_to(connection, (struct sockaddr *)&addresses[i], net_length(&addresses[i]), deadline,
                           CALLER());
        if (!error || error == -ECANCELED || error == -ETIMEDOUT)
            break;
    }
    return error;
}

int net_unix_address(const char *path, struct sockaddr_un *at) {
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at->sun_path)
        return -ENAMETOOLONG;
    strcpy(at->sun_path, path);
    return 0;
}

int aglet_unix_listen(aglet_io *listener, const char *path) {
    struct sockaddr_un at;
    int error = net_unix_address(path, &at);
    *listener = (aglet_io){.fd = -1};
    return error ? error : listen_on(listener, (struct sockaddr *)&at, sizeof at);
}

int aglet_unix_connect(aglet_io *connection, const char *path, aglet_time deadline) {
    struct sockaddr_un at;
    int error = net_unix_address(path, &at);
    *connection = (aglet_io){.fd = -1};
    return error ? error : connect_to(connection, (struct sockaddr *)&at, sizeof at, deadline, CALLER());
}

int aglet_shutdown(aglet_io *connection, int how) {
    return shutdown(connection->fd, how) == 0 ? 0 : -errno;
}
