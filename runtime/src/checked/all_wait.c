/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Nothing runs any more, and tasks wait: who has forgotten a sender, who waits for whom, or else who waits where.
 * Stands on quiescence.c, which finds out; chan_check.h.
 *
 * A hook that takes the report finds the tasks aborted, so that they unwind, and threads out of their waits. */
#include "all_wait.h"
#include "chan_check.h"
#include "misuse.h"

#include <stdio.h>
#include <string.h>

static bool has_work(const void *worker) {
    struct worker *w = (struct worker *)(uintptr_t)worker;
    return atomic_load(&w->inbox) || w->newest || w->run.head || deque_size(&w->deque) ||
           atomic_load(&w->trace) || atomic_load(&w->executor->injected);
}

const char *task_words(const struct aglet_task *t, char out[TASK_WORDS_ROOM]) {
    const char *name = task_name(t);
    snprintf(out, TASK_WORDS_ROOM, "task %llu '%.60s'", (unsigned long long)task_id(t),
             name ? name : "unnamed");
    return out;
}

static void collect(struct aglet_task *t, void *parked) {
    struct parked *p = parked;
    if ((p->executor && !executor_runs(p->executor, t)) || task_state(t) != TASK_PARKED ||
        atomic_load(&t->told))
        return;
    p->all++;
    if (p->n < PARKED_SHOWN)
        p->list[p->n++] = t;
}

void parked_collect(struct parked *p) {
    p->n = p->all = 0;
    task_each(collect, p);
}

static unsigned parked(void) {
    struct parked p = {.executor = NULL};
    parked_collect(&p);
    return p.all;
}

void parked_note(struct misuse *m, const struct aglet_task *t) {
    struct task_rest rest = {0};
    char words[TASK_WORDS_ROOM];
    dump_peek(t, task_id(t), &rest);
    misuse_note(m, "%s waits in '%s' here", task_words(t, words), rest.waits_for ? rest.waits_for : "?");
    misuse_place(m, rest.waits_at);
}

struct crowd {
    struct check_thread *list[PARKED_SHOWN];
    unsigned n;
};

/* Threads that wait for something else than work. */
static bool collect_thread(struct check_thread *t, void *crowd) {
    struct crowd *c = crowd;
    if (t->wait_for != CHECK_ON_WORK && c->n < PARKED_SHOWN)
        c->list[c->n++] = t;
    return true;
}

struct receiver {
    struct party party, opener; /* opener.who 0: it is not among those who wait */
    aglet_chan *channel;
};

/* The channel that the party receives from, or NULL. */
static aglet_chan *receives_from(const struct party *p) {
    const char *why = NULL;
    const void *on = NULL;
    if (p->thread && p->thread->wait_for == CHECK_ON_AWAIT) {
        why = p->thread->await_why;
        on = p->thread->await_on;
    } else if (!p->thread && task_stack(p->task)) {
        why = p->task->stack->rest.waits_for;
        on = p->task->stack->waits_on;
    }
    return why && strcmp(why, "recv") == 0 ? (aglet_chan *)(uintptr_t)on : NULL;
}

static bool joins(const struct party *p) {
    struct task_rest rest = {0};
    if (p->thread)
        return p->thread->wait_for == CHECK_ON_JOIN ||
               (p->thread->wait_for == CHECK_ON_AWAIT && strcmp(p->thread->await_why, "join") == 0);
    dump_peek(p->task, p->who, &rest);
    return rest.waits_for && strstr(rest.waits_for, "join");
}

/* Who opened the channel has its last sender, the receiver or another, where all but the receiver only wait for others to
 * end: nobody else could use it. It is the receiver's own as well where clones were handed out and have gone. */
static bool has_forgotten(const struct party *p, const struct party *all, unsigned n, struct receiver *out) {
    struct chan_note note;
    aglet_chan *c = receives_from(p);
    if (!c || !chan_has_last_sender(c, &note))
        return false;
    *out = (struct receiver){.party = *p, .channel = c};
    bool own = note.opener == p->who;
    bool others_join = true;
    for (unsigned i = 0; i < n; i++) {
        if (all[i].who == p->who)
            continue;
        others_join &= joins(&all[i]);
        if (all[i].who == note.opener)
            out->opener = all[i];
    }
    return (own && note.cloned) || (others_join && (own || out->opener.who));
}

