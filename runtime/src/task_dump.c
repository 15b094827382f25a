/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Printing every living task: a batch of them is collected from the registry, their workers are asked for the
 * stacks, and the batch is printed. Stands on task_slab.c, task_trace.h, symbol.h. What it prints of a
 * running task may be a moment old; of a task that may end meanwhile it reads nothing but the slot, which is
 * never freed. */
#include "task_dump.h"
#include "aglet/stackless.h"
#include "checked.h"
#include "ilock.h"
#include "misuse.h"
#include "symbol.h"
#include "task_check.h"
#include "task_trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define READS_RACILY __attribute__((no_sanitize("thread")))
#endif
#elif defined(__SANITIZE_THREAD__)
#define READS_RACILY __attribute__((no_sanitize_thread))
#endif
#ifndef READS_RACILY
#define READS_RACILY
#endif

enum { BATCH = 64, PATIENCE_MS = 200, DEAF_MAX = 64 };

/* All under dump_lock: too large for the stack of a task that asks for a dump. */
static struct ilock dump_lock;
static struct {
    struct dump_text text;
    struct trace batch[BATCH];
    unsigned n, all;
    struct worker *deaf[DEAF_MAX]; /* have not answered once, and are not asked again */
    unsigned deaf_n;
} d;

void dump_flush(struct dump_text *out) {
    const char *at = out->room;
    while (out->used > 0) {
        ssize_t n = write(out->fd, at, out->used);
        if (n <= 0)
            break;
        at += n;
        out->used -= (unsigned)n;
    }
    out->used = 0;
}

void dump_say(struct dump_text *out, const char *format, ...) {
    for (int tries = 0; tries < 2; tries++) {
        unsigned room = DUMP_ROOM - out->used;
        va_list args;
        va_start(args, format);
        int n = vsnprintf(out->room + out->used, room, format, args);
        va_end(args);
        if (n >= 0 && (unsigned)n < room) {
            out->used += (unsigned)n;
            return;
        }
        dump_flush(out);
    }
}

void dump_frame(struct dump_text *out, unsigned number, const void *pc) {
    struct symbol s;
    symbol_describe(pc, 1, out->deep, &s);
    const char *slash = strrchr(s.module, '/');
    dump_say(out, "    #%u ", number);
    if (s.function[0])
        dump_say(out, "%s ", s.function);
    if (s.file[0])
        dump_say(out, "%s:%u\n", s.file, s.line);
    else
        dump_say(out, "%p (%s+0x%lx)\n", pc, slash ? slash + 1 : s.module[0] ? s.module : "?", s.offset);
}

/* Does pc lie in this library? Not where it is linked into the program: its frames are the program's then. */
static bool is_own(const void *pc) {
    struct symbol own, program, s;
    symbol_describe((const void *)(uintptr_t)aglet_dump, 0, 0, &own);
    symbol_describe((const void *)getauxval(AT_ENTRY), 0, 0, &program);
    symbol_describe(pc, 1, 0, &s);
    return strcmp(s.module, own.module) == 0 && strcmp(own.module, program.module) != 0;
}

READS_RACILY bool dump_peek(const struct aglet_task *t, uint64_t id, struct task_rest *rest) {
    const struct aglet_task volatile *now = t;
    uint8_t kind = __atomic_load_n((const uint8_t *)&t->kind, __ATOMIC_ACQUIRE);
    if (kind == TASK_STACKLESS) {
        *rest = task_step_rest(t)->rest;
        return true;
    }
    bool begun = kind == TASK_STACKFUL && now->started;
    atomic_thread_fence(memory_order_acquire);
    const struct stack *s = now->stack;
    /* Partner: bind_stack and fiber in worker.c: what is read between two looks at the same task that has
     * begun is its stack. Stacks are never unmapped. */
    atomic_thread_fence(memory_order_acquire);
    if (!begun || !now->started || task_id(t) != id)
        return false;
    *rest = s->rest;
    return true;
}

/* The library's own frames, of waiting inside and of starting outside, say nothing to anybody. */
READS_RACILY static void print_stack(const struct trace *trace) {
    unsigned first = 0, last = trace->n, number = 0;
    struct task_rest rest = {0};
    dump_peek(trace->task, trace->id, &rest);
    const void *from = rest.waits_at; /* where it is known */
    for (unsigned i = 0; i < trace->n; i++)
        if (from && trace->pcs[i] == from)
            first = i;
    while (!from && first < last && is_own(trace->pcs[first]))
        first++;
    while (last > first + 1 && is_own(trace->pcs[last - 1]))
        last--;
    for (unsigned i = first; i < last; i++)
        dump_frame(&d.text, number++, trace->pcs[i]);
}

