/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A struct that another one begins with, and casts between the two: they have one address, and one lock. Stands on pthreads. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>

struct object {
    pthread_mutex_t mu;
    int references AGLET_GUARDED_BY(mu);
    const struct class *class;
};
struct shape {
    struct object object;
    int area AGLET_GUARDED_BY(object.mu);
};
struct circle {
    struct shape shape;
    int radius AGLET_GUARDED_BY(shape.object.mu);
};
struct class {
    int (*measure)(struct object *o);
};

int down(struct object *o);
int down(struct object *o) {
    struct shape *s = (struct shape *)o;
    pthread_mutex_lock(&o->mu);
    int n = s->area + ((struct circle *)o)->radius; // no diagnostic: the object's lock is theirs
    pthread_mutex_unlock(&s->object.mu);            // no diagnostic: the same
    return n + s->area;                             // expected-warning {{'o->area' is read without 'o->mu' held [aglet-guarded-by]}}
}
int up(struct circle *c, struct circle *other);
int up(struct circle *c, struct circle *other) {
    struct object *o = (struct object *)c;
    pthread_mutex_lock(&o->mu);
    int n = c->radius + c->shape.area + o->references; // no diagnostic: held
    n += other->radius;                                // expected-warning {{[aglet-guarded-by]}}
    pthread_mutex_unlock(&c->shape.object.mu);
    return n;
}

static void object_lock(struct object *o) {
    pthread_mutex_lock(&o->mu);
}
static void object_unlock(struct object *o) {
    pthread_mutex_unlock(&o->mu);
}
int by_helper(struct circle *c);
int by_helper(struct circle *c) {
    object_lock((struct object *)c);
    int n = c->radius; // no diagnostic: held
    object_unlock(&c->shape.object);
    return n;
}

static int circle_measure(struct object *o) {
    return ((struct circle *)o)->radius; // no diagnostic: what it needs is its callers' to bring
}
static const struct class circles = {circle_measure};
int measured(struct object *o);
int measured(struct object *o) {
    pthread_mutex_lock(&o->mu);
    int n = o->class->measure(o); // no diagnostic: held
    pthread_mutex_unlock(&o->mu);
    return n;
}
int measured_unlocked(struct circle *c);
int measured_unlocked(struct circle *c) {
    return c->shape.object.class->measure((struct object *)c); // expected-warning {{[aglet-guarded-by]}}
}
struct object *circle_new(void);
struct object *circle_new(void) {
    struct circle *c = malloc(sizeof *c);
    if (!c)
        return NULL;
    pthread_mutex_init(&((struct object *)c)->mu, NULL);
    c->shape.object.class = &circles;
    c->radius = 1; // no diagnostic: nobody else knows it
    return &c->shape.object;
}
