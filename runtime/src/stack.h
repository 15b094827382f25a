/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Call stacks, in the checked library only: taking one costs microseconds. Stands on the compiler's unwinder.
 */
#ifndef AGLET_SRC_STACK_H
#define AGLET_SRC_STACK_H

#include <stdbool.h>

/* Put the return addresses of the calling thread's stack into pcs, innermost first, beginning with `from`
 * where it is among them (the address in the program that called us: our own frames are left out). Returns
 * how many, at most `room`. May be called in a signal handler; never calls malloc. */
unsigned stack_take(const void *from, const void **pcs, unsigned room);

/* Does this address lie in the unwinder? Then it may be at work below us and hold its own locks: no stack can
 * be taken (stack_take gives `from` alone), and no report made. */
bool in_unwinder(const void *pc);

/* Does the calling thread run a signal handler, as far as its stack shows? */
bool in_signal_handler(void);

#endif
