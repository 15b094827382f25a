/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: an object that belongs to one thread is used in another. Finds: affinity. Only with Aglet's API. */
#include "form.h"

static aglet_affine owner = AGLET_AFFINE_INIT;

static void *draw(void *argument) {
    aglet_affine_check(&owner);
    return argument;
}

int main(void) {
    draw(NULL);
    if (mended)
        aglet_affine_release(&owner);
    run(draw, NULL);
    return 0;
}
