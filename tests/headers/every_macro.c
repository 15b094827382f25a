/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Every annotation in every place it is meant for: must compile without a word in each language and compiler.
 * Stands on aglet/annotations.h alone, so that the header's independence is part of the test. */
#include <aglet/annotations.h>

AGLET_TOKEN(ui_thread);

struct AGLET_LOCK_TYPE lock {
    int word;
};
typedef struct {
    int word;
} AGLET_LOCK_TYPE small_lock;
struct AGLET_ASYNC_LOCK_TYPE async_lock {
    int word;
};
struct AGLET_GUARD_TYPE guard {
    struct lock *held;
};

struct AGLET_SEND AGLET_SYNC job {
    struct job *AGLET_OWNED next;
    const char *AGLET_SHARED name;
    int count AGLET_GUARDED_BY(mu);
    int *total AGLET_PT_GUARDED_BY(mu, big.word) AGLET_GUARDED_BY(mu);
    struct lock mu AGLET_ACQUIRED_BEFORE(big) AGLET_ACQUIRED_AFTER(small[0]);
    struct lock big;
    small_lock small[2];
    int refs AGLET_REFCOUNT;
    int (*wake)(struct job *self) AGLET_REQUIRES(self->mu) AGLET_NO_YIELD;
};
struct view {
    int *base;
} AGLET_NOT_SEND("points into the owner's (own) stack, \"always\"") AGLET_NOT_SYNC("no lock");
struct AGLET_TRUSTED_SEND("immutable after init") AGLET_TRUSTED_SYNC("immutable after init") table {
    void *rows;
};

#define JOB_LOCK(j) (j)->mu
typedef void job_entry(void *argument) AGLET_TASK_ENTRY;
typedef struct job *AGLET_OWNED owned_job;

static struct lock global_mu;
static int global_count AGLET_GUARDED_BY(global_mu) = 0;

void job_lock(struct job *j) AGLET_ACQUIRES(j->mu) AGLET_EXCLUDES(j->big);
void job_read(struct job *j) AGLET_ACQUIRES_SHARED(j->mu);
void job_unlock(struct job *j) AGLET_RELEASES(JOB_LOCK(j));
int job_try(struct job *j) AGLET_TRY_ACQUIRES(0, j->mu);
int job_try_read(struct job *j) AGLET_TRY_ACQUIRES_SHARED(1, j->mu);
void job_held(const struct job *j) AGLET_ASSERTS_HELD(j->mu);
struct lock *job_mu(struct job *j) AGLET_RETURNS_LOCK(j->mu);
int job_peek(const struct job *j) AGLET_REQUIRES_SHARED(j->mu);
void job_paint(struct job *j) AGLET_REQUIRES(ui_thread);
struct job *AGLET_OWNED job_take(void) AGLET_YIELDS;
void job_put(struct job *AGLET_SENDING j) AGLET_NO_BLOCK;
int job_try_put(struct job *AGLET_SENDING_IF(return == 0) j);
void job_sleep(void) AGLET_BLOCKS;
int job_start(job_entry *entry, void *argument) AGLET_SPAWNS(entry, argument);
struct job *job_new(void) AGLET_ACQUIRES(return->mu);
void *job_begin(job_entry *entry, void *argument) AGLET_SPAWNS_IF(return != 0, entry, argument);
void job_join(void *handle) AGLET_JOINS(handle);
int job_step(struct job *AGLET_FRAME frame) AGLET_AWAITS AGLET_MIGRATES;
void job_run(void *argument) AGLET_THREAD_ENTRY;

AGLET_UNCHECKED("startup: one thread") static int first(struct job *j) {
    owned_job next = j->next;
    return next ? next->count : global_count + global_mu.word;
}

AGLET_REQUIRES(j->mu) int job_size(struct job *j);
int job_size(struct job *j) {
    struct job *AGLET_SHARED alias = j;
    return first(alias);
}
