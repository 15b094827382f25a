/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* local-across-await: which locals of a stackless task are lost where it comes back, and which are not.
 * Stands on aglet/stackless.h and, at the end, on hand-written resumption. */
#include <aglet/executor.h>
#include <aglet/stackless.h>
#include <stdio.h>
#include <string.h>

struct frame {
    AGLET_FRAME_HEADER;
    int i, error, sum;
    char line[16];
    int *where;
};
int compute(void);
void fill(char *buffer, int size);
void show(const char *buffer);

AGLET_CHANNEL(ints, int);

/* Written before, read after. */
AGLET_STACKLESS(plain, struct frame) {
    int k;
    AGLET_BEGIN(f);
    k = compute();
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    f->sum += k; // expected-warning {{local 'k' has lost its value here, in the await before [aglet-local-across-await]}}
    AGLET_END(f);
}
AGLET_STACKLESS(plain_mended, struct frame) {
    int k;
    AGLET_BEGIN(f);
    k = compute();
    f->i = k;
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    k = f->i; // no diagnostic: written anew
    f->sum += k;
    AGLET_END(f);
}

/* A loop counter that is not in the frame. */
AGLET_STACKLESS(counter, struct frame) {
    AGLET_BEGIN(f);
    for (int n = 0; n < 3; n++) { // expected-warning {{'n' has lost its value here, in the await before [aglet-local-across-await]}}
        AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(1)));
    }
    AGLET_END(f);
}
AGLET_STACKLESS(counter_mended, struct frame) {
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < 3; f->i++) {
        int square = f->i * f->i;
        f->sum += square; // no diagnostic: its life is over before the await
        AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(1)));
    }
    AGLET_END(f);
}

/* Set before the switch: a constant is set again each time, so what was counted is lost; what is read from the frame is not. */
AGLET_STACKLESS(reset, struct frame) {
    int total = 0;
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < 3; f->i++) {
        total += f->i; // expected-warning {{local 'total' has lost its value here, in the await before [aglet-local-across-await]}}
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    }
    AGLET_END(f);
}
AGLET_STACKLESS(made_anew, struct frame) {
    int *sum = &f->sum;
    AGLET_BEGIN(f);
    for (f->i = 0; f->i < 3; f->i++) {
        *sum += f->i; // no diagnostic: computed again each time the task comes back
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    }
    AGLET_END(f);
}

/* On one branch only. */
AGLET_STACKLESS(branch, struct frame) {
    int k;
    AGLET_BEGIN(f);
    k = compute();
    if (f->i)
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    f->sum = k; // expected-warning {{local 'k' has lost its value here, in the await before [aglet-local-across-await]}}
    AGLET_END(f);
}
AGLET_STACKLESS(branch_mended, struct frame) {
    int k;
    AGLET_BEGIN(f);
    k = compute();
    if (f->i) {
        AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
        k = compute();
    }
    f->sum = k; // no diagnostic: on the way of the await it is computed anew
    AGLET_END(f);
}

/* Arrays, through calls. */
AGLET_STACKLESS(buffer, struct frame) {
    char line[16];
    AGLET_BEGIN(f);
    fill(line, sizeof line);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    show(line); // expected-warning {{local 'line' has lost its value here, in the await before [aglet-local-across-await]}}
    AGLET_END(f);
}
AGLET_STACKLESS(buffer_mended, struct frame) {
    char line[16];
    AGLET_BEGIN(f);
    fill(f->line, sizeof f->line);
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    show(f->line);
    snprintf(line, sizeof line, "%d", f->i);
    show(line); // no diagnostic: filled after the await
    AGLET_END(f);
}

/* The address of a local. */
AGLET_STACKLESS(address, struct frame) {
    int item;
    AGLET_BEGIN(f);
    f->where = &item; // expected-warning {{the address of local 'item' is kept across an await [aglet-local-across-await]}}
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    *f->where = 1;
    AGLET_END(f);
}
AGLET_STACKLESS(address_mended, struct frame) {
    int item = 0;
    AGLET_BEGIN(f);
    f->where = &item; // no diagnostic: the frame's own takes its place before the await
    *f->where = 1;
    f->where = &f->i;
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    *f->where = 1;
    AGLET_END(f);
}
struct receiver {
    AGLET_FRAME_HEADER;
    ints_receiver rx;
    int error, item;
};
AGLET_STACKLESS(given, struct receiver) {
    int item = 0;
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_recv_poll(&f->aglet_, &f->rx, &item)); // expected-warning {{the address of local 'item' is kept across an await [aglet-local-across-await]}}
    AGLET_END(f);
}
AGLET_STACKLESS(given_mended, struct receiver) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_recv_poll(&f->aglet_, &f->rx, &f->item)); // no diagnostic: it lies in the frame
    AGLET_END(f);
}

/* A static local stays what it is, for all tasks. */
AGLET_STACKLESS(shared_by_all, struct frame) {
    static int k;
    AGLET_BEGIN(f);
    k = compute();
    AGLET_AWAIT(f, f->error, aglet_yield_poll(&f->aglet_));
    f->sum += k; // no diagnostic: it is no automatic variable
    AGLET_END(f);
}

/* Resumption written by hand: a switch over a member of the frame, and returns. */
struct machine {
    int state, n;
};
int by_hand(struct machine *m AGLET_FRAME);
int by_hand(struct machine *m) {
    int k = 0;
    switch (m->state) {
    case 0:
        k = compute();
        m->state = 1;
        return 1;
    case 1:
        m->n = k; // expected-warning {{local 'k' has lost its value here, in the await before [aglet-local-across-await]}}
        break;
    default: break;
    }
    return 0;
}
int by_hand_mended(struct machine *m AGLET_FRAME);
int by_hand_mended(struct machine *m) {
    int k = 0;
    switch (m->state) {
    case 0:
        m->n = compute();
        m->state = 1;
        return 1;
    case 1:
        k = m->n;
        m->n = k * 2; // no diagnostic: it was in the frame
        break;
    default: break;
    }
    return 0;
}

void use_all(void);
void use_all(void) {
    struct frame f = {.i = 1};
    struct receiver r = {.item = 0};
    if (plain_spawn(NULL, f) || plain_mended_spawn(NULL, f) || counter_spawn(NULL, f) || counter_mended_spawn(NULL, f) ||
        reset_spawn(NULL, f) || made_anew_spawn(NULL, f) || branch_spawn(NULL, f) || branch_mended_spawn(NULL, f) ||
        buffer_spawn(NULL, f) || buffer_mended_spawn(NULL, f) || address_spawn(NULL, f) || address_mended_spawn(NULL, f) ||
        given_spawn(NULL, r) || given_mended_spawn(NULL, r) || shared_by_all_spawn(NULL, f))
        return;
}
