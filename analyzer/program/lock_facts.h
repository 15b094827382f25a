/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What goes wrong with locks, and by what way: the facts that the lock rules word.
 * Stands on linked.h. Filled by program_solve, read by rules/.
 *
 * Names in it (lock, data) are printed as C would spell them in the function where the problem stands; the solver's terms
 * are gone by then. */
#ifndef AGLET_PROGRAM_LOCK_FACTS_H
#define AGLET_PROGRAM_LOCK_FACTS_H

#include "linked.h"
#include "summary.h"

enum lock_problem_kind {
    PROBLEM_GUARDED,  /* guarded data touched without its lock */
    PROBLEM_ESCAPE,   /* a pointer to guarded data leaves the critical section */
    PROBLEM_REQUIRES, /* a call without a lock the callee requires by annotation */
    PROBLEM_EXCLUDES, /* a call with a lock the callee excludes */
    PROBLEM_CONTRACT, /* a function breaks its own annotation */
    PROBLEM_DOUBLE,   /* a lock taken that is held already */
    PROBLEM_UNHELD,   /* a lock released that is not held */
    PROBLEM_LEAK,     /* held on this return */
    PROBLEM_MISMATCH, /* held on one branch only */
    PROBLEM_WAIT,     /* condition waits */
    PROBLEM_DESTROY,  /* destroyed while held */
    PROBLEM_YIELD,    /* a thread lock held at a call that may suspend the task */
    PROBLEM_BLOCK,    /* a lock held at a call that may stop the thread without bound */
    PROBLEM_KINDS
};
enum lock_problem_detail {
    DETAIL_NONE,
    DETAIL_READ,
    DETAIL_WRITE,
    DETAIL_COPY,
    DETAIL_ADDRESS,     /* GUARDED */
    DETAIL_SHARED_ONLY, /* GUARDED, REQUIRES: written with the lock held for reading only */
    DETAIL_IN_CALLEE,   /* GUARDED, DOUBLE, UNHELD: what needs it stands in the function called here */
    DETAIL_RETURNED,
    DETAIL_STORED,
    DETAIL_PASSED,
    DETAIL_PASSED_ON,      /* ESCAPE: to a function that keeps it; that is not in sight */
    DETAIL_UPGRADE,        /* DOUBLE: held for reading, taken for writing */
    DETAIL_RELEASED_TWICE, /* UNHELD: released before on this way */
    DETAIL_FAILED_TRY,     /* UNHELD: the trylock failed on this way */
    DETAIL_OTHER_INSTANCE, /* UNHELD: `near` is what is held */
    DETAIL_AT_UNLOCK,
    DETAIL_AT_RETURN, /* MISMATCH */
    DETAIL_NOT_ACQUIRED,
    DETAIL_NOT_RELEASED,
    DETAIL_STILL_HELD,
    DETAIL_LOST, /* CONTRACT */
    DETAIL_NO_LOOP,
    DETAIL_NO_MUTEX,
    DETAIL_OTHER_MUTEX, /* WAIT */
    DETAIL_LOCAL_DIES,  /* DESTROY: its storage ends */
    DETAIL_MAY, /* BLOCK: on some way through the callee only; DOUBLE: one of the functions that may be called */
    DETAIL_MEANT, /* BLOCK: it shows that whoever wants the lock is meant to wait */
    DETAIL_OPEN   /* DOUBLE: the callee takes it only where something is so that is not known at the call */
};

