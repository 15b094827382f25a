/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* send: a value whose type is not Send reaches another thread.
 *
 * Looks at      what each hand-off's argument points to, and types that say AGLET_SEND.
 * Stays silent  when the type is unknown, below the strict level.
 * Cannot see    values parked in a global and read by the other thread. */
#include "handoff.h"
#include "reason.h"

/* The pointer that leads to what is not Send is set by the other thread only, to something of its own. */
static bool is_its_own(const struct program *p, const struct handoff_spec *s, const struct trait_reason *r) {
    for (; r; r = r->cause)
        if (r->because == BECAUSE_MEMBER &&
            r->unit->types[type_plain(r->unit, r->unit->fields[r->field].type)].kind == IR_T_POINTER)
            return member_set_by_thread(p, s, r->unit, r->field);
    return false;
}

static void report_handoff(const struct program *p, const struct handoff *h, struct report *out) {
    const struct handoff_spec *s = h->at->spawn;
    const struct unit *u = p->funcs.at[s->typed_in].unit->unit;
    if (!s->type && h->region && s->typed_in == h->func && p->options.level >= 2) {
        struct position at = handoff_position(h->flow, h->at);
        report_begin(out, "send", SEVERITY_WARNING, &at, "'void *' hides what reaches another thread here");
        report_subject(out, handoff_function(h), "void");
        report_level(out, 2);
        report_note(out, &at, "remedy: hand over a pointer of the type that the other thread uses");
    }
    if (!s->type || s->typed_in != h->func)
        return;
    struct trait_verdict v = traits_of(p->boundaries->traits, u, s->type, TRAIT_SEND);
    const struct trait_reason *last = trait_reason_end(v.reason);
    if (v.answer == ANSWER_NO && is_its_own(p, s, v.reason))
        v.answer = ANSWER_UNKNOWN;
    if (v.answer == ANSWER_YES)
        return;
    char type[200];
    type_spelling(u, s->type, type, sizeof type);
    struct position at = handoff_position(h->flow, h->at);
    if (v.answer == ANSWER_NO)
        report_begin(out, "send", SEVERITY_WARNING, &at, "'%s' reaches another thread here, and is not Send",
                     type);
    else if (p->options.level >= 2)
        report_begin(out, "send", SEVERITY_WARNING, &at,
                     "'%s' reaches another thread here, and is not known to be Send", type);
    else
        return;
    report_subject(out, handoff_function(h), "%s", type);
    report_level(out, v.answer == ANSWER_NO ? 1 : 2);
    reason_tell(out, v.reason, type);
    struct position end = program_position(last->unit, last->field ? last->unit->fields[last->field].loc
                                                                   : last->unit->types[last->type].loc);
    if (trait_reason_remedy(v.reason))
        report_note(out, end.file ? &end : &at, "remedy: %s", trait_reason_remedy(v.reason));
}

/* The lock has to be given back by the thread that took it. */
static void report_guard(const struct handoff *h, struct report *out) {
    if (!h->guard)
        return;
    char name[200];
    place_print(h->flow, place_object(h->flow, h->region), name, sizeof name);
    struct position at = handoff_position(h->flow, h->at),
                    cleanup =
                        program_position(h->flow->unit->unit, h->flow->unit->unit->events[h->guard].loc);
    report_begin(out, "send", SEVERITY_WARNING, &at,
                 "'%s' guards a lock held by this thread, and reaches another one here", name);
    report_subject(out, handoff_function(h), "%s", name);
    report_note(out, &cleanup, "its cleanup gives the lock back here");
    report_note(out, &at, "remedy: let the other thread take the lock itself");
}

/* Each thread has its own, and it goes when the thread ends. */
static void report_thread_local(const struct program *p, const struct handoff *h, struct report *out) {
    const struct place *object = &h->flow->places[place_object(h->flow, h->region)];
    const struct linked_global *global = object->op == PLACE_GLOBAL ? &p->globals.at[object->a] : NULL;
    const struct unit *u = global ? global->unit->unit : h->flow->unit->unit;
    const struct ir_var_rec *var = global                      ? &u->vars[global->var]
                                   : object->op == PLACE_LOCAL ? &u->vars[object->a]
                                                               : NULL;
    if (!var || !(var->flags & IR_VF_TLS) || h->at->func != h->func)
        return;
    struct position at = handoff_position(h->flow, h->at), declared = program_position(u, var->loc);
    report_begin(out, "send", SEVERITY_WARNING, &at,
                 "the address of thread-local '%s' reaches another thread here", unit_str(u, var->name));
    report_subject(out, handoff_function(h), "%s", unit_str(u, var->name));
    report_note(out, &declared, "each thread has a '%s' of its own, which goes when that thread ends",
                unit_str(u, var->name));
    report_note(out, &at, "remedy: hand over a copy of its value, or let the other thread use its own");
}

/* May a neighbour be declared by the same `int a, b;`? Then a word before the one name is none that C takes, or makes both atomic. */
static bool declared_together(const struct unit *u, ir_field f, ir_field other) {
    const struct ir_field_rec *a = &u->fields[f], *b = &u->fields[other];
    const struct ir_loc_rec *here = &u->locs[a->loc], *there = &u->locs[b->loc];
    return a->parent == b->parent && a->type == b->type &&
           (here->line == there->line || here->col != there->col);
}

static bool can_be_atomic(const struct unit *u, ir_field f) {
    bool shared = declared_together(u, f, f - 1) || (f + 1 < u->n_fields && declared_together(u, f, f + 1));
    return !shared && !u->fields[f].bit_width;
}

