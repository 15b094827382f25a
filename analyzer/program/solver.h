/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One function being solved: what solve.c, transfer.c, calls.c and finish.c share. Private to program/.
 * Stands on world.h and lock_facts.h.
 *
 * solve.c runs worlds through blocks to a fixpoint, then once more with `recording` on; transfer.c does what an event does,
 * calls.c and call_*.c what a call does, finish.c makes the summary and the candidates of what was recorded. */
#ifndef AGLET_PROGRAM_SOLVER_H
#define AGLET_PROGRAM_SOLVER_H

#include "lock_facts.h"
#include "noted.h"

#define MAX_WORLDS 12u          /* of a block … */
#define MAX_WORLDS_BY_FLAGS 24u /* … of a function whose callers' flags tell of its locks */
#define TEMP_OF_BLOCK 1u
#define TEMP_SHARED 2u

struct block_state {
    struct world **worlds;
    uint32_t n_worlds, cap_worlds;
    uint32_t order; /* in reverse postorder; UINT32_MAX: unreachable */
    uint32_t visits;
    uint64_t *loop; /* bit set of blocks (relative) of the loops it heads, or NULL */
    uint64_t *live; /* bit set of the temps that are read after it, or NULL */
    uint8_t counts; /* counted_loops.c; 0: not asked */
    bool queued;
};

struct exit_record {
    struct world *w;
    term value; /* 0: none */
    ir_loc loc;
    ir_event event;
    term odd_lock; /* held on this return by a mistake that was said: callers are told nothing of it; or 0 */
};

/* Guarded data touched without its lock: whether it is the caller's business is known when the function is done. */
struct pending_access {
    struct requirement r;
    term lock, object; /* in this function's terms */
    uint32_t problem;  /* dropped if it becomes the callers' business */
    bool here;         /* certainly not the callers' business */
    const struct trail
        *trail; /* on which way, with how many locks held and given up, since which spawn: the section */
    uint32_t n_held, n_gone;
    ir_event spawn;
    ir_event tried; /* the try that did not get the lock on this way; or 0 */
};

/* Locks of one class that the call `event` takes or releases, each in a turn of its own. */
struct collection {
    struct object_class class;
    ir_event event;
};

/* What is so on every way to somewhere, of values that callers can name. */
struct entry_known {
    struct precondition when[MAX_WHEN];
    uint32_t n;
    bool any; /* some way was seen */
};

/* A call of a function that gives a lock of its caller's up for a while. */
struct given_up_seen {
    ir_event event;
    uint32_t callee;
    term lock;
    uint32_t of; /* the callee's candidate */
    bool unheld; /* on some way the lock is not held … */
    bool asked;  /* … and on others it is, by a call that decides itself whether to take it */
    struct requirement up;
};

/* An unlock with the lock held on some ways only. */
struct unlock_seen {
    ir_event event;
    term lock;
    bool held, unheld;
    bool
        by_caller; /* both, and callers tell by what they pass which it is: `if (!have) lock(mu); … unlock(mu);` */
    struct entry_known held_when, unheld_when;
    bool other;                  /* another instance was held */
    ir_event taken;              /* where it was taken on a way with it, or 0 */
    const struct trail *without; /* the decisions on a way without it */
    ir_event doubted;            /* the lock call that failed on a way here, or 0 */
    uint32_t failed;             /* what to report if that way never rejoins the others */
    uint32_t problem;            /* what to report if it is a mismatch */
    uint32_t candidate;          /* … if it is not */
};

/* A condition wait in this function. */
struct wait_seen {
    ir_event event;
    term lock, condition;
    ir_event taken;   /* where the lock was, in this function, or 0 */
    bool judged;      /* the lock is ours, so the loop must be, too */
    bool without;     /* on some way the lock is not held … */
    uint32_t problem; /* … which is this, or 0 */
    bool excused;     /* timed, or in a loop inside the callee */
    uint32_t up;      /* in waits, + 1, or 0 */
};

/* Destroyed in this block, whatever the way through it. */
#define MAX_DESTROYS 16u
struct destroyed_at {
    uint32_t path; /* in destroys */
    uint32_t block;
};

