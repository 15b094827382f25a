/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Running a test's body as a task, on a current-thread executor and on one with two workers. Stands on cmocka and
 * aglet/executor.h. A body returns NULL, or what went wrong: cmocka's assertions do not work on other stacks. */
#ifndef AGLET_TESTS_ON_EACH_H
#define AGLET_TESTS_ON_EACH_H

#include "cmocka_main.h"

#include "aglet/executor.h"

static const struct aglet_executor_options each_kind[] = {{.current_thread = true}, {.workers = 2}};

static inline void on_each(aglet_task_fn *body, void *arg)
{
    for (size_t i = 0; i < COUNT(each_kind); i++) {
        void *wrong = (void *)(uintptr_t)"never ran";
        assert_int_equal(aglet_run(&each_kind[i], body, arg, &wrong), 0);
        if (wrong)
            fail_msg("on %s: %s", i ? "two workers" : "the current thread", (const char *)wrong);
    }
}

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return (void *)(uintptr_t)(#condition);                                                                    \
    } while (0)

#endif