READS_RACILY static void print_place(const struct trace *trace, bool running) {
    struct aglet_task *t = trace->task;
    struct task_rest rest = {0};
    bool begun = dump_peek(t, trace->id, &rest);
    const void *waits_at = rest.waits_at;
    if (atomic_load_explicit(&t->kind, memory_order_relaxed) == TASK_STACKLESS) {
        struct symbol s;
        struct aglet_frame *f = task_frame(t);
        aglet_step_fn *step = t->step;
        symbol_describe((const void *)(uintptr_t)step, 0, d.text.deep, &s);
        const char *slash = strrchr(s.module, '/');
        dump_say(&d.text, "    in %s", s.function[0] ? s.function : "a step");
        if (!s.function[0] || !s.file[0])
            dump_say(&d.text, " (%s+0x%lx)", slash ? slash + 1 : s.module, s.offset);
        if (f->at_)
            dump_say(&d.text, ", at the await in line %u\n", f->at_);
        else
            dump_say(&d.text, ", not begun\n");
        if (waits_at && !running)
            dump_frame(&d.text, 0, waits_at);
    } else if (trace->n) {
        print_stack(trace);
    } else if (aglet_checked && running && task_home(t) != worker_here_) {
        check_print_running(task_home(t), &d.text);
    } else if (!running && begun) {
        dump_say(&d.text, "    no stack: a task keeps its worker, or nobody runs its executor\n");
        if (waits_at)
            dump_frame(&d.text, 0, waits_at);
    }
}

READS_RACILY static void print_task(const struct trace *trace) {
    static const char *const states[] = {"runnable", "runnable", "waiting", "ended"};
    struct aglet_task *t = trace->task;
    enum task_kind kind = atomic_load_explicit(&t->kind, memory_order_relaxed);
    enum task_state state = task_state(t);
    if (kind == TASK_FREE || task_id(t) != trace->id || state == TASK_ENDED)
        return; /* it has ended meanwhile */
    struct worker *home = task_home(t);
    bool running = home && home->current == t;
    struct task_rest rest = {0};
    dump_peek(t, trace->id, &rest);
    const char *why = rest.waits_for, *name = task_name(t);
    uint32_t age = task_ticks(aglet_now()) - task_born(t);
    dump_say(&d.text, "task %llu '%s' %s, %.1f s old, %s", (unsigned long long)trace->id, name ? name : "",
             kind == TASK_STACKFUL ? "stackful" : "stackless",
             (int32_t)age < 0 ? 0.0 : (double)age * (double)(1u << TASK_TICK_SHIFT) / 1e9,
             running ? "running" : states[state >> 1]);
    if (home)
        dump_say(&d.text, " on worker %u", home->index);
    if (why && state == TASK_PARKED)
        dump_say(&d.text, ", in '%s'", why);
    if (atomic_load_explicit(&t->aborted, memory_order_relaxed))
        dump_say(&d.text, ", aborted");
    if (trace->n)
        dump_say(&d.text, ", stack used %zu of %zu", trace->used, trace->usable);
    dump_say(&d.text, "\n");
    print_place(trace, running);
    if (aglet_checked)
        check_print_held(trace, &d.text);
    d.all++;
}

static bool is_deaf(struct worker *w) {
    for (unsigned i = 0; i < d.deaf_n; i++)
        if (d.deaf[i] == w)
            return true;
    return false;
}

READS_RACILY static void print_batch(void) {
    for (unsigned i = 0; i < d.n; i++) {
        struct aglet_task *t = d.batch[i].task;
        struct worker *home = task_home(t);
        struct task_rest rest;
        if (d.batch[i].answered || !home || !dump_peek(t, d.batch[i].id, &rest) || is_deaf(home))
            continue;
        if (!trace_ask(home, d.batch, d.n, PATIENCE_MS) && d.deaf_n < DEAF_MAX)
            d.deaf[d.deaf_n++] = home;
    }
    d.text.deep = misuse_hold();
    for (unsigned i = 0; i < d.n; i++)
        print_task(&d.batch[i]);
    if (d.text.deep)
        misuse_let_go();
    dump_flush(&d.text);
    d.n = 0;
}

READS_RACILY static void collect(struct aglet_task *t, void *unused) {
    (void)unused;
    d.batch[d.n++] = (struct trace){.task = t, .id = task_id(t)};
    if (d.n == BATCH)
        print_batch();
}

void aglet_dump(int fd) {
    ilock_take(&dump_lock);
    d.text.fd = fd;
    d.text.used = d.n = d.all = d.deaf_n = 0;
    task_each(collect, NULL);
    print_batch();
    dump_say(&d.text, "%u task%s\n", d.all, d.all == 1 ? "" : "s");
    dump_flush(&d.text);
    ilock_give(&dump_lock);
}