enum story_kind {
    STORY_TAKEN,    /* text: the lock, taken here */
    STORY_TRIED,    /* … tried here, and not got */
    STORY_RELEASED, /* … released here */
    STORY_TRUE,
    STORY_FALSE,
    STORY_CASE,
    STORY_DEFAULT,  /* the way at a branch */
    STORY_CALL,     /* text: the function called here */
    STORY_ACCESS,   /* text: the data touched here */
    STORY_UNLOCK,   /* text: the lock released by the callee here */
    STORY_GUARD,    /* text: the guard, declared here */
    STORY_TAKES,    /* text: the function that takes the lock here */
    STORY_NEAR,     /* text: another instance that is held, taken here */
    STORY_WAIT,     /* text: the condition waited on here */
    STORY_CONTRACT, /* text: the annotation that says so */
    STORY_CALLED,   /* text: the function called here, on the way to what yields or blocks */
    STORY_WAY       /* in its place CALLED ones will stand (ways_told.c) */
};
struct story {
    enum story_kind kind;
    const struct unit *unit;
    ir_loc loc;
    const char *text;
    uint32_t func;         /* in whose unit that is; 0: in the problem's own, or at a declaration */
    const struct way *way; /* WAY: to be told when all are solved */
};
/* The calls that lead from a callee to where it takes the lock, or to what yields or blocks. */
struct way {
    uint32_t callee;
    term lock;       /* in the callee's words; 0: it is a way to what … */
    uint32_t end;    /* the function that takes the lock */
    uint32_t effect; /* … has this effect (enum effect_bit), … */
    uint32_t when;   /* … by the callee's wait_if, + 1; or 0 */
    uint32_t called; /* … the function that is handed over and waits, or 0 */
};

struct lock_problem {
    enum lock_problem_kind kind;
    enum lock_problem_detail detail;
    const struct unit *unit;
    ir_loc at;
    ir_event event;   /* of that function: what was being done; or 0 */
    uint32_t func;    /* linked_func in which it stands */
    const char *lock; /* as C spells it here */
    const char *data; /* GUARDED, ESCAPE: the data; REQUIRES …: the function called */
    const char *near; /* another instance that is held, or NULL */
    struct story *story;
    uint32_t n_story;
    bool dropped;       /* judged to be none after all */
    bool stale;         /* its function was solved again and did not see it anew */
    bool doubtful;      /* LEAK: code that is not in sight may be meant to give it back */
    uint32_t candidate; /* waits for a judgement: its candidate, or 0 */
    uint32_t item; /* GUARDED, ESCAPE: the guarded member or global, or 0. UNHELD: the lock as such, or 0 … */
    uint32_t wrapper;          /* … and the member or global whose type wraps it, or 0 */
    struct object_class class; /* BLOCK: of the lock; WAIT: of one that callers cannot name */
    uint32_t round;            /* recursive functions are solved several times: the last counts */
    uint32_t before;           /* the function's problem before this one, or 0 */
    /* By what it is known again (lock_facts.seen): what it was at first, of what class of lock; where that is not known, of what name. */
    enum lock_problem_kind seen_kind;
    struct object_class seen_class;
    uint64_t seen_name;
    uint64_t named; /* step_read.c: the candidate, until it has a number */
};

/* Is it a wrapper or a mistake? Judged when the whole program is solved (judge.c). */
enum candidate_kind { CANDIDATE_HELD_ON_RETURN, CANDIDATE_RELEASES };
enum { CANDIDATE_KINDS = 2, CANDIDATE_PERHAPS = 2 }; /* a bit beside the kind */
struct candidate {
    enum candidate_kind kind;
    uint32_t func;
    term lock; /* program.paths, 0: cannot be said in callers' words */
    struct object_class class;
    uint32_t from; /* the callee's candidate that this one hands on, or 0 */
    uint32_t
        told_as; /* the candidate of the same effect on other returns, which callers are told of in its stead; or 0 */
    bool
        mixed; /* HELD: the function itself releases it on another way; RELEASES: it takes it itself where callers say so */
    bool every_return; /* HELD: on all returns */
    bool reachable;    /* HELD: callers can name the lock */
    bool perhaps;      /* RELEASES: some call that leads there may run other functions */
    bool paired;       /* some caller releases what was returned held, or holds what is released */
    bool stale;        /* its function was solved again and did not make it anew */
    bool condemned;    /* judged a mistake, and its function solved again without the effect */
    bool
        over_time; /* taken at one time, given back at another: no mistake, but callers cannot say when it is held, so
                         the function was solved again without the effect */
    VEC(uint32_t) pairs;     /* the callers that pair with it */
    VEC(uint32_t) clashes;   /* callers that lock twice because of it */
    bool meant;              /* judged: a wrapper */
    VEC(uint32_t) problems;  /* what to report if it is a mistake */
    VEC(uint32_t) bad_calls; /* what to report if it is none, but some callers break it */
    uint64_t name;           /* the same in every run; 0 where there is no memo … */
    uint32_t before;         /* … nor the function's candidate before this one; or 0 */
};

