/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Ten thousand stackless tasks, a few hundred bytes each, that sleep and count. Stands on aglet/stackless.h.
 *
 * Prints  29994 */
#include <aglet/executor.h>
#include <aglet/stackless.h>
#include <stdio.h>

enum { TICKERS = 10000 };

struct ticker {
    AGLET_FRAME_HEADER;
    int i, error;
    long number;
};

AGLET_STACKLESS(ticker, struct ticker) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < 3; f->i++) {
        AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(1)));
        if (f->error)
            AGLET_RETURN(f, NULL);
    }
    AGLET_RETURN(f, (void *)(intptr_t)(f->number % 7));
    AGLET_END(f);
}

AGLET_MAIN(argc, argv) {
    static aglet_task *tasks[TICKERS];
    long sum = 0;
    for (long i = 0; i < TICKERS; i++)
        if (ticker_spawn(&tasks[i], (struct ticker){.number = i}))
            return 1;
    for (int i = 0; i < TICKERS; i++) {
        void *result;
        if (aglet_join(tasks[i], &result))
            return 1;
        sum += (long)(intptr_t)result;
    }
    printf("%ld\n", sum);
    return sum == 29994 ? 0 : 1;
}
