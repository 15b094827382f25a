/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What of a byte string is UTF-8.
 * Stands on nothing. */
#include "utf8.h"

size_t utf8_length(const unsigned char *s, size_t n) {
    size_t want = *s < 0x80                 ? 1
                  : *s >= 0xc2 && *s < 0xe0 ? 2
                  : (*s & 0xf0) == 0xe0     ? 3
                  : *s >= 0xf0 && *s < 0xf5 ? 4
                                            : 0;
    if (!want || want > n)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
        (*s == 0xf4 && s[1] > 0x8f))
        return 0;
    return want;
}
