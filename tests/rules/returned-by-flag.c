/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* An object is handed out locked where callers ask for it by a flag, and its lock is given back for all others at the end, where many
 * ways have met; the lock is one of a row, chosen by a number that is handed out, too. */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
enum { EVICT = 1, CRAWL = 2, RETURN_ITEM = 4 };
enum { HOT, WARM, COLD };
struct item { struct item *prev; int expired, active; unsigned key; };
struct got { struct item *it; uint32_t hv; };
static pthread_mutex_t item_locks[8], lru_locks[4];
static struct item *tails[4];
extern int evict_to_free;
uint32_t hash(unsigned);
void unlink_item(struct item *);
void drop(struct item *);
void *item_trylock(uint32_t hv);
void *item_trylock(uint32_t hv) {
    pthread_mutex_t *l = &item_locks[hv & 7];
    if (pthread_mutex_trylock(l) == 0)
        return l;
    return NULL;
}
void item_trylock_unlock(void *l);
void item_trylock_unlock(void *l) { pthread_mutex_unlock((pthread_mutex_t *)l); }
void item_unlock(uint32_t hv);
void item_unlock(uint32_t hv) { pthread_mutex_unlock(&item_locks[hv & 7]); }

static int pull_tail(int id, int lru, int flags, struct got *ret) {
    struct item *it = NULL, *search, *next;
    int tries = 5, removed = 0, move = 0;
    void *hold = NULL;
    pthread_mutex_lock(&lru_locks[id]);
    search = tails[id];
    for (; tries > 0 && search != NULL; tries--, search = next) {
        next = search->prev;
        uint32_t hv = hash(search->key);
        if ((hold = item_trylock(hv)) == NULL)
            continue;
        if (search->expired) {
            unlink_item(search);
            item_trylock_unlock(hold);
            removed++;
            continue;
        }
        switch (lru) {
        case HOT:
        case WARM:
            if (search->active) {
                search->active = 0;
                if (lru == WARM) {
                    drop(search);
                    item_trylock_unlock(hold);
                } else {
                    move = 1;
                    it = search;
                }
            } else
                it = search;
            break;
        case COLD:
            it = search;
            if (flags & EVICT) {
                if (evict_to_free == 0)
                    break;
                unlink_item(search);
                removed++;
            } else if (flags & RETURN_ITEM) {
                ret->it = it;
                ret->hv = hv;
            } else if (search->active) {
                move = 2;
                removed++;
            }
            break;
        }
        if (it != NULL)
            break;
    }
    pthread_mutex_unlock(&lru_locks[id]);
    if (it != NULL) {
        if (move)
            unlink_item(it);
        if ((flags & RETURN_ITEM) == 0) {
            drop(it);
            item_trylock_unlock(hold);
        }
    }
    return removed; // no diagnostic: still locked only for those who ask for the item
}
int alloc(int id);
int alloc(int id) {
    pull_tail(id, COLD, 0, NULL);
    if (pull_tail(id, COLD, EVICT, NULL) <= 0)
        return pull_tail(id, HOT, 0, NULL);
    return pull_tail(id, WARM, CRAWL, NULL);
}
int write_one(int id);
int write_one(int id) {
    struct got got = {NULL, 0};
    pull_tail(id, COLD, RETURN_ITEM, &got);
    if (got.it == NULL)
        return 0;
    unlink_item(got.it);
    item_unlock(got.hv); // no diagnostic: asked for, and found
    return 1;
}

/* The same by hand, but that the item is kept locked also for those who only evict. */
static int pull_badly(int id, int flags, struct got *ret) {
    struct item *it = tails[id];
    if (!it)
        return 0;
    const uint32_t hv = hash(it->key);
    void *hold = item_trylock(hv);
    if (!hold)
        return 0;
    if (flags & RETURN_ITEM) {
        ret->it = it;
        ret->hv = hv;
    }
    if ((flags & (RETURN_ITEM | EVICT)) == 0)
        item_trylock_unlock(hold);
    return 1; // expected-warning {{is still held on this return [aglet-lock-leak]}}
}
int alloc_badly(int id);
int alloc_badly(int id) {
    return pull_badly(id, EVICT, NULL) + pull_badly(id, 0, NULL);
}
int write_badly(int id);
int write_badly(int id) {
    struct got got = {NULL, 0};
    pull_badly(id, RETURN_ITEM, &got);
    if (got.it == NULL)
        return 0;
    item_unlock(got.hv);
    return 1;
}
