/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Prints units in the text form (docs/text-form.md). One rule makes it readable and still complete: what the parser
 * would fill in by itself (a type, a load, a position) is left unsaid, everything else is said.
 * Stands on text_words.h; text_parse.c is its inverse. */
#define _GNU_SOURCE
#include "text.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "../base/hash.h"
#include "../base/alloc.h"
#include "text_words.h"

struct printer {
    const struct unit *u;
    FILE *out;
    unsigned parts;
    ir_file main_file;    /* positions in it do not name it */
    ir_type *canon;       /* the first type equal to this one, structs and named types being equal to themselves only */
    struct index canons;  /* over canon */
    uint32_t *type_nth;   /* which of the types of this kind and name: 1, 2 … */
    uint32_t *var_nth, *func_nth;
    ir_func func; /* being printed */
    struct map64 file_names, local_names; /* name → how many */
};

/* ---- words, names, strings ---- */

static void put(struct printer *p, const char *s)
{
    fputs(s, p->out);
}

static void put_quoted(struct printer *p, const char *s, char quote)
{
    fputc(quote, p->out);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == (unsigned char)quote || c == '\\')
            fprintf(p->out, "\\%c", c);
        else if (c == '\n')
            put(p, "\\n");
        else if (c == '\t')
            put(p, "\\t");
        else if (c < 32 || c == 127)
            fprintf(p->out, "\\x%02x", c);
        else
            fputc(c, p->out);
    }
    fputc(quote, p->out);
}

static void put_name(struct printer *p, const char *name, uint32_t nth)
{
    if (name_needs_quotes(name))
        put_quoted(p, name, '`');
    else
        put(p, name);
    if (nth > 1)
        fprintf(p->out, "#%u", nth);
}

/* Flags as words, each after a space and `mark`; what has no word as a number. */
static void put_flags(struct printer *p, const struct word *words, uint32_t flags, const char *mark)
{
    for (; words->text; words++)
        if (words->value && (flags & words->value) == words->value) {
            fprintf(p->out, " %s%s", mark, words->text);
            flags &= ~words->value;
        }
    if (flags)
        fprintf(p->out, " %s0x%x", mark, flags);
}

static void put_loc(struct printer *p, ir_loc at)
{
    const struct ir_loc_rec *l = &p->u->locs[at];
    if (!at) {
        put(p, "@-");
        return;
    }
    if (l->file == p->main_file)
        fprintf(p->out, "@%u:%u", l->line, l->col);
    else
        fprintf(p->out, "@%u:%u:%u", l->file, l->line, l->col);
    if ((l->end_line && l->end_line != l->line) || (l->end_col && !l->end_line))
        fprintf(p->out, "-%u:%u", l->end_line, l->end_col);
    else if (l->end_line)
        fprintf(p->out, "-%u", l->end_col);
    if (l->macro) {
        put(p, " macro ");
        put_name(p, unit_str(p->u, l->macro), 1);
    }
}

/* The position of a declaration or event: nothing when there is none. */
static void put_own_loc(struct printer *p, ir_loc at)
{
    if (at && !(p->parts & UNIT_PRINT_NO_LOCS)) {
        fputc(' ', p->out);
        put_loc(p, at);
    }
}

/* Can the text stand between parentheses as it is and be found again? */
static bool is_plain_argument(const char *s)
{
    int depth = 0;
    if (*s == ' ' || (*s && s[strlen(s) - 1] == ' '))
        return false;
    for (; *s; s++) {
        if ((unsigned char)*s < 32 || *s == '"' || *s == 127)
            return false;
        depth += *s == '(' ? 1 : *s == ')' ? -1 : 0;
        if (depth < 0)
            return false;
    }
    return depth == 0;
}

static void put_annots(struct printer *p, struct ir_range annots, ir_loc of)
{
    for (uint32_t i = 0; i < annots.count; i++) {
        const struct ir_annot_rec *a = &p->u->annots[annots.first + i];
        const char *args = unit_str(p->u, a->args);
        fprintf(p->out, " @%s", word_text(annot_kind_words, a->kind));
        if (*args && is_plain_argument(args)) {
            fprintf(p->out, "(%s)", args);
        } else if (*args) {
            put_quoted(p, args, '"');
        }
        bool loc = a->loc != of && !(p->parts & UNIT_PRINT_NO_LOCS);
        if (!loc && !a->flags)
            continue;
        fputc('[', p->out);
        if (loc)
            put_loc(p, a->loc);
        put_flags(p, annot_words, a->flags, "");
        fputc(']', p->out);
    }
}

