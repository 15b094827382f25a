/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A translation unit as the analyzer keeps it: event graphs, type table, annotations; no Clang AST.
 * Stands on nothing but <stdint.h>; builder.h makes units, text.h prints and parses them, file.h stores them.
 *
 * Cost model. A unit is a few flat tables of fixed-size records of uint32_t that name each other by index. So a unit is
 * written and read as it lies in memory, checked once on the way in (unit_check), and freed as one. Pointers between
 * records were rejected: they would need fixing up on load, and a hostile file could aim them anywhere.
 *
 * In every table record 0 means "none" or "unknown", so a zeroed reference is valid. */
#ifndef AGLET_IR_UNIT_H
#define AGLET_IR_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AGLET_UNIT_VERSION 2u

typedef uint32_t ir_str;   /* into strings; 0 is "" */
typedef uint32_t ir_file;  /* into files */
typedef uint32_t ir_loc;   /* into locs */
typedef uint32_t ir_type;  /* into types; 0 is unknown */
typedef uint32_t ir_field; /* into fields */
typedef uint32_t ir_var;   /* into vars */
typedef uint32_t ir_func;  /* into funcs */
typedef uint32_t ir_block; /* into blocks */
typedef uint32_t ir_event; /* into events */
typedef uint32_t ir_expr;  /* into exprs */

/* A run of records of one table. */
struct ir_range {
    uint32_t first, count;
};

/* A file that was read. */
struct ir_file_rec {
    ir_str
        path; /* as the compiler opened it, made absolute by the frontend, and without ".." where that leads to the same file */
    uint32_t flags; /* IR_FILE_* */
    uint32_t hash_lo, hash_hi;
};
#define IR_FILE_SYSTEM 1u /* a system header (-isystem and kin) */
#define IR_FILE_MAIN 2u   /* the file the unit was made from */

/* A source range. Inside a macro it is the outermost use site, in a file; `macro` then names the outermost macro. */
struct ir_loc_rec {
    ir_file file;
    uint32_t line, col;         /* 1-based; col counts bytes */
    uint32_t end_line, end_col; /* one past the last byte */
    ir_str macro;
};

/* ---- types ---- */
enum ir_type_kind {
    IR_T_UNKNOWN, /* something the frontend does not describe */
    IR_T_VOID,
    IR_T_INT, /* bool, char, integers; size in bytes; IR_TF_UNSIGNED */
    IR_T_FLOAT,
    IR_T_ENUM,
    IR_T_POINTER,   /* elem */
    IR_T_ARRAY,     /* elem; count elements, 0 when flexible, variable or unknown */
    IR_T_STRUCT,    /* fields; IR_TF_INCOMPLETE when only declared */
    IR_T_UNION,     /* fields */
    IR_T_FUNCTION,  /* elem = result; params = run of type_refs */
    IR_T_ATOMIC,    /* elem: _Atomic(elem) */
    IR_T_TYPEDEF,   /* elem = what it names; keeps name and annotations */
    IR_T_QUALIFIED, /* elem; IR_TF_CONST | IR_TF_VOLATILE | IR_TF_RESTRICT */
    IR_T_VA_LIST,
    IR_T_VECTOR, /* elem, count */
    IR_T_KINDS
};
#define IR_TF_CONST 1u
#define IR_TF_VOLATILE 2u
#define IR_TF_RESTRICT 4u
#define IR_TF_UNSIGNED 8u
#define IR_TF_INCOMPLETE 16u
#define IR_TF_VARIADIC 32u
#define IR_TF_ANONYMOUS                                                                                      \
    64u /* a struct, union or enum with no tag; `name` is then made of its place: "(anonymous at file:line)" or the typedef that names it */
#define IR_TF_PACKED 128u

struct ir_type_rec {
    uint32_t kind, flags;
    ir_str name;    /* tag, typedef name, or builtin name ("unsigned int"); without "struct " */
    uint32_t size;  /* bytes, 0 unknown */
    ir_type elem;   /* pointee, element, result, underlying */
    uint32_t count; /* elements of an array or vector */
    struct ir_range
        fields; /* struct, union: into fields. Function: its parameters by name and type, one field each, where the
                               declaration names them (parent = this type); lock expressions of function pointers need the names */
    struct ir_range params; /* function: into type_refs */
    struct ir_range annots; /* into annots */
    ir_loc loc;             /* the definition, else the declaration */
};

