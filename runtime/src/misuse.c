/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reports: built as text and as JSON in two fixed buffers, one report at a time, then given to the hook or
 * written. Stands on ilock.h, options.h, symbol.h. Buffers are fixed so that a report needs no memory. */
#include "misuse.h"

#include "check.h"
#include "ilock.h"
#include "options.h"
#include "repeats.h"
#include "stack.h"
#include "suppress.h"
#include "switch.h"
#include "symbol.h"
#include "tsan.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 64 * 1024 };

struct buffer {
    char text[ROOM];
    size_t used;
};

struct misuse {
    const char *rule;
    const void *object;
    bool fatal, hint;
    bool note_open, stack_open; /* JSON arrays still to be closed */
    unsigned notes;
    uint64_t places;                /* a hash of the code addresses shown so far; 0: none was */
    char where[REPEATS_WHERE_ROOM]; /* the first of them, as shown */
    char message[512];
    struct buffer text, json;
};

static struct ilock report_lock;
static struct misuse report;       /* under report_lock */
static _Thread_local bool writing; /* this thread is between open and close */
static aglet_misuse_fn *hook;      /* see aglet_on_misuse: set while nobody reports */
static void *hook_context;
static _Atomic unsigned long count; /* reports made */
static pid_t told_in; /* the process whose reports last went to the output, not to the hook; 0: none did */
static int log_file = -1; /* under report_lock, as is log_of, the process that it is named after */
static pid_t log_of;

void aglet_on_misuse(aglet_misuse_fn *h, void *context) {
    hook = h;
    hook_context = context;
}

unsigned long aglet_misuse_count(void) {
    return atomic_load_explicit(&count, memory_order_relaxed);
}

/* vsnprintf of a report's words, among them names of other threads. */
static void print_words(char *to, size_t room, const char *format, va_list args) {
    tsan_look_away();
    vsnprintf(to, room, format, args);
    tsan_look_again();
}

static void append_v(struct buffer *b, const char *format, va_list args) {
    size_t room = ROOM - b->used;
    int n = vsnprintf(b->text + b->used, room, format, args);
    if (n < 0)
        return;
    b->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void append(struct buffer *b, const char *format, ...) AGLET_PRINTF(2, 3);
static void append(struct buffer *b, const char *format, ...) {
    va_list args;
    va_start(args, format);
    append_v(b, format, args);
    va_end(args);
}

static void append_json_text(struct buffer *b, const char *s) {
    append(b, "\"");
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            append(b, "\\%c", c);
        else if (c < 0x20)
            append(b, "\\u%04x", c);
        else
            append(b, "%c", c);
    }
    append(b, "\"");
}

static void write_all(int fd, const char *s, size_t n) {
    while (n > 0) {
        ssize_t w = write(fd, s, n);
        if (w <= 0)
            return;
        s += w;
        n -= (size_t)w;
    }
}

/* Of the library of tasks, where it is there: room on the stack for what follows, and no room again.
 * Weak, because the preloaded library for pthread programs has this file too, and a program of its own beside
 * it. */
extern void aglet_report_room_(bool begins) __attribute__((weak, visibility("default")));

bool misuse_hold(void) {
    if (writing)
        return false;
    writing = true;
    if (aglet_checked && aglet_report_room_)
        aglet_report_room_(true);
    if (aglet_checked)
        check_pause(1); /* names and lines are read by code that takes locks of its own */
    /* Whoever writes a report may need malloc, and this thread may be inside malloc: so not for ever. */
    if (ilock_take_until(&report_lock, aglet_after_ms(3000)))
        return true;
    if (aglet_checked)
        check_pause(-1);
    if (aglet_checked && aglet_report_room_)
        aglet_report_room_(false);
    writing = false;
    return false;
}

bool misuse_is_writing(void) {
    return writing;
}

void misuse_let_go(void) {
    ilock_give(&report_lock);
    if (aglet_checked)
        check_pause(-1);
    if (aglet_checked && aglet_report_room_)
        aglet_report_room_(false);
    writing = false;
}

