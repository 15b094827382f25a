/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which results of a function say that it handed something over?
 * Stands on region_flow.h. Private to region_call.c and region_result.c. */
#ifndef AGLET_PROGRAM_REGION_RESULT_H
#define AGLET_PROGRAM_REGION_RESULT_H

#include "region_flow.h"

/* The hand-off stands at any of these events of the function; where that is a call, its own result says whether it worked. */
struct result_question {
    const struct unit *unit;
    const struct ir_func_rec *function;
    ir_event marks[4];
    uint32_t n_marks;
    struct result_when when;
};

static inline bool result_is_mark(const struct result_question *q, ir_event ev) {
    for (uint32_t i = 0; i < q->n_marks; i++)
        if (q->marks[i] == ev)
            return true;
    return false;
}

/* Returns false when the results do not tell. RESULT_ANY: every result does.
 * Cost  bounded. */
bool result_tells(const struct result_question *q, struct result_when *out);

#endif
