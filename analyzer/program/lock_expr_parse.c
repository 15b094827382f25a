/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Parses the C expressions that name locks: names, members, dereferences, addresses, indices.
 * Stands on base/arena.h; recursive descent with a bound on depth, because the text may come from anywhere. */
#include "lock_expr_parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "../base/arena.h"

enum { MAX_DEPTH = 64 };

struct parser {
    struct arena *arena;
    const char *at, *end;
    unsigned depth;
    const char *why;
};

static void blanks(struct parser *p) {
    while (p->at < p->end && isspace((unsigned char)*p->at))
        p->at++;
}

static bool take(struct parser *p, const char *token) {
    blanks(p);
    size_t n = strlen(token);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, token, n) != 0)
        return false;
    p->at += n;
    return true;
}

static size_t name_length(const struct parser *p) {
    const char *q = p->at;
    if (q < p->end && isdigit((unsigned char)*q))
        return 0;
    while (q < p->end && (isalnum((unsigned char)*q) || *q == '_'))
        q++;
    return (size_t)(q - p->at);
}

static struct lock_tree *fail(struct parser *p, const char *format, int length, const char *text) {
    if (!p->why)
        p->why = arena_printf(p->arena, format, length, text);
    return NULL;
}

static struct lock_tree *node(struct parser *p, enum lock_tree_kind kind, struct lock_tree *a) {
    struct lock_tree *t = arena_new(p->arena, struct lock_tree);
    t->kind = kind;
    t->a = a;
    return t;
}

static struct lock_tree *unary(struct parser *p);

static struct lock_tree *primary(struct parser *p) {
    if (take(p, "(")) {
        struct lock_tree *t = unary(p);
        if (t && !take(p, ")"))
            return fail(p, "a ')' is missing in '%.*s'", (int)(p->end - p->at), p->at);
        return t;
    }
    if (take(p, "$")) {
        if (take(p, "return"))
            return node(p, LOCK_TREE_RESULT, NULL);
        unsigned n = 0;
        while (p->at < p->end && isdigit((unsigned char)*p->at) && n < 1000)
            n = n * 10 + (unsigned)(*p->at++ - '0');
        if (n == 0 || n > 255)
            return fail(p, "after '$' a parameter's number or 'return' is wanted%.*s", 0, "");
        struct lock_tree *t = node(p, LOCK_TREE_PARAM, NULL);
        t->number = n - 1;
        return t;
    }
    blanks(p);
    size_t n = name_length(p);
    if (n == 6 && memcmp(p->at, "return", 6) == 0) {
        p->at += n;
        return node(p, LOCK_TREE_RESULT, NULL);
    }
    if (n) {
        struct lock_tree *t = node(p, LOCK_TREE_NAME, NULL);
        t->text = p->at;
        t->length = n;
        p->at += n;
        return t;
    }
    if (p->at == p->end)
        return fail(p, "the name of a lock is missing%.*s", 0, "");
    return fail(p, "'%.*s' is no name of a lock", (int)(p->end - p->at), p->at);
}

/* What stands between [ and ]: a path, a constant, or anything else, which stands for any element. */
static struct lock_tree *index_of(struct parser *p, struct lock_tree *array) {
    const char *start = p->at;
    int open = 1;
    for (; p->at < p->end && open; p->at++)
        open += (*p->at == '[' || *p->at == '(') - (*p->at == ']' || *p->at == ')');
    if (open)
        return fail(p, "a ']' is missing in '%.*s'", (int)(p->end - start), start);
    size_t length = (size_t)(p->at - start) - 1;
    struct lock_tree *t = node(p, LOCK_TREE_INDEX, array);
    int64_t value;
    if (lock_text_constant(start, length, &value)) {
        t->b = node(p, LOCK_TREE_NUMBER, NULL);
        t->b->number = value;
    } else if (p->depth < MAX_DEPTH) {
        struct parser inner = {p->arena, start, start + length, p->depth + 1, NULL};
        t->b = unary(&inner);
        blanks(&inner);
        if (inner.at != inner.end)
            t->b = NULL;
    }
    return t;
}

