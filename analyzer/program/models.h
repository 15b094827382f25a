/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What functions and types that we cannot edit do: the C library, pthreads, C11 threads, well-known libraries, the user's own models.
 * Stands on lock_expr.h for result_when; the shipped models (annotations/models/NAME.yml) are compiled in as tables.
 *
 * A model is a flat list of effects. Each has a kind and up to three references to what the call gets or gives. The order in
 * the list is the order in which they happen. What a model does not say, the function does not do: a modelled function
 * with no effect at all touches nothing but its arguments' values. */
#ifndef AGLET_PROGRAM_MODELS_H
#define AGLET_PROGRAM_MODELS_H

#include "lock_expr.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- references ---- */
enum model_root {
    MODEL_NONE,   /* not given */
    MODEL_PARAM,  /* $1 … : index from 0 */
    MODEL_RETURN, /* $return */
    MODEL_TOKEN,  /* a lock with no object; text is its name */
    MODEL_CONST,  /* value */
    MODEL_OUT /* *$1: the value the call leaves in the place the parameter points to (the handle of pthread_create) */
};
struct model_ref {
    uint8_t root;  /* enum model_root */
    uint8_t index; /* PARAM, OUT */
    int64_t value; /* CONST */
    const char *
        text; /* TOKEN; for PARAM the part after `$n` where there is one ("->mu"), for lock_expr_resolve; else NULL */
};

/* A test on a parameter that decides whether an effect can happen: `blocks: if $3 != 0`. */
enum model_test {
    MODEL_ALWAYS,
    MODEL_EQ,
    MODEL_NE,
    MODEL_LT,
    MODEL_LE,
    MODEL_GT,
    MODEL_GE,
    MODEL_HAS,  /* (value of the parameter & number) != 0 */
    MODEL_LACKS /* (value of the parameter & number) == 0 */
};
struct model_if {
    uint8_t test;  /* enum model_test */
    uint8_t index; /* the parameter */
    int64_t value;
};

/* ---- effects ---- */
enum model_effect_kind {
    MODEL_EFFECT_NONE,
    /* locks. `a` is a pointer to the lock, or a token; a null argument: no effect */
    MODEL_ACQUIRES, /* with MODEL_SHARED: for reading. `when` tells the result with which it is held. Without MODEL_TRY the
                            failing result is a mere error: an unchecked call holds the lock */
    MODEL_RELEASES, /* either mode */
    MODEL_REQUIRES,
    MODEL_EXCLUDES,
    MODEL_ASSERTS_HELD,
    MODEL_RETURNS_LOCK, /* the result points to lock a */
    MODEL_LOCK_INIT, /* a is made a fresh unlocked lock; b: its attribute object; MODEL_RECURSIVE when every such lock is recursive */
    MODEL_LOCK_DESTROY,
    MODEL_ATTR_INIT,      /* attribute object a becomes the default */
    MODEL_ATTR_RECURSIVE, /* attribute object a now makes recursive locks (subject to `only`) */
    MODEL_COND_INIT,
    MODEL_COND_DESTROY,
    MODEL_COND_WAIT, /* waits on condition a, releasing and retaking lock b meanwhile; MODEL_TIMED when it may give up */
    MODEL_COND_SIGNAL, /* a; MODEL_ALL for broadcast */
    /* threads and hand-off */
    MODEL_SPAWNS,   /* runs a(b) on another thread when `when` holds; c: where its handle goes, or NONE */
    MODEL_JOINS,    /* thread of handle a (the handle's value) has ended, when `when` holds */
    MODEL_DETACHES, /* nobody will join handle a */
    MODEL_SENDS,    /* region a leaves this thread, into b (the queue, channel); b may be NONE */
    MODEL_RECEIVES, /* a (usually $return or *$n) is a region that came from another thread, out of b */
    MODEL_ORDERS, /* may order this thread after another: semaphore, barrier, once, receive; MODEL_BEFORE: post, release */
    MODEL_ONCE,  /* calls a once, under b */
    MODEL_CALLS, /* calls function a now, on this thread, with argument b (NONE: arguments unknown); qsort, bsearch, atexit is STORES */
    /* memory */
    MODEL_ALLOCATES, /* a ($return or *$n) is a fresh object nobody else knows; b: its size in bytes; may be null */
    MODEL_FREES,       /* object a (null is nothing) ends */
    MODEL_REALLOCATES, /* object a may move to the result */
    MODEL_READS,       /* the object a points to, b bytes of it (NONE: as far as its type goes) */
    MODEL_WRITES,
    MODEL_RETURNS, /* the result is pointer a, or points into its object */
    MODEL_STORES,  /* keeps pointer a beyond the call; b: in the object it points to, NONE: somewhere */
    MODEL_RETURNS_STATIC, /* the result points to memory shared by all callers */
    /* effects on the thread */
    MODEL_YIELDS,
    MODEL_BLOCKS, /* subject to `only` */
    MODEL_NORETURN,
    MODEL_EFFECTS
};
#define MODEL_SHARED 1u
#define MODEL_TRY 2u
#define MODEL_RECURSIVE 4u
#define MODEL_TIMED 8u
#define MODEL_ALL 16u
#define MODEL_BEFORE 32u
#define MODEL_ASYNC 64u /* the acquire suspends the task (an async lock) */
#define MODEL_TASK 128u /* SPAWNS: a task, not a thread */
#define MODEL_LENT 256u /* SPAWNS: returns only when the other side is done with b */
#define MODEL_KEPT 512u /* SPAWNS: parameter number c of a is not b, but what was stored in b */

