/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Prints units in the text form (docs/text-form.md). One rule makes it readable and still complete: what the
 * parser would fill in by itself (a type, a load, a position) is left unsaid, everything else is said. Stands
 * on text_printer.h; text_parse.c is its inverse. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"
#include "text_printer.h"

/* ---- graphs ---- */

static void put_block_name(struct printer *p, ir_func f, ir_block b) {
    uint32_t n = b - p->u->funcs[f].blocks.first;
    if (n)
        fprintf(p->out, "b%u", n);
    else
        put(p, "entry");
}

static void put_args(struct printer *p, const struct ir_event_rec *ev, bool places) {
    for (uint32_t i = 0; i < ev->args.count; i++) {
        ir_expr a = p->u->expr_refs[ev->args.first + i];
        put(p, i ? ", " : "");
        if (places && ir_is_place(p->u->exprs[a].op))
            put(p, "place ");
        put_expr(p, a, ev->loc, WHOLE);
    }
}

static void put_orders(struct printer *p, uint32_t flags) {
    uint32_t success = flags >> IR_SF_ORDER_SHIFT & 7, failure = flags >> (IR_SF_ORDER_SHIFT + 4) & 7;
    const char *s = word_text(order_words, success), *f = word_text(order_words, failure);
    fprintf(p->out, " !%s", s ? s : "seq_cst");
    if (failure)
        fprintf(p->out, " !else_%s", f ? f : "seq_cst");
}

static void put_event(struct printer *p, const struct ir_event_rec *ev) {
    uint32_t flags = ev->flags;
    put(p, "    ");
    switch (ev->op) {
    case IR_EV_EVAL:
        put(p, "eval ");
        put_expr(p, ev->a, ev->loc, WHOLE);
        break;
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
    case IR_EV_BEGIN:
        put(p, "begin ");
        put_var(p, ev->a);
        break;
    case IR_EV_END:
        put(p, "end ");
        put_var(p, ev->a);
        break;
    case IR_EV_VA:
        put(p, "va ");
        put_expr(p, ev->a, ev->loc, WHOLE);
        break;
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

static void put_case(struct printer *p, ir_func f, const struct ir_succ_rec *s) {
    if (s->flags & IR_SUCC_DEFAULT) {
        put(p, "        default: ");
    } else {
        int64_t lo = (int64_t)((uint64_t)s->lo[1] << 32 | s->lo[0]),
                hi = (int64_t)((uint64_t)s->hi[1] << 32 | s->hi[0]);
        fprintf(p->out, "        case %" PRId64, lo);
        if (hi != lo)
            fprintf(p->out, "..%" PRId64, hi);
        put(p, ": ");
    }
    put_block_name(p, f, s->block);
    put(p, "\n");
}

static void put_terminator(struct printer *p, const struct ir_block_rec *b, ir_loc last) {
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
    case IR_TERM_GOTO:
        put(p, "goto ");
        put_block_name(p, b->func, s->block);
        break;
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

static void put_body(struct printer *p, ir_func f) {
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
static uint32_t next_of_name(struct map64 *names, uint64_t key) {
    return ++*map64_place(names, key, NULL);
}

static void name_locals(struct printer *p, ir_func f) {
    const struct ir_func_rec *r = &p->u->funcs[f];
    uint32_t temps = 0;
    p->func = f;
    map64_clear(&p->local_names);
    for (uint32_t i = 0; i < r->params.count; i++)
        p->var_nth[r->params.first + i] = next_of_name(&p->local_names, p->u->vars[r->params.first + i].name);
    for (uint32_t i = 0; i < r->locals.count; i++) {
        ir_var v = r->locals.first + i;
        p->var_nth[v] =
            p->u->vars[v].kind == IR_V_TEMP ? ++temps : next_of_name(&p->local_names, p->u->vars[v].name);
    }
}

/* Does the function's type say what its parameters and flags say? Then it is not printed beside them. */
static bool is_plain_function_type(struct printer *p, const struct ir_func_rec *f) {
    const struct ir_type_rec *t = &p->u->types[f->type];
    if (t->kind != IR_T_FUNCTION || t->params.count != f->params.count ||
        !(t->flags & IR_TF_VARIADIC) != !(f->flags & IR_FF_VARIADIC) || (t->flags & ~IR_TF_VARIADIC))
        return false;
    for (uint32_t i = 0; i < f->params.count; i++)
        if (canon_of(p, p->u->type_refs[t->params.first + i]) !=
            canon_of(p, p->u->vars[f->params.first + i].type))
            return false;
    return true;
}

static void put_function(struct printer *p, ir_func f) {
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

static void put_named_type(struct printer *p, ir_type t) {
    const struct unit *u = p->u;
    const struct ir_type_rec *r = &u->types[t];
    bool builtin = r->kind == IR_T_INT || r->kind == IR_T_FLOAT,
         record = r->kind == IR_T_STRUCT || r->kind == IR_T_UNION;
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

static void put_origin(struct printer *p) {
    const struct unit *u = p->u;
    const struct {
        const char *word;
        ir_str value;
    } lines[] = {{"unit", u->main_file},
                 {"directory", u->directory},
                 {"target", u->target},
                 {"producer", u->producer}};
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

static void printer_begin(struct printer *p, const struct unit *u, FILE *out, unsigned parts) {
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

static void printer_end(struct printer *p) {
    free(p->canon);
    free(p->type_nth);
    free(p->var_nth);
    free(p->func_nth);
    index_free(&p->canons);
    map64_free(&p->file_names);
    map64_free(&p->local_names);
}

void unit_print_parts(const struct unit *u, FILE *out, unsigned parts) {
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

void unit_print(const struct unit *u, FILE *out) {
    unit_print_parts(u, out, 0);
}

static char *to_text(const struct unit *u, ir_type t, ir_expr e) {
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

char *type_to_text(const struct unit *u, ir_type t) {
    return to_text(u, t, 0);
}

char *expr_to_text(const struct unit *u, ir_expr e) {
    return to_text(u, 0, e);
}
