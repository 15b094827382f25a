/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The words of a lock problem's story, step by step: said the same way by every lock rule.
 * Stands on program/lock_facts.h and the report. */
#ifndef AGLET_RULES_STORY_H
#define AGLET_RULES_STORY_H

#include "../program/lock_facts.h"
#include "rule.h"

static inline const char *story_words(enum story_kind kind) {
    switch (kind) {
    case STORY_TAKEN: return "'%s' is taken here";
    case STORY_TRIED: return "taking '%s' is tried here";
    case STORY_RELEASED: return "'%s' is released here";
    case STORY_TRUE: return "on the way where this is true";
    case STORY_FALSE: return "on the way where this is false";
    case STORY_CASE: return "on the way of one of these cases";
    case STORY_DEFAULT: return "on the way where no case matches";
    case STORY_CALL: return "by way of '%s'";
    case STORY_ACCESS: return "'%s' is touched here";
    case STORY_UNLOCK: return "'%s' releases it here";
    case STORY_GUARD: return "guarded by '%s', says this declaration";
    case STORY_TAKES: return "'%s' takes it here";
    case STORY_NEAR: return "another lock, '%s', is held: taken here";
    case STORY_WAIT: return "elsewhere it goes with '%s': here";
    case STORY_CALLED: return "'%s' is called here";
    case STORY_WAY: break; /* told by now */
    case STORY_CONTRACT: return "'%s' is named by this annotation";
    }
    return "%s";
}

/* The position and story of pr, under the finding that was just begun. */
static inline void story_tell(const struct program *prog, struct report *out, const struct lock_problem *pr) {
    for (uint32_t i = 0; i < pr->n_story; i++) {
        const struct story *s = &pr->story[i];
        const struct position at = program_position(s->unit, s->loc);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
        report_note(out, &at, story_words(s->kind), s->text ? s->text : "");
#pragma GCC diagnostic pop
    }
    report_subject(out, prog->funcs.at[pr->func].name, "%s/%s", pr->lock, pr->data ? pr->data : "");
}

/* The text of the first step of a kind, or "". */
static inline const char *story_text(const struct lock_problem *pr, enum story_kind kind) {
    for (uint32_t i = 0; i < pr->n_story; i++)
        if (pr->story[i].kind == kind && pr->story[i].text)
            return pr->story[i].text;
    return "";
}

#endif
