/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Walks forward from a hand-off, each block once, and stops where the other side may be done or be waited for.
 * Stands on boundary_walk.h. Ways on which the hand-off failed are not walked. */
#include "boundary_walk.h"

#include <string.h>
#include "../base/alloc.h"
#include "region_flow.h"

struct walker {
    struct walk *w;
    const struct region_flow *f;
    const struct unit *u;
    const struct ir_func_rec *fr;
    bool *seen, *stops; /* by block; stops: the head of a loop that joins, however often it turns */
    uint64_t *acquired; /* by block: at its start */
    uint64_t now;
    VEC(uint32_t) work;
    place_id object;    /* that the region lies in */
    struct lifted_touches lifted; /* of that object */
    struct {
        uint32_t var;
        int64_t is;
    } constants[4]; /* locals that hold a constant all the way */
    uint32_t n_constants;
};

void walk_free(struct walk *w)
{
    vec_free(&w->uses);
    vec_free(&w->spawns);
}

static const struct ir_block_rec *block(const struct walker *k, uint32_t b)
{
    return &k->u->blocks[k->fr->blocks.first + b];
}

static uint32_t successor(const struct walker *k, const struct ir_block_rec *b, uint32_t i)
{
    return k->u->succs[b->succs.first + i].block - k->fr->blocks.first;
}

/* The block with the event; as many as there are blocks where none has it. */
static uint32_t block_of(const struct walker *k, ir_event ev)
{
    uint32_t b = 0;
    while (b < k->fr->blocks.count && !(ev >= block(k, b)->events.first && ev - block(k, b)->events.first < block(k, b)->events.count))
        b++;
    return b;
}

/* Region events of the IR event ev. */
static void events_of(const struct walker *k, ir_event ev, size_t *from, size_t *to)
{
    *from = k->f->first[ev - k->f->first_event];
    *to = k->f->first[ev - k->f->first_event + 1];
}

static bool named_directly(const struct region_flow *f, place_id p)
{
    place_id object = place_object(f, p);
    return object && (f->places[object].op == PLACE_LOCAL || f->places[object].op == PLACE_GLOBAL);
}

static place_id array_of(const struct region_flow *f, place_id p)
{
    return f->places[p].op == PLACE_INDEX ? f->places[p].a : p;
}

enum join_match { JOIN_OTHER, JOIN_THIS, JOIN_MAYBE };

static enum join_match join_of(const struct walker *k, const struct region_event *e)
{
    const struct handoff_spec *s = k->w->start->spawn;
    if (!s || !s->n_handles || !e->place)
        return JOIN_MAYBE;
    bool other = true;
    for (uint32_t i = 0; i < s->n_handles; i++) {
        if (array_of(k->f, s->handles[i]) == array_of(k->f, e->place))
            return s->handles[i] == e->place || !k->f->places[e->place].b || !k->f->places[s->handles[i]].b ? JOIN_THIS : JOIN_OTHER;
        other &= named_directly(k->f, s->handles[i]) && named_directly(k->f, e->place);
    }
    return other ? JOIN_OTHER : JOIN_MAYBE;
}

static bool overlaps(const struct walker *k, const struct region_event *e)
{
    if (!e->place)
        return false;
    bool whole = (e->flags & REGION_WHOLE) || e->op == REGION_FREE;
    return place_within(k->f, e->place, k->w->region) || (whole && place_within(k->f, k->w->region, e->place));
}

static void note_use(struct walk *w, const struct region_event *e, uint64_t acquired)
{
    for (size_t i = 0; i < w->uses.n; i++)
        if (w->uses.at[i].event == e) {
            w->uses.at[i].acquired |= acquired;
            return;
        }
    struct walk_use use = {e, acquired};
    vec_push(&w->uses, use);
}

/* Is the object found through an element that is not told from others of its array? Then another turn may well find another. */
static bool through_some_element(const struct region_flow *f, place_id p)
{
    for (;;) {
        const struct place *r = &f->places[p];
        if (r->op == PLACE_INDEX && !r->b)
            return true;
        if (r->op != PLACE_FIELD && r->op != PLACE_INDEX && r->op != PLACE_DEREF && r->op != PLACE_LOADED)
            return false;
        p = r->a;
    }
}

