/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Types whose manual says what threads may do with them: streams, jump buffers, argument lists, directories, Lua, SQLite, curl. */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct lua_State lua_State; // expected-note {{'lua_State': a Lua state must not be used by two threads at once}}
typedef struct sqlite3 sqlite3;
typedef void CURL; // expected-note {{'CURL': a curl handle must not be used by two threads at once}}
int lua_pcallk(lua_State *L, int n, int results, int handler, long context, void *k);
int sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *argument, char **error);
int curl_easy_perform(CURL *handle);

static void *print(void *arg)
{
    FILE *out = arg;
    fprintf(out, "from the thread\n");
    return NULL;
}

int stream(FILE *out)
{
    pthread_t t;
    if (pthread_create(&t, NULL, print, out) != 0) // no diagnostic: stdio locks each stream itself
        return -1;
    fprintf(out, "from here\n");
    return pthread_join(t, NULL);
}

static void *jump(void *arg)
{
    jmp_buf *back = arg;
    longjmp(*back, 1);
}

int jump_buffer(jmp_buf *back)
{
    pthread_t t;
    if (pthread_create(&t, NULL, jump, back) != 0) // expected-warning {{'jmp_buf' reaches another thread here, and is not Send [aglet-send]}}
        return -1;
    return pthread_join(t, NULL);
}

struct arguments {
    va_list list; // expected-note {{'arguments.list' is a 'va_list': a 'va_list' names arguments on one thread's stack}}
};

static void *take_one(void *arg)
{
    struct arguments *a = arg;
    return va_arg(a->list, void *);
}

int argument_list(int n, ...)
{
    pthread_t t;
    struct arguments a;
    va_start(a.list, n);
    if (pthread_create(&t, NULL, take_one, &a) != 0) // expected-warning {{'struct arguments' reaches another thread here, and is not Send [aglet-send]}}
        abort();
    pthread_join(t, NULL);
    va_end(a.list);
    return n;
}

static void *list(void *arg)
{
    DIR *dir = arg;
    return readdir(dir);
}

int directory(DIR *dir)
{
    pthread_t t;
    if (pthread_create(&t, NULL, list, dir) != 0) // expected-warning {{'dir' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    (void)readdir(dir);
    return pthread_join(t, NULL);
}

int directory_given_away(DIR *dir)
{
    pthread_t t;
    if (pthread_create(&t, NULL, list, dir) != 0) // no diagnostic: Send, though not Sync
        return -1;
    return pthread_join(t, NULL);
}

static void *call(void *arg)
{
    lua_State *L = arg;
    lua_pcallk(L, 0, 0, 0, 0, NULL);
    return NULL;
}

int lua(lua_State *L)
{
    pthread_t t;
    if (pthread_create(&t, NULL, call, L) != 0) // expected-warning {{'L' is used by both threads after this hand-off, unguarded [aglet-sync]}} expected-note {{or give each thread one of its own}}
        return -1;
    lua_pcallk(L, 0, 0, 0, 0, NULL);
    return pthread_join(t, NULL);
}

static void *query(void *arg)
{
    sqlite3 *db = arg;
    sqlite3_exec(db, "select 1", NULL, NULL, NULL);
    return NULL;
}

int database(sqlite3 *db)
{
    pthread_t t;
    if (pthread_create(&t, NULL, query, db) != 0) // no diagnostic: a connection locks itself
        return -1;
    sqlite3_exec(db, "select 2", NULL, NULL, NULL);
    return pthread_join(t, NULL);
}

struct download {
    CURL *curl;
    int number;
};

static void *fetch(void *arg)
{
    struct download *d = arg;
    curl_easy_perform(d->curl);
    return NULL;
}

int one_handle_for_all(CURL *curl)
{
    pthread_t threads[4];
    struct download downloads[4];
    for (int i = 0; i < 4; i++) {
        downloads[i] = (struct download){curl, i};
        if (pthread_create(&threads[i], NULL, fetch, &downloads[i]) != 0) // expected-warning {{'curl' is shared by several threads with nothing to guard it [aglet-sync]}}
            abort();
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

/* Storage of one thread. */
static _Thread_local int depth; // expected-note {{each thread has a 'depth' of its own, which goes when that thread ends}}

static void *reset(void *arg)
{
    *(int *)arg = 0;
    return NULL;
}

int thread_local_storage(void)
{
    pthread_t t;
    if (pthread_create(&t, NULL, reset, &depth) != 0) // expected-warning {{the address of thread-local 'depth' reaches another thread here [aglet-send]}}
        return -1;
    return pthread_join(t, NULL);
}
