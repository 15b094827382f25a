/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads models: "pthread_mutex_lock: acquires $1 when $return == 0" into a struct model_function.
 * Stands on libyaml's document tree, whose nodes know their line and column. */
#include "models_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"
#include "../base/hash.h"

/* ---- the set ---- */

static void *keep(struct model_set *set, void *block) {
    if (set->n_blocks == set->cap_blocks) {
        set->cap_blocks = set->cap_blocks ? 2 * set->cap_blocks : 64;
        set->blocks = xrealloc(set->blocks, set->cap_blocks * sizeof *set->blocks);
    }
    set->blocks[set->n_blocks++] = block;
    return block;
}

static char *keep_text(struct model_set *set, const char *text, size_t length) {
    char *copy = xmalloc(length + 1);
    memcpy(copy, text, length);
    copy[length] = '\0';
    return keep(set, copy);
}

void model_set_free(struct model_set *set) {
    for (size_t i = 0; i < set->n_blocks; i++)
        free(set->blocks[i]);
    free(set->blocks);
    free(set->functions);
    free(set->types);
    memset(set, 0, sizeof *set);
}

static int by_function_name(const void *a, const void *b) {
    return strcmp(((const struct model_function *)a)->name, ((const struct model_function *)b)->name);
}

static int by_type_name(const void *a, const void *b) {
    return strcmp(((const struct model_type *)a)->name, ((const struct model_type *)b)->name);
}

/* Of equal names in adding order only the last is wanted, and qsort is not stable: look back before adding instead. */
static struct model_function *function_entry(struct model_set *set, const char *name) {
    for (size_t i = set->n_functions; i-- > 0;)
        if (strcmp(set->functions[i].name, name) == 0)
            return &set->functions[i];
    if (set->n_functions == set->cap_functions) {
        set->cap_functions = set->cap_functions ? 2 * set->cap_functions : 64;
        set->functions = xrealloc(set->functions, set->cap_functions * sizeof *set->functions);
    }
    return &set->functions[set->n_functions++];
}

static struct model_type *type_entry(struct model_set *set, const char *name) {
    for (size_t i = set->n_types; i-- > 0;)
        if (strcmp(set->types[i].name, name) == 0)
            return &set->types[i];
    if (set->n_types == set->cap_types) {
        set->cap_types = set->cap_types ? 2 * set->cap_types : 64;
        set->types = xrealloc(set->types, set->cap_types * sizeof *set->types);
    }
    return &set->types[set->n_types++];
}

void model_set_sort(struct model_set *set) {
    if (set->n_functions)
        qsort(set->functions, set->n_functions, sizeof *set->functions, by_function_name);
    if (set->n_types)
        qsort(set->types, set->n_types, sizeof *set->types, by_type_name);
}

/* ---- complaints and files ---- */

bool yaml_complain(struct yaml_complaint *c, yaml_mark_t at, const char *format, ...) {
    if (!c->err_size || c->err[0])
        return false;
    int n = snprintf(c->err, c->err_size, "%s:%zu:%zu: ", c->name, at.line + 1, at.column + 1);
    if (n >= 0 && (size_t)n < c->err_size) {
        va_list args;
        va_start(args, format);
        vsnprintf(c->err + n, c->err_size - (size_t)n, format, args);
        va_end(args);
    }
    return false;
}

/* YAML leaves it to the reader what a key means that stands twice in one mapping; here it is a slip. */
static bool keys_differ(struct yaml_complaint *c, yaml_document_t *doc) {
    bool good = true;
    for (const yaml_node_t *map = doc->nodes.start; map < doc->nodes.top && good; map++) {
        if (map->type != YAML_MAPPING_NODE)
            continue;
        struct map64 seen = {0};
        for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
             pair < map->data.mapping.pairs.top && good; pair++) {
            const yaml_node_t *key = yaml_document_get_node(doc, pair->key);
            bool fresh = true;
            if (key->type == YAML_SCALAR_NODE)
                (void)map64_place(&seen, hash_string((const char *)key->data.scalar.value), &fresh);
            if (!fresh)
                good = yaml_complain(c, key->start_mark, "'%.100s' stands here for the second time",
                                     key->data.scalar.value);
        }
        map64_free(&seen);
    }
    return good;
}

