/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* compile_commands.json as build systems write it, recorded ones, and wrong ones. Stands on tool/compile_db.h, tool/record.h and cmocka. */
#include "cmocka_main.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tool/compile_db.h"
#include "tool/files.h"
#include "tool/record.h"
#include "tool/shell_words.h"

static char directory[] = "/tmp/aglet-db-XXXXXX";
static char path[200];

static bool read_text(const char *text, struct compile_db *db, char *err, size_t err_size)
{
    assert_true(file_write(path, text, strlen(text)));
    return compile_db_read(path, db, err, err_size);
}

static struct compile_db read_good(const char *text)
{
    struct compile_db db;
    char err[1000] = "";
    if (!read_text(text, &db, err, sizeof err))
        fail_msg("%s", err);
    return db;
}

static void both_forms_of_a_command_are_read(void **state)
{
    (void)state;
    struct compile_db db = read_good("[{\"directory\":\"/p/build\",\"command\":\"gcc -DN='\\\"a b\\\"' -c ../src/a.c -o a.o\",\"file\":\"../src/a.c\"},"
                                     "{\"directory\":\"/p/build\",\"arguments\":[\"gcc\",\"-c\",\"/p/src/b.c\"],\"file\":\"/p/src/b.c\",\"output\":\"obj/b.o\"}]");
    assert_int_equal(db.n, 2);
    assert_string_equal(db.rows[0].file, "/p/src/a.c");
    assert_string_equal(db.rows[0].object, "/p/build/a.o");
    assert_string_equal(db.rows[0].args.at[1], "-DN=\"a b\"");
    assert_string_equal(db.rows[1].object, "/p/build/obj/b.o");
    compile_db_free(&db);
}

static void a_relative_directory_is_below_the_databases(void **state)
{
    (void)state;
    struct compile_db db = read_good("[{\"directory\":\"sub\",\"command\":\"gcc -c a.c\",\"file\":\"a.c\"}]");
    char want[300];
    snprintf(want, sizeof want, "%s/sub/a.c", directory);
    assert_string_equal(db.rows[0].file, want);
    compile_db_free(&db);
}

static void other_languages_are_counted_and_left_out(void **state)
{
    (void)state;
    struct compile_db db = read_good("[{\"directory\":\"/p\",\"command\":\"g++ -c a.cc\",\"file\":\"a.cc\"},"
                                     "{\"directory\":\"/p\",\"command\":\"gcc -c b.S\",\"file\":\"b.S\"},"
                                     "{\"directory\":\"/p\",\"command\":\"gcc -c c.c\",\"file\":\"c.c\"}]");
    assert_int_equal(db.n, 1);
    assert_int_equal(db.cxx.n, 1);
    assert_int_equal(db.other.n, 1);
    compile_db_free(&db);
}

static void a_repeated_file_is_analysed_once_and_another_configuration_of_it_too(void **state)
{
    (void)state;
    struct compile_db db = read_good("[{\"directory\":\"/p\",\"command\":\"gcc -Wall -c a.c -o 1.o\",\"file\":\"a.c\"},"
                                     "{\"directory\":\"/p\",\"command\":\"gcc -g -c a.c -o 2.o\",\"file\":\"a.c\"},"
                                     "{\"directory\":\"/p\",\"command\":\"gcc -DX -c a.c -o 3.o\",\"file\":\"a.c\"}]");
    assert_int_equal(db.n, 2);
    assert_int_equal(db.repeated, 1);
    compile_db_free(&db);
}

static void bears_inner_rows_yield_to_the_drivers(void **state)
{
    (void)state;
    const char *cc1 = "{\"directory\":\"/p\",\"arguments\":[\"/usr/bin/clang\",\"-cc1\",\"-triple\",\"x86_64\",\"-emit-obj\",\"a.c\"],\"file\":\"a.c\"}";
    char text[1000];
    snprintf(text, sizeof text, "[%s,{\"directory\":\"/p\",\"arguments\":[\"clang\",\"-c\",\"a.c\"],\"file\":\"a.c\"}]", cc1);
    struct compile_db db = read_good(text);
    assert_int_equal(db.n, 1);
    assert_false(db.rows[0].cc1);
    compile_db_free(&db);
    snprintf(text, sizeof text, "[%s]", cc1);
    db = read_good(text);
    assert_int_equal(db.n, 1);
    assert_true(db.rows[0].cc1);
    compile_db_free(&db);
}

static void a_cross_compilers_row_gets_its_target(void **state)
{
    (void)state;
    struct compile_db db = read_good("[{\"directory\":\"/p\",\"command\":\"arm-none-eabi-gcc -c a.c\",\"file\":\"a.c\"}]");
    assert_string_equal(db.rows[0].args.at[1], "--target=arm-none-eabi");
    compile_db_free(&db);
}

static void response_files_are_read(void **state)
{
    (void)state;
    char response[300], text[1000];
    snprintf(response, sizeof response, "%s/args", directory);
    assert_true(file_write(response, "-DA -DB='x y'\n", 14));
    snprintf(text, sizeof text, "[{\"directory\":\"%s\",\"command\":\"gcc @args -c a.c\",\"file\":\"a.c\"}]", directory);
    struct compile_db db = read_good(text);
    assert_string_equal(db.rows[0].args.at[1], "-DA");
    assert_string_equal(db.rows[0].args.at[2], "-DB=x y");
    compile_db_free(&db);
}

