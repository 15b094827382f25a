/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet_dump and aglet/registry.h: state, reason, age, held locks and stack of every task, of those that
 * wait, run, or have no stack. Stands on on_each.h. */
#include "on_each.h"

#include "aglet/async_mutex.h"
#include "aglet/await.h"
#include "aglet/misuse.h"
#include "aglet/mutex.h"
#include "aglet/registry.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char text[1 << 20];

/* What a dump says now. A file and not a pipe: nobody reads meanwhile. */
static void read_dump(void (*dump)(int fd)) {
    FILE *f = tmpfile();
    dump(fileno(f));
    rewind(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
}

/* The paragraph of one task: its line and the indented ones behind it. */
static const char *said_of(const char *name) {
    static char paragraph[8192];
    char quoted[64];
    snprintf(quoted, sizeof quoted, "'%s'", name);
    char *at = strstr(text, quoted);
    if (!at)
        return "";
    char *end = strstr(at, "\ntask ");
    size_t n = end ? (size_t)(end - at) : strlen(at);
    if (n >= sizeof paragraph)
        n = sizeof paragraph - 1;
    memcpy(paragraph, at, n);
    paragraph[n] = '\0';
    return paragraph;
}

/* What a dump says as soon as it says this of the tasks: when each has come so far, the machine decides. */
struct line {
    const char *name, *what;
};
static void read_dump_saying(const struct line *lines, size_t n) {
    for (int i = 0; i < 1000; i++) {
        size_t said = 0;
        read_dump(aglet_dump);
        while (said < n && strstr(said_of(lines[said].name), lines[said].what))
            said++;
        if (said == n)
            return;
        (void)aglet_sleep_ms(10);
    }
}
#define READ_DUMP_SAYING(...)                                                                                \
    read_dump_saying((const struct line[]){__VA_ARGS__}, COUNT(((const struct line[]){__VA_ARGS__})))

static bool says(const char *name, const char *what) {
    if (strstr(said_of(name), what))
        return true;
    print_error("of '%s' it is not said that \"%s\":\n%s\n", name, what, text);
    return false;
}

/* The same of a function's name or a file's, which the checked library knows where it has libdw. */
static bool names(const char *name, const char *what) {
#ifdef AGLET_HAVE_LIBDW
    return says(name, what);
#else
    (void)what;
    return says(name, "#0 ");
#endif
}

static aglet_async_mutex mu;
static atomic_bool stop;

static int wait_deep(int depth);
static int (*volatile deeper)(int depth) = wait_deep; /* no loop may be made of it */
static int wait_deep(int depth) {
    return 1 + (depth > 0 ? deeper(depth - 1) : aglet_sleep_ms(60000));
}

static void *hold_and_wait(void *arg) {
    aglet_task_name(NULL, "holder");
    if (aglet_async_mutex_lock(&mu))
        return NULL;
    (void)wait_deep(5);
    aglet_async_mutex_unlock(&mu);
    return arg;
}

static void *want(void *arg) {
    aglet_task_name(NULL, "wanter");
    if (!aglet_async_mutex_lock(&mu))
        aglet_async_mutex_unlock(&mu);
    return arg;
}

struct stepper {
    AGLET_FRAME_HEADER;
    int error;
};
static _Atomic int step_line;
AGLET_STACKLESS(stepper, struct stepper) {
    AGLET_BEGIN(f);
    step_line = __LINE__ + 1;
    AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, AGLET_FOREVER));
    AGLET_END(f);
}

