/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What globals and static locals begin as: ops tables above all. Big tables of plain data are left out.
 * Stands on nothing. */
struct ops { int (*open)(int), (*close)(int); const char *name; };
static int my_open(int a) { return a; }
static int my_close(int a) { return -a; }
static const struct ops file_ops = {.close = my_close, .open = my_open, .name = "file"};
const struct ops *const tables[2] = {[1] = &file_ops};
int (*const one)(int) = my_open;
int zeros[100], squares[20] = {0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, 169, 196, 225, 256, 289, 324, 361};
struct ops *boxed = &(struct ops){my_close};
_Thread_local int mine = 3;
extern int theirs;

int user(void)
{
    static struct ops own = {my_open};
    return own.open(zeros[1] + squares[2] + mine + theirs) + one(0) + tables[1]->close(1);
}
