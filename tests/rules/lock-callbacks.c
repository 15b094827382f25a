/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Locks and functions that are called through a table of operations, or by a library function that was handed them.
 * Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a table of operations, of which nothing is known but its type ---- */
struct device;
struct device_ops {
    void (*put)(struct device *d, int v);
    int (*get)(struct device *d);
    void (*reset)(struct device *d);
};
struct device {
    pthread_mutex_t mu;
    int n, kind;
    const struct device_ops *ops;
};
static void disk_put(struct device *d, int v) {
    pthread_mutex_lock(&d->mu);
    d->n = v;
    pthread_mutex_unlock(&d->mu);
}
static void net_put(struct device *d, int v) {
    pthread_mutex_lock(&d->mu);
    d->n = v + 1;
    pthread_mutex_unlock(&d->mu);
}
static int any_get(struct device *d) { return d->n; }
static void disk_reset(struct device *d) { d->n = 0; }
static void net_reset(struct device *d) { disk_put(d, 0); }
static const struct device_ops disk_ops = {disk_put, any_get, disk_reset}, net_ops = {net_put, any_get, net_reset};

void device_init(struct device *d, int kind);
void device_init(struct device *d, int kind) {
    pthread_mutex_init(&d->mu, NULL);
    d->kind = kind;
    d->ops = kind ? &net_ops : &disk_ops;
}

void put_locked(struct device *d);
void put_locked(struct device *d) {
    pthread_mutex_lock(&d->mu);
    d->ops->put(d, 3); // expected-warning {{takes 'd->mu', which is held already [aglet-double-lock]}}
    pthread_mutex_unlock(&d->mu);
}
int get_locked(struct device *d);
int get_locked(struct device *d) {
    pthread_mutex_lock(&d->mu);
    int n = d->ops->get(d); // no diagnostic: takes no lock
    pthread_mutex_unlock(&d->mu);
    d->ops->put(d, n); // no diagnostic: not held any more
    return n;
}
void reset_locked(struct device *d);
void reset_locked(struct device *d) {
    pthread_mutex_lock(&d->mu);
    d->ops->reset(d); // expected-warning {{this may call 'net_reset', which takes 'd->mu', held already [aglet-double-lock]}}
    pthread_mutex_unlock(&d->mu);
}
void reset_as_its_kind_wants(struct device *d);
void reset_as_its_kind_wants(struct device *d) {
    if (d->kind) {
        d->ops->reset(d);
        return;
    }
    pthread_mutex_lock(&d->mu);
    d->ops->reset(d); // no diagnostic: of this kind are only those that take no lock
    pthread_mutex_unlock(&d->mu);
}
void reset_disk(struct device *d);
void reset_disk(struct device *d) {
    pthread_mutex_lock(&d->mu);
    disk_ops.reset(d); // no diagnostic: this table's takes no lock
    pthread_mutex_unlock(&d->mu);
}
static void put_through(struct device *d) { d->ops->put(d, 1); }
void put_through_locked(struct device *d);
void put_through_locked(struct device *d) {
    pthread_mutex_lock(&d->mu);
    put_through(d); // expected-warning {{'put_through' takes 'd->mu', which is held already [aglet-double-lock]}}
    pthread_mutex_unlock(&d->mu);
}

/* ---- once ---- */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER, log_lock = PTHREAD_MUTEX_INITIALIZER;
static int table[4] AGLET_GUARDED_BY(table_lock), logged AGLET_GUARDED_BY(log_lock);
static pthread_once_t table_once = PTHREAD_ONCE_INIT, log_once = PTHREAD_ONCE_INIT, quiet_once = PTHREAD_ONCE_INIT, slow_once = PTHREAD_ONCE_INIT;

static void fill_table(void) {
    pthread_mutex_lock(&table_lock);
    table[0] = 1;
    pthread_mutex_unlock(&table_lock);
}
static void start_log(void) {
    pthread_mutex_lock(&log_lock);
    logged = 1;
    pthread_mutex_unlock(&log_lock);
}
static void start_quietly(void) { table[1] = 2; } // no diagnostic: nobody else is here before it is done
static void start_slowly(void) { sleep(3); }

int first(void);
int first(void) {
    pthread_mutex_lock(&table_lock);
    pthread_once(&table_once, fill_table); // expected-warning {{'fill_table' takes 'table_lock', which is held already [aglet-double-lock]}}
    int n = table[0];
    pthread_mutex_unlock(&table_lock);
    return n;
}
int first_at_last(void);
int first_at_last(void) {
    pthread_once(&table_once, fill_table); // no diagnostic: before the lock
    pthread_mutex_lock(&table_lock);
    pthread_once(&quiet_once, start_quietly);
    int n = table[0];
    pthread_once(&slow_once, start_slowly); // expected-warning {{'start_slowly' may block, and 'table_lock' is held [aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&table_lock);
    return n;
}
void log_one(void);
void log_one(void) {
    pthread_mutex_lock(&table_lock);
    pthread_once(&log_once, start_log); // expected-warning {{'log_lock' is waited for with 'table_lock' held, and elsewhere the other way round [aglet-lock-order]}}
    pthread_mutex_unlock(&table_lock);
}
void log_table(void);
void log_table(void) {
    pthread_mutex_lock(&log_lock);
    pthread_mutex_lock(&table_lock);
    logged += table[2];
    pthread_mutex_unlock(&table_lock);
    pthread_mutex_unlock(&log_lock);
}

/* ---- sorted under a lock, by a function that wants it ---- */
static int by_table(const void *a, const void *b) { return table[*(const int *)a] - table[*(const int *)b]; }
static int by_log(const void *a, const void *b) {
    pthread_mutex_lock(&log_lock);
    int order = *(const int *)a - *(const int *)b + logged;
    pthread_mutex_unlock(&log_lock);
    return order;
}
void sort(int *list, size_t n);
void sort(int *list, size_t n) {
    pthread_mutex_lock(&table_lock);
    qsort(list, n, sizeof *list, by_table); // no diagnostic: called with it held
    pthread_mutex_unlock(&table_lock);
    qsort(list, n, sizeof *list, by_log); // no diagnostic: takes it itself
    pthread_mutex_lock(&log_lock);
    qsort(list, n, sizeof *list, by_log); // expected-warning {{'by_log' takes 'log_lock', which is held already [aglet-double-lock]}}
    pthread_mutex_unlock(&log_lock);
}
void sort_unlocked(int *list, size_t n);
void sort_unlocked(int *list, size_t n) {
    qsort(list, n, sizeof *list, by_table); // expected-warning {{[aglet-guarded-by]}}
}
