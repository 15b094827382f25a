/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads the graphs of the text form: locals, blocks, events, expressions.
 * An expression is read into nodes first and built afterwards, for its position may come from the end of the line.
 * Stands on text_parser.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text_parser.h"

/* An expression as written: op is an IR_E_*, or one of these. */
enum { NODE_NAME = IR_E_OPS, NODE_ARROW };

struct node {
    uint32_t op, code;   /* code: unary or binary operator, 1 of a zeroed initialiser */
    struct node *a, *b;
    uint64_t number;     /* CONST; NAME: variable, or function with IS_FUNC */
    const char *text;    /* STRING */
    const struct token *field; /* FIELD, ARROW: a name or a number */
    ir_type holder;      /* FIELD, ARROW: the struct as written in braces, or 0 */
    bool typed;
    ir_type type;        /* when typed */
    ir_loc loc;          /* or LOC_INHERITED */
    const struct token *at;
};

struct body {
    struct parser *p;
    ir_func func;
    uint32_t block;      /* being filled */
};

/* ---- reading expressions ---- */

static struct node *read_expr(struct body *b);

static struct node *new_node(struct body *b, uint32_t op)
{
    struct node *n = arena_zalloc(&b->p->arena, sizeof *n);
    n->op = op;
    n->loc = LOC_INHERITED;
    n->at = peek_token(b->p);
    return n;
}

/* name, ::name, function::name */
static uint64_t find_name(struct body *b, const struct token *name, bool callee)
{
    struct parser *p = b->p;
    if (take_punct(p, "::")) { /* `name` is a function, its static local follows */
        uint32_t f = map64_get(&p->file_scope, name_key(p, name), 0);
        if (!(f & IS_FUNC))
            parser_fail(p, name, "'%s' is no function here", name->text);
        const struct token *local = want_name(p);
        uint32_t *v = map64_find(&p->locals, key_pair(f & ~IS_FUNC, name_key(p, local)));
        if (!v || unit_of(p)->vars[*v].kind != IR_V_STATIC_LOCAL)
            parser_fail(p, local, "'%s' has no static local '%s'", name->text, local->text);
        return *v;
    }
    uint32_t *found = map64_find(&p->locals, key_pair(b->func, name_key(p, name)));
    if (!found)
        found = map64_find(&p->file_scope, name_key(p, name));
    if (!found && callee)
        return implicit_function(p, name) | IS_FUNC;
    if (!found)
        parser_fail(p, name, "nothing is named '%s' here", name->text);
    return *found;
}

static struct node *read_parentheses(struct body *b)
{
    struct parser *p = b->p;
    const struct token *open = peek_token(p);
    want_punct(p, "(");
    struct node *n = read_expr(b);
    if (take_word(p, "as")) {
        struct node *cast = new_node(b, IR_E_CAST);
        cast->a = n;
        cast->at = open;
        cast->typed = true;
        cast->type = parse_type(p);
        n = cast;
    } else if (take_punct(p, ":")) {
        n->typed = true;
        n->type = parse_type(p);
    }
    want_punct(p, ")");
    return n;
}

