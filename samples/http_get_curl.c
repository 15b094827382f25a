/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Concurrent HTTP GETs through libcurl, against a server in the same program. `transfer` is an adapter for
 * libcurl's multi-socket interface: libcurl says which sockets it waits for, and the task waits for them in a
 * select. Stands on aglet/select.h, aglet/net.h and libcurl.
 *
 * Needs  pkg libcurl
 * Prints  20 answers, 20000 bytes */
#include <aglet/executor.h>
#include <aglet/net.h>
#include <aglet/select.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOCKETS = 8, GETS = 20 };

struct transfer {
    aglet_io io[SOCKETS]; /* libcurl's sockets; fd -1: free */
    int wanted[SOCKETS];  /* CURL_POLL_IN, CURL_POLL_OUT or both */
    aglet_time deadline;
};

static int on_socket(CURL *easy, curl_socket_t fd, int wanted, void *context, void *unused) {
    struct transfer *t = context;
    int at = -1;
    (void)easy;
    (void)unused;
    for (int i = 0; i < SOCKETS; i++)
        if (t->io[i].fd == fd || (at < 0 && t->io[i].fd < 0))
            at = i;
    if (at < 0)
        return -1;
    if (wanted == CURL_POLL_REMOVE) {
        (void)aglet_io_release(&t->io[at]);
        return 0;
    }
    t->wanted[at] = wanted;
    return t->io[at].fd == fd ? 0 : aglet_io_open(&t->io[at], fd);
}

static int on_timer(CURLM *multi, long ms, void *context) {
    struct transfer *t = context;
    (void)multi;
    t->deadline = ms < 0 ? AGLET_FOREVER : aglet_after_ms(ms);
    return 0;
}

/* curl_easy_perform for tasks: the worker runs others meanwhile. Returns a CURLcode, or a negative errno
 * value. */
static int perform(CURL *easy) {
    struct transfer t = {.deadline = AGLET_FOREVER};
    int running = 1, result = -ENOMEM;
    for (int i = 0; i < SOCKETS; i++)
        t.io[i].fd = -1;
    CURLM *multi = curl_multi_init();
    if (!multi)
        return result;
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, &t);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, &t);
    curl_multi_add_handle(multi, easy);
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    while (running) {
        struct aglet_case cases[2 * SOCKETS];
        int fds[2 * SOCKETS], flags[2 * SOCKETS], n = 0;
        for (int i = 0; i < SOCKETS; i++) {
            if (t.io[i].fd >= 0 && (t.wanted[i] & CURL_POLL_IN)) {
                fds[n] = t.io[i].fd;
                flags[n] = CURL_CSELECT_IN;
                cases[n++] = (struct aglet_case)AGLET_CASE_READABLE(&t.io[i]);
            }
            if (t.io[i].fd >= 0 && (t.wanted[i] & CURL_POLL_OUT)) {
                fds[n] = t.io[i].fd;
                flags[n] = CURL_CSELECT_OUT;
                cases[n++] = (struct aglet_case)AGLET_CASE_WRITABLE(&t.io[i]);
            }
        }
        int chosen = aglet_select(cases, (size_t)n, t.deadline);
        if (chosen >= 0) {
            curl_multi_socket_action(multi, fds[chosen], flags[chosen], &running);
        } else if (chosen == -ETIMEDOUT) {
            t.deadline = AGLET_FOREVER;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        } else {
            result = chosen;
            break;
        }
    }
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(multi, &left));)
        if (m->msg == CURLMSG_DONE)
            result = (int)m->data.result;
    curl_multi_remove_handle(multi, easy);
    curl_multi_cleanup(multi);
    for (int i = 0; i < SOCKETS; i++)
        (void)aglet_io_release(&t.io[i]);
    return result;
}

static size_t count_bytes(char *data, size_t size, size_t n, void *total) {
    (void)data;
    *(size_t *)total += size * n;
    return size * n;
}

static void *get(void *arg) {
    char url[64];
    size_t total = 0;
    long port = (long)(intptr_t)arg;
    snprintf(url, sizeof url, "http://127.0.0.1:%ld/page", port);
    CURL *easy = curl_easy_init();
    if (!easy)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &total);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    int error = perform(easy);
    curl_easy_cleanup(easy);
    return (void *)(error ? 0 : total);
}

static void *answer(void *arg) {
    aglet_io *c = arg;
    char request[2048];
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n";
    char body[1000];
    size_t n = 0;
    ssize_t got = 0;
    memset(body, 'x', sizeof body);
    while (n < sizeof request - 1 && (got = aglet_read(c, request + n, sizeof request - 1 - n)) > 0) {
        n += (size_t)got;
        request[n] = 0;
        if (strstr(request, "\r\n\r\n"))
            break;
    }
    /* A slow server: all the answers together take as long as one. */
    if (got > 0 && aglet_sleep_ms(20) == 0 && aglet_write(c, head, sizeof head - 1) > 0)
        (void)aglet_write(c, body, sizeof body);
    aglet_io_close(c);
    free(c);
    return NULL;
}

static void *serve(void *arg) {
    aglet_io *listener = arg;
    for (;;) {
        aglet_io *c = malloc(sizeof *c);
        int error = c ? aglet_accept(listener, c) : -ENOMEM;
        if (!error && aglet_spawn(NULL, answer, c) == 0)
            continue;
        if (!error)
            aglet_io_close(c);
        free(c);
        return NULL;
    }
}

AGLET_MAIN(argc, argv) {
    aglet_io listener;
    aglet_task *server, *gets[GETS];
    void *bytes[GETS];
    size_t total = 0;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (aglet_tcp_listen(&listener, "127.0.0.1", 0) || aglet_spawn(&server, serve, &listener))
        return 1;
    intptr_t port = aglet_tcp_port(&listener);
    for (int i = 0; i < GETS; i++)
        if (aglet_spawn(&gets[i], get, (void *)port))
            return 1;
    if (aglet_join_all(gets, bytes, GETS))
        return 1;
    for (int i = 0; i < GETS; i++)
        total += (size_t)bytes[i];
    aglet_abort(server);
    (void)aglet_join(server, NULL);
    aglet_io_close(&listener);
    curl_global_cleanup();
    printf("%d answers, %zu bytes\n", GETS, total);
    return total == GETS * 1000 ? 0 : 1;
}