/* What cannot be read as characters has no mark, only an offset. */
static yaml_mark_t problem_mark(const yaml_parser_t *p, const char *text, size_t length) {
    yaml_mark_t mark = p->problem_mark;
    if (p->error != YAML_READER_ERROR)
        return mark;
    mark = (yaml_mark_t){0, 0, 0};
    for (; mark.index < p->problem_offset && mark.index < length; mark.index++) {
        mark.column = text[mark.index] == '\n' ? 0 : mark.column + 1;
        mark.line += text[mark.index] == '\n';
    }
    return mark;
}

bool yaml_load_text(struct yaml_complaint *c, const char *text, size_t length, yaml_document_t *doc) {
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        yaml_mark_t start = {0, 0, 0};
        return yaml_complain(c, start, "the YAML reader could not start: out of memory");
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    yaml_document_t more = {0};
    const bool ok = yaml_parser_load(&parser, doc), second = ok && yaml_parser_load(&parser, &more);
    bool alone = false;
    if (!ok || parser.error)
        yaml_complain(c, problem_mark(&parser, text, length), "not YAML: %s",
                      parser.problem ? parser.problem : "unreadable");
    else if (second && yaml_document_get_root_node(&more))
        yaml_complain(c, more.start_mark, "a second document begins here, and only one is read");
    else
        alone = keys_differ(c, doc);
    if (second)
        yaml_document_delete(&more);
    if (ok && !alone)
        yaml_document_delete(doc);
    yaml_parser_delete(&parser);
    return alone;
}

char *read_whole_file(const char *path, size_t *length, struct yaml_complaint *c) {
    FILE *in = fopen(path, "rb");
    char *text = NULL;
    size_t n = 0, cap = 0;
    bool failed = in == NULL;
    while (!failed) {
        if (cap - n < 4096)
            text = xrealloc(text, (cap = cap ? 2 * cap : 8192) + 1);
        size_t got = fread(text + n, 1, cap - n, in);
        n += got;
        if (got == 0) {
            failed = ferror(in) != 0;
            break;
        }
    }
    if (failed) {
        if (c->err_size && !c->err[0])
            snprintf(c->err, c->err_size, "%s: cannot be read: %s", path, strerror(errno));
        free(text);
        text = NULL;
    } else {
        text[n] = '\0';
        *length = n;
    }
    if (in)
        fclose(in);
    return text;
}

const char *yaml_text(struct yaml_complaint *c, const yaml_node_t *node, const char *what) {
    if (node->type != YAML_SCALAR_NODE) {
        yaml_complain(c, node->start_mark, "%s wanted here", what);
        return NULL;
    }
    return (const char *)node->data.scalar.value;
}

/* ---- the text of effects ---- */

/* Which references a word takes, one letter each: l lock, v value (number or parameter), p parameter-like pointer, h place for a
 * handle, n byte count; capital: compulsory. */
struct word {
    const char *name;
    enum model_effect_kind kind;
    unsigned flags;
    const char *takes;
};

