/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Units inside object files and archives, and the same files cut off and changed. Stands on tool/object_units.h, the
 * assembler, ar, and cmocka. */
#include "cmocka_main.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ir/builder.h"
#include "ir/file.h"
#include "tool/files.h"
#include "tool/object_units.h"

static char directory[] = "/tmp/aglet-objects-XXXXXX";

struct seen {
    size_t n, bytes;
    char member[256];
};

static void see(void *context, const unsigned char *bytes, size_t size, const char *member)
{
    struct seen *s = context;
    char err[300];
    struct unit *u = unit_decode(bytes, size, err, sizeof err);
    s->n += u != NULL;
    s->bytes += size;
    snprintf(s->member, sizeof s->member, "%s", member);
    unit_free(u);
}

static bool shell(const char *line)
{
    char full[600];
    snprintf(full, sizeof full, "cd %s && %s", directory, line);
    return system(full) == 0;
}

static unsigned char *read_made(const char *name, size_t *size)
{
    char *path = path_join(directory, name);
    unsigned char *bytes = (unsigned char *)file_read(path, size);
    assert_non_null(bytes);
    free(path);
    return bytes;
}

static enum object_kind look(const char *name, struct seen *s, const char **broken)
{
    size_t size;
    unsigned char *bytes = read_made(name, &size);
    *s = (struct seen){0};
    enum object_kind kind = object_units(bytes, size, see, s, broken);
    free(bytes);
    return kind;
}

static int make_objects(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    struct unit_builder *b = unit_builder_new();
    unit_builder_set_origin(b, "/p/a.c", "/p", "x86_64-linux-gnu", "test", 8);
    struct unit *u = unit_builder_finish(b);
    size_t size;
    unsigned char *bytes = unit_encode(u, &size);
    char *path = path_join(directory, "a.unit");
    bool good = file_write(path, bytes, size);
    free(path);
    free(bytes);
    unit_free(u);
    return good && shell("printf '.section .aglet,\"e\",%%progbits\\n.incbin \"a.unit\"\\n.text\\nnop\\n' > a.s && printf 'nop\\n' > bare.s && "
                         "as a.s -o a.o && as bare.s -o bare.o && cp a.o a_member_with_quite_a_long_name.o && "
                         "ar rc lib.a bare.o a.o a_member_with_quite_a_long_name.o && ld -r a.o a_member_with_quite_a_long_name.o -o two.o")
               ? 0
               : -1;
}

static int remove_objects(void **state)
{
    (void)state;
    directory_remove(directory);
    return 0;
}

static void a_section_holds_one_unit_or_several(void **state)
{
    (void)state;
    struct seen s;
    const char *broken;
    assert_int_equal(look("a.o", &s, &broken), OBJECT_ELF);
    assert_null(broken);
    assert_int_equal(s.n, 1);
    assert_int_equal(look("two.o", &s, &broken), OBJECT_ELF);
    assert_null(broken);
    assert_int_equal(s.n, 2);
    assert_int_equal(look("bare.o", &s, &broken), OBJECT_ELF);
    assert_null(broken);
    assert_int_equal(s.n, 0);
}

static void objects_of_32_bits_are_read(void **state)
{
    (void)state;
    struct seen s;
    const char *broken;
    if (!shell("as --32 a.s -o a32.o 2>/dev/null"))
        skip(); /* an assembler of another machine */
    assert_int_equal(look("a32.o", &s, &broken), OBJECT_ELF);
    assert_null(broken);
    assert_int_equal(s.n, 1);
}

static void an_archive_names_its_members(void **state)
{
    (void)state;
    struct seen s;
    const char *broken;
    assert_int_equal(look("lib.a", &s, &broken), OBJECT_ARCHIVE);
    assert_null(broken);
    assert_int_equal(s.n, 2);
    assert_string_equal(s.member, "a_member_with_quite_a_long_name.o");
}

static void a_unit_file_alone_and_a_foreign_file_are_told_apart(void **state)
{
    (void)state;
    struct seen s;
    const char *broken;
    assert_int_equal(look("a.unit", &s, &broken), OBJECT_UNIT);
    assert_int_equal(s.n, 1);
    assert_int_equal(look("a.s", &s, &broken), OBJECT_FOREIGN);
}

static void every_truncation_is_survived(void **state)
{
    (void)state;
    static const char *const names[] = {"a.o", "lib.a", "a.unit"};
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t size;
        unsigned char *bytes = read_made(names[i], &size);
        for (size_t n = 0; n < size; n++) {
            unsigned char *cut = malloc(n + 1); /* its own allocation: AddressSanitizer sees a byte too many */
            assert_non_null(cut);
            memcpy(cut, bytes, n);
            struct seen s = {0};
            const char *broken;
            object_units(cut, n, see, &s, &broken);
            free(cut);
        }
        free(bytes);
    }
}

static void random_changes_are_survived(void **state)
{
    (void)state;
    static const char *const names[] = {"a.o", "lib.a", "two.o"};
    unsigned seed = 1;
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t size;
        unsigned char *bytes = read_made(names[i], &size), *changed = malloc(size);
        assert_non_null(changed);
        for (int round = 0; round < 20000; round++) {
            memcpy(changed, bytes, size);
            for (int k = 0; k < 1 + round % 4; k++)
                changed[(size_t)rand_r(&seed) % size] = (unsigned char)rand_r(&seed);
            struct seen s = {0};
            const char *broken;
            object_units(changed, size, see, &s, &broken);
            assert_true(s.bytes <= size * 4);
        }
        free(changed);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_holds_one_unit_or_several),
        cmocka_unit_test(objects_of_32_bits_are_read),
        cmocka_unit_test(an_archive_names_its_members),
        cmocka_unit_test(a_unit_file_alone_and_a_foreign_file_are_told_apart),
        cmocka_unit_test(every_truncation_is_survived),
        cmocka_unit_test(random_changes_are_survived),
    };
    return cmocka_run_group_tests(tests, make_objects, remove_objects);
}
