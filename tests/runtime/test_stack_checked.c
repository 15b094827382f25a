/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Stacks in the checked library: an overflow is judged by the size that was asked for, and a report that is
 * made near the end of a stack is none. Stands on cmocka, executor.h, misuse.h. */
#include "cmocka_main.h"

#include "aglet/executor.h"
#include "aglet/misuse.h"
#include "aglet/mutex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ASKED = 64 * 1024 };

static void (*at_bottom)(void);

/* Go down so far that `left` bytes of the stack are left, more or less, and call at_bottom there. */
static int descend(char *top, long left) {
    volatile char room[512];
    room[0] = room[511] = 1;
    if (top - (char *)(uintptr_t)room + left < ASKED)
        return descend(top, left) + room[0];
    at_bottom();
    return room[511];
}

static void *go_down(void *left) {
    char top = 0;
    (void)descend(&top, (long)(intptr_t)left);
    return NULL;
}

static int reports;
static char last_rule[40];
static void note(const struct aglet_misuse *m, void *context) {
    (void)context;
    reports++;
    strncpy(last_rule, m->rule, sizeof last_rule - 1);
}

static void misuse_a_lock(void) {
    static aglet_mutex mu = AGLET_MUTEX_INIT;
    aglet_mutex_unlock(&mu);
}

static const struct aglet_executor_options small = {.current_thread = true, .stack_size = ASKED};

static void a_report_near_the_end_of_a_stack_is_no_overflow(void **state) {
    (void)state;
    reports = 0;
    aglet_on_misuse(note, NULL);
    at_bottom = misuse_a_lock;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(aglet_run(&small, go_down, (void *)(uintptr_t)6000, NULL), 0);
        assert_int_equal(reports, i + 1);
        assert_string_equal(last_rule, "unlock-unheld");
    }
    aglet_on_misuse(NULL, NULL);
}

static void do_nothing(void) {}

static int be_child(long left, bool report_first) {
    if (report_first) {
        at_bottom = misuse_a_lock;
        (void)aglet_run(&small, go_down, (void *)(uintptr_t)6000, NULL);
    }
    at_bottom = do_nothing;
    (void)aglet_run(&small, go_down, (void *)(intptr_t)left, NULL);
    return 0;
}

/* In a program of its own, because the report is fatal, and because cmocka has a handler for faults. Returns its exit
 * status and what it said. */
static int run_in_child(long left, char *said, size_t room, bool report_first) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char number[24];
        snprintf(number, sizeof number, "%ld", left);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        execl("/proc/self/exe", "test_stack_checked", number, report_first ? "report" : "no", (char *)NULL);
        _exit(99);
    }
    close(ends[1]);
    size_t n = 0;
    for (ssize_t got; (got = read(ends[0], said + n, room - 1 - n)) > 0;)
        n += (size_t)got;
    said[n] = '\0';
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void what_fits_is_silent(void **state) {
    static char said[8192];
    (void)state;
    assert_int_equal(run_in_child(4000, said, sizeof said, false), 0);
    assert_string_equal(said, "");
}

static void twenty_kilobytes_too_many_are_reported(void **state) {
    static char said[8192];
    (void)state;
    assert_int_equal(run_in_child(-20000, said, sizeof said, false), 66);
    assert_non_null(strstr(said, "[aglet-stack-overflow]"));
    assert_non_null(strstr(said, "has used up its stack of 65"));
}

static void an_earlier_report_on_a_stack_leaves_its_guard_closed(void **state) {
    static char said[16384];
    (void)state;
    assert_int_equal(run_in_child(-20000, said, sizeof said, true), 66);
    assert_non_null(strstr(said, "[aglet-unlock-unheld]"));
    assert_non_null(strstr(said, "[aglet-stack-overflow]"));
}

int main(int argc, char **argv) {
    if (argc == 3)
        return be_child(atol(argv[1]), strcmp(argv[2], "report") == 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_near_the_end_of_a_stack_is_no_overflow),
        cmocka_unit_test(what_fits_is_silent),
        cmocka_unit_test(twenty_kilobytes_too_many_are_reported),
        cmocka_unit_test(an_earlier_report_on_a_stack_leaves_its_guard_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
