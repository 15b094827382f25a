/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The guess how far the processors are from each other follows what was measured. Stands on cmocka, distance.h. */
#include "cmocka_main.h"

#include "distance.h"

static void note(aglet_time took, int times) {
    for (int i = 0; i < times; i++)
        distance_note(took);
}

static void the_guess_follows_what_loads_take(void **state) {
    (void)state;
    assert_false(lines_come_far());
    note(170, 20);
    assert_true(lines_come_far());
    note(35, 40);
    assert_false(lines_come_far());
}

static void one_slow_load_in_many_changes_nothing(void **state) {
    (void)state;
    note(35, 40);
    for (int i = 0; i < 100; i++) {
        note(1000000, 1); /* as when the thread was stopped */
        note(35, 9);
        assert_false(lines_come_far());
    }
}

static void far_is_believed_though_a_third_of_the_loads_stay_on_one_processor(void **state) {
    (void)state;
    note(170, 20);
    for (int i = 0; i < 100; i++) {
        note(170, 2);
        note(5, 1);
        assert_true(lines_come_far());
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guess_follows_what_loads_take),
        cmocka_unit_test(one_slow_load_in_many_changes_nothing),
        cmocka_unit_test(far_is_believed_though_a_third_of_the_loads_stay_on_one_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