static struct misuse *report_forgotten(const struct receiver *r) {
    char words[TASK_WORDS_ROOM], opener[TASK_WORDS_ROOM];
    struct misuse *m = misuse_open("forgotten-sender", r->channel, true);
    if (r->opener.who)
        misuse_say(
            m,
            "%s receives from a channel whose last sender is never dropped: %s, which opened it, only waits",
            party_words(&r->party, words), party_words(&r->opener, opener));
    else
        misuse_say(m, "%s receives from a channel whose only remaining sender it holds itself; drop it first",
                   party_words(&r->party, words));
    return m;
}

struct waiting {
    struct parked tasks;
    struct crowd threads;
    struct party all[2 * PARKED_SHOWN];
    unsigned n;
};

static void note_all(struct misuse *m, const struct waiting *w) {
    enum { SHOWN = 16 };
    for (unsigned i = 0; i < w->tasks.n && i < SHOWN; i++)
        parked_note(m, w->tasks.list[i]);
    if (w->tasks.all > SHOWN)
        misuse_note(m, "and %u more tasks", w->tasks.all - SHOWN);
    for (unsigned i = 0; i < w->threads.n && i < SHOWN; i++)
        waits_note(m, w->threads.list[i]);
}

/* A hook has taken the report. The tasks are woken from outside their workers, of which this thread may be one; threads
 * give up where there is no task whose end may wake them. */
static void let_go(const struct waiting *w) {
    for (unsigned i = 0; i < w->tasks.n; i++) {
        atomic_store_explicit(&w->tasks.list[i]->aborted, 1, memory_order_release);
        task_wake_from(NULL, w->tasks.list[i]);
    }
    for (unsigned i = 0; i < w->threads.n && !w->tasks.n; i++)
        atomic_store(&w->threads.list[i]->await_told, true);
}

static bool report_any(const struct waiting *w) {
    bool awaits = true;
    for (unsigned i = 0; i < w->threads.n; i++)
        awaits &= w->threads.list[i]->wait_for == CHECK_ON_AWAIT;
    if (!w->tasks.n && !awaits)
        return false;
    struct misuse *m = misuse_open("channel-deadlock", NULL, true);
    if (w->tasks.all == 1)
        misuse_say(m, "the only task waits and nothing is left that could wake it");
    else if (w->tasks.all)
        misuse_say(m, "all %u tasks wait and nothing is left that could wake one", w->tasks.all);
    else
        misuse_say(
            m, "every thread waits for a task, a channel or an async lock, and nobody is left to wake one");
    note_all(m, w);
    misuse_close(m);
    return true;
}

static bool report_a_forgotten_one(const struct waiting *w) {
    struct receiver r;
    for (unsigned i = 0; i < w->n; i++)
        if (has_forgotten(&w->all[i], w->all, w->n, &r)) {
            struct misuse *m = report_forgotten(&r);
            note_all(m, w);
            misuse_close(m);
            return true;
        }
    return false;
}

static bool report(bool sure) {
    struct waiting w = {.n = 0};
    parked_collect(&w.tasks);
    threads_each(collect_thread, &w.threads);
    for (unsigned i = 0; i < w.tasks.n; i++)
        w.all[w.n++] = party_of_task(w.tasks.list[i]);
    for (unsigned i = 0; i < w.threads.n; i++)
        w.all[w.n++] = party_of_thread(w.threads.list[i]);
    bool done = circles_report(true, w.all, w.n) || report_a_forgotten_one(&w) || (sure && report_any(&w));
    if (done)
        let_go(&w);
    return done;
}

static const struct task_side side = {has_work, parked, report};

__attribute__((constructor(103))) static void take_part(void) {
    task_side = &side;
}
