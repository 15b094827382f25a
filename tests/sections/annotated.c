/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Code that the annotate attribute would change if it reached code generation: loops over annotated fields that
 * vectorise, annotated globals and locals, annotated functions. Stands on the annotations alone. */
#include <aglet/annotations.h>

AGLET_TOKEN(single_thread);

struct AGLET_LOCK_TYPE lock {
    int word;
};

struct AGLET_SYNC samples {
    struct lock mu;
    float left[256] AGLET_GUARDED_BY(mu);
    float right[256] AGLET_GUARDED_BY(mu);
    unsigned *AGLET_OWNED counts AGLET_PT_GUARDED_BY(mu);
    unsigned total AGLET_GUARDED_BY(mu);
};

static const char *AGLET_SHARED unit = "dB";
struct lock table_mu;
int table[64] AGLET_GUARDED_BY(table_mu) = {1, 2, 3};

void samples_lock(struct samples *s) AGLET_ACQUIRES(s->mu);

void samples_mix(struct samples *s, float gain) AGLET_REQUIRES(s->mu);
void samples_mix(struct samples *s, float gain) {
    for (int i = 0; i < 256; i++)
        s->left[i] = s->left[i] * gain + s->right[i];
}

void samples_count(struct samples *s, unsigned n) AGLET_REQUIRES(s->mu, single_thread);
void samples_count(struct samples *s, unsigned n) {
    unsigned *AGLET_OWNED counts = s->counts;
    for (unsigned i = 0; i < n; i++) {
        counts[i] += i;
        s->total += counts[i];
    }
}

AGLET_UNCHECKED("measures code generation only") int table_sum(struct lock *AGLET_SHARED unused) {
    int sum AGLET_GUARDED_BY(table_mu) = 0;
    (void)unused;
    for (int i = 0; i < 64; i++)
        sum += table[i];
    return sum + unit[0];
}
