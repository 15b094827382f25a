/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* missing-guard: a member that is kept under a lock by habit, touched without it. Stands on pthreads. */
#include <pthread.h>
#include <stdlib.h>

/* ---- one access of many ---- */
struct counter {
    pthread_mutex_t mu;
    int n, limit;
};
void up(struct counter *c);
void up(struct counter *c) {
    pthread_mutex_lock(&c->mu);
    c->n++;
    pthread_mutex_unlock(&c->mu);
}
void down(struct counter *c);
void down(struct counter *c) {
    pthread_mutex_lock(&c->mu);
    c->n--;
    pthread_mutex_unlock(&c->mu);
}
void add(struct counter *c, int m);
void add(struct counter *c, int m) {
    pthread_mutex_lock(&c->mu);
    c->n += m;
    pthread_mutex_unlock(&c->mu);
}
void twice(struct counter *c);
void twice(struct counter *c) {
    pthread_mutex_lock(&c->mu);
    c->n *= 2;
    pthread_mutex_unlock(&c->mu);
}
void clear(struct counter *c);
void clear(struct counter *c) {
    c->n = 0; // expected-remark {{[aglet-missing-guard]}}
}
struct counter *counter_new(void);
struct counter *counter_new(void) {
    struct counter *c = malloc(sizeof *c);
    if (c) {
        pthread_mutex_init(&c->mu, NULL);
        c->n = 0; // no diagnostic: nobody else knows it yet
    }
    return c;
}
int limit(struct counter *c);
int limit(struct counter *c) { return c->limit; } // no diagnostic: never under the lock

/* ---- a helper that is called with the lock held, but for once ---- */
struct list {
    pthread_mutex_t mu;
    struct item {
        struct item *next;
    } *head;
    int length;
};
static void push(struct list *l, struct item *i) {
    i->next = l->head;
    l->head = i; // no diagnostic: its callers hold the lock; one forgot
    l->length++;
}
void put(struct list *l, struct item *i);
void put(struct list *l, struct item *i) {
    pthread_mutex_lock(&l->mu);
    push(l, i);
    pthread_mutex_unlock(&l->mu);
}
void put_two(struct list *l, struct item *i, struct item *k);
void put_two(struct list *l, struct item *i, struct item *k) {
    pthread_mutex_lock(&l->mu);
    push(l, i);
    push(l, k);
    pthread_mutex_unlock(&l->mu);
}
void put_fast(struct list *l, struct item *i);
void put_fast(struct list *l, struct item *i) {
    push(l, i); // expected-remark 1+ {{[aglet-missing-guard]}}
}
struct list *list_of(struct item *i);
struct list *list_of(struct item *i) {
    struct list *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    pthread_mutex_init(&l->mu, NULL);
    push(l, i); // no diagnostic: nobody else knows it yet
    return l;
}
struct item *take(struct list *l);
struct item *take(struct list *l) {
    struct item *i;
    pthread_mutex_lock(&l->mu);
    i = l->head;
    if (i) {
        l->head = i->next;
        l->length--;
    }
    pthread_mutex_unlock(&l->mu);
    return i;
}

/* ---- the statement after the unlock belongs before it ---- */
struct stats {
    pthread_mutex_t mu;
    long sum, count;
};
void sample(struct stats *s, long value);
void sample(struct stats *s, long value) {
    pthread_mutex_lock(&s->mu);
    s->sum += value;
    pthread_mutex_unlock(&s->mu);
    s->count++; // expected-remark {{[aglet-missing-guard]}}
}
long mean(struct stats *s);
long mean(struct stats *s) {
    long m;
    pthread_mutex_lock(&s->mu);
    m = s->count ? s->sum / s->count : 0;
    pthread_mutex_unlock(&s->mu);
    return m;
}

/* ---- globals, and the locks of their file ---- */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER, other_lock = PTHREAD_MUTEX_INITIALIZER;
static int count, table[16], verbose, loops;
static const int widths[4] = {1, 2, 3, 4};
static _Atomic int hits;
static struct {
    int used, freed;
} totals;

void table_put(int i, int v);
void table_put(int i, int v) {
    pthread_mutex_lock(&table_lock);
    if (verbose)
        table[0]++;
    table[i] = v + widths[i & 3];
    count++;
    totals.used++;
    pthread_mutex_unlock(&table_lock);
    loops++; // no diagnostic: never under a lock
    hits++;  // no diagnostic: atomic
}
int table_get(int i);
int table_get(int i) {
    pthread_mutex_lock(&table_lock);
    int v = verbose ? table[i] : table[i] + count;
    totals.used++;
    pthread_mutex_unlock(&table_lock);
    return v;
}
void table_clear(void);
void table_clear(void) {
    pthread_mutex_lock(&table_lock);
    for (int i = 0; i < 16; i++)
        table[i] = verbose;
    count = 0;
    totals.used = totals.freed = 0;
    hits = 0;
    pthread_mutex_unlock(&table_lock);
}
static void remove_one(int i) { // no diagnostic: called with it held
    table[i] = 0;
    count--;
}
void table_remove(int i);
void table_remove(int i) {
    pthread_mutex_lock(&table_lock);
    remove_one(i);
    pthread_mutex_unlock(&table_lock);
}
void table_forget(int i);
void table_forget(int i) {
    table[i] = 0; // expected-remark {{'table' is touched without 'table_lock' held, unlike elsewhere [aglet-missing-guard]}}
    count -= 1; // expected-remark {{'count' is touched without 'table_lock' held, unlike elsewhere [aglet-missing-guard]}}
}
int table_total(void);
int table_total(void) {
    pthread_mutex_lock(&other_lock);
    int n = totals.used; // expected-remark {{'totals' is touched without 'table_lock' held, unlike elsewhere [aglet-missing-guard]}}
    pthread_mutex_unlock(&other_lock);
    return n;
}
void set_verbose(int on);
void set_verbose(int on) { verbose = on; } // no diagnostic: read under the lock, but never written under it

