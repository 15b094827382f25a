/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A device that waits gives its lock up meanwhile, and so its callers hold it. Devices stand on other devices, and call each other through
 * tables of functions; the pointer to the device that is asked may point to the device itself. Stands on pthreads. */
#include <pthread.h>
#include <stdlib.h>

struct dev {
    pthread_mutex_t lock;
    struct dev *fast; /* that answers: this one, or one further down */
    struct dev *slave;
    const struct ops *ops;
    int locks, needs, n;
};
struct ops {
    int (*drain)(struct dev *d);
    int (*drop)(struct dev *d);
    int (*avail)(struct dev *d);
};
void nap(void);

static void must_lock(struct dev *d) {
    if (d->locks)
        pthread_mutex_lock(&d->lock);
}
static void must_unlock(struct dev *d) {
    if (d->locks)
        pthread_mutex_unlock(&d->lock);
}
static void dev_lock(struct dev *d) {
    if (d->locks && d->needs)
        pthread_mutex_lock(&d->lock);
}
static void dev_unlock(struct dev *d) {
    if (d->locks && d->needs)
        pthread_mutex_unlock(&d->lock);
}
struct dev *dev_new(const struct ops *ops);
struct dev *dev_new(const struct ops *ops) {
    struct dev *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    pthread_mutex_init(&d->lock, NULL);
    d->locks = d->needs = 1;
    d->ops = ops;
    d->fast = d;
    return d;
}

/* Called with the lock of the device that answers. */
static int dev_wait(struct dev *d) {
    must_unlock(d->fast);
    nap();
    must_lock(d->fast);
    return d->n;
}
int dev_read(struct dev *d);
int dev_read(struct dev *d) {
    int n;
    must_lock(d->fast);
    n = dev_wait(d); // no diagnostic: held
    must_unlock(d->fast);
    return n;
}
int dev_drain(struct dev *d);
int dev_drain(struct dev *d) {
    return d->ops->drain(d->fast); // no diagnostic: which device it is says whether it locks itself
}
int dev_drop(struct dev *d);
int dev_drop(struct dev *d) {
    int err;
    dev_lock(d->fast);
    err = d->ops->drop(d->fast);
    dev_unlock(d->fast);
    return err;
}

/* Its own lock is that of the device that answers, if it needs one: it was asked for. */
static int mix_drain(struct dev *d) {
    int n;
    dev_lock(d);
    n = dev_wait(d); // no diagnostic
    dev_unlock(d);
    return n;
}
static int mix_avail(struct dev *d) {
    return dev_wait(d); // no diagnostic: dev_avail() holds it
}
static int mix_drop(struct dev *d) {
    return d->slave ? dev_drain(d->slave) : 0;
}
int dev_avail(struct dev *d);
int dev_avail(struct dev *d) {
    int n;
    must_lock(d->fast);
    n = d->ops->avail(d);
    must_unlock(d->fast);
    return n;
}
int dev_peek(struct dev *d);
int dev_peek(struct dev *d) {
    return d->ops->avail(d); // no diagnostic: one of several that may be called needs the lock
}
/* Holds its own lock, and waits with another device's. */
static int rate_drain(struct dev *d) {
    int n;
    must_lock(d);
    n = dev_wait(d->slave); // expected-warning {{not held here [aglet-unlock-unheld]}}
    must_unlock(d);
    return n;
}
static int rate_drop(struct dev *d) {
    return dev_drop(d->slave);
}
static int rate_avail(struct dev *d) {
    return d->n;
}
static const struct ops mix_ops = {mix_drain, mix_drop, mix_avail};
static const struct ops rate_ops = {rate_drain, rate_drop, rate_avail};

/* Far from there nothing is said. */
int dev_close(struct dev *d);
int dev_close(struct dev *d) {
    const int err = dev_drop(d); // no diagnostic
    free(d);
    return err;
}
int open_two(struct dev **d);
int open_two(struct dev **d) {
    struct dev *a = dev_new(&mix_ops), *b = dev_new(&rate_ops);
    if (!a || !b) {
        if (a)
            dev_close(a); // no diagnostic
        if (b)
            dev_close(b); // no diagnostic
        return -1;
    }
    b->slave = a;
    *d = b;
    return dev_peek(b); // no diagnostic
}
