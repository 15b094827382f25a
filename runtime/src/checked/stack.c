/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Taking call stacks. Stands on the compiler's unwinder. */
#include "stack.h"

#include <stddef.h>
#include <stdint.h>
#include <unwind.h>

struct taking {
    const void *from; /* NULL once it was seen */
    const void **pcs;
    unsigned count, room;
};

static _Unwind_Reason_Code take(struct _Unwind_Context *context, void *argument)
{
    struct taking *t = argument;
    const void *pc = (const void *)(uintptr_t)_Unwind_GetIP(context);
    if (pc == NULL || t->count == t->room)
        return _URC_END_OF_STACK;
    if (pc == t->from) {
        t->from = NULL;
        t->count = 0;
    }
    t->pcs[t->count++] = pc;
    return _URC_NO_REASON;
}

unsigned stack_take(const void *from, const void **pcs, unsigned room)
{
    struct taking t = {from, pcs, 0, room};
    _Unwind_Backtrace(take, &t);
    return t.count;
}

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *found)
{
    int before = 0;
    if (_Unwind_GetIPInfo(context, &before) != 0 && before) {
        *(bool *)found = true;
        return _URC_END_OF_STACK;
    }
    return _URC_NO_REASON;
}

bool in_signal_handler(void)
{
    bool found = false;
    _Unwind_Backtrace(look, &found);
    return found;
}
