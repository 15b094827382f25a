/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A function's flow, as an earlier run left it where all that it is solved from is the same. Stands on region_memo.h.
 *
 * What is in the key is said in region_seen.c. Facts of single members and globals are in the entry instead, and looked at when it is
 * found: the key would have to name all that a function may come to ask of, which only solving tells. */
#include "region_memo.h"

#include <stdio.h>
#include <stdlib.h>
#include "../base/alloc.h"
#include "summary.h"

/* May the function, or what it calls, write it? (region_value.c) */
static bool may_write(const struct program *p, uint32_t func, uint32_t slot) {
    const struct summary *s = p->funcs.at[func].summary;

    return !s || mods_has(s->mods, slot & SLOT_GLOBAL ? MOD_GLOBAL(p, slot & ~SLOT_GLOBAL) : MOD_FIELD(slot));
}

uint32_t region_item_facts(struct regions *r, uint32_t func, uint32_t slot, bool loaded) {
    const struct program *p = r->p;
    const struct class_bits classes = region_slot_classes(r, slot);
    const bool guarded = slot & SLOT_GLOBAL ? p->globals.at[slot & ~SLOT_GLOBAL].guard != NULL
                                            : p->fields.at[slot].guard != NULL;

    return (uint32_t)loaded | (uint32_t)(loaded && may_write(p, func, slot)) << 1 | (uint32_t)guarded << 2 |
           (uint32_t)classes.sync << 3 | (uint32_t)classes.atomic << 8;
}

static struct region_flow *solve(struct regions *r, uint32_t func) {
    struct region_flow *f = region_solve(r, func);

    if (r->p->memo) {
        region_ask_results(f);
        f->seen = region_seen(f);
    }
    return f;
}

/* Would it have come to the same? */
static void check(struct regions *r, uint32_t func, const struct bytes_in *entry) {
    struct region_flow *f = solve(r, func);
    struct bytes_out now = {0};

    region_write(r, f, &now);
    if (now.list.n != (size_t)(entry->end - entry->at) || memcmp(now.list.at, entry->at, now.list.n) != 0) {
        (void)fprintf(stderr, "aglet: the flow of '%s' is another than the one that was kept\n",
                      r->p->funcs.at[func].name);
        abort();
    }
    vec_free(&now.list);
    region_flow_free(f);
}

struct region_flow *region_remember(struct regions *r, uint32_t func) {
    struct program *p = r->p;
    const uint64_t key = region_key(r, func);
    struct bytes_in entry;
    struct bytes_out out = {0};
    struct region_flow *f = key && memo_find(p->memo, key, &entry) ? region_read(r, func, entry) : NULL;

    if (f) {
        if (f->failed)
            region_give_up(f);
        if (memo_is_checked())
            check(r, func, &entry);
        return f;
    }
    f = solve(r, func);
    if (!key)
        return f;
    region_write(r, f, &out);
    memo_put(p->memo, key, &out);
    vec_free(&out.list);
    return f;
}
