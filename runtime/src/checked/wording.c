/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How reports name locks and places. Stands on engine.h, symbol.h. */
#include "engine.h"

#include "misuse.h"
#include "stack.h"
#include "symbol.h"

#include <stdio.h>

const char *kind_words(int kind) {
    static const char *const words[CHECK_KINDS] = {
        [CHECK_MUTEX] = "mutex",
        [CHECK_RWLOCK] = "read-write lock",
        [CHECK_SPIN] = "spin lock",
        [CHECK_RECURSIVE] = "recursive mutex",
        [CHECK_ONCE] = "once",
        [CHECK_ASYNC_MUTEX] = "async mutex",
        [CHECK_ASYNC_RWLOCK] = "async rwlock",
    };
    return kind >= 0 && kind < CHECK_KINDS ? words[kind] : "lock";
}

const char *mode_words(int mode) {
    return mode & CHECK_SHARED ? "for reading" : "for writing";
}

const char *lock_words(const struct lock_record *r, char out[LOCK_NAME_ROOM]) {
    const void *lock = atomic_load_explicit(&r->lock, memory_order_relaxed);
    const char *kind = kind_words(r->kind);
    if (r->name != NULL) {
        snprintf(out, LOCK_NAME_ROOM, "%s '%s'", kind, r->name);
        return out;
    }
    struct symbol s;
    bool deep = options.symbolize != 0 && misuse_is_writing() && !in_signal_handler();
    symbol_describe(lock, 0, deep, &s);
    if (s.function[0] != '\0') {
        if (s.into != 0)
            snprintf(out, LOCK_NAME_ROOM, "%s '%.100s'+%lu", kind, s.function, s.into);
        else
            snprintf(out, LOCK_NAME_ROOM, "%s '%.100s'", kind, s.function);
        return out;
    }
    symbol_describe(r->made_at, 1, deep, &s);
    const char *verb = r->initialised ? "made" : "first taken";
    if (s.file[0] != '\0')
        snprintf(out, LOCK_NAME_ROOM, "%s %p %s at %.80s:%u", kind, lock, verb, s.file, s.line);
    else if (s.function[0] != '\0')
        snprintf(out, LOCK_NAME_ROOM, "%s %p %s in %.80s", kind, lock, verb, s.function);
    else
        snprintf(out, LOCK_NAME_ROOM, "%s %p", kind, lock);
    return out;
}

void note_here(struct misuse *m, const char *what, const void *caller) {
    if (caller == NULL)
        return;
    misuse_note(m, "%s here", what);
    misuse_place(m, caller);
}

void note_taken(struct misuse *m, const struct check_thread *t, const struct held *h) {
    const struct held_more *more = t->more != NULL ? &t->more[h - t->held] : NULL;
    if (more != NULL && more->frames != 0)
        misuse_stack(m, more->stack, more->frames);
    else
        misuse_place(m, h->site);
}

void note_held(struct misuse *m, const struct check_thread *t, bool all) {
    enum { SHOWN = 8 };
    unsigned n = 0;
    char words[LOCK_NAME_ROOM];
    for (unsigned i = t->held_count; i-- > 0;) {
        const struct held *h = &t->held[i];
        if ((!all && !held_is_own(t, h)) || ++n > SHOWN)
            continue;
        misuse_note(m, "thread '%s' has held %s%s%s since it took it here", thread_name(t),
                    lock_words(held_record(h), words), held_record(h)->kind == CHECK_RWLOCK ? " " : "",
                    held_record(h)->kind == CHECK_RWLOCK ? mode_words((int)held_mode(h)) : "");
        note_taken(m, t, h);
    }
    if (n > SHOWN)
        misuse_note(m, "and %u more", n - SHOWN);
}