struct ir_field_rec {
    ir_str name; /* "" for an anonymous member (its own fields are reached through it) */
    ir_type type;
    ir_type parent; /* the struct or union that holds it */
    uint32_t bit_offset;
    uint32_t bit_width; /* 0 when not a bit-field */
    struct ir_range annots;
    ir_loc loc;
};

/* ---- annotations ---- */
/* One annotation as written. `kind` is the index of its name in annotations.def (enum ir_annot_kind); `args` the raw,
 * macro-expanded text between the parentheses. Lock expressions in it are parsed and resolved by the engine
 * (program/lock_expr.h), never by the frontend, but for one thing: where the annotated declaration of a function names its
 * parameters otherwise than vars[] does (a prototype beside the definition), the frontend writes `$1`, `$2` … for them. */
struct ir_annot_rec {
    uint32_t kind;
    ir_str args;
    ir_loc loc;
    uint32_t flags; /* IR_AF_* */
};
#define IR_AF_CLANG 1u /* read from one of Clang's own thread-safety attributes */
#define IR_AF_MODEL 2u /* from a model file */

enum ir_annot_kind {
    IR_A_NONE,
#define AGLET_ANNOTATION(name, ...) IR_A_##name,
#include "annotations.def"
#undef AGLET_ANNOTATION
    IR_A_UNKNOWN, /* "aglet:" and a word that is not in the list; `args` holds the whole text: an error is reported */
    IR_A_KINDS
};

/* ---- variables and functions ---- */
enum ir_var_kind {
    IR_V_NONE,
    IR_V_GLOBAL,       /* file scope, extern or static */
    IR_V_STATIC_LOCAL, /* in `func` */
    IR_V_PARAM,        /* in `func`; its position is its place in funcs[].params */
    IR_V_LOCAL,        /* in `func`, automatic */
    IR_V_TEMP,         /* made by lowering: holds one value, has no address */
    IR_V_KINDS
};
#define IR_VF_STATIC 1u     /* internal linkage */
#define IR_VF_DEFINED 2u    /* a global defined (also tentatively) in this unit */
#define IR_VF_TLS 4u        /* _Thread_local */
#define IR_VF_CLEANUP 8u    /* has a cleanup attribute: the call stands in the graph where its life ends */
#define IR_VF_ADDRESSED 16u /* its address is taken somewhere */
#define IR_VF_VLA 32u

struct ir_var_rec {
    uint32_t kind, flags;
    ir_str name; /* for a temp "" */
    ir_type type;
    ir_func func; /* owner of a param, local, static local, temp */
    struct ir_range annots;
    ir_loc loc;
};

#define IR_FF_STATIC 1u
#define IR_FF_INLINE 2u
#define IR_FF_DEFINED 4u /* has a graph here */
#define IR_FF_NORETURN 8u
#define IR_FF_VARIADIC 16u
#define IR_FF_SYSTEM 32u /* declared in a system header */
#define IR_FF_INITIALISERS                                                                                   \
    64u /* the pseudo-function "(initialisers)": stores that the initialisers of globals make; ops tables are seen here */
#define IR_FF_WEAK 128u
#define IR_FF_MUST_CHECK 256u /* warn_unused_result */
#define IR_FF_CONSTRUCTOR 512u
#define IR_FF_PURE 1024u /* pure or const attribute */

struct ir_func_rec {
    ir_str name;
    uint32_t flags;
    ir_type type;           /* IR_T_FUNCTION, maybe through typedefs */
    struct ir_range params; /* into vars, in order */
    struct ir_range locals; /* into vars: static locals, locals and temps */
    struct ir_range blocks; /* into blocks; the first is the entry. Empty when not defined here */
    struct ir_range annots;
    ir_str asm_name; /* "" or the symbol it is given by an asm label */
    ir_loc loc;      /* of the name, at the definition if there is one */
    ir_loc body_end; /* the closing brace */
};

