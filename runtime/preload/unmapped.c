/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* munmap and dlclose, watched for locks in what goes away: the next mapping or library may have others at the
 * same addresses. Stands on real.h, check.h, dl_iterate_phdr(3). */
#include "real.h"

#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

EXPORT int munmap(void *memory, size_t size) {
    if (!watching())
        return real.munmap != NULL ? real.munmap(memory, size) : -1;
    check_memory_unmapped(memory, size, CALLER());
    return real.munmap(memory, size);
}

struct module {
    uintptr_t begin, end;
    bool there;
};

struct modules {
    struct module *list;
    size_t count, room;
};

static struct module extent(const struct dl_phdr_info *info) {
    struct module m = {UINTPTR_MAX, 0, false};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t begin = info->dlpi_addr + p->p_vaddr, end = begin + p->p_memsz;
        if (p->p_type != PT_LOAD)
            continue;
        m.begin = begin < m.begin ? begin : m.begin;
        m.end = end > m.end ? end : m.end;
    }
    return m;
}

static int count(struct dl_phdr_info *info, size_t size, void *context) {
    (void)info;
    (void)size;
    ++*(size_t *)context;
    return 0;
}

static int note(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    struct modules *all = context;
    if (all->count < all->room)
        all->list[all->count++] = extent(info);
    return 0;
}

static int note_there(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    struct modules *all = context;
    struct module m = extent(info);
    for (size_t i = 0; i < all->count; i++)
        all->list[i].there |= all->list[i].begin == m.begin;
    return 0;
}

/* It may unload others besides, and may unload nothing: what is gone is known by looking before and after. */
EXPORT int dlclose(void *handle) {
    if (!watching())
        return real.dlclose(handle);
    struct modules all = {NULL, 0, 0};
    dl_iterate_phdr(count, &all.room);
    all.list = malloc(all.room * sizeof *all.list);
    if (all.list != NULL)
        dl_iterate_phdr(note, &all);
    int result = real.dlclose(handle);
    dl_iterate_phdr(note_there, &all);
    for (size_t i = 0; i < all.count; i++)
        if (!all.list[i].there)
            check_memory_unmapped((const void *)all.list[i].begin, all.list[i].end - all.list[i].begin,
                                  CALLER());
    free(all.list);
    return result;
}
