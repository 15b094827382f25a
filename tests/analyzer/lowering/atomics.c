/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Atomic operations in each of their spellings, with their orders.
 * Stands on <stdatomic.h>. */
#include <stdatomic.h>
struct counter { _Atomic int n; int plain; atomic_flag flag; };

int operators(struct counter *c)
{
    c->n = 1;
    c->n++;
    c->n += 2;
    return c->n;
}

int functions(struct counter *c)
{
    int seen = 0;
    atomic_init(&c->n, 0);
    atomic_store_explicit(&c->n, 1, memory_order_release);
    while (!atomic_compare_exchange_weak_explicit(&c->n, &seen, 2, memory_order_acq_rel, memory_order_acquire))
        ;
    atomic_thread_fence(memory_order_seq_cst);
    atomic_flag_test_and_set(&c->flag);
    return atomic_fetch_add(&c->n, 3) + atomic_load_explicit(&c->n, memory_order_acquire);
}

int gnu(int *p, int *into)
{
    __atomic_store_n(p, 1, __ATOMIC_RELEASE);
    __atomic_load(p, into, __ATOMIC_RELAXED);
    __sync_synchronize();
    while (__sync_lock_test_and_set(p, 1))
        ;
    __sync_lock_release(p);
    return __sync_val_compare_and_swap(p, 0, 1) + __sync_add_and_fetch(p, 2) + __atomic_exchange_n(p, 4, __ATOMIC_ACQ_REL);
}
