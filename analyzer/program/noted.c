/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Does what is noted. Stands on noted.h. */
#include "noted.h"

#include "habits.h"
#include "inputs.h"
#include "lock_order.h"

uint64_t candidate_name(struct program *p, uint32_t by, const struct noted *n, uint64_t from) {
    const uint64_t what = hash_add(symbol_of_func(p, by), n->bits),
                   of = hash_add(path_digest(p, n->from), class_digest(p, n->class));

    return hash_add(hash_add(what, of), from) | 1;
}

static uint32_t candidate_of(struct program *p, uint32_t by, const struct noted *n) {
    const struct object_class class = n->class;
    struct candidate *c;
    uint64_t key = hash_add(key_pair(by, n->bits), key_pair(n->from, n->other));
    uint32_t *slot;
    bool fresh;

    key = hash_add(hash_add(key, key_pair(class.field, class.global)), class.token);
    slot = map64_place(&p->locks->candidate_of, key, &fresh);
    if (!fresh) {
        p->locks->candidates.at[*slot].stale = false;
        return *slot;
    }
    *slot = (uint32_t)p->locks->candidates.n;
    c = vec_add(&p->locks->candidates);
    c->kind = (enum candidate_kind)(n->bits % CANDIDATE_KINDS);
    c->perhaps = (n->bits & CANDIDATE_PERHAPS) != 0;
    c->func = by;
    c->lock = n->from;
    c->class = class;
    c->from = n->other;
    if (p->memo) {
        c->name = candidate_name(p, by, n, n->other ? p->locks->candidates.at[n->other].name : 0);
        map64_put(&p->locks->candidate_named, c->name, *slot);
        c->before = p->locks->last_candidate[by];
        p->locks->last_candidate[by] = *slot;
    }
    return *slot;
}

static void section(struct program *p, uint32_t by, const struct noted *n) {
    struct lock_facts *facts = p->locks;
    const uint64_t class = class_key(n->class);
    bool fresh;

    (void)map64_place(&facts->sections, hash_add(class, key_pair(by, n->event)), &fresh);
    if (!fresh)
        return; /* solved again */
    *map64_place(&facts->sections, class, &fresh) += 1;
    *map64_place(&facts->gates, class, &fresh) += n->bits;
}

uint32_t noted_do(struct program *p, uint32_t by, uint32_t pass, const struct noted *n) {
    struct candidate *c = &p->locks->candidates.at[n->candidate];

    switch (n->kind) {
    case NOTED_CANDIDATE: return candidate_of(p, by, n);
    case NOTED_PAIR:
        c->paired = true;
        NOTE_FUNC(&c->pairs, by);
        break;
    case NOTED_CLASH: NOTE_FUNC(&c->clashes, by); break;
    case NOTED_PROBLEM: vec_push(&c->problems, n->number); break;
    case NOTED_BAD_CALL: vec_push(&c->bad_calls, n->number); break;
    case NOTED_NO_DOUBT:
        vec_clear(&c->problems);
        c->paired = true;
        break;
    case NOTED_MIXED: c->mixed = true; break;
    case NOTED_RETURNS:
        c->mixed |= (n->bits & 1) != 0;
        c->every_return |= (n->bits & NOTED_EVERY) != 0;
        c->reachable |= (n->bits & NOTED_REACHABLE) != 0;
        break;
    case NOTED_CONDEMNED: c->condemned = n->bits != 0; break;
    case NOTED_TOLD_AS: c->told_as = n->other; break;
    case NOTED_NAMELESS:
        map64_put(&p->locks->nameless, hash_add(class_key(n->class), by), n->candidate);
        break;
    case NOTED_SECTION: section(p, by, n); break;
    case NOTED_GIVEN_BACK: map64_put(&p->locks->given_back, class_key(n->class), 1); break;
    case NOTED_EXCUSED: p->funcs.at[n->func].needs_excused = true; break;
    case NOTED_HANDED_ON:
        map64_put(&p->lock_order->handed_on, hash_add(key_pair(n->func, n->event), key_pair(n->from, n->to)),
                  1);
        break;
    case NOTED_TOO_MANY:
        program_give_up(p, by, "the lock-order rule, holding more than 64 locks at once");
        break;
    case NOTED_SOMETIMES:
        map64_put(&habits_of(p)->sometimes, habit_sometimes_key(by, n->event, n->item), pass);
        break;
    case NOTED_KINDS: break;
    }
    return 0;
}
