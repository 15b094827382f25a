/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Conditions: each operand is a branch of its own, what changes no truth is looked through, constants fold.
 * Stands on nothing. */
#define likely(x) __builtin_expect(!!(x), 1)
int trylock(int *m);
void use(int);

void short_circuit(int *m, int n)
{
    if (likely(!trylock(m) && n) || n > 3)
        use(1);
    else
        use(2);
}

void constants(int n)
{
    do {
        use(n);
    } while (0);
    while (1) {
        if (0)
            use(3);
        if (sizeof(int) == 4)
            break;
    }
}

int values(int a, int b, int *p)
{
    int r = a && *p;
    r = a ? b : *p;
    r = (a ?: b) + !p;
    return (a == 3) != 0 ? r : -r;
}

void statements(int a)
{
    a || trylock(&a);
    a ? use(1) : use(2);
    (void)a;
    (void)trylock(&a);
}

long converted(unsigned char c, long wide)
{
    if ((_Bool)c)
        return 1;
    return (char)wide ? 2 : 3;
}
