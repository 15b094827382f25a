/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the tasks of this program call. */
#include <stddef.h>
int fetch(int fd, char *buffer, size_t n);
int fetch_now(int fd, char *buffer, size_t n);
int fetch_ready(int fd, char *buffer, size_t n);