static const struct word words[] = {
    {"acquires", MODEL_ACQUIRES, 0, "L"},
    {"acquires_shared", MODEL_ACQUIRES, MODEL_SHARED, "L"},
    {"acquires_async", MODEL_ACQUIRES, MODEL_ASYNC, "L"},
    {"acquires_shared_async", MODEL_ACQUIRES, MODEL_SHARED | MODEL_ASYNC, "L"},
    {"try_acquires", MODEL_ACQUIRES, MODEL_TRY, "VL"},
    {"try_acquires_shared", MODEL_ACQUIRES, MODEL_TRY | MODEL_SHARED, "VL"},
    {"timed_acquires", MODEL_ACQUIRES, MODEL_TRY | MODEL_TIMED, "VL"},
    {"timed_acquires_shared", MODEL_ACQUIRES, MODEL_TRY | MODEL_TIMED | MODEL_SHARED, "VL"},
    {"releases", MODEL_RELEASES, 0, "L"},
    {"requires", MODEL_REQUIRES, 0, "L"},
    {"requires_shared", MODEL_REQUIRES, MODEL_SHARED, "L"},
    {"excludes", MODEL_EXCLUDES, 0, "L"},
    {"asserts_held", MODEL_ASSERTS_HELD, 0, "L"},
    {"returns_lock", MODEL_RETURNS_LOCK, 0, "L"},
    {"lock_init", MODEL_LOCK_INIT, 0, "Lp"},
    {"lock_init_recursive", MODEL_LOCK_INIT, MODEL_RECURSIVE, "L"},
    {"lock_destroy", MODEL_LOCK_DESTROY, 0, "L"},
    {"attr_init", MODEL_ATTR_INIT, 0, "P"},
    {"attr_recursive", MODEL_ATTR_RECURSIVE, 0, "P"},
    {"cond_init", MODEL_COND_INIT, 0, "P"},
    {"cond_destroy", MODEL_COND_DESTROY, 0, "P"},
    {"cond_wait", MODEL_COND_WAIT, 0, "PL"},
    {"cond_timedwait", MODEL_COND_WAIT, MODEL_TIMED, "PL"},
    {"cond_signal", MODEL_COND_SIGNAL, 0, "P"},
    {"cond_broadcast", MODEL_COND_SIGNAL, MODEL_ALL, "P"},
    {"spawns", MODEL_SPAWNS, 0, "PPh"},
    {"spawns_task", MODEL_SPAWNS, MODEL_TASK, "PPh"},
    {"spawns_kept", MODEL_SPAWNS, MODEL_TASK | MODEL_KEPT, "PPN"},
    {"lends", MODEL_SPAWNS, MODEL_LENT, "PP"},
    {"joins", MODEL_JOINS, 0, "P"},
    {"detaches", MODEL_DETACHES, 0, "P"},
    {"sends", MODEL_SENDS, 0, "Pp"},
    {"receives", MODEL_RECEIVES, 0, "Pp"},
    {"orders", MODEL_ORDERS, 0, "P"},
    {"orders_before", MODEL_ORDERS, MODEL_BEFORE, "P"},
    {"once", MODEL_ONCE, 0, "PP"},
    {"calls", MODEL_CALLS, 0, "Pp"},
    {"allocates", MODEL_ALLOCATES, 0, "Pn"},
    {"frees", MODEL_FREES, 0, "P"},
    {"reallocates", MODEL_REALLOCATES, 0, "Pn"},
    {"reads", MODEL_READS, 0, "Pn"},
    {"writes", MODEL_WRITES, 0, "Pn"},
    {"returns", MODEL_RETURNS, 0, "P"},
    {"returns_static", MODEL_RETURNS_STATIC, 0, ""},
    {"stores", MODEL_STORES, 0, "Pp"},
    {"yields", MODEL_YIELDS, 0, ""},
    {"blocks", MODEL_BLOCKS, 0, ""},
    {"noreturn", MODEL_NORETURN, 0, ""},
};

struct cursor {
    struct yaml_complaint *c;
    struct model_set *set;
    const char *start, *at;
    yaml_mark_t mark; /* of start; exact for one-line plain text */
};

static bool complain_at(struct cursor *k, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool complain_at(struct cursor *k, const char *where, const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    yaml_mark_t at = k->mark;
    at.column += (size_t)(where - k->start);
    return yaml_complain(k->c, at, "%s", text);
}

static void blanks(struct cursor *k) {
    while (isspace((unsigned char)*k->at))
        k->at++;
}

static size_t word_length(const char *s) {
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || s[n] == '_')
        n++;
    return n;
}

