/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Addresses to names by what the loader knows. Stands on dladdr(3) and dl_iterate_phdr(3). */
#include "symbol.h"

#include "checked.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

struct wanted {
    unsigned long pc;
    struct symbol *out;
};

static void read_build_id(const char *notes, size_t size, struct symbol *out) {
    while (size >= sizeof(ElfW(Nhdr))) {
        const ElfW(Nhdr) *n = (const void *)notes;
        size_t name = (n->n_namesz + 3u) & ~3u, desc = (n->n_descsz + 3u) & ~3u,
               whole = sizeof *n + name + desc;
        if (whole > size)
            return;
        const unsigned char *id = (const unsigned char *)notes + sizeof *n + name;
        if (n->n_type == NT_GNU_BUILD_ID && n->n_namesz == 4 && memcmp(notes + sizeof *n, "GNU", 4) == 0) {
            for (size_t i = 0; i < n->n_descsz && 2 * i + 2 < sizeof out->build_id; i++)
                snprintf(out->build_id + 2 * i, 3, "%02x", id[i]);
            return;
        }
        notes += whole;
        size -= whole;
    }
}

static int visit(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    struct wanted *w = context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || w->pc - (info->dlpi_addr + p->p_vaddr) >= p->p_memsz)
            continue;
        w->out->offset = w->pc - info->dlpi_addr;
        for (int j = 0; j < info->dlpi_phnum; j++)
            if (info->dlpi_phdr[j].p_type == PT_NOTE)
                read_build_id((const char *)(info->dlpi_addr + info->dlpi_phdr[j].p_vaddr),
                              info->dlpi_phdr[j].p_memsz, w->out);
        return 1;
    }
    return 0;
}

void symbol_describe(const void *pc, int is_return, int deep, struct symbol *out) {
    memset(out, 0, sizeof *out);
    const char *at = (const char *)pc - (is_return ? 1 : 0);
    struct wanted w = {(unsigned long)at, out};
    dl_iterate_phdr(visit, &w);
    Dl_info info;
    void *entry = NULL;
    if (dladdr1(at, &info, &entry, RTLD_DL_SYMENT) != 0) {
        if (info.dli_fname != NULL)
            snprintf(out->module, sizeof out->module, "%s", info.dli_fname);
        const ElfW(Sym) *symbol = entry;
        unsigned long into = (unsigned long)(at - (const char *)info.dli_saddr);
        if (info.dli_sname != NULL && (symbol == NULL || into < symbol->st_size)) {
            snprintf(out->function, sizeof out->function, "%s", info.dli_sname);
            out->into = into;
        }
    }
    if (aglet_checked && deep)
        symbol_describe_deep(at, out);
}