static struct node *read_primary(struct body *b, bool callee)
{
    struct parser *p = b->p;
    struct node *n = new_node(b, IR_E_UNKNOWN);
    const struct token *t = n->at;
    static const struct {
        const char *word;
        uint32_t op, code;
    } plain[] = {{"unknown", IR_E_UNKNOWN, 0}, {"floating", IR_E_FLOAT, 0}, {"label", IR_E_LABEL, 0},
                 {"init", IR_E_INIT, 0},       {"zeroed", IR_E_INIT, 1}};
    if (t->kind == TOKEN_NUMBER) {
        n->op = IR_E_CONST;
        n->number = t->number;
        p->at++;
        return n;
    }
    if (t->kind == TOKEN_STRING) {
        n->op = IR_E_STRING;
        n->text = t->text;
        p->at++;
        return n;
    }
    if (t->kind == TOKEN_TEMP) {
        char name[16];
        snprintf(name, sizeof name, "%%%u", (unsigned)t->number);
        uint32_t *v = map64_find(&p->locals, key_pair(b->func, intern_string(&p->names, name) + 1));
        if (!v)
            parser_fail(p, t, "there is no temp %s here", name);
        n->op = NODE_NAME;
        n->number = *v;
        p->at++;
        return n;
    }
    if (at_punct(p, "("))
        return read_parentheses(b);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (take_word(p, plain[i].word)) {
            n->op = plain[i].op;
            n->code = plain[i].code;
            return n;
        }
    if (take_word(p, "null")) {
        n->op = IR_E_CONST;
        n->typed = true;
        n->type = pointer_type(p, builtin_type(p, "void"));
        return n;
    }
    if (take_word(p, "load")) {
        n->op = IR_E_LOAD;
        want_punct(p, "(");
        n->a = read_expr(b);
        want_punct(p, ")");
        return n;
    }
    n->op = NODE_NAME;
    if (take_punct(p, "::")) {
        const struct token *name = want_name(p);
        uint32_t *found = map64_find(&p->file_scope, name_key(p, name));
        if (!found && !callee)
            parser_fail(p, name, "nothing is named '::%s' here", name->text);
        n->number = found ? *found : (implicit_function(p, name) | IS_FUNC);
        return n;
    }
    if (t->kind != TOKEN_NAME || (t->bare && name_needs_quotes(t->text)))
        parser_fail(p, t, t->kind == TOKEN_NAME ? "'%s' is a word of the text form; as a name it stands in backquotes"
                                                : "an expression is wanted here", t->text);
    p->at++;
    n->number = find_name(b, t, callee);
    return n;
}

/* A position right behind, with no space between, is the expression's. */
static void read_own_loc(struct body *b, struct node *n)
{
    const struct token *t = peek_token(b->p);
    if (t->kind == TOKEN_LOC && !t->spaced)
        n->loc = take_loc(b->p, 0);
}

/* A callee ends before its ( . */
static struct node *read_postfix(struct body *b, bool callee)
{
    struct parser *p = b->p;
    struct node *n = read_primary(b, callee);
    uint32_t depth = 0;
    for (;;) {
        read_own_loc(b, n);
        struct node *outer = new_node(b, IR_E_FIELD);
        if (at_punct(p, ".") || at_punct(p, "->")) {
            outer->op = at_punct(p, ".") ? IR_E_FIELD : NODE_ARROW;
            p->at++;
            if (take_punct(p, "{")) {
                outer->holder = parse_type(p);
                want_punct(p, "}");
            }
            outer->field = outer->at = peek_token(p);
            if (outer->field->kind != TOKEN_NAME && outer->field->kind != TOKEN_NUMBER)
                parser_fail(p, outer->field, "a field is wanted here");
            p->at++;
        } else if (take_punct(p, "[")) {
            outer->op = IR_E_INDEX;
            outer->b = read_expr(b);
            want_punct(p, "]");
        } else {
            p->nesting -= depth;
            return n;
        }
        outer->a = n;
        n = outer;
        nest(p);
        depth++;
    }
}

static struct node *read_unary(struct body *b)
{
    struct parser *p = b->p;
    const struct token *t = peek_token(p), *next = &p->tokens.list.at[p->at + 1];
    struct node *n = new_node(b, IR_E_UNARY);
    nest(p);
    if (at_punct(p, "-") && next->kind == TOKEN_NUMBER && !next->spaced) {
        p->at += 2;
        n->op = IR_E_CONST;
        n->number = 0 - next->number;
        read_own_loc(b, n);
    } else if (take_punct(p, "*")) {
        n->op = IR_E_DEREF;
        n->a = read_unary(b);
    } else if (take_punct(p, "&")) {
        n->op = IR_E_ADDR;
        n->a = read_unary(b);
    } else if (t->kind == TOKEN_PUNCT && word_value(unary_words, t->text, strlen(t->text)) != UINT32_MAX) {
        n->code = word_value(unary_words, t->text, strlen(t->text));
        p->at++;
        n->a = read_unary(b);
    } else {
        n = read_postfix(b, false);
    }
    unnest(p);
    return n;
}

static int precedence(uint32_t op)
{
    static const int of[IR_B_OPS] = {
        [IR_B_OR] = 1,  [IR_B_XOR] = 2, [IR_B_AND] = 3, [IR_B_EQ] = 4,  [IR_B_NE] = 4,  [IR_B_LT] = 5,
        [IR_B_LE] = 5,  [IR_B_GT] = 5,  [IR_B_GE] = 5,  [IR_B_SHL] = 6, [IR_B_SHR] = 6, [IR_B_ADD] = 7,
        [IR_B_SUB] = 7, [IR_B_MUL] = 8, [IR_B_DIV] = 8, [IR_B_REM] = 8};
    return of[op];
}