static bool take(struct cursor *k, const char *token) {
    blanks(k);
    size_t n = strlen(token);
    if (strncmp(k->at, token, n) != 0 || (isalpha((unsigned char)token[0]) && word_length(k->at) != n))
        return false;
    k->at += n;
    return true;
}

static bool number(struct cursor *k, int64_t *value) {
    blanks(k);
    static const struct {
        const char *name;
        int64_t value;
    } names[] = {{"true", 1}, {"false", 0}, {"NULL", 0}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (take(k, names[i].name)) {
            *value = names[i].value;
            return true;
        }
    const char *digits = k->at + (*k->at == '-' || *k->at == '+');
    if (!isdigit((unsigned char)*digits))
        return complain_at(k, k->at, "a number is wanted here");
    char *end;
    errno = 0;
    *value = strtoll(k->at, &end, 0);
    if (errno || isalnum((unsigned char)*end))
        return complain_at(k, k->at, "this is not a number");
    k->at = end;
    return true;
}

/* After the `$`: return, or 1 to 32. */
static bool parameter(struct cursor *k, bool *result, uint8_t *index) {
    const char *where = k->at - 1;
    *result = take(k, "return");
    if (*result)
        return true;
    unsigned n = 0;
    const char *p = k->at;
    while (isdigit((unsigned char)*p) && n < 100)
        n = n * 10 + (unsigned)(*p++ - '0');
    if (n == 0 || n > 32 || isalnum((unsigned char)*p))
        return complain_at(k, where, "after '$' a parameter's number (1 to 32) or 'return' is wanted");
    *index = (uint8_t)(n - 1);
    k->at = p;
    return true;
}

/* "->member", ".member", "[3]", "[*]", as often as they come. */
static bool members(struct cursor *k) {
    for (;;) {
        const char *where = k->at;
        if (k->at[0] == '.' || (k->at[0] == '-' && k->at[1] == '>')) {
            k->at += k->at[0] == '.' ? 1 : 2;
            const size_t n = word_length(k->at);
            if (!n)
                return complain_at(k, where, "a member's name is wanted after '%.*s'", (int)(k->at - where),
                                   where);
            k->at += n;
        } else if (*k->at == '[') {
            const char *end = strchr(k->at, ']');
            if (!end)
                return complain_at(k, where, "this '[' is not closed");
            k->at = end + 1;
        } else {
            return true;
        }
    }
}

static bool reference(struct cursor *k, bool lock, struct model_ref *out) {
    blanks(k);
    const char *where = k->at;
    bool deref = take(k, "*"), result = false;
    take(k, "&");
    if (take(k, "$")) {
        if (!parameter(k, &result, &out->index))
            return false;
        if (deref && result)
            return complain_at(k, where, "'*$return' has no meaning here");
        out->root = (uint8_t)(result ? MODEL_RETURN : deref ? MODEL_OUT : MODEL_PARAM);
        const char *rest = k->at;
        if (!members(k))
            return false;
        if (k->at != rest)
            out->text = keep_text(k->set, rest, (size_t)(k->at - rest));
        return true;
    }
    if (isdigit((unsigned char)*k->at) || *k->at == '-') {
        out->root = MODEL_CONST;
        return number(k, &out->value);
    }
    size_t n = word_length(k->at);
    if (!lock || n == 0)
        return complain_at(k, where, "'$1', '*$1' or '$return' is wanted here");
    out->root = MODEL_TOKEN;
    out->text = keep_text(k->set, k->at, n);
    k->at += n;
    return true;
}

static int comparison(struct cursor *k) {
    static const char *const signs[] = {"==", "!=", "<=", ">=", "<", ">"};
    static const int tests[] = {RESULT_EQ, RESULT_NE, RESULT_LE, RESULT_GE, RESULT_LT, RESULT_GT};
    for (size_t i = 0; i < 6; i++)
        if (take(k, signs[i]))
            return tests[i];
    return -1;
}

static bool when_clause(struct cursor *k, struct result_when *when) {
    if (!take(k, "$return"))
        return complain_at(k, k->at, "after 'when' comes '$return' and a comparison");
    int test = comparison(k);
    if (test < 0)
        return complain_at(k, k->at, "a comparison (== != < <= > >=) is wanted here");
    when->test = (enum result_test)test;
    return number(k, &when->value);
}

/* One more value: "== 0 or 130". */
static bool also_clause(struct cursor *k, int64_t *also) {
    return !take(k, "or") || number(k, also);
}

static bool if_clause(struct cursor *k, struct model_if *only) {
    static const uint8_t tests[] = {[RESULT_EQ] = MODEL_EQ, [RESULT_NE] = MODEL_NE, [RESULT_LT] = MODEL_LT,
                                    [RESULT_LE] = MODEL_LE, [RESULT_GT] = MODEL_GT, [RESULT_GE] = MODEL_GE};
    bool result = false;
    if (!take(k, "$"))
        return complain_at(k, k->at, "after 'if' comes a parameter and a test");
    if (!parameter(k, &result, &only->index))
        return false;
    if (result)
        return complain_at(k, k->at, "a test of the result is written 'when', not 'if'");
    if (take(k, "has"))
        only->test = MODEL_HAS;
    else if (take(k, "lacks"))
        only->test = MODEL_LACKS;
    else {
        int test = comparison(k);
        if (test < 0)
            return complain_at(k, k->at, "a comparison, 'has' or 'lacks' is wanted here");
        only->test = tests[test];
    }
    return number(k, &only->value);
}

struct effects {
    struct model_effect *items;
    size_t n, cap;
};

static struct model_effect *add_effect(struct effects *list) {
    if (list->n == list->cap)
        list->items =
            xrealloc(list->items, (list->cap = list->cap ? 2 * list->cap : 8) * sizeof *list->items);
    memset(&list->items[list->n], 0, sizeof *list->items);
    return &list->items[list->n++];
}

/* What follows the word: references, when, if. */
static bool effect_rest(struct cursor *k, const char *where, const struct word *word, struct effects *list) {
    struct model_effect effect = {.kind = (uint16_t)word->kind,
                                  .flags = (uint16_t)word->flags,
                                  .line = (uint32_t)k->mark.line + 1,
                                  .column = (uint32_t)(k->mark.column + (size_t)(where - k->start)) + 1};
    struct model_ref *const slots[] = {&effect.a, &effect.b, &effect.c};
    const char *takes = word->takes;
    if (*takes == 'V') {
        effect.when.test = take(k, "true") ? RESULT_NE : RESULT_EQ;
        if (effect.when.test == RESULT_EQ &&
            (!number(k, &effect.when.value) || !also_clause(k, &effect.also)))
            return false;
        takes++;
        if (!take(k, ","))
            return complain_at(k, k->at, "a comma and the lock are wanted after the value");
    }
    for (size_t i = 0; takes[i]; i++) {
        bool wanted = isupper((unsigned char)takes[i]);
        if (i > 0 && !take(k, ",")) {
            if (!wanted)
                break;
            return complain_at(k, k->at, "'%s' takes another argument: a comma is wanted here", word->name);
        }
        if (!reference(k, tolower((unsigned char)takes[i]) == 'l', slots[i]))
            return false;
    }
    if (take(k, "when") && (!when_clause(k, &effect.when) || !also_clause(k, &effect.also)))
        return false;
    if (take(k, "if") && !if_clause(k, &effect.only))
        return false;
    *add_effect(list) = effect;
    return true;
}

static bool end_of_clause(struct cursor *k) {
    blanks(k);
    if (*k->at == '\0' || *k->at == ';')
        return true;
    return complain_at(k, k->at, "nothing more is wanted here, but '%.20s' follows", k->at);
}

/* One word and what it takes. `k` stands after the word. */
static bool clause(struct cursor *k, const char *name, size_t length, const char *where,
                   struct model_function *f, struct effects *list) {
    if (length == strlen("nothing") && strncmp(name, "nothing", length) == 0)
        return end_of_clause(k);
    if (length == strlen("must_check") && strncmp(name, "must_check", length) == 0) {
        f->flags |= MODEL_FF_MUST_CHECK;
        return end_of_clause(k);
    }
    if (length == strlen("signal_safe") && strncmp(name, "signal_safe", length) == 0) {
        f->flags |= MODEL_FF_SIGNAL_SAFE;
        return end_of_clause(k);
    }
    if (length == strlen("returns_errno") && strncmp(name, "returns_errno", length) == 0) {
        f->flags |= MODEL_FF_ERRNO;
        return end_of_clause(k);
    }
    bool unsafe = length == strlen("mt_unsafe") && strncmp(name, "mt_unsafe", length) == 0;
    if (unsafe || (length == 3 && strncmp(name, "why", 3) == 0)) {
        blanks(k);
        size_t n = strcspn(k->at, ";");
        char *text = n ? keep_text(k->set, k->at, n) : NULL;
        if (unsafe) {
            f->flags |= MODEL_FF_UNSAFE;
            f->replacement = text;
        } else {
            f->why = text;
        }
        k->at += n;
        return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].name) == length && strncmp(words[i].name, name, length) == 0)
            return effect_rest(k, where, &words[i], list) && end_of_clause(k);
    return complain_at(k, where, "'%.*s' is no word of a model", (int)length, name);
}

