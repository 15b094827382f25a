/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Stacks in the checked library: an overflow is judged by the size that was asked for, and a report that is
 * made near the end of a stack is none; with each of the ways to find one, of which older kernels lack the
 * first. Stands on cmocka, executor.h, misuse.h, and seccomp(2) to be an older kernel. */
#include "cmocka_main.h"

#include "aglet/executor.h"
#include "aglet/misuse.h"
#include "aglet/mutex.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ASKED = 64 * 1024 };

static void (*at_bottom)(void);

/* Go down so far that `left` bytes of the stack are left, more or less, and call at_bottom there. */
static int descend(char *top, long left) {
    volatile char room[512];
    memset((char *)(uintptr_t)room, 1, sizeof room);
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

/* How an overflow is to be found: as this kernel can; by a page of its own mapping; by what it overwrote. */
enum way { BEST, MAPPED_PAGE, CANARY };

/* From now on madvise(MADV_GUARD_INSTALL) fails, and where only the canary is to be left, closing a page. */
static void be_an_older_kernel(enum way way) {
    if (way == BEST)
        return;
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define FAIL(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
    struct sock_filter filter[] = {
        LOAD(nr),      UNLESS(SYS_madvise, 3),
        LOAD(args[2]), UNLESS(102, 5),
        FAIL(EINVAL),  UNLESS(way == CANARY ? SYS_mprotect : UINT32_MAX, 3),
        LOAD(args[2]), UNLESS(0, 1),
        FAIL(ENOMEM),  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(98);
}

static int be_child(long left, bool report_first, enum way way) {
    be_an_older_kernel(way);
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
static int run_in_child(long left, char *said, size_t room, bool report_first, enum way way) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char number[24], kernel[24];
        snprintf(number, sizeof number, "%ld", left);
        snprintf(kernel, sizeof kernel, "%d", way);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        execl("/proc/self/exe", "test_stack_checked", number, report_first ? "report" : "no", kernel,
              (char *)NULL);
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
    for (enum way way = BEST; way <= CANARY; way++) {
        assert_int_equal(run_in_child(4000, said, sizeof said, false, way), 0);
        assert_string_equal(said, "");
    }
}

static void twenty_kilobytes_too_many_are_reported(void **state) {
    static char said[8192];
    (void)state;
    for (enum way way = BEST; way <= CANARY; way++) {
        assert_int_equal(run_in_child(-20000, said, sizeof said, false, way), 66);
        assert_non_null(strstr(said, "[aglet-stack-overflow]"));
        assert_non_null(strstr(said, way == CANARY ? "has written below its stack of 65"
                                                   : "has used up its stack of 65"));
    }
}

static void an_earlier_report_on_a_stack_leaves_its_guard_closed(void **state) {
    static char said[16384];
    (void)state;
    for (enum way way = BEST; way <= CANARY; way++) {
        assert_int_equal(run_in_child(-20000, said, sizeof said, true, way), 66);
        assert_non_null(strstr(said, "[aglet-unlock-unheld]"));
        assert_non_null(strstr(said, "[aglet-stack-overflow]"));
    }
}

int main(int argc, char **argv) {
    if (argc == 4)
        return be_child(atol(argv[1]), strcmp(argv[2], "report") == 0, (enum way)atoi(argv[3]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_near_the_end_of_a_stack_is_no_overflow),
        cmocka_unit_test(what_fits_is_silent),
        cmocka_unit_test(twenty_kilobytes_too_many_are_reported),
        cmocka_unit_test(an_earlier_report_on_a_stack_leaves_its_guard_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
