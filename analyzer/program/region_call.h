/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One call being applied, and what models, annotations and callees do with it alike. Private to region_call.c,
 * region_handoff.c and region_model.c.
 * Stands on region_flow.h. */
#ifndef AGLET_PROGRAM_REGION_CALL_H
#define AGLET_PROGRAM_REGION_CALL_H

#include "region_flow.h"

enum { MAX_ARGS = 16 };

struct call {
    const struct ir_event_rec *rec;
    uint32_t n;
    ir_expr expr[MAX_ARGS];
    region_value value[MAX_ARGS];
    region_value result;
    VEC(struct cell_value) cells; /* of the arguments' objects, before the call */
};

/* The place that argument i points to, or 0. */
place_id call_target(const struct call *c, uint32_t i);
/* The place that argument i was loaded from: pthread_join(t) names the handle in t. */
place_id call_loaded_from(struct solve *x, const struct call *c, uint32_t i);
/* A hand-off that stands here. */
struct handoff_spec *call_spec(struct solve *x);
void call_add_handle(struct handoff_spec *s, place_id p);
void call_set_entry(struct solve *x, struct handoff_spec *s, const struct call *c, uint32_t i);
/* What type argument number `argument` points to in this function's words; whether it is a number. */
void call_set_type(struct solve *x, struct handoff_spec *s, const struct call *c, uint32_t argument);
/* What members of a thread's argument point to goes with it. */
void call_spawn_members(struct solve *x, const struct call *c, const struct handoff_spec *s, place_id holder);
/* Arguments number `entry` and `argument` start a thread; argument number `argument` is moved away; a thread is waited for. */
void call_spawn(struct solve *x, struct call *c, struct handoff_spec *s, uint32_t entry, uint32_t argument);
/* Argument `what` is stored in the object that argument `holder` points to; a thread is started with what was stored there. */
void call_keep(struct solve *x, const struct call *c, uint32_t what, uint32_t holder);
void call_spawn_kept(struct solve *x, struct call *c, struct handoff_spec *s, uint32_t entry,
                     uint32_t holder);
void call_send(struct solve *x, struct call *c, uint32_t argument, struct result_when when);
void call_join(struct solve *x, const struct call *c, const struct model_ref *ref);
/* A lock that is taken is touched, though never in a way that races with another taker. */
void call_touch(struct solve *x, place_id p, enum region_op op, unsigned flags);
void call_model_effect(struct solve *x, struct call *c, const struct model_function *m,
                       const struct model_effect *e);

#endif
