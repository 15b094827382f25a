/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A machine of states in a loop: a lock is taken in one state, under a condition that the state asks again, while other states write the
 * member that leads there, or test what lies beside it to leave the loop. */
#include <pthread.h>
#include <stdlib.h>

struct response {
    pthread_mutex_t mu;
    long (*reader)(void *, unsigned long);
    void *cls;
    unsigned long total;
};
struct connection {
    int state;
    unsigned long pos;
    struct response *response;
};

static void close_connection(struct connection *c) {
    c->state = 4;
}
static int try_ready(struct connection *c) {
    struct response *r = c->response;
    if (c->pos == r->total || !r->reader)
        return 1;
    const long ret = r->reader(r->cls, c->pos);
    if (ret < 0) {
        r->total = c->pos;
        pthread_mutex_unlock(&r->mu);
        close_connection(c);
        return 0;
    }
    return 1;
}
static void start_again(struct connection *c) {
    struct response *r = c->response;
    c->response = NULL;
    free(r);
    c->state = 1;
}

void handle(struct connection *c);
void handle(struct connection *c) {
    for (;;) {
        switch (c->state) {
        case 0:
            if (c->response) {
                free(c->response);
                c->response = NULL;
            }
            c->state = 1;
            continue;
        case 1:
            if (c->response->reader)
                pthread_mutex_lock(&c->response->mu); // no diagnostic: in another turn it was given back
            if (c->response->total == 0) {
                if (c->response->reader)
                    pthread_mutex_unlock(&c->response->mu);
                c->state = 3;
                continue;
            }
            if (try_ready(c)) {
                if (c->response->reader)
                    pthread_mutex_unlock(&c->response->mu); // no diagnostic: asked as when it was taken
                c->state = 2;
            }
            break;
        case 3: start_again(c); continue;
        default: break;
        }
        break;
    }
}

void handle_badly(struct connection *c);
void handle_badly(struct connection *c) {
    for (;;) {
        switch (c->state) {
        case 0: c->response = NULL; continue;
        case 1:
            if (c->response->reader)
                pthread_mutex_lock(&c->response->mu); // expected-warning {{'c->response->mu' is taken again while held [aglet-double-lock]}}
            if (c->response->total == 0) {
                c->pos++;
                continue; // with the lock held
            }
            if (c->response->reader)
                pthread_mutex_unlock(&c->response->mu);
            break;
        default: break;
        }
        break;
    }
}
