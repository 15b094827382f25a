/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Everything that solving a function reads, as one hash. Stands on step.h.
 *
 * Of the function's own unit nothing is looked at: its id stands for all it says. Sums stand where no order counts. */
#include "step_bytes.h"

#include "blocks_when.h"
#include "predicates.h"
#include "relock.h"
#include "../base/alloc.h"

struct steps *steps_new(struct program *p) {
    struct steps *x = xcalloc(1, sizeof *x);

    x->environment = hash_add(p->environment, 1);
    x->unit_facts = xcalloc(p->units.n + 1, sizeof *x->unit_facts);
    x->fixed = xcalloc(p->funcs.n + 1, sizeof *x->fixed);
    return x;
}

void steps_free(struct steps *x) {
    if (!x)
        return;
    vec_free(&x->seen);
    vec_free(&x->named.list);
    map64_free(&x->items);
    free(x->unit_facts);
    free(x->fixed);
    writer_free(x->writer);
    reader_free(x->reader);
    free(x);
}

/* What other units make of types and functions that this one names. */
static uint64_t unit_facts(struct program *p, struct steps *x, const struct linked_unit *lu) {
    uint64_t *known = &x->unit_facts[lu - p->units.at];
    uint64_t sum = 1;

    if (*known)
        return *known;
    for (ir_type t = 1; t < lu->unit->n_types; t++)
        if (lu->structs[t] && lu->unit->types[t].flags & IR_TF_INCOMPLETE)
            sum += hash_add(t, struct_digest(p, lu->structs[t]));
    for (ir_func f = 1; f < lu->unit->n_funcs; f++) {
        const struct linked_func *of = &p->funcs.at[lu->funcs[f]];
        if (of->address_taken && of->summary)
            sum +=
                hash_add(hash_mix(f), (uint64_t)waits_of(p, lu->funcs[f]) << 1 | of->summary->blocks_always);
    }
    return *known = sum | 1;
}

static void add_item(struct steps *x, uint32_t number) {
    bool fresh;

    (void)map64_place(&x->items, number, &fresh);
    if (fresh)
        put_number(&x->named, number);
}

/* Those that an expression names: the unit's field << 1, or its variable << 1 and 1. */
static void add_items(struct steps *x, const struct linked_unit *lu, ir_expr e) {
    const struct ir_expr_rec *r = &lu->unit->exprs[e];
    const unsigned operands = ir_operands(r->op);

    while (x->seen.n <= e)
        vec_push(&x->seen, 0);
    if (!e || x->seen.at[e] == x->epoch)
        return;
    x->seen.at[e] = x->epoch;
    if (r->op == IR_E_FIELD)
        add_item(x, r->b << 1);
    else if (r->op == IR_E_VAR && lu->globals[r->a])
        add_item(x, r->a << 1 | 1);
    if (operands & 1u)
        add_items(x, lu, r->a);
    if (operands & 2u)
        add_items(x, lu, r->b);
}

/* The members and globals that the function names, into x->named. */
static void find_items(struct steps *x, const struct linked_func *f) {
    const struct unit *u = f->unit->unit;
    const struct ir_range blocks = u->funcs[f->func].blocks, events = func_events(u, &u->funcs[f->func]);

    x->epoch++;
    vec_clear(&x->named.list);
    map64_clear(&x->items);
    for (uint32_t b = blocks.first; b < blocks.first + blocks.count; b++)
        add_items(x, f->unit, u->blocks[b].cond);
    for (ir_event e = events.first; e < events.first + events.count; e++) {
        const struct ir_event_rec *ev = &u->events[e];
        if (ev->op == IR_EV_BEGIN || ev->op == IR_EV_END)
            continue;
        add_items(x, f->unit, ev->a);
        add_items(x, f->unit, ev->b);
        for (uint32_t k = 0; k < ev->args.count; k++)
            add_items(x, f->unit, u->expr_refs[ev->args.first + k]);
    }
}

/* What the whole program makes of them. */
static uint64_t digest_items(struct program *p, const struct linked_unit *lu, struct bytes_in *in) {
    uint64_t sum = 0;

    while (in->at < in->end && !in->bad) {
        const uint32_t number = get_below(in, UINT32_MAX), i = number >> 1;
        in->bad |= number & 1 ? i >= lu->unit->n_vars || !lu->globals[i] : i >= lu->unit->n_fields;
        if (!in->bad)
            sum += hash_mix(item_digest(p, number & 1 ? lu->globals[i] | ITEM_GLOBAL : lu->fields[i]));
    }
    return sum;
}

