/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a sender is used after it was dropped. Finds: send-after-close. Only with Aglet's API. */
#include "form.h"
#include "aglet/channel.h"

AGLET_CHANNEL(numbers, int);

int main(void) {
    numbers_sender tx;
    numbers_receiver rx;
    if (numbers_bounded(&tx, &rx, 4))
        return 1;
    if (mended)
        (void)numbers_send(&tx, 1);
    numbers_drop(&tx);
    if (!mended)
        (void)numbers_send(&tx, 1);
    numbers_drop_receiver(&rx);
    return 0;
}
