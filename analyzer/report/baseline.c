/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads, asks and writes baselines.
 * Stands on base/hash.h. */
#include "baseline.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"
#include "../base/hash.h"
#include "../base/vec.h"
#include "paths.h"

static const char first_line[] = "# aglet baseline 1: findings known and not to be reported again. Written "
                                 "by aglet lint --update-baseline.";
static const char magic[] = "# aglet baseline ";
enum { VERSION = 1 };

struct baseline {
    struct map64 known;
    VEC(char) lines; /* the entries as they stand in the file */
};

/* Is this a baseline's first line, of a version that is read here? */
static bool header_is_good(const char *line, const char *path, char *err, size_t err_size) {
    char *end = NULL;
    const unsigned long version =
        strncmp(line, magic, sizeof magic - 1) == 0 ? strtoul(line + sizeof magic - 1, &end, 10) : 0;
    if (!version)
        snprintf(err, err_size, "%s:1: this is no baseline: it does not begin with '%s%d'", path, magic,
                 VERSION);
    else if (version != VERSION)
        snprintf(err, err_size, "%s:1: the baseline is of version %lu, and this aglet reads version %d", path,
                 version, VERSION);
    return version == VERSION;
}

/* Sixteen hexadecimal digits at the start of a line, then a space or its end. */
static bool fingerprint_of(const char *line, uint64_t *value) {
    *value = 0;
    for (int i = 0; i < 16; i++) {
        int c = line[i], digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        *value = *value << 4 | (uint64_t)digit;
    }
    return line[16] == ' ' || line[16] == '\n' || line[16] == '\r' || !line[16];
}

struct baseline *baseline_read(const char *path, char *err, size_t err_size) {
    FILE *in = fopen(path, "r");
    if (!in) {
        snprintf(err, err_size, "%s: cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    struct baseline *b = xcalloc(1, sizeof *b);
    char *line = NULL;
    size_t cap = 0;
    bool good = true;
    unsigned number = 0;
    while (good && getline(&line, &cap, in) >= 0) {
        uint64_t fingerprint;
        number++;
        if (number == 1 && !header_is_good(line, path, err, err_size)) {
            good = false;
        } else if (*line == '#' || *line == '\n' || *line == '\r') {
            continue;
        } else if (!fingerprint_of(line, &fingerprint)) {
            snprintf(err, err_size, "%s:%u: a line of a baseline begins with 16 hexadecimal digits", path,
                     number);
            good = false;
        } else {
            map64_put(&b->known, fingerprint, 1);
            vec_append(&b->lines, line, strcspn(line, "\r\n"));
            vec_push(&b->lines, '\n');
        }
    }
    if (good && ferror(in)) {
        snprintf(err, err_size, "%s: cannot be read: %s", path, strerror(errno));
        good = false;
    } else if (good && number == 0) {
        snprintf(err, err_size, "%s: this is no baseline: it is empty", path);
        good = false;
    }
    free(line);
    fclose(in);
    if (good)
        return b;
    baseline_free(b);
    return NULL;
}

void baseline_free(struct baseline *b) {
    if (!b)
        return;
    map64_free(&b->known);
    vec_free(&b->lines);
    free(b);
}

bool baseline_may_replace(const char *path, char *err, size_t err_size) {
    FILE *in = fopen(path, "r");
    char line[64];
    bool good = true;
    if (in && fgets(line, sizeof line, in))
        good = header_is_good(line, path, err, err_size);
    if (in)
        fclose(in);
    return good;
}

bool baseline_has(const struct baseline *b, const struct finding *f) {
    return b && f->severity != SEVERITY_ERROR && map64_find(&b->known, f->fingerprint);
}

size_t baseline_gone(const struct baseline *b, const struct report *r) {
    struct map64 found = {0};
    if (!b)
        return 0;
    for (size_t i = 0; i < report_count(r); i++)
        if (baseline_has(b, report_at(r, i)))
            map64_put(&found, report_at(r, i)->fingerprint, 1);
    size_t gone = b->known.n - found.n;
    map64_free(&found);
    return gone;
}

/* For people only: a line stays a line. */
static void put_word(const char *word, FILE *out) {
    putc(' ', out);
    for (; *word; word++)
        putc(iscntrl((unsigned char)*word) ? '?' : *word, out);
}

bool baseline_write(const struct report *r, const char *root, const struct baseline *kept, FILE *out) {
    fprintf(out, "%s\n", first_line);
    if (kept && kept->lines.n)
        fwrite(kept->lines.at, 1, kept->lines.n, out);
    for (size_t i = 0; i < report_count(r); i++) {
        const struct finding *f = report_at(r, i);
        if (f->severity != SEVERITY_WARNING || f->suppressed || baseline_has(kept, f))
            continue;
        fprintf(out, "%016" PRIx64 " %s", f->fingerprint, f->rule);
        put_word(f->at.file ? path_below(root, f->at.file) : "-", out);
        put_word(f->function ? f->function : "-", out);
        putc('\n', out);
    }
    return fflush(out) == 0 && !ferror(out);
}