struct misuse *misuse_open(const char *rule, const void *object, bool fatal) {
    if (writing) {
        misuse_warn("a second report came up while one was being written, and was left out");
        return NULL;
    }
    if (!misuse_hold()) {
        misuse_warn("a report was left out: another one was being written for three seconds");
        return NULL;
    }
    struct misuse *m = &report;
    m->rule = rule;
    m->object = object;
    m->fatal = fatal;
    m->hint = false;
    m->note_open = m->stack_open = false;
    m->notes = 0;
    m->places = 0;
    m->where[0] = '\0';
    m->message[0] = '\0';
    m->text.used = m->json.used = 0;
    return m;
}

void misuse_hint(struct misuse *m) {
    if (m != NULL)
        m->hint = true;
}

static void close_json_note(struct misuse *m) {
    if (m->stack_open)
        append(&m->json, "]");
    if (m->note_open)
        append(&m->json, "}");
    m->stack_open = m->note_open = false;
}

void misuse_say(struct misuse *m, const char *format, ...) {
    if (m == NULL)
        return;
    va_list args;
    va_start(args, format);
    print_words(m->message, sizeof m->message, format, args);
    va_end(args);
    append(&m->text, "aglet: %s: %s [aglet-%s]\n",
           m->hint    ? "hint"
           : m->fatal ? "error"
                      : "warning",
           m->message, m->rule);
    append(&m->json,
           "{\"rule\":\"%s\",\"hint\":%s,\"fatal\":%s,\"pid\":%d,\"object\":\"%p\",\"message\":", m->rule,
           m->hint ? "true" : "false", m->fatal ? "true" : "false", (int)getpid(), m->object);
    append_json_text(&m->json, m->message);
    append(&m->json, ",\"notes\":[");
}

void misuse_note(struct misuse *m, const char *format, ...) {
    if (m == NULL)
        return;
    char note[512];
    va_list args;
    va_start(args, format);
    print_words(note, sizeof note, format, args);
    va_end(args);
    append(&m->text, "  note: %s\n", note);
    close_json_note(m);
    append(&m->json, "%s{\"text\":", m->notes++ != 0 ? "," : "");
    append_json_text(&m->json, note);
    m->note_open = true;
}

static void frame(struct misuse *m, unsigned number, const void *pc, bool deep) {
    struct symbol s;
    symbol_describe(pc, 1, deep, &s);
    append(&m->text, "    #%u ", number);
    size_t begin = m->text.used;
    append(&m->json, "{\"pc\":\"%p\"", pc);
    if (s.function[0] != '\0') {
        append(&m->text, "%s ", s.function);
        append(&m->json, ",\"function\":");
        append_json_text(&m->json, s.function);
    }
    if (s.file[0] != '\0') {
        append(&m->text, "%s:%u\n", s.file, s.line);
        append(&m->json, ",\"file\":");
        append_json_text(&m->json, s.file);
        append(&m->json, ",\"line\":%u", s.line);
    } else if (s.module[0] != '\0') {
        const char *slash = strrchr(s.module, '/');
        append(&m->text, "(%s+0x%lx)%s%s\n", slash != NULL ? slash + 1 : s.module, s.offset,
               s.build_id[0] != '\0' ? " build id " : "", s.build_id);
    } else {
        append(&m->text, "%p\n", pc);
    }
    if (m->places == 0)
        snprintf(m->where, sizeof m->where, "%.*s", (int)(m->text.used - begin - 1), m->text.text + begin);
    m->places = (m->places ^ (uintptr_t)pc) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    if (s.module[0] != '\0') {
        append(&m->json, ",\"module\":");
        append_json_text(&m->json, s.module);
        append(&m->json, ",\"offset\":\"0x%lx\",\"build_id\":\"%s\"", s.offset, s.build_id);
    }
    append(&m->json, "}");
}

void misuse_stack(struct misuse *m, const void *const *pcs, unsigned frames) {
    if (m == NULL)
        return;
    bool deep = aglet_checked && options.symbolize != 0 && !in_signal_handler();
    if (m->notes == 0)
        misuse_note(m, "here");
    append(&m->json, m->stack_open ? "," : ",\"stack\":[");
    m->stack_open = true;
    for (unsigned i = 0; i < frames; i++) {
        if (i != 0)
            append(&m->json, ",");
        frame(m, i, pcs[i], deep);
    }
}

void misuse_place(struct misuse *m, const void *pc) {
    if (pc != NULL)
        misuse_stack(m, &pc, 1);
}

static bool in_json(void) {
    return strcmp(options.format, "json") == 0;
}

