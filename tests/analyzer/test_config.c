/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* `.aglet.yml`: what it sets for which path, where it is found, what is said of a wrong one.
 * Stands on program/config.h, base/glob.h and cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/glob.h"
#include "program/config.h"

static char directory[] = "/tmp/aglet-config-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static struct config *read_config(const char *text, char *err, size_t err_size)
{
    char path[300];
    write_file(".aglet.yml", text);
    snprintf(path, sizeof path, "%s/.aglet.yml", directory);
    struct config *c = config_read(path, err, err_size);
    if (err[0]) /* drop the directory, which differs in each run */
        memmove(err, err + strlen(directory) + 1, strlen(err) - strlen(directory));
    return c;
}

static void patterns_match_as_gitignore_does(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool match;
    } cases[] = {
        {"*.c", "a.c", true},           {"*.c", "src/a.c", true},       {"*.c", "src/a.h", false},
        {"src/*.c", "src/a.c", true},   {"src/*.c", "src/b/a.c", false}, {"src/**/*.c", "src/b/d/a.c", true},
        {"src/**/*.c", "src/a.c", true}, {"**/gen", "x/gen/y.c", true},  {"third_party", "third_party/x/y.c", true},
        {"third_party/", "third_party/x/y.c", true}, {"third_party", "my_third_party/y.c", false},
        {"src/**", "src/a/b.c", true},  {"src/**", "srcs/a.c", false},  {"a?c.h", "abc.h", true},
        {"[a-c]x.c", "bx.c", true},     {"[!a-c]x.c", "bx.c", false},   {"/abs/*.c", "/abs/x.c", true},
        {"./src/*.c", "src/a.c", true}, {"**/a*b*c.h", "q/r/aXXbYYc.h", true}, {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaa", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_match(cases[i].pattern, cases[i].path) != cases[i].match)
            fail_msg("'%s' on '%s'", cases[i].pattern, cases[i].path);
}

static void settings_apply_by_path_and_the_last_wins(void **state)
{
    (void)state;
    char err[300] = "";
    write_file("lib.yml", "functions:\n  lib_lock: acquires $1\n");
    struct config *c = read_config("level: strict\n"
                                   "rules: {missing-guard: off}\n"
                                   "exclude: [third_party, '*.gen.c']\n"
                                   "models: lib.yml\n"
                                   "paths:\n"
                                   "  - match: [legacy/**, old]\n"
                                   "    level: default\n"
                                   "    rules: {'*': off, guarded-by: on}\n"
                                   "  - match: legacy/new.c\n"
                                   "    level: 2\n"
                                   "functions:\n"
                                   "  my_lock: acquires $1\n"
                                   "types: {my_t: lock}\n"
                                   "programs:\n"
                                   "  server: [src/server, src/common]\n"
                                   "  tool: src/tool/*.c\n",
                                   err, sizeof err);
    assert_string_equal(err, "");
    assert_int_equal(config_level(c, "src/a.c"), 2);
    assert_int_equal(config_level(c, "legacy/a.c"), 1);
    assert_int_equal(config_level(c, "legacy/new.c"), 2);
    assert_true(config_rule_on(c, "guarded-by", "legacy/a.c"));
    assert_false(config_rule_on(c, "lock-leak", "legacy/a.c"));
    assert_true(config_rule_on(c, "lock-leak", "src/a.c"));
    assert_false(config_rule_on(c, "missing-guard", "src/a.c"));
    char absolute[400];
    snprintf(absolute, sizeof absolute, "%s/third_party/z/z.c", directory);
    assert_true(config_excluded(c, absolute));
    assert_true(config_excluded(c, "src/x.gen.c"));
    assert_false(config_excluded(c, "src/x.c"));
    assert_non_null(models_find(config_models(c), "my_lock"));
    assert_non_null(models_find(config_models(c), "lib_lock"));
    assert_non_null(models_find_type(config_models(c), "my_t"));
    assert_int_equal(config_n_programs(c), 2);
    assert_string_equal(config_program_name(c, 0), "server");
    assert_true(config_in_program(c, 0, "src/common/x.c"));
    assert_false(config_in_program(c, 1, "src/common/x.c"));
    config_free(c);
}

static void nothing_said_is_the_default(void **state)
{
    (void)state;
    char err[300] = "";
    struct config *c = read_config("", err, sizeof err), *d = config_default();
    assert_non_null(c);
    assert_int_equal(config_level(c, "a.c"), 1);
    assert_true(config_rule_on(c, "guarded-by", "a.c"));
    assert_false(config_excluded(c, "a.c"));
    assert_null(config_path(d));
    assert_int_equal(config_level(d, "/a/b.c"), 1);
    config_free(c);
    config_free(d);
}

static void it_is_found_upwards(void **state)
{
    (void)state;
    char deep[400], expected[400];
    write_file(".aglet.yml", "level: 1\n");
    snprintf(deep, sizeof deep, "%s/one", directory);
    mkdir(deep, 0700);
    strcat(deep, "/two");
    mkdir(deep, 0700);
    char *found = config_find(deep);
    snprintf(expected, sizeof expected, "%s/.aglet.yml", directory);
    assert_string_equal(found, expected);
    free(found);
    rmdir(deep);
    snprintf(deep, sizeof deep, "%s/one", directory);
    rmdir(deep);
}

static bool known(const char *rule)
{
    return strcmp(rule, "guarded-by") == 0;
}

static void a_wrong_one_is_said_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"levels: 1\n", ".aglet.yml:1:1: 'levels' is no key of .aglet.yml: level, rules, exclude, paths, models, functions, types, programs"},
        {"level: 3\n", ".aglet.yml:1:8: '3' is no level: 'default' or 'strict'"},
        {"level: [1]\n", ".aglet.yml:1:8: 'default' or 'strict' wanted here"},
        {"rules:\n  a: maybe\n", ".aglet.yml:2:6: 'maybe' is neither 'on' nor 'off'"},
        {"rules: a\n", ".aglet.yml:1:8: under 'rules' stand rule names with 'on' or 'off'"},
        {"exclude: {a: b}\n", ".aglet.yml:1:10: a list of path patterns wanted here"},
        {"paths:\n  - level: 1\n", ".aglet.yml:2:5: this entry of 'paths' has no 'match'"},
        {"paths:\n  - mach: x\n", ".aglet.yml:2:5: 'mach' is no key of a 'paths' entry: 'match', 'level' or 'rules'"},
        {"functions:\n  f: locks $1\n", ".aglet.yml:2:6: 'locks' is no word of a model"},
        {"functions:\n  f: acquires $1->\n", ".aglet.yml:2:17: a member's name is wanted after '->'"},
        {"functions:\n  f: acquires $1->row[2\n", ".aglet.yml:2:22: this '[' is not closed"},
        {"level: 1\nlevel: 2\n", ".aglet.yml:2:1: 'level' stands here for the second time"},
        {"level: 1\n---\nlevel: 2\n", ".aglet.yml:2:1: a second document begins here, and only one is read"},
        {"- x\n", ".aglet.yml:1:1: the file has keys such as 'level', 'rules' and 'exclude'"},
    };
    char err[300] = "";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(read_config(cases[i].text, err, sizeof err));
        assert_string_equal(err, cases[i].message);
    }
    assert_null(read_config("a: [\n", err, sizeof err));
    assert_memory_equal(err, ".aglet.yml:2:1: not YAML: ", 26);
    err[0] = '\0';
    struct config *c = read_config("rules:\n  guarded-by: off\n  guarded: off\n", err, sizeof err);
    assert_false(config_check_rules(c, known, err, sizeof err));
    assert_non_null(strstr(err, ".aglet.yml:3:3: 'guarded' is no rule; `aglet rules` lists them"));
    config_free(c);
}

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    char path[300];
    snprintf(path, sizeof path, "%s/.aglet.yml", directory);
    unlink(path);
    snprintf(path, sizeof path, "%s/lib.yml", directory);
    unlink(path);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_gitignore_does),
        cmocka_unit_test(settings_apply_by_path_and_the_last_wins),
        cmocka_unit_test(nothing_said_is_the_default),
        cmocka_unit_test(it_is_found_upwards),
        cmocka_unit_test(a_wrong_one_is_said_with_line_and_column),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
