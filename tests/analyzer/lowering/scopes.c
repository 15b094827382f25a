/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Ends of lives and cleanup calls on every way out of a scope, newest first, after the returned value was taken.
 * Stands on nothing. */
struct lock { int held; };
void unlock(struct lock **l);
struct lock *take(void);
int work(int);
_Noreturn void stop(void);

int returned(int n)
{
    struct lock *g __attribute__((cleanup(unlock))) = take();
    if (n)
        return g->held;
    {
        int inner = work(n);
        n += inner;
    }
    return 0;
}

void loops(int n)
{
    for (int i = 0; i < n; i++) {
        struct lock *g __attribute__((cleanup(unlock))) = take();
        if (work(i) == 1)
            continue;
        if (work(i) == 2)
            break;
        if (work(i) == 3)
            goto out;
    }
out:
    work(0);
}

int jump_in(int n)
{
    if (n)
        goto middle;
    {
        int skipped = 1;
    middle:
        skipped = 2;
        n = skipped;
    }
    return n;
}

int statement_value(void)
{
    return ({
        struct lock *g __attribute__((cleanup(unlock))) = take();
        g->held;
    });
}

void literal(int n)
{
    struct pair { int a, b; } *p = &(struct pair){.b = n};
    while (work(((struct pair){n, 2}).a))
        n = p->b;
}

int ends(int n)
{
    if (n)
        stop();
    __builtin_unreachable();
}
