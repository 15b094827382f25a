/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet/await.h: whatever a stackful task can wait for, a stackless one can; each is waited for, comes, times
 * out and is aborted. Stands on on_each.h. */
#include "on_each.h"

#include "aglet/await.h"
#include "aglet/blocking.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

AGLET_CHANNEL(numbers, long);
AGLET_BROADCAST(news, long);
AGLET_WATCH(setting, long);

/* Everything a waiter below may wait for; each test sets up what it needs. */
static struct {
    aglet_async_mutex mu;
    aglet_async_cond cond;
    aglet_async_rwlock rw;
    aglet_async_semaphore permits;
    aglet_async_once once;
    aglet_io in, out, listener;
    aglet_signal signal;
    aglet_group group;
    aglet_task *child;
    numbers_sender tx;
    numbers_receiver rx;
    news_receiver paper;
    setting_receiver watched;
    struct sockaddr_storage address;
    char byte;
} it;

enum what {
    SLEEP,
    JOIN,
    JOIN_ALL,
    GROUP,
    RECV,
    SEND,
    RECV_MANY,
    NEWS,
    WATCH,
    SELECT,
    SELECT_IO,
    MUTEX,
    READ_LOCK,
    WRITE_LOCK,
    PERMIT,
    COND,
    READ,
    READ_ALL,
    READV,
    READABLE,
    ACCEPT,
    SIGNAL,
    WHATS
};
static const char *const names[] = {"sleep",     "join",       "join_all", "group",  "recv",      "send",
                                    "recv_many", "news",       "watch",    "select", "select io", "mutex",
                                    "read lock", "write lock", "permit",   "cond",   "read",      "read_all",
                                    "readv",     "readable",   "accept",   "signal"};
_Static_assert(COUNT(names) == WHATS, "a name for each");

struct waiter {
    AGLET_FRAME_HEADER;
    enum what what;
    aglet_time deadline;
    int result;
    long value, values[4];
    aglet_task *tasks[1];
    struct aglet_case cases[2];
    struct iovec parts[1];
    aglet_io connection;
};

AGLET_STACKLESS(wait_for, struct waiter) {
    struct aglet_frame *a = &f->aglet_;
    AGLET_BEGIN(f);
    if (f->what == SLEEP)
        AGLET_AWAIT(f, f->result, aglet_sleep_poll(a, AGLET_FOREVER));
    if (f->what == JOIN)
        AGLET_AWAIT(f, f->result, aglet_join_until_poll(a, it.child, NULL, f->deadline));
    if (f->what == JOIN_ALL) {
        f->tasks[0] = it.child;
        AGLET_AWAIT(f, f->result, aglet_join_all_poll(a, f->tasks, NULL, 1));
    }
    if (f->what == GROUP)
        AGLET_AWAIT(f, f->result, aglet_group_join_poll(a, &it.group));
    if (f->what == RECV)
        AGLET_AWAIT(f, f->result, aglet_recv_until_poll(a, &it.rx, &f->value, f->deadline));
    if (f->what == SEND)
        AGLET_AWAIT(f, f->result, aglet_send_until_poll(a, &it.tx, &f->value, f->deadline));
    if (f->what == RECV_MANY)
        AGLET_AWAIT(f, f->result, aglet_recv_many_poll(a, &it.rx, f->values, 4));
    if (f->what == NEWS)
        AGLET_AWAIT(f, f->result, news_recv_poll(a, &it.paper, &f->value, f->deadline));
    if (f->what == WATCH)
        AGLET_AWAIT(f, f->result, setting_recv_poll(a, &it.watched, &f->value, f->deadline));
    if (f->what == SELECT || f->what == SELECT_IO) {
        f->cases[0] = f->what == SELECT ? (struct aglet_case)AGLET_CASE_RECV(&it.rx, &f->value)
                                        : (struct aglet_case)AGLET_CASE_READABLE(&it.in);
        f->cases[1] = (struct aglet_case)AGLET_CASE_NEVER;
        AGLET_AWAIT(f, f->result, aglet_select_poll(a, f->cases, 2, f->deadline));
    }
    if (f->what == MUTEX) {
        AGLET_AWAIT(f, f->result, aglet_async_mutex_lock_poll(a, &it.mu, f->deadline));
        if (!f->result)
            aglet_async_mutex_unlock(&it.mu);
    }
    if (f->what == READ_LOCK) {
        AGLET_AWAIT(f, f->result, aglet_async_rwlock_read_poll(a, &it.rw, f->deadline));
        if (!f->result)
            aglet_async_rwlock_unlock(&it.rw);
    }
    if (f->what == WRITE_LOCK) {
        AGLET_AWAIT(f, f->result, aglet_async_rwlock_write_poll(a, &it.rw, f->deadline));
        if (!f->result)
            aglet_async_rwlock_unlock(&it.rw);
    }
    if (f->what == PERMIT)
        AGLET_AWAIT(f, f->result, aglet_async_semaphore_take_poll(a, &it.permits, f->deadline));
    if (f->what == COND) {
        AGLET_AWAIT(f, f->result, aglet_async_mutex_lock_poll(a, &it.mu, AGLET_FOREVER));
        if (f->result)
            AGLET_RETURN(f, (void *)(intptr_t)f->result);
        AGLET_AWAIT(f, f->result, aglet_async_cond_wait_poll(a, &it.cond, &it.mu, f->deadline));
        if (aglet_async_mutex_try_lock(&it.mu))
            AGLET_RETURN(f, (void *)(intptr_t)-EDOM); /* it was not held on return */
        aglet_async_mutex_unlock(&it.mu);
    }
    if (f->what == READ)
        AGLET_AWAIT(f, f->result, aglet_read_poll(a, &it.in, &it.byte, 1, f->deadline));
    if (f->what == READ_ALL)
        AGLET_AWAIT(f, f->result, aglet_read_all_poll(a, &it.in, f->values, 2, f->deadline));
    if (f->what == READV) {
        f->parts[0] = (struct iovec){f->values, 4};
        AGLET_AWAIT(f, f->result, aglet_readv_poll(a, &it.in, f->parts, 1, f->deadline));
    }
    if (f->what == READABLE)
        AGLET_AWAIT(f, f->result, aglet_readable_poll(a, &it.in, f->deadline));
    if (f->what == ACCEPT) {
        AGLET_AWAIT(f, f->result, aglet_accept_poll(a, &it.listener, &f->connection, f->deadline));
        if (!f->result)
            aglet_io_close(&f->connection);
    }
    if (f->what == SIGNAL)
        AGLET_AWAIT(f, f->result, aglet_signal_poll(a, &it.signal));
    AGLET_RETURN(f, (void *)(intptr_t)f->result);
    AGLET_END(f);
}