/* ---- types ---- */

static bool is_named_type(uint32_t kind)
{
    return kind == IR_T_STRUCT || kind == IR_T_UNION || kind == IR_T_ENUM || kind == IR_T_TYPEDEF;
}

static bool is_standard_builtin(const struct unit *u, const struct ir_type_rec *t)
{
    const struct builtin *b = t->kind == IR_T_INT || t->kind == IR_T_FLOAT ? builtin_named(unit_str(u, t->name)) : NULL;
    return b && b->kind == t->kind && b->size == t->size && b->flags == t->flags;
}

static ir_type canon_of(struct printer *p, ir_type t)
{
    const struct unit *u = p->u;
    if (p->canon[t] || u->types[t].kind == IR_T_UNKNOWN)
        return p->canon[t];
    const struct ir_type_rec *r = &u->types[t];
    if (r->kind == IR_T_QUALIFIED && !(r->flags & (IR_TF_CONST | IR_TF_VOLATILE | IR_TF_RESTRICT)))
        return p->canon[t] = canon_of(p, r->elem);
    if (is_named_type(r->kind))
        return p->canon[t] = t;
    bool builtin = r->kind == IR_T_INT || r->kind == IR_T_FLOAT, elem = !builtin && r->kind != IR_T_VOID && r->kind != IR_T_VA_LIST;
    uint64_t h = hash_add(r->kind, builtin ? (uint64_t)r->name << 32 | r->size : 0);
    uint32_t e = elem ? canon_of(p, r->elem) : 0;
    h = hash_add(hash_add(h, key_pair(r->flags, e)), r->count);
    for (uint32_t i = 0; i < r->params.count; i++)
        h = hash_add(h, canon_of(p, u->type_refs[r->params.first + i]));
    struct index_probe probe;
    for (probe = index_first(&p->canons, h); probe.id; index_next(&p->canons, &probe)) {
        const struct ir_type_rec *o = &u->types[probe.id];
        bool same = o->kind == r->kind && o->flags == r->flags && o->count == r->count && o->params.count == r->params.count &&
                    (!elem || canon_of(p, o->elem) == e) && (!builtin || (o->name == r->name && o->size == r->size));
        for (uint32_t i = 0; same && i < r->params.count; i++)
            same = canon_of(p, u->type_refs[o->params.first + i]) == canon_of(p, u->type_refs[r->params.first + i]);
        if (same)
            return p->canon[t] = probe.id;
    }
    index_add(&p->canons, h, t);
    return p->canon[t] = t;
}

static void put_type(struct printer *p, ir_type t)
{
    const struct ir_type_rec *r = &p->u->types[t];
    static const char *const tags[IR_T_KINDS] = {[IR_T_STRUCT] = "struct ", [IR_T_UNION] = "union ", [IR_T_ENUM] = "enum "};
    switch (r->kind) {
    case IR_T_VOID: put(p, "void"); return;
    case IR_T_VA_LIST: put(p, "va_list"); return;
    case IR_T_INT:
    case IR_T_FLOAT:
        if (is_standard_builtin(p->u, r))
            put(p, unit_str(p->u, r->name));
        else
            put_name(p, unit_str(p->u, r->name), p->type_nth[canon_of(p, t)]);
        return;
    case IR_T_STRUCT:
    case IR_T_UNION:
    case IR_T_ENUM: put(p, tags[r->kind]); put_name(p, unit_str(p->u, r->name), p->type_nth[t]); return;
    case IR_T_TYPEDEF: put_name(p, unit_str(p->u, r->name), p->type_nth[t]); return;
    case IR_T_POINTER: put(p, "*"); break;
    case IR_T_ARRAY:
        if (r->count)
            fprintf(p->out, "[%u]", r->count);
        else
            put(p, "[]");
        break;
    case IR_T_VECTOR: fprintf(p->out, "vector [%u]", r->count); break;
    case IR_T_ATOMIC: put(p, "_Atomic "); break;
    case IR_T_QUALIFIED:
        put(p, r->flags & IR_TF_CONST ? "const " : "");
        put(p, r->flags & IR_TF_VOLATILE ? "volatile " : "");
        put(p, r->flags & IR_TF_RESTRICT ? "restrict " : "");
        break;
    case IR_T_FUNCTION:
        put(p, "func(");
        for (uint32_t i = 0; i < r->params.count; i++) {
            put(p, i ? ", " : "");
            put_type(p, p->u->type_refs[r->params.first + i]);
        }
        put(p, r->flags & IR_TF_VARIADIC ? r->params.count ? ", ...) -> " : "...) -> " : ") -> ");
        break;
    default: put(p, "?"); return;
    }
    put_type(p, r->elem);
}

