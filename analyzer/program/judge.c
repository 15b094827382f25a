/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrapper or mistake? Decides, when every function is solved, what a lock held on return or an unlock of a caller's lock is.
 * Stands on lock_facts.h.
 *
 * A function that returns with a lock is meant to when some caller releases it, itself or through a function that returns it
 * held in turn; one that releases a lock it did not take is meant to when some caller holds it. Where no caller is known
 * the other half is looked for by class: somebody who releases, or returns holding, the same field or global. In a program whose
 * callers are not all known (a plugin sees one file) an external function has the benefit of the doubt. Where neither half is
 * matched by a caller, the lock is kept over time (kept_over_time), and callers are told nothing of it. */
#include "lock_order.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "../base/alloc.h"

/* One of the words stands in the name, at the start of a part of it; "lock" and "unlock" anywhere: rdlock, my_unlock_all. */
static bool says(const char *name, const char *const *words) {
    for (; *words; words++)
        for (const char *at = name; *at; at++)
            if (!strncasecmp(at, *words, strlen(*words)) &&
                (at == name || at[-1] == '_' || strstr(*words, "lock") ||
                 (isupper((unsigned char)*at) && islower((unsigned char)at[-1]))))
                return true;
    return false;
}

static bool named_like(const struct linked_func *f, enum candidate_kind kind) {
    static const char *const taking[] = {"lock",    "acquire", "enter", "begin", "hold",   "grab",
                                         "suspend", "freeze",  "take",  "pin",   "before", NULL};
    static const char *const giving[] = {"unlock", "release", "leave",    "end",   "drop",  "resume", "thaw",
                                         "give",   "commit",  "rollback", "abort", "after", NULL};

    return says(f->name, kind == CANDIDATE_HELD_ON_RETURN ? taking : giving);
}

/* Candidates by class and by the callee's that they hand on, so that judging one looks at no others. */
struct judgement {
    const struct program *p;
    struct map64 of_class;                               /* class and kind → the last candidate */
    uint32_t *before_in_class, *last_from, *before_from; /* by candidate; 0: no more */
};

static void judgement_init(struct judgement *j, const struct program *p) {
    const size_t n = p->locks->candidates.n;

    memset(j, 0, sizeof *j);
    j->p = p;
    j->before_in_class = xcalloc(n, sizeof *j->before_in_class);
    j->last_from = xcalloc(n, sizeof *j->last_from);
    j->before_from = xcalloc(n, sizeof *j->before_from);
    for (uint32_t i = 1; i < n; i++) {
        const struct candidate *c = &p->locks->candidates.at[i];
        uint32_t *last;
        if (class_known(c->class)) {
            last = map64_place(&j->of_class, hash_add(class_key(c->class), c->kind), NULL);
            j->before_in_class[i] = *last;
            *last = i;
        }
        if (c->from) {
            j->before_from[i] = j->last_from[c->from];
            j->last_from[c->from] = i;
        }
    }
}

static void judgement_free(struct judgement *j) {
    map64_free(&j->of_class);
    free(j->before_in_class);
    free(j->last_from);
    free(j->before_from);
}

/* Does the path go through an element of an array? Which one a loop is at is not told. */
static bool in_array(const struct program *p, term lock) {
    for (const struct term_rec *r = term_at(&p->paths, lock);; r = term_at(&p->paths, r->a)) {
        if (r->op == TERM_INDEX || r->op == TERM_SOME)
            return true;
        if (r->op != TERM_FIELD && r->op != TERM_LOAD)
            return false;
    }
}

static bool names_one(const struct program *p, term lock) {
    return lock && order_concrete(p, lock) && !in_array(p, lock);
}

/* One class: may the candidates be of one lock? What hangs on a global variable is told from all else by its path. */
static bool may_be_one(const struct program *p, const struct candidate *a, const struct candidate *b) {
    const bool named = names_one(p, a->lock), other_named = names_one(p, b->lock);

    return class_equal(a->class, b->class) && (named || other_named ? a->lock == b->lock : true);
}

