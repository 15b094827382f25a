/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* SDL: threads, atomics, semaphores, events; a window is the main thread's. */
#include <stddef.h>

typedef struct SDL_Thread SDL_Thread;
typedef struct SDL_mutex SDL_mutex;
typedef struct SDL_semaphore SDL_sem;
typedef struct SDL_Window SDL_Window;
typedef struct {
    int value;
} SDL_atomic_t;
typedef struct {
    int type;
    void *data;
} SDL_Event;
SDL_Thread *SDL_CreateThread(int (*entry)(void *), const char *name, void *data);
void SDL_WaitThread(SDL_Thread *thread, int *status);
void SDL_DetachThread(SDL_Thread *thread);
int SDL_LockMutex(SDL_mutex *mutex);
int SDL_UnlockMutex(SDL_mutex *mutex);
int SDL_AtomicGet(SDL_atomic_t *at);
int SDL_AtomicSet(SDL_atomic_t *at, int value);
int SDL_SemPost(SDL_sem *sem);
int SDL_SemWait(SDL_sem *sem);
int SDL_PushEvent(SDL_Event *event);
void SDL_SetWindowTitle(SDL_Window *window, const char *title);

typedef struct {
    int progress, safe;
    SDL_mutex *mu;
    SDL_sem *done;
    SDL_atomic_t ready;
} Loader;

static int load(void *data)
{
    Loader *l = data;
    l->progress++;
    SDL_LockMutex(l->mu);
    l->safe++;
    SDL_UnlockMutex(l->mu);
    SDL_AtomicSet(&l->ready, 1);
    SDL_SemPost(l->done);
    return 0;
}

int both_use(Loader *l)
{
    SDL_Thread *thread = SDL_CreateThread(load, "loader", l); // expected-warning {{'l->progress' is used by both threads after this hand-off, unguarded [aglet-sync]}}
    if (!thread)
        return -1;
    int progress = l->progress;
    SDL_WaitThread(thread, NULL);
    return progress;
}

int waited_first(Loader *l)
{
    SDL_Thread *thread = SDL_CreateThread(load, "loader", l); // no diagnostic: one lock, and the wait for its end
    if (!thread)
        return -1;
    SDL_LockMutex(l->mu);
    l->safe++;
    SDL_UnlockMutex(l->mu);
    SDL_WaitThread(thread, NULL);
    return l->progress;
}

int posted(Loader *l)
{
    SDL_Thread *thread = SDL_CreateThread(load, "loader", l); // no diagnostic: the semaphore may order the two sides
    if (!thread)
        return -1;
    SDL_DetachThread(thread);
    SDL_SemWait(l->done);
    return l->progress;
}

int polled(Loader *l)
{
    SDL_Thread *thread = SDL_CreateThread(load, "loader", l); // no diagnostic: so may the flag
    if (!thread)
        return -1;
    SDL_DetachThread(thread);
    while (!SDL_AtomicGet(&l->ready))
        ;
    return l->progress;
}

int on_the_stack(void)
{
    Loader l = {0};
    SDL_Thread *thread = SDL_CreateThread(load, "loader", &l); // expected-warning {{local 'l' may die while the other thread still uses it [aglet-stack-escape]}}
    if (!thread)
        return -1;
    SDL_DetachThread(thread);
    return 0;
}

static int retitle(void *data)
{
    SDL_Window *window = data;
    SDL_SetWindowTitle(window, "loaded");
    return 0;
}

int window_elsewhere(SDL_Window *window)
{
    SDL_Thread *thread = SDL_CreateThread(retitle, "titles", window); // expected-warning {{'SDL_Window' reaches another thread here, and is not Send [aglet-send]}}
    if (!thread)
        return -1;
    SDL_WaitThread(thread, NULL);
    return 0;
}

void two_events(void *payload)
{
    SDL_Event event = {1, payload};
    SDL_PushEvent(&event); // no diagnostic: the event is copied
    event.type = 2;
    SDL_PushEvent(&event);
}