static int output(void) {
    if (options.log_path[0] == '\0')
        return STDERR_FILENO;
    if (log_of != getpid()) {
        log_of = getpid();
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s.%d", options.log_path, (int)log_of);
        log_file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (log_file < 0) {
            misuse_warn("log_path cannot be opened; reports go to stderr");
            log_file = STDERR_FILENO;
        }
    }
    return log_file;
}

/* Is this report to be printed? One without a place is: there is no telling it from others. */
static bool is_news(const struct misuse *m) {
    return m->places == 0 || options.repeats != 0 || repeats_is_first(m->rule, m->places, m->where);
}

bool misuse_close(struct misuse *m) {
    if (m == NULL)
        return true;
    close_json_note(m);
    append(&m->json, "]}\n");
    if (m->json.used >= ROOM - 1) {
        memcpy(m->text.text + ROOM - 8, "[cut]\n", 7);
        snprintf(m->json.text, ROOM, "{\"rule\":\"%s\",\"message\":\"%s\",\"cut\":true}\n", m->rule,
                 "see the text form");
        m->json.used = strlen(m->json.text);
    }
    bool suppressed = suppress_matches(m->rule, m->text.text);
    bool end = false;
    if (!suppressed) {
        if (!m->hint)
            atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
        if (hook == NULL && !m->hint)
            told_in = getpid();
        if (hook != NULL) {
            struct aglet_misuse out = {m->rule,   m->message, m->text.text, m->json.text,
                                       m->object, m->fatal,   m->hint};
            hook(&out, hook_context);
        } else if (m->fatal || is_news(m)) {
            bool json = in_json();
            write_all(output(), json ? m->json.text : m->text.text, json ? m->json.used : m->text.used);
            end = m->fatal || (options.halt_on_error != 0 && !m->hint);
        }
    }
    if (end)
        _exit(options.exitcode != 0 ? (int)options.exitcode : 66);
    misuse_let_go();
    return true;
}

void misuse_report(const char *rule, const void *object, bool fatal, const void *caller, const char *format,
                   ...) {
    char message[400];
    va_list args;
    va_start(args, format);
    print_words(message, sizeof message, format, args);
    va_end(args);
    struct misuse *m = misuse_open(rule, object, fatal);
    misuse_say(m, "%s", message);
    if (caller != NULL) {
        misuse_note(m, "here");
        misuse_place(m, caller);
    }
    misuse_close(m);
}

void misuse_warn(const char *sentence) {
    static _Atomic(const char *) last; /* the same sentence twice in a row says nothing new */
    if (atomic_exchange(&last, sentence) == sentence)
        return;
    char line[300];
    int n = snprintf(line, sizeof line, "aglet: %s\n", sentence);
    write_all(STDERR_FILENO, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

void misuse_give_up(const char *sentence) {
    misuse_warn(sentence);
    _exit(options.exitcode != 0 ? (int)options.exitcode : 66);
}

/* Requires that no report is open: the buffer is theirs. */
static void tell_repeats(const char *rule, const char *where, unsigned long times) {
    struct buffer *line = &report.text;
    line->used = 0;
    if (in_json()) {
        append(line, "{\"rule\":\"%s\",\"repeats\":%lu,\"where\":", rule, times);
        append_json_text(line, where);
        append(line, "}\n");
    } else {
        append(line, "aglet: what was reported at '%s' came up %lu more time%s [aglet-%s]\n", where, times,
               times == 1 ? "" : "s", rule);
    }
    write_all(output(), line->text, line->used);
}

/* A process that ends by itself, but in which something was reported, ends with the exit code; its parent's
 * reports are the parent's. */
static void at_end(void) {
    if (misuse_hold()) {
        repeats_each(tell_repeats);
        misuse_let_go();
    }
    if (told_in != getpid() || options.exitcode == 0)
        return;
    fflush(NULL);
    _exit((int)options.exitcode);
}

__attribute__((constructor(102))) static void watch_end(void) {
    if (aglet_checked)
        atexit(at_end);
}

/* The release library has nothing in it for ThreadSanitizer, unless it is compiled for it. */
__attribute__((constructor(103))) static void warn_sanitizer(void) {
#ifndef AGLET_TSAN_
    if (!aglet_checked && tsan_here())
        misuse_warn("ThreadSanitizer cannot see the release library's locks and will report what they guard; "
                    "link the checked library (aglet-checked)");
#endif
}
