/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet-ignore comments: what they accept, and what is said of those that are wrong. */
#include <aglet/annotations.h>
#include <pthread.h>

struct account {
    pthread_mutex_t mu;
    long balance AGLET_GUARDED_BY(mu);
};

/* no diagnostic: accepted beside the line */
long beside(struct account *a) {
    return a->balance; // aglet-ignore(guarded-by): a torn read is harmless here
}

/* no diagnostic: accepted on the line before, with the prefix that reports print */
long before(struct account *a) {
    // aglet-ignore(aglet-guarded-by): a torn read is harmless here
    return a->balance;
}

long no_reason(struct account *a) {
    // aglet-ignore(guarded-by)
    // expected-warning@-1 {{this aglet-ignore gives no reason, so it suppresses nothing [aglet-ignore]}}
    return a->balance; // expected-warning {{[aglet-guarded-by]}}
}

long no_rule(struct account *a) {
    /* aglet-ignore: a torn read is harmless here */
    // expected-warning@-1 {{this aglet-ignore names no rule: write aglet-ignore(rule): why [aglet-ignore]}}
    return a->balance; // expected-warning {{[aglet-guarded-by]}}
}

long unknown_rule(struct account *a) {
    // aglet-ignore(guarded): a torn read is harmless here
    // expected-warning@-1 {{there is no rule 'guarded' to ignore [aglet-ignore]}}
    return a->balance; // expected-warning {{[aglet-guarded-by]}}
}

long other_line(struct account *a) {
    long n = a->balance; // expected-warning {{[aglet-guarded-by]}}
    return n;
}
