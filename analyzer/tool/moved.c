/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Pairs the places of the units then and now by their numbers: equal code has its places in equal order. Stands on moved.h. */
#include "moved.h"
#include "report_file.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/vec.h"
#include <stdlib.h>
#include <string.h>

static bool is_in(const struct moved_program *p, size_t i) {
    return p->units[i] && (!p->in || p->in[i]);
}

static void hash_unit(struct cache_hash *h, const struct unit *u) {
    uint64_t places = u->n_locs;
    for (uint32_t i = 1; i < u->n_files; i++) {
        cache_hash_number(h, u->files[i].path);
        cache_hash_number(h, u->files[i].flags);
    }
    for (uint32_t i = 1; i < u->n_locs; i++)
        places = hash_add(places, (uint64_t)u->locs[i].file << 32 | u->locs[i].macro);
    cache_hash_number(h, places);
#define HASH(name) cache_hash_bytes(h, u->name, u->n_##name * sizeof *u->name)
    HASH(types);
    HASH(type_refs);
    HASH(fields);
    HASH(annots);
    HASH(vars);
    HASH(funcs);
    HASH(blocks);
    HASH(succs);
    HASH(events);
    HASH(exprs);
    HASH(expr_refs);
    HASH(notes);
    HASH(strings);
#undef HASH
    cache_hash_number(h, u->main_file);
    cache_hash_number(h, u->directory);
    cache_hash_number(h, u->target);
    cache_hash_number(h, u->producer);
    cache_hash_number(h, u->pointer_size);
}

/* A table that is not hashed is a change that nobody sees: whoever adds one adds it above, and counts it here. */
#define X(type, name) +1
_Static_assert(0 IR_TABLES(X) == 14, "hash the new table in hash_unit, too");
#undef X

struct cache_id moved_code(const struct unit *u) {
    struct cache_hash *h = cache_hash_new("code of a unit");
    hash_unit(h, u);
    return cache_hash_end(h);
}

void moved_hash(struct cache_hash *h, const struct moved_program *p) {
    for (size_t i = 0; i < p->n; i++) {
        if (!is_in(p, i))
            continue;
        if (!p->codes[i].low && !p->codes[i].high)
            p->codes[i] = moved_code(p->units[i]);
        cache_hash_id(h, p->codes[i]);
    }
}

/* ---- what is kept: the key of the findings, and which units they were found in ---- */
void moved_keep(const struct moved_program *p, struct cache_id code, struct cache_id key) {
    VEC(struct cache_id) ids = {0};
    vec_push(&ids, key);
    for (size_t i = 0; i < p->n; i++)
        if (is_in(p, i))
            vec_push(&ids, p->ids[i]);
    cache_store_findings(p->cache, code, ids.at, ids.n * sizeof *ids.at);
    vec_free(&ids);
}

/* ---- from there to here ---- */
struct move {
    uint32_t file; /* in `names` */
    uint32_t line, col, to_line, to_col;
};
struct moves {
    struct interner names;
    struct map64 changed; /* the files whose contents are others now */
    VEC(struct move) list;
};

static int order(const void *a, const void *b) {
    const struct move *x = a, *y = b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->col < y->col ? -1 : x->col > y->col;
}

static bool pair(struct moves *m, const struct unit *was, const struct unit *now) {
    if (was->n_locs != now->n_locs || was->n_files != now->n_files)
        return false;
    for (uint32_t i = 1; i < now->n_files; i++)
        if (was->files[i].hash_lo != now->files[i].hash_lo || was->files[i].hash_hi != now->files[i].hash_hi)
            map64_put(&m->changed, intern_string(&m->names, unit_str(now, now->files[i].path)), 1);
    for (uint32_t i = 1; i < now->n_locs; i++) {
        const struct ir_loc_rec *from = &was->locs[i], *to = &now->locs[i];
        const uint32_t file = intern_string(&m->names, unit_str(now, now->files[to->file].path));
        if (!map64_get(&m->changed, file, 0))
            continue;
        vec_push(&m->list, ((struct move){file, from->line, from->col, to->line, to->col}));
        vec_push(&m->list, ((struct move){file, from->end_line, from->end_col, to->end_line, to->end_col}));
    }
    return true;
}

