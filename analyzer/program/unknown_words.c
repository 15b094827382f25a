/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Annotations that say nothing Aglet knows, and what the frontend found wrong with others: errors, whatever rules are chosen.
 * Stands on linked.h, base/edits.h and the list of annotations. */
#include <string.h>
#include "../base/edits.h"
#include "linked.h"

static const char *nearest(const char *word, size_t length) {
    static const char *const names[] = {
#define AGLET_ANNOTATION(name, ...) #name,
#include "../ir/annotations.def"
#undef AGLET_ANNOTATION
    };
    const char *best = NULL;
    size_t least = edits_allowed(length) + 1;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t d = edits_between(word, length, names[i]);
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    return best;
}

void program_report_unknown_words(const struct program *p, struct report *out) {
    for (size_t k = 0; k < p->units.n; k++) {
        const struct unit *u = p->units.at[k].unit;
        for (uint32_t i = 1; i < u->n_annots; i++) {
            const struct ir_annot_rec *a = &u->annots[i];
            if (a->kind != IR_A_UNKNOWN)
                continue;
            const struct position at = program_position(u, a->loc);
            const char *word = unit_str(u, a->args);
            word += strncmp(word, "aglet:", 6) ? 0 : 6;
            int length = (int)strcspn(word, "(");
            const char *near = nearest(word, (size_t)length);
            if (near && strlen(near) == (size_t)length && strncmp(near, word, (size_t)length) == 0)
                report_begin(out, "annotation", SEVERITY_ERROR, &at,
                             "'%s' is malformed: behind '%s' stand only its arguments, in parentheses", word,
                             near);
            else if (near)
                report_begin(out, "annotation", SEVERITY_ERROR, &at,
                             "there is no annotation '%.*s'; did you mean '%s'?", length, word, near);
            else
                report_begin(out, "annotation", SEVERITY_ERROR, &at, "there is no annotation '%.*s'", length,
                             word);
            report_subject(out, NULL, "%.*s", length, word);
        }
        for (uint32_t i = 1; i < u->n_notes; i++) {
            const struct ir_note_rec *n = &u->notes[i];
            if (n->kind != IR_N_ERROR)
                continue;
            const struct position at = program_position(u, n->loc);
            report_begin(out, "annotation", SEVERITY_ERROR, &at, "%s", unit_str(u, n->text));
            report_subject(out, NULL, "%s", unit_str(u, n->text));
        }
    }
}
