/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* May a value of this type cross a thread boundary? Send, Sync and Frozen of every C type, with the reason.
 * Stands on models.h and lock_expr.h; says nothing of how a value is used (that is program/regions).
 *
 * The answers are the greatest fixpoint over (type, trait) pairs: a recursive type is Send unless something in it forbids it.
 * Each pair is solved once and kept. Rejected: plain recursion with a memo, which is wrong inside cycles and overflows
 * the stack on deep chains. */
#ifndef AGLET_PROGRAM_TRAITS_H
#define AGLET_PROGRAM_TRAITS_H

#include "models.h"

#ifdef __cplusplus
extern "C" {
#endif

enum trait {
    TRAIT_SEND,   /* a value may be used on another thread after it is handed over */
    TRAIT_SYNC,   /* several threads may use an object at once through a T * */
    TRAIT_FROZEN, /* several threads may read an object at once while nobody writes */
    TRAITS
};
/* In order: a struct's answer is the least of its members'. */
enum answer { ANSWER_NO, ANSWER_UNKNOWN, ANSWER_YES };

enum pointer_role { ROLE_NONE, ROLE_OWNED, ROLE_SHARED };

enum because {
    BECAUSE_NOTHING,
    /* steps: the reason is `cause`, about something inside */
    BECAUSE_MEMBER,  /* member `field` */
    BECAUSE_ELEMENT, /* an array's element */
    BECAUSE_POINTEE, /* what the pointer points to */
    BECAUSE_RWLOCK,  /* member `field` is guarded by a lock with readers, which run in parallel */
    /* ends */
    BECAUSE_CELL,       /* a plain mutable value */
    BECAUSE_OWNED_CELL, /* a plain mutable pointer that owns its object */
    BECAUSE_RAW,        /* a pointer whose role nobody told */
    BECAUSE_VOID,       /* void: the type is hidden */
    BECAUSE_INCOMPLETE, /* nothing is known of the type's members */
    BECAUSE_COUNT,      /* the reference count `field` is not atomic */
    BECAUSE_MARKED,     /* an annotation says so; text: why */
    BECAUSE_MODEL,      /* a model says so; text: why, or NULL */
    BECAUSE_GUARD,      /* a held lock belongs to the thread that took it */
    BECAUSE_VA_LIST,
    BECAUSE_OPAQUE /* the frontend does not describe the type */
};

struct trait_reason {
    enum because because;
    enum trait trait; /* what was asked at this step */
    const struct unit *unit;
    ir_type type;   /* of what this step is about */
    ir_field field; /* MEMBER, RWLOCK, COUNT */
    const char *text;
    const struct trait_reason *cause; /* NULL at an end */
};

struct trait_verdict {
    enum answer answer;
    const struct trait_reason *reason; /* NULL when the answer is yes; valid as long as the traits */
};

/* How a struct counts its references. */
enum refcount { REFCOUNT_NONE, REFCOUNT_ATOMIC, REFCOUNT_PLAIN };
struct refcount_of {
    enum refcount kind;
    ir_field field;  /* the counter */
    bool recognised; /* found by its use, not marked AGLET_REFCOUNT */
};

struct traits;

/* `complete` (may be NULL) as in lock_context: another unit where a struct is complete. Both pointers are kept, not owned. */
struct traits *traits_new(const struct models *models,
                          const struct unit *(*complete)(void *data, const char *name, ir_type *type),
                          void *data);
void traits_free(struct traits *t); /* NULL is fine */
/* Tell of a count that was found by its use. Before the first question about the type. */
void traits_refcount(struct traits *t, const struct unit *u, ir_type type, ir_field counter);

/* Does type have the trait?
 * Cost  the size of what the type reaches, once; then a lookup. */
struct trait_verdict traits_of(struct traits *t, const struct unit *u, ir_type type, enum trait trait);
/* The same for a pointer value in a given role to an object of type `pointee`. */
struct trait_verdict traits_of_pointer(struct traits *t, const struct unit *u, ir_type pointee,
                                       enum pointer_role role, enum trait trait);
/* For a member, with its annotations. */
struct trait_verdict traits_of_field(struct traits *t, const struct unit *u, ir_field field,
                                     enum trait trait);
/* By its members alone, whatever mark the type bears: the proof that AGLET_SEND and AGLET_SYNC ask for. */
struct trait_verdict traits_by_members(struct traits *t, const struct unit *u, ir_type type,
                                       enum trait trait);

/* Two marks on one type that contradict each other ("AGLET_SEND and AGLET_NOT_SEND"): a sentence and the later mark's place,
 * or NULL. */
const char *traits_contradiction(const struct unit *u, ir_type type, ir_loc *where);

/* The counter of a struct: marked, told, or none. */
struct refcount_of traits_refcount_of(const struct traits *t, const struct unit *u, ir_type type);
/* The role that annotations (on a declaration, then on the typedefs of its type) give its outermost pointer. */
enum pointer_role traits_role(const struct unit *u, ir_type type, struct ir_range annots);

/* ---- in words ---- */
/* The innermost step: where the chain ends. */
const struct trait_reason *trait_reason_end(const struct trait_reason *r);
/* The path to the member at fault, after base: "job" gives "job.conn->buf". Returns as snprintf. */
int trait_reason_path(const struct trait_reason *r, const char *base, char *out, size_t size);
/* The end in words: "reference count 'refs' is not atomic". And what to do about it, or NULL. */
int trait_reason_words(const struct trait_reason *r, char *out, size_t size);
const char *trait_reason_remedy(const struct trait_reason *r);
/* The type as C spells it: "struct job *", "pthread_mutex_t". */
int type_spelling(const struct unit *u, ir_type type, char *out, size_t size);

static inline const char *trait_name(enum trait trait) {
    return trait == TRAIT_SEND ? "Send" : trait == TRAIT_SYNC ? "Sync" : "Frozen";
}

#ifdef __cplusplus
}
#endif
#endif
