/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a struct with a lock in it is copied, and the copy used. Finds: copy. Only with Aglet's API. */
#include "form.h"

struct account {
    lock_type mu;
    long balance;
};

int main(void) {
    static struct account first, second;
    lock_init(&first.mu);
    lock(&first.mu);
    first.balance = 1;
    unlock(&first.mu);
    if (mended) {
        lock_init(&second.mu);
        second.balance = first.balance;
    } else {
        second = first;
    }
    lock(&second.mu);
    unlock(&second.mu);
    return 0;
}