static void *sleep_long(void *arg) {
    (void)arg;
    return (void *)(intptr_t)aglet_sleep_ms(60000);
}

static bool has_deadline(enum what what) {
    return what != SLEEP && what != JOIN_ALL && what != GROUP && what != RECV_MANY && what != SIGNAL;
}

static void *set_up(enum what what, news_sender *press, setting_sender *setter) {
    memset(&it, 0, sizeof it);
    it.permits = (aglet_async_semaphore)AGLET_ASYNC_SEMAPHORE_INIT(0);
    CHECK(numbers_bounded(&it.tx, &it.rx, 1) == 0);
    if (what == SEND)
        CHECK(numbers_send(&it.tx, 1) == 0);
    CHECK(news_open(press, 4) == 0 && setting_open(setter, 1) == 0);
    it.paper = news_subscribe(press);
    it.watched = setting_subscribe(setter);
    CHECK(aglet_pipe(&it.in, &it.out) == 0);
    CHECK(aglet_tcp_listen(&it.listener, "127.0.0.1", 0) == 0);
    CHECK(aglet_signal_open(&it.signal, SIGUSR2) == 0);
    if (what == JOIN || what == JOIN_ALL)
        CHECK(aglet_spawn(&it.child, sleep_long, NULL) == 0);
    if (what == GROUP)
        CHECK(aglet_group_spawn(&it.group, sleep_long, NULL) == 0);
    if (what == MUTEX)
        CHECK(aglet_async_mutex_try_lock(&it.mu));
    if (what == READ_LOCK || what == WRITE_LOCK)
        CHECK(aglet_async_rwlock_write(&it.rw, AGLET_FOREVER) == 0);
    return NULL;
}

static void tear_down(enum what what, news_sender *press, setting_sender *setter) {
    numbers_drop(&it.tx);
    numbers_drop_receiver(&it.rx);
    news_leave(&it.paper);
    setting_leave(&it.watched);
    news_drop(press);
    setting_drop(setter);
    aglet_io_close(&it.in);
    aglet_io_close(&it.out);
    aglet_io_close(&it.listener);
    aglet_signal_close(&it.signal);
    if (what == MUTEX)
        aglet_async_mutex_unlock(&it.mu);
    if (what == READ_LOCK || what == WRITE_LOCK)
        aglet_async_rwlock_unlock(&it.rw);
}

