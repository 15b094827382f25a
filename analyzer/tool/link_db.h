/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the build links out of what: the link and archive commands that stand beside a compile database or in it.
 * Stands on command.h and shell_words.h.
 *
 * Read are: rows of the database that compile nothing (bear, `ninja -t compdb`), link_commands.json beside it (`aglet cc
 * --record` writes it), CMake's link.txt files, build.ninja. What cannot be read is left out: programs are then not told apart. */
#ifndef AGLET_TOOL_LINK_DB_H
#define AGLET_TOOL_LINK_DB_H

#include <stdbool.h>
#include <stddef.h>
#include "string_list.h"

struct link_command {
    char *output;              /* absolute */
    struct string_list inputs; /* objects, archives, libraries, sources: absolute; or "-lNAME" */
    bool part;                 /* an archive or an object: no program of its own */
    bool shared;               /* a library; its own program where nothing here links it */
};

struct link_db {
    struct link_command *links;
    size_t n, cap;
};

/* Take what the words of one command (several with && between, cd among them) link. Returns whether there was anything. */
bool link_db_add(struct link_db *db, const char *directory, const struct string_list *words);
/* One link by hand. Takes the contents of inputs. The later of two with one output counts. */
void link_db_put(struct link_db *db, const char *output, struct string_list *inputs);
/* Read what stands beside the database's file. */
void link_db_beside(struct link_db *db, const char *database);
/* build.ninja at `path` (link_ninja.c): build statements whose outputs are programs, libraries, archives. */
void link_db_ninja(struct link_db *db, const char *path);
void link_db_free(struct link_db *db);

#endif
