/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The cache: what hits, what misses, and what a damaged, foreign or oversized cache does. Stands on tool/cache.h and cmocka. */
#include "cmocka_main.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"
#include "ir/file.h"
#include "ir/text.h"
#include "tool/cache.h"
#include "tool/files.h"

static char directory[] = "/tmp/aglet-cache-XXXXXX";

static char *in(const char *name)
{
    return xasprintf("%s/%s", directory, name);
}

static void write_file(const char *name, const char *text, long age)
{
    char *path = in(name);
    assert_true(file_write(path, text, strlen(text)));
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_sec = time(NULL) - age}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
}

/* The dependency on a file as it is now, as an extractor lists it. */
static void depend(struct deps *d, const char *name, bool miss)
{
    struct file_facts facts = {0};
    char *path = in(name);
    struct file_fact *fact = file_facts_of(&facts, path);
    d->v = xrealloc(d->v, (d->n + 1) * sizeof *d->v);
    d->v[d->n++] = (struct dep){xstrdup(path), fact->size, fact->mtime, fact->inode, miss ? 0 : file_facts_hash(&facts, fact), miss};
    d->cap = d->n;
    free(path);
    file_facts_free(&facts);
}

static const struct cache_id command = {1, UINT64_C(0x7700000000000000)};

/* In a run of its own: is the unit found? *text the one string in it. */
static bool look_up(char **text, size_t *hashes)
{
    struct file_facts facts = {0};
    char err[300];
    struct cache *c = cache_open(directory, &facts, err, sizeof err);
    assert_non_null(c);
    struct cache_id unit;
    bool hit = cache_find_unit(c, command, &unit);
    struct unit *u = hit ? cache_load_unit(c, unit) : NULL;
    if (text)
        *text = u ? xstrdup(unit_str(u, u->main_file)) : NULL;
    if (hashes)
        *hashes = facts.hashes;
    unit_free(u);
    cache_close(c);
    file_facts_free(&facts);
    return hit;
}

/* A unit that says the text. */
static unsigned char *make_unit(const char *text, size_t *size)
{
    char err[200], *source = xasprintf("unit \"%s\"\nfunc f() {\n return\n}\n", text);
    struct unit *u = unit_parse("test", source, strlen(source), err, sizeof err);
    assert_non_null(u);
    unsigned char *bytes = unit_encode(u, size);
    unit_free(u);
    free(source);
    return bytes;
}

static void keep(const char *text, struct deps *deps)
{
    struct file_facts facts = {0};
    char err[300];
    struct cache *c = cache_open(directory, &facts, err, sizeof err);
    assert_non_null(c);
    assert_string_equal(err, "");
    struct cache_id unit;
    size_t size;
    unsigned char *bytes = make_unit(text, &size);
    cache_store_unit(c, command, deps, bytes, size, NULL, &unit);
    free(bytes);
    cache_close(c);
    file_facts_free(&facts);
}

static int fresh(void **state)
{
    (void)state;
    char line[200];
    snprintf(line, sizeof line, "rm -rf %s", directory);
    if (system(line) != 0 || mkdir(directory, 0777) != 0)
        return -1;
    write_file("a.c", "int a;", 100);
    write_file("b.h", "int b;", 100);
    struct deps deps = {0};
    depend(&deps, "a.c", false);
    depend(&deps, "b.h", false);
    depend(&deps, "first/b.h", true);
    keep("the unit", &deps);
    return 0;
}

static void an_unchanged_file_hits_without_being_read(void **state)
{
    (void)state;
    char *text;
    size_t hashes;
    assert_true(look_up(&text, &hashes));
    assert_string_equal(text, "the unit");
    assert_int_equal(hashes, 0);
    free(text);
}

static void a_touched_file_is_read_once_and_hits(void **state)
{
    (void)state;
    size_t hashes;
    write_file("b.h", "int b;", 50);
    assert_true(look_up(NULL, &hashes));
    assert_int_equal(hashes, 1);
    assert_true(look_up(NULL, &hashes));
    assert_int_equal(hashes, 0);
}

static void a_changed_header_misses_and_its_return_hits(void **state)
{
    (void)state;
    write_file("b.h", "int c;", 50);
    assert_false(look_up(NULL, NULL));
    struct deps deps = {0};
    depend(&deps, "a.c", false);
    depend(&deps, "b.h", false);
    keep("another unit", &deps);
    char *text;
    assert_true(look_up(&text, NULL));
    assert_string_equal(text, "another unit");
    free(text);
    write_file("b.h", "int b;", 20);
    assert_true(look_up(&text, NULL));
    assert_string_equal(text, "the unit");
    free(text);
}

static void a_header_that_appears_where_one_was_looked_for_misses(void **state)
{
    (void)state;
    char *path = in("first");
    assert_true(directory_make(path));
    free(path);
    assert_true(look_up(NULL, NULL));
    write_file("first/b.h", "int b;", 10);
    assert_false(look_up(NULL, NULL));
}