static struct node *read_binary(struct body *b, int at_least)
{
    struct parser *p = b->p;
    nest(p);
    struct node *left = read_unary(b);
    uint32_t depth = 0;
    for (;;) {
        const struct token *t = peek_token(p);
        uint32_t op = t->kind == TOKEN_PUNCT ? word_value(binary_words, t->text, strlen(t->text)) : UINT32_MAX;
        if (op == UINT32_MAX || precedence(op) < at_least)
            break;
        struct node *n = new_node(b, IR_E_BINARY);
        p->at++;
        n->code = op;
        n->a = left;
        n->b = read_binary(b, precedence(op) + 1);
        left = n;
        nest(p);
        depth++;
    }
    p->nesting -= depth;
    unnest(p);
    return left;
}

static struct node *read_expr(struct body *b)
{
    nest(b->p);
    struct node *n = read_binary(b, 1);
    unnest(b->p);
    return n;
}

/* ---- building them ---- */

static ir_expr build_value(struct body *b, const struct node *n, ir_loc around);

static ir_expr finish_expr(struct body *b, const struct node *n, struct ir_expr_rec rec)
{
    rec.type = n && n->typed ? n->type : inferred_type(b->p, &rec);
    return build_expr(b->p->b, &rec);
}

static bool is_place_node(const struct node *n)
{
    return n->op == IR_E_DEREF || n->op == IR_E_FIELD || n->op == IR_E_INDEX || n->op == NODE_ARROW ||
           (n->op == NODE_NAME && !(n->number & IS_FUNC));
}

/* The field of a struct by name, looking into anonymous members; its path from the outside in. At most `max` steps. */
static uint32_t field_path(const struct unit *u, ir_type holder, const char *name, ir_field *path, uint32_t max)
{
    struct ir_range fields = u->types[holder].fields;
    for (uint32_t i = 0; i < fields.count; i++)
        if (u->fields[fields.first + i].name && !strcmp(unit_str(u, u->fields[fields.first + i].name), name)) {
            path[0] = fields.first + i;
            return 1;
        }
    for (uint32_t i = 0; i < fields.count && max > 1; i++) {
        ir_type t = type_core(u, u->fields[fields.first + i].type);
        uint32_t kind = u->types[t].kind;
        if (u->fields[fields.first + i].name || (kind != IR_T_STRUCT && kind != IR_T_UNION))
            continue;
        uint32_t n = field_path(u, t, name, path + 1, max - 1);
        if (n) {
            path[0] = fields.first + i;
            return n + 1;
        }
    }
    return 0;
}

static ir_expr build_field_of(struct body *b, const struct node *n, ir_expr base, ir_loc loc)
{
    enum { DEEPEST = 16 };
    struct parser *p = b->p;
    const struct unit *u = unit_of(p);
    ir_type holder = type_core(u, n->holder ? n->holder : u->exprs[base].type);
    struct ir_range fields = u->types[holder].fields;
    ir_field path[DEEPEST];
    uint32_t steps = 1;
    if (n->field->kind == TOKEN_NUMBER) {
        if (n->field->number >= fields.count)
            parser_fail(p, n->field, "there is no field %u here", (unsigned)n->field->number);
        path[0] = fields.first + (uint32_t)n->field->number;
    } else {
        steps = field_path(u, holder, n->field->text, path, DEEPEST);
        const char *name = unit_str(u, u->types[holder].name);
        if (!steps && fields.count)
            parser_fail(p, n->field, "'%s' is no field of '%s'", n->field->text, name);
        else if (!steps)
            parser_fail(p, n->field, "'%s' is asked of something with no fields; the struct may be named: .{struct s}%s",
                        n->field->text, n->field->text);
    }
    for (uint32_t i = 0; i < steps; i++)
        base = finish_expr(b, i + 1 == steps ? n : NULL,
                           (struct ir_expr_rec){.op = IR_E_FIELD, .a = base, .b = path[i], .loc = loc});
    return base;
}

