/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* unjoined: a thread is neither joined nor detached, or joined twice.
 *
 * Looks at      handles in local variables, on each way to the end of their life; handles in members and globals that nothing
 *               in the whole program reads.
 * Stays silent  when the handle is copied, when the thread detaches itself or never ends, and in main.
 * Cannot see    handles in arrays. */
#include "handoff.h"

static void check_unjoined(const struct program *p, struct report *out)
{
    for (size_t i = 0; i < p->boundaries->handoffs.n; i++) {
        const struct handoff *h = &p->boundaries->handoffs.at[i];
        if (!h->neither_joined_nor_detached)
            continue;
        char name[200];
        place_print(h->flow, h->at->spawn->handles[0], name, sizeof name);
        struct position at = handoff_position(h->flow, h->at);
        bool local = h->flow->places[h->at->spawn->handles[0]].op == PLACE_LOCAL;
        report_begin(out, "unjoined", SEVERITY_WARNING, &at, "thread '%s' is neither joined nor detached%s", name,
                     local ? " on some way" : " anywhere");
        report_subject(out, handoff_function(h), "%s", name);
        report_note(out, &at, "remedy: join it, or detach it where nobody waits for it");
    }
    for (size_t i = 0; i < p->boundaries->second_joins.n; i++) {
        const struct second_join *s = &p->boundaries->second_joins.at[i];
        char name[200];
        place_print(s->flow, s->first->place, name, sizeof name);
        struct position first = handoff_position(s->flow, s->first), second = handoff_position(s->flow, s->second);
        report_begin(out, "unjoined", SEVERITY_WARNING, &second, "thread '%s' is joined a second time", name);
        report_subject(out, p->funcs.at[s->flow->func].name, "%s", name);
        report_note(out, &first, "joined before here");
    }
}
AGLET_RULE("unjoined", "a thread is neither joined nor detached, or joined twice", check_unjoined, "CERT-CON39-C CWE-404")