/* Returns false when the way ends here. */
static bool meet_region(struct walker *k, const struct region_event *e)
{
    struct walk *w = k->w;
    switch ((enum region_op)e->op) {
    case REGION_ORDER:
        if (w->start->op == REGION_PUT && e->event == w->start->event)
            return true; /* of the call that puts: what comes after that is known apart */
        k->now |= e->takes;
        w->takes |= e->takes;
        w->gives |= e->gives;
        w->unknown |= e->takes != 0;
        return true;
    case REGION_JOIN: {
        enum join_match match = join_of(k, e);
        w->joined |= match == JOIN_THIS;
        w->unknown |= match == JOIN_MAYBE;
        k->now = UINT64_MAX;
        if (match == JOIN_OTHER)
            w->takes = UINT64_MAX;
        return match == JOIN_OTHER;
    }
    case REGION_SPAWN:
        if (e->event == w->start->event && e->spawn->event == w->start->spawn->event && e->place == w->region) {
            w->again |= !through_some_element(k->f, w->region);
            return false;
        }
        if (e->place == w->region && e->event != w->start->event)
            vec_push(&w->spawns, e);
        return true;
    case REGION_READ: case REGION_WRITE: case REGION_FREE: case REGION_PASS: case REGION_SEND:
        if ((e->event != w->start->event || (e->flags & REGION_BRANCH)) && overlaps(k, e) && !(e->flags & REGION_MAYBE))
            note_use(w, e, k->now);
        return true;
    default:
        return true;
    }
}

static bool meet_handle(struct walker *k, const struct region_event *e)
{
    struct walk *w = k->w;
    place_id object = place_object(k->f, w->handle);
    bool touched = e->place && place_object(k->f, e->place) == object;
    if (e->op == REGION_JOIN || e->op == REGION_DETACH)
        return !(touched || !e->place || !named_directly(k->f, e->place));
    return !(touched && e->event != w->start->event);
}

/* The cleanup of a local struct: a group of threads, which knows whether any of them is left. */
static bool ends_a_struct(const struct walker *k, const struct region_event *e)
{
    const struct place *handle = &k->f->places[k->w->joined_handle];
    uint32_t kind = k->u->types[type_plain(k->u, k->u->vars[handle->a].type)].kind;
    return k->u->events[e->event].flags & IR_SF_CLEANUP && (kind == IR_T_STRUCT || kind == IR_T_UNION);
}

static bool meet_join(struct walker *k, const struct region_event *e)
{
    struct walk *w = k->w;
    if (e->op == REGION_JOIN && e->place == w->joined_handle) {
        if (!ends_a_struct(k, e))
            w->second_join = e;
        return false;
    }
    bool touched = e->place && place_object(k->f, e->place) == place_object(k->f, w->joined_handle);
    if (e->op == REGION_SPAWN)
        for (uint32_t i = 0; i < e->spawn->n_handles; i++)
            touched |= e->spawn->handles[i] == w->joined_handle;
    return !(touched && e->op != REGION_READ);
}

static bool meet(struct walker *k, const struct region_event *e)
{
    return k->w->region ? meet_region(k, e) : k->w->handle ? meet_handle(k, e) : meet_join(k, e);
}