/* In order, each once. False when two places went to one, one went to two, or one overtook another. */
static bool settle(struct moves *m) {
    size_t n = 0;
    if (m->list.n)
        qsort(m->list.at, m->list.n, sizeof *m->list.at, order);
    for (size_t i = 0; i < m->list.n; i++) {
        const struct move *now = &m->list.at[i], *before = n ? &m->list.at[n - 1] : NULL;
        if (before && before->file == now->file) {
            const bool later = now->to_line != before->to_line ? now->to_line > before->to_line
                                                               : now->to_col > before->to_col;
            const bool same = now->to_line == before->to_line && now->to_col == before->to_col;
            if (!order(before, now) && same)
                continue;
            if (!order(before, now) || !later)
                return false;
        }
        m->list.at[n++] = *now;
    }
    m->list.n = n;
    return true;
}

static bool move_place(const struct moves *m, uint32_t file, uint32_t *line, uint32_t *col) {
    const struct move want = {file, *line, *col, 0, 0};
    const struct move *found = m->list.n ? bsearch(&want, m->list.at, m->list.n, sizeof want, order) : NULL;
    if (!found)
        return false;
    *line = found->to_line;
    *col = found->to_col;
    return true;
}

/* An end that some rule computed lies as far behind the beginning as before. */
static bool move_position(const struct moves *m, struct position *at) {
    const struct position was = *at;
    const uint32_t file = at->file ? intern_find(&m->names, at->file, strlen(at->file)) : UINT32_MAX;
    if (file == UINT32_MAX || !map64_get(&m->changed, file, 0) || !at->line)
        return true;
    if (!move_place(m, file, &at->line, &at->col))
        return false;
    if (!was.end_line || move_place(m, file, &at->end_line, &at->end_col))
        return true;
    at->end_line = at->line;
    at->end_col = at->col + (was.end_col - was.col);
    return was.end_line == was.line && was.end_col >= was.col;
}

static bool move_finding(const struct moves *m, struct finding *f) {
    bool good = move_position(m, &f->at);
    for (size_t i = 0; good && i < f->n_notes; i++)
        good = move_position(m, &f->notes[i].at);
    for (size_t i = 0; good && i < f->n_fixits; i++)
        good = move_position(m, &f->fixits[i].at);
    return good;
}

static struct report *move_report(const struct moves *m, const struct report *from) {
    struct report *out = report_new();
    bool good = true;
    for (size_t i = 0; good && i < report_count(from); i++) {
        struct finding f = *report_at(from, i);
        f.notes = f.n_notes
                      ? memcpy(xcalloc(f.n_notes, sizeof *f.notes), f.notes, f.n_notes * sizeof *f.notes)
                      : NULL;
        f.fixits = f.n_fixits ? memcpy(xcalloc(f.n_fixits, sizeof *f.fixits), f.fixits,
                                       f.n_fixits * sizeof *f.fixits)
                              : NULL;
        good = move_finding(m, &f);
        if (good)
            report_copy(out, &f);
        free(f.notes);
        free(f.fixits);
    }
    for (size_t i = 0; report_left_out_at(from, i); i++)
        report_left_out(out, "%s", report_left_out_at(from, i));
    if (!good) {
        report_free(out);
        return NULL;
    }
    return out;
}

static bool find_moves(const struct moved_program *p, const struct cache_id *ids, size_t n, struct moves *m) {
    size_t k = 0;
    bool good = true;
    for (size_t i = 0; good && i < p->n; i++) {
        if (!is_in(p, i))
            continue;
        if (k == n)
            return false;
        const struct cache_id was = ids[k++];
        if (was.low == p->ids[i].low && was.high == p->ids[i].high)
            continue;
        struct unit *then = cache_load_unit(p->cache, was);
        good = then && pair(m, then, p->units[i]);
        unit_free(then);
    }
    return good && k == n && settle(m);
}

struct report *moved_find(const struct moved_program *p, struct cache_id code,
                          struct report *(*load)(struct cache *, struct cache_id)) {
    struct file_view kept = {0};
    struct moves m = {0};
    struct report *then = NULL, *now = NULL;
    const size_t n = cache_load_findings(p->cache, code, &kept) ? kept.size / sizeof(struct cache_id) : 0;
    const struct cache_id *ids = kept.bytes;

    if (n && find_moves(p, ids + 1, n - 1, &m) && (then = load(p->cache, ids[0])))
        now = move_report(&m, then);
    report_free(then);
    vec_free(&m.list);
    map64_free(&m.changed);
    intern_free(&m.names);
    file_look_end(&kept);
    return now;
}
