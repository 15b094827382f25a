/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which of the two libraries this is, as a constant: both compile the same code, the release one drops what
 * stands behind `if (aglet_checked)`. Stands on nothing. */
#ifndef AGLET_SRC_CHECKED_H
#define AGLET_SRC_CHECKED_H

#ifdef AGLET_CHECKED_LIBRARY
enum { aglet_checked = 1 };
#else
enum { aglet_checked = 0 };
#endif

/* The address in the program from which the public function that uses this was called. */
#define CALLER() __builtin_extract_return_addr(__builtin_return_address(0))

#endif
