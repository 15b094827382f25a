/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tests of the list of findings, the fingerprints, the baseline and the outputs.
 * Stands on cmocka; writes its sources into a directory of its own. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "report/output.h"

static char directory[] = "/tmp/aglet-report-XXXXXX";

static const char *file(const char *name, const char *text) {
    static char paths[8][200];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    return path;
}

static char *written(const struct report *r, enum report_format format, const struct report_context *ctx) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_true(report_write(r, format, ctx, out));
    fclose(out);
    return text;
}

static void contains(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("this is not there:\n%s\nin:\n%s", part, text);
}

static struct position at(const char *path, uint32_t line, uint32_t col, uint32_t end_col) {
    return (struct position){path, line, col, end_col ? line : 0, end_col, NULL};
}

static void findings_come_out_sorted_and_once(void **state) {
    (void)state;
    struct report *r = report_new();
    struct position p1 = at("/b.c", 3, 1, 0), p2 = at("/a.c", 9, 1, 0), p3 = at("/b.c", 2, 7, 0);
    report_begin(r, "x", SEVERITY_WARNING, &p1, "third");
    report_note(r, &p2, "note %d", 1);
    report_note(r, &p2, "note %d", 1); /* said already */
    report_begin(r, "x", SEVERITY_WARNING, &p2, "first");
    report_begin(r, "x", SEVERITY_WARNING, &p3, "second");
    report_begin(r, "x", SEVERITY_WARNING, &p1, "third");
    report_note(r, &p1, "this note goes with the repeated finding");
    report_begin(r, "w", SEVERITY_WARNING, &p1, "third, by another rule");
    report_sort(r);
    assert_int_equal(report_count(r), 4);
    assert_string_equal(report_at(r, 0)->message, "first");
    assert_string_equal(report_at(r, 1)->message, "second");
    assert_string_equal(report_at(r, 2)->rule, "w");
    assert_int_equal(report_at(r, 3)->n_notes, 1);
    assert_string_equal(report_at(r, 3)->notes[0].text, "note 1");
    report_begin(r, "x", SEVERITY_WARNING, &p2, "first"); /* still known after the sort */
    assert_int_equal(report_count(r), 4);
    report_free(r);
}

/* The fingerprints of one finding per given line, in one function. */
static void fingerprints(const char *source, const uint32_t *lines, size_t n, uint64_t *out) {
    const char *path = file("f.c", source);
    struct report *r = report_new();
    for (size_t i = 0; i < n; i++) {
        struct position p = at(path, lines[i], 5, 0);
        report_begin(r, "guarded-by", SEVERITY_WARNING, &p, "line %u", lines[i]);
        report_subject(r, "f", "s->n");
    }
    report_sort(r);
    for (size_t i = 0; i < n; i++)
        out[i] = report_at(r, i)->fingerprint;
    report_free(r);
}

static void fingerprints_survive_edits_elsewhere(void **state) {
    (void)state;
    uint64_t before[3], after[3], changed[3];
    fingerprints("a();\n    n = 1;\n    n = 2;\n    n = 1;\n", (uint32_t[]){2, 3, 4}, 3, before);
    fingerprints("b();\nc();\n\n  n  =  1; // why\nd();\n\tn = 2; /* x */\ne();\nn=1;\n",
                 (uint32_t[]){4, 6, 8}, 3, after);
    assert_memory_equal(before, after, sizeof before);
    assert_true(before[0] != before[1] &&
                before[0] != before[2]); /* the two alike are told apart by their order */
    fingerprints("a();\n    n = 1;\n    n = 3;\n    n = 1;\n", (uint32_t[]){2, 3, 4}, 3, changed);
    assert_true(before[0] == changed[0] && before[1] != changed[1] && before[2] == changed[2]);
}

