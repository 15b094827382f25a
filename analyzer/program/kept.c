/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Follows each value of a task from where it is written over a wait to where it is used.
 * Stands on kept_walk.h. One forward pass to a fixpoint per task function: of each item the write that reaches a point, and
 * the wait that lies between. What is written anew after the wait is forgotten, so only certain pairs are left. */
#include "kept_walk.h"

#include <string.h>
#include "../base/alloc.h"
#include "boundary.h"

static ir_loc loc_of_event(const struct kept_walk *w, uint32_t relative) {
    return w->u->events[w->first_event + relative].loc;
}

static ir_loc wait_place(const struct kept_walk *w, uint32_t wait) {
    const uint32_t n_blocks = w->fr->blocks.count;

    if (wait == WAIT_START)
        return 0;
    if (wait > n_blocks)
        return loc_of_event(w, wait - n_blocks - 1);
    const struct ir_block_rec *b = &w->u->blocks[w->fr->blocks.first + wait - 1];
    for (uint32_t i = 0; i < b->events.count; i++)
        if (w->u->events[b->events.first + i].loc)
            return w->u->events[b->events.first + i].loc;
    return b->loc;
}

static uint32_t wait_callee(const struct kept_walk *w, uint32_t wait) {
    const uint32_t n_blocks = w->fr->blocks.count;
    uint32_t n;
    const struct call_edge *e;

    if (wait == WAIT_START || wait <= n_blocks)
        return 0;
    e = program_calls(w->p, w->func, w->first_event + wait - n_blocks - 1, &n);
    return n ? e[0].callee : 0;
}

static bool holds_thread_address(const struct kept_walk *w, uint32_t def) {
    const struct ir_event_rec *ev;
    ir_expr e;

    if (!def || def == DEF_BEFORE)
        return false;
    ev = &w->u->events[w->first_event + def - 1];
    if (ev->op == IR_EV_CALL)
        return kept_is_errno(w->p, w->lu, ev);
    if (ev->op != IR_EV_STORE)
        return false;
    e = ir_uncast(w->u, ev->b);
    if (w->u->exprs[e].op != IR_E_ADDR)
        return false;
    e = w->u->exprs[e].a;
    while (w->u->exprs[e].op == IR_E_FIELD)
        e = w->u->exprs[e].a;
    return w->u->exprs[e].op == IR_E_VAR && w->u->vars[w->u->exprs[e].a].flags & IR_VF_TLS;
}

static struct trait_verdict send_of(const struct kept_walk *w, ir_type type, struct ir_range annots) {
    const enum pointer_role role = traits_role(w->u, type, annots);
    const ir_type plain = type_plain(w->u, type);

    if (role != ROLE_NONE && w->u->types[plain].kind == IR_T_POINTER)
        return traits_of_pointer(w->p->boundaries->traits, w->u, w->u->types[plain].elem, role, TRAIT_SEND);
    return traits_of(w->p->boundaries->traits, w->u, type, TRAIT_SEND);
}

static bool accuses(const struct kept_walk *w, struct trait_verdict v) {
    const struct trait_reason *end = trait_reason_end(v.reason);

    if (v.answer == ANSWER_YES || (v.answer == ANSWER_UNKNOWN && w->p->options.level < 2))
        return false;
    return !end || end->because != BECAUSE_GUARD; /* a held lock is lock-across-yield's business */
}

void kept_found(struct kept_walk *w, uint32_t item, ir_loc used) {
    const struct kept_item *it = &w->items.at[item];
    const struct kept_track *t = &w->now[item];
    struct kept k = {.func = w->func,
                     .unit = w->u,
                     .var = it->var,
                     .field = it->field,
                     .wait = wait_place(w, t->wait),
                     .used = used,
                     .written = t->def && t->def != DEF_BEFORE ? loc_of_event(w, t->def - 1) : 0,
                     .callee = wait_callee(w, t->wait)};

    if (w->told[item] == t->wait)
        return;
    if (kept_is_thread_item(w, item)) {
        k.kind = KEPT_THREAD;
    } else if (holds_thread_address(w, t->def)) {
        k.kind = KEPT_THREAD_ADDRESS;
    } else if (it->field) {
        k.kind = KEPT_FIELD;
        k.send = traits_of_field(w->p->boundaries->traits, w->u, it->field, TRAIT_SEND);
        if (!accuses(w, k.send))
            return;
    } else if (w->frame) {
        if (it->exposed || it->remade)
            return;
        k.kind = KEPT_LOCAL;
    } else {
        k.kind = KEPT_VALUE;
        k.send = send_of(w, w->u->vars[it->var].type, w->u->vars[it->var].annots);
        if (!accuses(w, k.send))
            return;
    }
    w->told[item] = t->wait;
    vec_push(&w->out->all, k);
}