/* Is there another half of this class in the program? `roots`: … whose callers are as unknown as ours: the two halves of an interface. */
static bool other_of_class(const struct judgement *j, const struct candidate *c, bool roots) {
    const struct program *p = j->p;
    const enum candidate_kind half =
        c->kind == CANDIDATE_RELEASES ? CANDIDATE_HELD_ON_RETURN : CANDIDATE_RELEASES;
    uint32_t i = class_known(c->class) ? map64_get(&j->of_class, hash_add(class_key(c->class), half), 0) : 0;

    for (; i; i = j->before_in_class[i]) {
        const struct candidate *o = &p->locks->candidates.at[i];
        if (o->kind == half && !o->stale && !o->condemned && may_be_one(p, o, c) && o->func != c->func &&
            (!roots || !p->funcs.at[o->func].n_callers || (!o->paired && !p->funcs.at[o->func].internal)))
            return true;
    }
    return false;
}

static bool other_half(const struct judgement *j, const struct candidate *c) {
    return other_of_class(j, c, false);
}

static bool other_root(const struct judgement *j, const struct candidate *c) {
    return other_of_class(j, c, true);
}

/* What the lock's path begins with; NULL: it cannot be said. */
static const struct term_rec *root_of(const struct program *p, const struct candidate *c) {
    return c->lock ? term_at(&p->paths, term_object(&p->paths, c->lock)) : NULL;
}

static bool in_global(const struct program *p, const struct candidate *c) {
    const struct term_rec *root = root_of(p, c);

    return c->class.global || (root && root->op == TERM_GLOBAL);
}

/* Is there somebody else who does the other half, and whom no caller matches either? Then the program takes it at one time and
 * gives it back at another: in two callbacks of an event loop, in two calls of an iterator, in a request and its completion.
 * Wrappers of a lock that callers name are theirs to match. */
static bool kept_over_time(const struct judgement *j, const struct candidate *c) {
    const bool releases = c->kind == CANDIDATE_RELEASES;
    const enum candidate_kind half = releases ? CANDIDATE_HELD_ON_RETURN : CANDIDATE_RELEASES;
    uint32_t i = class_known(c->class) && !c->paired && !(releases && c->mixed)
                     ? map64_get(&j->of_class, hash_add(class_key(c->class), half), 0)
                     : 0;

    for (; i; i = j->before_in_class[i]) {
        const struct candidate *o = &j->p->locks->candidates.at[i], *held = releases ? o : c;
        if (o->kind == half && !o->stale && !o->condemned && !o->paired && may_be_one(j->p, o, c) &&
            (o->func == c->func || !held->reachable || (in_global(j->p, c) && !held->mixed)))
            return true;
    }
    return false;
}

/* No file but this one can name the lock. */
static bool closed(const struct program *p, const struct candidate *c) {
    const struct term_rec *root = root_of(p, c);

    return p->options.whole || (c->class.global && p->globals.at[c->class.global].internal) ||
           (root && root->op == TERM_GLOBAL && p->globals.at[root->a].internal);
}

static bool is_listed(const uint32_t *funcs, size_t n, uint32_t func) {
    for (size_t i = 0; i < n; i++)
        if (funcs[i] == func)
            return true;
    return false;
}

static bool is_bare_param(const struct program *p, const struct candidate *c) {
    return c->lock && term_at(&p->paths, c->lock)->op == TERM_PARAM;
}

/* Of a candidate that some caller pairs with: more callers that live with it than callers that come to harm? One that leaves the
 * lock so on every way, as its name says, is a wrapper with one such caller, for giving back what a mistake left is no accident;
 * with any other name it is one if as many live with it. */
static bool outweighs(const struct judgement *j, const struct candidate *c) {
    const struct program *p = j->p;
    const bool simple = (c->kind == CANDIDATE_RELEASES || c->every_return) && !c->mixed;
    size_t live = 0, harm = c->clashes.n;

    for (size_t i = 0; i < c->pairs.n; i++)
        live += !is_listed(c->clashes.at, c->clashes.n, c->pairs.at[i]);
    if (simple && live && named_like(&p->funcs.at[c->func], c->kind))
        return true;
    for (uint32_t i = j->last_from[c - p->locks->candidates.at]; i; i = j->before_from[i]) {
        const struct candidate *d = &p->locks->candidates.at[i];
        if (c->every_return && d->mixed && is_listed(c->pairs.at, c->pairs.n, d->func))
            continue; /* it knows the lock, for it gives it back on another way: its own mistake */
        harm += !d->meant && !d->stale && !d->perhaps && !is_listed(c->clashes.at, c->clashes.n, d->func);
    }
    /* a trylock's result is easily read the wrong way round */
    const bool tells = simple || c->kind == CANDIDATE_RELEASES || (!c->mixed && !c->every_return);
    return tells ? live >= harm : live > harm;
}

