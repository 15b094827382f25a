/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which calls stop the thread? As their constant arguments say, the descriptors that the program makes, and the ways there are.
 * Stands on the models and the call graph; effects.c carries it upwards. */
#include <string.h>
#include "../base/alloc.h"
#include "blocks_when.h"
#include "ways.h"

bool call_arg_const(const struct unit *u, const struct ir_event_rec *ev, uint32_t index, int64_t *v) {
    ir_expr e;

    if (index >= ev->args.count)
        return false;
    e = ir_uncast(u, u->expr_refs[ev->args.first + index]);
    *v = (int64_t)((uint64_t)u->exprs[e].b << 32 | u->exprs[e].a);
    return u->exprs[e].op == IR_E_CONST;
}

/* Input and output on a file descriptor: does not block where the program works with O_NONBLOCK, as far as anybody can see. */
bool call_works_on_descriptor(const char *name) {
    static const char *const names[] = {"read",    "readv",    "write",   "writev", "recv",    "recvfrom",
                                        "recvmsg", "recvmmsg", "send",    "sendto", "sendmsg", "sendmmsg",
                                        "accept",  "accept4",  "connect", NULL};

    for (int i = 0; names[i]; i++)
        if (!strcmp(name, names[i]))
            return true;
    return false;
}

/* The calls that make a descriptor, or make one non-blocking, and the argument that says so. */
static const struct maker {
    const char *name;
    uint32_t index;
    int64_t value;
    bool has; /* the value is a bit in the argument; else all of it */
} makers[] = {
    {"fcntl", 1, 4 /* F_SETFL */, false},
    {"fcntl64", 1, 4, false},
    {"ioctl", 1, 0x5421 /* FIONBIO */, false},
    {"socket", 1, 04000 /* SOCK_NONBLOCK */, true},
    {"socketpair", 1, 04000, true},
    {"accept4", 3, 04000, true},
    {"pipe2", 1, 04000 /* O_NONBLOCK */, true},
    {"open", 1, 04000, true},
    {"open64", 1, 04000, true},
    {"openat", 2, 04000, true},
    {"openat64", 2, 04000, true},
};

static bool makes_nonblocking(const struct unit *u, const struct ir_event_rec *ev, const char *callee) {
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++) {
        const struct maker *m = &makers[i];
        int64_t v = 0;
        if (strcmp(callee, m->name) != 0)
            continue;
        if (!call_arg_const(u, ev, m->index, &v))
            return m->has && strncmp(m->name, "open", 4) != 0; /* cannot be told; files are regular mostly */
        return m->has ? v & m->value : v == m->value;
    }
    return false;
}

bool program_makes_nonblocking(const struct program *p) {
    for (size_t i = 0; i < p->edges.n; i++) {
        const struct call_edge *e = &p->edges.at[i];
        const struct linked_func *caller = &p->funcs.at[e->caller], *callee = &p->funcs.at[e->callee];
        if (!callee->defined &&
            makes_nonblocking(caller->unit->unit, &caller->unit->unit->events[e->event], callee->name))
            return true;
    }
    return false;
}

static bool block_blocks(const struct program *p, uint32_t func, uint32_t b) {
    const struct unit *u = p->funcs.at[func].unit->unit;
    const struct ir_block_rec *rec = &u->blocks[b];

    for (uint32_t i = 0; i < rec->events.count; i++) {
        const ir_event e = rec->events.first + i;
        const struct ir_event_rec *ev = &u->events[e];
        uint32_t n;
        const struct call_edge *edges = ev->op == IR_EV_CALL ? program_calls(p, func, e, &n) : NULL;
        if (!edges || n != 1 || edges[0].callback)
            continue;
        const struct linked_func *callee = &p->funcs.at[edges[0].callee];
        const struct summary *s = callee->summary;
        if ((callee->defined ? s && s->blocks_always : s && s->effects & EFFECT_BLOCKS) ||
            call_blocks_when(p, func, e).always)
            return true;
    }
    return false;
}

bool function_blocks_always(const struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    const uint32_t n = u->funcs[f->func].blocks.count, first = u->funcs[f->func].blocks.first;
    bool returns = false, *blocks, always;

    if (!(f->summary->effects & EFFECT_BLOCKS))
        return false;
    blocks = xcalloc(n, sizeof *blocks);
    for (uint32_t b = 0; b < n; b++) {
        returns |= u->blocks[first + b].term == IR_TERM_RETURN;
        blocks[b] = block_blocks(p, func, first + b);
    }
    always = returns && every_way_meets(u, &u->funcs[f->func], blocks, WAYS_NO_PARAM);
    free(blocks);
    return always;
}