static struct lock_tree *postfix(struct parser *p) {
    struct lock_tree *t = primary(p);
    while (t) {
        bool arrow = take(p, "->");
        if (arrow || take(p, ".")) {
            blanks(p);
            size_t n = name_length(p);
            if (!n)
                return p->at < p->end
                           ? fail(p, "a member's name is missing before '%.*s'", (int)(p->end - p->at), p->at)
                           : fail(p, "a member's name is missing behind '%.*s'", arrow ? 2 : 1,
                                  arrow ? "->" : ".");
            t = node(p, LOCK_TREE_MEMBER, t);
            t->arrow = arrow;
            t->text = p->at;
            t->length = n;
            p->at += n;
        } else if (take(p, "[")) {
            t = index_of(p, t);
        } else {
            break;
        }
    }
    return t;
}

static struct lock_tree *unary(struct parser *p) {
    static const struct {
        const char *sign;
        enum lock_tree_kind kind;
    } signs[] = {{"*", LOCK_TREE_DEREF}, {"&", LOCK_TREE_ADDR}, {"!", LOCK_TREE_NOT}};
    if (++p->depth > MAX_DEPTH)
        return fail(p, "the expression is nested too deeply%.*s", 0, "");
    struct lock_tree *t = NULL;
    size_t i;
    for (i = 0; i < 3; i++)
        if (take(p, signs[i].sign)) {
            t = unary(p);
            if (t)
                t = node(p, signs[i].kind, t);
            break;
        }
    if (i == 3)
        t = postfix(p);
    p->depth--;
    return t;
}

struct lock_tree *lock_tree_parse(struct arena *arena, const char *text, size_t length, const char **why) {
    struct parser p = {arena, text, text + length, 0, NULL};
    struct lock_tree *t = unary(&p);
    blanks(&p);
    if (t && p.at != p.end)
        t = *p.at == '('
                ? fail(&p, "a call cannot name a lock%.*s", 0, "")
                : fail(&p, "'%.*s' follows where the expression should end", (int)(p.end - p.at), p.at);
    *why = p.why;
    return t;
}

bool lock_text_part(const char *text, size_t length, unsigned i, const char **part, size_t *part_length) {
    const char *end = text + length, *start = text;
    int open = 0;
    for (const char *p = text;; p++) {
        if (p == end || (*p == ',' && open == 0)) {
            if (i-- == 0) {
                const char *stop = p;
                while (start < stop && isspace((unsigned char)*start))
                    start++;
                while (stop > start && isspace((unsigned char)stop[-1]))
                    stop--;
                *part = start;
                *part_length = (size_t)(stop - start);
                return p != end || start != stop || start != text;
            }
            if (p == end)
                return false;
            start = p + 1;
        } else {
            open += (*p == '(' || *p == '[') - (*p == ')' || *p == ']');
        }
    }
}

/* Drop what changes no value: blanks, parentheses that enclose all, casts to a pointer or an integer type. */
static void bare(const char **text, size_t *length) {
    for (;;) {
        while (*length && isspace((unsigned char)**text))
            ++*text, --*length;
        while (*length && isspace((unsigned char)(*text)[*length - 1]))
            --*length;
        if (*length < 2 || **text != '(')
            return;
        size_t close = 0;
        int open = 0;
        for (; close < *length; close++) {
            open += ((*text)[close] == '(') - ((*text)[close] == ')');
            if (open == 0)
                break;
        }
        if (close == *length)
            return;
        if (close == *length - 1) {
            ++*text;
            *length -= 2;
        } else if (isalpha((unsigned char)(*text)[1])) {
            *text += close + 1;
            *length -= close + 1;
        } else {
            return;
        }
    }
}

bool lock_text_constant(const char *text, size_t length, int64_t *value) {
    static const struct {
        const char *name;
        int64_t value;
    } names[] = {{"true", 1},       {"false", 0},        {"NULL", 0},
                 {"nullptr", 0},    {"thrd_success", 0}, {"thrd_busy", 1},
                 {"thrd_error", 2}, {"thrd_nomem", 3},   {"thrd_timedout", 4}};
    bare(&text, &length);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == length && memcmp(names[i].name, text, length) == 0) {
            *value = names[i].value;
            return true;
        }
    char digits[32];
    if (length == 0 || length >= sizeof digits)
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    char *end;
    errno = 0;
    *value = strtoll(digits, &end, 0);
    if (end == digits || errno)
        return false;
    while (*end == 'u' || *end == 'U' || *end == 'l' || *end == 'L')
        end++;
    return *end == '\0';
}