/* A path of program.paths at a call, if it was said in this `saying`. */
struct said {
    uint32_t saying;
    term as;
};

struct solver {
    struct program *p;
    uint32_t func;
    struct linked_func *lf;
    const struct linked_unit *lu;
    const struct unit *u;
    const struct ir_func_rec *fr;
    const struct level_edge *levels; /* relock.h */
    uint32_t n_levels;
    ir_var frame;      /* the function is a stackless task's: its frame, else 0 */
    struct summary *s; /* being made */
    struct term_table t;
    struct arena arena; /* the worlds that enter blocks, and all below: until the next function */
    struct arena
        scratch; /* the worlds on their way through a block: until it has been run; while recording, until the end */

    struct block_state *blocks; /* relative to fr->blocks.first */
    uint32_t n_blocks;
    uint32_t *by_order, n_order;
    uint32_t next_queued; /* no block before it in the order waits */
    ir_event first_event;
    uint32_t n_events;
    uint32_t *event_block; /* relative block by relative event */
    uint32_t *
        temp; /* by relative local: 0: it is none; TEMP_OF_BLOCK: one block uses it; else its bit in `live` + TEMP_SHARED */
    term *local_places; /* by relative local: its place, or 0: not asked for */
    VEC(uint32_t) keys; /* memory classes the function reads */
    VEC(uint32_t)
    steady; /* … that decide whether it takes a lock it gives back elsewhere, or that nobody writes (steady.c) */
    bool *decides; /* by block: the branch at its end asks one of them, and one arm takes the lock */
    uint32_t most_worlds, most_apart; /* of a block; of these, with the same locks */
    bool *
        asks_flags; /* by block: the branch at its end asks only the callers' arguments whether a lock is given back */
    VEC(uint32_t) steady_paths; /* of these, the pointers that lead to what is asked */
    struct map64
        setters; /* function, parameter, member → 2: it writes that of what it is handed; 1: it does not. For all functions */

    bool recording, gave_up;
    uint32_t pass;                 /* which solving of a function this is; its last one counts */
    ir_event now_at;               /* the event being done; 0: between events */
    VEC(struct world *) now, next; /* the worlds of the event being done */
    VEC(uint32_t) marks;           /* by term: the epoch in which it was seen (dead_facts.c) */
    uint32_t epoch;
    VEC(struct said) said; /* by path (callers_words.c) */
    uint32_t saying;
    struct map64
        spared; /* lock → is there a target of the call being checked that does not take it? (call_needs.c) */
    VEC(term) path_of;  /* by term: its path, if it was asked for (callers_words.c) */
    struct map64 hints; /* nameless value → a cell that held it */
    VEC(struct exit_record) exits;
    VEC(struct pending_access) pending;
    VEC(struct unlock_seen) unlocks;
    VEC(ir_event)
    misread; /* tries whose lock is released where they failed: told there, and nothing else of them */
    VEC(term) taken;   /* locks this function takes itself */
    VEC(term) retired; /* objects it initialises, destroys or frees */
    VEC(term)
    decisive; /* values that decide whether a lock is taken, here or by a callee: worlds that differ there are kept apart */
    VEC(term) choosers;                 /* locals that are set to one lock or another (choosers.c) */
    VEC(struct collection) collections; /* of locks taken, or released, in a loop */
    VEC(struct collection) swept;       /* all releases, as such */
    VEC(struct requirement) requirements;
    VEC(struct inner_lock) inner;
    VEC(struct wait_effect) waits; /* of our callers' conditions and locks */
    VEC(struct wait_seen) waits_seen;
    VEC(struct given_up_seen) given_up;
    VEC(term) inits, destroys;
    VEC(struct destroyed_at) destroyed_at;
    VEC(struct order_edge) orders;
    struct map64 order_of;   /* from, to, event → its edge */
    VEC(struct noted) noted; /* where there is a memo: what was noted, in order */
    size_t first_wait;       /* in lock_facts.waits */
    bool unkeyed;            /* something was read that step.h does not look at: it is not kept */
};

