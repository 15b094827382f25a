/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* send-across-yield: what a task keeps while it may change threads, each wrong and right. */
#include <aglet/executor.h>
#include <aglet/stackless.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

/* ---- stackless tasks: members of the frame ---- */
struct AGLET_NOT_SEND("the library keeps it in a table of the thread") cursor {
    int at;
};
struct cursor *cursor_open(void);
int cursor_next(struct cursor *c);
void cursor_close(struct cursor *c);

struct reader {
    AGLET_FRAME_HEADER;
    struct cursor *AGLET_OWNED cursor;
    int error, n;
};
AGLET_STACKLESS(reader, struct reader) {
    AGLET_BEGIN(f);
    f->cursor = cursor_open();
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // expected-warning {{'cursor' is kept while the task may change threads, and is not Send [aglet-send-across-yield]}}
    f->n = cursor_next(f->cursor);
    cursor_close(f->cursor);
    AGLET_END(f);
}
AGLET_STACKLESS(reader_mended, struct reader) {
    AGLET_BEGIN(f);
    f->cursor = cursor_open();
    f->n = cursor_next(f->cursor);
    cursor_close(f->cursor);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // no diagnostic: nothing reads the cursor after it
    f->cursor = cursor_open();
    cursor_close(f->cursor);
    AGLET_END(f);
}
/* It comes with the frame. */
AGLET_STACKLESS(given, struct reader) { // expected-warning {{'cursor' comes from the thread that starts the task, and is not Send [aglet-send-across-yield]}}
    AGLET_BEGIN(f);
    f->n = cursor_next(f->cursor);
    AGLET_END(f);
}
/* A count that is not atomic, by value in the frame. */
struct shared {
    int refs AGLET_REFCOUNT;
    int data;
};
struct holder {
    AGLET_FRAME_HEADER;
    struct shared *AGLET_SHARED object;
    int error, n;
};
struct shared *shared_get(int which);
AGLET_STACKLESS(holder, struct holder) {
    AGLET_BEGIN(f);
    f->object = shared_get(1);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // expected-warning {{[aglet-send-across-yield]}}
    f->n = f->object->data;
    AGLET_END(f);
}
struct shared_atomic {
    atomic_int refs AGLET_REFCOUNT;
    atomic_int data;
};
struct holder_mended {
    AGLET_FRAME_HEADER;
    struct shared_atomic *AGLET_SHARED object;
    int error, n;
};
struct shared_atomic *atomic_get(int which);
AGLET_STACKLESS(holder_mended, struct holder_mended) {
    AGLET_BEGIN(f);
    f->object = atomic_get(1);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // no diagnostic: the count is atomic, and the rest, too
    f->n = f->object->data;
    AGLET_END(f);
}
/* The address of a variable of the thread, kept in the frame. */
static _Thread_local int per_thread;
struct pointing {
    AGLET_FRAME_HEADER;
    int *where;
    int error;
};
AGLET_STACKLESS(pointing, struct pointing) {
    AGLET_BEGIN(f);
    f->where = &per_thread;
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // expected-warning {{'where' holds an address of this thread's, and crosses to another [aglet-send-across-yield]}}
    *f->where = 1;
    AGLET_END(f);
}
AGLET_STACKLESS(pointing_mended, struct pointing) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_)); // no diagnostic: the address is taken after it
    f->where = &per_thread;
    *f->where = 1;
    AGLET_END(f);
}

/* ---- stackful tasks of a scheduler that moves them ---- */
int co_read(char *to, int n) AGLET_YIELDS AGLET_MIGRATES;
int pinned_read(char *to, int n) AGLET_YIELDS;

void live_value(char *to);
void live_value(char *to) {
    struct cursor *AGLET_OWNED c = cursor_open();
    co_read(to, 1); // expected-warning {{'c' is kept while the task may change threads, and is not Send [aglet-send-across-yield]}}
    cursor_close(c);
}
void live_value_mended(char *to);
void live_value_mended(char *to) {
    struct cursor *AGLET_OWNED c = cursor_open();
    cursor_close(c);
    co_read(to, 1); // no diagnostic: the cursor is closed
}
void stays(char *to);
void stays(char *to) {
    struct cursor *AGLET_OWNED c = cursor_open();
    pinned_read(to, 1); // no diagnostic: this one comes back on the same thread
    cursor_close(c);
}

/* Variables of the thread, and errno: compilers keep their addresses across the call. */
int thread_variable(char *to);
int thread_variable(char *to) {
    per_thread++;
    co_read(to, 1); // expected-warning {{'per_thread' is the thread's, and used before and after a move [aglet-send-across-yield]}}
    return per_thread;
}
int thread_variable_mended(char *to);
int thread_variable_mended(char *to) {
    per_thread++;
    pinned_read(to, 1); // no diagnostic: this one comes back on the same thread
    return per_thread;
}
int error_number(char *to, FILE *log);
int error_number(char *to, FILE *log) {
    errno = 0;
    if (co_read(to, 1) < 0) // expected-warning {{'errno' is the thread's, and used before and after a move [aglet-send-across-yield]}}
        fprintf(log, "%d\n", errno);
    return 0;
}
int error_number_mended(char *to, FILE *log);
int error_number_mended(char *to, FILE *log) {
    const int n = co_read(to, 1);
    if (n < 0) // no diagnostic: the error comes with the result
        fprintf(log, "%d\n", -n);
    return 0;
}
int kept_address(char *to);
int kept_address(char *to) {
    int *mine = &per_thread;
    co_read(to, 1); // expected-warning {{'mine' holds an address of this thread's, and crosses to another [aglet-send-across-yield]}}
    return *mine;
}
int kept_address_mended(char *to);
int kept_address_mended(char *to) {
    int *mine = &per_thread;
    *mine = 1;
    co_read(to, 1); // no diagnostic: the address is not used after it
    return 0;
}

/* Two calls down, and by the task's own mark. */
static int helper(char *to) {
    return co_read(to, 2);
}
void deep(char *to);
void deep(char *to) {
    struct cursor *AGLET_OWNED c = cursor_open();
    helper(to); // expected-warning {{'c' is kept while the task may change threads, and is not Send [aglet-send-across-yield]}}
    cursor_close(c);
}
static void inner(char *to) {
    struct cursor *AGLET_OWNED c = cursor_open();
    pinned_read(to, 1); // expected-warning {{'c' is kept while the task may change threads, and is not Send [aglet-send-across-yield]}}
    cursor_close(c);
}
void roaming(void *arg) AGLET_TASK_ENTRY AGLET_MIGRATES;
void roaming(void *arg) {
    inner(arg);
}

void use_all(void);
void use_all(void) {
    struct reader r = {.n = 1};
    struct pointing p = {.error = 0};
    if (reader_spawn(NULL, r) || reader_mended_spawn(NULL, r) || given_spawn(NULL, r) || pointing_spawn(NULL, p) ||
        pointing_mended_spawn(NULL, p) || holder_spawn(NULL, (struct holder){.n = 0}) ||
        holder_mended_spawn(NULL, (struct holder_mended){.n = 0}))
        return;
}
