/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The scraper pattern: several threads fetch pages and send what they found to one channel; here the pages
 * are made up. Stands on aglet/channel.h and aglet/thread.h.
 *
 * Prints  1500 bytes from 5 sites */
#include <aglet/channel.h>
#include <aglet/thread.h>
#include <stdio.h>

struct page {
    int site, length;
};

AGLET_CHANNEL(pages, struct page);

enum { SITES = 5 };

struct fetcher {
    pages_sender found;
    int site;
};

static void *fetch(void *arg) {
    struct fetcher *f = arg;
    struct page page = {f->site, 100 * (f->site + 1)};
    (void)pages_send(&f->found, page);
    pages_drop(&f->found);
    return NULL;
}

int main(void) {
    pages_sender tx;
    pages_receiver rx;
    struct fetcher fetchers[SITES];
    aglet_thread threads[SITES];
    struct page page;
    int total = 0;
    if (pages_bounded(&tx, &rx, 2))
        return 1;
    for (int i = 0; i < SITES; i++) {
        fetchers[i].found = pages_clone(&tx);
        fetchers[i].site = i;
        if (aglet_thread_spawn(&threads[i], fetch, &fetchers[i]))
            return 1;
    }
    pages_drop(&tx);
    while (pages_recv(&rx, &page) == 0)
        total += page.length;
    pages_drop_receiver(&rx);
    for (int i = 0; i < SITES; i++)
        (void)aglet_thread_join(&threads[i], NULL);
    printf("%d bytes from %d sites\n", total, SITES);
    return total == 1500 ? 0 : 1;
}
