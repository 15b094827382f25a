/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The report as text: file:line:col: severity: message [aglet-rule], the line with a caret, the notes
 * likewise, fix-its. Stands on source.h. Editors and CI systems read this form from compilers already. */
#include <string.h>
#include "paths.h"
#include "utf8.h"
#include "writers.h"

enum { LONGEST_LINE = 300 }; /* bytes; longer ones are not shown */

struct text {
    const struct report_context *ctx;
    struct sources *sources;
    FILE *out;
};

enum colour { PLAIN, BOLD, RED, MAGENTA, CYAN, GREEN };

static void colour(const struct text *t, enum colour c) {
    static const char *const codes[] = {"\033[0m",    "\033[1m",    "\033[1;31m",
                                        "\033[1;35m", "\033[1;36m", "\033[1;32m"};
    if (t->ctx->colour)
        fputs(codes[c], t->out);
}

/* Bytes of the character at s, of which n are left; one that is none is a byte. */
static size_t character(const char *s, size_t n) {
    const size_t length = utf8_length((const unsigned char *)s, n);
    return length ? length : 1;
}

/* Would a terminal obey it, not show it? Control characters, and those that turn the direction of reading (U+202A to U+202E, U+2066
 * to U+2069); and what is no character, for a terminal that knows other ones. */
static bool is_hidden(const char *s, size_t n) {
    const unsigned char *u = (const unsigned char *)s;
    switch (utf8_length(u, n)) {
    case 0: return true;
    case 1: return (*u < 32 && *u != '\t') || *u == 127;
    case 2: return u[0] == 0xc2 && u[1] < 0xa0;
    case 3:
        return u[0] == 0xe2 && ((u[1] == 0x80 && u[2] >= 0xaa && u[2] <= 0xae) ||
                                (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
    default: return false;
    }
}

/* What comes from the program that is analysed: sources, names. */
static void show(const struct text *t, const char *s, size_t n) {
    for (size_t i = 0; i < n; i += character(s + i, n - i))
        if (is_hidden(s + i, n - i))
            fputs("\xef\xbf\xbd", t->out);
        else
            fwrite(s + i, 1, character(s + i, n - i), t->out);
}

/* The white space that stands under the first `n` bytes of the line. */
static void pad(const struct text *t, const char *line, size_t n) {
    for (size_t i = 0; i < n; i += character(line + i, n - i))
        fputc(line[i] == '\t' ? '\t' : ' ', t->out);
}

static void write_fixit(const struct text *t, const struct fixit *fix, const char *file, uint32_t line_number,
                        const char *line, size_t n) {
    if (!fix->at.file || !file || strcmp(fix->at.file, file) != 0 || fix->at.line != line_number ||
        !fix->at.col || fix->at.col > n + 1)
        return;
    fputs("      | ", t->out);
    pad(t, line, fix->at.col - 1);
    colour(t, GREEN);
    fputs(fix->text, t->out);
    colour(t, PLAIN);
    fputc('\n', t->out);
}

static void write_excerpt(const struct text *t, const struct position *at, const struct finding *fixes) {
    size_t n;
    const char *line = at->file ? source_line(source_of(t->sources, at->file), at->line, &n) : NULL;
    if (!line || n > LONGEST_LINE)
        return;
    fprintf(t->out, "%5u | ", at->line);
    show(t, line, n);
    fputc('\n', t->out);
    if (at->col && at->col <= n + 1) {
        size_t from = at->col - 1,
               to = at->end_line == at->line && at->end_col > at->col ? at->end_col - 1 : from + 1;
        if (at->end_line > at->line)
            to = n;
        if (to > n)
            to = n > from ? n : from + 1;
        fputs("      | ", t->out);
        pad(t, line, from);
        colour(t, GREEN);
        fputc('^', t->out);
        for (size_t i = from + (from < to ? character(line + from, to - from) : 1); i < to;
             i += character(line + i, to - i))
            fputc('~', t->out);
        colour(t, PLAIN);
        fputc('\n', t->out);
    }
    for (size_t i = 0; fixes && i < fixes->n_fixits; i++)
        write_fixit(t, &fixes->fixits[i], at->file, at->line, line, n);
}

static void write_head(const struct text *t, const struct position *at, const char *word, enum colour c) {
    colour(t, BOLD);
    if (at->file) {
        const char *name = path_below(t->ctx->directory, at->file);
        show(t, name, strlen(name));
        fputc(':', t->out);
        if (at->line)
            fprintf(t->out, "%u:", at->line);
        if (at->line && at->col)
            fprintf(t->out, "%u:", at->col);
        fputc(' ', t->out);
    } else {
        fputs("aglet: ", t->out);
    }
    colour(t, PLAIN);
    colour(t, c);
    fprintf(t->out, "%s:", word);
    colour(t, PLAIN);
    fputc(' ', t->out);
}

static void write_finding(const struct text *t, const struct finding *f) {
    static const enum colour colours[] = {CYAN, MAGENTA, RED};
    write_head(t, &f->at, severity_name(f->severity), colours[f->severity]);
    colour(t, BOLD);
    show(t, f->message, strlen(f->message));
    colour(t, PLAIN);
    fprintf(t->out, " [aglet-%s]", f->rule);
    const char *state = finding_state(f, t->ctx->baseline);
    if (f->suppressed) {
        fputs(" (suppressed: ", t->out);
        show(t, f->suppressed, strlen(f->suppressed));
        fputc(')', t->out);
    } else if (strcmp(state, "new") != 0) {
        fputs(" (in the baseline)", t->out);
    }
    fputc('\n', t->out);
    write_excerpt(t, &f->at, f);
    if (f->at.macro && *f->at.macro) {
        write_head(t, &f->at, "note", CYAN);
        fprintf(t->out, "in the expansion of macro '%s'\n", f->at.macro);
    }
    for (size_t i = 0; i < f->n_notes; i++) {
        write_head(t, &f->notes[i].at, "note", CYAN);
        show(t, f->notes[i].text, strlen(f->notes[i].text));
        fputc('\n', t->out);
        write_excerpt(t, &f->notes[i].at, NULL);
    }
    for (size_t i = 0; i < f->n_fixits; i++) { /* those that the excerpt could not show */
        const struct fixit *x = &f->fixits[i];
        if (x->at.file && f->at.file && !strcmp(x->at.file, f->at.file) && x->at.line == f->at.line)
            continue;
        write_head(t, &x->at, "note", CYAN);
        fprintf(t->out,
                x->at.col == x->at.end_col && x->at.line == x->at.end_line ? "insert '%s' here\n"
                                                                           : "write '%s' here\n",
                x->text);
        struct finding only = {.fixits = f->fixits + i, .n_fixits = 1};
        write_excerpt(t, &x->at, &only);
    }
}

void write_text(const struct report *r, const struct report_context *ctx, struct sources *sources,
                FILE *out) {
    struct text t = {ctx, sources, out};
    bool hints = false;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < report_count(r); i++) {
            const struct finding *f = report_at(r, i);
            if ((f->severity == SEVERITY_HINT) != (pass == 1))
                continue;
            if (!ctx->show_hidden && strcmp(finding_state(f, ctx->baseline), "new") != 0)
                continue;
            if (pass == 1 && !hints)
                fputs("\nHints, which fail no build:\n", out);
            hints = pass == 1;
            write_finding(&t, f);
        }
}
