/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Paths, whole files in and out, directories. Stands on POSIX and base/alloc.h. Strings returned are malloc'd. */
#ifndef AGLET_TOOL_FILES_H
#define AGLET_TOOL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* `path` made absolute against `directory` (absolute, or NULL for the working directory), without "//", "/./" and, where
 * that does not cross a symbolic link's name it cannot see, "/../": the same file has the same spelling. */
char *path_absolute(const char *directory, const char *path);
char *path_join(const char *directory, const char *name);
char *path_directory(const char *path);  /* "." when there is none */
const char *path_base(const char *path); /* points into path */
char *path_working(void);

bool file_exists(const char *path); /* a regular file, or one to be read as such */
bool directory_exists(const char *path);

/* The whole file, NUL after its end; NULL with errno set when it cannot be read. */
char *file_read(const char *path, size_t *size);
/* The same to look at, aligned for any type: mapped where nobody else may write to the file, else read. */
struct file_view {
    void *bytes; /* NULL: nothing */
    size_t size, held;
    void (*release)(void *bytes, size_t held);
};
bool file_look(const char *path, struct file_view *out); /* false with errno set; *out is then nothing */
void file_look_end(struct file_view *v);
/* Make `path` hold the bytes, all of them or none, by renaming a temporary file beside it, or beside what a symbolic link leads
 * to; a device or pipe is let be. False with errno set. */
bool file_write(const char *path, const void *bytes, size_t size);
/* Of several pieces, and with the mode given (less the umask); whatever bears the name is replaced. */
bool file_write_parts(const char *path, unsigned mode, const struct iovec *parts, size_t n);
/* Make the directory and those above it. False with errno set. */
bool directory_make(const char *path);
/* Remove the directory and what is in it, one level deep; used for our own temporary directories. */
void directory_remove(const char *path);

#endif
