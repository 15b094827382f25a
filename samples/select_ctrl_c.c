/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Select over a timer, a channel and Ctrl-C: a worker that ticks until it is told to stop. Here the program
 * interrupts itself after a while. Stands on aglet/select.h.
 *
 * Prints  stopped by Ctrl-C after 3 orders, and some ticks */
#include <aglet/executor.h>
#include <aglet/select.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

AGLET_CHANNEL(orders, int);

static void *send_orders(void *arg) {
    orders_sender *tx = arg;
    for (int i = 1; i <= 3; i++) {
        (void)aglet_sleep_ms(7);
        (void)orders_send(tx, i);
    }
    (void)aglet_sleep_ms(7);
    raise(SIGINT);
    orders_drop(tx);
    return NULL;
}

AGLET_MAIN(argc, argv) {
    orders_sender tx;
    orders_receiver rx;
    aglet_signal interrupt;
    aglet_task *task;
    int order = 0, ticks = 0, orders = 0;
    if (orders_bounded(&tx, &rx, 1) || aglet_signal_open(&interrupt, SIGINT) ||
        aglet_spawn(&task, send_orders, &tx))
        return 1;
    struct aglet_case cases[] = {AGLET_CASE_RECV(&rx, &order), AGLET_CASE_READABLE(&interrupt.io)};
    for (bool run = true; run;) {
        switch (aglet_select(cases, 2, aglet_after_ms(2))) {
        case 0:
            if (cases[0].result == 0)
                orders++;
            else
                cases[0] = (struct aglet_case)AGLET_CASE_NEVER;
            break;
        case 1: run = false; break;
        case -ETIMEDOUT: ticks++; break;
        default: return 1;
        }
    }
    (void)aglet_join(task, NULL);
    aglet_signal_close(&interrupt);
    orders_drop_receiver(&rx);
    printf("stopped by Ctrl-C after %d orders, and some ticks\n", orders);
    return orders == 3 && ticks > 0 ? 0 : 1;
}
