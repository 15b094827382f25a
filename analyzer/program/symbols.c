/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The names of functions, members and globals as numbers that are the same in every run. Stands on memo.h.
 *
 * Two of one name (static functions of two headers of one path, structs without a tag) are told apart by their order; a name that
 * several share is part of the environment, with how many they are, since one more of them would move the others. */
#include "memo.h"

static uint64_t file_of(const struct unit *u, ir_loc loc) {
    return hash_string(unit_str(u, u->files[u->locs[loc].file].path));
}

static uint64_t name_of_func(const struct linked_func *f) {
    const struct unit *u = f->unit->unit;
    const struct ir_func_rec *r = &u->funcs[f->func];
    const uint64_t name = hash_string(unit_str(u, r->asm_name ? r->asm_name : r->name));

    return f->internal || r->flags & IR_FF_INITIALISERS ? hash_add(name, file_of(u, r->loc)) : name;
}

static uint64_t name_of_global(const struct linked_global *g) {
    const struct unit *u = g->unit->unit;

    return hash_add(hash_string(g->name), g->internal ? file_of(u, u->vars[g->var].loc) : 1);
}

static uint64_t name_of_field(const struct program *p, uint32_t field) {
    const struct linked_field *f = &p->fields.at[field];
    const struct linked_struct *s = &p->structs.at[f->parent];

    return hash_add(hash_add(hash_string(s->name), hash_string(f->name)),
                    key_pair(field - s->first_field, s->unit->unit->types[s->type].kind));
}

/* One more of that name. */
static uint64_t tell_apart(struct program *p, struct map64 *names, uint64_t name) {
    const uint32_t n = ++*map64_place(names, name, NULL);

    if (n > 1)
        p->symbols.shared += hash_add(name, n);
    return hash_add(name, n) | 1;
}

/* Where the function stands in its unit. */
static void find_first(struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];
    const struct unit *u = f->unit->unit;
    const struct ir_range events = func_events(u, &u->funcs[f->func]);

    p->digests.first_event[func] = events.count ? events.first : 1;
    for (ir_event e = events.first; e < events.first + events.count && !p->digests.first_loc[func]; e++)
        p->digests.first_loc[func] = u->events[e].loc;
}

void symbols_find(struct program *p) {
    struct symbols *s = &p->symbols;
    struct map64 names = {0};

    p->digests.first_event = arena_array(&p->arena, ir_event, p->funcs.n + 1);
    p->digests.first_loc = arena_array(&p->arena, ir_loc, p->funcs.n + 1);
    for (uint32_t i = 1; i < p->funcs.n; i++)
        if (p->funcs.at[i].defined)
            find_first(p, i);
    s->of_func = arena_array(&p->arena, uint64_t, p->funcs.n + 1);
    s->of_field = arena_array(&p->arena, uint64_t, p->fields.n + 1);
    s->of_global = arena_array(&p->arena, uint64_t, p->globals.n + 1);
    for (uint32_t i = 1; i < p->funcs.n; i++) {
        s->of_func[i] = tell_apart(p, &names, hash_add(1, name_of_func(&p->funcs.at[i])));
        map64_put(&s->funcs, s->of_func[i], i);
    }
    for (uint32_t i = 1; i < p->fields.n; i++) {
        s->of_field[i] = tell_apart(p, &names, hash_add(2, name_of_field(p, i)));
        map64_put(&s->items, s->of_field[i], i);
    }
    for (uint32_t i = 1; i < p->globals.n; i++) {
        s->of_global[i] = tell_apart(p, &names, hash_add(3, name_of_global(&p->globals.at[i])));
        map64_put(&s->items, s->of_global[i], i | ITEM_GLOBAL);
    }
    map64_free(&names);
}

void symbols_free(struct program *p) {
    map64_free(&p->symbols.funcs);
    map64_free(&p->symbols.items);
}

uint64_t symbol_of_item(const struct program *p, uint32_t item) {
    if (!p->symbols.of_func)
        return item;
    return item & ITEM_GLOBAL ? p->symbols.of_global[item & ~ITEM_GLOBAL] : p->symbols.of_field[item];
}

static bool find(const struct map64 *map, uint64_t symbol, uint32_t *out) {
    const uint32_t *slot = symbol ? map64_find(map, symbol) : NULL;

    *out = slot ? *slot : 0;
    return slot || !symbol;
}

bool func_of_symbol(const struct program *p, uint64_t symbol, uint32_t *func) {
    return find(&p->symbols.funcs, symbol, func);
}

bool item_of_symbol(const struct program *p, uint64_t symbol, uint32_t *item) {
    return find(&p->symbols.items, symbol, item);
}

/* ---- as bytes ---- */
void put_func(struct bytes_out *out, const struct program *p, uint32_t func) {
    put_word(out, symbol_of_func(p, func));
}

uint32_t get_func(struct bytes_in *in, const struct program *p) {
    uint32_t func;

    in->bad |= !func_of_symbol(p, get_word(in), &func);
    return func;
}

void put_item(struct bytes_out *out, const struct program *p, uint32_t item) {
    put_word(out, symbol_of_item(p, item));
}

uint32_t get_item(struct bytes_in *in, const struct program *p) {
    uint32_t item;

    in->bad |= !item_of_symbol(p, get_word(in), &item);
    return item;
}

/* Its name may have been numbered long before, where it was called first: the place that counts is that of its first event. */
static ir_loc base_of(const struct program *p, uint32_t func) {
    const struct linked_func *f = &p->funcs.at[func];

    if (!func || !f->unit)
        return 0;
    return p->digests.first_loc && p->digests.first_loc[func] ? p->digests.first_loc[func]
                                                              : f->unit->unit->funcs[f->func].loc;
}

int64_t memo_place(const struct program *p, uint32_t func, ir_loc loc) {
    return loc ? (int64_t)loc - (int64_t)base_of(p, func) : INT64_MIN;
}

ir_loc memo_loc(const struct program *p, uint32_t func, int64_t place) {
    return place == INT64_MIN ? 0 : (ir_loc)(place + (int64_t)base_of(p, func));
}