/* "word …; word …" */
static bool clauses(struct cursor *k, struct model_function *f, struct effects *list) {
    for (;;) {
        blanks(k);
        const char *where = k->at;
        size_t n = word_length(where);
        if (n == 0)
            return complain_at(k, where, "a word such as 'acquires' is wanted here");
        k->at += n;
        if (!clause(k, where, n, where, f, list))
            return false;
        if (*k->at == '\0')
            return true;
        k->at++;
    }
}

static struct cursor cursor_on(struct yaml_complaint *c, struct model_set *set, const yaml_node_t *node) {
    const char *text = (const char *)node->data.scalar.value;
    struct cursor k = {c, set, text, text, node->start_mark};
    if (node->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
        node->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
        k.mark.column++;
    return k;
}

/* The mapping form: "acquires: $1", "reads: [$1, $2]". */
static bool mapped_clauses(struct yaml_complaint *c, yaml_document_t *doc, const yaml_node_t *node,
                           struct model_set *set, struct model_function *f, struct effects *list) {
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++) {
        yaml_node_t *key = yaml_document_get_node(doc, pair->key),
                    *value = yaml_document_get_node(doc, pair->value);
        const char *word = yaml_text(c, key, "a word such as 'acquires'");
        if (!word)
            return false;
        bool many = value->type == YAML_SEQUENCE_NODE;
        size_t n = many ? (size_t)(value->data.sequence.items.top - value->data.sequence.items.start) : 1;
        for (size_t i = 0; i < n; i++) {
            yaml_node_t *item =
                many ? yaml_document_get_node(doc, value->data.sequence.items.start[i]) : value;
            if (!yaml_text(c, item, "what the word is about, such as '$1',"))
                return false;
            struct cursor k = cursor_on(c, set, item);
            struct cursor at_key = cursor_on(c, set, key);
            size_t length = strlen(word);
            if (word_length(word) != length || length == 0)
                return complain_at(&at_key, at_key.at, "'%s' is no word of a model", word);
            if (!clause(&k, word, length, k.at, f, list))
                return false;
            if (*k.at)
                return complain_at(&k, k.at, "one clause only here; use a list for several");
        }
    }
    return true;
}

