/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet boundaries: every place where a program hands something to another thread, to whom, and how it was judged.
 * Stands on solved.h and program/boundary.h. For reading a code base, and for seeing what the rules had to go by. */
#include "solved.h"
#include "word.h"
#include "program/boundary.h"
#include <stdio.h>
#include <string.h>

static void print_handoff(const struct program *p, const struct handoff *h) {
    static const char *const verdicts[] = {"sent", "lent", "shared", "unknown", "nothing is handed over"};
    const struct unit *u = h->flow->unit->unit;
    struct position at = program_position(u, u->events[h->at->event].loc);
    const char *slash = at.file ? strrchr(at.file, '/') : NULL;
    char region[200] = "nothing that can be named";
    if (h->verdict == HANDOFF_NOTHING)
        strcpy(region, "nothing");
    else if (h->region)
        place_print(h->flow, h->region, region, sizeof region);
    printf("%s:%u: %s: %s %s",
           slash     ? slash + 1
           : at.file ? at.file
                     : "?",
           at.line, p->funcs.at[h->func].name,
           h->at->op == REGION_SPAWN ? "spawns"
           : h->at->op == REGION_PUT ? "puts"
                                     : "sends",
           region);
    const struct handoff_spec *s = h->at->spawn;
    if (h->at->op == REGION_PUT) {
        char slot[200];
        printf(" in %s", boundary_slot_name(p, s->slot, slot, sizeof slot));
        if (!s->n_entries)
            printf(", taken out by %s", p->funcs.at[h->taken_in].name);
    }
    for (uint32_t i = 0; i < s->n_entries; i++)
        printf("%s %s", i ? "," : " to", p->funcs.at[s->entries[i]].name);
    if (h->at->op == REGION_SPAWN && !s->n_entries)
        printf(" to a function that is not known");
    printf(": %s\n", verdicts[h->verdict]);
}

/* A function on the way that only passes its own parameter on to the one that puts it: its callers are listed. */
static bool passed_on(const struct handoff *h) {
    return h->at->op == REGION_PUT && h->at->func != h->func &&
           h->flow->places[place_object(h->flow, h->region)].op == PLACE_PARAM;
}

static int show(const struct program *p, const char *title, void *unused) {
    size_t verdicts[HANDOFF_NOTHING + 1] = {0}, resolved = 0, n = 0;

    (void)unused;
    if (title)
        printf("%s:\n", title);
    for (size_t i = 0; i < p->boundaries->handoffs.n; i++) {
        const struct handoff *h = &p->boundaries->handoffs.at[i];
        if (passed_on(h))
            continue;
        n++;
        print_handoff(p, h);
        verdicts[h->verdict]++;
        resolved += h->at->op != REGION_SPAWN || h->at->spawn->n_entries > 0;
    }
    printf("%zu hand-offs, %zu of them to a known function or queue: %zu sent, %zu lent, %zu shared, %zu "
           "unknown, %zu of nothing\n",
           n, resolved, verdicts[HANDOFF_SENT], verdicts[HANDOFF_LENT], verdicts[HANDOFF_SHARED],
           verdicts[HANDOFF_UNKNOWN], verdicts[HANDOFF_NOTHING]);
    return EXIT_CLEAN;
}

static int boundaries(int argc, char **argv) {
    static const struct solved_word word = {.usage = "[FILE...] [-- COMPILER FLAGS]",
                                            .about =
                                                "Lists the places where something is handed to another "
                                                "thread: what, to which function, and whether it is sent for "
                                                "good, lent until a join, shared by both, or not known.",
                                            .show = show};

    return solved_run(&word, argc, argv);
}

AGLET_WORD("boundaries", "[-p BUILD] [--program NAME] [FILE...]",
           "list what is handed to other threads, to whom, and how it was judged", boundaries)
