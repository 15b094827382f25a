/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* blocking-while-locked: what may stop the thread without bound while a lock is held. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static int n;

void sleeps(void);
void sleeps(void) {
    pthread_mutex_lock(&mu);
    sleep(1); // expected-warning {{'sleep' may block, and 'mu' is held [aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
    sleep(1); // no diagnostic: nothing held
}

static void backoff(void) {
    usleep(100);
}
void sleeps_below(void);
void sleeps_below(void) {
    pthread_mutex_lock(&mu);
    backoff(); // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
}

void polls(struct pollfd *p);
void polls(struct pollfd *p) {
    pthread_mutex_lock(&mu);
    poll(p, 1, 0);  // no diagnostic: a timeout of zero does not wait
    poll(p, 1, -1); // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
}

void reaps(int pid);
void reaps(int pid) {
    pthread_mutex_lock(&mu);
    waitpid(pid, NULL, WNOHANG); // no diagnostic: does not wait
    waitpid(pid, NULL, 0);       // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
}

void prints(FILE *f);
void prints(FILE *f) {
    pthread_mutex_lock(&mu);
    fprintf(f, "%d\n", n); // no diagnostic: stdio is not blocking
    pthread_mutex_unlock(&mu);
}

void waits(void);
void waits(void) {
    pthread_mutex_lock(&mu);
    while (!n)
        pthread_cond_wait(&ready, &mu); // no diagnostic: its own mutex is given up
    pthread_mutex_unlock(&mu);
}
void waits_with_another(void);
void waits_with_another(void) {
    pthread_mutex_lock(&other);
    pthread_mutex_lock(&mu);
    while (!n)
        pthread_cond_wait(&ready, &mu); // expected-warning {{'pthread_cond_wait' may block, and 'other' is held [aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
    pthread_mutex_unlock(&other);
}

/* The flags and timeouts that say "do not wait", one by one. */
void receives(int fd, char *to, struct msghdr *m);
void receives(int fd, char *to, struct msghdr *m) {
    pthread_mutex_lock(&mu);
    recv(fd, to, 1, MSG_DONTWAIT);                          // no diagnostic: MSG_DONTWAIT
    recv(fd, to, 1, MSG_PEEK);                              // expected-warning {{[aglet-blocking-while-locked]}}
    recvfrom(fd, to, 1, MSG_DONTWAIT | MSG_PEEK, NULL, NULL); // no diagnostic: MSG_DONTWAIT
    recvfrom(fd, to, 1, 0, NULL, NULL);                     // expected-warning {{[aglet-blocking-while-locked]}}
    recvmsg(fd, m, MSG_DONTWAIT);                           // no diagnostic: MSG_DONTWAIT
    recvmsg(fd, m, 0);                                      // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
}
void times_out(int fd, struct epoll_event *e, fd_set *set, struct timeval *t);
void times_out(int fd, struct epoll_event *e, fd_set *set, struct timeval *t) {
    pthread_mutex_lock(&mu);
    epoll_wait(fd, e, 1, 0);            // no diagnostic: a timeout of zero
    epoll_wait(fd, e, 1, -1);           // expected-warning {{[aglet-blocking-while-locked]}}
    select(fd, set, NULL, NULL, t);     // no diagnostic: it has a timeout, and which is not known
    select(fd, set, NULL, NULL, NULL);  // expected-warning {{[aglet-blocking-while-locked]}}
    usleep(0);                          // no diagnostic: no time at all
    usleep(1000);                       // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
}
void locks_files(int fd, struct flock *f);
void locks_files(int fd, struct flock *f) {
    pthread_mutex_lock(&mu);
    flock(fd, LOCK_EX | LOCK_NB); // no diagnostic: LOCK_NB
    flock(fd, LOCK_EX);           // expected-warning {{[aglet-blocking-while-locked]}}
    fcntl(fd, F_SETLK, f);        // no diagnostic: fails where F_SETLKW waits
    fcntl(fd, F_SETLKW, f);       // expected-warning {{[aglet-blocking-while-locked]}}
    lockf(fd, F_TLOCK, 0);        // no diagnostic: tries
    lockf(fd, F_LOCK, 0);         // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&mu);
}