/* Do it, and write it down. Returns the number of a CANDIDATE. */
uint32_t note(struct solver *s, struct noted n);

/* transfer.c */
/* What event e does to world w: the worlds that come out are pushed to s->next. */
void transfer_event(struct solver *s, struct world *w, ir_event e);
term eval(struct solver *s, struct world *w, ir_expr e, ir_event at);
term eval_place(struct solver *s, struct world *w, ir_expr e, ir_event at);
void note_hint(struct solver *s, term value, term cell);
/* Is the lock held as needed? 2: yes; 1: for reading only, and writing was asked; 0: no. */
int lock_status(struct solver *s, const struct world *w, term lock, bool write);

/* guards.c */
enum access_kind { ACCESS_READ, ACCESS_WRITE, ACCESS_COPY_FROM, ACCESS_COPY_TO, ACCESS_ADDRESS };
void check_access(struct solver *s, struct world *w, term at, ir_type type, enum access_kind kind,
                  ir_loc loc);
void check_pointee(struct solver *s, struct world *w, ir_expr pointer, bool write, ir_event at, ir_loc loc);
/* `into`: the place that keeps it, or 0. */
void check_escape(struct solver *s, struct world *w, term value, term into, enum lock_problem_detail how,
                  ir_loc loc);
/* Does the guarded data that value points to link objects of this struct, as a list's head does? */
bool escape_is_link(const struct solver *s, term value, uint32_t to);
/* A lock that a callee needs is not held at the call. Recording only. */
void check_requirement(struct solver *s, struct world *w, const struct requirement *r, uint32_t callee,
                       term lock, term object, ir_loc loc);
bool defers_to_callers(const struct solver *s);

/* callers_words.c */
/* A path of program.paths in this function, at a call. 0 when it cannot be said. */
term instantiate(struct solver *s, const struct world *w, term path, const term *args, uint32_t n_args,
                 term result);
/* The same of many paths for one world and one row of arguments, which do not change meanwhile: a part that several have in common is
 * looked at once. Begin before the first. */
void instantiate_begin(struct solver *s);
term instantiate_again(struct solver *s, const struct world *w, term path, const term *args, uint32_t n_args);
/* The locks of the collection that x is one of, in callers' words: TERM_SOME of what they look like; or 0. */
term collection_path(struct solver *s, term x);
/* A term of this function in callers' words (program.paths), or 0. w: the world to look for other names in, or NULL;
 * result: the value returned, or 0. */
term to_path(struct solver *s, const struct world *w, term x, term result);

/* entry_known.c */
/* What the world knows of values that callers can name is put behind the n in `when`; returns how many there are, max + 1: too many. */
uint32_t add_known(struct solver *s, const struct world *w, struct precondition *when, uint32_t n,
                   uint32_t max);
/* Of `when` is kept what the others say, too; returns how many. */
uint32_t keep_known(struct precondition *when, uint32_t n, const struct precondition *other,
                    uint32_t n_other);
/* One more way leads there. */
void meet_known(struct solver *s, struct entry_known *all, const struct world *w);
/* Does something that callers pass tell all ways to the one from all ways to the other? */
bool told_by_caller(const struct program *p, const struct entry_known *x, const struct entry_known *y);

/* calls.c */
void transfer_call(struct solver *s, struct world *w, ir_event e);

/* call_levels.c */
/* What is done on an edge of this function that leads round a lock call (relock.h). */
void do_levels(struct solver *s, struct world *w, uint32_t block, uint32_t succ, ir_event now);

/* call_locks.c */
void release_lock(struct solver *s, struct world *w, term lock, const struct lock_effect *e, uint32_t callee,
                  ir_event ev);
bool lock_is_recursive(const struct solver *s, term lock);

/* suspends.c; recording only */
struct call;
void check_suspends(const struct call *c, const struct world *w);
/* A condition wait with other locks held than its own. */
void check_wait_suspends(struct solver *s, const struct world *w, uint32_t callee, term own, ir_event e);

/* finish.c */
void finish_function(struct solver *s);
/* Does the function take this lock anywhere? */
bool takes_itself(const struct solver *s, term lock);