/* The life of the local in question ends here, or begins anew. Returns false when the way ends. */
static bool lives_on(struct walker *k, ir_event ev)
{
    const struct ir_event_rec *r = &k->u->events[ev];
    const struct place *object = &k->f->places[k->object];
    if ((object->op == PLACE_HEAP || object->op == PLACE_RESULT) && object->a == ev && ev != k->w->start->event)
        return false; /* another object from now on */
    if (object->op == PLACE_LOADED && object->b == ev && ev != k->w->start->event)
        return false;
    if (object->op != PLACE_LOCAL)
        return true;
    uint32_t kind = k->u->vars[object->a].kind;
    bool ends = (r->op == IR_EV_END && r->a == object->a) || (r->op == IR_EV_RETURN && kind != IR_V_STATIC_LOCAL);
    if (ends && kind != IR_V_STATIC_LOCAL) {
        bool better = !k->w->dies.loc || (k->w->dies.acquired && !k->now);
        if (k->w->region && better)
            k->w->dies = (struct walk_death){r->loc ? r->loc : k->fr->body_end, k->now};
        k->w->handle_lost |= k->w->handle != 0;
        return false;
    }
    return !(r->op == IR_EV_BEGIN && r->a == object->a);
}

/* Does the call at ev join, and end the way? What it touches after that is not on it. */
static bool joins_at(const struct walker *k, ir_event ev)
{
    size_t i, end;
    for (events_of(k, ev, &i, &end); i < end; i++)
        if (k->f->events[i].op == REGION_JOIN && join_of(k, &k->f->events[i]) != JOIN_OTHER)
            return true;
    return false;
}

/* The first of the accesses at ev or later. */
static uint32_t lifted_from(const struct lifted_touches *l, ir_event ev)
{
    uint32_t low = 0, high = l->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (l->at[middle].event < ev)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What is called at ev touches the object in question; *at goes past it. Returns false when the way ends here. */
static bool meet_lifted(struct walker *k, ir_event ev, uint32_t *at)
{
    bool joins = k->w->region && *at < k->lifted.n && k->lifted.at[*at].event == ev && joins_at(k, ev), on = true;
    for (; *at < k->lifted.n && k->lifted.at[*at].event == ev; ++*at)
        if (!joins || k->lifted.at[*at].acquired != UINT64_MAX)
            on &= meet(k, &k->lifted.at[*at]);
    return on;
}

/* Walk the events of block b from the given one on; false when the way ends inside. */
static bool through(struct walker *k, uint32_t b, ir_event from, size_t skip)
{
    const struct ir_block_rec *rec = block(k, b);
    uint32_t lifted = lifted_from(&k->lifted, from);
    for (ir_event ev = from; ev < rec->events.first + rec->events.count; ev++) {
        size_t i, end;
        if (!skip && !lives_on(k, ev))
            return false;
        if (!meet_lifted(k, ev, &lifted))
            return false;
        events_of(k, ev, &i, &end);
        for (i = skip ? skip : i; i < end; i++)
            if (!meet(k, &k->f->events[i]))
                return false;
        skip = 0;
    }
    return true;
}

/* Can the result that the hand-off needs also take the given side of the branch? */
static bool agrees(const struct result_when *when, const struct branch_fact *b, bool taken)
{
    const int64_t samples[] = {when->value - 1, when->value, when->value + 1, b->value - 1, b->value, b->value + 1, -1, 0, 1, 1000000};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        int64_t v = samples[i];
        bool spawned = when->test == RESULT_ANY   ? true
                       : when->test == RESULT_EQ ? v == when->value
                       : when->test == RESULT_NE ? v != when->value
                       : when->test == RESULT_LT ? v < when->value
                       : when->test == RESULT_LE ? v <= when->value
                       : when->test == RESULT_GT ? v > when->value
                                                 : v >= when->value;
        bool condition = b->test == IR_B_EQ   ? v == b->value
                         : b->test == IR_B_NE ? v != b->value
                         : b->test == IR_B_LT ? v < b->value
                         : b->test == IR_B_LE ? v <= b->value
                         : b->test == IR_B_GT ? v > b->value
                                              : v >= b->value;
        if (spawned && condition == taken)
            return true;
    }
    return false;
}

/* ---- a flag that says whether it was handed over ---- */

/* The local that the event gives a value to; 0: none that can be told. */
static uint32_t written_var(const struct unit *u, const struct ir_event_rec *r)
{
    ir_expr to = r->op == IR_EV_STORE || r->op == IR_EV_CALL ? r->a : r->op == IR_EV_ATOMIC ? r->b : 0;
    return r->op == IR_EV_BEGIN ? r->a : to && u->exprs[to].op == IR_E_VAR ? u->exprs[to].a : 0;
}

