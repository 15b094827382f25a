/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tests of aglet-ignore comments: what they speak of, and what is said of those that are wrong.
 * Stands on cmocka; writes its source into a file of its own. */
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
#include "report/ignores.h"

static char path[] = "/tmp/aglet-ignores-XXXXXX";
static const char *const known[] = {"lock-leak", "guarded-by", "lock-order", NULL};

/* A report with one finding of the rule on each of the lines (ended by 0), the source's comments applied. */
static struct report *apply(const char *source, const char *rule, const uint32_t *lines,
                            const char *const *ran, bool whole) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(source, out);
    fclose(out);
    struct report *r = report_new();
    struct ignores *ig = ignores_new();
    for (; *lines; lines++) {
        struct position at = {path, *lines, 1, 0, 0, NULL};
        report_begin(r, rule, SEVERITY_WARNING, &at, "finding");
    }
    ignores_read(ig, path);
    ignores_read(ig, path);
    ignores_apply(ig, r, known, ran, whole);
    ignores_free(ig);
    report_sort(r);
    return r;
}

/* The state of the report in one string: "line:reason" per finding, and the messages of the rule "ignore". */
static void states(const char *source, const char *rule, const uint32_t *lines, const char *const *ran,
                   bool whole, const char *want) {
    struct report *r = apply(source, rule, lines, ran, whole);
    char got[1000] = "";
    size_t n = 0;
    for (size_t i = 0; i < report_count(r); i++) {
        const struct finding *f = report_at(r, i);
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%u:%s", i ? " | " : "", f->at.line,
                              !strcmp(f->rule, "ignore") ? f->message
                              : f->suppressed            ? f->suppressed
                                                         : "shown");
    }
    report_free(r);
    assert_string_equal(got, want);
}
#define LINES(...) ((const uint32_t[]){__VA_ARGS__, 0})

static void a_comment_speaks_of_its_line_or_of_the_next_code(void **state) {
    (void)state;
    states("f(); // aglet-ignore(lock-leak): why not\nf();\n", "lock-leak", LINES(1, 2), NULL, true,
           "1:why not | 2:shown");
    states("// aglet-ignore(lock-leak): a\nf();\nf();\n", "lock-leak", LINES(2, 3), NULL, true,
           "2:a | 3:shown");
    states("/* aglet-ignore(aglet-lock-leak): a\n   b */\n\n// more\n  f();\n", "lock-leak", LINES(5), NULL,
           true, "5:a\n   b");
    states("f(); /* aglet-ignore(guarded-by, lock-leak): both */ g();\n", "lock-leak", LINES(1), NULL, true,
           "1:both");
    states("// aglet-ignore(guarded-by): x\n// aglet-ignore(lock-leak): y\nf();", "lock-leak", LINES(3), NULL,
           false, "3:y");
}

static void another_rule_or_a_string_is_not_meant(void **state) {
    (void)state;
    states("f(); // aglet-ignore(guarded-by): why\n", "lock-leak", LINES(1), NULL, false, "1:shown");
    states("f(\"// aglet-ignore(lock-leak): why\");\n", "lock-leak", LINES(1), NULL, true, "1:shown");
    states("f('\"'); // aglet-ignore(lock-leak): why\n", "lock-leak", LINES(1), NULL, true, "1:why");
    states("f(); // aglet-ignore comments are described elsewhere\n", "lock-leak", LINES(1), NULL, true,
           "1:shown");
    states("f(); // see aglet-ignore(lock-leak): no comment of ours\n", "lock-leak", LINES(1), NULL, true,
           "1:shown");
}

static void what_is_wrong_with_a_comment_is_said(void **state) {
    (void)state;
    states("f(); // aglet-ignore(lock-leak)\n", "lock-leak", LINES(1), NULL, true,
           "1:shown | 1:this aglet-ignore gives no reason, so it suppresses nothing");
    states("f(); // aglet-ignore(lock-leak):  \n", "lock-leak", LINES(1), NULL, true,
           "1:shown | 1:this aglet-ignore gives no reason, so it suppresses nothing");
    states("f(); // aglet-ignore: why\n", "lock-leak", LINES(1), NULL, true,
           "1:shown | 1:this aglet-ignore names no rule: write aglet-ignore(rule): why");
    states("f(); // aglet-ignore(lock-leek): why\n", "lock-leak", LINES(1), NULL, true,
           "1:shown | 1:there is no rule 'lock-leek' to ignore");
}

static void an_unused_comment_is_said_when_all_was_seen(void **state) {
    (void)state;
    static const char *const ran[] = {"guarded-by", NULL};
    states("f();\n// aglet-ignore(lock-leak): why\nf();\n", "lock-leak", LINES(1), NULL, true,
           "1:shown | 2:this aglet-ignore suppresses nothing");
    states("f();\n// aglet-ignore(lock-leak): why\nf();\n", "lock-leak", LINES(1), NULL, false, "1:shown");
    states("f();\n// aglet-ignore(lock-leak): why\nf();\n", "lock-leak", LINES(1), ran, true, "1:shown");
    states("// aglet-ignore(lock-leak): at the end of the file\n", "lock-leak", LINES(9), NULL, true,
           "1:this aglet-ignore suppresses nothing | 9:shown");
}

static void errors_are_never_suppressed(void **state) {
    (void)state;
    FILE *out = fopen(path, "w");
    fputs("f(); // aglet-ignore(lock-leak): why\n", out);
    fclose(out);
    struct report *r = report_new();
    struct ignores *ig = ignores_new();
    struct position at = {path, 1, 1, 0, 0, NULL};
    report_begin(r, "lock-leak", SEVERITY_ERROR, &at, "error");
    ignores_read(ig, path);
    ignores_read(ig, "/nonexistent/file.c");
    ignores_apply(ig, r, known, NULL, false);
    assert_null(report_at(r, 0)->suppressed);
    ignores_free(ig);
    report_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comment_speaks_of_its_line_or_of_the_next_code),
        cmocka_unit_test(another_rule_or_a_string_is_not_meant),
        cmocka_unit_test(what_is_wrong_with_a_comment_is_said),
        cmocka_unit_test(an_unused_comment_is_said_when_all_was_seen),
        cmocka_unit_test(errors_are_never_suppressed),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
