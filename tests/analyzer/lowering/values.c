/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Values and their moments: what a later call could change is read before it, calls get temps, a stored value is not read again.
 * Stands on nothing. */
struct s { int n, a[4]; struct s *next; unsigned bits : 3; };
int call(struct s *, int);
struct s make(void);
extern int shared;

int order(struct s *s, int k)
{
    return s->n + call(s, k) + shared;
}

void arguments(struct s *s)
{
    call(s, call(s, s->n));
    call(s->next, s->n + call(s, 1));
}

int steps(struct s *s, int *p)
{
    int before = s->n++;
    int after = --s->n;
    *p++ = s->bits;
    s->bits += 2;
    shared <<= 1;
    return before + after + (s->a[1] = *p);
}

int chain(struct s *s)
{
    int x;
    struct s *at = s;
    while ((at = at->next))
        if ((x = call(at, 0)) < 0)
            return x;
    return make().a[2];
}

void whole(struct s *d, struct s *s)
{
    *d = *s;
    *d = make();
    struct s copy = *d;
    d->next = copy.next;
}

int other(struct s *s, int (*f)(struct s *, int), void *v)
{
    long k = (shared, 3);
    (*f)((struct s *)v, (int)k);
    return *&s->n + "abc"[1] + (int)(s->a - s->next->a);
}
