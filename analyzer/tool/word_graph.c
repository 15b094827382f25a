/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet graph: the lock graph and the calls that lead to a yield, as DOT, or as SVG drawn by Graphviz.
 * Stands on solved.h, picture.h and program/lock_order.h. Each edge names its evidence: function, file and line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "picture.h"
#include "program/lock_facts.h"
#include "program/lock_order.h"
#include "say.h"
#include "solved.h"
#include "word.h"

struct graph {
    bool svg, yields, cycles, failed;
    FILE *out;       /* once there is something to draw */
    unsigned number; /* of the program being drawn; 0: the only one */
    struct picture picture;
};

static const char *base_name(const char *path) {
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path ? path : "?";
}

/* One object where the program names it, else its class: "struct queue.mu". */
static void class_name(const struct program *p, term lock, char *out, size_t size) {
    const struct term_rec *r = term_at(&p->paths, lock);
    const struct linked_field *f = r->op == TERM_FIELD ? &p->fields.at[r->b] : NULL;
    const enum term_op base = f || r->op == TERM_INDEX ? term_at(&p->paths, r->a)->op : TERM_NONE;
    size_t n = 0;

    if (base == TERM_FIELD || base == TERM_INDEX || base == TERM_GLOBAL) {
        class_name(p, r->a, out, size);
        n = strlen(out);
        snprintf(out + n, size - n, f ? ".%s" : "[]", f ? f->name : "");
    } else if (f) {
        snprintf(out, size, "struct %s.%s", p->structs.at[f->parent].name, f->name);
    } else if (r->op == TERM_GLOBAL) {
        snprintf(out, size, "%s", p->globals.at[r->a].name);
    } else {
        snprintf(out, size, "?");
    }
}

static void lock_name(const struct program *p, term lock, char *out, size_t size) {
    if (order_concrete(p, lock))
        term_print_place(&p->paths, p, NULL, NULL, NULL, lock, out, size);
    else
        class_name(p, lock, out, size);
}

/* The file it is declared in, by which locks are put together. */
static const char *lock_box(const struct program *p, term lock) {
    const struct object_class c = term_class(&p->paths, lock);
    const struct linked_field *f = &p->fields.at[c.field];
    term root = lock;

    while (term_at(&p->paths, root)->op == TERM_FIELD || term_at(&p->paths, root)->op == TERM_INDEX)
        root = term_at(&p->paths, root)->a;
    const struct linked_global *g =
        &p->globals.at[term_at(&p->paths, root)->op == TERM_GLOBAL ? term_at(&p->paths, root)->a : c.global];
    if (g->unit) /* the object's, where it is named */
        return base_name(program_position(g->unit->unit, g->unit->unit->vars[g->var].loc).file);
    if (c.field && f->unit)
        return base_name(program_position(f->unit->unit, f->unit->unit->fields[f->field].loc).file);
    return NULL;
}

/* Instances that are named are nodes of their own; all others of a class are one. */
static uint32_t lock_node(struct graph *g, const struct program *p, term lock) {
    const bool named = order_concrete(p, lock);
    char name[200];

    lock_name(p, lock, name, sizeof name);
    return picture_node(&g->picture, named ? key_pair(lock, 0) : order_class(p, lock), name,
                        lock_box(p, lock), 0);
}

static void draw_locks(struct graph *g, const struct program *p) {
    const struct lock_order *o = p->lock_order;
    bool *in_cycle = xcalloc(o->edges.n + 1, sizeof *in_cycle);

    for (size_t i = 0; i < o->cycles.n; i++)
        for (uint32_t k = 0; k < o->cycles.at[i].n; k++)
            in_cycle[o->cycles.at[i].edges[k] - o->edges.at] = true;
    for (size_t k = 0; k < 2 * o->edges.n;
         k++) { /* those of cycles first: their places are the ones to be shown */
        const size_t i = k % o->edges.n;
        const struct order_edge *e = &o->edges.at[i];
        const struct position at = program_position(p->funcs.at[e->origin.func].unit->unit, e->origin.loc);
        if (in_cycle[i] != (k < o->edges.n) || (g->cycles && !in_cycle[i]))
            continue;
        char *place = xasprintf("%s, %s:%u", p->funcs.at[e->origin.func].name, base_name(at.file), at.line);
        const uint32_t from = lock_node(g, p, e->from), to = lock_node(g, p, e->to);
        picture_edge(&g->picture, from, to, place,
                     (in_cycle[i] ? LOOK_RED : 0u) | (e->to_shared ? LOOK_DASHED : 0u));
        free(place);
    }
    free(in_cycle);
}

