/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What every cmocka test includes: cmocka with the headers it wants, and the count of an array.
 * Stands on cmocka. An assertion outside the test's own thread ends the process: threads return results. */
#ifndef AGLET_TESTS_CMOCKA_MAIN_H
#define AGLET_TESTS_CMOCKA_MAIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#endif
