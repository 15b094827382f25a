/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tests of the file form: decode is the inverse of encode, and nothing but a whole unit is taken for one.
 * Stands on cmocka and the text form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/hash.h"
#include "ir/file.h"
#include "ir/text.h"

static unsigned char *sample(size_t *size) {
    static const char text[] =
        "unit \"s.c\"\nstruct s { mu: pthread_mutex_t; n: int @guarded_by(mu) }\nglobal g: struct s\n"
        "func f(s: *struct s) -> int {\n local r: int\n call lock(&s->mu) @3:4\n r = s->n @4:1\n return "
        "r\n}\n";
    char err[200];
    struct unit *u = unit_parse("s", text, strlen(text), err, sizeof err);
    assert_non_null(u);
    unsigned char *bytes = unit_encode(u, size);
    unit_free(u);
    return bytes;
}

static char *printed(const struct unit *u) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    unit_print(u, out);
    fclose(out);
    return text;
}

static void decoding_gives_back_the_unit(void **state) {
    (void)state;
    size_t size, again_size;
    char err[200];
    unsigned char *bytes = sample(&size);
    struct unit *u = unit_decode(bytes, size, err, sizeof err);
    assert_non_null(u);
    unsigned char *again = unit_encode(u, &again_size);
    assert_int_equal(size, again_size);
    assert_memory_equal(bytes, again, size);
    char *text = printed(u);
    assert_non_null(strstr(text, "@guarded_by(mu)"));
    free(text);
    free(bytes);
    free(again);
    unit_free(u);
}

static unsigned released;

static void release(void *bytes, size_t size) {
    memset(bytes, 0xdd, size);
    free(bytes);
    released++;
}

static void a_unit_is_used_where_it_lies_and_gives_the_bytes_back_once(void **state) {
    (void)state;
    size_t size;
    char err[200];
    unsigned char *bytes = sample(&size);
    released = 0;
    struct unit *u = unit_use(bytes, size, release, err, sizeof err), *copy = u ? unit_copy(u) : NULL;
    assert_non_null(u);
    assert_in_range((uintptr_t)u->strings, (uintptr_t)bytes, (uintptr_t)(bytes + size));
    assert_in_range((uintptr_t)u->notes, (uintptr_t)bytes, (uintptr_t)(bytes + size));
    char *text = printed(u);
    assert_int_equal(released, 0);
    unit_free(u);
    assert_int_equal(released, 1);
    char *again = printed(copy);
    assert_string_equal(text, again);
    unit_free(copy);
    free(text);
    free(again);

    bytes = sample(&size);
    bytes[size - 2] ^= 1;
    assert_null(unit_use(bytes, size, release, err, sizeof err));
    assert_int_equal(released, 2);
    bytes = sample(&size);
    uint32_t spoilt = 0x7fffffff; /* which unit_check refuses */
    memcpy(bytes + 28, &spoilt, 4);
    uint64_t hash = hash_bytes(bytes + 24, size - 24);
    memcpy(bytes + 16, &hash, 8);
    assert_null(unit_use(bytes, size, release, err, sizeof err));
    assert_int_equal(released, 3);
}

static void several_units_lie_one_after_the_other(void **state) {
    (void)state;
    size_t size;
    char err[200];
    unsigned char *bytes = sample(&size), *two = malloc(2 * size);
    memcpy(two, bytes, size);
    memcpy(two + size, bytes, size);
    assert_int_equal(unit_encoded_length(two, 2 * size), size);
    assert_int_equal(unit_encoded_length(two, size - 1), 0);
    struct unit *u = unit_decode(two + size, size, err, sizeof err);
    assert_non_null(u);
    unit_free(u);
    free(two);
    free(bytes);
}

static void every_truncation_and_every_flipped_byte_is_refused(void **state) {
    (void)state;
    size_t size;
    char err[200];
    unsigned char *bytes = sample(&size);
    for (size_t n = 0; n < size; n++) {
        *err = 0;
        assert_null(unit_decode(bytes, n, err, sizeof err));
        assert_true(*err);
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= 0x20;
        *err = 0;
        assert_null(unit_decode(bytes, size, err, sizeof err));
        assert_true(*err);
        bytes[i] ^= 0x20;
    }
    free(bytes);
}

static void each_kind_of_foreign_file_is_named(void **state) {
    (void)state;
    size_t size;
    char err[200];
    unsigned char *bytes = sample(&size);
    assert_null(unit_decode((const unsigned char *)"\177ELF....", 8, err, sizeof err));
    assert_string_equal(err, "this is no unit of Aglet's");
    bytes[4]++;
    assert_null(unit_decode(bytes, size, err, sizeof err));
    assert_non_null(strstr(err, "of version 3"));
    bytes[4]--;
    assert_null(unit_decode(bytes, size - 3, err, sizeof err));
    assert_non_null(strstr(err, "cut short"));
    bytes[size - 2] ^= 1;
    assert_null(unit_decode(bytes, size, err, sizeof err));
    assert_non_null(strstr(err, "hash does not match"));
    free(bytes);
}

/* A file whose hash is right and whose contents lie: unit_check must stand between it and the analyses. */
static void spoiled_words_under_a_right_hash_are_refused_or_harmless(void **state) {
    (void)state;
    size_t size;
    char err[300];
    unsigned char *bytes = sample(&size);
    unsigned refused = 0, taken = 0;
    for (size_t i = 24; i + 4 <= size; i += 4)
        for (uint32_t spoil = 1; spoil; spoil = spoil == 1            ? 40
                                                : spoil == 40         ? 0x7fffffff
                                                : spoil == 0x7fffffff ? 0xfffffffe
                                                                      : 0) {
            uint32_t was;
            memcpy(&was, bytes + i, 4);
            memcpy(bytes + i, &spoil, 4);
            uint64_t hash = hash_bytes(bytes + 24, size - 24);
            memcpy(bytes + 16, &hash, 8);
            struct unit *u = unit_decode(bytes, size, err, sizeof err);
            if (u) {
                taken++;
                free(printed(u));
            } else {
                refused++;
            }
            unit_free(u);
            memcpy(bytes + i, &was, 4);
        }
    assert_true(refused > 500);
    assert_true(taken > 100); /* sizes, flags, positions and the like are free */
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_gives_back_the_unit),
        cmocka_unit_test(a_unit_is_used_where_it_lies_and_gives_the_bytes_back_once),
        cmocka_unit_test(several_units_lie_one_after_the_other),
        cmocka_unit_test(every_truncation_and_every_flipped_byte_is_refused),
        cmocka_unit_test(each_kind_of_foreign_file_is_named),
        cmocka_unit_test(spoiled_words_under_a_right_hash_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