/* ---- a lock that is wrapped in a type of the program's own ---- */
typedef struct {
    pthread_mutex_t raw;
    unsigned owner;
} own_mutex;
static void own_lock(own_mutex *m) {
    if (pthread_mutex_lock(&m->raw))
        abort();
    m->owner = 1;
}
static void own_unlock(own_mutex *m) {
    m->owner = 0;
    if (pthread_mutex_unlock(&m->raw))
        abort();
}
struct purse {
    own_mutex lock;
    long coins;
};
void purse_put(struct purse *p, long n);
void purse_put(struct purse *p, long n) {
    own_lock(&p->lock);
    p->coins += n;
    own_unlock(&p->lock);
}
long purse_take(struct purse *p);
long purse_take(struct purse *p) {
    own_lock(&p->lock);
    long n = p->coins;
    p->coins = 0;
    own_unlock(&p->lock);
    return n;
}
void purse_clear(struct purse *p);
void purse_clear(struct purse *p) {
    own_lock(&p->lock);
    p->coins = 0;
    own_unlock(&p->lock);
}
long purse_look(struct purse *p);
long purse_look(struct purse *p) { return p->coins; } // expected-remark {{'coins' is touched without 'lock' held, unlike elsewhere [aglet-missing-guard]}}

static own_mutex pot_lock = {PTHREAD_MUTEX_INITIALIZER, 0};
static long pot;
void pot_put(long n);
void pot_put(long n) {
    own_lock(&pot_lock);
    pot += n;
    pot = pot > 9 ? 0 : pot;
    own_unlock(&pot_lock);
}
long pot_look(void);
long pot_look(void) { return pot; } // expected-remark {{'pot' is touched without 'pot_lock' held, unlike elsewhere [aglet-missing-guard]}}

/* ---- a function that releases what it does not hold: what it calls before was meant to be under the lock ---- */
struct shelf {
    pthread_mutex_t mu;
    int books, loans;
};
static struct shelf shelf = {PTHREAD_MUTEX_INITIALIZER, 0, 0};
static void shelf_note(struct shelf *s) {
    s->books++; // no diagnostic: one caller forgets to take the lock, and that is said there
}
void shelf_put(void);
void shelf_put(void) {
    shelf.loans = 0; // no diagnostic: before a release of the lock, and so meant to be under it
    shelf_note(&shelf);
    pthread_mutex_unlock(&shelf.mu); // expected-warning {{[aglet-unlock-unheld]}}
}
void shelf_take(int n);
void shelf_take(int n) {
    pthread_mutex_lock(&shelf.mu);
    shelf.books -= n;
    shelf.loans += n;
    if (shelf.books < 0)
        shelf.books = shelf.loans = 0;
    shelf.loans += shelf.books > 9;
    pthread_mutex_unlock(&shelf.mu);
}

/* ---- beside sections of that very lock, in two functions; a third takes it on a condition ---- */
struct ledger {
    pthread_mutex_t mu;
    int epoch, rows;
};
static struct ledger ledger = {PTHREAD_MUTEX_INITIALIZER, 0, 0};
int ledger_epoch(void);
int ledger_epoch(void) {
    pthread_mutex_lock(&ledger.mu);
    if (ledger.epoch < 0) {
        pthread_mutex_unlock(&ledger.mu);
        return 0;
    }
    pthread_mutex_unlock(&ledger.mu);
    return ledger.epoch; // expected-remark {{'epoch' is touched without 'mu' held, unlike elsewhere [aglet-missing-guard]}}
}
void ledger_turn(void);
void ledger_turn(void) {
    int before = ledger.epoch; // expected-remark {{'epoch' is touched without 'mu' held, unlike elsewhere [aglet-missing-guard]}}
    pthread_mutex_lock(&ledger.mu);
    if (ledger.epoch == before)
        ledger.epoch = before + (ledger.epoch > 9 ? -9 : 1);
    pthread_mutex_unlock(&ledger.mu);
}
void ledger_reset(int locked);
void ledger_reset(int locked) {
    if (!locked)
        pthread_mutex_lock(&ledger.mu);
    ledger.epoch = 0; // no diagnostic: the lock is taken here, or the caller has it
    if (!locked)
        pthread_mutex_unlock(&ledger.mu);
}
int ledger_rows(int n);
int ledger_rows(int n) {
    int rows = ledger.rows; // no diagnostic: one of two, and two functions do so
    pthread_mutex_lock(&ledger.mu);
    ledger.rows = n;
    pthread_mutex_unlock(&ledger.mu);
    return rows;
}
int ledger_has_rows(void);
int ledger_has_rows(void) {
    pthread_mutex_lock(&ledger.mu);
    pthread_mutex_unlock(&ledger.mu);
    return ledger.rows > 0; // no diagnostic
}

/* ---- the handle of a thread, stored where it is started under a lock ---- */
static pthread_mutex_t starter_mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_t starter_thread;
static int starter_runs;
static void *starter_main(void *arg) { return arg; }
int starter_start(void);
int starter_start(void) {
    int error;
    pthread_mutex_lock(&starter_mu);
    error = pthread_create(&starter_thread, NULL, starter_main, NULL);
    starter_runs = !error;
    pthread_mutex_unlock(&starter_mu);
    return error;
}
void starter_stop(void);
void starter_stop(void) {
    pthread_mutex_lock(&starter_mu);
    starter_runs = 0;
    pthread_mutex_unlock(&starter_mu);
    pthread_join(starter_thread, NULL); // no diagnostic: a handle belongs to who joins
}