/* Make what the waiter waits for happen. */
static void *let_it_come(enum what what, news_sender *press, setting_sender *setter) {
    long value;
    aglet_io client;
    switch (what) {
    case JOIN:
    case JOIN_ALL: aglet_abort(it.child); break;
    case GROUP: aglet_group_abort(&it.group); break;
    case RECV:
    case RECV_MANY:
    case SELECT: CHECK(numbers_send(&it.tx, 7) == 0); break;
    case SEND: CHECK(numbers_recv(&it.rx, &value) == 0 && value == 1); break;
    case NEWS: CHECK(news_send(press, 7) == 0); break;
    case WATCH: CHECK(setting_send(setter, 7) == 0); break;
    case MUTEX: aglet_async_mutex_unlock(&it.mu); break;
    case READ_LOCK:
    case WRITE_LOCK: aglet_async_rwlock_unlock(&it.rw); break;
    case PERMIT: aglet_async_semaphore_give(&it.permits, 1); break;
    case COND:
        CHECK(aglet_async_mutex_lock(&it.mu) == 0);
        aglet_async_cond_signal(&it.cond);
        aglet_async_mutex_unlock(&it.mu);
        break;
    case READ:
    case READV:
    case READABLE:
    case SELECT_IO: CHECK(aglet_write(&it.out, "x", 1) == 1); break;
    case READ_ALL:
        CHECK(aglet_write(&it.out, "x", 1) == 1);
        CHECK(aglet_sleep_ms(1) == 0);
        CHECK(aglet_write(&it.out, "y", 1) == 1);
        break;
    case ACCEPT:
        CHECK(aglet_tcp_connect(&client, "127.0.0.1", (uint16_t)aglet_tcp_port(&it.listener),
                                aglet_after_ms(2000)) == 0);
        aglet_io_close(&client);
        break;
    case SIGNAL:
        raise(SIGUSR2); /* kill may choose a thread in a system call that ThreadSanitizer does not know */
        break;
    default: break;
    }
    return NULL;
}

static int result_of(enum what what) {
    return what == READ || what == READV || what == SIGNAL || what == RECV_MANY ? 1
           : what == READ_ALL                                                   ? 2
                                                                                : 0;
}

enum end { COMES, COMES_EARLY, TIMES_OUT, ABORTED };

static void *wait_once(enum what what, enum end end) {
    news_sender press;
    setting_sender setter;
    aglet_task *t;
    void *result, *wrong;
    struct waiter frame = {.what = what, .deadline = end == TIMES_OUT ? aglet_after_ms(3) : AGLET_FOREVER};
    if (end == COMES && has_deadline(what))
        frame.deadline = aglet_after_ms(5000); /* both an end and a deadline */
    if ((wrong = set_up(what, &press, &setter)))
        return wrong;
    if (end == COMES_EARLY && what != COND && (wrong = let_it_come(what, &press, &setter)))
        return wrong;
    CHECK(wait_for_spawn(&t, frame) == 0);
    CHECK(aglet_sleep_ms(1) == 0);
    if (end == ABORTED)
        aglet_abort(t);
    if ((end == COMES || (end == COMES_EARLY && what == COND)) &&
        (wrong = let_it_come(what, &press, &setter)))
        return wrong;
    CHECK(aglet_join(t, &result) == 0);
    int want = end == TIMES_OUT ? -ETIMEDOUT : end == ABORTED ? -ECANCELED : result_of(what);
    if ((int)(intptr_t)result != want) {
        print_error("%s, end %d: %d instead of %d\n", names[what], end, (int)(intptr_t)result, want);
        return "a wrong result";
    }
    if (end == TIMES_OUT || end == ABORTED) {
        if (what == JOIN || what == JOIN_ALL) {
            aglet_abort(it.child);
            CHECK(aglet_join(it.child, NULL) == 0);
        }
        tear_down(what, &press, &setter);
    } else {
        tear_down(SLEEP, &press, &setter);
    }
    return NULL;
}

static void *wait_for_each(void *end) {
    for (int what = 0; what < WHATS; what++) {
        enum end e = (enum end)(uintptr_t)end;
        bool possible = e == ABORTED || (e == TIMES_OUT ? has_deadline(what) : what != SLEEP);
        void *wrong = possible ? wait_once(what, e) : NULL;
        if (wrong) {
            print_error("waiting for %s\n", names[what]);
            return wrong;
        }
    }
    return NULL;
}

