/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Writes a report with one of everything: report_sample FORMAT DIRECTORY, where DIRECTORY is to hold the two
 * sources it makes. With a third argument, a file name, the first finding is put into a baseline of that
 * name. Stands on report/output.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report/output.h"

static char path[2][1000];

static void make_source(int i, const char *directory, const char *name, const char *text) {
    snprintf(path[i], sizeof path[i], "%s/%s", directory, name);
    FILE *out = fopen(path[i], "w");
    if (!out || fputs(text, out) < 0 || fclose(out)) {
        perror(path[i]);
        exit(2);
    }
}

static struct position at(int i, uint32_t line, uint32_t col, uint32_t end_col) {
    return (struct position){path[i], line, col, end_col ? line : 0, end_col, NULL};
}

static void fill(struct report *r) {
    struct position leak = at(0, 8, 9, 17), locked = at(0, 6, 5, 35), branch = at(0, 7, 9, 13), nowhere = {0};
    report_begin(r, "lock-leak", SEVERITY_WARNING, &leak, "'a->mu' is still held on this return");
    report_note(r, &locked, "locked here");
    report_note(r, &branch, "when 'n < 0'");
    report_note(r, &nowhere, "other returns of the function release it");
    report_subject(r, "deposit", "a->mu");
    struct position fix = at(0, 8, 9, 0);
    report_fixit(r, &fix, "pthread_mutex_unlock(&a->mu); ");

    struct position read = at(1, 5, 12, 22), called = at(0, 16, 12, 21);
    report_begin(r, "guarded-by", SEVERITY_WARNING, &read,
                 "reading 'a->balance' needs 'a->mu'; <b>&\"nothing\"</b> is held");
    report_note(r, &called, "called from here");
    report_subject(r, "balance", "a->balance/a->mu");

    struct position hint = at(1, 4, 1, 0);
    report_begin(r, "missing-guard", SEVERITY_HINT, &hint,
                 "'n' is written with 'mu' held 9 of 10 times; here it is not");
    struct position accepted = at(0, 14, 5, 8);
    report_begin(r, "guarded-by", SEVERITY_WARNING, &accepted, "writing 'a->n' needs 'a->mu'");
    report_suppressed(r, "only one thread runs yet; caf\xc3\xa9 \xff");
    struct position wrong = at(0, 2, 20, 0);
    report_begin(r, "annotation", SEVERITY_ERROR, &wrong, "'mux' names no lock here");
    report_begin(r, "annotation", SEVERITY_ERROR, &nowhere, "the program has no main function");
    report_sort(r);
}

int main(int argc, char **argv) {
    enum report_format format;
    char err[300];
    if (argc < 3 || !report_format_named(argv[1], &format))
        return 2;
    make_source(0, argv[2], "account one.c",
                "struct account {\n    long balance AGLET_GUARDED_BY(mux);\n};\n\nint deposit(struct account "
                "*a, long n) {\n"
                "    pthread_mutex_lock(&a->mu); /* \xc3\xa4 */\n    if (n < 0)\n        return -1;\n    "
                "a->balance += n;\n"
                "    pthread_mutex_unlock(&a->mu);\n    return 0;\n}\nvoid start(struct account *a) {\n    "
                "a->n = 1;\n\n"
                "    return balance(a);\n}\n");
    make_source(1, argv[2], "balance.c",
                "#include \"a.h\"\n\nlong balance(struct account *a)\n{\n    return a->balance;\n}\n");
    struct report *r = report_new();
    fill(r);
    static const struct report_rule rules[] = {
        {"guarded-by", "guarded data is used without its lock", "CERT-CON43-C CWE-667",
         "# guarded-by\n\nA <page>.\n"},
        {"lock-leak", "a lock is still held when the function returns", "CWE-667 MISRA-D4.13", NULL},
        {"missing-guard", "a field that is nearly always guarded", NULL, NULL}};
    struct report_context ctx = {.root = argv[2], .rules = rules, .n_rules = 3, .version = "1.2.3"};
    struct baseline *known = NULL;
    if (argc > 3) {
        struct report *one = report_new();
        struct position read = at(1, 5, 12, 22);
        report_begin(one, "guarded-by", SEVERITY_WARNING, &read, "as before");
        report_subject(one, "balance", "a->balance/a->mu");
        report_sort(one);
        FILE *out = fopen(argv[3], "w");
        if (!out || !baseline_write(one, argv[2], NULL, out) || fclose(out))
            return 2;
        report_free(one);
        ctx.baseline = known = baseline_read(argv[3], err, sizeof err);
        if (!known)
            return 2;
    }
    bool good = report_write(r, format, &ctx, stdout);
    baseline_free(known);
    report_free(r);
    return good ? 0 : 2;
}