/* ---- expressions ---- */

static bool is_inferred(struct printer *p, const struct ir_expr_rec *e)
{
    struct inferred i = infer_type(p->u, e);
    const struct ir_type_rec *t = &p->u->types[e->type];
    switch (i.how) {
    case INFER_SAME: return canon_of(p, e->type) == canon_of(p, i.type);
    case INFER_QUALIFIED:
        return t->kind == IR_T_QUALIFIED && t->flags == i.flags && canon_of(p, t->elem) == canon_of(p, i.type);
    case INFER_POINTER_TO: return t->kind == IR_T_POINTER && canon_of(p, t->elem) == canon_of(p, i.type);
    case INFER_POINTER_TO_BUILTIN:
        if (t->kind != IR_T_POINTER)
            return false;
        t = &p->u->types[t->elem];
        if (!strcmp(i.builtin, "void"))
            return t->kind == IR_T_VOID;
        break;
    case INFER_BUILTIN: break;
    }
    return is_standard_builtin(p->u, t) && !strcmp(unit_str(p->u, t->name), i.builtin);
}

static bool is_null(struct printer *p, const struct ir_expr_rec *e)
{
    const struct ir_type_rec *t = &p->u->types[e->type];
    return e->op == IR_E_CONST && !e->a && !e->b && t->kind == IR_T_POINTER && p->u->types[t->elem].kind == IR_T_VOID;
}

static bool is_array(const struct unit *u, ir_type t)
{
    return u->types[type_core(u, t)].kind == IR_T_ARRAY;
}

/* Would the parser put this value around the place that it stands for? Then only the place is printed. */
static bool is_implied(struct printer *p, const struct ir_expr_rec *e)
{
    if (e->op != IR_E_LOAD && e->op != IR_E_ADDR)
        return false;
    const struct ir_expr_rec *place = &p->u->exprs[e->a];
    if (is_array(p->u, place->type) != (e->op == IR_E_ADDR) || !is_inferred(p, e))
        return false;
    if (e->op == IR_E_ADDR)
        return e->loc == 0;
    return place->loc == (place->op == IR_E_VAR ? 0 : e->loc);
}

static void put_var(struct printer *p, ir_var v)
{
    const struct ir_var_rec *r = &p->u->vars[v];
    if (r->kind == IR_V_TEMP) {
        fprintf(p->out, "%%%u", p->var_nth[v]);
        return;
    }
    if (r->kind == IR_V_STATIC_LOCAL && r->func != p->func) {
        put_name(p, unit_str(p->u, p->u->funcs[r->func].name), p->func_nth[r->func]);
        put(p, "::");
    } else if (r->kind == IR_V_GLOBAL && map64_find(&p->local_names, r->name)) {
        put(p, "::");
    }
    put_name(p, unit_str(p->u, r->name), p->var_nth[v]);
}

static void put_func(struct printer *p, ir_func f)
{
    if (map64_find(&p->local_names, p->u->funcs[f].name))
        put(p, "::");
    put_name(p, unit_str(p->u, p->u->funcs[f].name), p->func_nth[f]);
}

enum { WHOLE = 0, ATOM = 1 }; /* ATOM: an operand, so anything but a name or a postfix form stands in parentheses */

static void put_expr(struct printer *p, ir_expr e, ir_loc around, int as);

static void put_field(struct printer *p, const struct ir_expr_rec *e)
{
    const struct unit *u = p->u;
    const struct ir_expr_rec *base = &u->exprs[e->a];
    bool arrow = base->op == IR_E_DEREF && base->loc == e->loc && is_inferred(p, base);
    put_expr(p, arrow ? base->a : e->a, e->loc, ATOM);
    put(p, arrow ? "->" : ".");
    const struct ir_field_rec *f = &u->fields[e->b];
    ir_type holder = type_core(u, base->type);
    if (holder != f->parent) {
        put(p, "{");
        put_type(p, f->parent);
        put(p, "}");
    }
    /* A name that is not the first of its kind here, or none, is told by its number. */
    bool plain = f->name != 0;
    for (ir_field i = u->types[f->parent].fields.first; plain && i < e->b; i++)
        plain = u->fields[i].name != f->name;
    if (plain)
        put_name(p, unit_str(u, f->name), 1);
    else
        fprintf(p->out, "%u", e->b - u->types[f->parent].fields.first);
}