static void what_is_waited_for_comes(void **state) {
    (void)state;
    on_each(wait_for_each, (void *)(uintptr_t)COMES);
}
static void what_is_there_is_not_waited_for(void **state) {
    (void)state;
    on_each(wait_for_each, (void *)(uintptr_t)COMES_EARLY);
}
static void deadlines_end_waits(void **state) {
    (void)state;
    on_each(wait_for_each, (void *)(uintptr_t)TIMES_OUT);
}
static void aborts_end_waits(void **state) {
    (void)state;
    on_each(wait_for_each, (void *)(uintptr_t)ABORTED);
}

/* An echo server and its clients, stackless throughout. */
struct conversation {
    AGLET_FRAME_HEADER;
    aglet_io io;
    uint16_t port;
    const char *path;
    int n, i, error;
    size_t size;
    char *buffer;
};

AGLET_STACKLESS(echo, struct conversation) {
    AGLET_BEGIN(f);
    for (;;) {
        AGLET_AWAIT(f, f->n, aglet_read_poll(&f->aglet_, &f->io, f->buffer, f->size, AGLET_FOREVER));
        if (f->n <= 0)
            break;
        AGLET_AWAIT(f, f->error,
                    aglet_write_poll(&f->aglet_, &f->io, f->buffer, (size_t)f->n, AGLET_FOREVER));
        if (f->error < 0)
            break;
    }
    aglet_io_close(&f->io);
    free(f->buffer);
    AGLET_END(f);
}

enum { ROUNDS = 20, BLOCK = 100000 };

AGLET_STACKLESS(ask, struct conversation) {
    AGLET_BEGIN(f);
    if (f->path)
        AGLET_AWAIT(f, f->error, aglet_unix_connect_poll(&f->aglet_, &f->io, f->path, aglet_after_ms(5000)));
    else
        AGLET_AWAIT(f, f->error,
                    aglet_tcp_connect_poll(&f->aglet_, &f->io, "localhost", f->port, aglet_after_ms(5000)));
    if (f->error)
        AGLET_RETURN(f, "connect");
    for (f->i = 0; f->i < ROUNDS && !f->error; f->i++) {
        memset(f->buffer, 'a' + f->i, f->size);
        AGLET_AWAIT(f, f->n, aglet_write_poll(&f->aglet_, &f->io, f->buffer, f->size, AGLET_FOREVER));
        memset(f->buffer, 0, f->size);
        AGLET_AWAIT(f, f->n, aglet_read_all_poll(&f->aglet_, &f->io, f->buffer, f->size, AGLET_FOREVER));
        f->error = f->n != (int)f->size || f->buffer[0] != 'a' + f->i || f->buffer[f->size - 1] != 'a' + f->i;
    }
    aglet_io_close(&f->io);
    free(f->buffer);
    AGLET_RETURN(f, f->error ? (void *)(uintptr_t) "echo" : NULL);
    AGLET_END(f);
}

struct server {
    AGLET_FRAME_HEADER;
    aglet_io *listener;
    aglet_io connection;
    int error;
};

AGLET_STACKLESS(serve, struct server) {
    AGLET_BEGIN(f);
    for (;;) {
        AGLET_AWAIT(f, f->error, aglet_accept_poll(&f->aglet_, f->listener, &f->connection, AGLET_FOREVER));
        if (f->error)
            break;
        if (echo_spawn(NULL,
                       (struct conversation){.io = f->connection, .size = 4096, .buffer = malloc(4096)}))
            aglet_io_close(&f->connection);
    }
    AGLET_END(f);
}

/* The writer has no room until the reader reads, so writes wait too: a block is larger than the socket's
 * buffers need be. */
static void *converse(void *path) {
    enum { CLIENTS = 8 };
    aglet_io listener;
    aglet_task *server, *clients[CLIENTS];
    void *results[CLIENTS];
    if (path)
        (void)unlink(path);
    CHECK((path ? aglet_unix_listen(&listener, path) : aglet_tcp_listen(&listener, NULL, 0)) == 0);
    int port = path ? 0 : aglet_tcp_port(&listener);
    CHECK(serve_spawn(&server, (struct server){.listener = &listener}) == 0);
    for (int i = 0; i < CLIENTS; i++)
        CHECK(ask_spawn(&clients[i], (struct conversation){.port = (uint16_t)port,
                                                           .path = path,
                                                           .size = i ? 1000 : 50,
                                                           .buffer = malloc(1000)}) == 0);
    CHECK(aglet_join_all(clients, results, CLIENTS) == 0);
    for (int i = 0; i < CLIENTS; i++)
        if (results[i])
            return results[i];
    aglet_abort(server);
    CHECK(aglet_join(server, NULL) == 0);
    aglet_io_close(&listener);
    if (path)
        (void)unlink(path);
    return NULL;
}

