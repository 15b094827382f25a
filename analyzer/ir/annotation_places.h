/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where an annotation may stand and how many arguments it takes: the values used by annotations.def.
 * Stands on nothing. */
#ifndef AGLET_IR_ANNOTATION_PLACES_H
#define AGLET_IR_ANNOTATION_PLACES_H

enum annotation_place {
    ON_TYPE = 1 << 0,     /* struct, union, enum or typedef */
    ON_FILE = 1 << 1,     /* the declaration AGLET_TOKEN makes */
    ON_FIELD = 1 << 2,    /* a member of a struct or union */
    ON_VARIABLE = 1 << 3, /* a global, static or local */
    ON_PARAM = 1 << 4,
    ON_FUNCTION =
        1 << 5,         /* a function, or a field, variable, parameter or typedef of function pointer type */
    ON_RESULT = 1 << 6, /* a function, speaking of the pointer it returns */
    ON_POINTER = 1 << 7 /* only where the declared type is a pointer */
};

/* An arity of zero or more is exact. */
enum annotation_arity {
    ARITY_SOME = -1,  /* one or more expressions */
    ARITY_VALUE = -2, /* a value, then one or more expressions */
    ARITY_REASON = -3 /* everything between the parentheses is one text, and it is not empty */
};

#endif
