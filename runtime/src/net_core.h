/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The pieces of connecting and of looking up names, for stackful and stackless tasks alike. Stands on
 * aglet/net.h. */
#ifndef AGLET_SRC_NET_CORE_H
#define AGLET_SRC_NET_CORE_H

#include "aglet/net.h"

#include <sys/un.h>

enum { NET_ADDRESSES = 16 };

/* connect(2) once, then what became of it; for io_loop. The error NET_FULL, which is no errno value, is connect's own
 * EAGAIN; net_connected translates it. */
enum { NET_FULL = 4095 };
struct net_target {
    const struct sockaddr *address;
    socklen_t length;
    bool begun;
};
ssize_t net_try_connect(int fd, void *target);

/* A fresh socket; and its end: closed where there was an error, which is returned. */
int net_socket(aglet_io *connection, int family);
int net_connected(aglet_io *connection, int error);

/* Begin to look a name up: returns 1 when it is an address, which is then in addresses[0]; 0 when
 * net_lookup(l) is to be run where it may block, after which l->n is the result; or a negative errno value.
 */
struct net_lookup {
    const char *host;
    char port[8];
    struct sockaddr_storage *addresses;
    int max, n;
};
int net_lookup_begin(struct net_lookup *l, const char *host, uint16_t port,
                     struct sockaddr_storage *addresses, int max);
void *net_lookup(void *l);

static inline socklen_t net_length(const struct sockaddr_storage *address) {
    return address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

int net_unix_address(const char *path, struct sockaddr_un *at);

#endif
