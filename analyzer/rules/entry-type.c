/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* entry-type: the entry function takes its void * for another type than was passed.
 *
 * Looks at      the struct each hand-off's argument points to, and the one struct the entry function casts it to.
 * Stays silent  when one struct begins with the other, or the entry casts to several types.
 * Cannot see    arguments whose type is hidden before the hand-off. */
#include <string.h>
#include "handoff.h"

static ir_type pointed_struct(const struct unit *u, ir_type t)
{
    t = type_plain(u, t);
    return u->types[t].kind == IR_T_POINTER ? type_struct(u, u->types[t].elem) : 0;
}

/* The one struct type that the function casts its first parameter to; 0 when there is none, or several. */
static ir_type taken_for(const struct unit *u, const struct ir_func_rec *fr, ir_loc *where)
{
    ir_type found = 0;
    if (!fr->params.count)
        return 0;
    for (uint32_t b = 0; b < fr->blocks.count; b++) {
        struct ir_range events = u->blocks[fr->blocks.first + b].events;
        for (uint32_t i = 0; i < events.count; i++) {
            const struct ir_event_rec *ev = &u->events[events.first + i];
            if (ev->op != IR_EV_STORE)
                continue;
            ir_expr e = ev->b;
            ir_type to = pointed_struct(u, u->exprs[ev->a].type);
            e = ir_uncast(u, e);
            if (!to || u->exprs[e].op != IR_E_LOAD || u->exprs[u->exprs[e].a].op != IR_E_VAR ||
                u->exprs[u->exprs[e].a].a != fr->params.first)
                continue;
            if (found && found != to)
                return 0;
            found = to;
            *where = ev->loc;
        }
    }
    return found;
}

/* Does a begin with b, at any depth? */
static bool begins_with(const struct unit *u, ir_type a, const struct unit *v, ir_type b)
{
    for (unsigned depth = 0; a && depth < 16; depth++) {
        if (strcmp(unit_str(u, u->types[a].name), unit_str(v, v->types[b].name)) == 0)
            return true;
        if ((u->types[a].flags & IR_TF_INCOMPLETE) || !u->types[a].fields.count)
            return u->types[a].flags & IR_TF_INCOMPLETE;
        a = type_struct(u, u->fields[u->types[a].fields.first].type);
    }
    return false;
}

static void check_entry_type(const struct program *p, struct report *out)
{
    for (size_t i = 0; i < p->boundaries->handoffs.n; i++) {
        const struct handoff *h = &p->boundaries->handoffs.at[i];
        const struct handoff_spec *s = h->at->spawn;
        const struct unit *u = p->funcs.at[s->func].unit->unit;
        ir_type passed = s->type ? type_struct(u, s->type) : 0;
        if (h->at->op != REGION_SPAWN || !passed || h->at->func != h->func)
            continue;
        for (uint32_t k = 0; k < s->n_entries; k++) {
            const struct linked_func *e = &p->funcs.at[s->entries[k]];
            const struct unit *v = e->unit->unit;
            ir_loc where = 0;
            ir_type taken = e->defined ? taken_for(v, &v->funcs[e->func], &where) : 0;
            if (!taken || begins_with(u, passed, v, taken) || begins_with(v, taken, u, passed))
                continue;
            char one[150], two[150];
            type_spelling(u, passed, one, sizeof one);
            type_spelling(v, taken, two, sizeof two);
            struct position at = handoff_position(h->flow, h->at), cast = program_position(v, where);
            report_begin(out, "entry-type", SEVERITY_WARNING, &at, "'%s' is passed a '%s *', and takes it for another type", e->name, one);
            report_subject(out, handoff_function(h), "%s %s", e->name, one);
            report_note(out, &cast, "taken for a '%s *' here", two);
        }
    }
}
AGLET_RULE("entry-type", "a thread's entry function takes its argument for another type", check_entry_type, "CWE-843 CERT-EXP36-C")
