/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A driver whose reads wait for the network: the task sleeps meanwhile. */
#include "driver.h"

static int fetch(int block) {
    return aglet_sleep_ms(block);
}
static int net_read(struct volume *v, int block) {
    return block < v->blocks ? fetch(block) : -1;
}
static int net_size(const struct volume *v) {
    return v->blocks;
}
const struct driver net_driver = {"net", net_read, net_size};