static ir_expr build_place(struct body *b, const struct node *n, ir_loc around)
{
    ir_loc loc = n->loc != LOC_INHERITED ? n->loc : n->op == NODE_NAME ? 0 : around;
    struct ir_expr_rec rec = {.op = n->op, .loc = loc};
    switch (n->op) {
    case NODE_NAME:
        if (n->number & IS_FUNC)
            break;
        rec.op = IR_E_VAR;
        rec.a = (uint32_t)n->number;
        return finish_expr(b, n, rec);
    case IR_E_DEREF: rec.a = build_value(b, n->a, loc); return finish_expr(b, n, rec);
    case IR_E_FIELD: return build_field_of(b, n, build_place(b, n->a, loc), loc);
    case NODE_ARROW:
        rec.op = IR_E_DEREF;
        rec.a = build_value(b, n->a, loc);
        return build_field_of(b, n, finish_expr(b, NULL, rec), loc);
    case IR_E_INDEX:
        rec.a = build_value(b, n->a, loc);
        rec.b = build_value(b, n->b, loc);
        return finish_expr(b, n, rec);
    default: break;
    }
    parser_fail(b->p, n->at, "a place is wanted here: a variable, *p, s.f, p->f or a[i]");
}

/* A place where a value is wanted: its load, or the address of an array. */
static ir_expr build_load(struct body *b, const struct node *n, ir_loc around)
{
    struct parser *p = b->p;
    const struct unit *u = unit_of(p);
    struct ir_expr_rec rec = {.op = IR_E_LOAD, .loc = n->loc != LOC_INHERITED ? n->loc : around};
    struct node place = *n;
    if (n->op == NODE_NAME) {
        const struct ir_var_rec *v = &u->vars[n->number];
        if (u->types[type_core(u, n->typed ? n->type : v->type)].kind != IR_T_ARRAY)
            place.loc = LOC_INHERITED; /* the position is the load's; of a temp there is none */
        if (v->kind == IR_V_TEMP && n->loc == LOC_INHERITED)
            rec.loc = 0;
    }
    rec.a = build_place(b, &place, around);
    if (u->types[type_core(u, u->exprs[rec.a].type)].kind == IR_T_ARRAY) {
        rec.op = IR_E_ADDR;
        rec.loc = 0;
    }
    return finish_expr(b, NULL, rec);
}

static ir_expr build_value(struct body *b, const struct node *n, ir_loc around)
{
    struct parser *p = b->p;
    ir_loc loc = n->loc != LOC_INHERITED ? n->loc : is_leaf(n->op) ? 0 : around;
    struct ir_expr_rec rec = {.op = n->op, .loc = loc};
    if (is_place_node(n))
        return build_load(b, n, around);
    switch (n->op) {
    case NODE_NAME:
        rec.op = IR_E_FUNC;
        rec.a = (uint32_t)n->number & ~IS_FUNC;
        break;
    case IR_E_CONST:
        rec.a = (uint32_t)n->number;
        rec.b = (uint32_t)(n->number >> 32);
        break;
    case IR_E_STRING: rec.a = token_str(p, n->text); break;
    case IR_E_INIT: rec.a = n->code; break;
    case IR_E_ADDR:
        if (n->a->op == NODE_NAME && (n->a->number & IS_FUNC))
            return build_value(b, n->a, loc);
        rec.a = build_place(b, n->a, loc ? loc : around);
        break;
    case IR_E_LOAD: rec.a = build_place(b, n->a, loc); break;
    case IR_E_CAST: rec.a = build_value(b, n->a, loc); break;
    case IR_E_UNARY:
        rec.a = build_value(b, n->a, loc);
        rec.b = n->code;
        break;
    case IR_E_BINARY:
        rec.a = build_value(b, n->a, loc);
        rec.b = build_value(b, n->b, loc);
        rec.c = n->code;
        break;
    default: break;
    }
    return finish_expr(b, n, rec);
}

/* ---- blocks ---- */

static uint32_t named_block(struct body *b)
{
    const struct token *name = want_name(b->p);
    uint32_t block = map64_get(&b->p->block_names, name_key(b->p, name), 0);
    if (!block)
        parser_fail(b->p, name, "there is no block '%s' in this function", name->text);
    return block - 1;
}

