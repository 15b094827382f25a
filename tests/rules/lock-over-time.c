/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A global lock that one function takes and another gives back, at another time: no function's mistake, and callers are told
 * nothing of it. A dispatcher that takes in one case and gives back in another is told apart by what callers pass. */
#include <pthread.h>

extern int wanted(void);
extern void notify(int);
extern int started(int);

/* ---- the lock that the event loop holds but while it sleeps ---- */
static pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;

void loop_begins(void);
void loop_begins(void) { pthread_mutex_lock(&big); } // no diagnostic: before_sleep gives it back
static void give(void) { pthread_mutex_unlock(&big); }
static void take(void) { pthread_mutex_lock(&big); }
static void before_sleep(void) {
    if (wanted())
        give(); // no diagnostic: after_sleep takes it again
}
static void after_sleep(void) {
    if (wanted())
        take();
}
struct loop {
    void (*before)(void), (*after)(void);
};
extern int turn(struct loop *l);
int run_loop(struct loop *l);
int run_loop(struct loop *l) {
    l->before = before_sleep;
    l->after = after_sleep;
    loop_begins();
    while (turn(l))
        ;
    return 0;
}

/* ---- threads that are stopped by the locks they wait for ---- */
#define MANY 8
static pthread_mutex_t stop[MANY];
static int n_stopped = MANY;

int make_stopped(void);
int make_stopped(void) {
    if (n_stopped == 1)
        return 0;
    for (int i = 1; i < n_stopped; i++) {
        pthread_mutex_init(&stop[i], NULL);
        pthread_mutex_lock(&stop[i]); // no diagnostic: start_all gives it back
    }
    return started(n_stopped);
}
void start_all(void);
void start_all(void) {
    for (int i = 1; i < n_stopped; i++)
        pthread_mutex_unlock(&stop[i]); // no diagnostic
}
void stop_all(void);
void stop_all(void) {
    for (int i = 1; i < n_stopped; i++)
        pthread_mutex_lock(&stop[i]); // no diagnostic
}

/* ---- one function, four cases ---- */
enum change { PAUSE_WORKERS, PAUSE_ALL, RESUME_ALL, RESUME_WORKERS };
static pthread_mutex_t hang = PTHREAD_MUTEX_INITIALIZER, crawl = PTHREAD_MUTEX_INITIALIZER, init = PTHREAD_MUTEX_INITIALIZER;
static int n_paused, n_workers;

static void crawler_pause(void) { pthread_mutex_lock(&crawl); }
static void crawler_resume(void) { pthread_mutex_unlock(&crawl); }
void change_threads(enum change to);
void change_threads(enum change to) {
    int pausing = 0;

    switch (to) {
    case PAUSE_ALL:
        crawler_pause();
        /* fall through */
    case PAUSE_WORKERS:
        pausing = 1;
        pthread_mutex_lock(&hang); // no diagnostic
        break;
    case RESUME_ALL:
        crawler_resume(); // no diagnostic
        /* fall through */
    case RESUME_WORKERS:
        pthread_mutex_unlock(&hang); // no diagnostic
        break;
    default:
        notify(-1);
        break;
    }
    if (!pausing)
        return;
    pthread_mutex_lock(&init);
    n_paused = 0;
    for (int i = 0; i < n_workers; i++)
        notify(i);
    pthread_mutex_unlock(&init);
}
int grow(void);
int grow(void) {
    change_threads(PAUSE_ALL);
    n_workers *= 2;
    change_threads(RESUME_ALL);
    return n_workers;
}
int grow_twice(int again);
int grow_twice(int again) {
    change_threads(PAUSE_ALL);
    n_workers *= 2;
    if (again)
        change_threads(PAUSE_ALL); // expected-warning {{[aglet-double-lock]}}
    change_threads(RESUME_ALL);
    return n_workers;
}

/* ---- what is only half done somewhere is still a mistake ---- */
static pthread_mutex_t pages = PTHREAD_MUTEX_INITIALIZER;
static int n_pages;

int add_page(int n);
int add_page(int n) {
    pthread_mutex_lock(&pages);
    if (n < 0)
        return -1; // expected-warning {{[aglet-lock-leak]}}
    n_pages += n;
    pthread_mutex_unlock(&pages);
    return n_pages;
}
static pthread_mutex_t books = PTHREAD_MUTEX_INITIALIZER;
static int n_books;
int add_book(void);
int add_book(void) {
    n_books++;
    pthread_mutex_unlock(&books); // expected-warning {{[aglet-unlock-unheld]}}
    return n_books;
}

/* ---- an iterator that keeps the bucket's lock from one call to the next ---- */
static pthread_mutex_t bucket_lock[4];
struct node {
    struct node *next;
};
static struct node *bucket[4];
struct walk {
    unsigned at;
    int locked;
    struct node *next;
};
int walk_on(struct walk *w, struct node **found);
int walk_on(struct walk *w, struct node **found) {
    *found = NULL;
    if (w->locked) {
        if (w->next) {
            *found = w->next;
            w->next = w->next->next;
        } else {
            pthread_mutex_unlock(&bucket_lock[w->at]); // no diagnostic: an earlier call took it
            w->at++;
            w->locked = 0;
        }
        return 1;
    }
    if (w->at == 4)
        return 0;
    pthread_mutex_lock(&bucket_lock[w->at]);
    w->locked = 1;
    *found = bucket[w->at];
    if (*found) {
        w->next = (*found)->next;
    } else {
        pthread_mutex_unlock(&bucket_lock[w->at]);
        w->locked = 0;
        w->at++;
    }
    return 1; // no diagnostic: the next call goes on
}

/* ---- a request that leaves its page locked, and its completion ---- */
struct page {
    pthread_mutex_t mu;
    int used, full;
};
struct store {
    struct page *open, *pages;
};
struct request {
    unsigned page;
    int len;
};
extern struct page *page_with_room(struct store *s, int len);
int request_begin(struct store *s, struct request *r);
int request_begin(struct store *s, struct request *r) {
    struct page *p = page_with_room(s, r->len);
    pthread_mutex_lock(&p->mu);
    if (p->full) {
        pthread_mutex_unlock(&p->mu);
        return -1;
    }
    r->page = (unsigned)(p - s->pages);
    return 0; // no diagnostic: request_end gives it back
}
void request_end(struct store *s, struct request *r);
void request_end(struct store *s, struct request *r) {
    struct page *p = &s->pages[r->page];
    p->used += r->len;
    pthread_mutex_unlock(&p->mu); // no diagnostic
}
