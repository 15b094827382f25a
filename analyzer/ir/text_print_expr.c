/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Prints names, types and expressions in the text form.
 * Stands on text_printer.h. */
#include <inttypes.h>
#include <string.h>
#include "text_printer.h"

/* ---- words, names, strings ---- */

void put(struct printer *p, const char *s) {
    fputs(s, p->out);
}

void put_quoted(struct printer *p, const char *s, char quote) {
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

void put_name(struct printer *p, const char *name, uint32_t nth) {
    if (name_needs_quotes(name))
        put_quoted(p, name, '`');
    else
        put(p, name);
    if (nth > 1)
        fprintf(p->out, "#%u", nth);
}

/* Flags as words, each after a space and `mark`; what has no word as a number. */
void put_flags(struct printer *p, const struct word *words, uint32_t flags, const char *mark) {
    for (; words->text; words++)
        if (words->value && (flags & words->value) == words->value) {
            fprintf(p->out, " %s%s", mark, words->text);
            flags &= ~words->value;
        }
    if (flags)
        fprintf(p->out, " %s0x%x", mark, flags);
}

void put_loc(struct printer *p, ir_loc at) {
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
void put_own_loc(struct printer *p, ir_loc at) {
    if (at && !(p->parts & UNIT_PRINT_NO_LOCS)) {
        fputc(' ', p->out);
        put_loc(p, at);
    }
}

/* Can the text stand between parentheses as it is and be found again? */
static bool is_plain_argument(const char *s) {
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

void put_annots(struct printer *p, struct ir_range annots, ir_loc of) {
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

bool is_named_type(uint32_t kind) {
    return kind == IR_T_STRUCT || kind == IR_T_UNION || kind == IR_T_ENUM || kind == IR_T_TYPEDEF;
}

bool is_standard_builtin(const struct unit *u, const struct ir_type_rec *t) {
    const struct builtin *b =
        t->kind == IR_T_INT || t->kind == IR_T_FLOAT ? builtin_named(unit_str(u, t->name)) : NULL;
    return b && b->kind == t->kind && b->size == t->size && b->flags == t->flags;
}

ir_type canon_of(struct printer *p, ir_type t) {
    const struct unit *u = p->u;
    if (p->canon[t] || u->types[t].kind == IR_T_UNKNOWN)
        return p->canon[t];
    const struct ir_type_rec *r = &u->types[t];
    if (r->kind == IR_T_QUALIFIED && !(r->flags & (IR_TF_CONST | IR_TF_VOLATILE | IR_TF_RESTRICT)))
        return p->canon[t] = canon_of(p, r->elem);
    if (is_named_type(r->kind))
        return p->canon[t] = t;
    bool builtin = r->kind == IR_T_INT || r->kind == IR_T_FLOAT,
         elem = !builtin && r->kind != IR_T_VOID && r->kind != IR_T_VA_LIST;
    uint64_t h = hash_add(r->kind, builtin ? (uint64_t)r->name << 32 | r->size : 0);
    uint32_t e = elem ? canon_of(p, r->elem) : 0;
    h = hash_add(hash_add(h, key_pair(r->flags, e)), r->count);
    for (uint32_t i = 0; i < r->params.count; i++)
        h = hash_add(h, canon_of(p, u->type_refs[r->params.first + i]));
    struct index_probe probe;
    for (probe = index_first(&p->canons, h); probe.id; index_next(&p->canons, &probe)) {
        const struct ir_type_rec *o = &u->types[probe.id];
        bool same = o->kind == r->kind && o->flags == r->flags && o->count == r->count &&
                    o->params.count == r->params.count && (!elem || canon_of(p, o->elem) == e) &&
                    (!builtin || (o->name == r->name && o->size == r->size));
        for (uint32_t i = 0; same && i < r->params.count; i++)
            same = canon_of(p, u->type_refs[o->params.first + i]) ==
                   canon_of(p, u->type_refs[r->params.first + i]);
        if (same)
            return p->canon[t] = probe.id;
    }
    index_add(&p->canons, h, t);
    return p->canon[t] = t;
}

void put_type(struct printer *p, ir_type t) {
    const struct ir_type_rec *r = &p->u->types[t];
    static const char *const tags[IR_T_KINDS] = {
        [IR_T_STRUCT] = "struct ", [IR_T_UNION] = "union ", [IR_T_ENUM] = "enum "};
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
    case IR_T_ENUM:
        put(p, tags[r->kind]);
        put_name(p, unit_str(p->u, r->name), p->type_nth[t]);
        return;
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

static bool is_inferred(struct printer *p, const struct ir_expr_rec *e) {
    struct inferred i = infer_type(p->u, e);
    const struct ir_type_rec *t = &p->u->types[e->type];
    switch (i.how) {
    case INFER_SAME: return canon_of(p, e->type) == canon_of(p, i.type);
    case INFER_QUALIFIED:
        return t->kind == IR_T_QUALIFIED && t->flags == i.flags &&
               canon_of(p, t->elem) == canon_of(p, i.type);
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

static bool is_null(struct printer *p, const struct ir_expr_rec *e) {
    const struct ir_type_rec *t = &p->u->types[e->type];
    return e->op == IR_E_CONST && !e->a && !e->b && t->kind == IR_T_POINTER &&
           p->u->types[t->elem].kind == IR_T_VOID;
}

static bool is_array(const struct unit *u, ir_type t) {
    return u->types[type_core(u, t)].kind == IR_T_ARRAY;
}

/* Would the parser put this value around the place that it stands for? Then only the place is printed. */
static bool is_implied(struct printer *p, const struct ir_expr_rec *e) {
    if (e->op != IR_E_LOAD && e->op != IR_E_ADDR)
        return false;
    const struct ir_expr_rec *place = &p->u->exprs[e->a];
    if (is_array(p->u, place->type) != (e->op == IR_E_ADDR) || !is_inferred(p, e))
        return false;
    if (e->op == IR_E_ADDR)
        return e->loc == 0;
    return place->loc == (place->op == IR_E_VAR ? 0 : e->loc);
}

void put_var(struct printer *p, ir_var v) {
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

static void put_func(struct printer *p, ir_func f) {
    if (map64_find(&p->local_names, p->u->funcs[f].name))
        put(p, "::");
    put_name(p, unit_str(p->u, p->u->funcs[f].name), p->func_nth[f]);
}

static void put_field(struct printer *p, const struct ir_expr_rec *e) {
    const struct unit *u = p->u;
    const struct ir_expr_rec *base = &u->exprs[e->a];
    bool arrow = base->op == IR_E_DEREF && is_inferred(p, base);
    if (arrow) { /* what the arrow goes through stands where the pointer stands */
        ir_loc pointer = u->exprs[base->a].loc;
        arrow = base->loc == (pointer ? pointer : e->loc);
    }
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
static void put_core(struct printer *p, const struct ir_expr_rec *e, ir_loc around) {
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
    case IR_E_DEREF:
        put(p, "*");
        put_expr(p, e->a, e->loc, ATOM);
        break;
    case IR_E_FIELD: put_field(p, e); break;
    case IR_E_INDEX:
        put_expr(p, e->a, e->loc, ATOM);
        put(p, "[");
        put_expr(p, e->b, e->loc, WHOLE);
        put(p, "]");
        break;
    case IR_E_LOAD:
        put(p, "load(");
        put_expr(p, e->a, e->loc, WHOLE);
        put(p, ")");
        break;
    case IR_E_ADDR:
        put(p, "&");
        put_expr(p, e->a, e->loc ? e->loc : around, ATOM);
        break;
    case IR_E_UNARY:
        put(p, word_text(unary_words, e->b));
        if (e->b == IR_U_NEG &&
            p->u->exprs[e->a].op == IR_E_CONST) /* "-1" is a number, not the negation of one */
            put(p, " ");
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

/* One expression as if it stood at `loc`, which is said when it is not `expected`; around: where the whole
 * stands. */
static void put_node(struct printer *p, ir_expr id, ir_loc loc, ir_loc expected, ir_loc around, int as) {
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

void put_expr(struct printer *p, ir_expr id, ir_loc around, int as) {
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
