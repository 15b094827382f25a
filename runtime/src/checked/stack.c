/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Taking call stacks. Stands on the compiler's unwinder. */
#include "stack.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unwind.h>

/* The shared unwinder's code. It takes locks of its own (pthread_once at its first use, a mutex where code is
 * registered at run time), and cannot be called while it is at that. */
static uintptr_t unwinder_begin, unwinder_end;

static int find_unwinder(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)size;
    (void)unused;
    if (info->dlpi_name == NULL || strstr(info->dlpi_name, "libgcc_s") == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & PF_X) != 0) {
            unwinder_begin = info->dlpi_addr + p->p_vaddr;
            unwinder_end = unwinder_begin + p->p_memsz;
        }
    }
    return 1;
}

__attribute__((constructor(101))) static void look_for_unwinder(void) {
    dl_iterate_phdr(find_unwinder, NULL);
}

bool in_unwinder(const void *pc) {
    return (uintptr_t)pc - unwinder_begin < unwinder_end - unwinder_begin;
}

struct taking {
    const void *from; /* NULL once it was seen */
    const void **pcs;
    unsigned count, room;
};

static _Unwind_Reason_Code take(struct _Unwind_Context *context, void *argument) {
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

unsigned stack_take(const void *from, const void **pcs, unsigned room) {
    if (in_unwinder(from) && room != 0) {
        pcs[0] = from;
        return 1;
    }
    struct taking t = {from, pcs, 0, room};
    _Unwind_Backtrace(take, &t);
    return t.count;
}

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *found) {
    int before = 0;
    if (_Unwind_GetIPInfo(context, &before) != 0 && before) {
        *(bool *)found = true;
        return _URC_END_OF_STACK;
    }
    return _URC_NO_REASON;
}

bool in_signal_handler(void) {
    bool found = false;
    _Unwind_Backtrace(look, &found);
    return found;
}
