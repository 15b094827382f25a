/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* unjoined: a thread is neither joined nor detached, or joined twice.
 *
 * Looks at      handles in local variables and arrays, on each way to the end of their life; handles in members and globals that
 *               nothing in the whole program reads; joins of one handle that follow each other, in helpers, too.
 * Stays silent  when the handle is copied, when the thread detaches itself or never ends, and in main.
 * Cannot see    that one element of an array is forgotten. */
#include "handoff.h"

static void check_unjoined(const struct program *p, struct report *out) {
    for (size_t i = 0; i < p->boundaries->handoffs.n; i++) {
        const struct handoff *h = &p->boundaries->handoffs.at[i];
        if (!h->neither_joined_nor_detached)
            continue;
        char name[200];
        const struct place *handle = &h->flow->places[h->at->spawn->handles[0]];
        bool element = handle->op == PLACE_INDEX && !place_element(handle);
        place_print(h->flow, element ? handle->a : h->at->spawn->handles[0], name, sizeof name);
        struct position at = handoff_position(h->flow, h->at);
        if (h->joined_on_some_ways)
            report_begin(out, "unjoined", SEVERITY_WARNING, &at,
                         "%s '%s' is joined or detached on some ways only",
                         element ? "a thread of" : "thread", name);
        else
            report_begin(out, "unjoined", SEVERITY_WARNING, &at, "%s '%s' is neither joined nor detached",
                         element ? "a thread of" : "thread", name);
        report_subject(out, handoff_function(h), "%s", name);
        if (h->handle_lost) {
            struct position lost = program_position(h->flow->unit->unit, h->handle_lost);
            report_note(out, &lost, "its handle is lost here, with the thread neither joined nor detached");
        }
        report_note(out, &at,
                    h->joined_on_some_ways
                        ? "remedy: join it on every way, or detach it where nobody waits for it"
                        : "remedy: join it, or detach it where nobody waits for it");
    }
    for (size_t i = 0; i < p->boundaries->second_joins.n; i++) {
        const struct second_join *s = &p->boundaries->second_joins.at[i];
        char name[200];
        place_print(s->flow, s->first->place, name, sizeof name);
        struct position first = handoff_position(s->flow, s->first),
                        second = handoff_position(s->flow, s->second);
        report_begin(out, "unjoined", SEVERITY_WARNING, &second, "thread '%s' is joined a second time", name);
        report_subject(out, p->funcs.at[s->flow->func].name, "%s", name);
        report_note(out, &first, "joined before here");
    }
}
AGLET_RULE("unjoined", "a thread is neither joined nor detached, or joined twice", check_unjoined,
           "CERT-CON39-C CWE-404")
