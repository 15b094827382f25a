/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* copy: a lock, or something that contains one, is copied by value.
 *
 * Looks at      assignments, arguments and returns by value, memcpy, realloc and memcmp of types with a lock in them.
 * Stays silent  in functions that initialise a lock, but for realloc: they clone an object and give it a lock of its own.
 * Cannot see    copies through a pointer to void or char. */
#include "../program/copies.h"
#include "rule.h"

static void say(void *data, const struct copied *c) {
    struct report *out = data;
    const struct position at = program_position(c->unit, c->at),
                          member = program_position(c->unit, c->declared);
    const char *what = c->type && *c->type ? c->type : "this";

    switch (c->kind) {
    case COPY_PASSED:
        report_begin(out, "copy", SEVERITY_WARNING, &at, "'%s' is passed by value, and its lock with it",
                     what);
        break;
    case COPY_RETURNED:
        report_begin(out, "copy", SEVERITY_WARNING, &at, "'%s' is returned by value, and its lock with it",
                     what);
        break;
    case COPY_BYTES:
        report_begin(out, "copy", SEVERITY_WARNING, &at, "'%s' copies '%s', and its lock with it", c->callee,
                     what);
        break;
    case COPY_MOVED:
        report_begin(out, "copy", SEVERITY_WARNING, &at,
                     "'%s' may move '%s', whose lock lives at its address", c->callee, what);
        break;
    case COPY_COMPARED:
        report_begin(out, "copy", SEVERITY_WARNING, &at, "'%s' compares '%s' with the lock in it", c->callee,
                     what);
        break;
    default: report_begin(out, "copy", SEVERITY_WARNING, &at, "'%s' is copied, and its lock with it", what);
    }
    if (c->declared && *c->member)
        report_note(out, &member, "the lock is '%s', declared here", c->member + 1);
    report_subject(out, NULL, "%s%s", what, c->member);
}

static void check_copy(const struct program *prog, struct report *out) {
    program_copies(prog, say, out);
}
AGLET_RULE("copy", "a lock is copied by value", check_copy, "MISRA-C:2023-22.12 CWE-667")
