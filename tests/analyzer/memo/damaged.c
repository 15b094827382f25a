/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* damaged TIMES UNIT…: solves the program of these units, keeps what its functions came to, and solves it again: with all that, which must
 * tell the same findings and solve nothing; with a part of it; and TIMES with some bytes of it changed, which may tell anything but must
 * come to an end. AGLET_SEED chooses the bytes. Stands on the engine and memo.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/hash.h"
#include "ir/file.h"
#include "program/memo.h"
#include "program/program.h"
#include "rules/rule.h"

static struct unit *units[100];
static uint64_t ids[100];
static size_t n_units;

static void read_unit(const char *path)
{
    FILE *f = fopen(path, "rb");
    static char bytes[1 << 22];
    char err[300] = "it cannot be opened";
    size_t size = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (f)
        fclose(f);
    units[n_units] = size ? unit_decode((const unsigned char *)bytes, size, err, sizeof err) : NULL;
    if (!units[n_units]) {
        printf("%s: %s\n", path, err);
        exit(1);
    }
    ids[n_units++] = hash_bytes(bytes, size) | 1;
}

/* The findings as text, to be freed. */
static char *solve(struct memo *memo)
{
    struct program_options options = {.level = 2, .whole = true, .memo = memo};
    struct program *p = program_new(&options);
    struct report *r = report_new();
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);
    for (size_t i = 0; i < n_units; i++)
        program_add_known(p, unit_copy(units[i]), ids[i]);
    program_solve(p);
    program_check(p, r);
    report_sort(r);
    for (size_t i = 0; i < report_count(r); i++) {
        const struct finding *at = report_at(r, i);
        fprintf(f, "%s:%u: %s [%s]\n", at->at.file, at->at.line, at->message, at->rule);
        for (size_t k = 0; k < at->n_notes; k++)
            fprintf(f, "  %s:%u: %s\n", at->notes[k].at.file, at->notes[k].at.line, at->notes[k].text);
    }
    fclose(f);
    report_free(r);
    program_free(p);
    return out;
}

static uint64_t dice;
static size_t random_below(size_t n)
{
    return (size_t)((dice = hash_mix(dice + 0x9e3779b97f4a7c15)) % n);
}

static void expect(const char *what, bool good)
{
    if (good)
        return;
    printf("FAILED: %s\n", what);
    exit(1);
}

int main(int argc, char **argv)
{
    const char *seed = getenv("AGLET_SEED");
    size_t size, asked, found, unreadable = 0, other = 0;
    dice = seed ? strtoull(seed, NULL, 0) : 1;
    for (int i = 2; i < argc; i++)
        read_unit(argv[i]);
    struct memo *m = memo_new();
    char *said = solve(m);
    unsigned char *kept = memo_write(m, MEMO_BASE, &size);
    memo_counts(m, &asked, &found);
    expect("functions are asked for", asked > 20);
    memo_free(m);

    m = memo_new();
    expect("what was written can be read", memo_read(m, MEMO_BASE, kept, size));
    char *again = solve(m);
    memo_counts(m, &asked, &found);
    expect("there are findings", strlen(said) > 1000);
    expect("the same findings with all that is kept", !strcmp(said, again));
    expect("most is known", found + asked / 10 >= asked && memo_changed(m) == MEMO_SAME);
    free(again);
    memo_free(m);

    unsigned char *copy = xmalloc(size);
    for (long i = 0; i < atol(argv[1]); i++) {
        size_t changes = 1 + random_below(4), n = i % 8 == 7 ? random_below(size) : size;
        memcpy(copy, kept, size);
        for (size_t k = 0; k < changes; k++) {
            unsigned char *at = &copy[random_below(size)];
            switch (random_below(4)) {
            case 0: *at ^= (unsigned char)(1u << random_below(8)); break;
            case 1: *at = 0; break;
            case 2: *at = 0xff; break;
            default: *at = (unsigned char)random_below(256);
            }
        }
        m = memo_new();
        if (memo_read(m, MEMO_BASE, copy, n)) {
            again = solve(m);
            other += strcmp(said, again) != 0;
            free(again);
        } else {
            unreadable++;
        }
        memo_free(m);
    }
    printf("%zu bytes of %zu steps; damaged %s times: unreadable %zu, other findings %zu; none failed\n", size, asked, argv[1], unreadable, other);
    free(copy);
    free(kept);
    free(said);
    for (size_t i = 0; i < n_units; i++)
        unit_free(units[i]);
    return 0;
}