static void stackless_tasks_serve_and_call_tcp(void **state) {
    (void)state;
    on_each(converse, NULL);
}

static void stackless_tasks_serve_and_call_unix_sockets(void **state) {
    static char path[64];
    (void)state;
    snprintf(path, sizeof path, "/tmp/aglet-await-%d", (int)getpid());
    on_each(converse, path);
}

struct pouring {
    AGLET_FRAME_HEADER;
    aglet_io *io;
    char *buffer;
    int n;
};

AGLET_STACKLESS(pour, struct pouring) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->n, aglet_write_poll(&f->aglet_, f->io, f->buffer, 10 * BLOCK, aglet_after_ms(10000)));
    aglet_io_close(f->io);
    AGLET_RETURN(f, (void *)(intptr_t)f->n);
    AGLET_END(f);
}

static void *much(void *arg) {
    static char block[10 * BLOCK], got[10 * BLOCK];
    aglet_io r, w;
    aglet_task *t;
    void *n;
    (void)arg;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i * 7 + i / 251);
    memset(got, 0, sizeof got);
    CHECK(aglet_pipe(&r, &w) == 0);
    CHECK(pour_spawn(&t, (struct pouring){.io = &w, .buffer = block}) == 0);
    CHECK(aglet_sleep_ms(1) == 0);
    CHECK(aglet_read_all(&r, got, sizeof got) == (ssize_t)sizeof got);
    CHECK(memcmp(block, got, sizeof got) == 0);
    CHECK(aglet_join(t, &n) == 0 && (intptr_t)n == 10 * BLOCK);
    aglet_io_close(&r);
    return NULL;
}

static void a_write_goes_on_where_it_had_to_wait(void **state) {
    (void)state;
    on_each(much, NULL);
}

static void *double_it(void *n) {
    usleep(2000);
    return (void *)(2 * (intptr_t)n);
}

struct clerk {
    AGLET_FRAME_HEADER;
    const char *path, *other;
    int fd, n;
    char text[6];
    void *doubled;
    struct stat st;
    struct sockaddr_storage addresses[4];
};

/* Blocking work, names and files, in one stackless task. */
AGLET_STACKLESS(file_away, struct clerk) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->n, aglet_run_blocking_poll(&f->aglet_, double_it, (void *)21, &f->doubled));
    if (f->n || f->doubled != (void *)42)
        AGLET_RETURN(f, "blocking work");
    AGLET_AWAIT(f, f->n, aglet_lookup_poll(&f->aglet_, "127.0.0.1", 80, f->addresses, 4));
    if (f->n != 1)
        AGLET_RETURN(f, "an address");
    AGLET_AWAIT(f, f->n, aglet_lookup_poll(&f->aglet_, "localhost", 80, f->addresses, 4));
    if (f->n < 1)
        AGLET_RETURN(f, "localhost");
    AGLET_AWAIT(f, f->n, aglet_lookup_poll(&f->aglet_, "no such host.invalid", 80, f->addresses, 4));
    if (f->n >= 0)
        AGLET_RETURN(f, "an unknown name");
    AGLET_AWAIT(f, f->fd, aglet_file_open_poll(&f->aglet_, f->path, O_RDWR | O_CREAT | O_TRUNC, 0600));
    if (f->fd < 0)
        AGLET_RETURN(f, "open");
    AGLET_AWAIT(f, f->n, aglet_file_write_poll(&f->aglet_, f->fd, "hello", 5, 0));
    if (f->n != 5)
        AGLET_RETURN(f, "write");
    AGLET_AWAIT(f, f->n, aglet_file_sync_poll(&f->aglet_, f->fd));
    if (f->n)
        AGLET_RETURN(f, "sync");
    AGLET_AWAIT(f, f->n, aglet_file_read_poll(&f->aglet_, f->fd, f->text, 5, 0));
    if (f->n != 5 || strcmp(f->text, "hello") != 0)
        AGLET_RETURN(f, "read");
    AGLET_AWAIT(f, f->n, aglet_file_close_poll(&f->aglet_, f->fd));
    if (f->n)
        AGLET_RETURN(f, "close");
    AGLET_AWAIT(f, f->n, aglet_file_rename_poll(&f->aglet_, f->path, f->other));
    if (f->n)
        AGLET_RETURN(f, "rename");
    AGLET_AWAIT(f, f->n, aglet_file_stat_poll(&f->aglet_, f->other, &f->st));
    if (f->n || f->st.st_size != 5)
        AGLET_RETURN(f, "stat");
    AGLET_AWAIT(f, f->n, aglet_file_unlink_poll(&f->aglet_, f->other));
    if (f->n)
        AGLET_RETURN(f, "unlink");
    AGLET_AWAIT(f, f->n, aglet_file_unlink_poll(&f->aglet_, f->other));
    if (f->n != -ENOENT)
        AGLET_RETURN(f, "unlink of nothing");
    AGLET_RETURN(f, NULL);
    AGLET_END(f);
}