bool model_read_functions(struct yaml_complaint *c, yaml_document_t *doc, const yaml_node_t *node,
                          struct model_set *set) {
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        return true;
    if (node->type != YAML_MAPPING_NODE)
        return yaml_complain(c, node->start_mark, "under 'functions' stand names and what they do");
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++) {
        yaml_node_t *key = yaml_document_get_node(doc, pair->key),
                    *value = yaml_document_get_node(doc, pair->value);
        if (!yaml_text(c, key, "a function's name"))
            return false;
        struct model_function f = {0};
        struct effects list = {0};
        bool ok;
        if (value->type == YAML_MAPPING_NODE) {
            ok = mapped_clauses(c, doc, value, set, &f, &list);
        } else if (value->type == YAML_SCALAR_NODE) {
            struct cursor k = cursor_on(c, set, value);
            ok = clauses(&k, &f, &list);
        } else {
            ok = yaml_complain(c, value->start_mark,
                               "what the function does is wanted here, as text or as a mapping");
        }
        if (!ok) {
            free(list.items);
            return false;
        }
        if (list.items)
            keep(set, list.items);
        f.source = keep_text(set, c->name, strlen(c->name));
        f.effects = list.items;
        f.n_effects = (uint32_t)list.n;
        /* "a, b: …" describes both. */
        struct cursor names = cursor_on(c, set, key);
        do {
            blanks(&names);
            size_t n = word_length(names.at);
            if (n == 0)
                return complain_at(&names, names.at, "a function's name is wanted here");
            f.name = keep_text(set, names.at, n);
            names.at += n;
            *function_entry(set, f.name) = f;
        } while (take(&names, ","));
        if (*names.at)
            return complain_at(&names, names.at, "function names are separated by commas");
    }
    return true;
}

