/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/io.h, net.h, fs.h and blocking.h, as their contracts say. Stands on on_each.h and loopback. */
#include "on_each.h"

#include "aglet/blocking.h"
#include "aglet/fs.h"
#include "aglet/net.h"
#include "aglet/select.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *write_slowly(void *arg) {
    aglet_io *w = arg;
    char block[5000];
    for (int i = 0; i < 200; i++) {
        memset(block, 'a' + i % 26, sizeof block);
        CHECK(aglet_write(w, block, sizeof block) == (ssize_t)sizeof block);
    }
    aglet_io_close(w);
    return NULL;
}

static void *pipes(void *arg) {
    (void)arg;
    aglet_io r, w;
    aglet_task *t;
    void *wrong;
    char block[5000];
    CHECK(aglet_pipe(&r, &w) == 0);
    CHECK(aglet_read_until(&r, block, 1, aglet_after_ms(2)) == -ETIMEDOUT);
    CHECK(aglet_spawn(&t, write_slowly, &w) == 0);
    for (int i = 0; i < 200; i++) {
        CHECK(aglet_read_all(&r, block, sizeof block) == (ssize_t)sizeof block);
        CHECK(block[0] == 'a' + i % 26 && block[4999] == 'a' + i % 26);
    }
    CHECK(aglet_read(&r, block, 1) == 0);
    CHECK(aglet_join(t, &wrong) == 0);
    CHECK(wrong == NULL);
    aglet_io_close(&r);
    return NULL;
}

static void a_pipe_carries_everything_in_order(void **state) {
    (void)state;
    on_each(pipes, NULL);
}

/* Messages end where they were sent, so a read that gets less than it asked for may leave some: datagrams, and
 * what lies behind urgent data of a TCP stream. */
static void *messages(void *arg) {
    int ends[2];
    aglet_io r;
    char block[64];
    (void)arg;
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    CHECK(aglet_io_open(&r, ends[0]) == 0);
    CHECK(aglet_read_until(&r, block, sizeof block, aglet_after_ms(2)) == -ETIMEDOUT);
    for (int i = 0; i < 3; i++)
        CHECK(send(ends[1], "datagram", 8, 0) == 8);
    for (int i = 0; i < 3; i++)
        CHECK(aglet_read_until(&r, block, sizeof block, aglet_after_ms(1000)) == 8);
    aglet_io_close(&r);
    close(ends[1]);
    return NULL;
}

static void datagrams_are_read_one_by_one(void **state) {
    (void)state;
    on_each(messages, NULL);
}

static void *urgent(void *arg) {
    aglet_io listener, out, in;
    char block[64];
    (void)arg;
    CHECK(aglet_tcp_listen(&listener, "127.0.0.1", 0) == 0);
    CHECK(aglet_tcp_connect(&out, "127.0.0.1", aglet_tcp_port(&listener), aglet_after_ms(1000)) == 0);
    CHECK(aglet_accept(&listener, &in) == 0);
    CHECK(aglet_read_until(&in, block, sizeof block, aglet_after_ms(2)) == -ETIMEDOUT);
    CHECK(send(out.fd, "before", 6, 0) == 6 && send(out.fd, "!", 1, MSG_OOB) == 1 &&
          send(out.fd, "after", 5, 0) == 5);
    CHECK(aglet_sleep_ms(2) == 0);
    CHECK(aglet_read_until(&in, block, sizeof block, aglet_after_ms(1000)) == 6);
    CHECK(aglet_read_until(&in, block, sizeof block, aglet_after_ms(1000)) == 5);
    aglet_io_close(&in);
    aglet_io_close(&out);
    aglet_io_close(&listener);
    return NULL;
}

static void what_lies_behind_urgent_data_is_read(void **state) {
    (void)state;
    on_each(urgent, NULL);
}

static void *echo_one(void *arg) {
    aglet_io c = *(aglet_io *)arg;
    free(arg);
    char buffer[256];
    ssize_t n;
    while ((n = aglet_read(&c, buffer, sizeof buffer)) > 0)
        if (aglet_write(&c, buffer, (size_t)n) != n)
            break;
    aglet_io_close(&c);
    return NULL;
}

static void *echo_server(void *arg) {
    aglet_io *listener = arg;
    for (;;) {
        aglet_io *c = malloc(sizeof *c);
        int error = aglet_accept(listener, c);
        if (error || aglet_spawn(NULL, echo_one, c)) {
            free(c);
            return (void *)(intptr_t)error;
        }
    }
}

struct client {
    uint16_t port;
    const char *path;
};