/* The expression without its type and position. */
static void put_core(struct printer *p, const struct ir_expr_rec *e, ir_loc around)
{
    const struct unit *u = p->u;
    switch (e->op) {
    case IR_E_CONST:
        if (is_null(p, e))
            put(p, "null");
        else
            fprintf(p->out, "%" PRId64, (int64_t)((uint64_t)e->b << 32 | e->a));
        break;
    case IR_E_FLOAT: put(p, "floating"); break;
    case IR_E_STRING: put_quoted(p, unit_str(u, e->a), '"'); break;
    case IR_E_FUNC: put_func(p, e->a); break;
    case IR_E_VAR: put_var(p, e->a); break;
    case IR_E_DEREF: put(p, "*"); put_expr(p, e->a, e->loc, ATOM); break;
    case IR_E_FIELD: put_field(p, e); break;
    case IR_E_INDEX:
        put_expr(p, e->a, e->loc, ATOM);
        put(p, "[");
        put_expr(p, e->b, e->loc, WHOLE);
        put(p, "]");
        break;
    case IR_E_LOAD: put(p, "load("); put_expr(p, e->a, e->loc, WHOLE); put(p, ")"); break;
    case IR_E_ADDR: put(p, "&"); put_expr(p, e->a, e->loc ? e->loc : around, ATOM); break;
    case IR_E_UNARY:
        put(p, word_text(unary_words, e->b));
        put_expr(p, e->a, e->loc, ATOM);
        break;
    case IR_E_BINARY:
        put_expr(p, e->a, e->loc, ATOM);
        fprintf(p->out, " %s ", word_text(binary_words, e->c));
        put_expr(p, e->b, e->loc, ATOM);
        break;
    case IR_E_CAST:
        put(p, "(");
        put_expr(p, e->a, e->loc, WHOLE);
        put(p, " as ");
        put_type(p, e->type);
        put(p, ")");
        break;
    case IR_E_INIT: put(p, e->a ? "zeroed" : "init"); break;
    case IR_E_LABEL: put(p, "label"); break;
    default: put(p, "unknown"); break;
    }
}

/* One expression as if it stood at `loc`, which is said when it is not `expected`; around: where the whole stands. */
static void put_node(struct printer *p, ir_expr id, ir_loc loc, ir_loc expected, ir_loc around, int as)
{
    const struct ir_expr_rec *e = &p->u->exprs[id];
    bool said = e->op == IR_E_CAST || is_null(p, e) || is_inferred(p, e);
    bool own = loc != expected && !(p->parts & (UNIT_PRINT_NO_LOCS | UNIT_PRINT_EVENT_LOCS));
    bool prefix = e->op == IR_E_DEREF || e->op == IR_E_ADDR || e->op == IR_E_UNARY || e->op == IR_E_BINARY ||
                  (e->op == IR_E_CONST && (int32_t)e->b < 0);
    bool open = !said || (prefix && (own || as == ATOM));
    put(p, open ? "(" : "");
    put_core(p, e, around);
    if (!said) {
        put(p, " : ");
        put_type(p, e->type);
    }
    put(p, open ? ")" : "");
    if (own)
        put_loc(p, loc);
}

static void put_expr(struct printer *p, ir_expr id, ir_loc around, int as)
{
    const struct ir_expr_rec *e = &p->u->exprs[id];
    if (!is_implied(p, e)) {
        put_node(p, id, e->loc, is_leaf(e->op) ? 0 : around, around, as);
        return;
    }
    const struct ir_expr_rec *place = &p->u->exprs[e->a];
    if (e->op == IR_E_LOAD && place->op == IR_E_VAR) /* the position is the load's; of a temp there is none */
        put_node(p, e->a, e->loc, p->u->vars[place->a].kind == IR_V_TEMP ? 0 : around, around, as);
    else
        put_expr(p, e->a, around, as);
}

/* ---- graphs ---- */

