/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Prints a report. Stands on report/finding.h. */
#include "print.h"
#include "say.h"
#include "word.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

bool print_knows(const char *format)
{
    return strcmp(format, "text") == 0;
}

static void print_text(const struct report *r, FILE *out)
{
    static const char *const severities[] = {"hint", "warning", "error"};
    for (size_t i = 0; i < report_count(r); i++) {
        const struct finding *f = report_at(r, i);
        fprintf(out, "%s:%u:%u: %s: %s [aglet-%s]\n", f->at.file ? f->at.file : "?", f->at.line, f->at.col, severities[f->severity], f->message, f->rule);
        for (size_t n = 0; n < f->n_notes; n++)
            fprintf(out, "%s:%u:%u: note: %s\n", f->notes[n].at.file ? f->notes[n].at.file : "?", f->notes[n].at.line, f->notes[n].at.col, f->notes[n].text);
    }
}

int print_report(const struct analyse_options *o, struct report *r, struct analyse_counts *counts)
{
    for (size_t i = 0; i < report_count(r); i++) {
        enum severity s = report_at(r, i)->severity;
        counts->hints += s == SEVERITY_HINT;
        counts->findings += s == SEVERITY_WARNING;
        counts->errors += s == SEVERITY_ERROR;
    }
    FILE *out = o->output ? fopen(o->output, "w") : stdout;
    if (!out) {
        say("cannot write '%s': %s", o->output, strerror(errno));
        return EXIT_TROUBLE;
    }
    print_text(r, out);
    bool good = fflush(out) == 0 && !ferror(out);
    if (out != stdout)
        good = fclose(out) == 0 && good;
    if (!good) {
        say("cannot write '%s': %s", o->output ? o->output : "standard output", strerror(errno));
        return EXIT_TROUBLE;
    }
    return counts->findings + counts->errors ? EXIT_FINDINGS : EXIT_CLEAN;
}