/* ---- a gate: taken elsewhere only to wait until its holder is done ---- */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER, no_gate = PTHREAD_MUTEX_INITIALIZER;
static int passed;
void pass(void);
void pass(void) {
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    pthread_mutex_lock(&no_gate);
    passed++;
    pthread_mutex_unlock(&no_gate);
}
void pass_now_and_then(void);
void pass_now_and_then(void) {
    pthread_mutex_lock(&no_gate); // once, of four times that it is taken
    pthread_mutex_unlock(&no_gate);
}
int passes(void);
int passes(void) {
    pthread_mutex_lock(&no_gate);
    int n = passed;
    pthread_mutex_unlock(&no_gate);
    return n;
}
static pthread_mutex_t pause_gate = PTHREAD_MUTEX_INITIALIZER; // by one section that waits, and one that does not
void comes_by(void);
void comes_by(void) {
    pthread_mutex_lock(&pause_gate);
    pthread_mutex_unlock(&pause_gate);
}
void pauses(void);
void pauses(void) {
    pthread_mutex_lock(&pause_gate);
    passed++;
    pthread_mutex_unlock(&pause_gate);
}
void shut_all(pthread_t t);
void shut_all(pthread_t t) {
    pthread_mutex_lock(&pause_gate);
    pthread_join(t, NULL); // no diagnostic: of the other two one only waits for its holder
    pthread_mutex_unlock(&pause_gate);
}
void shut(pthread_t t);
void shut(pthread_t t) {
    pthread_mutex_lock(&gate);
    pthread_join(t, NULL); // no diagnostic: whoever comes to the gate is meant to wait
    pthread_mutex_unlock(&gate);
    pthread_mutex_lock(&no_gate);
    pthread_join(t, NULL); // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&no_gate);
}

/* ---- the callee gives the lock up while it waits ---- */
static pthread_mutex_t slow = PTHREAD_MUTEX_INITIALIZER;
static int slow_n;
static void wait_outside(void) {
    slow_n++;
    pthread_mutex_unlock(&slow);
    usleep(1000); // no diagnostic: not held here
    pthread_mutex_lock(&slow);
}
static void wait_inside(void) {
    slow_n++;
    usleep(1000);
}
void slow_down(void);
void slow_down(void) {
    pthread_mutex_lock(&slow);
    wait_outside(); // no diagnostic: given up meanwhile
    wait_inside();  // expected-warning {{[aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&slow);
}

/* ---- what shows that it is meant ---- */
static pthread_mutex_t growing = PTHREAD_MUTEX_INITIALIZER, inner = PTHREAD_MUTEX_INITIALIZER;
int claim(int i);
void grow(int size, const int *going);
void grow(int size, const int *going) {
    pthread_mutex_lock(&growing);
    for (int i = 0; i < size; i++) {
        if (claim(i))
            n++;
        else
            usleep(10); // expected-remark {{'usleep' may block, and 'growing' is held [aglet-blocking-while-locked]}}
        pthread_mutex_lock(&inner);
        if (!claim(i))
            usleep(10); // expected-warning {{'inner' is held [aglet-blocking-while-locked]}}
        pthread_mutex_unlock(&inner);
    }
    for (int tries = 10; tries > 0 && !claim(size); tries--)
        usleep(10); // expected-remark {{'growing' is held [aglet-blocking-while-locked]}}
    while (*going)
        usleep(10); // expected-warning {{'growing' is held [aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&growing);
}
struct worker {
    pthread_mutex_t mu;
    pthread_t thread;
    int ended;
};
void reap(struct worker *w, struct worker *other_one);
void reap(struct worker *w, struct worker *other_one) {
    pthread_mutex_lock(&inner);
    pthread_mutex_lock(&w->mu);
    const int ended = w->ended;
    pthread_mutex_unlock(&w->mu);
    if (ended)
        pthread_join(w->thread, NULL); // expected-remark {{'inner' is held [aglet-blocking-while-locked]}}
    else
        pthread_join(other_one->thread, NULL); // expected-warning {{'inner' is held [aglet-blocking-while-locked]}}
    pthread_mutex_unlock(&inner);
}

/* ---- an iterator, of which the caller has a lock or not ---- */
struct bucket {
    pthread_mutex_t mu;
    struct item {
        struct item *next;
    } *first;
};
struct iterator {
    unsigned bucket, locked;
    struct item *next;
};
static struct bucket table[4];
static int iterate(struct iterator *it, struct item **out) {
    *out = NULL;
    if (it->locked) {
        if (it->next) {
            *out = it->next;
            it->next = it->next->next;
        } else {
            pthread_mutex_unlock(&table[it->bucket].mu);
            it->bucket++;
            it->locked = 0;
        }
        return 1;
    }
    if (it->bucket == 4)
        return 0;
    pthread_mutex_lock(&table[it->bucket].mu);
    it->locked = 1;
    it->next = table[it->bucket].first;
    return 1;
}
static void iterate_end(struct iterator *it) {
    if (it->locked)
        pthread_mutex_unlock(&table[it->bucket].mu);
}
void crawl(int most);
void crawl(int most) {
    struct iterator it = {0, 0, NULL};
    struct item *item = NULL;
    while (iterate(&it, &item)) {
        if (!item)
            usleep(10); // no diagnostic: between two buckets
        else if (!--most)
            break;
    }
    iterate_end(&it);
}