void kept_found_address(struct kept_walk *w, uint32_t item, ir_loc written, ir_loc wait, uint32_t callee) {
    vec_push(&w->out->all, ((struct kept){.kind = KEPT_ADDRESS,
                                          .func = w->func,
                                          .unit = w->u,
                                          .var = w->items.at[item].var,
                                          .written = written,
                                          .wait = wait,
                                          .callee = callee}));
}

/* ---- the address of a local in the frame ---- */
static ir_expr local_address(const struct kept_walk *w, const struct ir_event_rec *ev) {
    ir_expr e = ir_uncast(w->u, ev->b);
    return w->u->exprs[e].op == IR_E_ADDR ? w->u->exprs[e].a : 0;
}

/* Can the task come back after event e with what member `field` then holds still in it? The place it comes
 * back at, or 0. */
static ir_loc comes_back_with(const struct kept_walk *w, ir_event store, uint32_t block, uint32_t field) {
    const uint32_t n = w->fr->blocks.count, first = w->fr->blocks.first;
    bool *seen = xcalloc(n, sizeof *seen);
    uint32_t *stack = xcalloc(n + 1, sizeof *stack), top = 0;
    ir_loc at = 0;
    bool start = true;

    for (stack[top++] = block; top && !at; start = false) {
        const uint32_t b = stack[--top];
        const struct ir_block_rec *rec = &w->u->blocks[first + b];
        bool over = false;
        if (!start && w->comes_back[b]) {
            at = wait_place(w, b + 1);
            break;
        }
        for (uint32_t i = 0; i < rec->events.count && !over; i++) {
            const ir_event e = rec->events.first + i;
            over = (!start || e > store) && w->u->events[e].op == IR_EV_STORE &&
                   kept_item_of(w, w->u->events[e].a) == field;
        }
        for (uint32_t i = 0; i < rec->succs.count && !over; i++) {
            const uint32_t to = w->u->succs[rec->succs.first + i].block - first;
            if (!seen[to]) {
                seen[to] = true;
                stack[top++] = to;
            }
        }
    }
    free(seen);
    free(stack);
    return at;
}

static void find_kept_addresses(struct kept_walk *w) {
    for (uint32_t b = 0; b < w->fr->blocks.count; b++) {
        const struct ir_block_rec *rec = &w->u->blocks[w->fr->blocks.first + b];
        for (uint32_t i = 0; i < rec->events.count; i++) {
            const struct ir_event_rec *ev = &w->u->events[rec->events.first + i];
            const ir_expr of = ev->op == IR_EV_STORE ? local_address(w, ev) : 0;
            const uint32_t item = of ? kept_item_of(w, of) : 0, field = of ? kept_item_of(w, ev->a) : 0;
            ir_loc wait;
            if (!item || !field || !w->items.at[item].var || kept_is_thread_item(w, item) ||
                !w->items.at[field].field)
                continue;
            wait = comes_back_with(w, rec->events.first + i, b, field);
            if (wait)
                kept_found_address(w, item, ev->loc, wait, 0);
        }
    }
}

/* ---- the whole function ---- */
static bool merge(struct kept_track *into, const struct kept_track *from, size_t n) {
    bool changed = false;

    for (size_t i = 0; i < n; i++) {
        if (from[i].def && !into[i].def) {
            into[i].def = from[i].def;
            changed = true;
        }
        if (from[i].wait && !into[i].wait) {
            into[i].wait = from[i].wait;
            changed = true;
        }
    }
    return changed;
}

