/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* stack-escape: locals that a thread may outlive. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

struct args {
    int fd;
    sem_t ready;
};

static void *serve(void *arg)
{
    struct args *a = arg;
    return a->fd ? arg : NULL;
}

int detached(int fd)
{
    pthread_t t;
    struct args a = {.fd = fd};
    if (pthread_create(&t, NULL, serve, &a) != 0) // expected-warning {{local 'a' may die while the other thread still uses it [aglet-stack-escape]}}
        return -1;
    return pthread_detach(t);
}

int joined(int fd)
{
    pthread_t t;
    struct args a = {.fd = fd};
    if (pthread_create(&t, NULL, serve, &a) != 0) // no diagnostic: joined on every way
        return -1;
    return pthread_join(t, NULL);
}

int early_return(int fd)
{
    pthread_t t;
    struct args a = {.fd = fd};
    if (pthread_create(&t, NULL, serve, &a) != 0) // expected-warning {{local 'a' may die while the other thread still uses it [aglet-stack-escape]}} expected-warning {{thread 't' is joined or detached on some ways only [aglet-unjoined]}}
        return -1;
    if (write(fd, "x", 1) != 1)
        return -1;
    return pthread_join(t, NULL);
}

/* As std::thread::scope: lent to several threads, all joined. */
int scope(void)
{
    pthread_t threads[4];
    struct args a[4] = {{0}};
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, serve, &a[i]) != 0) // no diagnostic: all are joined below
            abort();
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return a[0].fd;
}

static void *serve_and_tell(void *arg)
{
    struct args *a = arg;
    int fd = a->fd;
    sem_post(&a->ready);
    return fd ? arg : NULL;
}

int waits_for_it(int fd)
{
    pthread_t t;
    struct args a = {.fd = fd};
    sem_init(&a.ready, 0, 0);
    if (pthread_create(&t, NULL, serve_and_tell, &a) != 0)
        return -1;
    pthread_detach(t);
    sem_wait(&a.ready); // no diagnostic: the thread may have told that it took what it needs
    return 0;
}

int on_the_heap(int fd)
{
    pthread_t t;
    struct args *a = calloc(1, sizeof *a);
    if (!a)
        return -1;
    a->fd = fd;
    if (pthread_create(&t, NULL, serve, a) != 0) { // no diagnostic: not a local
        free(a);
        return -1;
    }
    return pthread_detach(t);
}

int static_storage(int fd)
{
    static struct args a;
    pthread_t t;
    a.fd = fd;
    if (pthread_create(&t, NULL, serve, &a) != 0) // no diagnostic: it never dies
        return -1;
    return pthread_detach(t);
}

static int spawn_for(struct args *a, pthread_t *t)
{
    return pthread_create(t, NULL, serve, a);
}

void through_a_wrapper(int fd)
{
    pthread_t t;
    struct args a = {.fd = fd};
    spawn_for(&a, &t); // expected-warning {{local 'a' may die while the other thread still uses it [aglet-stack-escape]}}
    pthread_detach(t);
}

static void wait_for(pthread_t t)
{
    pthread_join(t, NULL);
}

int joined_by_a_helper(int fd)
{
    pthread_t t;
    struct args a = {.fd = fd};
    if (pthread_create(&t, NULL, serve, &a) != 0) // no diagnostic: the helper joins
        return -1;
    wait_for(t);
    return 0;
}

/* The process ends with main: no diagnostic. */
int main(void)
{
    pthread_t t;
    struct args a = {.fd = 1};
    if (pthread_create(&t, NULL, serve, &a) != 0)
        return 1;
    pthread_detach(t);
    return 0;
}
