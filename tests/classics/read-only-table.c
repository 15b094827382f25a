/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A table that several threads read, by pointers to const. */
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

struct table {
    const char *const *words;
    size_t n;
};
struct search {
    const struct table *table;
    const char *word;
    size_t found;
};

static void *search(void *arg)
{
    struct search *s = arg;
    for (size_t i = 0; i < s->table->n; i++)
        s->found += s->table->words[i] == s->word;
    return NULL;
}

size_t search_both(const struct table *table, const char *a, const char *b)
{
    pthread_t t, u;
    struct search one = {table, a, 0}, two = {table, b, 0};
    if (pthread_create(&t, NULL, search, &one) != 0) // no diagnostic: the table is only read
        abort();
    if (pthread_create(&u, NULL, search, &two) != 0) // no diagnostic: by both
        abort();
    size_t n = table->n;
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return n + one.found + two.found;
}

/* The table itself is the argument, of every thread of a loop. */
static int scan(void *arg)
{
    const struct table *t = arg;
    return (int)t->n;
}

int scan_all(const struct table *table)
{
    thrd_t threads[4];
    int sum = 0;
    for (int i = 0; i < 4; i++)
        if (thrd_create(&threads[i], scan, (void *)table) != thrd_success) // no diagnostic: only read
            abort();
    for (int i = 0; i < 4; i++) {
        int n;
        thrd_join(threads[i], &n);
        sum += n;
    }
    return sum;
}

/* Built before the first thread. */
size_t build_and_search(struct table *table, const char *const *words, size_t n)
{
    pthread_t t;
    table->words = words;
    table->n = n; // no diagnostic: before the hand-off
    struct search one = {table, words[0], 0};
    if (pthread_create(&t, NULL, search, &one) != 0)
        abort();
    pthread_join(t, NULL);
    return one.found;
}

/* Wrong: it grows while it is read. */
void grow(struct table *table)
{
    thrd_t t;
    if (thrd_create(&t, scan, table) != thrd_success) // expected-warning {{'table->n' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        abort();
    table->n++;
    thrd_join(t, NULL);
}
