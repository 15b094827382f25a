/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The file calls as pieces of blocking work, for stackful and stackless tasks alike. Stands on aglet/fs.h. */
#ifndef AGLET_SRC_FS_CALL_H
#define AGLET_SRC_FS_CALL_H

#include "aglet/fs.h"

/* Arguments and result of any of them. */
struct fs_call {
    const char *path, *to;
    int fd, flags;
    mode_t mode;
    void *buffer;
    size_t n;
    off_t at;
    struct stat *st;
    ssize_t result;
};

void *fs_open(void *call);
void *fs_close(void *call);
void *fs_read(void *call);
void *fs_write(void *call);
void *fs_sync(void *call);
void *fs_stat(void *call);
void *fs_rename(void *call);
void *fs_unlink(void *call);

#endif
