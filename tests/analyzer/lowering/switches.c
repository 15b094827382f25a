/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* switch: ranges, falling through, cases inside a loop, a constant that is known, no default.
 * Stands on nothing. */
void use(int);

int plain(int n)
{
    switch (n) {
    case 1:
        use(1);
    case -5 ... -2:
        use(2);
        break;
    default:
        return 0;
    }
    return 1;
}

void device(char *to, const char *from, int n)
{
    int rounds = (n + 3) / 4;
    switch (n % 4) {
    case 0: do { *to++ = *from++;
    case 3:      *to++ = *from++;
    case 2:      *to++ = *from++;
    case 1:      *to++ = *from++;
            } while (--rounds > 0);
    }
}

void known(long x)
{
    switch (sizeof x) {
    case 4:
        use(4);
        break;
    case 8:
        use(8);
        break;
    }
}

void in_scope(unsigned n)
{
    switch (n) {
        int late;
    case 0xffffffffu:
        late = 1;
        use(late);
    }
}