/* Which they are the unit alone says, so that is kept: to walk all expressions takes longer than all the rest of a key. */
static uint64_t hash_items(struct program *p, struct steps *x, const struct linked_func *f) {
    const uint64_t key = hash_add(hash_add(f->unit->id, f->func), hash_string("items"));
    struct bytes_in in;
    const bool known = memo_find_fact(p->memo, key, &in);
    uint64_t sum;

    if (known && !memo_is_checked()) {
        sum = digest_items(p, f->unit, &in);
        if (!in.bad)
            return sum;
    }
    find_items(x, f);
    if (known && memo_is_checked())
        memo_compare(in, &x->named, "what is named in", f->name);
    else
        memo_put(p->memo, key, &x->named);
    in = (struct bytes_in){x->named.list.at, x->named.list.at + x->named.list.n, false};
    return digest_items(p, f->unit, &in);
}

/* What callers pass, where it is a constant. */
static uint64_t hash_callers(const struct program *p, const struct linked_func *f) {
    uint64_t sum = f->n_callers;

    for (uint32_t i = 0; i < f->n_callers; i++) {
        const struct call_edge *e = &p->edges.at[f->callers[i]];
        const struct unit *u = p->funcs.at[e->caller].unit->unit;
        const struct ir_event_rec *ev = &u->events[e->event];
        uint64_t h = e->callback;
        for (uint32_t k = 0; k < ev->args.count; k++) {
            int64_t v;
            if (call_arg_const(u, ev, k, &v))
                h = hash_add(hash_add(h, k), (uint64_t)v);
        }
        sum += hash_mix(h);
    }
    return sum;
}

static uint64_t hash_candidates(const struct program *p, uint32_t func) {
    uint64_t sum = 0;

    for (uint32_t i = p->locks->last_candidate[func]; i; i = p->locks->candidates.at[i].before) {
        const struct candidate *c = &p->locks->candidates.at[i];
        if (c->condemned || c->over_time)
            sum += hash_add(c->name, (uint64_t)c->condemned << 1 | c->over_time);
    }
    return sum;
}

uint64_t step_exports(const struct program *p, uint32_t func) {
    uint64_t sum = 0;

    for (uint32_t i = p->locks->last_candidate[func]; i; i = p->locks->candidates.at[i].before) {
        const struct candidate *c = &p->locks->candidates.at[i];
        if (map64_get(&p->locks->nameless, hash_add(class_key(c->class), func), 0) == i)
            sum += hash_mix(c->name);
    }
    return sum;
}

struct asked {
    struct program *p;
    uint64_t sum;
};

static void add_asked(void *data, uint32_t key, bool inner) {
    struct asked *x = data;

    (void)inner;
    x->sum += hash_mix(item_digest(x->p, (key & 3) == 2 ? key >> 2 | ITEM_GLOBAL : key >> 2));
}

/* What a function that only asks reads: what the program makes of that, and its code where that is not the caller's unit's. */
static uint64_t hash_asked(struct program *p, const struct linked_func *f, uint32_t callee) {
    const struct predicate *q = predicate_of(p, callee);
    struct asked x = {p, 0};

    if (q)
        predicate_reads(q, add_asked, &x);
    return q && q->unit != f->unit ? hash_add(x.sum, q->unit->id) : x.sum;
}

/* Who is called, and what was found of the calls before any lock was solved. */
static uint64_t hash_calls(struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    uint64_t h = f->n_edges;

    for (uint32_t i = f->first_edge; i < f->first_edge + f->n_edges; i++) {
        const struct call_edge *e = &p->edges.at[i];
        const struct linked_func *to = &p->funcs.at[e->callee];
        const struct call_wait wait = call_blocks_when(p, func, e->event);
        h = hash_add(h, hash_add(e->event, symbol_of_func(p, e->callee)));
        h = hash_add(h, hash_asked(p, f, e->callee));
        h = hash_add(h, (uint64_t)e->indirect << 5 | (uint64_t)e->callback << 4 | (uint64_t)to->defined << 3 |
                            (uint64_t)to->unchecked << 2 | (uint64_t)wait.holds << 1 | wait.always);
        h = hash_add(h, wait.next);
        h = hash_add(h, symbol_of_func(p, call_called_with(p, func, e->event, EFFECT_YIELDS)));
        h = hash_add(h, symbol_of_func(p, call_called_with(p, func, e->event, EFFECT_BLOCKS)));
    }
    return h;
}

