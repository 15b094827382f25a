/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Keeps what goes wrong: problems with their stories, and candidates.
 * Stands on solver.h. Text lives in the program's arena, since the function's terms do not outlive it. */
#include "habits.h"

#include <string.h>

static term hint_of(const void *data, term x) {
    const struct solver *s = data;

    return map64_get(&s->hints, x, 0);
}

const char *print_place(struct solver *s, term x) {
    char text[200];

    term_print_place(&s->t, s->p, s->lu, hint_of, s, x, text, sizeof text);
    return arena_strdup(&s->p->arena, text);
}

static uint64_t key_of(uint32_t func, const struct lock_problem *pr) {
    const struct object_class c = pr->seen_class;
    const uint64_t which = class_known(c) ? class_key(c) : pr->seen_name;

    return hash_add(hash_add(key_pair(func, pr->at), pr->seen_kind), which);
}

uint32_t problem_again(struct program *p, uint32_t func, const struct lock_problem *pr) {
    struct lock_facts *facts = p->locks;
    bool fresh;
    uint32_t *slot = map64_place(&facts->seen, key_of(func, pr), &fresh), before;
    struct lock_problem *here;

    if (fresh) {
        vec_add(&facts->problems)->before = facts->last_problem[func];
        facts->last_problem[func] = *slot = (uint32_t)facts->problems.n - 1;
    }
    here = &facts->problems.at[*slot];
    before = here->before;
    *here = *pr;
    here->before = before;
    here->round = facts->round;
    here->func = func;
    here->unit = p->funcs.at[func].unit->unit;
    return *slot;
}

struct lock_problem *problem_new(struct solver *s, enum lock_problem_kind kind,
                                 enum lock_problem_detail detail, ir_loc at, term lock, uint32_t *number) {
    struct lock_facts *facts = s->p->locks;
    const char *name = print_place(s, lock);
    struct lock_problem *pr;
    uint32_t *slot, before;
    /* an unlock or free in a loop goes by as many names as the loop has turns, and is one mistake; so is a wait with what a loop took */
    const struct object_class c =
        kind == PROBLEM_UNHELD || kind == PROBLEM_DESTROY || kind == PROBLEM_BLOCK || kind == PROBLEM_YIELD
            ? term_class(&s->t, lock)
            : (struct object_class){0, 0, 0};
    bool fresh;

    const struct lock_problem seen = {
        .at = at, .seen_kind = kind, .seen_class = c, .seen_name = class_known(c) ? 0 : hash_string(name)};

    slot = map64_place(&facts->seen, key_of(s->func, &seen), &fresh);
    if (!fresh && facts->problems.at[*slot].round == facts->round) {
        if (number)
            *number = *slot;
        return NULL;
    }
    if (fresh) {
        vec_add(&facts->problems)->before = facts->last_problem[s->func];
        facts->last_problem[s->func] = *slot = (uint32_t)facts->problems.n - 1;
    }
    pr = &facts->problems.at[*slot];
    before = pr->before;
    memset(pr, 0, sizeof *pr);
    pr->before = before;
    pr->round = facts->round;
    pr->seen_kind = kind;
    pr->seen_class = c;
    pr->seen_name = seen.seen_name;
    if (number)
        *number = *slot;
    pr->kind = kind;
    pr->detail = detail;
    pr->unit = s->u;
    pr->at = at;
    pr->event = s->now_at;
    pr->func = s->func;
    pr->lock = name;
    if (kind == PROBLEM_UNHELD) {
        pr->item = c.field ? c.field : c.global ? c.global | ITEM_GLOBAL : 0;
        pr->wrapper = lock_wrapper(s->p, &s->t, lock);
    }
    if (s->lf->unchecked)
        pr->dropped = true;
    return pr;
}

static void add_story(struct solver *s, struct lock_problem *pr, struct story story) {
    struct story *more = arena_array(&s->p->arena, struct story, pr->n_story + 1);

    if (pr->n_story)
        memcpy(more, pr->story, pr->n_story * sizeof *more);
    more[pr->n_story++] = story;
    pr->story = more;
}

void problem_story(struct solver *s, struct lock_problem *pr, enum story_kind kind, const struct unit *u,
                   ir_loc loc, const char *text) {
    if (pr && loc)
        add_story(s, pr, (struct story){.kind = kind, .unit = u, .loc = loc, .text = text});
}

void problem_story_in(struct solver *s, struct lock_problem *pr, enum story_kind kind, uint32_t func,
                      ir_loc loc, const char *text) {
    if (pr && loc)
        add_story(s, pr, (struct story){kind, s->p->funcs.at[func].unit->unit, loc, text, func, NULL});
}

void problem_way(struct solver *s, struct lock_problem *pr, const struct way *way) {
    if (pr && s->p->funcs.at[way->callee].defined)
        add_story(s, pr,
                  (struct story){.kind = STORY_WAY, .way = arena_copy(&s->p->arena, way, sizeof *way)});
}

void problem_taken(struct solver *s, struct lock_problem *pr, const struct held *h) {
    const struct linked_func *in = &s->p->funcs.at[h->in_func];

    if (!pr || !h->event)
        return;
    problem_story(s, pr, STORY_TAKEN, s->u, s->u->events[h->event].loc, print_place(s, h->lock));
    if (h->in_func != s->func && in->defined && h->in_loc)
        problem_story_in(s, pr, STORY_CALL, h->in_func, h->in_loc, in->name);
}

void problem_trail(struct solver *s, struct lock_problem *pr, const struct trail *from,
                   const struct trail *to) {
    const struct trail *way[8];
    uint32_t n = 0;

    if (!pr)
        return;
    for (; to && to != from && (!from || to->depth > from->depth) && n < 8; to = to->before)
        way[n++] = to;
    while (n) {
        const struct trail *t = way[--n];
        const struct ir_block_rec *b = &s->u->blocks[t->block];
        const struct ir_succ_rec *succ = &s->u->succs[b->succs.first + t->taken];
        enum story_kind kind = t->taken ? STORY_FALSE : STORY_TRUE;
        if (b->term == IR_TERM_SWITCH)
            kind = succ->flags & IR_SUCC_DEFAULT ? STORY_DEFAULT : STORY_CASE;
        problem_story(s, pr, kind, s->u, b->loc ? b->loc : s->u->exprs[b->cond].loc, NULL);
    }
}

uint32_t note(struct solver *s, struct noted n) {
    const uint32_t done = noted_do(s->p, s->func, s->pass, &n);

    if (s->p->memo)
        vec_push(&s->noted, n);
    return done;
}

uint32_t candidate_new(struct solver *s, enum candidate_kind kind, term path, struct object_class class,
                       uint32_t from) {
    return note(s, (struct noted){
                       .kind = NOTED_CANDIDATE, .bits = kind, .from = path, .class = class, .other = from});
}

const struct lock_problem *lock_problem_next(const struct program *p, enum lock_problem_kind kind,
                                             size_t *i) {
    while (*i < p->locks->problems.n) {
        const struct lock_problem *pr = &p->locks->problems.at[(*i)++];
        if (pr->kind == kind && !pr->dropped && pr->unit)
            return pr;
    }
    return NULL;
}