static void report_counts(const struct program *p, const struct handoff *h, struct report *out) {
    for (uint32_t i = 0; i < h->n_conflicts; i++) {
        const struct conflict *c = &h->conflicts[i];
        if (!c->on_count)
            continue;
        struct position at = handoff_position(h->flow, h->at), mine = handoff_position(h->flow, c->mine),
                        theirs = region_position(p, c->theirs);
        report_begin(out, "send", SEVERITY_WARNING, &at,
                     "a reference stays behind, and count '%s' is not atomic", c->path);
        report_subject(out, handoff_function(h), "%s", c->path);
        report_note(out, &theirs, "changed by the other thread here, in '%s'", p->funcs.at[c->entry].name);
        if (!c->twice)
            report_note(out, &mine, "and by this one here");
        report_note(out, &at, "remedy: make the counter _Atomic");
        const struct place *place = &h->flow->places[c->mine->place];
        if (place->op == PLACE_FIELD) {
            const struct linked_field *f = &p->fields.at[place->b];
            struct position name = program_position(f->unit->unit, f->unit->unit->fields[f->field].loc);
            name.end_line = name.line;
            name.end_col = name.col;
            if (!name.macro && can_be_atomic(f->unit->unit, f->field))
                report_fixit(out, &name, "_Atomic ");
        }
    }
}

/* Strict: a function that others can call says which of its parameters leave for another thread. */
static void report_silent_parameter(const struct program *p, const struct handoff *h, struct report *out) {
    const struct linked_func *lf = &p->funcs.at[h->func];
    const struct place *object = &h->flow->places[place_object(h->flow, h->region)];
    const struct unit *u = lf->unit->unit;
    bool itself = h->region == place_object(h->flow, h->region) &&
                  !h->at->spawn->inner; /* not a part of it, or what a member points to */
    if (p->options.level < 2 || lf->internal || !itself || object->op != PLACE_PARAM ||
        (h->verdict != HANDOFF_SENT && !h->entry_frees))
        return;
    const struct ir_var_rec *parameter = &u->vars[u->funcs[lf->func].params.first + object->a];
    if (traits_role(u, parameter->type, parameter->annots) == ROLE_OWNED)
        return;
    struct position at = program_position(u, parameter->loc), leaves = handoff_position(h->flow, h->at);
    struct position before = at;
    before.end_line = at.line;
    before.end_col = at.col;
    report_begin(out, "send", SEVERITY_WARNING, &at,
                 "parameter '%s' leaves for another thread, and does not say so",
                 unit_str(u, parameter->name));
    report_subject(out, lf->name, "%s", unit_str(u, parameter->name));
    report_level(out, 2);
    report_note(out, &leaves, "handed over here");
    if (handoff_knows_words(u))
        report_fixit(out, &before, "AGLET_SENDING ");
}

static bool has_mark(const struct unit *u, enum ir_annot_kind mark) {
    for (uint32_t i = 1; i < u->n_annots; i++)
        if (u->annots[i].kind == mark)
            return true;
    return false;
}

/* AGLET_SEND is a promise: prove it, or name the member. */
static void check_promises(const struct program *p, struct report *out, enum ir_annot_kind mark,
                           enum trait trait, const char *rule) {
    for (size_t i = 0; i < p->units.n; i++) {
        const struct unit *u = p->units.at[i].unit;
        for (ir_type t = 1, end = has_mark(u, mark) ? u->n_types : 0; t < end; t++) {
            const struct ir_type_rec *rec = &u->types[t];
            for (uint32_t k = 0; k < rec->annots.count; k++) {
                const struct ir_annot_rec *a = &u->annots[rec->annots.first + k];
                if (a->kind != mark || (rec->flags & IR_TF_INCOMPLETE))
                    continue;
                struct trait_verdict v = traits_by_members(p->boundaries->traits, u, t, trait);
                const struct trait_reason *last = trait_reason_end(v.reason);
                bool pending = last && last->because == BECAUSE_INCOMPLETE && !p->options.whole;
                if (v.answer == ANSWER_YES || pending)
                    continue;
                char type[200];
                type_spelling(u, t, type, sizeof type);
                struct position at = program_position(u, a->loc);
                report_begin(out, rule, SEVERITY_WARNING, &at, "'%s' says it is %s, and a member is not",
                             type, trait_name(trait));
                report_subject(out, NULL, "%s", type);
                reason_tell(out, v.reason, type);
                if (trait_reason_remedy(v.reason))
                    report_note(out, &at, "remedy: %s", trait_reason_remedy(v.reason));
            }
        }
    }
}

static void check_send(const struct program *p, struct report *out) {
    for (size_t i = 0; i < p->boundaries->handoffs.n; i++) {
        report_handoff(p, &p->boundaries->handoffs.at[i], out);
        report_guard(&p->boundaries->handoffs.at[i], out);
        report_thread_local(p, &p->boundaries->handoffs.at[i], out);
        report_counts(p, &p->boundaries->handoffs.at[i], out);
        report_silent_parameter(p, &p->boundaries->handoffs.at[i], out);
    }
    check_promises(p, out, IR_A_send, TRAIT_SEND, "send");
    check_promises(p, out, IR_A_sync, TRAIT_SYNC, "send");
}
AGLET_RULE("send", "a value whose type is not Send reaches another thread", check_send, "CWE-362 CWE-567")
