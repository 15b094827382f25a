/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The strict level of hand-offs: pointers need roles, hidden types are not Send, parameters that leave say so. */
#include <aglet/annotations.h>
#include <pthread.h>

struct silent {
    char *text;
    int id;
};
struct told {
    char *AGLET_OWNED text;
    const char *name;
    int id;
};

static void *run_silent(void *argument) {
    struct silent *job = argument;
    return job->text;
}

static void *run_told(void *argument) {
    struct told *job = argument;
    return job->text;
}

int start_silent(struct silent *job) { // expected-warning {{[aglet-send]}}
    pthread_t t;
    if (pthread_create(&t, NULL, run_silent, job) != 0) // expected-warning {{[aglet-send]}}
        return -1;
    return pthread_detach(t);
}

int start_told(struct told *AGLET_SENDING job) {
    pthread_t t;
    if (pthread_create(&t, NULL, run_told, job) != 0) // no diagnostic: each pointer says its role, the parameter leaves
        return -1;
    return pthread_detach(t);
}

int start_hidden(void *AGLET_SENDING job) {
    pthread_t t;
    if (pthread_create(&t, NULL, run_told, job) != 0) // expected-warning {{[aglet-send]}}
        return -1;
    return pthread_detach(t);
}

void careless(struct told *AGLET_SENDING job) {
    pthread_t t;
    pthread_create(&t, NULL, run_told, job); // expected-warning {{[aglet-result-dropped]}}
    pthread_detach(t);
}