static void fingerprints_do_not_depend_on_what_is_shown(void **state) {
    (void)state;
    const char *path = file("g.c", "n = 1;\nn = 1;\n");
    struct report *all = report_new(), *some = report_new();
    for (uint32_t line = 1; line <= 2; line++) {
        struct position p = at(path, line, 1, 0);
        report_begin(all, "guarded-by", SEVERITY_WARNING, &p, "alike");
    }
    report_sort(all);
    struct position p = at(path, 2, 1, 0);
    report_begin(some, "guarded-by", SEVERITY_WARNING, &p, "alike");
    report_fingerprint(some, report_at(all, 1)->fingerprint);
    report_sort(some);
    assert_true(report_at(some, 0)->fingerprint == report_at(all, 1)->fingerprint);
    report_free(all);
    report_free(some);
}

static void baseline_knows_the_old_and_not_the_new(void **state) {
    (void)state;
    char err[300], path[200];
    struct report *r = report_new();
    struct position p1 = at("/r/src/a.c", 1, 1, 0), p2 = at("/r/src/b.c", 1, 1, 0);
    report_begin(r, "lock-leak", SEVERITY_WARNING, &p1, "old");
    report_subject(r, "f", "mu");
    report_begin(r, "missing-guard", SEVERITY_HINT, &p1, "hint");
    report_begin(r, "annotation", SEVERITY_ERROR, &p2, "error");
    report_sort(r);
    snprintf(path, sizeof path, "%s/baseline", directory);
    FILE *out = fopen(path, "w");
    assert_true(baseline_write(r, "/r", NULL, out));
    fclose(out);
    report_begin(r, "lock-leak", SEVERITY_WARNING, &p2, "new");
    report_subject(r, "g", "mu");
    report_sort(r);
    struct baseline *b = baseline_read(path, err, sizeof err);
    assert_non_null(b);
    struct report_counts c = report_counts(r, b);
    assert_int_equal(c.known, 1);
    assert_int_equal(c.findings, 1);
    assert_int_equal(c.hints, 1);
    assert_int_equal(c.errors, 1);
    assert_int_equal(baseline_gone(b, r), 0);
    struct report *empty = report_new();
    report_sort(empty);
    assert_int_equal(baseline_gone(b, empty), 1);
    report_free(empty);
    char *text =
        written(r, REPORT_TEXT, &(struct report_context){.root = "/r", .directory = "/r/src", .baseline = b});
    assert_null(strstr(text, "old"));
    contains(text, "b.c:1:1: warning: new [aglet-lock-leak]\n");
    contains(text, "\nHints, which fail no build:\na.c:1:1: hint: hint");
    free(text);
    baseline_free(b);
    report_free(r);
}

static void what_is_no_baseline_is_refused_with_its_line(void **state) {
    (void)state;
    char err[300];
    assert_null(baseline_read("/nonexistent/b", err, sizeof err));
    contains(err, "/nonexistent/b: cannot be read");
    assert_null(baseline_read(file("b1", ""), err, sizeof err));
    contains(err, "it is empty");
    assert_null(baseline_read(file("b2", "{}\n"), err, sizeof err));
    contains(err, "b2:1: this is no baseline");
    assert_null(
        baseline_read(file("b3", "# aglet baseline 1\n0123456789abcdef x\nnonsense\n"), err, sizeof err));
    contains(err, "b3:3: a line of a baseline begins with 16 hexadecimal digits");
}

static struct report *sample(void) {
    const char *path = file("s.c", "int f(struct s *s) {\n\treturn s->n; /* \xc3\xa4\xc3\xa4 */ s->m;\n}\n");
    struct report *r = report_new();
    struct position p = at(path, 2, 9, 13), n = at(path, 1, 5, 6), late = at(path, 2, 24, 28);
    report_begin(r, "guarded-by", SEVERITY_WARNING, &p, "reading 's->n' needs '%s'", "s->mu");
    report_note(r, &n, "in \"f\"\tcalled here");
    struct position ins = at(path, 2, 2, 0);
    report_fixit(r, &ins, "lock(&s->mu); ");
    report_subject(r, "f", "s->n/s->mu");
    report_begin(r, "guarded-by", SEVERITY_HINT, &late, "bad utf-8 \xff here");
    report_suppressed(r, "by design");
    report_sort(r);
    return r;
}