/* given_up.c */
/* Judge the calls that need a lock held to give it up: those of other ways are known by now. */
void settle_given_up(struct solver *s);

/* call_waits.c */
void settle_waits(struct solver *s);
/* wait_again.c */
bool tests_again(struct solver *s, const struct wait_seen *w);
/* Does a way lead from one block to the other without going back? */
bool leads_forward(struct solver *s, uint32_t from, uint32_t to);
/* contract_check.c */
void check_contract(struct solver *s);
/* returns.c */
void settle_returns(struct solver *s);
/* Is it a try whose failure was taken for success? 0: none. After the blocks were run. */
bool is_misread(const struct solver *s, ir_event tried);
/* Is it one of the locks that a loop takes, or that one released? */
bool is_collected(const struct solver *s, const struct held *h);
/* Does the function release locks like it, so that whether it is still held on this return is not known, or is a leak? */
bool is_swept(struct solver *s, const struct held *h, const struct exit_record *x);
/* h is of a collection of which other returns have all or none, told by their results. Is this one with all, where there were none to take? */
bool lacks_all(struct solver *s, const struct exit_record *x, const struct held *h);
/* The lock, as callers call it after this return: by the pointer that it is handed out by (*out, the result), else by its path; or 0. */
term callers_name(struct solver *s, const struct exit_record *x, term lock);
struct range result_range(const struct solver *s, const struct exit_record *x);
/* Does the value returned tell whether h is held? *ok: the values with which it is. */
bool results_with(const struct solver *s, const struct exit_record *x, const struct held *h,
                  struct range *ok);
/* Can a caller tell these two returns apart? By the result, or by what was so before the call. */
bool told_apart(const struct solver *s, const struct exit_record *x, const struct exit_record *y);
/* … where h, held on the first, really is. */
bool told_apart_with(const struct solver *s, const struct exit_record *x, const struct held *h,
                     const struct exit_record *y);
/* left_behind.c */
/* Do the two returns leave values that differ where callers look? */
bool left_apart(const struct solver *s, const struct exit_record *x, const struct exit_record *y);
/* The returns that come back as one outcome. */
struct returns {
    const struct exit_record *const *exits;
    size_t n;
    struct outcome *of;
};
/* Fill `left` of the outcomes. */
void keep_left(struct solver *s, const struct returns *groups, uint32_t n);
/* outcomes.c */
void make_outcomes(struct solver *s);

/* block_order.c */
/* The order in which blocks are run, and the loops. */
void order_blocks(struct solver *s);
/* scan_events.c */
/* What the events mention; which temps live on. After order_blocks. */
void scan_events(struct solver *s);
static inline bool in_set(const uint64_t *set, uint32_t i) {
    return set && set[i / 64] >> i % 64 & 1;
}
/* choosers.c */
/* Fill `choosers`. After scan_events. */
void find_choosers(struct solver *s);
/* Does one of them name one object in a, and another in b? */
bool chose_differently(struct solver *s, const struct world *a, const struct world *b);

/* cases.c */
/* What is known where the switch at the end of b leads to successor `succ`. False: it does not, in this world. */
bool take_case(struct solver *s, struct world *w, const struct ir_block_rec *b, uint32_t succ, term value);

/* steady.c */
/* Fill `steady`. After order_blocks. */
void find_steady(struct solver *s);
/* What the calls of the block do to locks, together. */
enum { BLOCK_TAKES = 1, BLOCK_GIVES = 2 };
unsigned block_lock_calls(const struct program *p, uint32_t func, ir_block block);
/* given_by_flag.c */
/* Fill `asks_flags`, and `decisive` with what is asked. After scan_events; `entry` is the world at the function's entry. */
void find_flags(struct solver *s, struct world *entry);
/* Fill lock_deciders: what is asked before a lock function of a model is called. */
void program_find_lock_deciders(struct program *p);
/* Is it read from a member or global by which some function of the program decides whether to take a lock? */
bool is_lock_decider(const struct program *p, const struct term_table *t, term value);
/* A callee gives up h or not by this value. May h have been taken by the same value, or noted in it? Not where the function took the lock
 * itself, or by a call that does not write there, and nobody in the program asks it before taking a lock. */