static void forget_constant(struct walker *k, uint32_t var)
{
    for (uint32_t i = 0; var && i < k->n_constants; i++)
        if (k->constants[i].var == var)
            k->constants[i--] = k->constants[--k->n_constants];
}

static void note_constant(struct walker *k, const struct ir_event_rec *r)
{
    uint32_t var = written_var(k->u, r), most = sizeof k->constants / sizeof *k->constants;
    const struct ir_expr_rec *value = r->op == IR_EV_STORE ? &k->u->exprs[ir_uncast(k->u, r->b)] : NULL;

    forget_constant(k, var);
    if (!var || !value || value->op != IR_E_CONST || k->n_constants == most || (k->u->vars[var].flags & IR_VF_ADDRESSED) ||
        (k->u->vars[var].kind != IR_V_LOCAL && k->u->vars[var].kind != IR_V_TEMP))
        return;
    k->constants[k->n_constants].var = var;
    k->constants[k->n_constants++].is = (int64_t)((uint64_t)value->b << 32 | value->a);
}

/* The only block that a way on which the hand-off worked comes to from b; UINT32_MAX: there are several, or none. */
static uint32_t only_next(const struct walker *k, uint32_t b)
{
    const struct ir_block_rec *rec = block(k, b);
    const struct branch_fact *fact = &k->f->branches[b];
    const struct handoff_spec *spawn = k->w->start->spawn;
    bool asked = rec->term == IR_TERM_BRANCH && fact->event && fact->event == k->w->start->event && spawn;
    uint32_t next = UINT32_MAX, n = 0;
    for (uint32_t i = 0; i < rec->succs.count; i++)
        if (!asked || agrees(&spawn->when, fact, i == 0)) {
            next = successor(k, rec, i);
            n++;
        }
    return n == 1 ? next : UINT32_MAX;
}

/* put(job); result = 0; out: … if (result) free(job): what the hand-off and all that
 * surely follows it leave in locals that nothing sets later. */
static void find_constants(struct walker *k, uint32_t start)
{
    VEC(uint32_t) work = {0};
    bool *seen = xcalloc(k->fr->blocks.count, sizeof *seen), *sure = xcalloc(k->fr->blocks.count, sizeof *sure);
    for (uint32_t b = start; b != UINT32_MAX && !sure[b]; b = only_next(k, b)) {
        struct ir_range events = block(k, b)->events;
        for (ir_event ev = events.first; ev < events.first + events.count; ev++)
            note_constant(k, &k->u->events[ev]);
        sure[b] = true;
    }
    seen[start] = true;
    vec_push(&work, start);
    while (work.n && k->n_constants) {
        uint32_t b = vec_pop(&work);
        struct ir_range events = block(k, b)->events;
        for (ir_event ev = events.first; !sure[b] && ev < events.first + events.count; ev++)
            forget_constant(k, written_var(k->u, &k->u->events[ev]));
        for (uint32_t i = 0; i < block(k, b)->succs.count; i++) {
            uint32_t to = successor(k, block(k, b), i);
            if (!seen[to]) {
                seen[to] = true;
                vec_push(&work, to);
            }
        }
    }
    vec_free(&work);
    free(seen);
    free(sure);
}

static bool constant_of(const struct walker *k, ir_expr e, int64_t *out)
{
    const struct ir_expr_rec *r = &k->u->exprs[ir_uncast(k->u, e)];
    if (r->op == IR_E_CONST) {
        *out = (int64_t)((uint64_t)r->b << 32 | r->a);
        return true;
    }
    for (uint32_t i = 0; i < k->n_constants && r->op == IR_E_LOAD; i++)
        if (k->u->exprs[r->a].op == IR_E_VAR && k->u->exprs[r->a].a == k->constants[i].var) {
            *out = k->constants[i].is;
            return true;
        }
    return false;
}