static void *waiters(void *arg) {
    aglet_task *tasks[3];
    char line[32];
    (void)arg;
    CHECK(aglet_spawn(&tasks[0], hold_and_wait, NULL) == 0);
    READ_DUMP_SAYING({"holder", "in 'sleep'"});
    CHECK(aglet_spawn(&tasks[1], want, NULL) == 0);
    CHECK(stepper_spawn(&tasks[2], (struct stepper){.error = 0}) == 0);
    aglet_task_name(tasks[2], "stepper");
    aglet_task_name(NULL, "asker");
    CHECK(aglet_sleep_ms(150) == 0);
    READ_DUMP_SAYING({"holder", "#5 "}, {"wanter", "in 'async mutex'"}, {"stepper", "in 'sleep'"});
    CHECK(says("holder", "stackful") && says("holder", "waiting on worker") && says("holder", "in 'sleep'"));
    CHECK(says("wanter", "in 'async mutex'"));
    CHECK(says("asker", "running"));
    /* The stack: the waiting function called itself five times. */
    CHECK(says("holder", "#5 "));
    if (aglet_is_checked()) {
        CHECK(names("holder", "#0 wait_deep") && names("holder", "hold_and_wait"));
        CHECK(says("holder", "holds async mutex") && names("holder", "test_dump.c"));
        CHECK(!strstr(said_of("wanter"), "holds"));
    } else {
        CHECK(says("holder", "test_dump"));
    }
    CHECK(says("stepper", "stackless") && says("stepper", "in 'sleep'"));
    snprintf(line, sizeof line, "await in line %d", step_line);
    CHECK(says("stepper", line));
    /* The high-water mark of its stack: more than nothing, less than all. */
    size_t used = 0, all = 0;
    CHECK(says("holder", "stack used ") &&
          sscanf(strstr(said_of("holder"), "stack used "), "stack used %zu of %zu", &used, &all) == 2);
    CHECK(used > 0 && used < all && all >= 128 * 1024 - 1024);
    /* Ages: at least the time slept, and not the machine's. */
    double age = 0;
    CHECK(sscanf(strstr(said_of("holder"), "stackful, "), "stackful, %lf s old", &age) == 1);
    CHECK(age > 0.05 && age < 30);
    CHECK(strstr(text, "4 tasks\n") || strstr(text, "5 tasks\n"));
    for (int i = 0; i < 3; i++)
        aglet_abort(tasks[i]);
    CHECK(aglet_join_all(tasks, NULL, 3) == 0);
    return NULL;
}

static void a_dump_shows_stacks_ages_and_locks(void **state) {
    (void)state;
    on_each(waiters, NULL);
}

/* The mistake that lock-across-yield is about: the report comes when it parks, the dump may be all there is later. */
static void *sleep_with_a_thread_lock(void *arg) {
    static aglet_mutex thread_lock = AGLET_MUTEX_INIT;
    aglet_task_name(NULL, "mistaken");
    aglet_mutex_lock(&thread_lock);
    (void)aglet_sleep_ms(60000);
    aglet_mutex_unlock(&thread_lock);
    return arg;
}

static void *a_mistaken_one(void *arg) {
    aglet_task *task;
    CHECK(aglet_spawn_local(&task, sleep_with_a_thread_lock, NULL) == 0);
    CHECK(aglet_sleep_ms(2) == 0);
    read_dump(aglet_dump);
    CHECK(says("mistaken", "waiting") && says("mistaken", "holds mutex"));
    CHECK(names("mistaken", "#0 sleep_with_a_thread_lock"));
    aglet_abort(task);
    CHECK(aglet_join(task, NULL) == 0);
    return arg;
}

static int misuses;
static void count_misuse(const struct aglet_misuse *m, void *context) {
    (void)context;
    misuses += strcmp(m->rule, "lock-across-yield") == 0;
}

static void a_thread_lock_of_a_task_that_waits_is_shown(void **state) {
    (void)state;
    if (!aglet_is_checked())
        skip();
    misuses = 0;
    aglet_on_misuse(count_misuse, NULL);
    on_each(a_mistaken_one, NULL);
    aglet_on_misuse(NULL, NULL);
    assert_true(misuses > 0);
}

static void *busy(void *arg) {
    static aglet_mutex thread_lock = AGLET_MUTEX_INIT;
    aglet_task_name(NULL, "busy");
    aglet_mutex_lock(&thread_lock);
    while (!atomic_load(&stop))
        ;
    aglet_mutex_unlock(&thread_lock);
    return arg;
}

