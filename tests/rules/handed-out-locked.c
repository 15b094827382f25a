/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* An object is handed out locked: one of two, as the result; by an out pointer; with its table's lock, if the caller says so.
 * Stands on pthreads. */
#include <pthread.h>
#include <stdlib.h>

struct zone {
    struct zone *next;
    pthread_rwlock_t lock;
    int type;
};
struct table {
    pthread_rwlock_t lock;
    struct zone *first;
};
struct zone *table_find(struct table *t, const char *name);
int table_insert(struct table *t, struct zone *z);

/* Either the new zone or the one that was there is returned, and either locked. */
static struct zone *enter(struct table *t, const char *name) {
    struct zone *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    pthread_rwlock_init(&z->lock, NULL);
    pthread_rwlock_wrlock(&t->lock);
    pthread_rwlock_wrlock(&z->lock);
    if (!table_insert(t, z)) {
        struct zone *unused = z;
        pthread_rwlock_unlock(&z->lock);
        z = table_find(t, name);
        pthread_rwlock_wrlock(&z->lock);
        pthread_rwlock_unlock(&t->lock);
        free(unused);
        return z; // no diagnostic: callers give it back
    }
    pthread_rwlock_unlock(&t->lock);
    return z; // no diagnostic: the same
}
static struct zone *enter_named(struct table *t, const char *name) {
    struct zone *z;
    if (!*name)
        return NULL;
    if (!(z = enter(t, name)))
        return NULL;
    return z; // no diagnostic: handed on
}
int set_type(struct table *t, const char *name, int type);
int set_type(struct table *t, const char *name, int type) {
    struct zone *z = enter_named(t, name);
    if (!z)
        return 0;
    z->type = type;
    pthread_rwlock_unlock(&z->lock);
    return 1;
}
int set_type_early(struct table *t, const char *name, int type);
int set_type_early(struct table *t, const char *name, int type) {
    struct zone *z = enter_named(t, name);
    if (!z)
        return 0;
    if (z->type == type)
        return 2; // expected-warning {{'z->lock' is still held on this return [aglet-lock-leak]}}
    z->type = type;
    pthread_rwlock_unlock(&z->lock);
    return 1;
}

/* One that a callee locked, or one that is locked here. */
static struct zone *find_locked(struct table *t, const char *name) {
    struct zone *z;
    pthread_rwlock_rdlock(&t->lock);
    z = table_find(t, name);
    if (z)
        pthread_rwlock_wrlock(&z->lock);
    pthread_rwlock_unlock(&t->lock);
    return z;
}
static struct zone *find_or_make(struct table *t, const char *name) {
    struct zone *z = find_locked(t, name);
    if (z) {
        if (!z->type) {
            pthread_rwlock_unlock(&z->lock);
            return NULL;
        }
        return z; // no diagnostic: the caller gives it back
    }
    z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    pthread_rwlock_init(&z->lock, NULL);
    (void)table_insert(t, z);
    pthread_rwlock_wrlock(&z->lock);
    return z; // no diagnostic: the same
}
int count_up(struct table *t, const char *name, struct zone **out);
int count_up(struct table *t, const char *name, struct zone **out) {
    *out = find_or_make(t, name);
    if (!*out)
        return 0;
    (*out)->type++;
    pthread_rwlock_unlock(&(*out)->lock);
    return 1;
}

/* The first zone of the type is left locked in *out. */
static int find_type(struct table *t, int type, struct zone **out) {
    struct zone *z;
    int n = 0;
    pthread_rwlock_rdlock(&t->lock);
    for (z = t->first; z; z = z->next) {
        pthread_rwlock_wrlock(&z->lock);
        if (z->type == type)
            break;
        n++;
        pthread_rwlock_unlock(&z->lock);
    }
    pthread_rwlock_unlock(&t->lock);
    *out = z;
    return n; // no diagnostic: callers give it back by their pointer
}
int change_type(struct table *t, int from, int to);
int change_type(struct table *t, int from, int to) {
    struct zone *z;
    int n = find_type(t, from, &z);
    if (z) {
        z->type = to;
        pthread_rwlock_unlock(&z->lock);
    }
    return n;
}