/* The task comes back at block b: locals that were written are lost, members of the frame have crossed. */
static void come_back(struct kept_walk *w, uint32_t b) {
    for (uint32_t i = 1; i < w->items.n; i++) {
        const struct kept_item *it = &w->items.at[i];
        if (!it->field && w->only_back[b] && !w->now[i].def)
            w->now[i].def = w->left[i].def;
        if (it->field ? !w->now[i].wait || w->now[i].wait == WAIT_START
                      : w->now[i].def && !w->now[i].wait && !kept_is_thread_item(w, i))
            w->now[i].wait = b + 1;
    }
}

/* Behind the switch nothing counts as written yet: what was, is again each time the task comes back. */
static void begin_anew(struct kept_walk *w) {
    for (uint32_t i = 1; i < w->items.n; i++) {
        const uint32_t def = w->now[i].def;
        if (w->items.at[i].field)
            continue;
        if (def && def != DEF_BEFORE) {
            const struct ir_event_rec *ev = &w->u->events[w->first_event + def - 1];
            ir_expr e = ir_uncast(w->u, ev->op == IR_EV_STORE ? ev->b : 0);
            if (!e || (w->u->exprs[e].op != IR_E_CONST && w->u->exprs[e].op != IR_E_INIT))
                w->items.at[i].remade = true;
        }
        w->now[i] = (struct kept_track){0, 0};
    }
}

static bool pass(struct kept_walk *w) {
    const uint32_t n = (uint32_t)w->items.n, first = w->fr->blocks.first;
    bool changed = false;

    for (uint32_t b = 0; b < w->fr->blocks.count; b++) {
        const struct ir_block_rec *rec = &w->u->blocks[first + b];
        memcpy(w->now, w->in + (size_t)b * n, n * sizeof *w->now);
        if (w->comes_back[b])
            come_back(w, b);
        for (uint32_t i = 0; i < rec->events.count; i++) {
            w->event = rec->events.first + i;
            kept_event(w);
        }
        if (rec->cond)
            kept_read_value(w, rec->cond);
        if (w->resume && first + b == w->resume)
            begin_anew(w);
        for (uint32_t i = 0; i < rec->succs.count; i++)
            changed |=
                merge(w->in + (size_t)(w->u->succs[rec->succs.first + i].block - first) * n, w->now, n);
    }
    return changed;
}

static bool only_begins(const struct kept_walk *w, ir_block b) {
    const struct ir_block_rec *rec = &w->u->blocks[b];

    for (uint32_t i = 0; i < rec->events.count; i++)
        if (w->u->events[rec->events.first + i].op != IR_EV_BEGIN)
            return false;
    return rec->term == IR_TERM_GOTO && rec->events.count;
}

/* A jump into a scope first begins the lives it skips, in a block of its own. */
static ir_block behind_begins(const struct kept_walk *w, ir_block b) {
    return only_begins(w, b) ? w->u->succs[w->u->blocks[b].succs.first].block : b;
}

/* Where does the switch over the frame lead? */
static void find_resume(struct kept_walk *w) {
    const uint32_t first = w->fr->blocks.first;

    for (uint32_t b = 0; w->frame && b < w->fr->blocks.count && !w->resume; b++) {
        const struct ir_block_rec *rec = &w->u->blocks[first + b];
        if ((rec->term != IR_TERM_SWITCH && rec->term != IR_TERM_INDIRECT) ||
            !kept_from_frame(w->u, rec->cond, w->frame))
            continue;
        w->resume = first + b;
        for (uint32_t i = 0; i < rec->succs.count; i++) {
            const struct ir_succ_rec *s = &w->u->succs[rec->succs.first + i];
            const bool start = s->flags & IR_SUCC_DEFAULT ||
                               (s->flags & IR_SUCC_CASE && !s->lo[0] && !s->lo[1] && !s->hi[0] && !s->hi[1]);
            const uint32_t to = behind_begins(w, s->block) - first;
            if (!start)
                w->comes_back[to] = w->only_back[to] = true;
        }
    }
    for (uint32_t b = 0; w->resume && b < w->fr->blocks.count; b++)
        for (uint32_t i = 0;
             first + b != w->resume && !only_begins(w, first + b) && i < w->u->blocks[first + b].succs.count;
             i++)
            w->only_back[w->u->succs[w->u->blocks[first + b].succs.first + i].block - first] = false;
}

