/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: an object is copied while its lock is held, and the copy's lock is waited for. Finds: copy. */
#include "form.h"

static struct account {
    lock_type mu;
    long balance;
} account = {.mu = LOCK_INIT}, saved;

int main(void) {
    lock(&account.mu);
    account.balance = 7;
    if (mended)
        saved.balance = account.balance;
    else
        saved = account;
    unlock(&account.mu);
    if (mended)
        lock_init(&saved.mu);
    lock(&saved.mu);
    saved.balance++;
    unlock(&saved.mu);
    return 0;
}