bool may_go_with_lock(const struct solver *s, term path, const struct held *h);
/* Does the function call lock functions that take, or those that give back, but not both? */
bool takes_or_gives(const struct program *p, uint32_t func);
/* Is a value read in the condition by which some function of the program decides whether to take a lock? */
bool decides_elsewhere(const struct program *p, const struct linked_unit *lu, ir_expr condition);
/* The members (field << 2 | 1) and globals (<< 2 | 2) whose values the condition reads; `inner`: those that lead to what it asks. */
void condition_reads(const struct linked_unit *lu, ir_expr e,
                     void (*found)(void *data, uint32_t key, bool inner), void *data);
/* The same of all that a function reads which only asks (predicates.h). */
struct predicate;
void predicate_reads(const struct predicate *q, void (*found)(void *data, uint32_t key, bool inner),
                     void *data);
/* counted_loops.c */
/* The way from block `from` that is taken where its condition is false leaves a loop that counts a local up by one, from zero,
 * while it is less than a limit: then the local is that limit. */
void end_counting(struct solver *s, uint32_t from, struct world *w);
/* dead_facts.c */
/* Drop facts about values that neither the world nor the term `also` names; w's own arrays are written. */
void drop_dead_facts(struct solver *s, struct world *w, term also);

/* section_flags.c */
/* Fill section_flags: what tells a thread what it is in the middle of. */
void program_find_section_flags(struct program *p);
/* Is the value made of one of them? */
bool says_where(const struct program *p, const struct term_table *t, term value);

/* passed_constants.c */
/* Is the value switched over a parameter as it came, of which every caller passes a constant that is one of the cases? */
bool callers_pass_cases(const struct solver *s, const struct ir_block_rec *b, term value);
/* Does some caller pass what is known of the parameters in this world? */
bool some_caller_leads_here(struct solver *s, const struct world *w);

/* next_turn.c */
/* Prepare w to enter the loop's head again. */
void next_turn(struct solver *s, struct world *w, uint32_t head);
/* solve.c */
void solver_reset(struct solver *s, uint32_t func);
/* Only which function it is. */
void solver_at(struct solver *s, uint32_t func);
/* Returns false when it had to be given up. */
bool solve_function(struct solver *s, uint32_t func);
/* Once more through the worlds that came to rest, noting what is seen: the function's summary and facts. Called by solve_function;
 * again, when callees have changed in nothing that worlds depend on (inputs.h). */
void solver_record(struct solver *s);
void solver_free(struct solver *s);
/* matters.c */
/* Is there anything about locks in it, or in what it calls? Most functions have nothing, and worlds are expensive. */
bool function_matters(const struct program *p, uint32_t func);
/* By linked_func: is guarded data touched in it? A pointer to a struct with guards that is handed on counts (memset). */
bool *functions_with_guarded(struct program *p);

/* problems.c */
/* A new problem, or NULL when it is known already. Its number is *number (may be NULL). */
struct lock_problem *problem_new(struct solver *s, enum lock_problem_kind kind,
                                 enum lock_problem_detail detail, ir_loc at, term lock, uint32_t *number);
void problem_story(struct solver *s, struct lock_problem *pr, enum story_kind kind, const struct unit *u,
                   ir_loc loc, const char *text);
/* One that was found by an earlier run; its number. */
uint32_t problem_again(struct program *p, uint32_t func, const struct lock_problem *pr);
/* … in the unit of that function, which may be edited without this one. */
void problem_story_in(struct solver *s, struct lock_problem *pr, enum story_kind kind, uint32_t func,
                      ir_loc loc, const char *text);
void problem_way(struct solver *s, struct lock_problem *pr, const struct way *way);
void problem_taken(struct solver *s, struct lock_problem *pr, const struct held *h);
void problem_trail(struct solver *s, struct lock_problem *pr, const struct trail *from,
                   const struct trail *to);
const char *print_place(struct solver *s, term x);
uint32_t candidate_new(struct solver *s, enum candidate_kind kind, term path, struct object_class class,
                       uint32_t from);

#endif
