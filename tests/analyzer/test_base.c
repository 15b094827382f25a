/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tests of analyzer/base: arenas, vectors, hash tables, interned strings.
 * Stands on cmocka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "base/arena.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/vec.h"

static void arena_gives_aligned_memory_that_keeps_its_contents(void **state) {
    (void)state;
    struct arena a = {0};
    char *first = arena_printf(&a, "%s-%d", "seven", 7);
    for (size_t size = 0; size < 3000; size++) {
        unsigned char *p = arena_zalloc(&a, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++) {
            assert_int_equal(p[i], 0);
            p[i] = 0xff;
        }
    }
    assert_string_equal(first, "seven-7");
    assert_non_null(arena_alloc(&a, 5 << 20));
    arena_reset(&a);
    assert_string_equal(arena_strdup(&a, "again"), "again");
    arena_free(&a);
    assert_null(a.first);
}

static void vector_grows_and_shrinks(void **state) {
    (void)state;
    VEC(int) v = {0};
    for (int i = 0; i < 1000; i++)
        vec_push(&v, i);
    assert_int_equal(v.n, 1000);
    assert_int_equal(v.at[777], 777);
    assert_int_equal(vec_pop(&v), 999);
    int more[] = {1, 2, 3};
    vec_append(&v, more, 3);
    assert_int_equal(vec_last(&v), 3);
    assert_int_equal(*vec_add(&v), 0);
    vec_free(&v);
    assert_null(v.at);
}

/* Against a plain array as the model, with a small key space so that removals hit and chains wrap. */
static void map_agrees_with_an_array_under_random_use(void **state) {
    (void)state;
    struct map64 m = {0};
    uint32_t model[512] = {0};
    uint64_t seed = 42;
    for (int step = 0; step < 200000; step++) {
        seed = hash_mix(seed + 1);
        uint32_t key = seed >> 20 & 511, value = (uint32_t)(seed >> 40) | 1;
        if (seed % 3) {
            map64_put(&m, key * UINT64_C(0x100000001), value);
            model[key] = value;
        } else {
            assert_int_equal(map64_remove(&m, key * UINT64_C(0x100000001)), model[key] != 0);
            model[key] = 0;
        }
        uint32_t probe = seed & 511;
        assert_int_equal(map64_get(&m, probe * UINT64_C(0x100000001), 0), model[probe]);
    }
    uint32_t n = 0, at = 0;
    for (struct map64_slot *s; (s = map64_each(&m, &at)); n++)
        assert_int_equal(s->value, model[(uint32_t)s->key]);
    assert_int_equal(n, m.n);
    map64_clear(&m);
    assert_null(map64_find(&m, 0));
    map64_free(&m);
}

static void index_finds_every_record_of_one_hash(void **state) {
    (void)state;
    struct index ix = {0};
    for (uint32_t id = 1; id <= 300; id++)
        index_add(&ix, id % 7, id);
    for (uint32_t h = 0; h < 7; h++) {
        uint32_t sum = 0, want = 0;
        struct index_probe p;
        for (p = index_first(&ix, h); p.id; index_next(&ix, &p)) {
            assert_int_equal(p.id % 7, h);
            sum += p.id;
        }
        for (uint32_t id = 1; id <= 300; id++)
            want += id % 7 == h ? id : 0;
        assert_int_equal(sum, want);
    }
    struct index empty = {0};
    assert_int_equal(index_first(&empty, 1).id, 0);
    index_free(&ix);
}

static void equal_strings_get_one_number(void **state) {
    (void)state;
    struct interner in = {0};
    assert_int_equal(intern_string(&in, ""), 0);
    uint32_t a = intern_string(&in, "alpha");
    assert_int_equal(intern(&in, "alphabet", 5), a);
    assert_int_not_equal(intern_string(&in, "alphabet"), a);
    assert_int_equal(intern_find(&in, "beta", 4), UINT32_MAX);
    for (int i = 0; i < 5000; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        assert_string_equal(intern_text(&in, intern_string(&in, name)), name);
    }
    assert_int_equal(intern_string(&in, "alpha"), a);
    assert_string_equal(intern_text(&in, a), "alpha");
    intern_free(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_gives_aligned_memory_that_keeps_its_contents),
        cmocka_unit_test(vector_grows_and_shrinks),
        cmocka_unit_test(map_agrees_with_an_array_under_random_use),
        cmocka_unit_test(index_finds_every_record_of_one_hash),
        cmocka_unit_test(equal_strings_get_one_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