struct model_effect {
    uint16_t kind;  /* enum model_effect_kind */
    uint16_t flags; /* MODEL_* above */
    struct model_ref a, b, c;
    struct result_when when;
    int64_t
        also; /* ACQUIRES: one more result with which it is held, though something is wrong (a robust mutex's dead owner); or 0 */
    struct model_if only;
    uint32_t line, column; /* where the user's own file says it, from 1; 0: shipped */
};

struct model_function {
    const char *name;
    const struct model_effect *effects;
    uint32_t n_effects;
    uint32_t flags;          /* MODEL_FF_* */
    const char *replacement; /* MODEL_FF_UNSAFE: what to call instead, or NULL */
    const char *why;         /* MODEL_FF_UNSAFE: the reason in words, or NULL */
    const char *source;      /* the user's file it stands in; NULL: shipped */
};
#define MODEL_FF_UNSAFE 1u      /* not thread-safe: rule mt-unsafe-call */
#define MODEL_FF_MUST_CHECK 2u  /* the result tells of success and may not be dropped */
#define MODEL_FF_SIGNAL_SAFE 4u /* async-signal-safe */
#define MODEL_FF_ERRNO 8u       /* the result is 0 or an errno value: never negative */

/* ---- types ---- */
enum model_answer { MODEL_UNKNOWN, MODEL_YES, MODEL_NO };
struct model_type {
    const char *name;           /* typedef name, or "struct tag" */
    uint32_t flags;             /* MODEL_TF_*: what kind of thing it is */
    uint8_t send, sync, frozen; /* enum model_answer: of the object itself */
    const char *why;            /* the reason of a no, in words: "used only on the thread that created it" */
};
#define MODEL_TF_LOCK 1u /* exclusive lock */
#define MODEL_TF_RW 2u   /* lock with a shared mode */
#define MODEL_TF_SPIN 4u
#define MODEL_TF_RECURSIVE 8u /* every lock of the type is recursive */
#define MODEL_TF_ASYNC 16u    /* may be held across yields */
#define MODEL_TF_COND 32u
#define MODEL_TF_SYNC_OBJECT 64u /* semaphore, barrier, once: used by several threads by design */
#define MODEL_TF_NO_COPY                                                                                     \
    128u /* lives at its address: a copy by value is an error (locks, conditions, channel ends) */
#define MODEL_TF_GUARD 256u
#define MODEL_TF_THREAD 512u            /* a thread or task handle that wants a join or detach */
#define MODEL_TF_LOCKED_BY_ITSELF 1024u /* its functions lock it: FILE */

struct models;

/* The shipped models. Never fails; shared, immutable, need not be freed. */
const struct models *models_builtin(void);
/* The shipped models and on top of them nothing yet. Owned by the caller. */
struct models *models_new(void);
void models_free(struct models *m); /* NULL is fine */
/* Add a model file's text. A function or type known already is replaced.
 * Returns  true; else false with "name:line:column: what is wrong" in err (always NUL-terminated). Nothing is added then. */
bool models_add(struct models *m, const char *name, const char *text, size_t length, char *err,
                size_t err_size);
/* Read the file and add it; a file that cannot be read is such a sentence too. */
bool models_add_file(struct models *m, const char *path, char *err, size_t err_size);

/* The model of a function or type by name, or NULL. Valid as long as m.
 * Threads  any number may look up at once while nobody adds. */
const struct model_function *models_find(const struct models *m, const char *name);
const struct model_type *models_find_type(const struct models *m, const char *name);
/* The same for type t of u: looks through qualifiers, arrays' elements not, and each typedef on the way, outermost first. */
const struct model_type *models_find_ir_type(const struct models *m, const struct unit *u, ir_type t);

/* A hash of all that the models say, for cache keys. */
uint64_t models_hash(const struct models *m);

#ifdef __cplusplus
}
#endif
#endif
