/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Why a type has not the trait, in words: the path to the member at fault, the reason, the remedy; and types as C spells them.
 * Stands on traits.h. */
#include <stdio.h>
#include <string.h>
#include "traits.h"

const struct trait_reason *trait_reason_end(const struct trait_reason *r) {
    while (r && r->cause)
        r = r->cause;
    return r;
}

int trait_reason_path(const struct trait_reason *r, const char *base, char *out, size_t size) {
    char text[512], next[512];
    snprintf(text, sizeof text, "%s", base);
    bool pointer = false;
    for (; r; r = r->cause) {
        switch (r->because) {
        case BECAUSE_MEMBER:
        case BECAUSE_RWLOCK:
        case BECAUSE_COUNT: {
            const char *name = unit_str(r->unit, r->unit->fields[r->field].name);
            if (!*name)
                break;
            snprintf(next, sizeof next, "%.380s%s%.120s", text, !*text ? "" : pointer ? "->" : ".", name);
            memcpy(text, next, sizeof text);
            pointer = false;
            break;
        }
        case BECAUSE_ELEMENT:
            snprintf(next, sizeof next, "%.500s[]", text);
            memcpy(text, next, sizeof text);
            pointer = false;
            break;
        case BECAUSE_POINTEE: pointer = true; break;
        default: break;
        }
    }
    return snprintf(out, size, "%s", text);
}

int trait_reason_words(const struct trait_reason *r, char *out, size_t size) {
    bool readers = false;
    for (const struct trait_reason *s = r; s; s = s->cause)
        readers |= s->because == BECAUSE_RWLOCK;
    r = trait_reason_end(r);
    char type[128];
    if (!r)
        return snprintf(out, size, "nothing forbids it");
    type_spelling(r->unit, r->type, type, sizeof type);
    const char *under = readers ? ", and the readers of its lock run in parallel" : "";
    switch (r->because) {
    case BECAUSE_CELL:
        return snprintf(out, size, "a plain '%s' that any thread may write, with no lock", type);
    case BECAUSE_OWNED_CELL:
        return snprintf(out, size, "an owned pointer that any thread may write, with no lock");
    case BECAUSE_RAW:
        return snprintf(out, size, "'%s' has no role: nobody says who owns what it points to", type);
    case BECAUSE_VOID: return snprintf(out, size, "'void *' hides the type");
    case BECAUSE_INCOMPLETE: return snprintf(out, size, "'%s' is not defined in what was analysed", type);
    case BECAUSE_COUNT:
        return snprintf(out, size, "reference count '%s' is not atomic",
                        unit_str(r->unit, r->unit->fields[r->field].name));
    case BECAUSE_MARKED: return snprintf(out, size, "'%s' is marked so: %s%s", type, r->text, under);
    case BECAUSE_MODEL:
        return r->text ? snprintf(out, size, "'%s': %s%s", type, r->text, under)
                       : snprintf(out, size, "'%s' is not made for it%s", type, under);
    case BECAUSE_GUARD: return snprintf(out, size, "a held lock must be released by the thread that took it");
    case BECAUSE_VA_LIST: return snprintf(out, size, "a 'va_list' names arguments on one thread's stack");
    default: return snprintf(out, size, "nothing is known of '%s'", type);
    }
}

const char *trait_reason_remedy(const struct trait_reason *r) {
    r = trait_reason_end(r);
    if (!r)
        return NULL;
    switch (r->because) {
    case BECAUSE_CELL: return "guard it with AGLET_GUARDED_BY, or make it _Atomic or const";
    case BECAUSE_OWNED_CELL: return "guard it with AGLET_GUARDED_BY";
    case BECAUSE_RAW: return "say AGLET_OWNED, AGLET_SHARED or const";
    case BECAUSE_VOID: return "give it its type, or mark the struct AGLET_TRUSTED_SEND";
    case BECAUSE_INCOMPLETE: return "analyse the file that defines it, or describe it in a model";
    case BECAUSE_COUNT: return "make the counter _Atomic";
    case BECAUSE_MARKED:
    case BECAUSE_MODEL: return "keep it on its thread and hand over what it is made from";
    case BECAUSE_GUARD: return "release the lock first, and let the other thread take it";
    case BECAUSE_VA_LIST: return "format the text first and hand over the text";
    default: return NULL;
    }
}

/* C's declarator syntax, outside in: what stands before the hole and what after it. */
int type_spelling(const struct unit *u, ir_type type, char *out, size_t size) {
    char inner[160] = "", next[160];
    for (unsigned depth = 0; depth < 40; depth++) {
        const struct ir_type_rec *rec = &u->types[type];
        const char *name = unit_str(u, rec->name);
        const char *tag = rec->flags & IR_TF_ANONYMOUS ? ""
                          : rec->kind == IR_T_STRUCT   ? "struct "
                          : rec->kind == IR_T_UNION    ? "union "
                          : rec->kind == IR_T_ENUM     ? "enum "
                                                       : "";
        switch ((enum ir_type_kind)rec->kind) {
        case IR_T_POINTER: snprintf(next, sizeof next, "*%.150s", inner); break;
        case IR_T_ARRAY: {
            const char *open = *inner == '*' ? "(" : "", *close = *inner == '*' ? ")" : "";
            if (rec->count)
                snprintf(next, sizeof next, "%s%.120s%s[%u]", open, inner, close, rec->count);
            else
                snprintf(next, sizeof next, "%s%.120s%s[]", open, inner, close);
            break;
        }
        case IR_T_FUNCTION: {
            const char *open = *inner == '*' ? "(" : "", *close = *inner == '*' ? ")" : "";
            snprintf(next, sizeof next, "%s%.120s%s(%s)", open, inner, close,
                     rec->params.count ? "..." : "void");
            break;
        }
        case IR_T_QUALIFIED: {
            uint32_t below = u->types[rec->elem].kind;
            const char *word = rec->flags & IR_TF_CONST      ? "const"
                               : rec->flags & IR_TF_VOLATILE ? "volatile"
                                                             : "restrict";
            if (below == IR_T_POINTER) {
                snprintf(next, sizeof next, "%s%s%.140s", word, *inner ? " " : "", inner);
                break;
            }
            char base[160];
            type_spelling(u, rec->elem, base, sizeof base);
            return snprintf(out, size, "%s %s%s%s", word, base, *inner ? " " : "", inner);
        }
        case IR_T_ATOMIC: {
            char base[160];
            type_spelling(u, rec->elem, base, sizeof base);
            return snprintf(out, size, "_Atomic(%s)%s%s", base, *inner ? " " : "", inner);
        }
        default:
            if (!*name)
                name = rec->kind == IR_T_VOID ? "void" : rec->kind == IR_T_VA_LIST ? "va_list" : "(unknown)";
            return snprintf(out, size, "%s%s%s%s", tag, name, *inner && *inner != '[' ? " " : "", inner);
        }
        memcpy(inner, next, sizeof inner);
        type = rec->elem;
    }
    return snprintf(out, size, "(deep type)");
}
