/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Chooses the writer of a format; counts.
 * Stands on writers.h. */
#include "output.h"
#include <string.h>
#include "writers.h"

static const struct {
    const char *name;
    void (*write)(const struct report *, const struct report_context *, struct sources *, FILE *);
} formats[] = {
    [REPORT_TEXT] = {"text", write_text},
    [REPORT_JSON] = {"json", write_json},
    [REPORT_SARIF] = {"sarif", write_sarif},
    [REPORT_HTML] = {"html", write_html},
};

bool report_format_named(const char *name, enum report_format *format) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!strcmp(formats[i].name, name)) {
            *format = (enum report_format)i;
            return true;
        }
    return false;
}

bool report_write(const struct report *r, enum report_format format, const struct report_context *ctx,
                  FILE *out) {
    struct sources sources = {0};
    formats[format].write(r, ctx, &sources, out);
    sources_free(&sources);
    return fflush(out) == 0 && !ferror(out);
}

const char *severity_name(enum severity s) {
    static const char *const names[] = {"hint", "warning", "error"};
    return names[s];
}

const char *finding_state(const struct finding *f, const struct baseline *b) {
    return f->suppressed ? "suppressed" : baseline_has(b, f) ? "known" : "new";
}

struct report_counts report_counts(const struct report *r, const struct baseline *baseline) {
    struct report_counts c = {0};
    for (size_t i = 0; i < report_count(r); i++) {
        const struct finding *f = report_at(r, i);
        if (f->suppressed)
            c.suppressed++;
        else if (baseline_has(baseline, f))
            c.known++;
        else if (f->severity == SEVERITY_HINT)
            c.hints++;
        else if (f->severity == SEVERITY_WARNING)
            c.findings++;
        else
            c.errors++;
    }
    return c;
}
