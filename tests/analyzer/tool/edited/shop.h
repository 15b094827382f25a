/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The program that test_edited.py edits: a shop with shelves, a box of orders between threads, and a till. Some of it is wrong. */
#ifndef SHOP_H
#define SHOP_H
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct item {
    struct item *next;
    long price;
    int taken;
};
struct shelf;
struct ops {
    long (*put)(struct shelf *, struct item *);
    struct item *(*take)(struct shelf *);
    void (*sweep)(struct shelf *, int);
};
struct shelf {
    pthread_mutex_t mu;
    struct item *first;
    long n;
    struct {
        long hits;
        long misses;
    };
    long limit AGLET_GUARDED_BY(mu);
    const struct ops *ops;
    struct shelf *next;
    bool open;
    pthread_t owner;
    int depth;
};
struct box {
    pthread_mutex_t mu;
    pthread_cond_t some;
    struct item *head;
    int waiting;
    bool closed;
};
struct till {
    pthread_mutex_t mu;
    pthread_rwlock_t names;
    long money;
    int customers;
    int timeout;
    pthread_mutex_t again;
    void (*told)(struct till *, void *);
    void *context;
};

extern struct shelf shelves[4];
extern pthread_mutex_t rows[8];
extern struct box orders;
extern struct till till;
extern int strict;
extern pthread_mutex_t served_mu;
extern long served;

/* locks.c */
void shelf_lock(struct shelf *s);
void shelf_unlock(struct shelf *s);
void lock_if(pthread_mutex_t *mu, bool wanted);
void unlock_if(pthread_mutex_t *mu, bool wanted);
bool shelf_try(struct shelf *s);
void lock_both(struct shelf *a, struct shelf *b);
void unlock_both(struct shelf *a, struct shelf *b);
/* shelf.c */
long shelf_put(struct shelf *s, struct item *i);
struct item *shelf_take(struct shelf *s);
void shelf_move(struct shelf *from, struct shelf *to);
long shelf_count(struct shelf *s, int depth);
/* walk.c */
long walk_even(struct shelf *s, int depth);
long walk_odd(struct shelf *s, int depth);
void sweep_all(struct shelf *s, int depth);
/* box.c */
void box_put(struct box *b, struct item *i);
struct item *box_take(struct box *b);
void box_close(struct box *b);
/* till.c */
void till_pay(struct till *t, long money);
int till_name(struct till *t, bool change);
void till_tell(struct till *t, void (*told)(struct till *, void *), void *context);
long till_close(struct till *t);
void till_touch(struct till *t, int how);
void till_wait(struct till *t);
void till_twice(struct till *t);
/* ops.c */
const struct ops *ops_of(int kind);
void run_ops(struct shelf *s, struct item *i);
/* rows.c */
void row_add(int row, long *at);
int rows_all(void);
int guarded_rows(int row);
/* work.c */
int work_start(struct box *b);
void work_stop(void);

static inline void unlock_at_end(pthread_mutex_t **mu) {
    pthread_mutex_unlock(*mu);
}
#define HOLD(mu) pthread_mutex_t *held __attribute__((cleanup(unlock_at_end))) = (pthread_mutex_lock(mu), (mu))

static inline long shelf_hits(struct shelf *s) {
    shelf_lock(s);
    long hits = s->hits;
    shelf_unlock(s);
    return hits;
}
static inline void count_customer(struct till *t) {
    t->customers++;
}
#endif