static bool meant_by_itself(const struct judgement *j, const struct candidate *c) {
    const struct program *p = j->p;
    const struct linked_func *f = &p->funcs.at[c->func];

    if (c->condemned)
        return false;
    if (c->over_time)
        return true;
    if (c->paired)
        return outweighs(j, c);
    if (c->kind == CANDIDATE_RELEASES && c->mixed)
        return false; /* nobody calls it with the lock */
    if (is_bare_param(p, c) && !class_known(c->class) &&
        (c->kind == CANDIDATE_RELEASES || (!c->mixed && !f->n_callers)))
        return true;
    if (c->kind == CANDIDATE_HELD_ON_RETURN) {
        if (c->mixed || (c->from && p->locks->candidates.at[c->from].mixed))
            return false;
        if (!c->reachable) /* in an object callers cannot name: kept on purpose only if somebody lets go of such a lock */
            return other_half(j, c) || (!p->options.whole && !f->internal && !class_known(c->class));
        if (f->n_callers && (p->options.whole || f->internal))
            return named_like(f, c->kind) && other_half(j, c) && !f->internal;
        if (!p->options.whole && !f->internal)
            return !closed(p, c) || other_half(j, c);
        return (named_like(f, c->kind) && (other_half(j, c) || is_bare_param(p, c))) ||
               (!f->internal && other_root(j, c));
    }
    if (f->n_callers && (p->options.whole || f->internal))
        return named_like(f, c->kind) && other_root(j, c);
    if (!p->options.whole && !f->internal)
        return !closed(p, c) || other_half(j, c);
    return other_root(j, c) || (named_like(f, c->kind) && (other_half(j, c) || is_bare_param(p, c)));
}

/* Callers that are not in sight may be meant to give the lock back. But of those in sight none does or hands it on, none does it for
 * another such function, others give such a lock back themselves, there is nothing to give it back with, and the name promises no lock. */
static bool may_be_forgotten(const struct judgement *j, const struct candidate *c) {
    const struct linked_func *f = &j->p->funcs.at[c->func];
    uint32_t i = class_known(c->class)
                     ? map64_get(&j->of_class, hash_add(class_key(c->class), CANDIDATE_HELD_ON_RETURN), 0)
                     : 0;

    for (; i; i = j->before_in_class[i])
        if (j->p->locks->candidates.at[i].paired)
            return false;

    return c->kind == CANDIDATE_HELD_ON_RETURN && !c->condemned && !c->over_time && c->reachable &&
           !f->address_taken && !j->last_from[c - j->p->locks->candidates.at] && class_known(c->class) &&
           map64_find(&j->p->locks->given_back, class_key(c->class)) && !other_half(j, c) &&
           !named_like(f, c->kind);
}

static void show(struct program *p, uint32_t number) {
    struct lock_problem *pr = &p->locks->problems.at[number];

    pr->dropped = p->funcs.at[pr->func].unchecked || pr->stale;
}

/* The waits on one class of condition. */
struct wait_group {
    uint32_t n, first, other; /* other: the first with another lock than the first's; UINT32_MAX: none */
};

/* What it waits with is not the lock that the others wait with: that this one, held meanwhile, blocks is the same mistake. */
static void drop_blocking_at(struct program *p, const struct wait_fact *w) {
    for (uint32_t i = p->locks->last_problem[w->func]; i; i = p->locks->problems.at[i].before) {
        struct lock_problem *pr = &p->locks->problems.at[i];
        if (pr->kind == PROBLEM_BLOCK && pr->at == w->at)
            pr->dropped = true;
    }
}