/* Where it takes or gives back a level of a lock: that hangs on both halves of such a lock, which other units may have. */
static uint64_t hash_levels(const struct program *p, uint32_t func) {
    uint32_t n;
    const struct level_edge *at = level_edges(p, func, &n);
    uint64_t h = n;

    for (uint32_t i = 0; i < n; i++)
        h = hash_add(
            hash_add(hash_add(h, (uint64_t)at[i].block << 2 | at[i].succ << 1 | at[i].refuses), at[i].event),
            at[i].arg);
    return h;
}

/* What annotations on the pointers that are called come to: other units say which locks they name, and what kinds of locks these are. To
 * look says, too, which name none, though nothing is solved. */
static uint64_t hash_pointers(struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    const struct ir_range events = func_events(u, &u->funcs[f->func]);
    uint64_t h = 1;

    for (ir_event e = events.first; f->calls_pointer && e < events.first + events.count; e++) {
        const struct ir_event_rec *ev = &u->events[e];
        const struct summary *said;
        ir_expr object;
        if (ev->op != IR_EV_CALL || u->exprs[ev->b].op == IR_E_FUNC)
            continue;
        said = summary_of_call(p, func, ev, &object);
        if (said)
            h = hash_add(hash_add(h, e), summary_hash(p, said).exact);
    }
    return h;
}

/* The same of the function's own annotations. One that names nothing is an error wherever the function is solved: 0. */
static uint64_t hash_annotations(struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    const struct ir_range annots = u->funcs[f->func].annots;
    uint64_t h = 1;

    for (uint32_t i = 0; i < annots.count; i++) {
        const struct ir_annot_rec *a = &u->annots[annots.first + i];
        const struct lock_context context = program_context(p, u, LOCK_IN_FUNCTION, f->func);
        struct lock_list list = {NULL, 0, {RESULT_ANY, 0}};
        const char *why;
        if (!annotation_names_locks(a->kind))
            continue;
        const enum lock_status status = lock_expr_annotation(&context, &p->arena, a, &list, &why);
        if (status == LOCK_WRONG)
            return 0;
        h = hash_add(h, status);
        for (uint32_t k = 0; status == LOCK_RESOLVED && k < list.n_paths; k++) {
            const struct lock_path *path = &list.paths[k];
            h = hash_add(h, path_digest(p, lock_path_summary(p, path)));
            if (path->type_unit &&
                path->type_unit != u) /* completed there: for all that unit says of its type */
                h = hash_add(h, program_unit(p, path->type_unit)->id);
        }
    }
    return h | 1;
}

/* Of the function and its calls, what no step changes; 0: it cannot be told. */
static uint64_t fixed_part(struct program *p, struct steps *x, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    const uint64_t said = x->fixed[func] ? 1 : hash_annotations(p, func);
    uint64_t h;

    if (x->fixed[func] || !said)
        return x->fixed[func];
    h = hash_add(hash_add(x->environment, f->unit->id), hash_add(f->func, symbol_of_func(p, func)));
    h = hash_add(h, (uint64_t)f->internal << 3 | (uint64_t)f->address_taken << 2 |
                        (uint64_t)f->is_thread_entry << 1 | f->unchecked);
    h = hash_add(hash_add(h, said), hash_pointers(p, func));
    h = hash_add(h, unit_facts(p, x, f->unit));
    h = hash_add(h, hash_items(p, x, f));
    h = hash_add(h, hash_callers(p, f));
    h = hash_add(h, hash_levels(p, func));
    return x->fixed[func] = hash_add(h, hash_calls(p, func)) | 1;
}

uint64_t step_key(struct program *p, struct steps *x, uint32_t func, uint64_t callees, uint64_t own) {
    const uint64_t fixed = p->funcs.at[func].unit->id ? fixed_part(p, x, func) : 0;

    return fixed ? hash_add(hash_add(hash_add(fixed, callees), hash_candidates(p, func)), own) | 1 : 0;
}
