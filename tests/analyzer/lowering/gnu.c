/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* GNU C as people write it: computed goto, inline asm, asm goto, VLAs, _Generic, __auto_type, variable arguments, designators.
 * Stands on the compiler's own headers. */
#include <stdarg.h>
struct point { int x, y; union { int z; float f; }; };
void use(int);
void take(const struct point *);

int interpreter(const unsigned char *code)
{
    static const void *const labels[] = {&&add, &&stop};
    int sum = 0;
    goto *labels[*code];
add:
    sum++;
    code++;
    goto *labels[*code];
stop:
    return sum;
}

int assembly(int in, int *memory)
{
    int out;
    __asm__ volatile("mov %1, %0" : "=r"(out), "+m"(*memory) : "r"(in) : "memory");
    __asm__ goto("jmp %l0" : : : : away);
    return out;
away:
    return -1;
}

void arrays(int n)
{
    int v[n + 1];
    __auto_type first = v[0];
    use(_Generic(first, int: first, default: 0));
    use(sizeof v);
}

int sum(int n, ...)
{
    va_list list;
    va_start(list, n);
    int total = va_arg(list, int);
    va_end(list);
    return total;
}

void designated(int k)
{
    struct point p = {.z = k, .x = 1}, row[4] = {[1 ... 2] = {.y = k}, [3].x = 5};
    take(&(struct point){k});
    take(&row[1]);
    take(&p);
    char text[] = "abc";
    use(text[0]);
}

void builtins(void *d, const void *s, int n)
{
    __builtin_memcpy(d, s, n);
    __builtin___memcpy_chk(d, s, n, __builtin_object_size(d, 0));
    if (__builtin_add_overflow(n, 1, &n))
        __builtin_trap();
    use(__builtin_choose_expr(1, n, 0) + __builtin_constant_p(n) + __builtin_popcount(n));
}
