/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A compile database (compile_commands.json) as rows to analyse. Stands on command.h and libjansson.
 * Rows keep the database's order. What is left out is counted, so that a run can say it. */
#ifndef AGLET_TOOL_COMPILE_DB_H
#define AGLET_TOOL_COMPILE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include "command.h"
#include "link_db.h"
#include "string_list.h"

struct compile_row {
    char *directory;         /* absolute */
    char *file;              /* absolute */
    char *object;            /* absolute path of the object it writes, or NULL */
    struct string_list also; /* objects of repeated rows: the same compilation, for other programs */
    struct string_list
        args; /* args.at[0] the compiler, launchers stripped, response files expanded, --target added for a cross compiler */
    enum language language;
    bool cc1; /* the arguments are clang's inner ones */
};

struct compile_db {
    struct compile_row *rows; /* C, each once */
    size_t n, cap;
    struct string_list cxx;   /* files left out: C++ */
    struct string_list other; /* files left out: assembler and other languages */
    size_t repeated;          /* rows left out: the same file with the same arguments */
    size_t unusable;          /* rows left out: without a file or a command */
    char *why_unusable;       /* of the first of them, as a sentence; or NULL */
    struct link_db links;     /* what is linked, by rows and by what stands beside the database */
};

/* The database's file for -p PATH: PATH itself, or compile_commands.json in the directory PATH; with PATH NULL the nearest above
 * the working directory, there or in build/. malloc'd; NULL with a sentence in err. */
char *compile_db_find(const char *path, char *err, size_t err_size);

/* Read it. Returns false with a sentence in err when it cannot be read, is not JSON (line and column are named) or no
 * array. Rows that are none are counted; a database without rows is read with success. */
bool compile_db_read(const char *path, struct compile_db *out, char *err, size_t err_size);

/* Add one row by hand: the same judgement as for a database's row. Takes the contents of args. */
void compile_db_add(struct compile_db *db, const char *directory, const char *file, const char *output,
                    struct string_list *args);

/* Take off rows of the same file with the same arguments but for the output and -fPIC and its kin; -cc1 rows of files that have a driver's row too (bear writes both); and
 * rows whose object a later row writes from the same file (a recorded build that was built again with other flags). */
void compile_db_unique(struct compile_db *db);

void compile_db_free(struct compile_db *db);

#endif