static void a_change_within_the_clocks_grain_is_seen(void **state)
{
    (void)state;
    write_file("a.c", "int x;", 0); /* as young as the cache entry */
    struct deps deps = {0};
    depend(&deps, "a.c", false);
    keep("young", &deps);
    char *path = in("a.c");
    struct stat before;
    assert_int_equal(stat(path, &before), 0);
    int fd = open(path, O_WRONLY); /* same size and inode, and the same time put back */
    assert_int_equal(pwrite(fd, "int y;", 6, 0), 6);
    struct timespec times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
    free(path);
    assert_false(look_up(NULL, NULL));
}

/* Change the cache's files of one kind. */
static void damage(const char *kind, const char *how)
{
    char line[300];
    snprintf(line, sizeof line, "for f in %s/%s/*/*; do %s; done", directory, kind, how);
    assert_int_equal(system(line), 0);
}

static void damaged_files_count_as_absent(void **state)
{
    (void)state;
    static const char *const ways[] = {"truncate -s -1 $f", "truncate -s 0 $f", "truncate -s 7 $f", "echo foreign > $f",
                                       "head -c 100000 /dev/urandom > $f", "printf x | dd of=$f bs=1 seek=3 conv=notrunc status=none"};
    for (size_t i = 0; i < COUNT(ways); i++) {
        fresh(NULL);
        damage("m", ways[i]);
        assert_false(look_up(NULL, NULL));
        fresh(NULL);
        damage("u", ways[i]);
        char *text;
        look_up(&text, NULL);
        assert_null(text);
    }
}

/* As an extractor leaves it, under a umask that lets the group write. */
static void a_unit_moved_into_the_cache_is_ours_alone(void **state)
{
    (void)state;
    struct file_facts facts = {0};
    char err[300];
    struct cache *c = cache_open(directory, &facts, err, sizeof err);
    char *run = cache_temporary(c), *file = xasprintf("%s/0.unit", run), *text;
    struct deps deps = {0};
    struct cache_id unit;
    size_t size;
    unsigned char *bytes = make_unit("moved", &size);
    assert_true(file_write(file, bytes, size));
    assert_int_equal(chmod(file, 0660), 0);
    depend(&deps, "b.h", false);
    cache_store_unit(c, command, &deps, bytes, size, file, &unit);
    assert_false(file_exists(file));
    cache_close(c);
    file_facts_free(&facts);
    assert_true(look_up(&text, NULL));
    assert_string_equal(text, "moved");
    char *line = xasprintf("test -z \"$(find %s/u -type f -perm /022)\"", directory);
    assert_int_equal(system(line), 0);
    free(line);
    free(text);
    free(bytes);
    free(file);
    free(run);
}

/* Mapped or, where others may write to it, copied: the same bytes. */
static void a_file_is_looked_at_whoever_may_write_to_it(void **state)
{
    (void)state;
    static const mode_t modes[] = {0644, 0664, 0666};
    char *path = in("a.c"), *empty = in("empty"), *none = in("none");
    struct file_view v;
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_true(file_look(path, &v));
        assert_int_equal(v.size, 6);
        assert_memory_equal(v.bytes, "int a;", 6);
        int fd = open(path, O_WRONLY | O_TRUNC);
        assert_int_equal(write(fd, "int z;", 6), 6);
        close(fd);
        if (modes[i] != 0644)
            assert_memory_equal(v.bytes, "int a;", 6);
        file_look_end(&v);
        write_file("a.c", "int a;", 100);
    }
    write_file("empty", "", 0);
    assert_true(file_look(empty, &v));
    assert_int_equal(v.size, 0);
    file_look_end(&v);
    assert_false(file_look(none, &v));
    assert_null(v.bytes);
    free(path);
    free(empty);
    free(none);
}

static void every_truncation_and_flip_of_a_manifest_is_refused_or_equal(void **state)
{
    (void)state;
    struct manifest m = {0};
    struct deps deps = {0};
    depend(&deps, "a.c", false);
    depend(&deps, "nothing", true);
    manifest_add(&m, (struct cache_id){3, 4}, &deps);
    size_t size;
    char *text = manifest_print(&m, &size);
    struct manifest back;
    assert_true(manifest_parse(text, size, &back));
    assert_int_equal(back.n, 1);
    assert_int_equal(back.entries[0].deps.n, 2);
    manifest_free(&back);
    for (size_t n = 0; n < size; n++)
        assert_false(manifest_parse(text, n, &back));
    for (size_t i = 0; i < size; i++) {
        text[i] ^= 1;
        assert_false(manifest_parse(text, size, &back));
        text[i] ^= 1;
    }
    free(text);
    manifest_free(&m);
}

