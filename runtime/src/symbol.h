/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What stands at an address of the program: function, file and line, or module, offset and build id.
 * Stands on dladdr(3); in the checked library on libdw where it was built with it. */
#ifndef AGLET_SRC_SYMBOL_H
#define AGLET_SRC_SYMBOL_H

struct symbol {
    char function[128]; /* empty: not known */
    unsigned long into; /* bytes from the beginning of the function or variable */
    char file[192];     /* empty: not known */
    unsigned line;
    char module[160]; /* empty: in no loaded object */
    unsigned long offset;
    char build_id[48]; /* hexadecimal; empty where the module has none */
};

/* Describe the instruction before `pc` when it is a return address (`is_return`), else the datum or
 * instruction at `pc`. `deep` allows malloc and file reads, for names and lines, to who is writing a report;
 * without it only what is mapped is looked at. */
void symbol_describe(const void *pc, int is_return, int deep, struct symbol *out);

/* The checked library's part: fills function, file and line from debug information, on a stack of its own.
 * Only the writer of a report, or who called misuse_hold, may ask. */
void symbol_describe_deep(const void *pc, struct symbol *out);

#endif