/* A condition that goes with two locks: the lock it goes with less often, else the later one, is the wrong one. */
static void judge_waits(struct program *p) {
    VEC(struct wait_group) groups = {NULL, 0, 0};
    struct map64 group_of = {0}, uses = {0}; /* by condition; by condition and lock */
    struct map64 seen = {0};
    size_t n = 0;

    for (size_t i = 0; i < p->locks->waits.n;
         i++) { /* functions that call each other are solved several times */
        const struct wait_fact w = p->locks->waits.at[i];
        bool fresh;
        (void)map64_place(&seen, hash_add(key_pair(w.func, w.at), key_pair(w.condition, w.lock)), &fresh);
        if (fresh)
            p->locks->waits.at[n++] = w;
    }
    p->locks->waits.n = n;
    map64_free(&seen);
    for (uint32_t i = 0; i < p->locks->waits.n; i++) {
        const struct wait_fact *w = &p->locks->waits.at[i];
        bool fresh;
        uint32_t *slot = map64_place(&group_of, w->condition, &fresh);
        struct wait_group *g;
        if (fresh) {
            *slot = (uint32_t)groups.n;
            vec_push(&groups, ((struct wait_group){0, i, UINT32_MAX}));
        }
        g = &groups.at[*slot];
        g->n++;
        if (g->other == UINT32_MAX && p->locks->waits.at[g->first].lock != w->lock)
            g->other = i;
        ++*map64_place(&uses, key_pair(w->condition, w->lock), NULL);
    }
    for (uint32_t i = 0; i < p->locks->waits.n; i++) {
        const struct wait_fact w = p->locks->waits.at[i];
        const struct linked_func *f = &p->funcs.at[w.func];
        const struct wait_group *g = &groups.at[map64_get(&group_of, w.condition, 0)];
        const uint32_t same = map64_get(&uses, key_pair(w.condition, w.lock), 0), other = g->n - same;
        const uint32_t partner = p->locks->waits.at[g->first].lock == w.lock ? g->other : g->first;
        struct lock_problem *pr;
        if (!other || same > other || (same == other && partner > i) || f->unchecked)
            continue;
        drop_blocking_at(p, &w);
        pr = vec_add(&p->locks->problems);
        pr->kind = PROBLEM_WAIT;
        pr->detail = DETAIL_OTHER_MUTEX;
        pr->unit = f->unit->unit;
        pr->at = w.at;
        pr->func = w.func;
        pr->lock = w.lock_text;
        pr->data = w.condition_text;
        pr->story = arena_new(&p->arena, struct story);
        pr->story[0] = (struct story){.kind = STORY_WAIT,
                                      .unit = p->funcs.at[p->locks->waits.at[partner].func].unit->unit,
                                      .loc = p->locks->waits.at[partner].at,
                                      .text = p->locks->waits.at[partner].lock_text};
        pr->n_story = 1;
    }
    vec_free(&groups);
    map64_free(&group_of);
    map64_free(&uses);
}

/* Does a caller hand it on, on purpose, to one that pairs with it? */
static bool handed_on(const struct judgement *j, const struct candidate *c) {
    for (uint32_t i = j->last_from[c - j->p->locks->candidates.at]; i; i = j->before_from[i]) {
        const struct candidate *d = &j->p->locks->candidates.at[i];
        if (d->meant && d->paired && !d->stale)
            return true;
    }
    return false;
}

/* again: by function, may be NULL; set where a summary promises callers what it no longer should. Returns whether one is. */
static bool judge_meaning(struct program *p, bool *again) {
    struct lock_facts *facts = p->locks;
    struct judgement j;
    bool changed = true, any = false;

    judgement_init(&j, p);
    for (size_t i = facts->candidates.n; i-- > 1;) { /* callers' come later, and are judged first */
        struct candidate *c = &facts->candidates.at[i];
        c->meant = meant_by_itself(&j, c);
        if (c->meant || c->condemned || handed_on(&j, c) || !kept_over_time(&j, c))
            continue;
        c->meant = c->over_time = true;
        if (again && !c->stale)
            again[c->func] = any = true;
    }
    judgement_free(&j);
    for (size_t i = 1; i < facts->candidates.n; i++) {
        struct candidate *c = &facts->candidates.at[i];
        c->meant |= c->told_as && !c->condemned && facts->candidates.at[c->told_as].meant;
    }
    while (changed) {
        changed = false;
        for (size_t i = facts->candidates.n; i-- > 1;) { /* what a caller hands on on purpose was meant */
            struct candidate *c = &facts->candidates.at[i];
            if (c->meant && c->from && !facts->candidates.at[c->from].meant &&
                !facts->candidates.at[c->from].condemned && !facts->candidates.at[c->from].paired &&
                (c->paired || !facts->candidates.at[c->from].mixed)) {
                facts->candidates.at[c->from].meant = true;
                changed = true;
            }
        }
    }
    return any;
}

/* A release of what callers cannot name is no effect on them: it is known as the other half of its class alone. */
static bool has_no_effect(const struct candidate *c) {
    return c->kind == CANDIDATE_RELEASES && !c->lock;
}

bool program_condemn(struct program *p, bool *again) {
    bool any = judge_meaning(p, again);

    for (size_t i = 1; i < p->locks->candidates.n; i++) {
        struct candidate *c = &p->locks->candidates.at[i];
        if (c->meant || c->condemned || c->stale || c->perhaps || !p->funcs.at[c->func].n_callers ||
            has_no_effect(c) || (c->from && !p->locks->candidates.at[c->from].meant))
            continue;
        c->condemned = again[c->func] = any = true;
    }
    return any;
}