/* ---- types ---- */

static const struct {
    const char *name;
    unsigned flags;
} type_words[] = {
    {"lock", MODEL_TF_LOCK | MODEL_TF_NO_COPY},
    {"rw_lock", MODEL_TF_LOCK | MODEL_TF_RW | MODEL_TF_NO_COPY},
    {"spin_lock", MODEL_TF_LOCK | MODEL_TF_SPIN | MODEL_TF_NO_COPY},
    {"async_lock", MODEL_TF_LOCK | MODEL_TF_ASYNC | MODEL_TF_NO_COPY},
    {"recursive", MODEL_TF_RECURSIVE},
    {"cond", MODEL_TF_COND | MODEL_TF_NO_COPY},
    {"sync_object", MODEL_TF_SYNC_OBJECT | MODEL_TF_NO_COPY},
    {"no_copy", MODEL_TF_NO_COPY},
    {"guard", MODEL_TF_GUARD},
    {"thread", MODEL_TF_THREAD},
    {"locked_by_itself", MODEL_TF_LOCKED_BY_ITSELF},
    {"plain", 0},
};

static bool type_answer(struct cursor *k, uint8_t *answer) {
    blanks(k);
    if (take(k, "yes"))
        *answer = MODEL_YES;
    else if (take(k, "no"))
        *answer = MODEL_NO;
    else if (take(k, "unknown"))
        *answer = MODEL_UNKNOWN;
    else
        return complain_at(k, k->at, "'yes', 'no' or 'unknown' is wanted here");
    return true;
}