/* Do the constants decide the condition? */
static bool decides(const struct walker *k, ir_expr condition, bool *holds)
{
    const struct ir_expr_rec *r = &k->u->exprs[ir_uncast(k->u, condition)];
    int64_t a, b = 0;
    if (r->op == IR_E_UNARY && r->b == IR_U_LNOT) {
        bool known = decides(k, r->a, holds);
        *holds = !*holds;
        return known;
    }
    uint32_t test = IR_B_NE;
    if (r->op == IR_E_BINARY && r->c >= IR_B_EQ && r->c <= IR_B_GE) {
        test = r->c;
        if (!constant_of(k, r->a, &a) || !constant_of(k, r->b, &b))
            return false;
    } else if (!constant_of(k, condition, &a)) {
        return false;
    }
    *holds = test == IR_B_EQ   ? a == b
             : test == IR_B_NE ? a != b
             : test == IR_B_LT ? a < b
             : test == IR_B_LE ? a <= b
             : test == IR_B_GT ? a > b
                               : a >= b;
    return true;
}

static void leave(struct walker *k, uint32_t b)
{
    const struct ir_block_rec *rec = block(k, b);
    if (k->f->ends[b])
        return;
    k->w->returns |= rec->term == IR_TERM_RETURN;
    const struct branch_fact *fact = &k->f->branches[b];
    bool asked = rec->term == IR_TERM_BRANCH && fact->event && fact->event == k->w->start->event;
    static const struct result_when joined = {RESULT_EQ, 0};
    const struct result_when *when = k->w->start->spawn ? &k->w->start->spawn->when : &joined;
    bool silent = k->w->start->op == REGION_SEND && when->test == RESULT_ANY;
    bool inferred = k->w->start->spawn && k->w->start->spawn->result_known;
    if (asked && !inferred && (silent || k->w->start->func != k->f->func)) {
        k->w->unknown = true; /* a wrapper's result, or a queue's, where nothing tells which one says that it worked */
        return;
    }
    bool holds = false, decided = rec->term == IR_TERM_BRANCH && decides(k, rec->cond, &holds);
    for (uint32_t i = 0; i < rec->succs.count; i++) {
        uint32_t to = successor(k, rec, i);
        if (decided && holds != (i == 0))
            continue;
        if (asked && !agrees(when, fact, i == 0))
            continue;
        if (k->stops[to]) {
            k->w->unknown = true;
            continue;
        }
        const struct place *object = &k->f->places[k->object];
        if (object->op == PLACE_PHI && object->a == to)
            continue;
        if (!k->seen[to] || (k->now & ~k->acquired[to])) {
            k->seen[to] = true;
            k->acquired[to] |= k->now;
            vec_push(&k->work, to);
        }
    }
}

/* ---- loops that wait ---- */

/* Where each block is come from, and which block each event stands in: made once per walk of a function with loops. */
struct shape {
    uint32_t *first, *from; /* predecessors of b: from[first[b]] … from[first[b + 1] - 1] */
    bool *waits;            /* by block: an event in it ends ways */
    bool *inside;
};

static bool ends_ways(const struct walker *k, const struct region_event *e)
{
    if (k->w->handle)
        return e->op == REGION_JOIN || e->op == REGION_DETACH;
    if (k->w->joined_handle)
        return false;
    return (e->op == REGION_ORDER && e->takes) || (e->op == REGION_JOIN && join_of(k, e) != JOIN_OTHER);
}

