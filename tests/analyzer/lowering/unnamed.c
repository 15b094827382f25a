/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Types without a name are called after what is declared with them, and line numbers handed to functions are unknown: lines that are
 * put above change neither. */
void failed(const char *file, int line);
#define CHECK(x) ((x) ? (void)0 : failed("unnamed.c", __LINE__))

struct outer {
    struct {
        union { long l; int i; };
        enum { IDLE, BUSY } state;
    } *inner[2];
    struct { int bits : 3, : 5; };
};
static struct { int a; } single;
enum { FIRST, SECOND };
typedef struct { int b; } named;
typedef struct { int c; } *handle;

int use(struct outer *o, named *n, handle h, int *state)
{
    struct { int d; } local = {1};
    CHECK(o);
    {
        struct { struct { int e; } in; } local = {{2}};
        *state = local.in.e;
    }
    *state = __LINE__;
    return o->inner[0]->i + o->inner[1]->state + o->bits + single.a + FIRST + n->b + h->c + local.d;
}
