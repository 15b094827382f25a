/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Run something exactly once, and values made at their first use. Stands on base.h. */
#ifndef AGLET_ONCE_H
#define AGLET_ONCE_H

#include "aglet/base.h"

/* If all bytes are zero it is valid and has not run. */
typedef struct AGLET_TRUSTED_SYNC("its words are atomic") aglet_once {
    uint32_t state_;
    uint32_t id_;
} aglet_once;

#define AGLET_ONCE_INIT                                                                                      \
    { 0, 0 }

AGLET_BEGIN_DECLS

/* Run make(context), unless it ran already; wait while another thread runs it.
 *
 * Ensures   when it returns, one call of `make` has returned, and what that wrote is seen.
 * Misuse    `make` calling aglet_once_run on the same *once: would wait for itself; reported (checked),
 *           fatal. If `make` leaves by longjmp or the thread ends in it, *once stays taken. */
AGLET_API void aglet_once_run(aglet_once *once, void (*make)(void *), void *context);

/* Has it run? Once true, always true, and what `make` wrote is seen. */
AGLET_API bool aglet_once_done(const aglet_once *once);

AGLET_END_DECLS

/* A value that is made at its first use:
 *
 *     static void read_config(struct config *c) { … }
 *     static AGLET_LAZY(struct config) config = AGLET_LAZY_INIT;
 *     const struct config *c = AGLET_LAZY_GET(&config, read_config);
 *
 * The function is called at most once, with a pointer to the value; all later gets cost one load. */
#define AGLET_LAZY(type)                                                                                     \
    struct {                                                                                                 \
        aglet_once once_;                                                                                    \
        type value_;                                                                                         \
    }
#ifdef __cplusplus
#define AGLET_LAZY_INIT                                                                                      \
    {                                                                                                        \
        AGLET_ONCE_INIT, {}                                                                                  \
    }
#else
#define AGLET_LAZY_INIT                                                                                      \
    { .once_ = AGLET_ONCE_INIT }
#endif

#if defined(__GNUC__)
#define AGLET_LAZY_GET(lazy, make)                                                                           \
    (__extension__({                                                                                         \
        __typeof__(lazy) lazy_ = (lazy);                                                                     \
        void (*made_by_)(__typeof__(&lazy_->value_)) = (make);                                               \
        if (!aglet_once_done(&lazy_->once_))                                                                 \
            aglet_lazy_make_(&lazy_->once_, (void (*)(void))made_by_, (void *)&lazy_->value_);               \
        (const __typeof__(lazy_->value_) *)&lazy_->value_;                                                   \
    }))
#endif

AGLET_BEGIN_DECLS
/* For AGLET_LAZY_GET. `make` takes one object pointer, which every ABI this library supports passes alike. */
AGLET_API void aglet_lazy_make_(aglet_once *once, void (*make)(void), void *value);
AGLET_END_DECLS
#endif
