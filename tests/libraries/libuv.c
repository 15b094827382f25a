/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* libuv: work for its pool of threads, threads, semaphores; a loop is its own thread's. */
#include <stdlib.h>
#include <string.h>

typedef struct uv_loop_s {
    unsigned active;
    void *data;
} uv_loop_t;
typedef struct uv_work_s {
    void *data;
    uv_loop_t *loop;
} uv_work_t;
typedef struct {
    int word;
} uv_mutex_t, uv_sem_t;
typedef unsigned long uv_thread_t;
int uv_queue_work(uv_loop_t *loop, uv_work_t *work, void (*run)(uv_work_t *), void (*after)(uv_work_t *, int));
int uv_thread_create(uv_thread_t *thread, void (*entry)(void *), void *argument);
int uv_thread_join(uv_thread_t *thread);
void uv_mutex_lock(uv_mutex_t *mutex);
void uv_mutex_unlock(uv_mutex_t *mutex);
void uv_sem_post(uv_sem_t *sem);
void uv_sem_wait(uv_sem_t *sem);

struct request {
    uv_work_t work;
    int n;
    long result;
};

static void compute(uv_work_t *work)
{
    struct request *r = work->data;
    r->result = r->n * 2;
}

static void computed(uv_work_t *work, int status)
{
    (void)status;
    free(work->data);
}

static struct request *request_new(int n)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->n = n;
    r->work.data = r;
    return r;
}

int queued(uv_loop_t *loop, int n)
{
    struct request *r = request_new(n);
    int failed = uv_queue_work(loop, &r->work, compute, computed); // no diagnostic: its after-work callback frees it
    if (failed)
        free(r);
    return failed;
}

int touched_after(uv_loop_t *loop, struct request *r)
{
    r->work.data = r;
    if (uv_queue_work(loop, &r->work, compute, computed) != 0) // expected-warning {{'r->result' is used by both threads after this hand-off, unguarded [aglet-sync]}} expected-note {{the thread gets it in member 'data' of its argument}} expected-note {{or wait until the task is done}}
        return -1;
    r->result = 0; // expected-note {{written by this thread here, when the task may run}}
    return 0;
}

int on_the_stack(uv_loop_t *loop)
{
    struct request r = {.n = 1};
    r.work.data = &r;
    return uv_queue_work(loop, &r.work, compute, computed); // expected-warning {{local 'r' may die while the other thread still uses it [aglet-stack-escape]}} expected-note {{its life ends here, when the task may not have run yet}} expected-note {{remedy: allocate it, and free it when the task is done}}
}

struct shared {
    long naked, safe;
    uv_mutex_t mu;
    uv_sem_t done;
};

static void use_shared(void *argument)
{
    struct shared *s = argument;
    s->naked++;
    uv_mutex_lock(&s->mu);
    s->safe++;
    uv_mutex_unlock(&s->mu);
    uv_sem_post(&s->done);
}

int both_use(struct shared *s)
{
    uv_thread_t thread;
    if (uv_thread_create(&thread, use_shared, s) != 0) // expected-warning {{'s->naked' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    s->naked++;
    uv_mutex_lock(&s->mu);
    s->safe++;
    uv_mutex_unlock(&s->mu);
    return uv_thread_join(&thread);
}

int joined_first(struct shared *s)
{
    uv_thread_t thread;
    if (uv_thread_create(&thread, use_shared, s) != 0) // no diagnostic: joined before
        return -1;
    uv_thread_join(&thread);
    s->naked++;
    return 0;
}

int waited_for(struct shared *s)
{
    uv_thread_t thread;
    if (uv_thread_create(&thread, use_shared, s) != 0) // no diagnostic: the semaphore may order the two sides
        return -1;
    uv_sem_wait(&s->done);
    s->naked++;
    return uv_thread_join(&thread);
}

int left_running(void)
{
    uv_thread_t thread;
    struct shared s;
    memset(&s, 0, sizeof s);
    return uv_thread_create(&thread, use_shared, &s); // expected-warning {{local 's' may die while the other thread still uses it [aglet-stack-escape]}} expected-warning {{thread 'thread' is neither joined nor detached [aglet-unjoined]}}
}

static void use_loop(void *argument)
{
    uv_loop_t *loop = argument;
    loop->active++;
}

int loop_in_two_threads(uv_loop_t *loop)
{
    uv_thread_t thread;
    if (uv_thread_create(&thread, use_loop, loop) != 0) // expected-warning {{'loop->active' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    loop->active++;
    return uv_thread_join(&thread);
}
