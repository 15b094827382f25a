/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* aglet graph: the lock graph and the calls that lead to a yield, as DOT, or as SVG drawn by Graphviz.
 * Stands on solved.h and program/lock_order.h. Each edge names its evidence: the file and line where it was seen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "program/lock_facts.h"
#include "program/lock_order.h"
#include "say.h"
#include "solved.h"
#include "word.h"

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path ? path : "?";
}

static void quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* One object where the program names it, else its class: "struct queue.mu". */
static void lock_name(const struct program *p, term lock, char *out, size_t size)
{
    const struct object_class c = term_class(&p->paths, lock);

    if (order_concrete(p, lock))
        term_print_place(&p->paths, p, NULL, NULL, NULL, lock, out, size);
    else if (c.field)
        snprintf(out, size, "struct %s.%s", p->structs.at[p->fields.at[c.field].parent].name, p->fields.at[c.field].name);
    else if (c.global)
        snprintf(out, size, "%s[]", p->globals.at[c.global].name);
    else
        snprintf(out, size, "?");
}

static bool in_cycle(const struct lock_order *o, const struct order_edge *e)
{
    for (size_t i = 0; i < o->cycles.n; i++)
        for (uint32_t k = 0; k < o->cycles.at[i].n; k++)
            if (o->cycles.at[i].edges[k] == e)
                return true;
    return false;
}

static void draw_locks(const struct program *p, FILE *out)
{
    const struct lock_order *o = p->lock_order;

    fputs("  // an edge: the second is waited for while the first is held; red: part of a cycle\n", out);
    for (size_t i = 0; i < o->edges.n; i++) {
        const struct order_edge *e = &o->edges.at[i];
        const struct position at = program_position(p->funcs.at[e->origin.func].unit->unit, e->origin.loc);
        char from[200], to[200], label[300];
        lock_name(p, e->from, from, sizeof from);
        lock_name(p, e->to, to, sizeof to);
        snprintf(label, sizeof label, "%s, %s:%u", p->funcs.at[e->origin.func].name, base_name(at.file), at.line);
        fputs("  ", out);
        quoted(out, from);
        fputs(" -> ", out);
        quoted(out, to);
        fputs(" [label=", out);
        quoted(out, label);
        fputs(in_cycle(o, e) ? ", color=red];\n" : e->to_shared ? ", style=dashed];\n" : "];\n", out);
    }
}

static void draw_yields(const struct program *p, FILE *out)
{
    fputs("  // an edge: a call that may suspend the task\n", out);
    for (size_t i = 0; i < p->edges.n; i++) {
        const struct call_edge *e = &p->edges.at[i];
        const struct linked_func *callee = &p->funcs.at[e->callee], *caller = &p->funcs.at[e->caller];
        const struct unit *u = caller->unit->unit;
        const struct position at = program_position(u, u->events[e->event].loc);
        char label[300];
        if (!callee->summary || !(callee->summary->effects & EFFECT_YIELDS))
            continue;
        snprintf(label, sizeof label, "%s:%u", base_name(at.file), at.line);
        fputs("  ", out);
        quoted(out, caller->name);
        fputs(" -> ", out);
        quoted(out, callee->name);
        fputs(" [label=", out);
        quoted(out, label);
        fputs(e->indirect ? ", style=dashed];\n" : "];\n", out);
    }
}

struct choice {
    bool svg, yields;
};

static bool take(void *data, const char *value)
{
    struct choice *c = data;

    c->svg = strstr(value, "svg") != NULL;
    c->yields = strstr(value, "yields") != NULL;
    return !strcmp(value, "locks") || !strcmp(value, "yields") || !strcmp(value, "locks.svg") || !strcmp(value, "yields.svg");
}

static int show(const struct program *p, void *data)
{
    const struct choice *c = data;
    FILE *out = stdout;

    if (c->svg && (system("command -v dot >/dev/null 2>&1") != 0 || !(out = popen("dot -Tsvg", "w")))) {
        say("Graphviz's dot is not there: install graphviz, or leave .svg away");
        return EXIT_TROUBLE;
    }
    fprintf(out, "digraph %s {\n  rankdir=LR;\n", c->yields ? "yields" : "locks");
    if (c->yields)
        draw_yields(p, out);
    else
        draw_locks(p, out);
    fputs("}\n", out);
    if (c->svg && pclose(out) != 0) {
        say("Graphviz's dot failed: install graphviz, or leave .svg away");
        return EXIT_TROUBLE;
    }
    return EXIT_CLEAN;
}

static int graph(int argc, char **argv)
{
    struct choice c = {false, false};
    const struct solved_word word = {
        "[FILE...] [-- COMPILER FLAGS]",
        "Prints the program's lock graph (which lock is waited for while which is held), or the calls that may suspend a task, "
        "as DOT; as SVG where Graphviz is installed.",
        "what", "locks|yields|locks.svg|yields.svg", "Which graph, and in which form; locks by default", take, show, NULL, &c};

    return solved_run(&word, argc, argv);
}

AGLET_WORD("graph", "[-p BUILD] [--what=…] [FILE...]", "draw the lock graph, or the calls that may suspend a task", graph)