static void *sleeper(void *arg) {
    aglet_task_name(NULL, "sleeper");
    (void)aglet_sleep_ms(60000);
    return arg;
}

/* From a thread that is none of the workers; one worker is idle with a parked task, one is kept. */
static void a_dump_from_outside_reaches_idle_workers_and_names_the_busy(void **state) {
    (void)state;
    struct aglet_executor_options options = {.workers = 1};
    aglet_executor *idle = aglet_executor_new(&options), *kept = aglet_executor_new(&options);
    aglet_task *tasks[3];
    atomic_store(&stop, false);
    assert_int_equal(aglet_spawn_on(idle, &tasks[0], sleeper, NULL), 0);
    assert_int_equal(aglet_spawn_on(kept, &tasks[1], hold_and_wait, NULL), 0);
    READ_DUMP_SAYING({"holder", "in 'sleep'"}, {"sleeper", "in 'sleep'"});
    assert_int_equal(aglet_spawn_on(kept, &tasks[2], busy, NULL), 0);
    READ_DUMP_SAYING({"sleeper", "#0 "}, {"holder", "no stack: a task keeps its worker"}, {"busy", "running"},
                     {"busy", aglet_is_checked() ? "holds mutex" : ""});
    bool good = says("sleeper", "in 'sleep'") && says("sleeper", "#0 ") &&
                says("holder", "no stack: a task keeps its worker") && says("busy", "running");
    if (aglet_is_checked())
        good = good && names("busy", "#0 busy") && says("busy", "holds mutex");
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++)
        aglet_abort(tasks[i]);
    assert_int_equal(aglet_join_all(tasks, NULL, 3), 0);
    aglet_executor_free(idle);
    aglet_executor_free(kept);
    assert_true(good);
}

/* Dumps while tasks come, go and wait: nothing is lost and nothing breaks. */
static atomic_long turns;
static void *ping(void *arg) {
    long n = (long)(intptr_t)arg;
    for (long i = 0; i < n; i++)
        if (i % 10 ? aglet_yield() : aglet_sleep_until(aglet_after_ns(100000)))
            break;
    atomic_fetch_add(&turns, 1);
    return NULL;
}

static void *crowd(void *arg) {
    AGLET_GROUP(group);
    (void)arg;
    for (int i = 0; i < 300; i++)
        CHECK(aglet_group_spawn(&group, ping, (void *)(intptr_t)(i % 200)) == 0);
    return NULL;
}

static void *many_dumps(void *arg) {
    (void)arg;
    while (!atomic_load(&stop))
        read_dump(aglet_dump);
    return NULL;
}

static void dumps_disturb_nobody(void **state) {
    (void)state;
    pthread_t thread;
    atomic_store(&stop, false);
    atomic_store(&turns, 0);
    assert_int_equal(pthread_create(&thread, NULL, many_dumps, NULL), 0);
    for (int i = 0; i < 5; i++)
        on_each(crowd, NULL);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&turns), 5 * 2 * 300);
}

