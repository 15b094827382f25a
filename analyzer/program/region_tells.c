/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Do the results of a function tell its callers that it handed something over? Asked of each hand-off once.
 * Stands on region_result.h. */
#include "region_result.h"

/* Where the callee hands over, and which of its results say so. */
static bool ask_results(const struct region_flow *callee, const struct region_event *from,
                        struct result_when *out) {
    enum { MOST = sizeof((struct result_question *)0)->marks / sizeof(ir_event) };
    const struct handoff_spec *s = from->spawn;
    const struct unit *u = callee->unit->unit;
    struct result_question q = {
        .unit = u, .function = &u->funcs[callee->p->funcs.at[callee->func].func], .when = s->when};
    bool lifted = from->func != callee->func;
    if (lifted && s->when.test != RESULT_ANY && !s->result_known)
        return false;
    if (from->op != REGION_PUT || lifted) {
        q.marks[q.n_marks++] = from->event;
        return result_tells(&q, out);
    }
    for (size_t i = 0; i < callee->n_events; i++) {
        const struct region_event *e = &callee->events[i];
        if (e->op != REGION_PUT || e->place != from->place || e->spawn->inner != s->inner ||
            e->func != callee->func)
            continue;
        if (q.n_marks == MOST)
            return false;
        q.marks[q.n_marks++] = e->spawn->event;
    }
    return result_tells(&q, out);
}

bool region_tells(const struct region_flow *callee, const struct region_event *from,
                  struct result_when *out) {
    struct handoff_spec *s = (struct handoff_spec *)from->spawn;
    if (s->told == NOT_ASKED)
        s->told = ask_results(callee, from, &s->told_when) ? TELLS : TELLS_NOT;
    if (s->told == TELLS)
        *out = s->told_when;
    return s->told == TELLS;
}

void region_ask_results(const struct region_flow *f) {
    struct result_when when;
    for (size_t i = 0; i < f->control.n; i++)
        if (f->events[f->control.at[i]].spawn)
            (void)region_tells(f, &f->events[f->control.at[i]], &when);
}