void program_drop_alone(struct program *p) {
    for (size_t i = 1; i < p->locks->problems.n; i++) {
        struct lock_problem *pr = &p->locks->problems.at[i];
        uint32_t n = 0;
        if (pr->kind != PROBLEM_GUARDED || !pr->event ||
            !threads_alone(p->lock_order->threads, pr->func, pr->event))
            continue;
        pr->dropped = true;
        const struct call_edge *edges =
            pr->detail == DETAIL_IN_CALLEE ? program_calls(p, pr->func, pr->event, &n) : NULL;
        for (uint32_t k = 0; k < n; k++)
            p->funcs.at[edges[k].callee].needs_excused = true;
    }
}

/* Is the lock taken as often to wait until its holder is done as for anything else but the section that is accused? */
static bool is_gate(const struct lock_facts *facts, uint64_t class) {
    const uint32_t empty = map64_get(&facts->gates, class, 0);

    return empty && 2 * empty + 1 >= map64_get(&facts->sections, class, 0);
}

/* A call that breaks an AGLET_EXCLUDES takes the lock again: that is one mistake, and the annotation says why. */
static bool is_excluded_there(const struct program *p, const struct lock_problem *pr) {
    for (uint32_t i = p->locks->last_problem[pr->func]; i; i = p->locks->problems.at[i].before) {
        const struct lock_problem *other = &p->locks->problems.at[i];
        if (other->kind == PROBLEM_EXCLUDES && !other->dropped && other->at == pr->at &&
            !strcmp(other->lock, pr->lock))
            return true;
    }
    return false;
}

/* Is there a function that is meant to return with such a lock, of an object that its callers cannot name? Then they may hold it here. */
static bool taken_nameless(const struct judgement *j, const struct lock_problem *pr) {
    uint32_t i = map64_get(&j->of_class, hash_add(class_key(pr->class), CANDIDATE_HELD_ON_RETURN), 0);

    for (; i; i = j->before_in_class[i]) {
        const struct candidate *c = &j->p->locks->candidates.at[i];
        if (c->kind == CANDIDATE_HELD_ON_RETURN && !c->reachable && c->meant && !c->stale &&
            c->func != pr->func && class_equal(c->class, pr->class))
            return true;
    }
    return false;
}

void program_judge(struct program *p) {
    struct lock_facts *facts = p->locks;
    struct judgement j;

    judge_meaning(p, NULL);
    judgement_init(&j, p);
    for (size_t i = 1; i < facts->candidates.n; i++) {
        struct candidate *c = &facts->candidates.at[i];
        const bool callee_wrong = c->from && !facts->candidates.at[c->from].meant;
        if (c->stale)
            continue;
        if (!c->meant && !callee_wrong)
            for (size_t k = 0; k < c->problems.n; k++)
                show(p, c->problems.at[k]);
        if (c->meant && may_be_forgotten(&j, c))
            for (size_t k = 0; k < c->problems.n; k++) {
                show(p, c->problems.at[k]);
                facts->problems.at[c->problems.at[k]].doubtful = true;
            }
        if (c->paired)
            for (size_t k = 0; k < c->bad_calls.n; k++) {
                const uint32_t own = facts->problems.at[c->bad_calls.at[k]].candidate;
                if (!own || !facts->candidates.at[own].meant)
                    show(p, c->bad_calls.at[k]);
            }
    }
    judge_waits(p);
    for (size_t i = 1; i < facts->problems.n;
         i++) { /* what follows from a callee's mistake is not said again */
        struct lock_problem *pr = &facts->problems.at[i];
        if ((pr->kind == PROBLEM_DOUBLE || pr->kind == PROBLEM_DESTROY) && pr->candidate &&
            !facts->candidates.at[pr->candidate].meant)
            pr->dropped = true;
        if (pr->kind == PROBLEM_DOUBLE && !pr->dropped && is_excluded_there(p, pr))
            pr->dropped = true;
        if (pr->kind == PROBLEM_BLOCK && class_known(pr->class) && is_gate(facts, class_key(pr->class)))
            pr->dropped = true;
        if (pr->kind == PROBLEM_WAIT && class_known(pr->class) && taken_nameless(&j, pr))
            pr->dropped = true;
    }
    judgement_free(&j);
}
