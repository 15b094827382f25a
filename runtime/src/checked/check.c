/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "check.h"
void check_init(enum check_kind kind, const void *lock, uint32_t *id, const char *name, const void *caller){(void)kind;(void)lock;(void)id;(void)name;(void)caller;}
void check_destroy(enum check_kind kind, const void *lock, uint32_t *id, const void *caller){(void)kind;(void)lock;(void)id;(void)caller;}
void check_acquired(enum check_kind kind, int mode, const void *lock, uint32_t *id, const void *caller){(void)kind;(void)mode;(void)lock;(void)id;(void)caller;}
bool check_wait_begin(enum check_kind kind, int mode, const void *lock, uint32_t *id, aglet_time deadline,const void *caller){(void)kind;(void)mode;(void)lock;(void)id;(void)deadline;(void)caller;return true;}
void check_wait_end(bool taken){(void)taken;}
bool check_release(enum check_kind kind, int mode, const void *lock, uint32_t *id, const void *caller){(void)kind;(void)mode;(void)lock;(void)id;(void)caller;return true;}
void check_assert_held(enum check_kind kind, int mode, const void *lock, const uint32_t *id, const void *caller){(void)kind;(void)mode;(void)lock;(void)id;(void)caller;}
unsigned check_yield(const void *caller){(void)caller;return 0;}
unsigned check_held_count(void){return 0;}
