/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads and writes the two files of a program's steps. Stands on known_steps.h. */
#include "known_steps.h"
#include "say.h"
#include <stdlib.h>

static void find_keys(struct cache_id key[2], const struct analysis *a, const char *const *files,
                      const bool *in, bool whole) {
    struct cache_hash *h = analyse_settings("solved functions", a->options, a->config, a->level, whole);
    for (size_t i = 0; i < a->n; i++)
        if (files[i] && (!in || in[i]))
            cache_hash_string(h, files[i]);
    key[MEMO_BASE] = key[MEMO_NEWER] = cache_hash_end(h);
    key[MEMO_NEWER].low ^= 1;
}

/* The key of an entry that is no step: how much memory solving takes. */
#define ROOM UINT64_C(0x9d0c6a1f5b7e2438)

static size_t read_room(struct memo *m) {
    struct bytes_in in;
    return memo_find_fact(m, ROOM, &in) ? (size_t)get_number(&in) : 0;
}

/* Only what has changed by more than a part of it is worth being written. */
static void keep_room(struct memo *m, size_t before, size_t now) {
    enum { PART = 8 };
    struct bytes_out out = {0};
    if (now <= before + before / PART && before <= now + now / PART)
        return;
    put_number(&out, now);
    memo_put(m, ROOM, &out);
    vec_free(&out.list);
}

struct known_steps known_steps_load(const struct analysis *a, const char *const *files, const bool *in,
                                    bool whole) {
    struct known_steps s = {0};
    if (!a->cache || !a->ids)
        return s;
    s.memo = memo_new();
    find_keys(s.key, a, files, in, whole);
    for (int part = MEMO_NEWER; part >= MEMO_BASE; part--) /* an entry in both is that of the newer */
        if (cache_load_solved(a->cache, s.key[part], &s.kept[part]) &&
            !memo_read(s.memo, part, s.kept[part].bytes, s.kept[part].size))
            say_verbose("what was solved before cannot be used; every function is solved again");
    s.room = read_room(s.memo);
    return s;
}

bool known_steps_are(const struct known_steps *s, const struct analysis *a, const char *const *files,
                     const bool *in, bool whole) {
    struct cache_id key[2];
    if (!s->memo)
        return false;
    find_keys(key, a, files, in, whole);
    return key[MEMO_BASE].low == s->key[MEMO_BASE].low && key[MEMO_BASE].high == s->key[MEMO_BASE].high;
}

static void store(const struct analysis *a, const struct known_steps *s, enum memo_part part) {
    size_t size = 0;
    void *bytes = memo_write(s->memo, part, &size);
    cache_store_solved(a->cache, s->key[part], bytes, size);
    free(bytes);
}

void known_steps_keep(const struct analysis *a, struct known_steps *s, size_t took) {
    size_t asked, found;
    if (!s->memo)
        return;
    keep_room(s->memo, s->room, took);
    memo_counts(s->memo, &asked, &found);
    say_verbose("of %zu steps of solving, %zu were known from earlier runs", asked, found);
    const enum memo_change change = memo_changed(s->memo);
    if (change == MEMO_CHANGED)
        store(a, s, MEMO_BASE);
    else if (change == MEMO_GREW)
        store(a, s, MEMO_NEWER);
    known_steps_free(s);
}

void known_steps_free(struct known_steps *s) {
    memo_free(s->memo);
    file_look_end(&s->kept[MEMO_BASE]);
    file_look_end(&s->kept[MEMO_NEWER]);
    *s = (struct known_steps){0};
}