static void put_block_name(struct printer *p, ir_func f, ir_block b)
{
    uint32_t n = b - p->u->funcs[f].blocks.first;
    if (n)
        fprintf(p->out, "b%u", n);
    else
        put(p, "entry");
}

static void put_args(struct printer *p, const struct ir_event_rec *ev, bool places)
{
    for (uint32_t i = 0; i < ev->args.count; i++) {
        ir_expr a = p->u->expr_refs[ev->args.first + i];
        put(p, i ? ", " : "");
        if (places && ir_is_place(p->u->exprs[a].op))
            put(p, "place ");
        put_expr(p, a, ev->loc, WHOLE);
    }
}

static void put_orders(struct printer *p, uint32_t flags)
{
    uint32_t success = flags >> IR_SF_ORDER_SHIFT & 7, failure = flags >> (IR_SF_ORDER_SHIFT + 4) & 7;
    const char *s = word_text(order_words, success), *f = word_text(order_words, failure);
    fprintf(p->out, " !%s", s ? s : "seq_cst");
    if (failure)
        fprintf(p->out, " !else_%s", f ? f : "seq_cst");
}

static void put_event(struct printer *p, const struct ir_event_rec *ev)
{
    uint32_t flags = ev->flags;
    put(p, "    ");
    switch (ev->op) {
    case IR_EV_EVAL: put(p, "eval "); put_expr(p, ev->a, ev->loc, WHOLE); break;
    case IR_EV_STORE:
        put_expr(p, ev->a, ev->loc, WHOLE);
        put(p, " = ");
        put_expr(p, ev->b, ev->loc, WHOLE);
        break;
    case IR_EV_CALL:
        if (ev->a) {
            put_expr(p, ev->a, ev->loc, WHOLE);
            put(p, " = ");
        }
        put(p, "call ");
        put_expr(p, ev->b, ev->loc, ATOM);
        put(p, "(");
        put_args(p, ev, false);
        put(p, ")");
        break;
    case IR_EV_ATOMIC:
        if (ev->b) {
            put_expr(p, ev->b, ev->loc, WHOLE);
            put(p, " = ");
        }
        fprintf(p->out, "atomic %s(", word_text(atomic_words, ev->c));
        if (ev->a) {
            put(p, "place ");
            put_expr(p, ev->a, ev->loc, WHOLE);
            put(p, ev->args.count ? ", " : "");
        }
        put_args(p, ev, true);
        put(p, ")");
        put_orders(p, flags);
        flags &= ~(0x77u << IR_SF_ORDER_SHIFT);
        break;
    case IR_EV_ASM:
        put(p, "asm(");
        put_args(p, ev, true);
        put(p, ")");
        break;
    case IR_EV_BEGIN: put(p, "begin "); put_var(p, ev->a); break;
    case IR_EV_END: put(p, "end "); put_var(p, ev->a); break;
    case IR_EV_VA: put(p, "va "); put_expr(p, ev->a, ev->loc, WHOLE); break;
    case IR_EV_RETURN:
        put(p, "return");
        if (ev->a) {
            put(p, " ");
            put_expr(p, ev->a, ev->loc, WHOLE);
        }
        break;
    default: break;
    }
    put_flags(p, event_words, flags, "!");
    put_own_loc(p, ev->loc);
}

static void put_case(struct printer *p, ir_func f, const struct ir_succ_rec *s)
{
    if (s->flags & IR_SUCC_DEFAULT) {
        put(p, "        default: ");
    } else {
        int64_t lo = (int64_t)((uint64_t)s->lo[1] << 32 | s->lo[0]), hi = (int64_t)((uint64_t)s->hi[1] << 32 | s->hi[0]);
        fprintf(p->out, "        case %" PRId64, lo);
        if (hi != lo)
            fprintf(p->out, "..%" PRId64, hi);
        put(p, ": ");
    }
    put_block_name(p, f, s->block);
    put(p, "\n");
}

