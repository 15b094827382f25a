/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: an object is freed while its own lock is held. Finds: freed-held. */
#include "form.h"

struct job {
    lock_type mu;
    int done;
};

int main(void) {
    struct job *job = calloc(1, sizeof *job);
    lock_init(&job->mu);
    lock(&job->mu);
    job->done = 1;
    if (mended) {
        unlock(&job->mu);
        lock_destroy(&job->mu);
    }
    free(job);
    return 0;
}