static void shape_make(const struct walker *k, struct shape *s)
{
    uint32_t n = k->fr->blocks.count, edges = 0;
    s->first = xcalloc(n + 2, sizeof *s->first);
    for (uint32_t b = 0; b < n; b++)
        for (uint32_t i = 0; i < block(k, b)->succs.count; i++, edges++)
            s->first[successor(k, block(k, b), i) + 2]++;
    for (uint32_t b = 2; b < n + 2; b++)
        s->first[b] += s->first[b - 1];
    s->from = xcalloc(edges + 1, sizeof *s->from);
    for (uint32_t b = 0; b < n; b++)
        for (uint32_t i = 0; i < block(k, b)->succs.count; i++)
            s->from[s->first[successor(k, block(k, b), i) + 1]++] = b;
    s->waits = xcalloc(n, sizeof *s->waits);
    s->inside = xcalloc(n, sizeof *s->inside);
    for (uint32_t b = 0; b < n; b++) {
        struct ir_range events = block(k, b)->events;
        size_t i, end, unused;
        if (!events.count)
            continue;
        events_of(k, events.first, &i, &unused);
        events_of(k, events.first + events.count - 1, &unused, &end);
        for (; i < end && !s->waits[b]; i++)
            s->waits[b] = ends_ways(k, &k->f->events[i]);
    }
}

/* The loop that the edge from `last` to `head` closes: does it wait, and is the hand-off outside of it? */
static void mark_loop(const struct walker *k, struct shape *s, uint32_t head, uint32_t last, uint32_t start_block)
{
    VEC(uint32_t) body = {0};
    bool waits = false;
    s->inside[head] = true;
    vec_push(&body, head);
    if (last != head) {
        s->inside[last] = true;
        vec_push(&body, last);
    }
    for (size_t i = 0; i < body.n; i++) {
        uint32_t b = body.at[i];
        waits |= s->waits[b];
        for (uint32_t e = s->first[b]; b != head && e < s->first[b + 1]; e++)
            if (!s->inside[s->from[e]]) {
                s->inside[s->from[e]] = true;
                vec_push(&body, s->from[e]);
            }
    }
    k->stops[head] |= waits && !s->inside[start_block];
    for (size_t i = 0; i < body.n; i++)
        s->inside[body.at[i]] = false;
    vec_free(&body);
}

static void find_waiting_loops(const struct walker *k, uint32_t start_block)
{
    enum { MOST = 256 };
    struct shape s = {0};
    unsigned loops = 0;
    for (uint32_t b = 0; b < k->fr->blocks.count; b++)
        for (uint32_t i = 0; i < block(k, b)->succs.count; i++)
            if ((k->u->succs[block(k, b)->succs.first + i].flags & IR_SUCC_BACK) && loops++ < MOST) {
                if (!s.first)
                    shape_make(k, &s);
                mark_loop(k, &s, successor(k, block(k, b), i), b, start_block);
            }
    free(s.first);
    free(s.from);
    free(s.waits);
    free(s.inside);
}

void walk_from(struct walk *w)
{
    const struct region_flow *f = w->flow;
    struct walker k = {.w = w, .f = f, .u = f->unit->unit};
    k.fr = &k.u->funcs[f->p->funcs.at[f->func].func];
    k.seen = xcalloc(k.fr->blocks.count, sizeof *k.seen);
    k.stops = xcalloc(k.fr->blocks.count, sizeof *k.stops);
    k.acquired = xcalloc(k.fr->blocks.count, sizeof *k.acquired);
    k.object = place_object(f, w->region ? w->region : w->handle ? w->handle : w->joined_handle);
    k.lifted = regions_lifted(w->regions, f, k.object);
    uint32_t b = block_of(&k, w->start->event);
    bool put_here = w->start->op == REGION_PUT && w->start->func == f->func; /* the event is where others come to see it */
    uint32_t given = put_here ? block_of(&k, w->start->spawn->event) : b;
    if (b < k.fr->blocks.count) {
        find_waiting_loops(&k, b);
        if (given < k.fr->blocks.count)
            find_constants(&k, given);
        k.now = w->start->awaited_inside;
        w->takes |= k.now;
        w->unknown |= k.now != 0;
        if (through(&k, b, w->start->event, (size_t)(w->start - f->events) + 1))
            leave(&k, b);
        while (k.work.n) {
            b = vec_pop(&k.work);
            k.now = k.acquired[b];
            if (through(&k, b, block(&k, b)->events.first, 0))
                leave(&k, b);
        }
    }
    free(k.seen);
    free(k.stops);
    free(k.acquired);
    vec_free(&k.work);
}
