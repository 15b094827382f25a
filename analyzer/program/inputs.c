/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Hashes summaries member by member: padding says nothing, and names count by their text. Stands on inputs.h.
 * What stands behind `worlds` is read by check_needs and in memory_effects under `recording` only. A lock_effect's `open` is of the
 * call being done, never of a summary. */
#include "inputs.h"

/* A member that is not hashed is a change nobody sees. Whoever adds one adds it below, and its size here. */
#define HASHED(type, size)                                                                                   \
    _Static_assert(sizeof(void *) != 8 || sizeof(type) == (size),                                            \
                   "hash the new member of " #type " in this file, too")
HASHED(struct summary, 264);
HASHED(struct outcome, 184);
HASHED(struct lock_effect, 64);
HASHED(struct requirement, 64);
HASHED(struct inner_lock, 304);
HASHED(struct order_edge, 120);
HASHED(struct wait_effect, 96);
HASHED(struct summary_store, 8);
HASHED(struct wait_if, 40);

struct digest {
    uint64_t h;
};

static void add(struct digest *d, uint64_t x) {
    d->h = hash_add(d->h, x);
}

static void add_text(struct digest *d, const char *text) {
    add(d, text ? hash_string(text) : 0);
}

static void add_range(struct digest *d, struct range r) {
    add(d, (uint64_t)r.lo);
    add(d, (uint64_t)r.hi);
    add(d, r.nonzero);
}

static void add_site(struct digest *d, struct site s) {
    add(d, key_pair(s.func, s.loc));
}

static void add_when(struct digest *d, const struct precondition *when, uint32_t n) {
    add(d, n);
    for (uint32_t i = 0; i < n; i++) {
        add(d, when[i].of);
        add_range(d, when[i].range);
    }
}

static void add_outcome(struct digest *d, const struct outcome *o) {
    add(d, o->n_effects);
    for (uint32_t i = 0; i < o->n_effects; i++) {
        const struct lock_effect *e = &o->effects[i];
        add(d, key_pair(e->lock, e->candidate));
        add(d, e->kind | (uint64_t)e->shared << 8 | (uint64_t)e->async << 9 | (uint64_t)e->maybe << 10 |
                   (uint64_t)e->soft << 11 | (uint64_t)e->guard << 12);
        if (e->soft)
            add_range(d, e->ok);
        add(d, (uint64_t)e->also);
        add_site(d, e->site);
    }
    add_range(d, o->result);
    add_when(d, o->when, o->n_when);
    add(d, o->n_left);
    for (uint32_t i = 0; i < o->n_left; i++) {
        add(d, key_pair(o->left[i].at, o->left[i].kept));
        add_range(d, o->left[i].range);
    }
}

static void add_requirement(struct digest *d, const struct requirement *r) {
    add(d, key_pair(r->lock, r->object));
    add(d, r->reason | (uint64_t)r->write << 8 | (uint64_t)r->excluded << 9);
    add_site(d, r->site);
    add_site(d, r->via);
    add_text(d, r->data);
    add_text(d, r->guard);
    add(d, key_pair(r->field, r->global));
    add(d, r->candidate);
}

static void add_order(struct digest *d, const struct order_edge *e) {
    add(d, key_pair(e->from, e->to));
    add(d, key_pair(e->func, e->event));
    add(d, (uint64_t)e->from_shared << 1 | e->to_shared | (uint64_t)e->held_at << 32);
    add(d, key_pair(e->relation, e->link));
    add(d, e->held_event);
    add_site(d, e->origin);
    add_site(d, e->inner);
    add_text(d, e->from_name);
    add_text(d, e->to_name);
    add_text(d, e->from_here);
    add_text(d, e->to_here);
    add(d, e->n_gates);
    for (uint32_t i = 0; i < e->n_gates; i++)
        add(d, e->gates[i]);
}

static void add_terms(struct digest *d, const term *list, uint32_t n) {
    add(d, n);
    for (uint32_t i = 0; i < n; i++)
        add(d, list[i]);
}

struct summary_hash summary_hash(const struct summary *s) {
    struct digest d = {1};
    struct summary_hash out = {0, 0};

    if (!s)
        return out;
    add(&d, s->n_outcomes);
    for (uint32_t i = 0; i < s->n_outcomes; i++)
        add_outcome(&d, &s->outcomes[i]);
    add(&d, s->n_waits);
    for (uint32_t i = 0; i < s->n_waits; i++) {
        const struct wait_effect *w = &s->waits[i];
        add(&d, key_pair(w->condition, w->lock));
        add_site(&d, w->site);
        add(&d, (uint64_t)w->open << 2 | (uint64_t)w->timed << 1 | w->looped);
        add_when(&d, w->when, w->n_when);
    }
    add(&d, s->n_stores);
    for (uint32_t i = 0; i < s->n_stores; i++)
        add(&d, key_pair(s->stores[i].at, s->stores[i].value));
    add_terms(&d, s->inits, s->n_inits);
    for (uint32_t i = 0; i < s->n_destroys; i++)
        if (s->destroys_always >> i & 1)
            add(&d, s->destroys[i]);
    add(&d, (uint64_t)(uintptr_t)s->mods); /* equal sets are one */
    add(&d, s->escapes);
    add(&d, s->leaves);
    add(&d, s->writes);
    add(&d, s->reads);
    add(&d, s->frees);
    add(&d, s->frees_always);
    add(&d, s->recursive_attr);
    add(&d, s->recursive_inits);
    add(&d, (uint64_t)s->fresh << 3 | (uint64_t)s->never_returns << 2 | (uint64_t)s->blocks_always << 1 |
                s->known);
    add(&d, key_pair(s->returns, s->effects));
    out.worlds = d.h;
    add(&d, s->n_requirements);
    for (uint32_t i = 0; i < s->n_requirements; i++)
        add_requirement(&d, &s->requirements[i]);
    add(&d, s->n_inner);
    for (uint32_t i = 0; i < s->n_inner; i++) {
        const struct inner_lock *in = &s->inner[i];
        add(&d, key_pair(in->lock, in->shared));
        add_site(&d, in->site);
        add_when(&d, in->when, in->n_when);
        add(&d, key_pair(in->without[0], in->without[1])); /* via: for stories only */
    }
    add(&d, s->n_orders);
    for (uint32_t i = 0; i < s->n_orders; i++)
        add_order(&d, &s->orders[i]);
    add_terms(&d, s->destroys, s->n_destroys);
    add(&d, s->destroys_always);
    for (int i = 0; i < 4; i++)
        add_site(&d, s->effect_at[i]);
    add(&d, s->n_wait_ifs);
    for (uint32_t i = 0; i < s->n_wait_ifs; i++) {
        const struct wait_if *w = &s->wait_ifs[i];
        add(&d, key_pair(w->value, w->only.test | (uint32_t)w->always << 8 | (uint32_t)w->called << 9));
        add(&d, (uint64_t)w->only.value);
        add(&d, key_pair(w->event, w->callee));
        add(&d, w->next);
    }
    out.all = d.h;
    return out;
}
