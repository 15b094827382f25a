/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* sync: what was handed over is used by both threads at once, and one of them writes.
 *
 * Looks at      each member that both sides touch, after the hand-off and before any join; of what is handed over, and of what the
 *               pointers in a thread's argument point to.
 *               At the strict level the type of all that is shared must be Sync.
 * Stays silent  for atomic, guarded and const members, under a common lock, for different elements of an array, and when
 *               something between may order the two sides: a wait, a state that one side goes by, a call of unknown code.
 * Cannot see    sharing through globals, and objects that are looked up in a table rather than taken out of it. */
#include "handoff.h"
#include "reason.h"

/* Is it an object of a library, of whose type a model says why threads may not share it? */
static bool tell_type(const struct program *p, const struct handoff *h, const struct conflict *c,
                      struct report *out) {
    const struct handoff_spec *s = h->at->spawn;
    const struct linked_field *inner = s->inner ? &p->fields.at[s->inner] : NULL;
    const struct unit *u = inner ? inner->unit->unit : p->funcs.at[s->typed_in].unit->unit;
    ir_type type = s->type;
    if (inner)
        type = u->types[type_plain(u, u->fields[inner->field].type)].elem;
    if (!type || c->field)
        return false;
    struct trait_verdict v = traits_of(p->boundaries->traits, u, type, TRAIT_SYNC);
    if (v.answer != ANSWER_NO || trait_reason_end(v.reason)->because != BECAUSE_MODEL)
        return false;
    char name[200];
    type_spelling(u, type, name, sizeof name);
    reason_tell(out, v.reason, name);
    return true;
}

/* Of what type is that which both use? Its unit in *u; 0: not known. */
static ir_type conflict_type(const struct program *p, const struct handoff *h, const struct conflict *c,
                             const struct unit **u, bool *bits) {
    const struct handoff_spec *s = h->at->spawn;
    const struct linked_field *f = c->field ? &p->fields.at[c->field] : NULL;
    *u = f ? f->unit->unit : p->funcs.at[s->typed_in].unit->unit;
    *bits = f && (*u)->fields[f->field].bit_width;
    return f ? (*u)->fields[f->field].type : s->type;
}

static const char *remedy(const struct program *p, const struct handoff *h, const struct conflict *c) {
    const struct unit *u;
    bool bits, frees = c->mine->op == REGION_FREE || c->theirs->op == REGION_FREE;
    const ir_type type = conflict_type(p, h, c, &u, &bits);
    const uint32_t kind = type ? u->types[type_plain(u, type)].kind : IR_T_INT;
    const bool scalar = kind == IR_T_INT || kind == IR_T_ENUM || kind == IR_T_FLOAT || kind == IR_T_POINTER;
    const struct model_type *m = type ? models_find_ir_type(p->models, u, type) : NULL;
    if (type && (lock_kind_of(p, u, type).lock || (m && m->flags & (MODEL_TF_COND | MODEL_TF_SYNC_OBJECT))))
        return "make it before the threads that use it are started, and destroy it after they were joined";
    if (frees)
        return "let one side free it, after the other is done: join first";
    if (h->at->spawn->task)
        return scalar && !bits
                   ? "guard it with one lock on both sides, make it _Atomic, or wait until the task is done"
                   : "guard it with one lock on both sides, or wait until the task is done";
    if (handoff_loop_variable(h, c))
        return "give each thread a copy of its own: an element of an array, or the value itself";
    return scalar && !bits ? "guard it with one lock on both sides, make it _Atomic, or join first"
                           : "guard it with one lock on both sides, or join first";
}