static bool at_label(const struct parser *p, size_t at)
{
    const struct token *t = &p->tokens.list.at[at];
    return t->kind == TOKEN_NAME && t[1].kind == TOKEN_PUNCT && !strcmp(t[1].text, ":") && strcmp(t->text, "default");
}

/* Make the blocks in the order of their labels; the first is the entry, with or without a label. */
static void make_blocks(struct body *b)
{
    struct parser *p = b->p;
    size_t start = p->at;
    uint32_t depth = 0;
    bool fresh = true, any = false;
    for (; depth || !at_punct(p, "}"); p->at++) {
        if (fresh && !depth && at_label(p, p->at)) {
            bool is_new;
            uint32_t *place = map64_place(&p->block_names, name_key(p, peek_token(p)), &is_new);
            if (!is_new)
                parser_fail(p, peek_token(p), "the label '%s' stands twice in this function", peek_token(p)->text);
            *place = graph_block(p->b) + 1;
            p->at++;
            any = true;
            continue; /* an event may follow on the same line */
        }
        if (!any && peek_token(p)->kind != TOKEN_LINE) {
            graph_block(p->b);
            any = true;
        }
        depth += at_punct(p, "{") ? 1 : 0;
        depth -= at_punct(p, "}") ? 1 : 0;
        fresh = peek_token(p)->kind == TOKEN_LINE;
    }
    if (!any)
        graph_block(p->b);
    p->at = start;
}

/* ---- events ---- */

struct argument {
    struct node *node;
    bool place;
    struct argument *next;
};

static struct argument *read_arguments(struct body *b)
{
    struct parser *p = b->p;
    struct argument *first = NULL, **end = &first;
    want_punct(p, "(");
    while (!take_punct(p, ")")) {
        if (first)
            want_punct(p, ",");
        *end = arena_zalloc(&p->arena, sizeof **end);
        (*end)->place = take_word(p, "place");
        (*end)->node = read_expr(b);
        end = &(*end)->next;
    }
    return first;
}

static struct ir_range build_arguments(struct body *b, const struct argument *list, ir_loc loc)
{
    uint32_t n = 0, i = 0;
    for (const struct argument *a = list; a; a = a->next)
        n++;
    ir_expr *args = arena_array(&b->p->arena, ir_expr, n);
    for (const struct argument *a = list; a; a = a->next)
        args[i++] = a->place ? build_place(b, a->node, loc) : build_value(b, a->node, loc);
    return build_expr_refs(b->p->b, args, n);
}

/* The memory orders of an atomic: !acquire, !else_relaxed; without one it is seq_cst. */
static uint32_t take_orders(struct parser *p)
{
    uint32_t success = 5, failure = 0;
    while (at_punct(p, "!") && p->tokens.list.at[p->at + 1].kind == TOKEN_NAME) {
        const char *word = p->tokens.list.at[p->at + 1].text;
        bool otherwise = !strncmp(word, "else_", 5);
        word += otherwise ? 5 : 0;
        uint32_t value = word_value(order_words, word, strlen(word));
        if (value == UINT32_MAX)
            break;
        *(otherwise ? &failure : &success) = value;
        p->at += 2;
    }
    return success << IR_SF_ORDER_SHIFT | failure << (IR_SF_ORDER_SHIFT + 4);
}

static void read_call(struct body *b, struct node *result)
{
    struct parser *p = b->p;
    struct node *callee = read_postfix(b, true);
    struct argument *args = read_arguments(b);
    struct ir_event_rec ev = {.op = IR_EV_CALL, .flags = take_flags(p, event_words, "!")};
    ev.loc = take_loc(p, 0);
    ev.a = result ? build_place(b, result, ev.loc) : 0;
    ev.b = build_value(b, callee, ev.loc);
    ev.args = build_arguments(b, args, ev.loc);
    graph_event(p->b, b->block, &ev);
}