/* "lock recursive; send yes; sync no; why …" */
static bool type_clauses(struct cursor *k, struct model_type *t) {
    bool said = false;
    for (blanks(k); *k->at; blanks(k)) {
        const char *where = k->at;
        if (take(k, ";"))
            continue;
        if (take(k, "send") || take(k, "sync") || take(k, "frozen")) {
            uint8_t *answer = where[1] == 'e' ? &t->send : where[1] == 'y' ? &t->sync : &t->frozen;
            if (!type_answer(k, answer))
                return false;
            said = true;
            continue;
        }
        if (take(k, "why")) {
            blanks(k);
            size_t n = strcspn(k->at, ";");
            t->why = keep_text(k->set, k->at, n);
            k->at += n;
            continue;
        }
        size_t n = word_length(where), i;
        for (i = 0; i < sizeof type_words / sizeof *type_words; i++)
            if (strlen(type_words[i].name) == n && strncmp(type_words[i].name, where, n) == 0)
                break;
        if (i == sizeof type_words / sizeof *type_words)
            return complain_at(k, where, "'%.*s' is no word of a type's model", n ? (int)n : 1, where);
        t->flags |= type_words[i].flags;
        k->at += n;
        said = true;
    }
    const unsigned shared = MODEL_TF_LOCK | MODEL_TF_COND | MODEL_TF_SYNC_OBJECT | MODEL_TF_LOCKED_BY_ITSELF;
    if (t->flags & shared) {
        uint8_t *const answers[] = {&t->send, &t->sync, &t->frozen};
        for (size_t i = 0; i < 3; i++)
            if (*answers[i] == MODEL_UNKNOWN)
                *answers[i] = MODEL_YES;
    }
    if (!said)
        return complain_at(k, k->start, "what the type is ('lock', 'send no' …) is wanted here");
    return true;
}

bool model_read_types(struct yaml_complaint *c, yaml_document_t *doc, const yaml_node_t *node,
                      struct model_set *set) {
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0)
        return true;
    if (node->type != YAML_MAPPING_NODE)
        return yaml_complain(c, node->start_mark, "under 'types' stand names and what they are");
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++) {
        yaml_node_t *key = yaml_document_get_node(doc, pair->key),
                    *value = yaml_document_get_node(doc, pair->value);
        if (!yaml_text(c, key, "a type's name") || !yaml_text(c, value, "what the type is, as text,"))
            return false;
        struct model_type t = {0};
        struct cursor k = cursor_on(c, set, value);
        if (!type_clauses(&k, &t))
            return false;
        struct cursor names = cursor_on(c, set, key);
        do {
            blanks(&names);
            const char *start = names.at;
            if (take(&names, "struct") || take(&names, "union"))
                blanks(&names);
            size_t n = word_length(names.at);
            if (n == 0)
                return complain_at(&names, names.at, "a type's name is wanted here");
            names.at += n;
            t.name = keep_text(set, start, (size_t)(names.at - start));
            *type_entry(set, t.name) = t;
        } while (take(&names, ","));
        if (*names.at)
            return complain_at(&names, names.at, "type names are separated by commas");
    }
    return true;
}

bool model_read_text(struct yaml_complaint *c, const char *text, size_t length, struct model_set *set) {
    yaml_document_t doc;
    if (!yaml_load_text(c, text, length, &doc))
        return false;
    yaml_node_t *root = yaml_document_get_root_node(&doc);
    bool ok = true;
    if (root && root->type != YAML_MAPPING_NODE)
        ok = yaml_complain(c, root->start_mark, "a model file has the keys 'functions' and 'types'");
    else if (root)
        for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
             ok && pair < root->data.mapping.pairs.top; pair++) {
            yaml_node_t *key = yaml_document_get_node(&doc, pair->key),
                        *value = yaml_document_get_node(&doc, pair->value);
            const char *name = yaml_text(c, key, "'functions' or 'types'");
            if (!name)
                ok = false;
            else if (strcmp(name, "functions") == 0)
                ok = model_read_functions(c, &doc, value, set);
            else if (strcmp(name, "types") == 0)
                ok = model_read_types(c, &doc, value, set);
            else
                ok = yaml_complain(c, key->start_mark,
                                   "'%s' is no key of a model file: 'functions' or 'types'", name);
        }
    yaml_document_delete(&doc);
    return ok;
}
