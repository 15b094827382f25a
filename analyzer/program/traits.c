/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Send, Sync and Frozen of types: one node per (type, trait), the greatest fixpoint over them.
 * Stands on traits_derive.h, which says what one node's answer follows from. */
#include "traits_derive.h"

struct traits *traits_new(const struct models *models,
                          const struct unit *(*complete)(void *data, const char *name, ir_type *type),
                          void *data) {
    struct traits *t = xcalloc(1, sizeof *t);
    t->models = models;
    t->complete = complete;
    t->data = data;
    vec_add(&t->node); /* 0 is none */
    vec_add(&t->edges);
    return t;
}

void traits_free(struct traits *t) {
    if (!t)
        return;
    arena_free(&t->arena);
    map64_free(&t->units);
    map64_free(&t->nodes);
    map64_free(&t->counts);
    vec_free(&t->node);
    vec_free(&t->edges);
    vec_free(&t->stack);
    vec_free(&t->queue);
    free(t);
}

uint32_t traits_unit(struct traits *t, const struct unit *u) {
    uint32_t *place = map64_place(&t->units, (uint64_t)(uintptr_t)u, NULL);
    if (!*place)
        *place = t->units.n;
    return *place;
}

static uint32_t node_of(struct traits *t, const struct unit *u, ir_type type, enum trait trait) {
    uint64_t key = (uint64_t)traits_unit(t, u) << 34 | (uint64_t)type << 2 | trait;
    bool is_new;
    uint32_t *place = map64_place(&t->nodes, key, &is_new);
    if (is_new) {
        *place = (uint32_t)t->node.n;
        struct node *n = vec_add(&t->node);
        n->unit = u;
        n->type = type;
        n->trait = (uint8_t)trait;
        n->answer = ANSWER_YES;
    }
    return *place;
}

struct trait_verdict traits_ask(struct traits *t, const struct unit *u, ir_type type, enum trait trait) {
    uint32_t id = node_of(t, u, type, trait);
    struct node *n = &t->node.at[id];
    if (t->entering && !n->solved) {
        struct edge e = {t->evaluating, n->parents};
        n->parents = (uint32_t)t->edges.n;
        vec_push(&t->edges, e);
        if (!n->entered)
            vec_push(&t->stack, id);
    }
    n = &t->node.at[id];
    return (struct trait_verdict){(enum answer)n->answer, n->reason};
}

void traits_refcount(struct traits *t, const struct unit *u, ir_type type, ir_field counter) {
    map64_put(&t->counts, key_pair(traits_unit(t, u), traits_stripped(u, type)), counter);
}

static void lower_to(struct traits *t, uint32_t id, struct trait_verdict v) {
    if (v.answer >= t->node.at[id].answer)
        return;
    t->node.at[id].answer = (uint8_t)v.answer;
    t->node.at[id].reason = v.reason;
    for (uint32_t e = t->node.at[id].parents; e; e = t->edges.at[e].next) {
        struct node *parent = &t->node.at[t->edges.at[e].parent];
        if (parent->answer > v.answer && !parent->queued) {
            parent->queued = true;
            vec_push(&t->queue, t->edges.at[e].parent);
        }
    }
}

static void lower(struct traits *t, uint32_t id) {
    const struct node n = t->node.at[id];
    if (n.answer == ANSWER_NO)
        return;
    t->evaluating = id;
    lower_to(t, id, traits_evaluate(t, n.unit, n.type, (enum trait)n.trait));
}

/* From `root` down: first every node it reaches is entered, then each is lowered when its children are, then whoever asked
 * for a node that went down again after him. Reasons point only to nodes that went down before, so chains end. */
static void solve(struct traits *t, uint32_t root) {
    if (t->node.at[root].solved)
        return;
    vec_clear(&t->stack);
    vec_clear(&t->queue);
    t->edges.n = 1;
    vec_push(&t->stack, root);
    VEC(uint32_t) entered = {0};
    while (t->stack.n) {
        uint32_t id = vec_last(&t->stack);
        struct node *n = &t->node.at[id];
        if (n->entered) {
            (void)vec_pop(&t->stack);
            if (!n->solved && !n->leaf)
                lower(t, id);
            continue;
        }
        n->entered = true;
        vec_push(&entered, id);
        t->evaluating = id;
        t->entering = true;
        const size_t asked = t->edges.n;
        const struct trait_verdict v = traits_evaluate(t, n->unit, n->type, (enum trait)n->trait);
        t->entering = false;
        if (t->edges.n == asked) { /* nothing that may still change: that is the answer */
            t->node.at[id].leaf = true;
            lower_to(t, id, v);
        }
    }
    for (size_t i = 0; i < t->queue.n; i++) {
        t->node.at[t->queue.at[i]].queued = false;
        lower(t, t->queue.at[i]);
    }
    for (size_t i = 0; i < entered.n; i++) {
        t->node.at[entered.at[i]].solved = true;
        t->node.at[entered.at[i]].parents = 0;
    }
    vec_free(&entered);
}

/* Evaluate something that is no node itself: once to meet its children, solve those, once more with their answers. */
#define WITH_CHILDREN_SOLVED(t, v, expression)                                                               \
    do {                                                                                                     \
        size_t before_ = (t)->node.n;                                                                        \
        (void)(expression);                                                                                  \
        for (size_t i_ = before_; i_ < (t)->node.n; i_++)                                                    \
            solve((t), (uint32_t)i_);                                                                        \
        (v) = (expression);                                                                                  \
    } while (0)

struct trait_verdict traits_of(struct traits *t, const struct unit *u, ir_type type, enum trait trait) {
    uint32_t id = node_of(t, u, type, trait);
    solve(t, id);
    return (struct trait_verdict){(enum answer)t->node.at[id].answer, t->node.at[id].reason};
}

struct trait_verdict traits_of_pointer(struct traits *t, const struct unit *u, ir_type pointee,
                                       enum pointer_role role, enum trait trait) {
    struct trait_verdict v;
    WITH_CHILDREN_SOLVED(t, v, traits_pointer(t, u, pointee, pointee, role, false, trait));
    return v;
}

struct trait_verdict traits_of_field(struct traits *t, const struct unit *u, ir_field field,
                                     enum trait trait) {
    struct trait_verdict v;
    WITH_CHILDREN_SOLVED(t, v, traits_member(t, u, field, trait));
    return v;
}

struct trait_verdict traits_by_members(struct traits *t, const struct unit *u, ir_type type,
                                       enum trait trait) {
    struct trait_verdict v;
    while (u->types[type].kind == IR_T_QUALIFIED)
        type = u->types[type].elem;
    if (u->types[type].kind == IR_T_TYPEDEF)
        WITH_CHILDREN_SOLVED(t, v, traits_place(t, u, u->types[type].elem, u->types[type].annots, trait));
    else
        WITH_CHILDREN_SOLVED(t, v, traits_record(t, u, type, trait, false));
    return v;
}