static void read_atomic(struct body *b, struct node *result)
{
    struct parser *p = b->p;
    const struct token *kind = want_name(p);
    struct ir_event_rec ev = {.op = IR_EV_ATOMIC, .c = word_value(atomic_words, kind->text, strlen(kind->text))};
    if (ev.c == UINT32_MAX)
        parser_fail(p, kind, "'%s' is no atomic operation", kind->text);
    struct argument *args = read_arguments(b), *object = NULL;
    if (ev.c != IR_AT_FENCE || (args && args->place)) {
        object = args;
        if (!object)
            parser_fail(p, kind, "an atomic acts on a place");
        args = args->next;
    }
    ev.flags = take_orders(p);
    ev.flags |= take_flags(p, event_words, "!");
    ev.loc = take_loc(p, 0);
    ev.a = object ? build_place(b, object->node, ev.loc) : 0;
    ev.b = result ? build_place(b, result, ev.loc) : 0;
    ev.args = build_arguments(b, args, ev.loc);
    graph_event(p->b, b->block, &ev);
}

/* place = value, place = call …, place = atomic … */
static void read_store(struct body *b)
{
    struct parser *p = b->p;
    struct node *place = read_unary(b);
    if (!take_punct(p, "="))
        parser_fail(p, peek_token(p), "'=' is wanted here; an expression alone is written: eval …");
    if (take_word(p, "call")) {
        read_call(b, place);
        return;
    }
    if (take_word(p, "atomic")) {
        read_atomic(b, place);
        return;
    }
    struct node *value = read_expr(b);
    struct ir_event_rec ev = {.op = IR_EV_STORE, .flags = take_flags(p, event_words, "!")};
    ev.loc = take_loc(p, 0);
    ev.a = build_place(b, place, ev.loc);
    ev.b = build_value(b, value, ev.loc);
    graph_event(p->b, b->block, &ev);
}

static void read_life(struct body *b, uint32_t op)
{
    struct parser *p = b->p;
    const struct token *at = peek_token(p);
    struct node *n = read_primary(b, false);
    if (n->op != NODE_NAME || (n->number & IS_FUNC))
        parser_fail(p, at, "a local is wanted here");
    struct ir_event_rec ev = {.op = op, .a = (uint32_t)n->number, .flags = take_flags(p, event_words, "!")};
    ev.loc = take_loc(p, 0);
    const struct ir_var_rec *v = &unit_of(p)->vars[ev.a];
    if (v->func != b->func || v->kind == IR_V_PARAM)
        parser_fail(p, at, "only a local of this function begins and ends in it");
    graph_event(p->b, b->block, &ev);
}

/* eval value, va place: one operand in a. */
static void read_operand(struct body *b, uint32_t op)
{
    struct parser *p = b->p;
    struct node *n = read_expr(b);
    struct ir_event_rec ev = {.op = op, .flags = take_flags(p, event_words, "!")};
    ev.loc = take_loc(p, 0);
    ev.a = op == IR_EV_VA ? build_place(b, n, ev.loc) : build_value(b, n, ev.loc);
    graph_event(p->b, b->block, &ev);
}

static void read_event(struct body *b)
{
    struct parser *p = b->p;
    if (take_word(p, "call")) {
        read_call(b, NULL);
    } else if (take_word(p, "atomic")) {
        read_atomic(b, NULL);
    } else if (take_word(p, "eval")) {
        read_operand(b, IR_EV_EVAL);
    } else if (take_word(p, "va")) {
        read_operand(b, IR_EV_VA);
    } else if (take_word(p, "begin")) {
        read_life(b, IR_EV_BEGIN);
    } else if (take_word(p, "end")) {
        read_life(b, IR_EV_END);
    } else if (take_word(p, "asm")) {
        struct argument *args = read_arguments(b);
        struct ir_event_rec ev = {.op = IR_EV_ASM, .flags = take_flags(p, event_words, "!")};
        ev.loc = take_loc(p, 0);
        ev.args = build_arguments(b, args, ev.loc);
        graph_event(p->b, b->block, &ev);
    } else {
        read_store(b);
    }
}

/* ---- terminators ---- */

static int64_t read_case_value(struct parser *p)
{
    bool negative = take_punct(p, "-");
    const struct token *t = peek_token(p);
    if (t->kind != TOKEN_NUMBER)
        parser_fail(p, t, "a number is wanted here");
    p->at++;
    return (int64_t)(negative ? 0 - t->number : t->number);
}

struct succ_list {
    struct ir_succ_rec rec;
    struct succ_list *next;
};

