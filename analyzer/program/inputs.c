/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Hashes summaries member by member: padding says nothing, and names count by their text. Stands on inputs.h.
 * What stands behind `worlds` is read by check_needs and in memory_effects under `recording` only. A lock_effect's `open` is of the
 * call being done, never of a summary. */
#include "inputs.h"
#include "blocks_when.h"
#include "lock_facts.h"

/* A member that is not hashed is a change nobody sees. Whoever adds one adds it below, and its size here. */
#define HASHED(type, size)                                                                                   \
    _Static_assert(sizeof(void *) != 8 || sizeof(type) == (size),                                            \
                   "hash the new member of " #type " in this file, too")
HASHED(struct summary, 264);
HASHED(struct outcome, 184);
HASHED(struct lock_effect, 64);
HASHED(struct requirement, 200);
HASHED(struct inner_lock, 304);
HASHED(struct order_edge, 120);
HASHED(struct wait_effect, 96);
HASHED(struct summary_store, 8);
HASHED(struct wait_if, 40);

struct digest {
    uint64_t h;
    struct program *p;
};

/* ---- names ---- */
uint64_t func_digest(const struct program *p, uint32_t func) {
    const struct summary *s = p->funcs.at[func].summary;

    return hash_add(symbol_of_func(p, func), s ? waits_of(p, func) << 1 | s->blocks_always : 0);
}

static uint64_t digest_anew(struct program *p, term x) {
    const struct term_rec r = *term_at(&p->paths, x);
    const uint64_t h = hash_add(r.op, r.c);

    switch (r.op) {
    case TERM_FUNC: return hash_add(h, func_digest(p, r.a));
    case TERM_GLOBAL: return hash_add(h, item_digest(p, r.a | ITEM_GLOBAL));
    case TERM_TOKEN: return hash_add(h, hash_string(intern_text(&p->names, r.a)));
    case TERM_FIELD: return hash_add(hash_add(h, path_digest(p, r.a)), item_digest(p, r.b));
    case TERM_LOAD:
    case TERM_UNARY:
    case TERM_SOME: return hash_add(hash_add(h, path_digest(p, r.a)), r.b);
    case TERM_INDEX:
    case TERM_BINARY: return hash_add(hash_add(h, path_digest(p, r.a)), path_digest(p, r.b));
    case TERM_OPAQUE: /* too large: what it was made of */
        if (r.c & 1)
            return hash_add(hash_add(h, path_digest(p, r.a)),
                            path_operands(r.c >> 1 & 0x7f) == 2 ? path_digest(p, r.b) : r.b);
        break;
    default: break;
    }
    return hash_add(h, key_pair(r.a, r.b));
}

int path_operands(uint32_t op) {
    switch (op) {
    case TERM_INDEX:
    case TERM_BINARY: return 2;
    case TERM_FIELD:
    case TERM_LOAD:
    case TERM_UNARY:
    case TERM_SOME: return 1;
    default: return 0;
    }
}

uint64_t path_digest(struct program *p, term x) {
    if (!x)
        return 0;
    while (p->digests.path.n <= x)
        vec_push(&p->digests.path, 0);
    if (!p->digests.path.at[x]) {
        const uint64_t h = digest_anew(p, x);
        p->digests.path.at[x] = h | 1;
    }
    return p->digests.path.at[x];
}

uint64_t class_digest(const struct program *p, struct object_class c) {
    const uint64_t h = hash_add(c.field ? symbol_of_item(p, c.field) : 0,
                                c.global ? symbol_of_item(p, c.global | ITEM_GLOBAL) : 0);

    return hash_add(h, c.token ? hash_string(intern_text(&p->names, c.token)) : 0);
}

static uint64_t part_digest(const struct program *p, const uint64_t *part, uint32_t first) {
    uint64_t sum = 0;

    for (uint32_t i = 0; i < MODS_PART / 64; i++)
        for (uint64_t left = part[i]; left; left &= left - 1) {
            const uint32_t bit = first + i * 64 + (uint32_t)__builtin_ctzll(left);
            sum += hash_mix(
                symbol_of_item(p, bit < p->fields.n ? bit : (bit - (uint32_t)p->fields.n) | ITEM_GLOBAL));
        }
    return sum;
}

uint64_t mods_digest(struct program *p, mod_set mods) {
    const uint32_t n_parts = (uint32_t)(p->fields.n + p->globals.n + MODS_PART - 1) / MODS_PART;
    uint64_t sum = 0;

    for (uint32_t i = 0; mods && i < n_parts; i++) {
        bool fresh;
        if (!mods[i])
            continue;
        uint32_t *slot = map64_place(&p->digests.part, (uint64_t)(uintptr_t)mods[i], &fresh);
        if (fresh) {
            *slot = (uint32_t)p->digests.of_part.n;
            vec_push(&p->digests.of_part, part_digest(p, mods[i], i * MODS_PART));
        }
        sum += p->digests.of_part.at[*slot];
    }
    return sum;
}

/* Where there is no memo, as it is. */
static ir_event first_event(const struct program *p, uint32_t func) {
    return p->digests.first_event && p->digests.first_event[func] ? p->digests.first_event[func] : 1;
}

/* An event of the function, counted from its first: what stands above the function does not move it. */
static uint32_t event_in(const struct program *p, uint32_t func, ir_event event) {
    return event ? event - first_event(p, func) + 1 : 0;
}

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

static void add_path(struct digest *d, term x) {
    add(d, path_digest(d->p, x));
}

static void add_site(struct digest *d, struct site s) {
    add(d, hash_add(symbol_of_func(d->p, s.func), (uint64_t)memo_place(d->p, s.func, s.loc)));
}

/* Whether it was condemned is its own function's business. */
static void add_candidate(struct digest *d, uint32_t candidate) {
    add(d, d->p->memo && candidate ? d->p->locks->candidates.at[candidate].name : candidate);
}

static void add_when(struct digest *d, const struct precondition *when, uint32_t n) {
    add(d, n);
    for (uint32_t i = 0; i < n; i++) {
        add_path(d, when[i].of);
        add_range(d, when[i].range);
    }
}

static void add_outcome(struct digest *d, const struct outcome *o) {
    add(d, o->n_effects);
    for (uint32_t i = 0; i < o->n_effects; i++) {
        const struct lock_effect *e = &o->effects[i];
        add_path(d, e->lock);
        add_candidate(d, e->candidate);
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
        add_path(d, o->left[i].at);
        add(d, o->left[i].kept);
        add_range(d, o->left[i].range);
    }
}

static void add_requirement(struct digest *d, const struct requirement *r) {
    add_path(d, r->lock);
    add_path(d, r->object);
    add(d, r->reason | (uint64_t)r->write << 8 | (uint64_t)r->excluded << 9 | (uint64_t)r->perhaps << 10);
    add_site(d, r->site);
    add_site(d, r->via);
    add_text(d, r->data);
    add_text(d, r->guard);
    add(d, r->field ? symbol_of_item(d->p, r->field) : 0);
    add(d, r->global ? symbol_of_item(d->p, r->global | ITEM_GLOBAL) : 0);
    add_candidate(d, r->candidate);
    add_when(d, r->when, r->n_when);
}

static void add_order(struct digest *d, const struct order_edge *e) {
    const uint32_t at = e->origin.func ? e->origin.func : e->func; /* whose unit held_at is of */

    add_path(d, e->from);
    add_path(d, e->to);
    add(d, symbol_of_func(d->p, e->func));
    add(d, key_pair(event_in(d->p, e->func, e->event), event_in(d->p, e->func, e->held_event)));
    add(d, (uint64_t)e->from_shared << 2 | (uint64_t)e->to_shared << 1 | e->direct);
    add(d, (uint64_t)memo_place(d->p, at, e->held_at));
    add(d, hash_add(e->relation, e->link ? symbol_of_item(d->p, e->link) : 0));
    add_site(d, e->origin);
    add_site(d, e->inner);
    add_text(d, e->from_name);
    add_text(d, e->to_name);
    add_text(d, e->from_here);
    add_text(d, e->to_here);
    add(d, e->n_gates);
    for (uint32_t i = 0; i < e->n_gates; i++)
        add_path(d, e->gates[i]);
}

static void add_terms(struct digest *d, const term *list, uint32_t n) {
    add(d, n);
    for (uint32_t i = 0; i < n; i++)
        add_path(d, list[i]);
}

struct summary_hash summary_hash(struct program *p, const struct summary *s) {
    struct digest d = {1, p};
    struct summary_hash out = {0, 0, 0};

    if (!s)
        return out;
    add(&d, s->n_outcomes);
    for (uint32_t i = 0; i < s->n_outcomes; i++)
        add_outcome(&d, &s->outcomes[i]);
    add(&d, s->n_waits);
    for (uint32_t i = 0; i < s->n_waits; i++) {
        const struct wait_effect *w = &s->waits[i];
        add_path(&d, w->condition);
        add_path(&d, w->lock);
        add_site(&d, w->site);
        add(&d, (uint64_t)w->open << 2 | (uint64_t)w->timed << 1 | w->looped);
        add_when(&d, w->when, w->n_when);
    }
    add(&d, s->n_stores);
    for (uint32_t i = 0; i < s->n_stores; i++) {
        add_path(&d, s->stores[i].at);
        add_path(&d, s->stores[i].value);
    }
    add_terms(&d, s->inits, s->n_inits);
    for (uint32_t i = 0; i < s->n_destroys; i++)
        if (s->destroys_always >> i & 1)
            add_path(&d, s->destroys[i]);
    add(&d, p->memo ? mods_digest(p, s->mods) : (uint64_t)(uintptr_t)s->mods); /* equal sets are one */
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
    add_path(&d, s->returns);
    add(&d, s->effects);
    out.worlds = d.h;
    add(&d, s->n_requirements);
    for (uint32_t i = 0; i < s->n_requirements; i++)
        add_requirement(&d, &s->requirements[i]);
    add(&d, s->n_inner);
    for (uint32_t i = 0; i < s->n_inner; i++) {
        const struct inner_lock *in = &s->inner[i];
        add_path(&d, in->lock);
        add(&d, in->shared);
        add_site(&d, in->site);
        add_when(&d, in->when, in->n_when);
        add_path(&d, in->without[0]);
        add_path(&d, in->without[1]); /* via is read when all are solved */
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
        add_path(&d, w->value); /* which call it is, is read when all are solved */
        add(&d, w->only.test | (uint64_t)w->always << 8 | (uint64_t)w->called << 9);
        add(&d, (uint64_t)w->only.value);
    }
    out.all = d.h;
    for (uint32_t i = 0; i < s->n_inner; i++)
        add(&d, s->inner[i].depth);
    for (uint32_t i = 0; i < s->n_orders; i++) {
        add(&d, key_pair(s->orders[i].callee != 0, s->orders[i].depth));
        add(&d, symbol_of_func(p, s->orders[i].callee));
        add_path(&d, s->orders[i].callee_to);
    }
    out.exact = d.h;
    return out;
}
