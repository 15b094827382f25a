/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Random tasks send, receive, select, spawn, time out and are aborted, and a ledger of message ids is
 * compared at the end of every round: what was sent came once, what was returned to its sender came never.
 * Stands on the public headers.
 *
 *   stress_tasks SECONDS [SEED]      the seed is printed; the same seed makes the same choices, not the same
 * schedule */
#include "aglet/executor.h"
#include "aglet/select.h"
#include "aglet/stackless.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANNELS = 4, PRODUCERS = 8, CONSUMERS = 6, STACKLESS = 4, EACH = 250 };
enum { ACTORS = PRODUCERS + CONSUMERS + 2 * STACKLESS, IDS = (PRODUCERS + STACKLESS) * EACH };
enum { UNSENT, SENT, RETURNED };

AGLET_CHANNEL(ids, uint32_t);

static uint64_t seed;
static atomic_uchar fate[IDS];
static atomic_uint came[IDS];
static atomic_ulong total;

struct chance {
    uint64_t state;
};

static uint32_t roll(struct chance *c, uint32_t n) {
    c->state ^= c->state << 13;
    c->state ^= c->state >> 7;
    c->state ^= c->state << 17;
    return (uint32_t)(c->state >> 33) % n;
}

static struct chance chance_of(uint64_t who) {
    struct chance c = {(seed + who) * UINT64_C(0x9E3779B97F4A7C15) | 1};
    roll(&c, 2);
    return c;
}

struct actor {
    uint32_t first;
    struct chance chance;
    ids_sender tx[CHANNELS];
    ids_shared_receiver rx[CHANNELS];
};

/* One message by a task of its own, which may be aborted on the way; its result says what became of the
 * message. A group, because its join waits even in an aborted task: the errand lies in this frame. */
struct errand {
    ids_sender *tx;
    uint32_t id;
    int result;
};

static void *run_errand(void *arg) {
    struct errand *e = arg;
    e->result = ids_send(e->tx, e->id);
    return NULL;
}

static void *run_errand_in_time(void *arg) {
    struct errand *e = arg;
    void *unused;
    (void)aglet_timeout(run_errand, e, aglet_after_ns(e->id % 7 * 50000), &unused);
    return NULL;
}

static int send_by_another(struct actor *a, ids_sender *tx, uint32_t id) {
    struct errand e = {tx, id, -ECANCELED};
    aglet_group group = {{0}};
    int error = aglet_group_spawn(&group, roll(&a->chance, 2) ? run_errand : run_errand_in_time, &e);
    if (error)
        return error;
    if (roll(&a->chance, 3) == 0) {
        (void)aglet_sleep_until(aglet_after_ns(roll(&a->chance, 200000)));
        aglet_group_abort(&group);
    }
    (void)aglet_group_join(&group);
    return e.result;
}

static int send_somehow(struct actor *a, uint32_t id) {
    ids_sender *tx = &a->tx[roll(&a->chance, CHANNELS)], *other = &a->tx[roll(&a->chance, CHANNELS)];
    switch (roll(&a->chance, 6)) {
    case 5:
        return send_by_another(a, tx, id);
    case 0:
        return ids_try_send(tx, id);
    case 1:
        return ids_send_until(tx, id, aglet_after_ns(roll(&a->chance, 300000)));
    case 2: {
        struct aglet_case cases[] = {AGLET_CASE_SEND(tx, &id), AGLET_CASE_SEND(other, &id)};
        int i = aglet_select(cases, tx == other ? 1 : 2, aglet_after_ns(roll(&a->chance, 500000)));
        return i < 0 ? i : cases[i].result;
    }
    default:
        return ids_send(tx, id);
    }
}

static void *produce(void *arg) {
    struct actor *a = arg;
    for (uint32_t i = 0; i < EACH && !aglet_aborted(); i++) {
        uint32_t id = a->first + i;
        int error = send_somehow(a, id);
        atomic_store(&fate[id], error ? RETURNED : SENT);
        if (roll(&a->chance, 50) == 0)
            (void)aglet_yield();
    }
    for (int k = 0; k < CHANNELS; k++)
        ids_drop(&a->tx[k]);
    return NULL;
}

