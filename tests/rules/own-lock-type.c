/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock type of the program's own around a mutex, with annotated functions; 1 stands for success. Stands on pthreads. */
#include <aglet/annotations.h>
#include <pthread.h>

typedef struct AGLET_LOCK_TYPE {
    pthread_mutex_t m;
} lck;
void lck_on(lck *l) AGLET_ACQUIRES(*l);
void lck_off(lck *l) AGLET_RELEASES(*l);
int lck_try(lck *l) AGLET_TRY_ACQUIRES(1, *l);
int lck_try_elsewhere(lck *l) AGLET_TRY_ACQUIRES(1, *l);
int lck_try_clang(lck *l) __attribute__((try_acquire_capability(1, *l)));
void lck_on(lck *l) {
    pthread_mutex_lock(&l->m); // no diagnostic: the promise speaks for what the lock is made of
}
void lck_off(lck *l) {
    pthread_mutex_unlock(&l->m);
}
int lck_try(lck *l) {
    return pthread_mutex_trylock(&l->m) == 0;
}

static lck table_lock = {PTHREAD_MUTEX_INITIALIZER};
static int count AGLET_GUARDED_BY(table_lock);
void add(int n);
void add(int n) {
    lck_on(&table_lock);
    count += n; // no diagnostic
    lck_off(&table_lock);
}
int try_add(int n);
int try_add(int n) {
    if (!lck_try(&table_lock))
        return 0;
    count += n;
    lck_off(&table_lock);
    return 1;
}
int try_elsewhere(int n);
int try_elsewhere(int n) {
    if (lck_try_elsewhere(&table_lock)) { /* of a result that is not 1, this asks no more than whether it worked */
        count += n;
        lck_off(&table_lock);
        return 1;
    }
    return 0;
}
int try_clang(int n);
int try_clang(int n) {
    int ok = lck_try_clang(&table_lock);
    if (ok) {
        count += n;
        lck_off(&table_lock);
    }
    return ok;
}
int try_by_number(int n);
int try_by_number(int n) {
    int got = lck_try_elsewhere(&table_lock);
    if (got < 0)
        return -1; // no diagnostic: an error
    if (got == 0)
        return 0;
    count += n;
    lck_off(&table_lock);
    return 1;
}
int try_wrong(int n);
int try_wrong(int n) {
    int got = lck_try_elsewhere(&table_lock);
    if (got < 0)
        return -1;
    count += n; // expected-warning {{[aglet-guarded-by]}}
    if (got)
        lck_off(&table_lock);
    return 1;
}
int try_and_leave(int n);
int try_and_leave(int n) {
    if (lck_try_elsewhere(&table_lock)) {
        if (n < 0)
            return -1; // expected-warning {{[aglet-lock-leak]}}
        count += n;
        lck_off(&table_lock);
    }
    return 0;
}
