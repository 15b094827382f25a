/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A read-write lock: many readers or one writer, an OS thread each. Stands on base.h.
 *
 * Neither side starves the other: a writer that waits for readers holds off those that come later, and readers
 * that have waited half a millisecond go in together when a writer leaves, before the next. Taking a free one
 * for reading is one atomic instruction. In a child made by fork the thread that forked holds what it held, and nobody
 * waits; but readers of the parent beside it stay in, and keep the child's writers out. */
#ifndef AGLET_RWLOCK_H
#define AGLET_RWLOCK_H

#include "aglet/base.h"

/* If all bytes are zero it is valid and unlocked. Not to be copied or moved. */
typedef struct AGLET_LOCK_TYPE aglet_rwlock {
    uint64_t state_;
    uint32_t gate_;
    uint32_t id_;
} aglet_rwlock;

#define AGLET_RWLOCK_INIT                                                                                    \
    { 0, 0, 0 }

AGLET_BEGIN_DECLS

/* Make *rw valid and unlocked; the name, if any, shows in reports and is not copied. */
AGLET_API void aglet_rwlock_init(aglet_rwlock *rw);
AGLET_API void aglet_rwlock_init_named(aglet_rwlock *rw, const char *name);

/* End its life. Requires that nobody holds it, waits for it, or will use it. Misuse is reported (checked). */
AGLET_API void aglet_rwlock_destroy(aglet_rwlock *rw);

/* Take *rw for reading, together with other readers.
 *
 * Misuse    taking it again while holding it in either mode: a writer that waits between the two would keep
 *           both waiting for ever. Reported (checked), fatal. */
AGLET_API void aglet_rwlock_read(aglet_rwlock *rw) AGLET_ACQUIRES_SHARED(rw);

/* Take it for reading if no writer is in or waiting; never waits. */
AGLET_API AGLET_MUST_USE bool aglet_rwlock_try_read(aglet_rwlock *rw) AGLET_TRY_ACQUIRES_SHARED(true, rw);

/* Returns 0, or -ETIMEDOUT and nothing is taken. */
AGLET_API AGLET_MUST_USE int aglet_rwlock_read_until(aglet_rwlock *rw, aglet_time deadline)
    AGLET_TRY_ACQUIRES_SHARED(0, rw);

/* Give up a read hold. Misuse: not holding it for reading (checked). */
AGLET_API void aglet_rwlock_read_unlock(aglet_rwlock *rw) AGLET_RELEASES(rw);

/* Take *rw alone.
 *
 * Misuse    while holding it for reading: the upgrade would wait for the caller itself. Reported (checked),
 *           fatal. */
AGLET_API void aglet_rwlock_write(aglet_rwlock *rw) AGLET_ACQUIRES(rw);
AGLET_API AGLET_MUST_USE bool aglet_rwlock_try_write(aglet_rwlock *rw) AGLET_TRY_ACQUIRES(true, rw);

/* Returns 0, or -ETIMEDOUT and nothing is taken: the readers it held off meanwhile go in. */
AGLET_API AGLET_MUST_USE int aglet_rwlock_write_until(aglet_rwlock *rw, aglet_time deadline)
    AGLET_TRY_ACQUIRES(0, rw);
AGLET_API void aglet_rwlock_write_unlock(aglet_rwlock *rw) AGLET_RELEASES(rw);

/* Go from writing to reading without letting another writer in between. */
AGLET_API void aglet_rwlock_downgrade(aglet_rwlock *rw);

/* The checked library reports when the calling thread does not hold *rw for writing, or in any mode. */
AGLET_API void aglet_assert_write_held(const aglet_rwlock *rw) AGLET_ASSERTS_HELD(rw);
AGLET_API void aglet_assert_read_held(const aglet_rwlock *rw);

AGLET_END_DECLS
#endif