static void note(uint32_t id) {
    atomic_fetch_add(&came[id], 1);
    atomic_fetch_add_explicit(&total, 1, memory_order_relaxed);
}

static void *consume(void *arg) {
    struct actor *a = arg;
    unsigned ended = 0;
    while (ended != (1u << CHANNELS) - 1 && !aglet_aborted()) {
        uint32_t id[CHANNELS], many[8];
        unsigned k = roll(&a->chance, CHANNELS);
        if (ended & 1u << k)
            continue;
        int error = -EAGAIN;
        switch (roll(&a->chance, 5)) {
        case 0:
            error = ids_shared_try_recv(&a->rx[k], &id[k]);
            if (error == -EAGAIN)
                (void)aglet_yield();
            break;
        case 1: {
            struct aglet_case cases[CHANNELS];
            for (int i = 0; i < CHANNELS; i++) {
                cases[i] = (struct aglet_case)AGLET_CASE_RECV(&a->rx[i], &id[i]);
                if (ended & 1u << i)
                    cases[i].kind = AGLET_NEVER_;
            }
            int i = aglet_select(cases, CHANNELS, aglet_after_ns(roll(&a->chance, 400000)));
            if (i >= 0) {
                k = (unsigned)i;
                error = cases[i].result;
            }
            break;
        }
        case 2: {
            ids_receiver rx = {a->rx[k].chan_};
            error = ids_recv_until(&rx, &id[k], aglet_after_ns(roll(&a->chance, 300000)));
            break;
        }
        case 3: {
            ids_receiver rx = {a->rx[k].chan_};
            /* Waiting without end on one channel is fine: its senders end. */
            long n = ids_recv_many(&rx, many, 8);
            for (long i = 0; i < n; i++)
                note(many[i]);
            error = n < 0 ? (int)n : -EAGAIN;
            break;
        }
        default:
            error = ids_shared_recv(&a->rx[k], &id[k]);
        }
        if (!error)
            note(id[k]);
        else if (error == -EPIPE)
            ended |= 1u << k;
    }
    for (int k = 0; k < CHANNELS; k++)
        ids_shared_drop(&a->rx[k]);
    return NULL;
}

struct step_producer {
    AGLET_FRAME_HEADER;
    uint32_t first, i, id;
    ids_sender tx;
    int error;
};

AGLET_STACKLESS(step_produce, struct step_producer) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < EACH; f->i++) {
        f->id = f->first + f->i;
        AGLET_AWAIT(f, f->error, aglet_send_poll(&f->aglet_, &f->tx, &f->id));
        atomic_store(&fate[f->id], f->error ? RETURNED : SENT);
        if (f->error == -ECANCELED)
            break;
        if (f->i % 37 == 0)
            AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ns(100000)));
    }
    ids_drop(&f->tx);
    AGLET_END(f);
}

struct step_consumer {
    AGLET_FRAME_HEADER;
    uint32_t id;
    ids_shared_receiver rx;
    int error;
};

AGLET_STACKLESS(step_consume, struct step_consumer) {
    AGLET_BEGIN(f);
    for (;;) {
        AGLET_AWAIT(f, f->error, aglet_recv_poll(&f->aglet_, &f->rx, &f->id));
        if (f->error)
            break;
        note(f->id);
    }
    ids_shared_drop(&f->rx);
    AGLET_END(f);
}

struct round {
    uint64_t number;
    struct actor actors[PRODUCERS + CONSUMERS];
    aglet_task *tasks[ACTORS];
    ids_shared_receiver rx[CHANNELS];
    atomic_int done;
};

static void *chaos(void *arg) {
    struct round *r = arg;
    struct chance c = chance_of(r->number * 1000 + 999);
    while (!atomic_load(&r->done)) {
        (void)aglet_sleep_until(aglet_after_ns(200000 + roll(&c, 3000000)));
        if (roll(&c, 3) == 0)
            aglet_abort(r->tasks[roll(&c, ACTORS)]);
    }
    return NULL;
}