static void put_terminator(struct printer *p, const struct ir_block_rec *b, ir_loc last)
{
    const struct ir_succ_rec *s = &p->u->succs[b->succs.first];
    if (b->term == IR_TERM_RETURN) {
        if (b->loc != last && !(p->parts & UNIT_PRINT_NO_LOCS)) {
            put(p, " ends ");
            put_loc(p, b->loc);
        }
        put(p, "\n");
        return;
    }
    put(p, "    ");
    switch (b->term) {
    case IR_TERM_GOTO: put(p, "goto "); put_block_name(p, b->func, s->block); break;
    case IR_TERM_BRANCH:
        put(p, "if ");
        put_expr(p, b->cond, b->loc, WHOLE);
        put(p, " goto ");
        put_block_name(p, b->func, s[0].block);
        put(p, " else ");
        put_block_name(p, b->func, s[1].block);
        break;
    case IR_TERM_SWITCH:
        put(p, "switch ");
        put_expr(p, b->cond, b->loc, WHOLE);
        put(p, " {\n");
        for (uint32_t i = 0; i < b->succs.count; i++)
            put_case(p, b->func, &s[i]);
        put(p, "    }");
        break;
    case IR_TERM_INDIRECT:
        put(p, "indirect");
        if (b->cond) {
            put(p, " ");
            put_expr(p, b->cond, b->loc, WHOLE);
        }
        put(p, " goto");
        for (uint32_t i = 0; i < b->succs.count; i++) {
            put(p, i ? ", " : " ");
            put_block_name(p, b->func, s[i].block);
        }
        break;
    default: put(p, "unreachable"); break;
    }
    put_own_loc(p, b->loc);
    put(p, "\n");
}

static void put_body(struct printer *p, ir_func f)
{
    const struct unit *u = p->u;
    const struct ir_func_rec *r = &u->funcs[f];
    put(p, " {\n");
    for (uint32_t i = 0; i < r->locals.count; i++) {
        ir_var v = r->locals.first + i;
        const struct ir_var_rec *l = &u->vars[v];
        put(p, l->kind == IR_V_TEMP ? "  temp " : l->kind == IR_V_STATIC_LOCAL ? "  static " : "  local ");
        if (l->kind == IR_V_TEMP) {
            fprintf(p->out, "%%%u", p->var_nth[v]);
            if (l->name) {
                put(p, " ");
                put_quoted(p, unit_str(u, l->name), '"');
            }
        } else {
            put_name(p, unit_str(u, l->name), p->var_nth[v]);
        }
        put(p, ": ");
        put_type(p, l->type);
        put_flags(p, var_words, l->flags, "");
        put_own_loc(p, l->loc);
        put_annots(p, l->annots, l->loc);
        put(p, "\n");
    }
    for (uint32_t i = 0; i < r->blocks.count; i++) {
        const struct ir_block_rec *b = &u->blocks[r->blocks.first + i];
        put(p, "  ");
        put_block_name(p, f, r->blocks.first + i);
        put(p, ":\n");
        ir_loc last = 0;
        for (uint32_t k = 0; k < b->events.count; k++) {
            const struct ir_event_rec *ev = &u->events[b->events.first + k];
            put_event(p, ev);
            last = ev->loc;
            if (ev->op != IR_EV_RETURN)
                put(p, "\n");
        }
        put_terminator(p, b, last);
    }
    put(p, "}");
    if (r->body_end)
        put_own_loc(p, r->body_end);
}

/* ---- declarations ---- */

/* Number the names of one scope: the k-th of a name gets k. */
static uint32_t next_of_name(struct map64 *names, uint64_t key)
{
    return ++*map64_place(names, key, NULL);
}

static void name_locals(struct printer *p, ir_func f)
{
    const struct ir_func_rec *r = &p->u->funcs[f];
    uint32_t temps = 0;
    p->func = f;
    map64_clear(&p->local_names);
    for (uint32_t i = 0; i < r->params.count; i++)
        p->var_nth[r->params.first + i] = next_of_name(&p->local_names, p->u->vars[r->params.first + i].name);
    for (uint32_t i = 0; i < r->locals.count; i++) {
        ir_var v = r->locals.first + i;
        p->var_nth[v] = p->u->vars[v].kind == IR_V_TEMP ? ++temps : next_of_name(&p->local_names, p->u->vars[v].name);
    }
}

/* Does the function's type say what its parameters and flags say? Then it is not printed beside them. */
static bool is_plain_function_type(struct printer *p, const struct ir_func_rec *f)
{
    const struct ir_type_rec *t = &p->u->types[f->type];
    if (t->kind != IR_T_FUNCTION || t->params.count != f->params.count ||
        !(t->flags & IR_TF_VARIADIC) != !(f->flags & IR_FF_VARIADIC) || (t->flags & ~IR_TF_VARIADIC))
        return false;
    for (uint32_t i = 0; i < f->params.count; i++)
        if (canon_of(p, p->u->type_refs[t->params.first + i]) != canon_of(p, p->u->vars[f->params.first + i].type))
            return false;
    return true;
}

