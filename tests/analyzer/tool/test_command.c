/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a compile command says: quoting, language, output, target, launchers; and which options decide what is parsed.
 * Stands on tool/command.h, tool/shell_words.h and cmocka. */
#include "cmocka_main.h"
#include <stdlib.h>
#include <string.h>
#include "base/edits.h"
#include "tool/command.h"
#include "tool/gcc_only.h"
#include "tool/shell_words.h"

/* The words of a line. */
static struct string_list words(const char *line)
{
    struct string_list list = {0};
    assert_true(shell_words(line, &list));
    return list;
}

/* The list as one line, with '|' between; valid until the next call. */
static const char *joined(struct string_list *list)
{
    static char line[1000];
    line[0] = '\0';
    for (size_t i = 0; i < list->n; i++)
        strcat(strcat(line, i ? "|" : ""), list->at[i]);
    strings_free(list);
    return line;
}

static void quotes_are_undone_as_a_shell_does(void **state)
{
    (void)state;
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"cc -c a.c", "cc|-c|a.c"},
        {"  cc\t-c \n a.c ", "cc|-c|a.c"},
        {"cc '-DX=\"a b\"' y", "cc|-DX=\"a b\"|y"},
        {"cc \"-DX=\\\"a b\\\"\" y", "cc|-DX=\"a b\"|y"},
        {"cc -DX=\\\"a\\ b\\\"", "cc|-DX=\"a b\""},
        {"cc \"a\\nb\" '\\n'", "cc|a\\nb|\\n"},
        {"cc '' \"\" x", "cc|||x"},
        {"cc a'b c'd", "cc|ab cd"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct string_list list = words(cases[i].line);
        assert_string_equal(joined(&list), cases[i].words);
    }
}

static void an_unclosed_quote_is_refused(void **state)
{
    (void)state;
    struct string_list list = {0};
    assert_false(shell_words("cc 'a.c", &list));
    strings_free(&list);
    assert_false(shell_words("cc \"a.c", &list));
    strings_free(&list);
}

static void quoting_is_read_back(void **state)
{
    (void)state;
    static const char *const cases[] = {"plain", "", "a b", "it's", "$HOME `x` \"q\" \\", "-DX='y'"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *quoted = shell_quote(cases[i]);
        struct string_list list = words(quoted);
        assert_int_equal(list.n, 1);
        assert_string_equal(list.at[0], cases[i]);
        strings_free(&list);
        free(quoted);
    }
}

static void launchers_are_stripped(void **state)
{
    (void)state;
    static const char *const lines[] = {"ccache gcc -c a.c", "distcc gcc -c a.c", "ccache distcc gcc -c a.c", "env A=b gcc -c a.c",
                                        "/usr/bin/ccache sloppiness=time_macros gcc -c a.c"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct string_list list = words(lines[i]);
        command_strip_launchers(&list);
        assert_string_equal(joined(&list), "gcc|-c|a.c");
    }
    struct string_list list = words("/opt/bin/aglet cc -c a.c");
    command_strip_launchers(&list);
    assert_string_equal(joined(&list), "cc|-c|a.c");
}

static void the_language_is_that_of_the_compiler_and_the_name(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum language language;
    } cases[] = {
        {"gcc -c a.c", LANGUAGE_C},        {"gcc -c a.cc", LANGUAGE_CXX},          {"g++ -c a.c", LANGUAGE_CXX},
        {"clang++-22 -c a.c", LANGUAGE_CXX}, {"gcc -x c++ -c a.c", LANGUAGE_CXX},  {"g++ -x c -c a.cpp", LANGUAGE_C},
        {"gcc -c a.S", LANGUAGE_OTHER},    {"gcc -xc -c weird.inc", LANGUAGE_C},   {"gcc -include b.h -c a.c", LANGUAGE_C},
        {"clang -c a.m", LANGUAGE_OTHER},  {"gcc a.o", LANGUAGE_NONE},             {"cc -c a.C", LANGUAGE_CXX},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct string_list list = words(cases[i].line);
        struct command_input in[4];
        assert_int_equal(command_inputs(&list, in, 4), 1);
        assert_int_equal(in[0].language, cases[i].language);
        strings_free(&list);
    }
}

