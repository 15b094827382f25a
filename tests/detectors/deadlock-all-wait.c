/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: two threads wait for a signal that each expects of the other. Finds: deadlock. */
#include "form.h"

static lock_type mu = LOCK_INIT;
static cond_type changed = COND_INIT;
static int turn;

static void *wait_for_turn(void *argument) {
    int mine = argument != NULL;
    lock(&mu);
    if (mended) {
        turn = 1 + mine;
        cond_signal(&changed);
    }
    while (turn == 0)
        cond_wait(&changed, &mu);
    unlock(&mu);
    return NULL;
}

int main(void) {
    thread_type t;
    spawn(&t, wait_for_turn, &mu);
    wait_for_turn(NULL);
    join(&t);
    return 0;
}