static void put_function(struct printer *p, ir_func f)
{
    const struct unit *u = p->u;
    const struct ir_func_rec *r = &u->funcs[f];
    bool plain = is_plain_function_type(p, r);
    name_locals(p, f);
    put(p, r->blocks.count ? "\nfunc" : "func");
    put_flags(p, func_words, r->flags & ~IR_FF_DEFINED, "");
    put(p, " ");
    put_name(p, unit_str(u, r->name), p->func_nth[f]);
    put(p, "(");
    for (uint32_t i = 0; i < r->params.count; i++) {
        const struct ir_var_rec *v = &u->vars[r->params.first + i];
        put(p, i ? ", " : "");
        if (v->name) {
            put_name(p, unit_str(u, v->name), p->var_nth[r->params.first + i]);
            put(p, ": ");
        }
        put_type(p, v->type);
        put_flags(p, var_words, v->flags, "");
        put_own_loc(p, v->loc);
        put_annots(p, v->annots, v->loc);
    }
    put(p, plain ? ") -> " : ") type ");
    put_type(p, plain ? u->types[r->type].elem : r->type);
    if (r->asm_name) {
        put(p, " as ");
        put_quoted(p, unit_str(u, r->asm_name), '"');
    }
    put_own_loc(p, r->loc);
    put_annots(p, r->annots, r->loc);
    if (r->blocks.count)
        put_body(p, f);
    else if (r->body_end) {
        put(p, " ends");
        put_own_loc(p, r->body_end);
    }
    put(p, "\n");
}

static void put_named_type(struct printer *p, ir_type t)
{
    const struct unit *u = p->u;
    const struct ir_type_rec *r = &u->types[t];
    bool builtin = r->kind == IR_T_INT || r->kind == IR_T_FLOAT, record = r->kind == IR_T_STRUCT || r->kind == IR_T_UNION;
    if (builtin) {
        put(p, "builtin ");
        put_name(p, unit_str(u, r->name), p->type_nth[t]);
        put(p, r->kind == IR_T_INT ? " int" : " float");
    } else {
        put(p, r->kind == IR_T_TYPEDEF ? "typedef " : "");
        put_type(p, t);
    }
    if (r->kind == IR_T_TYPEDEF) {
        put(p, " = ");
        put_type(p, r->elem);
    }
    bool body = record && !(r->flags & IR_TF_INCOMPLETE);
    if (r->kind != IR_T_TYPEDEF && (r->size || (body && r->fields.count)))
        fprintf(p->out, " size %u", r->size);
    put_flags(p, type_words, r->flags & ~(record ? IR_TF_INCOMPLETE : 0), "");
    put_own_loc(p, r->loc);
    put_annots(p, r->annots, r->loc);
    if (!body) {
        put(p, "\n");
        return;
    }
    put(p, r->fields.count ? " {\n" : " {");
    for (uint32_t i = 0; i < r->fields.count; i++) {
        const struct ir_field_rec *f = &u->fields[r->fields.first + i];
        put(p, "  ");
        put_name(p, unit_str(u, f->name), 1);
        put(p, ": ");
        put_type(p, f->type);
        if (f->bit_offset)
            fprintf(p->out, " at %u", f->bit_offset);
        if (f->bit_width)
            fprintf(p->out, " bits %u", f->bit_width);
        put_own_loc(p, f->loc);
        put_annots(p, f->annots, f->loc);
        put(p, "\n");
    }
    put(p, "}\n");
}

static void put_origin(struct printer *p)
{
    const struct unit *u = p->u;
    const struct {
        const char *word;
        ir_str value;
    } lines[] = {{"unit", u->main_file}, {"directory", u->directory}, {"target", u->target}, {"producer", u->producer}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].value || i == 0) {
            fprintf(p->out, "%s ", lines[i].word);
            put_quoted(p, unit_str(u, lines[i].value), '"');
            put(p, "\n");
        }
    if (u->pointer_size != 8)
        fprintf(p->out, "pointer %u\n", u->pointer_size);
    for (ir_file f = 1; f < u->n_files; f++) {
        put(p, "file ");
        put_quoted(p, unit_str(u, u->files[f].path), '"');
        put_flags(p, file_words, u->files[f].flags, "");
        uint64_t hash = (uint64_t)u->files[f].hash_hi << 32 | u->files[f].hash_lo;
        if (hash)
            fprintf(p->out, " hash 0x%" PRIx64, hash);
        put(p, "\n");
        if ((u->files[f].flags & IR_FILE_MAIN) && !p->main_file)
            p->main_file = f;
    }
}

