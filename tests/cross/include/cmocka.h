/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* As much of cmocka's interface as the runtime's tests use, for machines that have no cmocka of their own:
 * the cross compiled tests under an emulator. A failed assertion ends the program, so the first one is the
 * only one that is told. Stands on stdio.h. */
#ifndef AGLET_TESTS_CROSS_CMOCKA_H
#define AGLET_TESTS_CROSS_CMOCKA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
    int (*setup)(void **state), (*teardown)(void **state);
};

#define cmocka_unit_test(f)                                                                                  \
    { #f, f, NULL, NULL }
#define cmocka_unit_test_setup(f, setup)                                                                     \
    { #f, f, setup, NULL }
#define skip() return
#define print_message printf
#define print_error printf
#define fail_msg(...)                                                                                        \
    do {                                                                                                     \
        printf("%s:%d: ", __FILE__, __LINE__);                                                               \
        printf(__VA_ARGS__);                                                                                 \
        puts("");                                                                                            \
        fflush(NULL);                                                                                        \
        _Exit(1);                                                                                            \
    } while (0)
#define assert_true(c) ((c) ? (void)0 : cmocka_failed_(__FILE__, __LINE__, #c))
#define assert_false(c) assert_true(!(c))
#define assert_null(p) assert_true((p) == NULL)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define assert_int_equal(a, b) assert_true((long long)(a) == (long long)(b))
#define assert_int_not_equal(a, b) assert_true((long long)(a) != (long long)(b))
#define assert_string_equal(a, b) assert_true(strcmp((a), (b)) == 0)
#define cmocka_run_group_tests(tests, setup, teardown)                                                       \
    cmocka_run_(tests, sizeof(tests) / sizeof *(tests), setup, teardown)

static inline void cmocka_failed_(const char *file, int line, const char *what) {
    printf("%s:%d: not so: %s\n", file, line, what);
    fflush(NULL);
    _Exit(1);
}

static inline int cmocka_run_(const struct CMUnitTest *tests, size_t count, int (*setup)(void **),
                              int (*teardown)(void **)) {
    void *state = NULL;
    if (setup != NULL && setup(&state) != 0)
        return 1;
    for (size_t i = 0; i < count; i++) {
        printf("%s\n", tests[i].name);
        fflush(stdout);
        if (tests[i].setup != NULL && tests[i].setup(&state) != 0)
            cmocka_failed_(__FILE__, __LINE__, tests[i].name);
        tests[i].test(&state);
        if (tests[i].teardown != NULL)
            tests[i].teardown(&state);
    }
    if (teardown != NULL)
        teardown(&state);
    printf("%zu tests passed\n", count);
    return count == 0;
}

#endif