static void the_target_is_in_a_cross_compilers_name(void **state)
{
    (void)state;
    static const struct {
        const char *line, *target;
    } cases[] = {
        {"arm-none-eabi-gcc -c a.c", "arm-none-eabi"},
        {"/opt/x/bin/aarch64-linux-gnu-gcc-12 -c a.c", "aarch64-linux-gnu"},
        {"x86_64-w64-mingw32-gcc.exe -c a.c", "x86_64-w64-mingw32"},
        {"gcc-12 -c a.c", NULL},
        {"my-gcc -c a.c", NULL},
        {"clang -c a.c", NULL},
        {"arm-none-eabi-clang --target=armv7m-none-eabi -c a.c", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct string_list list = words(cases[i].line);
        char *target = command_target(&list);
        if (cases[i].target)
            assert_string_equal(target, cases[i].target);
        else
            assert_null(target);
        free(target);
        strings_free(&list);
    }
}

static void the_action_is_what_the_driver_would_do(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum action action;
    } cases[] = {
        {"cc a.c -o a", ACTION_LINK},        {"cc -c a.c", ACTION_COMPILE},   {"cc -S a.c", ACTION_ASSEMBLE},
        {"cc -E a.c", ACTION_PREPROCESS},    {"cc -MM -c a.c", ACTION_PREPROCESS}, {"cc -MMD -c a.c", ACTION_COMPILE},
        {"cc -fsyntax-only a.c", ACTION_SYNTAX}, {"cc --version", ACTION_ASK}, {"cc -print-file-name=x", ACTION_ASK},
        {"cc -o -c a.c", ACTION_LINK},       {"clang -cc1 -triple x -emit-obj a.c", ACTION_COMPILE},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct string_list list = words(cases[i].line);
        bool cc1;
        assert_int_equal(command_action(&list, &cc1), cases[i].action);
        assert_int_equal(cc1, strstr(cases[i].line, "-cc1") != NULL);
        strings_free(&list);
    }
}

static void only_what_decides_the_parse_is_in_the_key(void **state)
{
    (void)state;
    struct string_list list = words("gcc -Wall -Werror -g3 -O2 -DX=1 -I inc -MMD -MF a.d -MT a.o -pipe -fPIC -c a.c -o a.o"), normal = {0};
    command_normalised(&list, &normal);
    strings_free(&list);
    assert_string_equal(joined(&normal), "-O2|-DX=1|-I|inc|-fPIC|a.c");
    list = words("gcc -std=c99 -include cfg.h -Wp,-DY -c a.c");
    command_normalised(&list, &normal);
    strings_free(&list);
    assert_string_equal(joined(&normal), "-std=c99|-include|cfg.h|-Wp,-DY|a.c");
}

static void the_output_is_found_in_each_spelling(void **state)
{
    (void)state;
    static const char *const lines[] = {"cc -c a.c -o x.o", "cc -c a.c -ox.o", "cc -c --output=x.o a.c", "cc -c -o y.o a.c -o x.o"};
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct string_list list = words(lines[i]);
        assert_string_equal(command_output(&list), "x.o");
        strings_free(&list);
    }
    struct string_list none = words("cc -c a.c");
    assert_null(command_output(&none));
    strings_free(&none);
}

static void options_of_gcc_alone_are_known_and_others_left(void **state)
{
    (void)state;
    static const char *const dropped[] = {"-fno-tree-vectorize", "-fconserve-stack", "-fno-ipa-cp-clone", "-mpreferred-stack-boundary=3", "-fanalyzer"};
    static const char *const kept[] = {"-fno-strict-aliasing", "-fPIC", "-fwrapv", "-m32", "-funsigned-char", "-fshort-enums", "-fms-extensions", "-O2"};
    for (size_t i = 0; i < COUNT(dropped); i++)
        assert_true(is_gcc_only(dropped[i]));
    for (size_t i = 0; i < COUNT(kept); i++)
        assert_false(is_gcc_only(kept[i]));
}

static void edits_are_counted(void **state)
{
    (void)state;
    assert_int_equal(edits_between("lock-leak", 9, "lock-leak"), 0);
    assert_int_equal(edits_between("lock-lek", 8, "lock-leak"), 1);
    assert_int_equal(edits_between("guarded", 3, "gua"), 0);
    assert_int_equal(edits_between("", 0, "abc"), 3);
    assert_int_equal(edits_between("kitten", 6, "sitting"), 3);
    char longest[200];
    memset(longest, 'x', sizeof longest);
    assert_int_equal(edits_between(longest, sizeof longest, "x"), EDITS_MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_are_undone_as_a_shell_does),
        cmocka_unit_test(an_unclosed_quote_is_refused),
        cmocka_unit_test(quoting_is_read_back),
        cmocka_unit_test(launchers_are_stripped),
        cmocka_unit_test(the_language_is_that_of_the_compiler_and_the_name),
        cmocka_unit_test(the_target_is_in_a_cross_compilers_name),
        cmocka_unit_test(the_action_is_what_the_driver_would_do),
        cmocka_unit_test(only_what_decides_the_parse_is_in_the_key),
        cmocka_unit_test(the_output_is_found_in_each_spelling),
        cmocka_unit_test(options_of_gcc_alone_are_known_and_others_left),
        cmocka_unit_test(edits_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
