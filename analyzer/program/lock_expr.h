/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What does the text inside a lock annotation name? Parses it and resolves it against a unit's tables to a lock path.
 * Stands on ir/unit.h; results live in the caller's arena.
 *
 * `AGLET_GUARDED_BY(mu)` on field `n` of struct s becomes {object s; .mu}: "of whatever object n is a member of, the
 * place .mu". `AGLET_REQUIRES(a->b.mu)` on a function becomes {parameter 0; deref .b .mu}. A path always names the
 * *place of the lock object*, whatever the spelling: with `pthread_mutex_t *m`, `m` and `*m` both give {parameter; deref};
 * with `pthread_mutex_t mu`, `mu` and `&mu` both give {object; .mu}. */
#ifndef AGLET_PROGRAM_LOCK_EXPR_H
#define AGLET_PROGRAM_LOCK_EXPR_H

#include "../ir/unit.h"

#ifdef __cplusplus
extern "C" {
#endif

struct arena; /* base/arena.h */

enum lock_root {
    LOCK_AT_NOTHING,
    LOCK_AT_OBJECT, /* the struct or union object that holds the annotated field; its type is lock_path.object */
    LOCK_AT_PARAM,  /* parameter number `index`, from 0: the place of the parameter itself */
    LOCK_AT_RESULT, /* what the function returns, as a place */
    LOCK_AT_VAR,    /* variable `var` of lock_path.unit: global, static, or (annotation on a local) a local */
    LOCK_AT_TOKEN   /* AGLET_TOKEN(name): no object; `name` tells it */
};

enum lock_step_kind {
    LOCK_STEP_FIELD, /* .field */
    LOCK_STEP_DEREF, /* what the pointer there points to */
    LOCK_STEP_INDEX  /* an element of the array there; after a DEREF: of the array pointed into */
};

struct lock_path;

struct lock_step {
    enum lock_step_kind kind;
    const struct unit *
        unit; /* FIELD: whose table numbers `field` (another unit's, where the struct is complete only there) */
    ir_field field; /* FIELD */
    const struct lock_path
        *index;    /* INDEX by a variable: the place whose value is the index; NULL when constant or any */
    int64_t value; /* INDEX with index == NULL: the constant, or LOCK_INDEX_ANY */
};
#define LOCK_INDEX_ANY INT64_MIN /* `t[*]`, or an index that is an expression: some element */

struct lock_path {
    enum lock_root root;
    uint32_t index;          /* PARAM */
    ir_var var;              /* VAR */
    const struct unit *unit; /* that numbers `var`, `object` and `type` */
    ir_type
        object; /* OBJECT: the struct at which the steps begin. It is the annotated field's parent, or a struct that
                                encloses it: walk outwards through FIELD places of the access until a place of this type. */
    const char *name; /* TOKEN; else the root's spelling, for messages */
    struct lock_step *steps;
    uint32_t n_steps;
    ir_type type; /* of the object at the end of the path, in type_unit; 0 for a token */
    const struct unit *type_unit;
    const char *text; /* as written, blanks squeezed: "a->b.mu" */
    bool complement;  /* written `!mu`: must not be held (Clang's negative capability) */
    bool
        address; /* only among the values of spawns and joins: the value is this place's address, not what it holds */
};

/* When a call had its effect: always, or when the result compares so. Also used by models. */
enum result_test { RESULT_ANY, RESULT_EQ, RESULT_NE, RESULT_LT, RESULT_LE, RESULT_GT, RESULT_GE };
struct result_when {
    enum result_test test;
    int64_t value; /* null pointers are 0 */
};

enum lock_scope {
    LOCK_IN_FIELD,    /* item = ir_field: siblings (also of enclosing structs), then file scope */
    LOCK_IN_VAR,      /* item = ir_var: locals and parameters of its function, then file scope */
    LOCK_IN_FUNCTION, /* item = ir_func: parameters, `return`, then file scope */
    LOCK_IN_POINTER /* item = ir_type of kind function (reached through pointers and typedefs): its parameters by name
                         (types[].fields of a function type) or `$1`; with `field` set, also that field's siblings */
};

struct lock_context {
    const struct unit *unit;
    enum lock_scope scope;
    uint32_t item;
    ir_field field; /* LOCK_IN_POINTER: the function pointer field, or 0 */
    /* Whole program only: another unit in which the struct or union tagged `name` is complete, its type there in *type; or NULL.
     * The callback itself NULL: one unit of an open program. */
    const struct unit *(*complete)(void *data, const char *name, ir_type *type);
    void *data;
};

enum lock_status {
    LOCK_RESOLVED,
    LOCK_PENDING, /* goes through a type that is incomplete here and `complete` is NULL: not an error, nothing can be checked */
    LOCK_WRONG /* an error of the annotation; the sentence says which */
};

/* What one annotation says, resolved. */
struct lock_list {
    struct lock_path
        *paths; /* locks; for spawns: entry, argument; for joins: the handle (values: no implicit deref) */
    uint32_t n_paths;
    struct result_when when; /* try_acquires, spawns, spawns_if, sending_if; else RESULT_ANY */
};

/* Parse and resolve one expression that names a lock.
 * Requires  text[0..length) is the annotation's raw text; `$1`… and `$return` are read too.
 * Returns   LOCK_RESOLVED with *out filled; else *why is a sentence in the arena: "'mux' names no lock here; did you mean 'mu'?". */
enum lock_status lock_expr_resolve(const struct lock_context *context, struct arena *arena, const char *text,
                                   size_t length, struct lock_path *out, const char **why);

/* Parse and resolve all arguments of one annotation whose arguments are expressions: guarded_by, pt_guarded_by, requires…,
 * try_acquires…, returns_lock, acquired_before/after, spawns, spawns_if, joins; and sending_if, which names nothing.
 * Several locks in guarded_by: a write needs all of them, a read any one.
 * Returns   the worst status among the arguments; with LOCK_RESOLVED, *out filled. */
enum lock_status lock_expr_annotation(const struct lock_context *context, struct arena *arena,
                                      const struct ir_annot_rec *annotation, struct lock_list *out,
                                      const char **why);

/* Is it a word about what a function does with locks, or needs of them? */
static inline bool annotation_names_locks(uint32_t kind) {
    switch (kind) {
    case IR_A_requires:
    case IR_A_requires_shared:
    case IR_A_excludes:
    case IR_A_acquires:
    case IR_A_acquires_shared:
    case IR_A_releases:
    case IR_A_try_acquires:
    case IR_A_try_acquires_shared:
    case IR_A_asserts_held:
    case IR_A_returns_lock: return true;
    default: return false;
    }
}

/* The context of an annotation on item's declaration in u: a shorthand for the four fields. */
static inline struct lock_context lock_context_of(const struct unit *u, enum lock_scope scope,
                                                  uint32_t item) {
    struct lock_context c = {u, scope, item, 0, NULL, NULL};
    return c;
}

/* Do two paths of one scope name the same place? Fields are compared by struct and field name, so paths of
 * two units can be compared; two any-indices are equal. */
bool lock_path_equal(const struct lock_path *a, const struct lock_path *b);

/* The path in C's own spelling, for messages: base is put before an OBJECT path's first step ("s->" gives "s->mu");
 * NULL for none. Returns the length it needs, as snprintf. */
int lock_path_print(const struct lock_path *path, const char *base, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