static void *echo_client(void *arg) {
    struct client *k = arg;
    aglet_io c;
    int error = k->path ? aglet_unix_connect(&c, k->path, AGLET_FOREVER)
                        : aglet_tcp_connect(&c, "127.0.0.1", k->port, AGLET_FOREVER);
    CHECK(error == 0);
    for (int i = 0; i < 50; i++) {
        char out[64], in[64];
        memset(out, i, sizeof out);
        CHECK(aglet_write(&c, out, sizeof out) == (ssize_t)sizeof out);
        CHECK(aglet_read_all(&c, in, sizeof in) == (ssize_t)sizeof in);
        CHECK(memcmp(out, in, sizeof in) == 0);
    }
    aglet_io_close(&c);
    return NULL;
}

static void *sockets(void *path) {
    aglet_io listener;
    aglet_task *server, *clients[30];
    void *wrong;
    struct client k = {.path = path};
    if (path) {
        unlink(path);
        CHECK(aglet_unix_listen(&listener, path) == 0);
    } else {
        CHECK(aglet_tcp_listen(&listener, "127.0.0.1", 0) == 0);
        k.port = (uint16_t)aglet_tcp_port(&listener);
    }
    CHECK(aglet_spawn(&server, echo_server, &listener) == 0);
    for (int i = 0; i < 30; i++)
        CHECK(aglet_spawn(&clients[i], echo_client, &k) == 0);
    for (int i = 0; i < 30; i++) {
        CHECK(aglet_join(clients[i], &wrong) == 0);
        if (wrong)
            return wrong;
    }
    aglet_abort(server);
    CHECK(aglet_join(server, &wrong) == 0);
    CHECK((intptr_t)wrong == -ECANCELED);
    aglet_io_close(&listener);
    if (path)
        unlink(path);
    else {
        aglet_io c;
        CHECK(aglet_tcp_connect(&c, "127.0.0.1", k.port, AGLET_FOREVER) == -ECONNREFUSED);
    }
    return NULL;
}

static void an_echo_server_answers_all_clients(void **state) {
    (void)state;
    on_each(sockets, NULL);
    char path[64];
    snprintf(path, sizeof path, "/tmp/aglet-test-%d.sock", (int)getpid());
    on_each(sockets, path);
}

static void *lookups(void *arg) {
    (void)arg;
    struct sockaddr_storage addresses[4];
    CHECK(aglet_lookup("localhost", 80, addresses, 4) > 0);
    CHECK(aglet_lookup("::1", 80, addresses, 4) == 1 && addresses[0].ss_family == AF_INET6);
    return NULL;
}

static void names_are_looked_up_beside_the_workers(void **state) {
    (void)state;
    on_each(lookups, NULL);
}

static void *slow_work(void *arg) {
    usleep(20000);
    return (void *)(2 * (uintptr_t)arg);
}

static void *ask_pool(void *arg) {
    void *result;
    CHECK(aglet_run_blocking(slow_work, arg, &result) == 0);
    CHECK(result == (void *)(2 * (uintptr_t)arg));
    return NULL;
}

static void *blocking(void *arg) {
    (void)arg;
    aglet_task *tasks[20];
    void *results[20];
    aglet_time began = aglet_now();
    for (uintptr_t i = 0; i < 20; i++)
        CHECK(aglet_spawn(&tasks[i], ask_pool, (void *)i) == 0);
    CHECK(aglet_join_all(tasks, results, 20) == 0);
    for (int i = 0; i < 20; i++)
        CHECK(results[i] == NULL);
    CHECK(aglet_now() - began < INT64_C(20) * 20000000);
    return NULL;
}

static void blocking_work_runs_side_by_side(void **state) {
    (void)state;
    on_each(blocking, NULL);
}

static atomic_bool may_go_on;

static void *twice_when_told(void *n) {
    while (!atomic_load(&may_go_on))
        usleep(1000);
    return (void *)(2 * (intptr_t)n);
}

static void *count_calls(void *calls) {
    while (!atomic_load(&may_go_on))
        usleep(1000);
    atomic_fetch_add((_Atomic int *)calls, 1);
    return calls;
}

