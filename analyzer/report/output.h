/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A report as text, JSON, SARIF 2.1.0 or HTML, and the counts that an exit status comes from.
 * Stands on finding.h; reads the source files for their lines. Output depends on nothing but the report, the context and
 * the sources: no time, no machine. */
#ifndef AGLET_REPORT_OUTPUT_H
#define AGLET_REPORT_OUTPUT_H

#include <stdio.h>
#include "baseline.h"
#include "finding.h"

#ifdef __cplusplus
extern "C" {
#endif

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_SARIF, REPORT_HTML };

/* What the outputs say of a rule. Fields may be NULL but for id. */
struct report_rule {
    const char *id;
    const char *summary;
    const char *tags; /* as in struct rule: "CERT-CON36-C CWE-667" */
    const char *page; /* its page, Markdown */
};

/* Zeroed is valid: absolute paths, no colour, no baseline, nothing known of the rules. Nothing in it is owned. */
struct report_context {
    const char
        *root; /* JSON, SARIF, HTML: files below this directory are named relative to it (the repository) */
    const char *directory;           /* text: the same for the directory where the reader sits */
    bool colour;                     /* text: ANSI colours */
    const struct baseline *baseline; /* what was known before, or NULL */
    const struct report_rule *rules;
    size_t n_rules;
    const char *version; /* of the tool; NULL: "0" */
    bool show_hidden;    /* text: also what is in the baseline or suppressed, marked so */
};

/* The format of this name: "text", "json", "sarif", "html". Returns false for any other. */
bool report_format_named(const char *name, enum report_format *format);

/* Write the report. text shows new findings, then hints; the others hold everything, with its state.
 * Requires  report_sort was called.
 * Returns   false when `out` had an error; errno says which. */
bool report_write(const struct report *r, enum report_format format, const struct report_context *ctx,
                  FILE *out);

struct report_counts {
    size_t errors, findings, hints; /* new: neither in the baseline nor suppressed */
    size_t known, suppressed;       /* in the baseline; by an aglet-ignore comment */
};
/* Counts of a sorted report. A run has failed when errors + findings is not 0. */
struct report_counts report_counts(const struct report *r, const struct baseline *baseline);

#ifdef __cplusplus
}
#endif
#endif
