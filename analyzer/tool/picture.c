/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Prints nodes, boxes and edges in the order in which they came. Stands on picture.h. */
#include "picture.h"

#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"

enum { PLACES_SHOWN = 2 };

uint32_t picture_node(struct picture *p, uint64_t key, const char *name, const char *box, unsigned looks) {
    bool fresh;
    uint32_t *slot = map64_place(&p->node_of, key, &fresh);

    if (fresh) {
        *slot = (uint32_t)p->nodes.n;
        uint32_t *same = map64_place(&p->named, hash_string(name), &fresh);
        *same = fresh ? 0 : *same + 1;
        vec_push(&p->nodes,
                 ((struct picture_node){xstrdup(name), box ? xstrdup(box) : NULL, *same, looks, false}));
    }
    return *slot;
}

void picture_edge(struct picture *p, uint32_t from, uint32_t to, const char *place, unsigned looks) {
    bool fresh;
    uint32_t *slot = map64_place(&p->edge_of, key_pair(from, to), &fresh);
    const bool first = fresh;
    struct picture_edge *e;
    char *longer;

    (void)map64_place(&p->placed, hash_add(key_pair(from, to), hash_string(place)), &fresh);
    if (first) {
        *slot = (uint32_t)p->edges.n;
        vec_push(&p->edges, ((struct picture_edge){from, to, xstrdup(place), 1, looks}));
        return;
    }
    e = &p->edges.at[*slot];
    e->looks = ((e->looks | looks) & ~(unsigned)LOOK_DASHED) | (e->looks & looks & LOOK_DASHED);
    if (!fresh)
        return;
    longer = xasprintf("%s\n%s", e->places, place);
    free(e->places);
    e->places = longer;
    e->n_places++;
}

static void quoted(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if (*text == '\n')
            fputs("\\n", out);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void print_name(const struct picture *p, FILE *out, unsigned number, uint32_t node) {
    const struct picture_node *n = &p->nodes.at[node];
    char *name = number && n->same ? xasprintf("%u: %s (%u)", number, n->name, n->same + 1)
                 : number          ? xasprintf("%u: %s", number, n->name)
                 : n->same         ? xasprintf("%s (%u)", n->name, n->same + 1)
                                   : xstrdup(n->name);

    quoted(out, name);
    free(name);
}

static void print_node(const struct picture *p, FILE *out, unsigned number, uint32_t node) {
    const struct picture_node *n = &p->nodes.at[node];

    fputs("    ", out);
    print_name(p, out, number, node);
    fputs(" [label=", out);
    quoted(out, n->name);
    fprintf(out, "%s%s];\n", n->looks & LOOK_RED ? ", color=red" : "",
            n->looks & LOOK_BOLD ? ", penwidth=2.5" : "");
}

static bool same_box(const struct picture_node *a, const struct picture_node *b) {
    return a->box && b->box ? !strcmp(a->box, b->box) : a->box == b->box;
}

static void print_boxes(const struct picture *p, FILE *out, unsigned number) {
    for (uint32_t i = 0; i < p->nodes.n; i++) {
        const struct picture_node *first = &p->nodes.at[i];
        if (first->drawn)
            continue;
        if (first->box) {
            fprintf(out, "  subgraph \"cluster_%u_%u\" {\n    label=", number, i);
            quoted(out, first->box);
            fputs(";\n", out);
        }
        for (uint32_t k = i; k < p->nodes.n; k++)
            if (same_box(first, &p->nodes.at[k])) {
                print_node(p, out, number, k);
                p->nodes.at[k].drawn = true;
            }
        if (first->box)
            fputs("  }\n", out);
    }
}

static void print_edge(const struct picture *p, FILE *out, unsigned number, const struct picture_edge *e) {
    const char *end = e->places;
    char more[40] = "";

    for (uint32_t shown = 0; *end && (*end != '\n' || ++shown < PLACES_SHOWN);)
        end++;
    if (e->n_places > PLACES_SHOWN)
        snprintf(more, sizeof more, "\nand %u more", e->n_places - PLACES_SHOWN);
    char *label = xasprintf("%.*s%s", (int)(end - e->places), e->places, more);
    fputs("  ", out);
    print_name(p, out, number, e->from);
    fputs(" -> ", out);
    print_name(p, out, number, e->to);
    fputs(" [label=", out);
    quoted(out, label);
    if (e->n_places > PLACES_SHOWN) {
        fputs(", tooltip=", out);
        quoted(out, e->places);
        fputs(", labeltooltip=", out);
        quoted(out, e->places);
    }
    fprintf(out, "%s%s];\n", e->looks & LOOK_RED ? ", color=red, fontcolor=red" : "",
            e->looks & LOOK_DASHED ? ", style=dashed" : "");
    free(label);
}

void picture_print(struct picture *p, FILE *out, unsigned number, const char *title) {
    if (title) {
        fprintf(out, "  subgraph \"cluster_%u\" {\n  label=", number);
        quoted(out, title);
        fputs(";\n", out);
    }
    print_boxes(p, out, number);
    for (size_t i = 0; i < p->edges.n; i++)
        print_edge(p, out, number, &p->edges.at[i]);
    if (title)
        fputs("  }\n", out);
    for (size_t i = 0; i < p->nodes.n; i++) {
        free(p->nodes.at[i].name);
        free(p->nodes.at[i].box);
    }
    for (size_t i = 0; i < p->edges.n; i++)
        free(p->edges.at[i].places);
    vec_free(&p->nodes);
    vec_free(&p->edges);
    map64_free(&p->node_of);
    map64_free(&p->edge_of);
    map64_free(&p->named);
    map64_free(&p->placed);
    *p = (struct picture){0};
}