static uint32_t func_node(struct graph *g, const struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    const struct site *why = f->summary ? &f->summary->effect_at[0] : NULL; /* EFFECT_YIELDS is the first */
    const bool itself = !f->defined || (why && why->func == func && f->n_edges == 0);

    return picture_node(&g->picture, func, f->name,
                        f->defined ? base_name(program_position(u, u->funcs[f->func].loc).file) : NULL,
                        itself ? LOOK_BOLD : 0u);
}

static void draw_yields(struct graph *g, const struct program *p) {
    for (size_t i = 0; i < p->edges.n; i++) {
        const struct call_edge *e = &p->edges.at[i];
        const struct linked_func *callee = &p->funcs.at[e->callee];
        const struct unit *u = p->funcs.at[e->caller].unit->unit;
        const struct position at = program_position(u, u->events[e->event].loc);
        if (!callee->summary || !(callee->summary->effects & EFFECT_YIELDS))
            continue;
        char *place = xasprintf("%s:%u", base_name(at.file), at.line);
        const uint32_t from = func_node(g, p, e->caller), to = func_node(g, p, e->callee);
        picture_edge(&g->picture, from, to, place, e->indirect ? LOOK_DASHED : 0u);
        free(place);
    }
}

static bool take(void *data, const char *value) {
    static const char *const words[] = {"locks", "cycles", "yields"};
    struct graph *g = data;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t n = strlen(words[i]);
        if (strncmp(value, words[i], n) != 0 || (value[n] && strcmp(value + n, ".svg") != 0))
            continue;
        g->svg = value[n];
        g->cycles = i == 1;
        g->yields = i == 2;
        return true;
    }
    return false;
}

static int trouble(struct graph *g, const char *what) {
    say("Graphviz's dot %s: install graphviz, or leave .svg away", what);
    g->out = NULL;
    g->failed = true;
    return EXIT_TROUBLE;
}

static bool have_dot(void) {
    return system("command -v dot >/dev/null 2>&1") == 0;
}

static void begin(const struct graph *g) {
    fprintf(g->out, "digraph %s {\n%s  rankdir=LR;\n", g->yields ? "yields" : "locks",
            g->yields ? "  // an edge: a call that may suspend the task; dashed: through a pointer; bold: "
                        "suspends by itself\n"
                      : "  // an edge: the second is waited for while the first is held; dashed: for "
                        "reading; red: part of a cycle\n");
    fputs("  node [shape=box, style=rounded, fontname=Helvetica, fontsize=11, height=0.3];\n"
          "  edge [fontname=Helvetica, fontsize=8, arrowsize=0.7];\n"
          "  graph [fontname=Helvetica, fontsize=10, color=gray60, fontcolor=gray30, ranksep=1];\n",
          g->out);
}

static int show(const struct program *p, const char *title, void *data) {
    struct graph *g = data;

    if (g->failed)
        return EXIT_TROUBLE;
    if (!g->out) {
        g->out = !g->svg ? stdout : have_dot() ? popen("dot -Tsvg", "w") : NULL;
        if (!g->out)
            return trouble(g, "is not there");
        begin(g);
    }
    if (g->yields)
        draw_yields(g, p);
    else
        draw_locks(g, p);
    g->number += title != NULL;
    picture_print(&g->picture, g->out, g->number, title);
    return EXIT_CLEAN;
}

static int end(void *data) {
    struct graph *g = data;

    if (!g->out)
        return EXIT_CLEAN; /* there is no graph, which was said */
    fputs("}\n", g->out);
    return g->svg && pclose(g->out) != 0 ? trouble(g, "failed") : EXIT_CLEAN;
}

static int graph(int argc, char **argv) {
    struct graph g = {0};
    const struct solved_word word = {.usage = "[FILE...] [-- COMPILER FLAGS]",
                                     .about = "Prints the lock graph (which lock is waited for while which "
                                              "is held), its cycles alone, or the calls that may suspend a "
                                              "task, as DOT; as SVG where Graphviz is installed. Each edge "
                                              "names the places it was seen at; several programs of "
                                              "one build are drawn beside each other.",
                                     .option = "what",
                                     .value = "locks|cycles|yields[.svg]",
                                     .option_help = "Which graph, and in which form; locks by default",
                                     .take = take,
                                     .show = show,
                                     .end = end,
                                     .data = &g};

    return solved_run(&word, argc, argv);
}

AGLET_WORD("graph", "[-p BUILD] [--program NAME] [--what=…] [FILE...]",
           "draw the lock graph, its cycles, or the calls that may suspend a task", graph)
