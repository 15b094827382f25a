/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* TCP and Unix stream sockets for tasks. Stands on aglet/io.h: a connection is an aglet_io. */
#ifndef AGLET_NET_H
#define AGLET_NET_H

#include "aglet/io.h"

#include <netinet/in.h>
#include <sys/socket.h>

AGLET_BEGIN_DECLS

/* Listen on a numeric address ("127.0.0.1", "::1", NULL for any) and port (0: any free one).
 * Returns 0 or a negative errno value. */
AGLET_API int aglet_tcp_listen(aglet_io *listener, const char *address, uint16_t port);

/* The port a socket is bound to, or a negative errno value. */
AGLET_API int aglet_tcp_port(const aglet_io *socket);

/* Take the next connection. TCP_NODELAY is set. Returns 0 or a negative errno value; -EMFILE and the like
 * leave the connection in the listener's queue, so the caller should sleep a little before it tries again. */
AGLET_API int aglet_accept(aglet_io *listener, aglet_io *connection) AGLET_YIELDS;
AGLET_API int aglet_accept_until(aglet_io *listener, aglet_io *connection, aglet_time deadline) AGLET_YIELDS;

/* Connect to a host name or numeric address: each address in turn until one answers. Names are looked up on a
 * thread pool of their own. Returns 0 or a negative errno value; -EHOSTUNREACH when the name is unknown. */
AGLET_API int aglet_tcp_connect(aglet_io *connection, const char *host, uint16_t port,
                                aglet_time deadline) AGLET_YIELDS;

/* Unix stream sockets; the path is limited to 107 bytes. A connect returns -EAGAIN when as many as may wait to be
 * accepted already: try again later (aglet_retry). */
AGLET_API int aglet_unix_listen(aglet_io *listener, const char *path);
AGLET_API int aglet_unix_connect(aglet_io *connection, const char *path, aglet_time deadline) AGLET_YIELDS;

/* No more reads (SHUT_RD), writes (SHUT_WR) or both. Returns 0 or a negative errno value. */
AGLET_API int aglet_shutdown(aglet_io *connection, int how);

/* Look up a name. On success *addresses holds up to max, and their number is returned; -ENOENT: unknown name;
 * -EINVAL: no name, or no room. */
AGLET_API int aglet_lookup(const char *host, uint16_t port, struct sockaddr_storage *addresses,
                           int max) AGLET_YIELDS;

AGLET_END_DECLS
#endif