static void *blocking_spawned(void *arg) {
    (void)arg;
    _Atomic int calls = 0;
    aglet_task *task, *crowd[80];
    void *result = NULL;
    atomic_store(&may_go_on, false);
    CHECK(aglet_spawn_blocking(&task, twice_when_told, (void *)21) == 0);
    struct aglet_case first[] = {AGLET_CASE_JOIN(task, &result)};
    CHECK(aglet_select(first, 1, aglet_after_ms(1)) == -ETIMEDOUT);
    atomic_store(&may_go_on, true);
    CHECK(aglet_select(first, 1, aglet_after_ms(5000)) == 0 && result == (void *)42);
    /* More than there are threads: work whose task is aborted either was begun, and is waited for, or never runs. */
    int ran = 0;
    atomic_store(&may_go_on, false);
    for (int i = 0; i < 80; i++)
        CHECK(aglet_spawn_blocking(&crowd[i], count_calls, (void *)&calls) == 0);
    CHECK(aglet_sleep_ms(5) == 0);
    for (int i = 0; i < 80; i++)
        aglet_abort(crowd[i]);
    int spared = 0; /* one that no thread was left for: it ends though the others may not go on */
    while (aglet_join_until(crowd[spared], &result, aglet_after_ms(1)) == -ETIMEDOUT)
        spared = (spared + 1) % 80;
    CHECK(result == NULL);
    atomic_store(&may_go_on, true);
    for (int i = 0; i < 80; i++) {
        if (i == spared)
            continue;
        CHECK(aglet_join(crowd[i], &result) == 0 && (result == NULL || result == (void *)&calls));
        ran += result != NULL;
    }
    CHECK(ran == atomic_load(&calls) && ran < 80);
    CHECK(aglet_spawn_blocking(NULL, count_calls, (void *)&calls) == 0);
    for (int i = 0; i < 5000 && atomic_load(&calls) == ran; i++)
        CHECK(aglet_sleep_ms(1) == 0);
    CHECK(atomic_load(&calls) == ran + 1);
    return NULL;
}

static void blocking_work_has_a_handle(void **state) {
    (void)state;
    on_each(blocking_spawned, NULL);
    aglet_task *task;
    assert_int_equal(aglet_spawn_blocking(&task, slow_work, NULL), -ESRCH);
}

static void *files(void *arg) {
    (void)arg;
    char path[64], other[64], text[8] = {0};
    snprintf(path, sizeof path, "/tmp/aglet-test-%d.a", (int)getpid());
    snprintf(other, sizeof other, "/tmp/aglet-test-%d.b", (int)getpid());
    int fd = aglet_file_open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK(aglet_file_write(fd, "hello", 5, 0) == 5);
    CHECK(aglet_file_sync(fd) == 0);
    CHECK(aglet_file_read(fd, text, 4, 1) == 4 && strcmp(text, "ello") == 0);
    CHECK(aglet_file_close(fd) == 0);
    struct stat st;
    CHECK(aglet_file_rename(path, other) == 0);
    CHECK(aglet_file_stat(other, &st) == 0 && st.st_size == 5);
    CHECK(aglet_file_unlink(other) == 0);
    CHECK(aglet_file_open(other, O_RDONLY, 0) == -ENOENT);
    return NULL;
}

static void file_calls_give_what_the_system_gives(void **state) {
    (void)state;
    on_each(files, NULL);
}

static void *signals(void *arg) {
    (void)arg;
    aglet_signal s;
    CHECK(aglet_signal_open(&s, SIGUSR1) == 0);
    raise(SIGUSR1);
    raise(SIGUSR1);
    CHECK(aglet_signal_next(&s) == 2);
    raise(SIGUSR1);
    CHECK(aglet_signal_next(&s) == 1);
    aglet_signal_close(&s);
    return NULL;
}

static void signals_are_counted_and_awaited(void **state) {
    (void)state;
    on_each(signals, NULL);
}

static void *read_one(void *arg) {
    char c;
    return (void *)(intptr_t)aglet_read(arg, &c, 1);
}

static void *aborted(void *arg) {
    (void)arg;
    aglet_io r, w;
    aglet_task *t;
    void *result;
    CHECK(aglet_pipe(&r, &w) == 0);
    CHECK(aglet_spawn_local(&t, read_one, &r) == 0);
    CHECK(aglet_sleep_ms(1) == 0);
    aglet_abort(t);
    CHECK(aglet_join(t, &result) == 0);
    CHECK((intptr_t)result == -ECANCELED);
    aglet_io_close(&r);
    CHECK(aglet_write(&w, "x", 1) == -EPIPE);
    aglet_io_close(&w);
    return NULL;
}

static void an_aborted_read_lets_go_of_the_descriptor(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    on_each(aborted, NULL);
}

static void threads_block_in_the_same_calls(void **state) {
    (void)state;
    aglet_io r, w;
    pthread_t thread;
    void *wrong;
    char block[5000];
    assert_int_equal(aglet_pipe(&r, &w), 0);
    assert_int_equal(aglet_read_until(&r, block, 1, aglet_after_ms(2)), -ETIMEDOUT);
    pthread_create(&thread, NULL, write_slowly, &w);
    for (int i = 0; i < 200; i++)
        assert_int_equal(aglet_read_all(&r, block, sizeof block), (int)sizeof block);
    pthread_join(thread, &wrong);
    assert_null(wrong);
    aglet_io_close(&r);
}