/* ---- expressions ----
 * A place is an lvalue (VAR, DEREF, FIELD, INDEX), anything else a value. Loading a place is an access that happens when
 * the event that holds the expression happens, innermost first, left to right. Whatever must happen at another moment
 * (a call, a ++, a value taken before a scope ends) was put into a temp by lowering, so expressions have no side effects. */
enum ir_expr_op {
    IR_E_UNKNOWN, /* a value nothing is known of */
    IR_E_CONST,   /* a = low, b = high half of a 64-bit two's complement integer; also null pointers */
    IR_E_FLOAT,   /* some floating constant */
    IR_E_STRING,  /* a = ir_str */
    IR_E_FUNC,    /* a = ir_func: the function's address */
    IR_E_VAR,     /* place; a = ir_var */
    IR_E_DEREF,   /* place; a = pointer value */
    IR_E_FIELD,   /* place; a = place of the struct or union, b = ir_field */
    IR_E_INDEX,   /* place; a = pointer value (an array decays: ADDR of its place), b = index value */
    IR_E_LOAD,    /* a = place */
    IR_E_ADDR,    /* a = place; of an array place: its first element */
    IR_E_UNARY,   /* a = value; b = ir_unary_op */
    IR_E_BINARY,  /* a, b = values; c = ir_binary_op */
    IR_E_CAST, /* a = value; type = target. Casts that change nothing the analyses see (int width apart) are kept */
    IR_E_INIT, /* the whole value of an initialiser list or compound literal; its parts follow as stores. a = 1: all bytes zero but the parts */
    IR_E_LABEL, /* address of a label (computed goto) */
    IR_E_OPS
};
enum ir_unary_op { IR_U_NEG, IR_U_NOT /* ~ */, IR_U_LNOT /* ! */, IR_U_OPS };
enum ir_binary_op { /* arithmetic on pointers counts elements */
                    IR_B_ADD,
                    IR_B_SUB,
                    IR_B_MUL,
                    IR_B_DIV,
                    IR_B_REM,
                    IR_B_SHL,
                    IR_B_SHR,
                    IR_B_AND,
                    IR_B_OR,
                    IR_B_XOR,
                    IR_B_EQ,
                    IR_B_NE,
                    IR_B_LT,
                    IR_B_LE,
                    IR_B_GT,
                    IR_B_GE,
                    IR_B_OPS
};

struct ir_expr_rec {
    uint32_t op;
    ir_type type; /* of the value, or of the object a place names */
    uint32_t a, b, c;
    ir_loc loc;
};

/* ---- events ---- */
enum ir_event_op {
    IR_EV_NONE,
    IR_EV_EVAL,  /* a = value, evaluated for its accesses and dropped */
    IR_EV_STORE, /* a = place, b = value, flags */
    IR_EV_CALL,  /* a = place for the result or 0, b = callee value (FUNC, or a pointer value), args; flags */
    IR_EV_ATOMIC, /* c = ir_atomic_kind, a = place acted on, b = place for the result or 0, args = operands; flags holds the memory orders */
    IR_EV_ASM,    /* args = places written and values read; IR_SF_CLOBBERS when memory is clobbered */
    IR_EV_BEGIN,  /* a = ir_var: a local's life begins (uninitialised) */
    IR_EV_END,    /* a = ir_var: its life ends; its cleanup call, if any, is the CALL just before */
    IR_EV_RETURN, /* a = value or 0; the block's terminator is IR_TERM_RETURN */
    IR_EV_VA,     /* a = place of the va_list: va_start, va_copy, va_end, va_arg */
    IR_EV_OPS
};
#define IR_SF_INIT 1u       /* STORE: the initialiser of a declaration or a part of one */
#define IR_SF_COMPOUND 2u   /* STORE: part of a read-modify-write (+=, ++); the value loads the place */
#define IR_SF_AGGREGATE 4u  /* STORE: copies a whole struct, union or array */
#define IR_SF_CLEANUP 8u    /* CALL: of a cleanup attribute, not written by the programmer */
#define IR_SF_UNUSED 16u    /* CALL: the result is dropped (an expression statement) */
#define IR_SF_VOID_CAST 32u /* CALL: the result is dropped through an explicit (void) */
#define IR_SF_CLOBBERS 64u  /* ASM: clobbers memory */
#define IR_SF_VOLATILE 128u /* ASM, STORE */
#define IR_SF_ORDER_SHIFT                                                                                    \
    8                     /* ATOMIC: success order in bits 8-10, failure order in bits 12-14, as __ATOMIC_* */
