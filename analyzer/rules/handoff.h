/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Words that the rules about hand-offs share: where one stands, and what is said of accesses and types.
 * Stands on program/boundary.h; like story.h, for rules only. */
#ifndef AGLET_RULES_HANDOFF_H
#define AGLET_RULES_HANDOFF_H

#include <string.h>
#include "rule.h"
#include "../program/boundary.h"

/* Where event e stands in the function whose flow it is in: the call, when it lies in a callee. */
static inline struct position handoff_position(const struct region_flow *f, const struct region_event *e) {
    const struct unit *u = f->unit->unit;
    return program_position(u, e->func == f->func && e->loc ? e->loc : u->events[e->event].loc);
}

static inline const char *handoff_function(const struct handoff *h) {
    return h->flow->p->funcs.at[h->func].name;
}

static inline const char *access_word(const struct region_event *e) {
    return e->op == REGION_WRITE  ? "written"
           : e->op == REGION_FREE ? "freed"
           : e->op == REGION_READ ? "read"
                                  : "used";
}

/* Is it a number that this thread's loop changes, while each turn hands its address to one more thread? */
static inline bool handoff_loop_variable(const struct handoff *h, const struct conflict *c) {
    return h->many && !c->twice && h->flow->places[h->region].op == PLACE_LOCAL &&
           c->mine->op == REGION_WRITE && c->mine->place == h->region;
}

/* Does the file include the annotations? Where it does not, a word of theirs would not compile. */
static inline bool handoff_knows_words(const struct unit *u) {
    static const char header[] = "aglet/annotations.h";
    for (uint32_t i = 1; i < u->n_files; i++) {
        const char *path = unit_str(u, u->files[i].path);
        size_t length = strlen(path);
        if (length >= sizeof header - 1 && strcmp(path + length - (sizeof header - 1), header) == 0)
            return true;
    }
    return false;
}

/* The parameter of a called function through which the hand-off happens: its name's place, empty, for an insertion. False when the
 * hand-off stands in this very function, or the parameter says AGLET_SENDING already. */
static inline bool handoff_parameter(const struct program *p, const struct handoff *h, struct position *out,
                                     bool *knows_words) {
    uint32_t n;
    const struct call_edge *edges = program_calls(p, h->func, h->at->event, &n);
    for (uint32_t i = 0; h->at->func != h->func && i < n; i++) {
        const struct region_flow *f = regions_flow(p->boundaries->regions, edges[i].callee);
        const struct linked_func *lf = &p->funcs.at[edges[i].callee];
        const struct unit *u = lf->unit->unit;
        for (size_t k = 0; f && k < f->n_events; k++) {
            const struct region_event *e = &f->events[k];
            const struct place *object = e->spawn ? &f->places[place_object(f, e->place)] : NULL;
            if (!object || e->spawn->event != h->at->spawn->event || e->spawn->func != h->at->spawn->func ||
                object->op != PLACE_PARAM)
                continue;
            *out = program_position(u, u->vars[u->funcs[lf->func].params.first + object->a].loc);
            out->end_line = out->line;
            out->end_col = out->col;
            *knows_words = handoff_knows_words(u);
            return out->file != NULL;
        }
    }
    return false;
}

/* Where it goes, when it is put somewhere for another thread to take out, and what that thread does with it. */
static inline void handoff_put_notes(const struct program *p, const struct handoff *h, struct report *out) {
    if (h->at->op != REGION_PUT)
        return;
    char slot[200];
    struct position at = handoff_position(h->flow, h->at), put = region_position(p, h->at);
    boundary_slot_name(p, h->at->spawn->slot, slot, sizeof slot);
    if (h->at->func != h->func)
        report_note(out, &at, "given away here");
    if (h->at->spawn->slot)
        report_note(out, &put, "put in '%s' here, for another thread to take out", slot);
    else
        report_note(out, &put, "the thread gets it in member '%s' of its argument",
                    p->fields.at[h->at->spawn->inner].name);
    if (h->taken) {
        struct position taken = region_position(p, h->taken);
        report_note(out, &taken, "%s by the thread that takes it out, in '%s'", access_word(h->taken),
                    p->funcs.at[h->taken_in].name);
    }
}

/* The note for something that really lies in a called function. */
static inline void handoff_inner_note(const struct program *p, struct report *out,
                                      const struct region_flow *f, const struct region_event *e,
                                      const char *word) {
    if (e->func == f->func)
        return;
    struct position at = region_position(p, e);
    report_note(out, &at, "%s in '%s', which is called there", word, p->funcs.at[e->func].name);
}

#endif