static void a_wrong_database_is_named_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[\n {\"file\": }]", ":2:11: not a compile database"},
        {"{}", ":1:1: not a compile database: an array of commands is wanted"},
        {"", "not a compile database"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct compile_db db;
        char err[1000] = "";
        assert_false(read_text(cases[i].text, &db, err, sizeof err));
        if (!strstr(err, cases[i].says))
            fail_msg("'%s' does not say '%s'", err, cases[i].says);
    }
}

static void a_row_that_is_none_costs_that_row(void **state)
{
    (void)state;
    static const struct {
        const char *row, *says;
    } cases[] = {
        {"{\"directory\":\"/\"}", "entry 1 has no \"file\""},
        {"3", "entry 1 is no object"},
        {"{\"file\":\"a.c\"}", "entry 1 has neither \"arguments\" nor \"command\""},
        {"{\"file\":\"a.c\",\"command\":\"cc 'a.c\"}", "entry 1 has a command with an unclosed quote"},
        {"{\"file\":\"a.c\",\"arguments\":[\"cc\",1]}", "entry 1 has an argument that is no text"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct compile_db db;
        char err[1000] = "", text[300];
        snprintf(text, sizeof text, "[%s,{\"file\":\"b.c\",\"command\":\"cc -c b.c\"},[]]", cases[i].row);
        assert_true(read_text(text, &db, err, sizeof err));
        assert_int_equal(db.n, 1);
        assert_int_equal(db.unusable, 2);
        if (!strstr(db.why_unusable, cases[i].says))
            fail_msg("'%s' does not say '%s'", db.why_unusable, cases[i].says);
        compile_db_free(&db);
    }
}

static void recording_in_parallel_loses_no_row(void **state)
{
    (void)state;
    enum { MAKERS = 8, EACH = 25 };
    unlink(path);
    for (int m = 0; m < MAKERS; m++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            bool good = true;
            for (int i = 0; i < EACH; i++) {
                char line[100], err[300];
                snprintf(line, sizeof line, "cc -DM=%d -c f%d.c -o %d-%d.o", m, i, m, i);
                struct string_list args = {0};
                good = shell_words(line, &args) && record_command(path, &args, err, sizeof err) && good;
                strings_free(&args);
            }
            _exit(good ? 0 : 1);
        }
    }
    for (int m = 0; m < MAKERS; m++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    struct compile_db db;
    char err[1000] = "";
    if (!compile_db_read(path, &db, err, sizeof err))
        fail_msg("%s", err);
    assert_int_equal(db.n, MAKERS * EACH);
    compile_db_free(&db);
}

static void a_compile_and_link_in_one_is_recorded_as_compilations(void **state)
{
    (void)state;
    unlink(path);
    struct string_list args = {0};
    char err[300];
    assert_true(shell_words("cc -DX a.c b.c c.o -o prog -lm -Wl,-z,now", &args));
    assert_true(record_command(path, &args, err, sizeof err));
    strings_free(&args);
    struct compile_db db;
    assert_true(compile_db_read(path, &db, err, sizeof err));
    assert_int_equal(db.n, 2);
    assert_null(db.rows[0].object);
    assert_true(strings_has(&db.rows[0].args, "-c"));
    assert_true(strings_has(&db.rows[0].args, "a.c"));
    assert_false(strings_has(&db.rows[0].args, "b.c"));
    assert_false(strings_has(&db.rows[0].args, "-lm"));
    compile_db_free(&db);
}

static void a_second_build_replaces_the_rows_of_the_first(void **state)
{
    (void)state;
    unlink(path);
    static const char *const lines[] = {"cc -O0 -c a.c -o a.o", "cc -O0 -c b.c -o b.o", "cc -O2 -c a.c -o a.o"};
    char err[300];
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct string_list args = {0};
        assert_true(shell_words(lines[i], &args));
        assert_true(record_command(path, &args, err, sizeof err));
        strings_free(&args);
    }
    struct compile_db db;
    assert_true(compile_db_read(path, &db, err, sizeof err));
    assert_int_equal(db.n, 2);
    assert_true(strings_has(&db.rows[1].args, "-O2"));
    compile_db_free(&db);
}

static void a_file_that_is_no_database_is_not_added_to(void **state)
{
    (void)state;
    assert_true(file_write(path, "hello", 5));
    struct string_list args = {0};
    char err[300] = "";
    assert_true(shell_words("cc -c a.c", &args));
    assert_false(record_command(path, &args, err, sizeof err));
    assert_non_null(strstr(err, "is not a compile database that can be added to"));
    strings_free(&args);
}

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/compile_commands.json", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    directory_remove(directory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_of_a_command_are_read),
        cmocka_unit_test(a_relative_directory_is_below_the_databases),
        cmocka_unit_test(other_languages_are_counted_and_left_out),
        cmocka_unit_test(a_repeated_file_is_analysed_once_and_another_configuration_of_it_too),
        cmocka_unit_test(bears_inner_rows_yield_to_the_drivers),
        cmocka_unit_test(a_cross_compilers_row_gets_its_target),
        cmocka_unit_test(response_files_are_read),
        cmocka_unit_test(a_wrong_database_is_named_with_its_place),
        cmocka_unit_test(a_row_that_is_none_costs_that_row),
        cmocka_unit_test(recording_in_parallel_loses_no_row),
        cmocka_unit_test(a_compile_and_link_in_one_is_recorded_as_compilations),
        cmocka_unit_test(a_second_build_replaces_the_rows_of_the_first),
        cmocka_unit_test(a_file_that_is_no_database_is_not_added_to),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