static void find_items(struct kept_walk *w) {
    const struct linked_struct *ls;

    vec_push(&w->items, ((struct kept_item){0, 0, false, false}));
    for (uint32_t i = 0; i < w->n_vars; i++)
        vec_push(&w->items, ((struct kept_item){w->first_var + i, 0, false, false}));
    if (w->frame) {
        const ir_type s = kept_frame_struct(w->u, w->frame);
        ls = s && w->lu->structs[s] ? &w->p->structs.at[w->lu->structs[s]] : NULL;
        for (uint32_t i = 0; ls && i < w->u->types[s].fields.count; i++)
            if (strcmp(unit_str(w->u, w->u->fields[w->u->types[s].fields.first + i].name), "aglet_") != 0)
                vec_push(&w->items, ((struct kept_item){0, w->u->types[s].fields.first + i, false, false}));
    }
    for (ir_var v = 1; v < w->u->n_vars; v++)
        if (w->u->vars[v].flags & IR_VF_TLS && !(v >= w->first_var && v - w->first_var < w->n_vars))
            vec_push(&w->items, ((struct kept_item){v, 0, false, false}));
    w->errno_item = (uint32_t)w->items.n;
    vec_push(&w->items, ((struct kept_item){0, 0, false, false}));
}

static void start_state(struct kept_walk *w) {
    for (uint32_t i = 0; i < w->fr->params.count; i++)
        if (!w->frame)
            w->in[w->fr->params.first + i - w->first_var + 1].def = DEF_BEFORE;
    for (uint32_t i = 1; w->frame && i < w->items.n; i++)
        if (w->items.at[i].field)
            w->in[i].wait = WAIT_START;
}

static void look_at(struct kept_walk *w) {
    const uint32_t blocks = w->fr->blocks.count;

    w->first_var = w->fr->params.count ? w->fr->params.first : w->fr->locals.first;
    w->n_vars =
        w->fr->locals.count ? w->fr->locals.first + w->fr->locals.count - w->first_var : w->fr->params.count;
    w->first_event = w->u->blocks[w->fr->blocks.first].events.first;
    w->comes_back = xcalloc(blocks, sizeof *w->comes_back);
    w->only_back = xcalloc(blocks, sizeof *w->only_back);
    find_resume(w);
    if (w->frame && !w->resume) { /* it never comes back: a helper that is given the frame */
        free(w->comes_back);
        free(w->only_back);
        return;
    }
    find_items(w);
    w->in = xcalloc((size_t)blocks * w->items.n, sizeof *w->in);
    w->now = xcalloc(w->items.n, sizeof *w->now);
    w->left = xcalloc(w->items.n, sizeof *w->left);
    w->told = xcalloc(w->items.n, sizeof *w->told);
    start_state(w);
    while (pass(w))
        ;
    w->recording = true;
    pass(w);
    if (w->resume)
        find_kept_addresses(w);
    free(w->in);
    free(w->now);
    free(w->left);
    free(w->told);
    free(w->comes_back);
    free(w->only_back);
    vec_free(&w->items);
}

struct kept_facts *kept_find(const struct program *p) {
    struct kept_facts *k = xcalloc(1, sizeof *k);
    bool *moves = xcalloc(p->funcs.n + 1, sizeof *moves),
         *everywhere = xcalloc(p->funcs.n + 1, sizeof *everywhere);
    const bool any = kept_find_moves(p, moves, everywhere);

    for (uint32_t f = 1; f < p->funcs.n; f++) {
        const struct linked_func *lf = &p->funcs.at[f];
        struct kept_walk w = {.p = p,
                              .lu = lf->unit,
                              .u = lf->unit->unit,
                              .fr = &lf->unit->unit->funcs[lf->func],
                              .func = f,
                              .moves = moves,
                              .everywhere = everywhere[f],
                              .out = k};
        if (!lf->defined || lf->unchecked)
            continue;
        w.frame = func_frame(w.u, w.fr);
        if (w.frame || (any && (everywhere[f] || kept_calls_one(p, f, moves))))
            look_at(&w);
    }
    free(moves);
    free(everywhere);
    return k;
}

void kept_free(struct kept_facts *k) {
    if (!k)
        return;
    vec_free(&k->all);
    free(k);
}