static void printer_begin(struct printer *p, const struct unit *u, FILE *out, unsigned parts)
{
    *p = (struct printer){.u = u, .out = out, .parts = parts};
    p->canon = xcalloc(u->n_types, sizeof *p->canon);
    p->type_nth = xcalloc(u->n_types, sizeof *p->type_nth);
    p->var_nth = xcalloc(u->n_vars, sizeof *p->var_nth);
    p->func_nth = xcalloc(u->n_funcs, sizeof *p->func_nth);
    struct map64 names = {0};
    for (ir_type t = 1; t < u->n_types; t++) {
        const struct ir_type_rec *r = &u->types[t];
        bool plain = r->kind == IR_T_INT || r->kind == IR_T_FLOAT || r->kind == IR_T_TYPEDEF;
        if ((plain || is_named_type(r->kind)) && !is_standard_builtin(u, r) && canon_of(p, t) == t)
            p->type_nth[t] = next_of_name(&names, key_pair(plain ? 0 : r->kind, r->name));
    }
    map64_free(&names);
    for (ir_var v = 1; v < u->n_vars; v++)
        if (u->vars[v].kind == IR_V_GLOBAL)
            p->var_nth[v] = next_of_name(&p->file_names, u->vars[v].name);
    for (ir_func f = 1; f < u->n_funcs; f++)
        p->func_nth[f] = next_of_name(&p->file_names, u->funcs[f].name);
    for (ir_func f = 1; f < u->n_funcs; f++)
        name_locals(p, f);
    map64_clear(&p->local_names);
    p->func = 0;
}

static void printer_end(struct printer *p)
{
    free(p->canon);
    free(p->type_nth);
    free(p->var_nth);
    free(p->func_nth);
    index_free(&p->canons);
    map64_free(&p->file_names);
    map64_free(&p->local_names);
}

void unit_print_parts(const struct unit *u, FILE *out, unsigned parts)
{
    struct printer p;
    printer_begin(&p, u, out, parts);
    put_origin(&p);
    for (ir_type t = 1; t < u->n_types && !(parts & UNIT_PRINT_DEFINED_ONLY); t++)
        if (p.type_nth[t])
            put_named_type(&p, t);
    for (ir_var v = 1; v < u->n_vars; v++) {
        const struct ir_var_rec *r = &u->vars[v];
        if (r->kind != IR_V_GLOBAL)
            continue;
        put(&p, r->flags & IR_VF_DEFINED ? "global " : "extern ");
        put_name(&p, unit_str(u, r->name), p.var_nth[v]);
        put(&p, ": ");
        put_type(&p, r->type);
        put_flags(&p, var_words, r->flags & ~IR_VF_DEFINED, "");
        put_own_loc(&p, r->loc);
        put_annots(&p, r->annots, r->loc);
        put(&p, "\n");
    }
    for (ir_func f = 1; f < u->n_funcs; f++)
        if (u->funcs[f].blocks.count || !(parts & UNIT_PRINT_DEFINED_ONLY))
            put_function(&p, f);
    for (uint32_t i = 1; i < u->n_notes; i++) {
        fprintf(out, "note %s ", word_text(note_words, u->notes[i].kind));
        put_quoted(&p, unit_str(u, u->notes[i].text), '"');
        put_own_loc(&p, u->notes[i].loc);
        put(&p, "\n");
    }
    printer_end(&p);
}

void unit_print(const struct unit *u, FILE *out)
{
    unit_print_parts(u, out, 0);
}

static char *to_text(const struct unit *u, ir_type t, ir_expr e)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        die("out of memory while printing");
    struct printer p;
    printer_begin(&p, u, out, UNIT_PRINT_NO_LOCS);
    if (e)
        put_expr(&p, e, 0, WHOLE);
    else
        put_type(&p, t);
    printer_end(&p);
    fclose(out);
    return text;
}

char *type_to_text(const struct unit *u, ir_type t)
{
    return to_text(u, t, 0);
}

char *expr_to_text(const struct unit *u, ir_expr e)
{
    return to_text(u, 0, e);
}
