/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Regular files for tasks: each call runs on the blocking pool. Stands on aglet/blocking.h.
 *
 * The kernel has no readiness for regular files; on a worker these calls would hold up every task behind
 * them. Results are as of the system call of the same name, with a negative errno value for -1. */
#ifndef AGLET_FS_H
#define AGLET_FS_H

#include "aglet/base.h"

#include <sys/stat.h>
#include <sys/types.h>

AGLET_BEGIN_DECLS

/* O_CLOEXEC is added. */
AGLET_API int aglet_file_open(const char *path, int flags, mode_t mode) AGLET_YIELDS;
AGLET_API int aglet_file_close(int fd) AGLET_YIELDS;
AGLET_API ssize_t aglet_file_read(int fd, void *to, size_t n, off_t at) AGLET_YIELDS;

/* Writes all n bytes. */
AGLET_API ssize_t aglet_file_write(int fd, const void *from, size_t n, off_t at) AGLET_YIELDS;
AGLET_API int aglet_file_sync(int fd) AGLET_YIELDS;
AGLET_API int aglet_file_stat(const char *path, struct stat *st) AGLET_YIELDS;
AGLET_API int aglet_file_rename(const char *from, const char *to) AGLET_YIELDS;
AGLET_API int aglet_file_unlink(const char *path) AGLET_YIELDS;

AGLET_END_DECLS
#endif