static void an_unwritable_directory_is_said_and_nothing_is_kept(void **state)
{
    (void)state;
    struct file_facts facts = {0};
    char err[300] = "";
    assert_null(cache_open("/proc/aglet/cache", &facts, err, sizeof err));
    assert_non_null(strstr(err, "cannot write to the cache directory '/proc/aglet/cache'"));
}

/* In a run of its own: of findings, or of solved functions. */
static void keep_bytes(bool solved, int i, size_t size)
{
    struct file_facts facts = {0};
    char err[300], *bytes = xcalloc(1, size);
    struct cache *c = cache_open(directory, &facts, err, sizeof err);
    (solved ? cache_store_solved : cache_store_findings)(c, (struct cache_id){(uint64_t)i, (uint64_t)i << 56}, bytes, size);
    cache_close(c);
    free(bytes);
}

static size_t files_below(const char *kind)
{
    char *line = xasprintf("find %s/%s -type f 2>/dev/null | wc -l", directory, kind);
    FILE *pipe = popen(line, "r");
    size_t n;
    assert_int_equal(fscanf(pipe, "%zu", &n), 1);
    pclose(pipe);
    free(line);
    return n;
}

static void what_is_beyond_the_bound_goes(void **state)
{
    (void)state;
    setenv("AGLET_CACHE_SIZE", "20K", 1);
    for (int i = 0; i < 40; i++)
        keep_bytes(i >= 20, i, 3000);
    unsetenv("AGLET_CACHE_SIZE");
    assert_in_range(files_below("r") + files_below("s"), 4, 7);
}

static void what_no_run_counted_goes_when_the_sizes_are_unknown(void **state)
{
    (void)state;
    char *path = in("sizes"), *old = in("r/00/old");
    setenv("AGLET_CACHE_SIZE", "20K", 1);
    keep_bytes(false, 0, 100);
    write_file("r/00/old", "", 100);
    assert_int_equal(truncate(old, 100000), 0);
    keep_bytes(false, 1, 100); /* nobody looks: there is room, by the sizes */
    assert_true(file_exists(old));
    assert_int_equal(truncate(path, 13), 0);
    keep_bytes(false, 2, 100);
    assert_false(file_exists(old));
    for (int i = 0; i < 1100; i++) {
        if (i == 10)
            write_file("r/00/old", "", 100);
        if (i == 10)
            assert_int_equal(truncate(old, 100000), 0);
        keep_bytes(false, 3, 1);
        assert_true(file_exists(old) == (i >= 10 && i < 998));
    }
    unsetenv("AGLET_CACHE_SIZE");
    free(path);
    free(old);
}

static void a_dependency_list_cut_off_is_refused(void **state)
{
    (void)state;
    static const char good[] = "aglet-deps 1\nread 3 4 5 00000000000000aa /a b.c\nmiss /x.h\nend\n";
    struct deps d;
    assert_true(deps_parse(good, sizeof good - 1, &d));
    assert_int_equal(d.n, 2);
    assert_string_equal(d.v[0].path, "/a b.c");
    assert_int_equal(d.v[0].hash, 0xaa);
    deps_free(&d);
    for (size_t n = 0; n < sizeof good - 1; n++)
        assert_false(deps_parse(good, n, &d));
    static const char *const wrong[] = {"aglet-deps 2\nend\n", "aglet-deps 1\nread x\nend\n", "aglet-deps 1\nmiss relative.h\nend\n",
                                        "aglet-deps 1\nread 1 2 3 zz /a\nend\n", "aglet-deps 1\nfoo\nend\n"};
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(deps_parse(wrong[i], strlen(wrong[i]), &d));
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    char line[200];
    snprintf(line, sizeof line, "rm -rf %s", directory);
    return system(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_unchanged_file_hits_without_being_read, fresh),
        cmocka_unit_test_setup(a_touched_file_is_read_once_and_hits, fresh),
        cmocka_unit_test_setup(a_changed_header_misses_and_its_return_hits, fresh),
        cmocka_unit_test_setup(a_header_that_appears_where_one_was_looked_for_misses, fresh),
        cmocka_unit_test_setup(a_change_within_the_clocks_grain_is_seen, fresh),
        cmocka_unit_test_setup(damaged_files_count_as_absent, fresh),
        cmocka_unit_test_setup(a_unit_moved_into_the_cache_is_ours_alone, fresh),
        cmocka_unit_test_setup(a_file_is_looked_at_whoever_may_write_to_it, fresh),
        cmocka_unit_test_setup(every_truncation_and_flip_of_a_manifest_is_refused_or_equal, fresh),
        cmocka_unit_test(an_unwritable_directory_is_said_and_nothing_is_kept),
        cmocka_unit_test_setup(what_is_beyond_the_bound_goes, fresh),
        cmocka_unit_test_setup(what_no_run_counted_goes_when_the_sizes_are_unknown, fresh),
        cmocka_unit_test(a_dependency_list_cut_off_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
