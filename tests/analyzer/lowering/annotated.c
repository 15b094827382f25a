/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Annotations wherever they may stand, merged over redeclarations; and where they may not.
 * Stands on aglet/annotations.h. */
#include <aglet/annotations.h>
AGLET_TOKEN(ui);
struct AGLET_LOCK_TYPE lock { int word; };
#define MU(s) (s)->mu
struct job {
    struct lock mu;
    int n AGLET_GUARDED_BY(mu);
    int *AGLET_SHARED p AGLET_PT_GUARDED_BY(mu);
    void (*wake)(struct job *j) AGLET_REQUIRES(j->mu);
};
typedef int entry(void *) AGLET_TASK_ENTRY;
typedef struct job *AGLET_OWNED owned;

void put(struct job *AGLET_SENDING j);
void put(struct job *again) AGLET_REQUIRES(MU(again));
void put(struct job *defined)
{
    owned kept = defined;
    int local AGLET_GUARDED_BY(defined->mu) = kept->n;
    (void)local;
}
extern struct job *AGLET_OWNED next(entry *e) AGLET_ACQUIRES(return->mu) AGLET_NO_BLOCK;

/* each of these is an error, said and left out */
int wrong AGLET_YIELDS;
struct job AGLET_OWNED *early;
int number AGLET_OWNED;
void none(struct job *j) __attribute__((annotate("aglet:requires()")));
void why(void) __attribute__((annotate("aglet:unchecked()")));
int unheard __attribute__((annotate("aglet:gaurded_by(mu)")));
int others __attribute__((annotate("something else")));