#define IR_SF_WEAK 65536u /* ATOMIC: weak compare-exchange */

enum ir_atomic_kind {
    IR_AT_LOAD,
    IR_AT_STORE,
    IR_AT_EXCHANGE,
    IR_AT_COMPARE_EXCHANGE /* args: place of expected, desired */,
    IR_AT_RMW /* args: operand; result: old or new value, unknown which */,
    IR_AT_FENCE,
    IR_AT_INIT,
    IR_AT_KINDS
};

struct ir_event_rec {
    uint32_t op, flags;
    uint32_t a, b, c;
    struct ir_range args; /* into expr_refs */
    ir_loc loc;
};

enum ir_term_kind {
    IR_TERM_UNREACHABLE, /* after a noreturn call, or nothing follows */
    IR_TERM_GOTO,        /* 1 successor */
    IR_TERM_BRANCH,      /* value; successors: [0] when non-zero, [1] when zero */
    IR_TERM_SWITCH, /* value; successors with case ranges; exactly one default (implicit ones are made explicit) */
    IR_TERM_INDIRECT, /* computed goto: all labels whose address is taken */
    IR_TERM_RETURN,   /* to the caller; no successor */
    IR_TERM_KINDS
};
struct ir_succ_rec {
    ir_block block;
    uint32_t flags;        /* IR_SUCC_* */
    uint32_t lo[2], hi[2]; /* inclusive case range, 64-bit as low, high half */
};
#define IR_SUCC_DEFAULT 1u
#define IR_SUCC_CASE 2u
#define IR_SUCC_BACK                                                                                         \
    4u /* may close a loop: set by the builder for an edge to a block already on the depth-first path */

struct ir_block_rec {
    ir_func func;
    struct ir_range events;
    uint32_t term;
    ir_expr cond; /* BRANCH, SWITCH, INDIRECT */
    struct ir_range succs;
    ir_loc loc; /* of the condition or the statement that ends the block */
};

/* An aglet-ignore comment is not here: comments are read from the source when reporting. */

/* What the frontend found wrong itself: "an annotation that Clang cannot place", parse errors and the like. */
struct ir_note_rec {
    uint32_t kind; /* enum ir_note_kind */
    ir_str text;
    ir_loc loc;
};
enum ir_note_kind {
    IR_N_NONE,
    IR_N_ERROR /* a misplaced or malformed annotation: reported, exit status as a finding of severity error */
    ,
    IR_N_INCOMPLETE /* something was left out of the graphs, said under --verbose */,
    IR_N_KINDS
};

#define IR_TABLES(X)                                                                                         \
    X(struct ir_file_rec, files)                                                                             \
    X(struct ir_loc_rec, locs)                                                                               \
    X(struct ir_type_rec, types)                                                                             \
    X(uint32_t, type_refs)                                                                                   \
    X(struct ir_field_rec, fields)                                                                           \
    X(struct ir_annot_rec, annots)                                                                           \
    X(struct ir_var_rec, vars)                                                                               \
    X(struct ir_func_rec, funcs)                                                                             \
    X(struct ir_block_rec, blocks)                                                                           \
    X(struct ir_succ_rec, succs)                                                                             \
    X(struct ir_event_rec, events)                                                                           \
    X(struct ir_expr_rec, exprs)                                                                             \
    X(uint32_t, expr_refs)                                                                                   \
    X(struct ir_note_rec, notes)

