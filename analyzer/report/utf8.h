/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What of a byte string is UTF-8.
 * Stands on nothing. */
#ifndef AGLET_REPORT_UTF8_H
#define AGLET_REPORT_UTF8_H

#include <stddef.h>

/* Bytes of the UTF-8 sequence at s, of which n are left, or 0 when there is none (RFC 3629: no surrogates, no overlong
 * forms). Requires n > 0. */
size_t utf8_length(const unsigned char *s, size_t n);

#endif