static void dump_by_signal(int fd) {
    int saved = dup(STDERR_FILENO);
    fflush(stderr);
    dup2(fd, STDERR_FILENO);
    raise(SIGUSR1);
    static const char last[] = " tasks\n";
    char end[sizeof last] = "";
    for (int i = 0; i < 1000 && strcmp(end, last) != 0; i++) {
        (void)aglet_sleep_ms(10);
        off_t size = lseek(fd, 0, SEEK_END);
        if (size >= (off_t)strlen(last) && pread(fd, end, strlen(last), size - (off_t)strlen(last)) < 0)
            break;
    }
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void *asked_by_signal(void *arg) {
    (void)arg;
    aglet_task *t;
    CHECK(aglet_spawn(&t, sleeper, NULL) == 0);
    READ_DUMP_SAYING({"sleeper", "in 'sleep'"});
    CHECK(aglet_dump_on(SIGUSR1) == 0);
    read_dump(dump_by_signal);
    CHECK(says("sleeper", "in 'sleep'"));
    signal(SIGUSR1, SIG_DFL);
    aglet_abort(t);
    CHECK(aglet_join(t, NULL) == 0);
    return NULL;
}

static void a_signal_asks_for_a_dump(void **state) {
    (void)state;
    on_each(asked_by_signal, NULL);
}

static const void *pointer_at(const void *base, uint32_t offset) {
    const void *p;
    memcpy(&p, (const char *)base + offset, sizeof p);
    return p;
}
/* Of a task that another worker has run: no report of ThreadSanitizer's is wanted of it. */
__attribute__((no_sanitize("thread"))) static uint32_t word_at(const void *base, uint32_t offset) {
    uint32_t n;
    memcpy(&n, (const char *)base + offset, sizeof n);
    return n;
}

/* As a debugger would: nothing but the public symbol. */
static void *find_by_registry(void *arg) {
    const struct aglet_registry *r = &aglet_registry;
    aglet_task *tasks[2];
    int found = 0;
    (void)arg;
    CHECK(r->version == AGLET_REGISTRY_VERSION && r->size == sizeof *r);
    CHECK(aglet_spawn(&tasks[0], sleeper, NULL) == 0);
    CHECK(stepper_spawn(&tasks[1], (struct stepper){.error = 0}) == 0);
    aglet_task_name(tasks[1], "stepper");
    READ_DUMP_SAYING({"sleeper", "in 'sleep'"}, {"stepper", "in 'sleep'"});
    for (const char *chunk = *r->chunks; chunk; chunk = pointer_at(chunk, r->chunk_next))
        for (uint32_t i = 0; i < word_at(chunk, r->chunk_slots); i++) {
            const char *t = chunk + r->chunk_first + (size_t)i * word_at(chunk, r->chunk_slot_size);
            const char *const *names = pointer_at(chunk, r->chunk_names);
            uint64_t id;
            memcpy(&id, t + r->task_id, sizeof id);
            if (t[r->task_kind] == AGLET_REGISTRY_FREE || !t[r->task_named])
                continue;
            const char *name = names[i];
            if (strcmp(name, "sleeper") == 0 && t[r->task_kind] == AGLET_REGISTRY_STACKFUL &&
                t[r->task_started]) {
                const char *stack = pointer_at(t, r->task_stack);
                void *const *sp = pointer_at(stack, r->stack_sp);
                Dl_info at;
                CHECK(dladdr(sp[r->saved_pc], &at) != 0 &&
                      (strstr(at.dli_fname, "aglet") || strstr(at.dli_fname, "test_dump")));
                CHECK(strcmp(pointer_at(stack + r->stack_rest, r->rest_waits_for), "sleep") == 0);
                CHECK((((uintptr_t)pointer_at(t, r->task_place) >> 1) & 3) == 2);
                CHECK((const void *)t == (const void *)tasks[0] && id >> 16 == aglet_task_id(tasks[0]));
                found++;
            }
            if (strcmp(name, "stepper") == 0 && t[r->task_kind] == AGLET_REGISTRY_STACKLESS) {
                CHECK(word_at(t + r->task_frame, r->frame_line) == (uint32_t)step_line);
                CHECK(strcmp(pointer_at(t + r->task_rest, r->rest_waits_for), "sleep") == 0);
                found++;
            }
        }
    aglet_abort(tasks[0]);
    aglet_abort(tasks[1]);
    CHECK(aglet_join_all(tasks, NULL, 2) == 0);
    CHECK(found == 2);
    return NULL;
}

static void the_registry_leads_to_every_task(void **state) {
    (void)state;
    on_each(find_by_registry, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_shows_stacks_ages_and_locks),
        cmocka_unit_test(a_thread_lock_of_a_task_that_waits_is_shown),
        cmocka_unit_test(a_dump_from_outside_reaches_idle_workers_and_names_the_busy),
        cmocka_unit_test(dumps_disturb_nobody),
        cmocka_unit_test(a_signal_asks_for_a_dump),
        cmocka_unit_test(the_registry_leads_to_every_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