static void text_obeys_nothing_that_the_source_says_to_a_terminal(void **state) {
    (void)state;
    struct report *r = report_new();
    const char *path = file("t.c", "\033[31m\xc2\x9b \xe2\x80\xae\xe9 \xc3\xa9 x;\r\n");
    struct position at = {.file = path, .line = 1, .col = 17, .end_line = 1, .end_col = 19};
    report_begin(r, "lock-leak", SEVERITY_WARNING, &at, "it's \033]0;me\007");
    report_note(r, &(struct position){.file = "/r/\033[1m.c"}, "\x9b");
    char *text = written(r, REPORT_TEXT, &(struct report_context){.directory = "/r"});
    contains(text, "warning: it's \xef\xbf\xbd]0;me\xef\xbf\xbd [aglet-lock-leak]\n"
                   "    1 | \xef\xbf\xbd[31m\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd \xc3\xa9 x;\n"
                   "      |             ^~\n"
                   "\xef\xbf\xbd[1m.c: note: \xef\xbf\xbd\n");
    free(text);
    report_free(r);
}

static void text_shows_the_line_the_caret_and_the_fix(void **state) {
    (void)state;
    struct report *r = sample();
    char *text = written(r, REPORT_TEXT, &(struct report_context){.directory = directory});
    assert_string_equal(text, "s.c:2:9: warning: reading 's->n' needs 's->mu' [aglet-guarded-by]\n"
                              "    2 | \treturn s->n; /* \xc3\xa4\xc3\xa4 */ s->m;\n"
                              "      | \t       ^~~~\n"
                              "      | \tlock(&s->mu); \n"
                              "s.c:1:5: note: in \"f\"\tcalled here\n"
                              "    1 | int f(struct s *s) {\n"
                              "      |     ^\n");
    free(text);
    text = written(r, REPORT_TEXT,
                   &(struct report_context){.directory = directory, .colour = true, .show_hidden = true});
    contains(text, "\033[1;35mwarning:\033[0m");
    contains(text, "(suppressed: by design)\n");
    free(text);
    report_free(r);
}

static void json_and_sarif_hold_everything(void **state) {
    (void)state;
    struct report *r = sample();
    struct report_rule rules[] = {
        {"guarded-by", "guarded data without its lock", "CWE-667 CERT-CON43-C", "# page\n"}};
    struct report_context ctx = {.root = directory, .rules = rules, .n_rules = 1, .version = "1.2.3"};
    char *text = written(r, REPORT_JSON, &ctx);
    contains(text, "\"file\": \"s.c\"");
    contains(text, "\"message\": \"in \\\"f\\\"\\tcalled here\"");
    contains(text, "\"message\": \"bad utf-8 \xef\xbf\xbd here\"");
    contains(text, "\"state\": \"suppressed\"");
    contains(text, "\"reason\": \"by design\"");
    free(text);
    text = written(r, REPORT_SARIF, &ctx);
    contains(text, "\"uri\": \"s.c\"");
    contains(text, "\"external/cwe/cwe-667\"");
    contains(text, "\"justification\": \"by design\"");
    contains(text, "\"startColumn\": 22"); /* the 24th byte, two letters of two bytes before it */
    contains(text, "\"insertedContent\"");
    assert_null(strstr(text, "baselineState"));
    assert_null(strstr(text, directory));
    free(text);
    report_free(r);
}

static void formats_have_names(void **state) {
    (void)state;
    enum report_format f;
    assert_true(report_format_named("sarif", &f) && f == REPORT_SARIF);
    assert_true(report_format_named("text", &f) && f == REPORT_TEXT);
    assert_false(report_format_named("xml", &f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_come_out_sorted_and_once),
        cmocka_unit_test(fingerprints_survive_edits_elsewhere),
        cmocka_unit_test(fingerprints_do_not_depend_on_what_is_shown),
        cmocka_unit_test(baseline_knows_the_old_and_not_the_new),
        cmocka_unit_test(what_is_no_baseline_is_refused_with_its_line),
        cmocka_unit_test(text_shows_the_line_the_caret_and_the_fix),
        cmocka_unit_test(text_obeys_nothing_that_the_source_says_to_a_terminal),
        cmocka_unit_test(json_and_sarif_hold_everything),
        cmocka_unit_test(formats_have_names),
    };
    if (!mkdtemp(directory))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command) || failed;
}
