/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: an object is cleared, its held lock with it, and the lock is taken again. Finds: uninitialised-lock. */
#include "form.h"

static struct account {
    lock_type mu;
    long balance;
} account = {.mu = LOCK_INIT};

int main(void) {
    lock(&account.mu);
    if (mended)
        account.balance = 0;
    else
        memset(&account, 0, sizeof account);
    if (mended)
        unlock(&account.mu);
    lock(&account.mu);
    account.balance++;
    unlock(&account.mu);
    return 0;
}
