/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads the graphs of the text form: locals, blocks, events, terminators.
 * Stands on text_expr.h. */
#include <stdio.h>
#include <string.h>
#include "text_expr.h"

/* ---- blocks ---- */

static uint32_t named_block(struct body *b) {
    const struct token *name = want_name(b->p);
    uint32_t block = map64_get(&b->p->block_names, name_key(b->p, name), 0);
    if (!block)
        parser_fail(b->p, name, "there is no block '%s' in this function", name->text);
    return block - 1;
}

static bool at_label(const struct parser *p, size_t at) {
    const struct token *t = &p->tokens.list.at[at];
    return t->kind == TOKEN_NAME && t[1].kind == TOKEN_PUNCT && !strcmp(t[1].text, ":") &&
           strcmp(t->text, "default");
}

/* Make the blocks in the order of their labels; the first is the entry, with or without a label. */
static void make_blocks(struct body *b) {
    struct parser *p = b->p;
    size_t start = p->at;
    uint32_t depth = 0;
    bool fresh = true, any = false;
    for (; depth || !at_punct(p, "}"); p->at++) {
        if (fresh && !depth && at_label(p, p->at)) {
            bool is_new;
            uint32_t *place = map64_place(&p->block_names, name_key(p, peek_token(p)), &is_new);
            if (!is_new)
                parser_fail(p, peek_token(p), "the label '%s' stands twice in this function",
                            peek_token(p)->text);
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

static struct argument *read_arguments(struct body *b) {
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

static struct ir_range build_arguments(struct body *b, const struct argument *list, ir_loc loc) {
    uint32_t n = 0, i = 0;
    for (const struct argument *a = list; a; a = a->next)
        n++;
    ir_expr *args = arena_array(&b->p->arena, ir_expr, n);
    for (const struct argument *a = list; a; a = a->next)
        args[i++] = a->place ? build_place(b, a->node, loc) : build_value(b, a->node, loc);
    return build_expr_refs(b->p->b, args, n);
}

/* The memory orders of an atomic: !acquire, !else_relaxed; without one it is seq_cst. */
static uint32_t take_orders(struct parser *p) {
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

static void read_call(struct body *b, struct node *result) {
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

static void read_atomic(struct body *b, struct node *result) {
    struct parser *p = b->p;
    const struct token *kind = want_name(p);
    struct ir_event_rec ev = {.op = IR_EV_ATOMIC,
                              .c = word_value(atomic_words, kind->text, strlen(kind->text))};
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
static void read_store(struct body *b) {
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

static void read_life(struct body *b, uint32_t op) {
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
static void read_operand(struct body *b, uint32_t op) {
    struct parser *p = b->p;
    struct node *n = read_expr(b);
    struct ir_event_rec ev = {.op = op, .flags = take_flags(p, event_words, "!")};
    ev.loc = take_loc(p, 0);
    ev.a = op == IR_EV_VA ? build_place(b, n, ev.loc) : build_value(b, n, ev.loc);
    graph_event(p->b, b->block, &ev);
}

static void read_event(struct body *b) {
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

static int64_t read_case_value(struct parser *p) {
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

static void end_block(struct body *b, uint32_t term, ir_expr cond, const struct succ_list *list, ir_loc loc) {
    uint32_t n = 0, i = 0;
    for (const struct succ_list *s = list; s; s = s->next)
        n++;
    struct ir_succ_rec *succs = arena_array(&b->p->arena, struct ir_succ_rec, n);
    for (const struct succ_list *s = list; s; s = s->next)
        succs[i++] = s->rec;
    graph_terminate(b->p->b, b->block, term, cond, succs, n, loc);
}

static struct succ_list **add_succ(struct body *b, struct succ_list **end, struct ir_succ_rec rec) {
    *end = arena_zalloc(&b->p->arena, sizeof **end);
    (*end)->rec = rec;
    return &(*end)->next;
}

static void read_switch(struct body *b) {
    struct parser *p = b->p;
    const struct token *at = peek_token(p);
    struct node *value = read_expr(b);
    struct succ_list *list = NULL, **end = &list;
    uint32_t defaults = 0;
    want_punct(p, "{");
    for (skip_lines(p); !take_punct(p, "}"); skip_lines(p)) {
        struct ir_succ_rec s = {.flags = IR_SUCC_DEFAULT};
        if (take_word(p, "case")) {
            uint64_t lo = (uint64_t)read_case_value(p),
                     hi = take_punct(p, "..") ? (uint64_t)read_case_value(p) : lo;
            s = (struct ir_succ_rec){
                0, IR_SUCC_CASE, {(uint32_t)lo, (uint32_t)(lo >> 32)}, {(uint32_t)hi, (uint32_t)(hi >> 32)}};
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

static void read_branch(struct body *b) {
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

static void read_indirect(struct body *b) {
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

static void read_return(struct body *b) {
    struct parser *p = b->p;
    const struct token *t = peek_token(p);
    bool empty = t->kind == TOKEN_LINE || t->kind == TOKEN_LOC || at_punct(p, "}") || at_word(p, "ends") ||
                 (at_punct(p, "!") && p->tokens.list.at[p->at + 1].kind == TOKEN_NAME &&
                  word_value(event_words, p->tokens.list.at[p->at + 1].text,
                             strlen(p->tokens.list.at[p->at + 1].text)) != UINT32_MAX);
    struct node *value = empty ? NULL : read_expr(b);
    struct ir_event_rec ev = {.op = IR_EV_RETURN, .flags = take_flags(p, event_words, "!")};
    ev.loc = take_loc(p, 0);
    ev.a = value ? build_value(b, value, ev.loc) : 0;
    graph_event(p->b, b->block, &ev);
    end_block(b, IR_TERM_RETURN, 0, NULL, take_word(p, "ends") ? take_loc(p, 0) : ev.loc);
}

/* If the line ends the block, read it. */
static bool read_terminator(struct body *b) {
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

void parse_locals(struct parser *p, struct pending_body *body) {
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

static void read_blocks(struct body *b) {
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

void parse_body(struct parser *p, const struct pending_body *body) {
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
