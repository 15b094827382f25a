/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reference-counted objects: aglet_arc for objects that threads share, aglet_rc its twin for one thread.
 * Stands on base.h.
 *
 * The object is used through a plain pointer to it; the counts stand in front of it. An arc pointer may be
 * handed to another thread together with one reference; what it points to must then be safe to share
 * (guarded, atomic, or only read). An rc pointer must stay on its thread: its counts are not atomic, and it
 * is cheaper for that.
 *
 *     struct config *c = AGLET_ARC_NEW(struct config, config_drop);
 *     struct config *mine = AGLET_ARC_KEEP(c);
 *     AGLET_ARC_DROP(c);              // c is NULL now
 */
#ifndef AGLET_ARC_H
#define AGLET_ARC_H

#include "aglet/base.h"

AGLET_BEGIN_DECLS

/* A weak reference: it does not keep the object alive, only its memory. */
typedef struct AGLET_TRUSTED_SEND("its count is atomic")
    AGLET_TRUSTED_SYNC("its count is atomic") aglet_weak aglet_weak;

/* A new object of `size` zeroed bytes with one reference, aligned for any type. `drop`, which may be NULL, is
 * called with it in the thread that gives up the last reference, before the memory is freed.
 *
 * Returns   NULL where there is no memory. */
AGLET_API AGLET_MUST_USE void *aglet_arc_new(size_t size, void (*drop)(void *));

/* One more reference, to be given up by its own aglet_arc_drop. Returns `object`; NULL for NULL.
 * Misuse    with no reference left, or after 2^31 of them (arc-count; the latter ends the process in any
 * library). */
AGLET_API void *aglet_arc_keep(const void *object);

/* Give up one reference; the last one frees the object. NULL is fine.
 * Misuse    more drops than keeps: reported (checked), for as long as the memory is remembered. */
AGLET_API void aglet_arc_drop(const void *object);

/* How many references there are; with one, and no weak ones handed out, the caller is alone. */
AGLET_API size_t aglet_arc_count(const void *object);

/* A weak reference to the object, and back: aglet_weak_get returns a new reference, or NULL when the object
 * is gone. All four take NULL, and make NULL of it. */
AGLET_API AGLET_MUST_USE aglet_weak *aglet_arc_weak(const void *object);
AGLET_API AGLET_MUST_USE void *aglet_weak_get(aglet_weak *weak);
AGLET_API aglet_weak *aglet_weak_keep(aglet_weak *weak);
AGLET_API void aglet_weak_drop(aglet_weak *weak);

/* The twin for one thread. Misuse: used from another thread than made it (affinity, checked). */
AGLET_API AGLET_MUST_USE void *aglet_rc_new(size_t size, void (*drop)(void *));
AGLET_API void *aglet_rc_keep(const void *object);
AGLET_API void aglet_rc_drop(const void *object);
AGLET_API size_t aglet_rc_count(const void *object);

AGLET_END_DECLS

/* Typed forms. `drop` takes a pointer to the type: the cast below is checked by the conditional, which warns
 * where the parameter is of another type. */
#if defined(__GNUC__)
#define AGLET_DROP_FUNCTION_(type, drop)                                                                     \
    (__extension__({                                                                                         \
        void (*drop_)(type *) = (drop);                                                                      \
        union {                                                                                              \
            void (*typed)(type *);                                                                           \
            void (*untyped)(void *);                                                                         \
        } as_ = {drop_};                                                                                     \
        as_.untyped;                                                                                         \
    }))
#define AGLET_ARC_NEW(type, drop) ((type *)aglet_arc_new(sizeof(type), AGLET_DROP_FUNCTION_(type, drop)))
#define AGLET_RC_NEW(type, drop) ((type *)aglet_rc_new(sizeof(type), AGLET_DROP_FUNCTION_(type, drop)))
#define AGLET_ARC_KEEP(object) ((__typeof__(object))aglet_arc_keep(object))
#define AGLET_RC_KEEP(object) ((__typeof__(object))aglet_rc_keep(object))
#endif
#define AGLET_ARC_DROP(variable) (aglet_arc_drop(variable), (void)((variable) = NULL))
#define AGLET_RC_DROP(variable) (aglet_rc_drop(variable), (void)((variable) = NULL))

#ifdef AGLET_HAVE_CLEANUP
/* A variable whose reference is given up where its scope ends. */
#define AGLET_ARC_SCOPED AGLET_CLEANUP(aglet_arc_drop_variable_)
static inline void aglet_arc_drop_variable_(void *variable) {
    void *object;
    __builtin_memcpy(&object, variable, sizeof object);
    aglet_arc_drop(object);
}
#endif
#endif
