/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where events are: an argument of a macro where it is written, the rest at the macro's use; after #line, where that says.
 * Locations  are shown in this one. */
void lock(int *), unlock(int *), use(int);
#define LOCK(m) lock(m)
#define WITH(m, code) do { LOCK(m); code; unlock(m); } while (0)

void events(int *mu, int *n)
{
    LOCK(mu);
    WITH(mu, use(*n));
    use(
        *n);
#line 700 "grammar.y"
    use(3);
}