static void end_block(struct body *b, uint32_t term, ir_expr cond, const struct succ_list *list, ir_loc loc)
{
    uint32_t n = 0, i = 0;
    for (const struct succ_list *s = list; s; s = s->next)
        n++;
    struct ir_succ_rec *succs = arena_array(&b->p->arena, struct ir_succ_rec, n);
    for (const struct succ_list *s = list; s; s = s->next)
        succs[i++] = s->rec;
    graph_terminate(b->p->b, b->block, term, cond, succs, n, loc);
}

static struct succ_list **add_succ(struct body *b, struct succ_list **end, struct ir_succ_rec rec)
{
    *end = arena_zalloc(&b->p->arena, sizeof **end);
    (*end)->rec = rec;
    return &(*end)->next;
}

static void read_switch(struct body *b)
{
    struct parser *p = b->p;
    const struct token *at = peek_token(p);
    struct node *value = read_expr(b);
    struct succ_list *list = NULL, **end = &list;
    uint32_t defaults = 0;
    want_punct(p, "{");
    for (skip_lines(p); !take_punct(p, "}"); skip_lines(p)) {
        struct ir_succ_rec s = {.flags = IR_SUCC_DEFAULT};
        if (take_word(p, "case")) {
            uint64_t lo = (uint64_t)read_case_value(p), hi = take_punct(p, "..") ? (uint64_t)read_case_value(p) : lo;
            s = (struct ir_succ_rec){0, IR_SUCC_CASE, {(uint32_t)lo, (uint32_t)(lo >> 32)}, {(uint32_t)hi, (uint32_t)(hi >> 32)}};
        } else if (take_word(p, "default")) {
            defaults++;
        } else {
            parser_fail(p, peek_token(p), "'case' or 'default' is wanted here");
        }
        want_punct(p, ":");
        s.block = named_block(b);
        want_line(p);
        end = add_succ(b, end, s);
    }
    if (defaults != 1)
        parser_fail(p, at, "a switch has one default");
    ir_loc loc = take_loc(p, 0);
    end_block(b, IR_TERM_SWITCH, build_value(b, value, loc), list, loc);
}

static void read_branch(struct body *b)
{
    struct parser *p = b->p;
    struct node *value = read_expr(b);
    struct succ_list *list = NULL, **end = &list;
    if (!take_word(p, "goto"))
        parser_fail(p, peek_token(p), "'goto' is wanted here: if value goto a else b");
    end = add_succ(b, end, (struct ir_succ_rec){.block = named_block(b)});
    if (!take_word(p, "else"))
        parser_fail(p, peek_token(p), "'else' is wanted here: if value goto a else b");
    add_succ(b, end, (struct ir_succ_rec){.block = named_block(b)});
    ir_loc loc = take_loc(p, 0);
    end_block(b, IR_TERM_BRANCH, build_value(b, value, loc), list, loc);
}

static void read_indirect(struct body *b)
{
    struct parser *p = b->p;
    struct node *value = at_word(p, "goto") ? NULL : read_expr(b);
    struct succ_list *list = NULL, **end = &list;
    if (!take_word(p, "goto"))
        parser_fail(p, peek_token(p), "'goto' is wanted here: indirect value goto a, b");
    if (peek_token(p)->kind == TOKEN_NAME)
        do
            end = add_succ(b, end, (struct ir_succ_rec){.block = named_block(b)});
        while (take_punct(p, ","));
    ir_loc loc = take_loc(p, 0);
    end_block(b, IR_TERM_INDIRECT, value ? build_value(b, value, loc) : 0, list, loc);
}

static void read_return(struct body *b)
{
    struct parser *p = b->p;
    const struct token *t = peek_token(p);
    bool empty = t->kind == TOKEN_LINE || t->kind == TOKEN_LOC || at_punct(p, "}") || at_word(p, "ends") ||
                 (at_punct(p, "!") && p->tokens.list.at[p->at + 1].kind == TOKEN_NAME &&
                  word_value(event_words, p->tokens.list.at[p->at + 1].text, strlen(p->tokens.list.at[p->at + 1].text)) != UINT32_MAX);
    struct node *value = empty ? NULL : read_expr(b);
    struct ir_event_rec ev = {.op = IR_EV_RETURN, .flags = take_flags(p, event_words, "!")};
    ev.loc = take_loc(p, 0);
    ev.a = value ? build_value(b, value, ev.loc) : 0;
    graph_event(p->b, b->block, &ev);
    end_block(b, IR_TERM_RETURN, 0, NULL, take_word(p, "ends") ? take_loc(p, 0) : ev.loc);
}

