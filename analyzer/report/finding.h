/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A finding: one place where the programmer must act, the story that leads there, a remedy; and the list of them.
 * Stands on nothing of the analyses: positions are plain file, line, column, so every output prints from this alone. */
#ifndef AGLET_REPORT_FINDING_H
#define AGLET_REPORT_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct position {
    const char *file; /* absolute path, or NULL when there is none */
    uint32_t line, col, end_line, end_col;
    const char *macro; /* the outermost macro whose use this is, or NULL */
};

enum severity {
    SEVERITY_HINT,    /* shown apart, fails no build */
    SEVERITY_WARNING, /* a finding */
    SEVERITY_ERROR    /* the annotations themselves are wrong: nothing else can be trusted */
};

struct finding_note {
    struct position at;
    const char *text;
};

/* An edit: replace the range by text (an insertion when the range is empty). */
struct fixit {
    struct position at;
    const char *text;
};

struct finding {
    const char *rule; /* id, as in `aglet rules` */
    enum severity severity;
    uint32_t level; /* 1 default, 2 strict: shown at this level and above */
    struct position at;
    const char *message; /* lower case, no full stop, names quoted, at most 90 characters */
    struct finding_note *notes;
    size_t n_notes;
    struct fixit *fixits;
    size_t n_fixits;
    const char *function; /* that holds `at`; part of the fingerprint; NULL at file scope */
    const char *
        subject; /* what the finding is about, free of line numbers ("s->n/s->mu"): part of the fingerprint */
    uint64_t
        fingerprint; /* set by the report: rule, file name, function, subject, hash of the code around; not of the line */
    const char *
        suppressed; /* the reason an aglet-ignore comment gives (suppress.h), or NULL: it counts and is shown */
};

/* The list of findings; owns every string given to it. Not thread-safe. */
struct report;

struct report *report_new(void);
void report_free(struct report *r);

/* Add a finding by parts. begin copies what it gets; the texts are printf formats. Ended by the next begin or report_sort.
 * A finding equal in rule, position and message to one already there is dropped, with its notes; so is a
 * note equal to the one before it. */
void report_begin(struct report *r, const char *rule, enum severity severity, const struct position *at,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
void report_note(struct report *r, const struct position *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_fixit(struct report *r, const struct position *at, const char *text);
void report_subject(struct report *r, const char *function, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_level(struct report *r, uint32_t level);
void report_suppressed(struct report *r, const char *reason);

/* One sentence on what the analysis left out, said with the findings but none of them: lower case, no full stop. */
void report_left_out(struct report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The sentences, each once, in their order; NULL at the end. */
const char *report_left_out_at(const struct report *r, size_t i);

/* Keep a fingerprint computed earlier, over all findings, for a report that holds only some of them. */
void report_fingerprint(struct report *r, uint64_t fingerprint);
/* Mark finding i as suppressed. */
void report_suppress(struct report *r, size_t i, const char *reason);

/* Order by file, line, column, rule, message, so that output does not depend on how it was found; sets the fingerprints
 * that are not set yet. */
void report_sort(struct report *r);
size_t report_count(const struct report *r);
const struct finding *report_at(const struct report *r, size_t i); /* valid until the report changes */

#ifdef __cplusplus
}
#endif
#endif