static void *run_round(void *arg) {
    struct round *r = arg;
    static const size_t capacities[] = {0, 1, 16, AGLET_UNBOUNDED};
    ids_sender tx[CHANNELS];
    for (int i = 0; i < IDS; i++) {
        atomic_store(&fate[i], UNSENT);
        atomic_store(&came[i], 0);
    }
    for (int k = 0; k < CHANNELS; k++) {
        ids_receiver rx;
        if (ids_bounded(&tx[k], &rx, capacities[k]))
            return "no memory";
        r->rx[k] = ids_share(&rx);
    }
    int n = 0;
    uint32_t first = 0;
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++) {
        struct actor *a = &r->actors[i];
        a->chance = chance_of(r->number * 1000 + (uint64_t)i);
        a->first = first;
        for (int k = 0; k < CHANNELS; k++)
            if (i < PRODUCERS)
                a->tx[k] = ids_clone(&tx[k]);
            else
                a->rx[k] = ids_shared_clone(&r->rx[k]);
        if (aglet_spawn(&r->tasks[n++], i < PRODUCERS ? produce : consume, a))
            return "no memory";
        if (i < PRODUCERS)
            first += EACH;
    }
    for (int i = 0; i < STACKLESS; i++, first += EACH) {
        if (step_produce_spawn(&r->tasks[n++],
                               (struct step_producer){.first = first, .tx = ids_clone(&tx[i % CHANNELS])}) ||
            step_consume_spawn(&r->tasks[n++],
                               (struct step_consumer){.rx = ids_shared_clone(&r->rx[i % CHANNELS])}))
            return "no memory";
    }
    aglet_task *disturber;
    atomic_store(&r->done, 0);
    if (aglet_spawn(&disturber, chaos, r))
        return "no memory";
    /* All consumers may have been aborted: this task receives as well, until the senders are gone. */
    for (int k = 0; k < CHANNELS; k++)
        ids_drop(&tx[k]);
    for (int k = 0; k < CHANNELS; k++) {
        uint32_t id;
        int error;
        for (;;) {
            struct aglet_case cases[CHANNELS];
            uint32_t got[CHANNELS];
            for (int i = 0; i < CHANNELS; i++)
                cases[i] = (struct aglet_case)AGLET_CASE_RECV(&r->rx[i], &got[i]);
            for (int i = 0; i < k; i++)
                cases[i].kind = AGLET_NEVER_;
            int i = aglet_select(cases, CHANNELS, aglet_after_ms(1));
            if (i >= 0 && !cases[i].result)
                note(got[i]);
            error = ids_shared_try_recv(&r->rx[k], &id);
            if (!error)
                note(id);
            else if (error == -EPIPE)
                break;
        }
    }
    atomic_store(&r->done, 1);
    if (aglet_join(disturber, NULL) || aglet_join_all(r->tasks, NULL, ACTORS))
        return "a join failed";
    for (int k = 0; k < CHANNELS; k++)
        ids_shared_drop(&r->rx[k]);
    for (uint32_t i = 0; i < IDS; i++) {
        unsigned want = atomic_load(&fate[i]) == SENT, got = atomic_load(&came[i]);
        if (want != got) {
            fprintf(stderr, "round %llu: message %u (fate %d) came %u times\n", (unsigned long long)r->number,
                    i, atomic_load(&fate[i]), got);
            return "the ledger does not balance";
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 2;
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)aglet_now();
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    aglet_time end = aglet_after_ns((int64_t)(seconds * 1e9));
    static struct round round;
    static const struct aglet_executor_options kinds[] = {
        {.workers = 2}, {.current_thread = true}, {.workers = 4}};
    for (uint64_t kind = 0; aglet_now() < end; kind++) {
        aglet_executor *ex = aglet_executor_new(&kinds[kind % 3]);
        if (!ex) {
            perror("stress_tasks: executor");
            return 1;
        }
        for (int i = 0; i < 10 && aglet_now() < end; i++) {
            void *wrong = NULL;
            int error = aglet_block_on(ex, run_round, &round, &wrong);
            if (error || wrong) {
                fprintf(stderr, "stress_tasks: %s\n", wrong ? (const char *)wrong : strerror(-error));
                return 1;
            }
            round.number++;
        }
        aglet_executor_free(ex);
    }
    printf("%llu rounds, %lu messages, nothing lost, nothing twice\n", (unsigned long long)round.number,
           atomic_load(&total));
    return round.number == 0;
}