/* If the line ends the block, read it. */
static bool read_terminator(struct body *b)
{
    struct parser *p = b->p;
    if (take_word(p, "goto")) {
        struct succ_list *list = NULL;
        add_succ(b, &list, (struct ir_succ_rec){.block = named_block(b)});
        end_block(b, IR_TERM_GOTO, 0, list, take_loc(p, 0));
    } else if (take_word(p, "if")) {
        read_branch(b);
    } else if (take_word(p, "switch")) {
        read_switch(b);
    } else if (take_word(p, "indirect")) {
        read_indirect(b);
    } else if (take_word(p, "return")) {
        read_return(b);
    } else if (take_word(p, "unreachable")) {
        end_block(b, IR_TERM_UNREACHABLE, 0, NULL, take_loc(p, 0));
    } else {
        return false;
    }
    return true;
}

/* ---- bodies ---- */

void parse_locals(struct parser *p, struct pending_body *body)
{
    p->at = body->at;
    for (skip_lines(p);; skip_lines(p)) {
        struct ir_var_rec v = {.kind = IR_V_LOCAL};
        uint32_t key;
        const struct token *at = &p->tokens.list.at[p->at + 1];
        if (take_word(p, "temp")) {
            char name[16];
            if (peek_token(p)->kind != TOKEN_TEMP)
                parser_fail(p, peek_token(p), "a temp is written %%1");
            snprintf(name, sizeof name, "%%%u", (unsigned)peek_token(p)->number);
            p->at++;
            key = intern_string(&p->names, name) + 1;
            v.kind = IR_V_TEMP;
            if (peek_token(p)->kind == TOKEN_STRING) {
                v.name = token_str(p, peek_token(p)->text);
                p->at++;
            }
        } else if (at_word(p, "local") || at_word(p, "static")) {
            v.kind = take_word(p, "local") ? IR_V_LOCAL : IR_V_STATIC_LOCAL;
            p->at += v.kind == IR_V_STATIC_LOCAL;
            const struct token *name = want_name(p);
            key = name_key(p, name);
            v.name = token_str(p, name->text);
        } else {
            break;
        }
        want_punct(p, ":");
        v.type = parse_type(p);
        v.flags = take_flags(p, var_words, "");
        v.annots = parse_annots(p, &v.loc);
        want_line(p);
        bool is_new;
        uint32_t *place = map64_place(&p->locals, key_pair(body->func, key), &is_new);
        if (!is_new)
            parser_fail(p, at, "this name is declared twice in the function: a second one is written name#2");
        *place = build_local(p->b, body->func, &v);
    }
    body->at = p->at;
}

static void read_blocks(struct body *b)
{
    struct parser *p = b->p;
    uint32_t n_blocks = 0;
    b->block = 0;
    for (skip_lines(p); !at_punct(p, "}"); skip_lines(p)) {
        if (at_label(p, p->at)) {
            uint32_t block = map64_get(&b->p->block_names, name_key(p, peek_token(p)), 1) - 1;
            if (n_blocks++ && !graph_terminated(p->b, b->block)) { /* falls through */
                struct ir_succ_rec s = {.block = block};
                graph_terminate(p->b, b->block, IR_TERM_GOTO, 0, &s, 1, 0);
            }
            b->block = block;
            p->at += 2;
            continue;
        }
        n_blocks += n_blocks == 0;
        if (graph_terminated(p->b, b->block))
            parser_fail(p, peek_token(p), "the block has ended: a label is wanted here");
        if (!read_terminator(b))
            read_event(b);
        want_line(p);
    }
    if (!graph_terminated(p->b, b->block)) {
        graph_event(p->b, b->block, &(struct ir_event_rec){.op = IR_EV_RETURN});
        graph_terminate(p->b, b->block, IR_TERM_RETURN, 0, NULL, 0, 0);
    }
}

void parse_body(struct parser *p, const struct pending_body *body)
{
    struct body *b = arena_zalloc(&p->arena, sizeof *b);
    b->p = p;
    b->func = body->func;
    p->at = body->at;
    graph_begin(p->b, body->func);
    map64_clear(&p->block_names);
    make_blocks(b);
    read_blocks(b);
    graph_end(p->b);
}