/* A condition wait with its lock. */
struct wait_fact {
    term condition, lock; /* paths, see class_path of call_waits.c */
    uint32_t func;
    ir_loc at;
    const char *condition_text, *lock_text;
};

struct lock_facts {
    VEC(struct wait_fact) waits;
    VEC(struct lock_problem) problems;
    VEC(struct candidate) candidates;
    struct map64 seen;         /* kind, place, lock */
    struct map64 candidate_of; /* function, kind, lock, class, origin */
    struct map64 sections; /* class of a lock → places where it is given back; … and each such place, once */
    struct map64
        gates; /* … → those where it was taken just before: as many as others, and who holds it means others to wait */
    struct map64 given_back; /* class of a lock that some function takes and gives back itself */
    struct map64
        nameless; /* function and class of a lock it returns with that callers cannot name → the candidate */
    uint32_t *last_problem;       /* by function, or 0 */
    uint32_t *last_candidate;     /* by function, or 0; where there is a memo */
    struct map64 candidate_named; /* candidate.name → its number */
    uint32_t round;
};

/* Is the function in the list? Else put it there. */
#define NOTE_FUNC(list, func)                                                                                \
    do {                                                                                                     \
        bool known_ = false;                                                                                 \
        for (size_t i_ = 0; i_ < (list)->n; i_++)                                                            \
            known_ |= (list)->at[i_] == (func);                                                              \
        if (!known_)                                                                                         \
            vec_push((list), (func));                                                                        \
    } while (0)

/* Solve every function's locks, callees first; fill summaries and facts. Requires the call graph. */
void program_solve_locks(struct program *p);
/* What a function does to memory, its parameters and its thread, whatever the way: mods, escapes, effects. */
void program_solve_effects(struct program *p);
/* Mark the fields and globals whose locks are initialised recursive. Requires the effects. */
void program_find_recursive_locks(struct program *p);
/* Judge the candidates so far: those that are mistakes and may mislead callers are condemned, their functions set in
 * `again`. Returns whether there was a new one. */
bool program_condemn(struct program *p, bool *again);
/* ---- blocks.c ---- */
/* Is argument `index` of the call a constant? */
bool call_arg_const(const struct unit *u, const struct ir_event_rec *ev, uint32_t index, int64_t *v);
bool call_works_on_descriptor(const char *name);
/* Does the program make descriptors that do not block? Which ones is not followed, so then no receive is known to block. */
bool program_makes_nonblocking(const struct program *p);
/* Does every way from the entry to a return pass a call that blocks? Requires the effects of the function and its callees. */
bool function_blocks_always(const struct program *p, uint32_t func);
/* The next call on the way from function `at` to what gives it the effect (one bit): its event in `at`, and the callee; 0 when
 * the annotation of `at` says so itself. *when: of the wait_ifs of `at`, + 1, the one that is followed, then the one of the callee;
 * 0: what it does whatever its callers pass. */
uint32_t effect_next(const struct program *p, uint32_t at, uint32_t effect, uint32_t *when, ir_event *event);
/* Put the calls in the place of STORY_WAYs. When all functions are solved; stories of later problems have none. */
void program_tell_ways(struct program *p);
/* Decide the candidates. */
void program_judge(struct program *p);
/* What main touches where no other thread is alive needs no lock. Requires the threads (lock_order.h). */
void program_drop_alone(struct program *p);
/* Of a lock held across an await, only that is told. Requires the judgement. */
void program_drop_after_await(struct program *p);

static inline const struct lock_facts *program_locks(const struct program *p) {
    return p->locks;
}
/* The solved program's facts by number, for rules: problems of one kind. Start with *i = 0; NULL at the end. */
const struct lock_problem *lock_problem_next(const struct program *p, enum lock_problem_kind kind, size_t *i);

#endif