static void *touch_pipe(void *arg) {
    aglet_io *ends = arg;
    char c = 'x';
    CHECK(aglet_read_until(&ends[0], &c, 1, aglet_after_ms(1)) == -ETIMEDOUT);
    CHECK(aglet_write(&ends[1], &c, 1) == 1);
    CHECK(aglet_read(&ends[0], &c, 1) == 1);
    return NULL;
}

static void a_descriptor_outlives_the_executor_it_was_used_on(void **state) {
    (void)state;
    aglet_io ends[2];
    assert_int_equal(aglet_pipe(&ends[0], &ends[1]), 0);
    for (int i = 0; i < 3; i++)
        on_each(touch_pipe, ends);
    aglet_io_close(&ends[0]);
    aglet_io_close(&ends[1]);
}

/* Garbage, as on a stack: a failed call must leave nothing that a close would take for a descriptor. */
static aglet_io unmade(void) {
    aglet_io io;
    memset(&io, 0x5a, sizeof io);
    return io;
}

static void *fail_to_make(void *arg) {
    (void)arg;
    char long_path[200] = {0};
    memset(long_path, 'a', sizeof long_path - 1);
    aglet_io io[10], listener;
    for (int i = 0; i < 10; i++)
        io[i] = unmade();
    aglet_signal signal = {.io = unmade()};
    CHECK(aglet_tcp_listen(&listener, "127.0.0.1", 0) == 0);
    CHECK(aglet_io_open(&io[0], -1) == -EBADF);
    CHECK(aglet_tcp_listen(&io[1], "no address", 0) == -EINVAL);
    CHECK(aglet_unix_listen(&io[2], long_path) == -ENAMETOOLONG);
    CHECK(aglet_unix_connect(&io[3], long_path, AGLET_FOREVER) == -ENAMETOOLONG);
    CHECK(aglet_unix_connect(&io[4], "/no/such/socket", AGLET_FOREVER) == -ENOENT);
    CHECK(aglet_tcp_connect(&io[5], NULL, 1, AGLET_FOREVER) == -EINVAL);
    CHECK(aglet_accept_until(&listener, &io[6], 0) == -ETIMEDOUT);
    CHECK(aglet_tcp_listen(&io[7], "127.0.0.1", (uint16_t)aglet_tcp_port(&listener)) == -EADDRINUSE);
    CHECK(aglet_signal_open(&signal, 0) == -EINVAL);
    for (int i = 0; i < 8; i++) {
        CHECK(io[i].fd == -1);
        aglet_io_close(&io[i]);
    }
    aglet_signal_close(&signal);
    aglet_io_close(&listener);
    return NULL;
}

static void what_could_not_be_made_is_closed(void **state) {
    (void)state;
    on_each(fail_to_make, NULL);
}

/* However far in the past: no sum of it overflows. */
static void a_deadline_that_has_passed_is_not_waited_for(void **state) {
    (void)state;
    const aglet_time past[] = {INT64_MIN, -1, 0, 1};
    aglet_io reader, writer;
    char byte;
    assert_int_equal(aglet_pipe(&reader, &writer), 0);
    for (size_t i = 0; i < sizeof past / sizeof *past; i++)
        assert_int_equal(aglet_read_until(&reader, &byte, 1, past[i]), -ETIMEDOUT);
    aglet_io_close(&reader);
    aglet_io_close(&writer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_carries_everything_in_order),
        cmocka_unit_test(datagrams_are_read_one_by_one),
        cmocka_unit_test(what_lies_behind_urgent_data_is_read),
        cmocka_unit_test(an_echo_server_answers_all_clients),
        cmocka_unit_test(names_are_looked_up_beside_the_workers),
        cmocka_unit_test(blocking_work_runs_side_by_side),
        cmocka_unit_test(blocking_work_has_a_handle),
        cmocka_unit_test(file_calls_give_what_the_system_gives),
        cmocka_unit_test(signals_are_counted_and_awaited),
        cmocka_unit_test(an_aborted_read_lets_go_of_the_descriptor),
        cmocka_unit_test(a_descriptor_outlives_the_executor_it_was_used_on),
        cmocka_unit_test(threads_block_in_the_same_calls),
        cmocka_unit_test(what_could_not_be_made_is_closed),
        cmocka_unit_test(a_deadline_that_has_passed_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