static void report_conflict(const struct program *p, const struct handoff *h, const struct conflict *c,
                            struct report *out) {
    struct position at = handoff_position(h->flow, h->at), mine = handoff_position(h->flow, c->mine),
                    theirs = region_position(p, c->theirs);
    const char *entry = p->funcs.at[c->entry].name;
    const char *path = *c->path == '*' && c->path[1] ? c->path + 1 : c->path;
    if (c->twice)
        report_begin(out, "sync", SEVERITY_WARNING, &at,
                     "'%s' is shared by several threads with nothing to guard it", path);
    else
        report_begin(out, "sync", SEVERITY_WARNING, &at,
                     "'%s' is used by both threads after this hand-off, unguarded", path);
    report_subject(out, handoff_function(h), "%s", path);
    report_note(out, &theirs, "%s by the other thread here, in '%s'", access_word(c->theirs), entry);
    if (c->twice) {
        struct position other = handoff_position(h->flow, c->other), second = region_position(p, c->mine);
        if (c->other == h->at)
            report_note(out, &other, "each turn of the loop hands it to one more thread");
        else
            report_note(out, &other, "handed to another thread here too");
        if (c->mine != c->theirs)
            report_note(out, &second, "and %s here by another", access_word(c->mine));
    } else {
        const char *when = h->at->op == REGION_PUT && h->at->spawn->slot ? ", after the lock was released"
                           : h->at->spawn->task                          ? ", when the task may run"
                                                                         : ", before any join";
        report_note(out, &mine, "%s by this thread here%s", access_word(c->mine), when);
        handoff_inner_note(p, out, h->flow, c->mine, access_word(c->mine));
    }
    handoff_put_notes(p, h, out);
    if (c->field) {
        const struct linked_field *f = &p->fields.at[c->field];
        const struct unit *u = f->unit->unit;
        struct position declared = program_position(u, u->fields[f->field].loc);
        char type[200];
        type_spelling(u, u->fields[f->field].type, type, sizeof type);
        const bool lock = lock_kind_of(p, u, u->fields[f->field].type).lock;
        report_note(out, &declared, "'%s' is declared here: a%s '%s'%s", path, lock ? "" : " plain", type,
                    lock ? "" : ", with no lock named");
    }
    if (tell_type(p, h, c, out))
        report_note(out, &at,
                    "remedy: guard it with one lock on both sides, or give each thread one of its own");
    else
        report_note(out, &at, "remedy: %s", remedy(p, h, c));
}

/* Strict: what both threads use must be safe to share whatever they do with it. */
static void report_type(const struct program *p, const struct handoff *h, struct report *out) {
    const struct handoff_spec *s = h->at->spawn;
    if (p->options.level < 2 || h->verdict != HANDOFF_SHARED || h->at->op != REGION_SPAWN || !s->type ||
        s->typed_in != h->func)
        return;
    const struct unit *u = p->funcs.at[s->typed_in].unit->unit;
    struct trait_verdict v = traits_of(p->boundaries->traits, u, s->type, TRAIT_SYNC);
    if (v.answer == ANSWER_YES)
        return;
    char type[200];
    type_spelling(u, s->type, type, sizeof type);
    struct position at = handoff_position(h->flow, h->at);
    report_begin(out, "sync", SEVERITY_WARNING, &at,
                 "'%s' is shared by several threads here, and is not%s Sync", type,
                 v.answer == ANSWER_NO ? "" : " known to be");
    report_subject(out, handoff_function(h), "%s", type);
    report_level(out, 2);
    reason_tell(out, v.reason, type);
    if (trait_reason_remedy(v.reason))
        report_note(out, &at, "remedy: %s", trait_reason_remedy(v.reason));
}

/* Is the count of references the mistake? Rule send tells of that, and who may use the rest follows from the count. */
static bool counts_without_atomics(const struct handoff *h) {
    for (uint32_t k = 0; k < h->n_conflicts; k++)
        if (h->conflicts[k].on_count)
            return true;
    return false;
}

static void check_sync(const struct program *p, struct report *out) {
    for (size_t i = 0; i < p->boundaries->handoffs.n; i++) {
        const struct handoff *h = &p->boundaries->handoffs.at[i];
        if (!h->n_conflicts)
            report_type(p, h, out);
        if (!counts_without_atomics(h))
            for (uint32_t k = 0; k < h->n_conflicts; k++)
                report_conflict(p, h, &h->conflicts[k], out);
    }
}
AGLET_RULE("sync", "what was handed over is used by both threads at once, unguarded", check_sync,
           "CERT-CON43-C CWE-362")