/* Each table: n records at `name`, record 0 the null one; cap belongs to the builder. Only the builder writes to a unit. */
struct unit {
    ir_str main_file; /* path of the main source file, absolute */
    ir_str directory; /* the compiler's working directory */
    ir_str target;    /* target triple */
    ir_str producer;  /* "clang 22.1.8" */
    uint32_t pointer_size;
    char *strings;                   /* NUL-terminated, one after the other; strings[0] is "" */
    uint32_t n_strings, cap_strings; /* bytes */
#define X(type, name)                                                                                        \
    type *name;                                                                                              \
    uint32_t n_##name, cap_##name;
    IR_TABLES(X)
#undef X
    void *bytes; /* where strings and tables lie, all of them; NULL: each is malloc'd */
    size_t n_bytes;
    void (*release)(void *bytes, size_t n); /* of `bytes`, by unit_free */
    struct unit_marks *marks; /* of program/marks.h, in one piece, freed with the unit; NULL: nobody asked */
};

static inline const char *unit_str(const struct unit *u, ir_str s) {
    return u->strings + s;
}

/* Free a unit and all its tables. NULL is fine. */
void unit_free(struct unit *u);
/* Another unit like it, owned by the caller: for a second program that has the same file. */
struct unit *unit_copy(const struct unit *u);

/* What an expression may be at most: operands nested so deep, and so many nodes when it is spelled out as a tree (shared
 * operands count each time). The builder puts an unknown value or place where one would be bigger. */
#define IR_MAX_EXPR_DEPTH 1000u
#define IR_MAX_EXPR_NODES 100000u
/* The same for a type spelled out down to its structs, unions and (for the nodes) typedefs. */
#define IR_MAX_TYPE_DEPTH 10000u
#define IR_MAX_TYPE_NODES 100000u

/* Is every index in every table within its table, every enum within its list, every type chain through typedefs,
 * qualifiers, arrays and atomics finite, every expression's operands smaller than itself (so expressions are trees
 * without cycles), every block's function and successors its own, and each function's ranges in order? Are places
 * where a place is asked for and values where a value is; does an expression name the automatic variables of one function
 * only, the one whose event or block holds it (a static local may also be named by the initialisers)? Does no struct
 * contain itself by value? Are events, blocks and successors numbered in the order of the graphs, and does each block that
 * returns end in a return event?
 * Returns NULL when it is; else one sentence that names the table and record, valid until the next call in this thread.
 * A unit that passes can be read by every analysis without a bounds check. */
const char *unit_check(const struct unit *u);

/* Is this expression a place (an lvalue)? */
static inline bool ir_is_place(uint32_t op) {
    return op == IR_E_VAR || op == IR_E_DEREF || op == IR_E_FIELD || op == IR_E_INDEX;
}
/* Which of a and b are expressions: bit 0 for a, bit 1 for b. */
static inline unsigned ir_operands(uint32_t op) {
    return op == IR_E_INDEX || op == IR_E_BINARY ? 3u : op >= IR_E_DEREF && op <= IR_E_CAST ? 1u : 0u;
}

/* The expression behind its casts. */
static inline ir_expr ir_uncast(const struct unit *u, ir_expr e) {
    while (u->exprs[e].op == IR_E_CAST)
        e = u->exprs[e].a;
    return e;
}

/* Does the expression name the variable? */
static inline bool ir_mentions(const struct unit *u, ir_expr e, ir_var var) {
    const struct ir_expr_rec *r = &u->exprs[e];
    const unsigned operands = ir_operands(r->op);

    return (r->op == IR_E_VAR && r->a == var) || ((operands & 1u) && ir_mentions(u, r->a, var)) ||
           ((operands & 2u) && ir_mentions(u, r->b, var));
}

/* The variable that the place or value is reached from: the base of its members, loads, casts and sums. False: from none. */
static inline bool ir_base_var(const struct unit *u, ir_expr e, ir_var *var) {
    for (;; e = u->exprs[e].a)
        switch (u->exprs[e].op) {
        case IR_E_VAR: *var = u->exprs[e].a; return true;
        case IR_E_FIELD:
        case IR_E_INDEX:
        case IR_E_DEREF:
        case IR_E_LOAD:
        case IR_E_ADDR:
        case IR_E_CAST:
        case IR_E_BINARY: break;
        default: return false;
        }
}

/* The number that an IR_E_CONST is. */
static inline int64_t ir_const_value(const struct ir_expr_rec *r) {
    return (int64_t)((uint64_t)r->b << 32 | r->a);
}

#ifdef __cplusplus
}
#endif
#endif
