/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Prints a report in the format asked for. Stands on report/output.h and the tables of rules and pages. */
#include "print.h"
#include "changed.h"
#include "files.h"
#include "page.h"
#include "say.h"
#include "word.h"
#include "base/alloc.h"
#include "report/output.h"
#include "rules/rule.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool print_knows(const char *format) {
    enum report_format ignored;
    return report_format_named(format, &ignored);
}

static struct report_rule *rules_described(size_t *n) {
    *n = 0;
    while (rules_all[*n])
        (*n)++;
    struct report_rule *rules = xcalloc(*n + 1, sizeof *rules);
    for (size_t i = 0; i < *n; i++) {
        rules[i] = (struct report_rule){
            .id = rules_all[i]->id, .summary = rules_all[i]->summary, .tags = rules_all[i]->tags};
        for (const struct page *p = pages_all; p->id; p++)
            if (strcmp(p->id, rules[i].id) == 0)
                rules[i].page = (const char *)p->text;
    }
    return rules;
}

static bool write_baseline(const char *path, const struct report *r, const char *root,
                           const struct baseline *kept) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool good = out && baseline_write(r, root, kept, out);
    if (out)
        good = fclose(out) == 0 && good && file_write(path, text, size);
    if (!good)
        say("cannot write the baseline '%s': %s", path, strerror(errno));
    free(text);
    return good;
}

/* A run that did not judge the whole program drops nothing: what it did not look at may be found still. */
static bool is_partial(const struct analyse_options *o) {
    return o->partial || o->changed_since || o->rules.n || o->exclude.n;
}

static bool update_baseline(const struct analyse_options *o, const struct report *r, const char *root) {
    char err[SAY_MAX];
    struct stat st;
    struct baseline *kept = NULL;
    const bool there = stat(o->baseline, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    bool good = !there || baseline_may_replace(o->baseline, err, sizeof err);
    if (good && there && is_partial(o))
        good = (kept = baseline_read(o->baseline, err, sizeof err));
    if (!good)
        say("%s", err);
    good = good && write_baseline(o->baseline, r, root, kept);
    baseline_free(kept);
    return good;
}

/* The baseline that counts in this run, in *out; false when it cannot be had, which was said. */
static bool take_baseline(const struct analyse_options *o, const struct report *r, const char *root,
                          struct baseline **out) {
    char err[SAY_MAX];
    *out = NULL;
    if (!o->baseline)
        return true;
    if (o->update_baseline && !update_baseline(o, r, root))
        return false;
    *out = baseline_read(o->baseline, err, sizeof err);
    if (!*out) {
        say("%s", err);
        return false;
    }
    size_t gone = baseline_gone(*out, r);
    if (gone)
        say_verbose("%zu entries of the baseline are no longer found; --update-baseline drops them", gone);
    return true;
}

/* A terminal that wants colour (no-color.org). */
static bool wants_colour(const FILE *out) {
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return out == stdout && isatty(STDOUT_FILENO) && !(no && *no) && terminal &&
           strcmp(terminal, "dumb") != 0;
}

static bool write_output(const struct analyse_options *o, const struct report *r, enum report_format format,
                         struct report_context *context) {
    FILE *out = o->output ? fopen(o->output, "w") : stdout;
    bool good = out != NULL;
    if (good) {
        context->colour = wants_colour(out);
        good = report_write(r, format, context, out) && fflush(out) == 0;
        int why = errno;
        if (out != stdout)
            good = fclose(out) == 0 && good;
        else
            errno = why;
    }
    if (!good)
        say("cannot write %s%s%s: %s", o->output ? "'" : "", o->output ? o->output : "standard output",
            o->output ? "'" : "", strerror(errno));
    return good;
}

int print_report(const struct analyse_options *o, struct report *r, struct analyse_counts *counts) {
    enum report_format format = REPORT_TEXT;
    if (o->format)
        report_format_named(o->format, &format);
    char *here = path_working(), *root = repository_root(".");
    struct report_context context = {.root = root ? root : here,
                                     .directory = here,
                                     .version = AGLET_VERSION,
                                     .show_hidden = say_is_verbose};
    struct report_rule *rules = rules_described(&context.n_rules);
    struct baseline *baseline;
    int status = EXIT_TROUBLE;
    context.rules = rules;
    if (take_baseline(o, r, context.root, &baseline)) {
        context.baseline = baseline;
        struct report_counts c = report_counts(r, baseline);
        *counts = (struct analyse_counts){.findings = c.findings,
                                          .hints = c.hints,
                                          .errors = c.errors,
                                          .baselined = c.known,
                                          .suppressed = c.suppressed};
        if (write_output(o, r, format, &context))
            status = c.errors + c.findings ? EXIT_FINDINGS : EXIT_CLEAN;
        baseline_free(baseline);
    }
    free(rules);
    free(here);
    free(root);
    return status;
}
