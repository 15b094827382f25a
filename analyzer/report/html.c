/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The report as one HTML file that needs nothing else: findings with their source, the story's steps where
 * they happen, and filters. It can be read with scripts off; the script only filters. Stands on source.h and
 * html_assets.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "../base/vec.h"
#include "html_assets.h"
#include "paths.h"
#include "utf8.h"
#include "writers.h"

enum { LINES_BEFORE = 3, LINES_AFTER = 2, LONGEST_LINE = 1000 };

struct html {
    const struct report *report;
    const struct report_context *ctx;
    struct sources *sources;
    FILE *out;
};

static void put(const struct html *h, const char *s) {
    fputs(s, h->out);
}

static void put_text_n(const struct html *h, const char *text, size_t n) {
    const unsigned char *s = (const unsigned char *)text;
    for (size_t i = 0; i < n;) {
        size_t length = utf8_length(s + i, n - i);
        switch (s[i]) {
        case '<': put(h, "&lt;"); break;
        case '>': put(h, "&gt;"); break;
        case '&': put(h, "&amp;"); break;
        case '"': put(h, "&quot;"); break;
        default:
            if (!length || (s[i] < 32 && s[i] != '\t' && s[i] != '\n'))
                put(h, "\xef\xbf\xbd");
            else
                fwrite(s + i, 1, length, h->out);
        }
        i += length ? length : 1;
    }
}

static void put_text(const struct html *h, const char *s) {
    if (s)
        put_text_n(h, s, strlen(s));
}

static const char *shown_path(const struct html *h, const char *file) {
    return file ? path_below(h->ctx->root, file) : "(no file)";
}

/* ---- the filters ---- */

struct tally {
    const char *value;
    size_t n;
};

static int compare_tallies(const void *a, const void *b) {
    return strcmp(((const struct tally *)a)->value, ((const struct tally *)b)->value);
}

enum group { BY_SEVERITY, BY_STATE, BY_RULE, BY_FILE, GROUPS };

static const char *value_in(const struct html *h, const struct finding *f, enum group g) {
    switch (g) {
    case BY_SEVERITY: return severity_name(f->severity);
    case BY_STATE: return finding_state(f, h->ctx->baseline);
    case BY_RULE: return f->rule;
    default: return shown_path(h, f->at.file);
    }
}

static void put_group(const struct html *h, enum group g) {
    static const char *const names[] = {"severity", "state", "rule", "file"};
    static const char *const titles[] = {"Severity", "State", "Rule", "File"};
    VEC(struct tally) tallies = {0};
    for (size_t i = 0; i < report_count(h->report); i++) {
        const char *value = value_in(h, report_at(h->report, i), g);
        size_t k = 0;
        while (k < tallies.n && strcmp(tallies.at[k].value, value) != 0)
            k++;
        if (k == tallies.n)
            vec_push(&tallies, ((struct tally){value, 0}));
        tallies.at[k].n++;
    }
    if (tallies.n > 1) {
        qsort(tallies.at, tallies.n, sizeof *tallies.at, compare_tallies);
        fprintf(h->out, "<h2>%s</h2>\n", titles[g]);
        for (size_t k = 0; k < tallies.n; k++) {
            fprintf(h->out, "<label><input type=\"checkbox\" name=\"%s\" value=\"", names[g]);
            put_text(h, tallies.at[k].value);
            put(h, "\"> <span>");
            put_text(h, tallies.at[k].value);
            fprintf(h->out, "</span> <span class=\"count\">%zu</span></label>\n", tallies.at[k].n);
        }
    }
    vec_free(&tallies);
}

/* ---- a finding's source ---- */

/* A place to show: the finding itself (number 0) or its note of this number. */
struct step {
    const struct position *at;
    const char *text;
    size_t number;
};

