/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* destroy-held: a lock destroyed while it is held. Stands on pthreads. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>

struct conn {
    pthread_mutex_t mu;
    pthread_rwlock_t rw;
    int open;
};

void held(struct conn *c);
void held(struct conn *c) {
    pthread_mutex_lock(&c->mu);
    c->open = 0;
    pthread_mutex_destroy(&c->mu); // expected-warning {{[aglet-destroy-held]}}
}

void read_held(struct conn *c);
void read_held(struct conn *c) {
    pthread_rwlock_rdlock(&c->rw);
    pthread_rwlock_destroy(&c->rw); // expected-warning {{[aglet-destroy-held]}}
}

void released(struct conn *c);
void released(struct conn *c) {
    pthread_mutex_lock(&c->mu);
    c->open = 0;
    pthread_mutex_unlock(&c->mu);
    pthread_mutex_destroy(&c->mu); // no diagnostic: released before
    free(c);
}

static void end(struct conn *c) {
    pthread_mutex_destroy(&c->mu);
}
void held_in_the_caller(struct conn *c);
void held_in_the_caller(struct conn *c) {
    pthread_mutex_lock(&c->mu);
    end(c); // expected-warning {{[aglet-destroy-held]}}
}

/* The last reference ends the object: what calls this with the lock held gives back its own reference only. */
struct counted {
    pthread_mutex_t mu;
    int references;
    int n AGLET_GUARDED_BY(mu);
};
static void end_counted(struct counted *c) {
    if (!c)
        return;
    c->n = 0;
    pthread_mutex_destroy(&c->mu);
    free(c);
}
static void drop(struct counted *c) {
    if (__sync_sub_and_fetch(&c->references, 1) == 0)
        end_counted(c);
}
void drop_one(struct counted *c);
void drop_one(struct counted *c) {
    pthread_mutex_lock(&c->mu);
    c->n++;
    drop(c); // no diagnostic: the object may live on
    pthread_mutex_unlock(&c->mu);
}
void drop_all(struct counted *c);
void drop_all(struct counted *c) {
    pthread_mutex_lock(&c->mu);
    end_counted(c); // expected-warning {{[aglet-destroy-held]}}
}

/* One mistake, whatever the list's elements are called in the loop's turns. */
struct link {
    pthread_mutex_t mu;
    struct link *next;
    int key;
};

void unlink_one(struct link *head, int key);
void unlink_one(struct link *head, int key) {
    struct link *before = head;
    pthread_mutex_lock(&before->mu);
    for (struct link *at = before->next; at != NULL; at = before->next) {
        pthread_mutex_lock(&at->mu);
        if (at->key == key) {
            before->next = at->next;
            free(at); // expected-warning {{[aglet-destroy-held]}}
            break;
        }
        pthread_mutex_unlock(&before->mu);
        before = at;
    }
    pthread_mutex_unlock(&before->mu);
}
