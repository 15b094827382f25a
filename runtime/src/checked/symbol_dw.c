/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Function, file and line of an address, from the program's debug information. Stands on elfutils' libdw. */
#include "symbol.h"

#include "engine.h"

#ifdef AGLET_HAVE_LIBDW
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Where the innermost function at `pc` only gives a call its types (AGLET_TYPED_): the call, as source_of. */
static const char *call_of(Dwarf_Die *unit, Dwarf_Addr pc, int *number) {
    Dwarf_Die *scopes = NULL;
    const char *file = NULL;
    int n = dwarf_getscopes(unit, pc, &scopes);
    for (int i = 0; i < n; i++) {
        Dwarf_Attribute at;
        bool artificial = false;
        Dwarf_Word line, index;
        Dwarf_Files *files;
        if (dwarf_tag(&scopes[i]) == DW_TAG_lexical_block)
            continue;
        if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine ||
            dwarf_formflag(dwarf_attr_integrate(&scopes[i], DW_AT_artificial, &at), &artificial) != 0 ||
            !artificial || dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_line, &at), &line) != 0 ||
            dwarf_formudata(dwarf_attr(&scopes[i], DW_AT_call_file, &at), &index) != 0 ||
            dwarf_getsrcfiles(unit, &files, NULL) != 0)
            break;
        file = dwarf_filesrc(files, index, NULL, NULL);
        *number = (int)line;
    }
    free(scopes);
    return file;
}

/* The file, and its line in *number. Clang writes no table of address ranges, without which libdw finds no
 * unit by address: then each unit is asked. */
static const char *source_of(Dwfl_Module *module, Dwarf_Addr at, int *number) {
    Dwarf_Addr bias;
    Dwarf_Die *unit = dwfl_module_addrdie(module, at, &bias);
    while (unit == NULL || dwarf_haspc(unit, at - bias) <= 0)
        if ((unit = dwfl_module_nextcu(module, unit, &bias)) == NULL)
            return NULL;
    const char *call = call_of(unit, at - bias, number);
    if (call != NULL)
        return call;
    Dwarf_Line *line = dwarf_getsrc_die(unit, at - bias);
    return line != NULL && dwarf_lineno(line, number) == 0 ? dwarf_linesrc(line, NULL, NULL) : NULL;
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