static int compare_steps(const void *a, const void *b) {
    const struct step *x = a, *y = b;
    if (x->at->line != y->at->line)
        return x->at->line < y->at->line ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void put_line(const struct html *h, const struct source_file *file, uint32_t number,
                     const struct position *mark) {
    size_t n;
    const char *line = source_line(file, number, &n);
    if (n > LONGEST_LINE)
        n = LONGEST_LINE;
    fprintf(h->out, "<tr><td class=\"n\">%u</td><td>", number);
    size_t from = mark && mark->col && mark->col <= n ? mark->col - 1 : n, to = from;
    if (from < n)
        to = mark->end_line > number                                 ? n
             : mark->end_line == number && mark->end_col > mark->col ? mark->end_col - 1
                                                                     : from + 1;
    if (to > n)
        to = n;
    put_text_n(h, line, from);
    if (from < to) {
        put(h, "<mark>");
        put_text_n(h, line + from, to - from);
        put(h, "</mark>");
        put_text_n(h, line + to, n - to);
    }
    put(h, "</td></tr>\n");
}

static void put_step(const struct html *h, const struct step *s) {
    fprintf(h->out, "<tr class=\"step%s\"><td class=\"n\"></td><td><span class=\"number\">",
            s->number ? "" : " primary");
    if (s->number)
        fprintf(h->out, "%zu", s->number);
    else
        put(h, "!");
    put(h, "</span>");
    put_text(h, s->text);
    put(h, "</td></tr>\n");
}

/* The lines around the steps of one file, each step under its line. The steps are sorted by line. */
static void put_excerpt(const struct html *h, const struct step *steps, size_t n) {
    const struct source_file *file = source_of(h->sources, steps[0].at->file);
    put(h, "<div class=\"excerpt\"><div class=\"file where\">");
    put_text(h, shown_path(h, steps[0].at->file));
    put(h, "</div><table class=\"code\"><tbody>\n");
    uint32_t next = 1; /* the first line not yet shown */
    for (size_t i = 0; i < n;) {
        uint32_t line = steps[i].at->line, first = line > LINES_BEFORE ? line - LINES_BEFORE : 1;
        uint32_t last = line < UINT32_MAX - LINES_AFTER ? line + LINES_AFTER : line;
        if (first < next)
            first = next;
        if (first > next && next > 1)
            put(h, "<tr class=\"gap\"><td class=\"n\">⋮</td><td></td></tr>\n");
        size_t after = i;
        while (after < n && steps[after].at->line == line)
            after++;
        if (after < n && last >= steps[after].at->line)
            last = steps[after].at->line - 1;
        for (uint32_t l = first; l <= last && l <= file->n_lines; l++) {
            put_line(h, file, l, l == line ? steps[i].at : NULL);
            for (; l == line && i < n && steps[i].at->line == line; i++)
                put_step(h, &steps[i]);
        }
        for (; i < n && steps[i].at->line == line; i++) /* a line that the file no longer has */
            put_step(h, &steps[i]);
        next = last + 1;
    }
    put(h, "</tbody></table></div>\n");
}

static void put_story(const struct html *h, const struct finding *f) {
    VEC(struct step) all = {0}, here = {0};
    if (f->at.file && f->at.line)
        vec_push(&all, ((struct step){&f->at, f->message, 0}));
    for (size_t i = 0; i < f->n_notes; i++) {
        if (f->notes[i].at.file && f->notes[i].at.line) {
            vec_push(&all, ((struct step){&f->notes[i].at, f->notes[i].text, i + 1}));
        } else {
            put(h, "<div class=\"fix\">");
            put_text(h, f->notes[i].text);
            put(h, "</div>\n");
        }
    }
    for (size_t i = 0; i < all.n; i++) { /* file by file, in the order of their first step */
        bool done = false;
        vec_clear(&here);
        for (size_t k = 0; k < all.n && !done; k++)
            if (!strcmp(all.at[k].at->file, all.at[i].at->file)) {
                done = k < i;
                vec_push(&here, all.at[k]);
            }
        if (done)
            continue;
        qsort(here.at, here.n, sizeof *here.at, compare_steps);
        put_excerpt(h, here.at, here.n);
    }
    vec_free(&all);
    vec_free(&here);
}

static void put_finding(const struct html *h, const struct finding *f) {
    static const char *const names[] = {"severity", "state", "rule", "file"};
    fprintf(h->out, "<article id=\"f-%016" PRIx64 "\" class=\"%s\"", f->fingerprint,
            severity_name(f->severity));
    for (int g = 0; g < GROUPS; g++) {
        fprintf(h->out, " data-%s=\"", names[g]);
        put_text(h, value_in(h, f, (enum group)g));
        put(h, "\"");
    }
    put(h, ">\n<div class=\"head\"><h3><span class=\"severity\">");
    put(h, severity_name(f->severity));
    put(h, "</span> ");
    put_text(h, f->message);
    put(h, " <a class=\"rule\" href=\"#rule-");
    put_text(h, f->rule);
    put(h, "\">");
    put_text(h, f->rule);
    put(h, "</a></h3>\n<div class=\"where\">");
    put_text(h, shown_path(h, f->at.file));
    if (f->at.line)
        fprintf(h->out, ":%u:%u", f->at.line, f->at.col);
    if (f->function) {
        put(h, " in ");
        put_text(h, f->function);
    }
    put(h, "</div>");
    if (f->suppressed) {
        put(h, "<div class=\"state\">suppressed: ");
        put_text(h, f->suppressed);
        put(h, "</div>");
    } else if (baseline_has(h->ctx->baseline, f)) {
        put(h, "<div class=\"state\">in the baseline</div>");
    }
    put(h, "</div>\n");
    put_story(h, f);
    for (size_t i = 0; i < f->n_fixits; i++) {
        put(h, "<div class=\"fix\">Fix at ");
        put_text(h, shown_path(h, f->fixits[i].at.file));
        fprintf(h->out, ":%u:%u: <code>", f->fixits[i].at.line, f->fixits[i].at.col);
        put_text(h, f->fixits[i].text);
        put(h, "</code></div>\n");
    }
    put(h, "</article>\n");
}

/* ---- the page ---- */

static void put_rules(const struct html *h) {
    put(h, "<section><h2>The rules</h2>\n");
    for (size_t i = 0; i < h->ctx->n_rules; i++) {
        const struct report_rule *rule = &h->ctx->rules[i];
        bool used = false;
        for (size_t k = 0; k < report_count(h->report) && !used; k++)
            used = !strcmp(report_at(h->report, k)->rule, rule->id);
        if (!used)
            continue;
        put(h, "<details id=\"rule-");
        put_text(h, rule->id);
        put(h, "\"><summary><b>");
        put_text(h, rule->id);
        put(h, "</b>: ");
        put_text(h, rule->summary);
        put(h, rule->tags ? " <span class=\"where\">" : "");
        put_text(h, rule->tags);
        put(h, rule->tags ? "</span>" : "");
        put(h, "</summary>");
        if (rule->page) {
            put(h, "<pre>");
            put_text(h, rule->page);
            put(h, "</pre>");
        }
        put(h, "</details>\n");
    }
    put(h, "</section>\n");
}

static void put_count(const struct html *h, size_t n, const char *one, const char *many, bool *any) {
    if (!n)
        return;
    fprintf(h->out, "%s%zu %s", *any ? ", " : "", n, n == 1 ? one : many);
    *any = true;
}

void write_html(const struct report *r, const struct report_context *ctx, struct sources *sources,
                FILE *out) {
    struct html h = {r, ctx, sources, out};
    struct report_counts c = report_counts(r, ctx->baseline);
    bool any = false;
    put(&h, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<link rel=\"icon\" href=\"data:,\">\n<title>Aglet report</title>\n<style>\n");
    put(&h, (const char *)html_css);
    put(&h, "</style>\n</head>\n<body>\n<header>\n<h1>Aglet report</h1>\n<p>");
    put_count(&h, c.errors, "error", "errors", &any);
    put_count(&h, c.findings, "finding", "findings", &any);
    put_count(&h, c.hints, "hint", "hints", &any);
    put_count(&h, c.known, "in the baseline", "in the baseline", &any);
    put_count(&h, c.suppressed, "suppressed", "suppressed", &any);
    put(&h, any ? "." : "Nothing was found.");
    put(&h, " aglet ");
    put_text(&h, ctx->version ? ctx->version : "0");
    put(&h, "</p>\n</header>\n<div class=\"columns\">\n<nav aria-label=\"Filters\">\n"
            "<label for=\"search\">Text (press /)</label>\n<input type=\"search\" id=\"search\" "
            "autocomplete=\"off\">\n"
            "<p><span id=\"shown\" role=\"status\"></span> <button type=\"button\" id=\"reset\">Show "
            "all</button></p>\n");
    for (int g = 0; g < GROUPS; g++)
        put_group(&h, (enum group)g);
    put(&h, "</nav>\n<main>\n");
    for (size_t i = 0; i < report_count(r); i++)
        put_finding(&h, report_at(r, i));
    put_rules(&h);
    put(&h, "</main>\n</div>\n<script>\n");
    put(&h, (const char *)html_js);
    put(&h, "</script>\n</body>\n</html>\n");
}