/* With the table's lock, if the caller asks for it; but nothing found is told the same way whether that lock is held or not. */
static struct zone *find_keep(struct table *t, const char *name, int exact, int keep) {
    struct zone *z;
    pthread_rwlock_wrlock(&t->lock);
    z = table_find(t, name);
    if (!z) {
        if (!keep)
            pthread_rwlock_unlock(&t->lock);
        return NULL; // expected-warning {{'t->lock' is still held on this return [aglet-lock-leak]}}
    }
    if (exact && z->type != exact) {
        pthread_rwlock_unlock(&t->lock);
        return NULL;
    }
    pthread_rwlock_wrlock(&z->lock);
    if (!keep)
        pthread_rwlock_unlock(&t->lock);
    return z; // no diagnostic: who kept the table's lock gives it back
}
int remove_zone(struct table *t, const char *name);
int remove_zone(struct table *t, const char *name) {
    struct zone *z = find_keep(t, name, 1, 1);
    if (!z)
        return 0;
    z->type = 0;
    pthread_rwlock_unlock(&z->lock);
    t->first = z->next;
    pthread_rwlock_unlock(&t->lock); // no diagnostic: kept
    return 1;
}
int type_of(struct table *t, const char *name);
int type_of(struct table *t, const char *name) {
    struct zone *z = find_keep(t, name, 0, 0);
    int type = 0;
    if (z) {
        type = z->type;
        pthread_rwlock_unlock(&z->lock);
    }
    return type;
}

/* The same where both ways that find nothing say so. */
static struct zone *find_keep_sound(struct table *t, const char *name, int keep) {
    struct zone *z;
    pthread_rwlock_wrlock(&t->lock);
    z = table_find(t, name);
    if (!z) {
        pthread_rwlock_unlock(&t->lock);
        return NULL;
    }
    pthread_rwlock_wrlock(&z->lock);
    if (!keep)
        pthread_rwlock_unlock(&t->lock);
    return z;
}
int remove_sound(struct table *t, const char *name);
int remove_sound(struct table *t, const char *name) {
    struct zone *z = find_keep_sound(t, name, 1);
    if (!z)
        return 0; // no diagnostic: nothing found, nothing held
    z->type = 0;
    pthread_rwlock_unlock(&z->lock);
    pthread_rwlock_unlock(&t->lock);
    return 1;
}
int type_sound(struct table *t, const char *name);
int type_sound(struct table *t, const char *name) {
    struct zone *z = find_keep_sound(t, name, 0);
    int type = 0;
    if (z) {
        type = z->type;
        pthread_rwlock_unlock(&z->lock);
    }
    return type;
}

/* ---- found by a search: the first turn of the loop knows the object by the list's name, later ones do not ---- */
struct member {
    pthread_mutex_t mu;
    struct member *next;
    int id;
    long paid;
};
static struct member *members;
static struct member *member_find(int id) {
    for (struct member *m = members; m; m = m->next)
        if (m->id == id) {
            pthread_mutex_lock(&m->mu);
            return m; // no diagnostic: callers give it back
        }
    return NULL;
}
/* … by its pointer, and whether there is one. */
static int member_open(struct member **out, int id) {
    *out = member_find(id);
    return *out ? 0 : -1;
}

int member_pay(int id, long sum);
int member_pay(int id, long sum) {
    struct member *m = member_find(id);
    if (!m)
        return -1; // no diagnostic: none was found
    m->paid += sum;
    pthread_mutex_unlock(&m->mu);
    return 0;
}
int member_pay_some(int id, long sum);
int member_pay_some(int id, long sum) {
    struct member *m = member_find(id);
    if (!m)
        return -1;
    if (sum < 0)
        return -2; // expected-warning {{'m->mu' is still held on this return [aglet-lock-leak]}}
    m->paid += sum;
    pthread_mutex_unlock(&m->mu);
    return 0;
}
int member_repay(int id, long sum);
int member_repay(int id, long sum) {
    struct member *m;
    if (member_open(&m, id) != 0)
        return -1;
    m->paid -= sum;
    pthread_mutex_unlock(&m->mu);
    return 0;
}
int member_repay_some(int id, long sum);
int member_repay_some(int id, long sum) {
    struct member *m;
    if (member_open(&m, id) != 0)
        return -1;
    if (m->paid < sum)
        return -2; // expected-warning {{[aglet-lock-leak]}}
    m->paid -= sum;
    pthread_mutex_unlock(&m->mu);
    return 0;
}
int member_twice(int id);
int member_twice(int id) {
    struct member *m = member_find(id);
    if (m) {
        pthread_mutex_lock(&m->mu); // expected-warning {{[aglet-double-lock]}}
        pthread_mutex_unlock(&m->mu);
    }
    return m != NULL;
}
