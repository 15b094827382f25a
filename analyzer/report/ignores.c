/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Finds aglet-ignore comments and applies them.
 * Stands on source.h. */
#define _GNU_SOURCE
#include "ignores.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../base/intern.h"
#include "../base/vec.h"
#include "source.h"

static const char word[] = "aglet-ignore";

struct ignore {
    uint32_t file; /* interned path */
    uint32_t line, col, end_col;
    uint32_t speaks_of; /* the line */
    const char *rules;  /* "a\0b\0\0" */
    const char *reason; /* "" when none is given */
    bool has_rules;
};

struct ignores {
    source_text text; /* of the file that is read now */
    struct interner files;
    struct arena arena;
    struct map64 seen;
    struct index by_line; /* over (file, speaks_of) → ignore + 1 */
    VEC(struct ignore) all;
};

struct ignores *ignores_new(void) {
    return xcalloc(1, sizeof(struct ignores));
}

void ignores_free(struct ignores *ig) {
    if (!ig)
        return;
    vec_free(&ig->text);
    intern_free(&ig->files);
    arena_free(&ig->arena);
    map64_free(&ig->seen);
    index_free(&ig->by_line);
    vec_free(&ig->all);
    free(ig);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* (rule, rule): why — from behind the word to the end of the comment. */
static void read_comment(struct ignores *ig, struct ignore *i, const char *at, const char *end) {
    VEC(char) rules = {0};
    while (at < end && is_blank(*at))
        at++;
    if (at < end && *at == '(') {
        const char *close = memchr(at, ')', (size_t)(end - at));
        const char *stop = close ? close : end;
        for (at++; at < stop;) {
            size_t n = 0;
            while (at < stop && (is_blank(*at) || *at == ','))
                at++;
            while (at + n < stop && !is_blank(at[n]) && at[n] != ',')
                n++;
            const char *rule = n > 6 && !memcmp(at, "aglet-", 6) ? at + 6 : at;
            if (n) {
                vec_append(&rules, rule, (size_t)(at + n - rule));
                vec_push(&rules, 0);
                i->has_rules = true;
            }
            at += n;
        }
        at = close ? close + 1 : end;
    }
    vec_push(&rules, 0);
    i->rules = arena_copy(&ig->arena, rules.at, rules.n);
    vec_free(&rules);
    while (at < end && is_blank(*at))
        at++;
    bool colon = at < end && *at == ':';
    at += colon;
    while (at < end && (is_blank(*at) || *at == '\n'))
        at++;
    while (end > at && (is_blank(end[-1]) || end[-1] == '\n'))
        end--;
    i->reason = arena_strndup(&ig->arena, at, colon ? (size_t)(end - at) : 0);
}

/* Does the comment begin with the word as a command, and not as the first word of a sentence about it? */
static bool is_ignore(const char *at, const char *end) {
    if ((size_t)(end - at) < sizeof word - 1 || memcmp(at, word, sizeof word - 1) != 0)
        return false;
    at += sizeof word - 1;
    while (at < end && is_blank(*at))
        at++;
    return at == end || *at == '(' || *at == ':' || *at == '\n';
}

/* Walks a file's text knowing comments, strings and character literals; notes each comment that begins with
 * the word, and which lines hold code. */
struct walk {
    struct ignores *ig;
    uint32_t file;
    const char *text, *end, *line_start;
    uint32_t line;
    bool code;      /* this line holds some */
    size_t pending; /* ignores from here on wait for a line with code */
};

static void line_ends(struct walk *w) {
    if (w->code)
        for (; w->pending < w->ig->all.n; w->pending++)
            if (!w->ig->all.at[w->pending].speaks_of)
                w->ig->all.at[w->pending].speaks_of = w->line;
    w->code = false;
}

static const char *walk_comment(struct walk *w, const char *at) {
    bool block = at[1] == '*';
    const char *start = at, *body = at + 2, *stop;
    if (block) {
        stop = memmem(body, (size_t)(w->end - body), "*/", 2);
    } else {
        stop = body;
        while (stop < w->end && *stop != '\n')
            stop++;
    }
    if (!stop)
        stop = w->end;
    while (body < stop && (is_blank(*body) || *body == '*' || *body == '/' || *body == '!'))
        body++;
    if (is_ignore(body, stop)) {
        struct ignore i = {.file = w->file, .line = w->line, .col = (uint32_t)(start - w->line_start) + 1};
        const char *newline = memchr(body, '\n', (size_t)(stop - body));
        i.end_col = (uint32_t)((newline ? newline : stop) - w->line_start) + 1;
        i.speaks_of = w->code ? w->line : 0;
        read_comment(w->ig, &i, body + sizeof word - 1, stop);
        vec_push(&w->ig->all, i);
    }
    for (; at < stop; at++)
        if (*at == '\n') {
            line_ends(w);
            w->line++;
            w->line_start = at + 1;
        }
    return block && stop < w->end ? stop + 2 : stop;
}

static const char *walk_literal(struct walk *w, const char *at) {
    char quote = *at++;
    while (at < w->end && *at != quote && *at != '\n')
        at += *at == '\\' && at + 1 < w->end && at[1] != '\n' ? 2 : 1;
    return at < w->end && *at == quote ? at + 1 : at;
}

static void walk(struct walk *w) {
    const char *at = w->text;
    while (at < w->end) {
        if (*at == '\n') {
            line_ends(w);
            w->line++;
            w->line_start = ++at;
        } else if (*at == '/' && at + 1 < w->end && (at[1] == '/' || at[1] == '*')) {
            at = walk_comment(w, at);
        } else if (*at == '"' || *at == '\'') {
            w->code = true;
            at = walk_literal(w, at);
        } else {
            w->code = w->code || !is_blank(*at);
            at++;
        }
    }
    line_ends(w);
}

void ignores_read(struct ignores *ig, const char *path) {
    uint32_t file = intern_string(&ig->files, path);
    bool is_new;
    map64_place(&ig->seen, file, &is_new);
    if (!is_new)
        return;
    source_read(path, &ig->text);
    const char *text = ig->text.at, *end = text + ig->text.n;
    if (!ig->text.n || !memmem(text, ig->text.n, word, sizeof word - 1))
        return;
    struct walk w = {ig, file, text, end, text, 1, false, ig->all.n};
    size_t first = ig->all.n;
    walk(&w);
    for (size_t i = first; i < ig->all.n; i++)
        if (ig->all.at[i].speaks_of)
            index_add(&ig->by_line, hash_mix(key_pair(file, ig->all.at[i].speaks_of)), (uint32_t)i + 1);
}

void ignores_read_unit(struct ignores *ig, const struct unit *u) {
    for (ir_file f = 1; f < u->n_files; f++)
        if (!(u->files[f].flags & IR_FILE_SYSTEM))
            ignores_read(ig, unit_str(u, u->files[f].path));
}

/* ---- applying ---- */

static bool is_listed(const char *const *list, const char *id) {
    for (; *list; list++)
        if (!strcmp(*list, id))
            return true;
    return false;
}

static bool names_rule(const struct ignore *i, const char *rule) {
    for (const char *r = i->rules; *r; r += strlen(r) + 1)
        if (!strcmp(r, rule))
            return true;
    return false;
}

static void complain(const struct ignores *ig, struct report *r, const struct ignore *i, const char *what,
                     const char *rule) {
    struct position at = {intern_text(&ig->files, i->file), i->line, i->col, i->line, i->end_col, NULL};
    report_begin(r, "ignore", SEVERITY_WARNING, &at, what, rule);
    report_subject(r, NULL, "%s", i->rules);
}

static void judge(const struct ignores *ig, struct report *r, const struct ignore *i,
                  const char *const *known, const char *const *ran, bool used, bool whole) {
    bool all_ran = true;
    if (!i->has_rules) {
        complain(ig, r, i, "this %s names no rule: write aglet-ignore(rule): why", word);
        return;
    }
    for (const char *rule = i->rules; *rule; rule += strlen(rule) + 1) {
        if (known && !is_listed(known, rule) && strcmp(rule, "ignore") != 0) {
            complain(ig, r, i, "there is no rule '%s' to ignore", rule);
            return;
        }
        all_ran = all_ran && (!ran || is_listed(ran, rule));
    }
    if (!*i->reason)
        complain(ig, r, i, "this %s gives no reason, so it suppresses nothing", word);
    else if (!used && whole && all_ran)
        complain(ig, r, i, "this %s suppresses nothing", word);
}

void ignores_apply(const struct ignores *ig, struct report *r, const char *const *known,
                   const char *const *ran, bool whole) {
    bool *used = xcalloc(ig->all.n + 1, sizeof *used);
    size_t n = report_count(r);
    for (size_t k = 0; k < n; k++) {
        const struct finding *f = report_at(r, k);
        uint32_t file = f->at.file ? intern_find(&ig->files, f->at.file, strlen(f->at.file)) : UINT32_MAX;
        if (file == UINT32_MAX || f->severity == SEVERITY_ERROR)
            continue;
        struct index_probe p;
        for (p = index_first(&ig->by_line, hash_mix(key_pair(file, f->at.line))); p.id;
             index_next(&ig->by_line, &p)) {
            const struct ignore *i = &ig->all.at[p.id - 1];
            if (i->file != file || i->speaks_of != f->at.line || !*i->reason || !names_rule(i, f->rule))
                continue;
            used[p.id - 1] = true;
            report_suppress(r, k, i->reason);
        }
    }
    for (size_t i = 0; i < ig->all.n; i++)
        judge(ig, r, &ig->all.at[i], known, ran, used[i], whole);
    free(used);
}
