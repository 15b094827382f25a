/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* use-after-send: what was given away for good is used again.
 *
 * Looks at      uses after a send down a channel or queue, after an AGLET_SENDING argument, and after a hand-off to a thread
 *               whose first function frees its argument on every way; after it was put in a queue, list or global under a lock
 *               and the lock released, when another thread takes it out there and frees it.
 * Stays silent  when something between may tell that the other side is done with it.
 * Cannot see    a use through a pointer that was read out of memory again. */
#include "handoff.h"

static void check_use_after_send(const struct program *p, struct report *out) {
    for (size_t i = 0; i < p->boundaries->handoffs.n; i++) {
        const struct handoff *h = &p->boundaries->handoffs.at[i];
        if (!h->later)
            continue;
        char name[200];
        place_id shown = h->later->op == REGION_PASS ? h->region : h->later->place;
        place_print(h->flow, shown, name, sizeof name);
        const char *path = *name == '*' && name[1] ? name + 1 : name;
        struct position use = handoff_position(h->flow, h->later), at = handoff_position(h->flow, h->at);
        report_begin(out, "use-after-send", SEVERITY_WARNING, &use,
                     "'%s' is %s after it was given to another thread", path, access_word(h->later));
        report_subject(out, handoff_function(h), "%s", path);
        handoff_inner_note(p, out, h->flow, h->later, access_word(h->later));
        if (h->at->op == REGION_PUT)
            handoff_put_notes(p, h, out);
        else
            report_note(out, &at, "given away here");
        if (h->entry_frees && h->at->spawn->n_entries) {
            const struct linked_func *e = &p->funcs.at[h->at->spawn->entries[0]];
            struct position entry = program_position(e->unit->unit, e->unit->unit->funcs[e->func].loc);
            report_note(out, &entry, "'%s' frees its argument", e->name);
        }
        struct position parameter;
        bool knows_words;
        if (handoff_parameter(p, h, &parameter, &knows_words)) {
            report_note(out, &parameter, "this parameter gives its argument away: say so with AGLET_SENDING");
            if (knows_words)
                report_fixit(out, &parameter, "AGLET_SENDING ");
        }
        report_note(out, &use, "remedy: take what is needed out of it before it is given away");
    }
}
AGLET_RULE("use-after-send", "what was given to another thread for good is used again", check_use_after_send,
           "CWE-416 CWE-362")