static void *clerks(void *arg) {
    char path[64], other[80];
    aglet_task *t;
    void *wrong;
    (void)arg;
    snprintf(path, sizeof path, "/tmp/aglet-await-file-%d", (int)getpid());
    snprintf(other, sizeof other, "%s.2", path);
    CHECK(file_away_spawn(&t, (struct clerk){.path = path, .other = other}) == 0);
    CHECK(aglet_join(t, &wrong) == 0);
    return wrong;
}

static void blocking_work_names_and_files_are_awaited(void **state) {
    (void)state;
    on_each(clerks, NULL);
}

static atomic_int made, tried;

struct maker {
    AGLET_FRAME_HEADER;
    int error;
};

/* Two fail at it, the third does it; and the making itself waits. */
AGLET_STACKLESS(make_once, struct maker) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_async_once_begin_poll(&f->aglet_, &it.once));
    if (f->error == 1) {
        AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(1)));
        f->error = atomic_fetch_add(&tried, 1) < 2 ? -EIO : 0;
        if (!f->error)
            atomic_fetch_add(&made, 1);
        aglet_async_once_end(&it.once, f->error);
    } else if (f->error == 0 && !atomic_load(&made)) {
        f->error = -EDOM;
    }
    AGLET_RETURN(f, (void *)(intptr_t)f->error);
    AGLET_END(f);
}

static void *once(void *arg) {
    aglet_task *tasks[10];
    void *results[10];
    int failed = 0;
    (void)arg;
    memset(&it, 0, sizeof it);
    atomic_store(&made, 0);
    atomic_store(&tried, 0);
    for (int i = 0; i < 10; i++)
        CHECK(make_once_spawn(&tasks[i], (struct maker){.error = 0}) == 0);
    CHECK(aglet_join_all(tasks, results, 10) == 0);
    for (int i = 0; i < 10; i++) {
        CHECK((intptr_t)results[i] == 0 || (intptr_t)results[i] == -EIO);
        failed += results[i] != NULL;
    }
    CHECK(failed == 2 && atomic_load(&made) == 1 && atomic_load(&tried) == 3);
    return NULL;
}

static void a_once_may_await_in_the_middle(void **state) {
    (void)state;
    on_each(once, NULL);
}

struct hurry {
    AGLET_FRAME_HEADER;
    int error;
    void *result;
    aglet_interval every;
    aglet_time begun;
    atomic_bool *at_last; /* set where it waits for its abort */
};

static void *sleep_a_little(void *arg) {
    (void)aglet_sleep_ms(1);
    return arg;
}

AGLET_STACKLESS(hurry, struct hurry) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error,
                aglet_timeout_poll(&f->aglet_, sleep_a_little, (void *)3, aglet_after_ms(5000), &f->result));
    if (f->error || f->result != (void *)3)
        AGLET_RETURN(f, "a task in time");
    AGLET_AWAIT(f, f->error, aglet_timeout_poll(&f->aglet_, sleep_long, NULL, aglet_after_ms(2), &f->result));
    if (f->error != -ETIMEDOUT)
        AGLET_RETURN(f, "a task that takes too long");
    f->every = aglet_interval_ms(2);
    f->begun = aglet_now();
    for (f->error = 0; f->error == 0 && aglet_now() < f->begun + 7000000;)
        AGLET_AWAIT(f, f->error, aglet_interval_poll(&f->aglet_, &f->every));
    if (f->error)
        AGLET_RETURN(f, "an interval");
    atomic_store(f->at_last, true);
    AGLET_AWAIT(f, f->error, aglet_timeout_poll(&f->aglet_, sleep_long, NULL, aglet_after_ms(60000), NULL));
    AGLET_RETURN(f, f->error == -ECANCELED ? NULL : (void *)(uintptr_t) "an abort");
    AGLET_END(f);
}

