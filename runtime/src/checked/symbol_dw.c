/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Function, file and line of an address, from the program's debug information. Stands on elfutils' libdw. */
#include "symbol.h"

#include "engine.h"

#ifdef AGLET_HAVE_LIBDW
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *debug_path;
static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
    .debuginfo_path = &debug_path,
};

/* Used by one thread at a time: only the writer of a report asks. Objects loaded since the last report are
 * found because the table of modules is read again each time an address is in none of them. */
static Dwfl *modules;

static int read_modules(void) {
    if (modules == NULL)
        modules = dwfl_begin(&callbacks);
    if (modules == NULL)
        return 0;
    dwfl_report_begin(modules);
    int failed = dwfl_linux_proc_report(modules, (pid_t)syscall(SYS_gettid)); /* main may be over */
    return dwfl_report_end(modules, NULL, NULL) == 0 && failed == 0;
}

/* The file, and its line in *number. Clang writes no table of address ranges, without which libdw finds no
 * unit by address: then each unit is asked. */
static const char *source_of(Dwfl_Module *module, Dwarf_Addr at, int *number) {
    Dwfl_Line *line = dwfl_module_getsrc(module, at);
    if (line != NULL)
        return dwfl_lineinfo(line, NULL, number, NULL, NULL, NULL);
    Dwarf_Addr bias;
    for (Dwarf_Die *unit = NULL; (unit = dwfl_module_nextcu(module, unit, &bias)) != NULL;) {
        Dwarf_Line *found = dwarf_haspc(unit, at - bias) > 0 ? dwarf_getsrc_die(unit, at - bias) : NULL;
        if (found != NULL && dwarf_lineno(found, number) == 0)
            return dwarf_linesrc(found, NULL, NULL);
    }
    return NULL;
}

struct question {
    const void *pc;
    struct symbol *out;
};

static void describe(void *question) {
    const void *pc = ((const struct question *)question)->pc;
    struct symbol *out = ((const struct question *)question)->out;
    Dwarf_Addr at = (Dwarf_Addr)(unsigned long)pc;
    /* Zeroed data beyond the file lies in a mapping that libdw gives no module: go by where the module
     * begins. */
    Dwarf_Addr base = at - out->offset;
    Dwfl_Module *module = modules != NULL ? dwfl_addrmodule(modules, base) : NULL;
    if (module == NULL && read_modules())
        module = dwfl_addrmodule(modules, base);
    if (module == NULL)
        return;
    GElf_Off into = 0;
    GElf_Sym symbol;
    const char *name = dwfl_module_addrinfo(module, at, &into, &symbol, NULL, NULL, NULL);
    if (name != NULL && (symbol.st_size == 0 || into < symbol.st_size)) {
        snprintf(out->function, sizeof out->function, "%s", name);
        out->into = into;
    }
    int number = 0;
    const char *file = source_of(module, at, &number);
    if (file != NULL) {
        const char *slash = strrchr(file, '/'); /* the folder before the name is enough to find it */
        while (slash != NULL && slash > file && slash[-1] != '/')
            slash--;
        snprintf(out->file, sizeof out->file, "%s", slash != NULL ? slash : file);
        out->line = (unsigned)number;
    }
}

void symbol_describe_deep(const void *pc, struct symbol *out) {
    struct question q = {pc, out};
    on_far_stack(describe, &q);
}

#else

void symbol_describe_deep(const void *pc, struct symbol *out) {
    (void)pc;
    (void)out;
}

#endif
