/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Before its first spawn and after its last join main is alone: what is guarded needs no lock there.
 * Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static int count AGLET_GUARDED_BY(mu);

static void *work(void *argument) {
    pthread_mutex_lock(&mu);
    count++;
    pthread_mutex_unlock(&mu);
    return argument;
}
static void show(void) { printf("%d\n", count); }
static void show_all(void) { show(); }

int main(int argc, char **argv) {
    pthread_t many[8], one, other, forgotten;
    int started = 0;

    (void)argv;
    count = argc; // no diagnostic: nobody else is there yet
    show();
    for (int i = 0; i < 8; i++)
        pthread_create(&many[i], NULL, work, NULL);
    printf("%d\n", count); // expected-warning {{'count' is read without 'mu' held [aglet-guarded-by]}}
    show_all();            // expected-warning {{'show_all' touches 'count': call it with 'mu' held [aglet-guarded-by]}}
    for (int i = 0; i < 8; i++)
        pthread_join(many[i], NULL);
    printf("%d\n", count); // no diagnostic: all have ended
    show_all();

    pthread_create(&one, NULL, work, NULL);
    pthread_create(&other, NULL, work, NULL);
    pthread_join(one, NULL);
    count++; // expected-warning {{[aglet-guarded-by]}}
    pthread_join(other, NULL);
    count++; // no diagnostic: both have ended
    if (count > argc) // no diagnostic
        show();

    while (started < argc)
        pthread_create(&many[started++], NULL, work, NULL);
    while (started > 0) {
        if (argc == 3)
            break;
        pthread_join(many[--started], NULL);
    }
    count++; // expected-warning {{[aglet-guarded-by]}}
    pthread_mutex_lock(&mu);
    pthread_mutex_unlock(&mu);

    pthread_create(&forgotten, NULL, work, NULL);
    pthread_detach(forgotten);
    show(); // expected-warning {{[aglet-guarded-by]}}
    return 0;
}