static void *hurried(void *arg) {
    aglet_task *t;
    void *wrong;
    atomic_bool at_last = false;
    (void)arg;
    CHECK(hurry_spawn(&t, (struct hurry){.at_last = &at_last}) == 0);
    for (int i = 0; i < 20000 && !atomic_load(&at_last); i++)
        CHECK(aglet_sleep_ms(1) == 0);
    CHECK(aglet_sleep_ms(5) == 0);
    aglet_abort(t);
    CHECK(aglet_join(t, &wrong) == 0);
    return wrong;
}

static void timeouts_and_intervals_are_awaited(void **state) {
    (void)state;
    on_each(hurried, NULL);
}

/* Each waits for all others, so all must run, though the pool has idle threads for all but one. */
enum { MEETING = 12 };
static atomic_int met;
static void *meet(void *count) {
    atomic_fetch_add(&met, 1);
    for (int i = 0; i < 5000 && atomic_load(&met) < (int)(intptr_t)count; i++)
        usleep(1000);
    return atomic_load(&met) == (int)(intptr_t)count ? count : NULL;
}

static void *meet_there(void *count) {
    void *result = NULL;
    return aglet_run_blocking(meet, count, &result) == 0 ? result : NULL;
}

static void *meetings(void *arg) {
    (void)arg;
    for (int n = 2; n <= MEETING; n++) {
        aglet_task *tasks[MEETING];
        void *results[MEETING];
        atomic_store(&met, 0);
        for (int k = 0; k < n; k++)
            CHECK(aglet_spawn(&tasks[k], meet_there, (void *)(intptr_t)n) == 0);
        CHECK(aglet_join_all(tasks, results, (size_t)n) == 0);
        for (int k = 0; k < n; k++)
            CHECK(results[k]);
        CHECK(aglet_sleep_ms(1) == 0); /* now the threads are idle */
    }
    return NULL;
}

static void pieces_of_blocking_work_may_wait_for_each_other(void **state) {
    (void)state;
    on_each(meetings, NULL);
}

/* Many stackless tasks under one mutex held across awaits, with a condition that says who is next. */
enum { PLAYERS = 20, TURNS = 10 };
static long turn;

struct player {
    AGLET_FRAME_HEADER;
    long number, i;
    int error;
};

AGLET_STACKLESS(play, struct player) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < TURNS; f->i++) {
        AGLET_AWAIT(f, f->error, aglet_async_mutex_lock_poll(&f->aglet_, &it.mu, AGLET_FOREVER));
        if (f->error)
            AGLET_RETURN(f, "lock");
        while (turn % PLAYERS != f->number) {
            AGLET_AWAIT(f, f->error, aglet_async_cond_wait_poll(&f->aglet_, &it.cond, &it.mu, AGLET_FOREVER));
            if (f->error) {
                aglet_async_mutex_unlock(&it.mu);
                AGLET_RETURN(f, "wait");
            }
        }
        turn++;
        aglet_async_cond_broadcast(&it.cond);
        aglet_async_mutex_unlock(&it.mu);
    }
    AGLET_RETURN(f, NULL);
    AGLET_END(f);
}

static void *game(void *arg) {
    aglet_task *tasks[PLAYERS];
    void *results[PLAYERS];
    (void)arg;
    memset(&it, 0, sizeof it);
    turn = 0;
    for (long i = 0; i < PLAYERS; i++)
        CHECK(play_spawn(&tasks[i], (struct player){.number = i}) == 0);
    CHECK(aglet_join_all(tasks, results, PLAYERS) == 0);
    for (int i = 0; i < PLAYERS; i++)
        if (results[i])
            return results[i];
    CHECK(turn == PLAYERS * TURNS);
    return NULL;
}

static void players_take_turns_under_an_async_mutex(void **state) {
    (void)state;
    on_each(game, NULL);
}

/* Random awaits of every async lock, with deadlines about as long as the waits, and aborts: afterwards all
 * are free. */
struct gambler {
    AGLET_FRAME_HEADER;
    int i, error;
    uint32_t dice;
};
enum { GAMBLERS = 100 };
static long inside;

AGLET_STACKLESS(gamble, struct gambler) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < 50; f->i++) {
        f->dice = f->dice * 1664525u + 1013904223u;
        if (f->dice >> 30 == 0) {
            AGLET_AWAIT(f, f->error,
                        aglet_async_mutex_lock_poll(&f->aglet_, &it.mu, aglet_after_ns(f->dice % 200000)));
            if (f->error)
                continue;
            f->error = ++inside != 1;
            if (f->error)
                AGLET_RETURN(f, "two at once");
            AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
            inside--;
            aglet_async_mutex_unlock(&it.mu);
        } else if (f->dice >> 30 == 1) {
            AGLET_AWAIT(
                f, f->error,
                aglet_async_semaphore_take_poll(&f->aglet_, &it.permits, aglet_after_ns(f->dice % 200000)));
            if (f->error)
                continue;
            AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
            aglet_async_semaphore_give(&it.permits, 1);
        } else if (f->dice >> 30 == 2) {
            if (f->dice >> 29 & 1)
                AGLET_AWAIT(
                    f, f->error,
                    aglet_async_rwlock_read_poll(&f->aglet_, &it.rw, aglet_after_ns(f->dice % 200000)));
            else
                AGLET_AWAIT(
                    f, f->error,
                    aglet_async_rwlock_write_poll(&f->aglet_, &it.rw, aglet_after_ns(f->dice % 200000)));
            if (f->error)
                continue;
            AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
            aglet_async_rwlock_unlock(&it.rw);
        } else {
            AGLET_AWAIT(f, f->error, aglet_async_mutex_lock_poll(&f->aglet_, &it.mu, AGLET_FOREVER));
            if (f->error)
                continue;
            AGLET_AWAIT(
                f, f->error,
                aglet_async_cond_wait_poll(&f->aglet_, &it.cond, &it.mu, aglet_after_ns(f->dice % 200000)));
            if (f->dice & 64)
                aglet_async_cond_signal(&it.cond);
            else
                aglet_async_cond_broadcast(&it.cond);
            aglet_async_mutex_unlock(&it.mu);
        }
    }
    AGLET_RETURN(f, NULL);
    AGLET_END(f);
}

static void *gamblers(void *arg) {
    aglet_task *tasks[GAMBLERS];
    void *results[GAMBLERS];
    (void)arg;
    memset(&it, 0, sizeof it);
    it.permits = (aglet_async_semaphore)AGLET_ASYNC_SEMAPHORE_INIT(1);
    inside = 0;
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < GAMBLERS; i++)
            CHECK(gamble_spawn(&tasks[i], (struct gambler){.dice = i * 7919u + round}) == 0);
        for (int i = 0; i < GAMBLERS; i += 3) {
            CHECK(aglet_sleep_until(aglet_after_ns(50000)) == 0);
            aglet_abort(tasks[i]);
        }
        CHECK(aglet_join_all(tasks, results, GAMBLERS) == 0);
        for (int i = 0; i < GAMBLERS; i++)
            if (results[i])
                return results[i];
        CHECK(aglet_async_mutex_try_lock(&it.mu));
        aglet_async_mutex_unlock(&it.mu);
        CHECK(aglet_async_semaphore_try_take(&it.permits) && !aglet_async_semaphore_try_take(&it.permits));
        aglet_async_semaphore_give(&it.permits, 1);
        CHECK(aglet_async_rwlock_write(&it.rw, aglet_after_ms(1000)) == 0);
        aglet_async_rwlock_unlock(&it.rw);
    }
    return NULL;
}

static void random_awaits_lose_no_lock(void **state) {
    (void)state;
    on_each(gamblers, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_waited_for_comes),
        cmocka_unit_test(what_is_there_is_not_waited_for),
        cmocka_unit_test(deadlines_end_waits),
        cmocka_unit_test(aborts_end_waits),
        cmocka_unit_test(stackless_tasks_serve_and_call_tcp),
        cmocka_unit_test(stackless_tasks_serve_and_call_unix_sockets),
        cmocka_unit_test(a_write_goes_on_where_it_had_to_wait),
        cmocka_unit_test(blocking_work_names_and_files_are_awaited),
        cmocka_unit_test(a_once_may_await_in_the_middle),
        cmocka_unit_test(timeouts_and_intervals_are_awaited),
        cmocka_unit_test(pieces_of_blocking_work_may_wait_for_each_other),
        cmocka_unit_test(players_take_turns_under_an_async_mutex),
        cmocka_unit_test(random_awaits_lose_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
