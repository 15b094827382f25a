/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The words of the text form and the types it leaves unsaid.
 * Stands on unit.h. */
#include "text_words.h"
#include <string.h>

const struct word file_words[] = {{"system", IR_FILE_SYSTEM}, {"main", IR_FILE_MAIN}, {NULL, 0}};

const struct word type_words[] = {
    {"unsigned", IR_TF_UNSIGNED}, {"incomplete", IR_TF_INCOMPLETE}, {"anonymous", IR_TF_ANONYMOUS},
    {"packed", IR_TF_PACKED},     {"const", IR_TF_CONST},           {"volatile", IR_TF_VOLATILE},
    {"restrict", IR_TF_RESTRICT}, {"variadic", IR_TF_VARIADIC},     {NULL, 0}};

const struct word annot_words[] = {{"clang", IR_AF_CLANG}, {"model", IR_AF_MODEL}, {NULL, 0}};

const struct word var_words[] = {{"static", IR_VF_STATIC},
                                 {"defined", IR_VF_DEFINED},
                                 {"tls", IR_VF_TLS},
                                 {"cleanup", IR_VF_CLEANUP},
                                 {"addressed", IR_VF_ADDRESSED},
                                 {"vla", IR_VF_VLA},
                                 {NULL, 0}};

const struct word func_words[] = {{"static", IR_FF_STATIC},
                                  {"inline", IR_FF_INLINE},
                                  {"noreturn", IR_FF_NORETURN},
                                  {"variadic", IR_FF_VARIADIC},
                                  {"system", IR_FF_SYSTEM},
                                  {"initialisers", IR_FF_INITIALISERS},
                                  {"weak", IR_FF_WEAK},
                                  {"must_check", IR_FF_MUST_CHECK},
                                  {"constructor", IR_FF_CONSTRUCTOR},
                                  {"pure", IR_FF_PURE},
                                  {NULL, 0}};

const struct word event_words[] = {{"init", IR_SF_INIT},           {"compound", IR_SF_COMPOUND},
                                   {"aggregate", IR_SF_AGGREGATE}, {"cleanup", IR_SF_CLEANUP},
                                   {"unused", IR_SF_UNUSED},       {"void", IR_SF_VOID_CAST},
                                   {"clobbers", IR_SF_CLOBBERS},   {"volatile", IR_SF_VOLATILE},
                                   {"weak", IR_SF_WEAK},           {NULL, 0}};

const struct word annot_kind_words[] = {{"none", IR_A_NONE},
#define AGLET_ANNOTATION(name, ...) {#name, IR_A_##name},
#include "annotations.def"
#undef AGLET_ANNOTATION
                                        {"unknown", IR_A_UNKNOWN},
                                        {NULL, 0}};

const struct word atomic_words[] = {
    {"load", IR_AT_LOAD},         {"store", IR_AT_STORE},
    {"exchange", IR_AT_EXCHANGE}, {"compare_exchange", IR_AT_COMPARE_EXCHANGE},
    {"rmw", IR_AT_RMW},           {"fence", IR_AT_FENCE},
    {"init", IR_AT_INIT},         {NULL, 0}};

const struct word order_words[] = {{"relaxed", 0}, {"consume", 1}, {"acquire", 2}, {"release", 3},
                                   {"acq_rel", 4}, {"seq_cst", 5}, {NULL, 0}};

const struct word note_words[] = {
    {"none", IR_N_NONE}, {"error", IR_N_ERROR}, {"incomplete", IR_N_INCOMPLETE}, {NULL, 0}};

const struct word unary_words[] = {{"-", IR_U_NEG}, {"~", IR_U_NOT}, {"!", IR_U_LNOT}, {NULL, 0}};

const struct word binary_words[] = {
    {"+", IR_B_ADD},  {"-", IR_B_SUB}, {"*", IR_B_MUL}, {"/", IR_B_DIV}, {"%", IR_B_REM}, {"<<", IR_B_SHL},
    {">>", IR_B_SHR}, {"&", IR_B_AND}, {"|", IR_B_OR},  {"^", IR_B_XOR}, {"==", IR_B_EQ}, {"!=", IR_B_NE},
    {"<", IR_B_LT},   {"<=", IR_B_LE}, {">", IR_B_GT},  {">=", IR_B_GE}, {NULL, 0}};

uint32_t word_value(const struct word *table, const char *text, size_t length) {
    for (; table->text; table++)
        if (!strncmp(table->text, text, length) && !table->text[length])
            return table->value;
    return UINT32_MAX;
}

const char *word_text(const struct word *table, uint32_t value) {
    for (; table->text; table++)
        if (table->value == value)
            return table->text;
    return NULL;
}

static bool is_listed(const char *const *list, const char *text, size_t length) {
    for (; *list; list++)
        if (!strncmp(*list, text, length) && !(*list)[length])
            return true;
    return false;
}

bool name_needs_quotes(const char *name) {
    /* What starts a line, an expression or a type. */
    static const char *const reserved[] = {
        "struct",   "union",   "enum",   "func",    "local",    "static",   "temp",        "begin",
        "end",      "eval",    "call",   "atomic",  "asm",      "va",       "goto",        "if",
        "else",     "switch",  "case",   "default", "indirect", "return",   "unreachable", "unknown",
        "floating", "label",   "init",   "zeroed",  "null",     "load",     "place",       "as",
        "void",     "va_list", "vector", "const",   "volatile", "restrict", "_Atomic",     NULL};
    const char *s = name;
    if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_' || *s == '$'))
        return true;
    while ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '_' ||
           *s == '$')
        s++;
    if (*s)
        return true;
    size_t length = (size_t)(s - name);
    return is_listed(reserved, name, length) || is_builtin_word(name, length) ||
           word_value(func_words, name, length) != UINT32_MAX;
}

static const struct builtin builtins[] = {
    {"_Bool", IR_T_INT, 1, IR_TF_UNSIGNED},
    {"bool", IR_T_INT, 1, IR_TF_UNSIGNED},
    {"char", IR_T_INT, 1, 0},
    {"signed char", IR_T_INT, 1, 0},
    {"unsigned char", IR_T_INT, 1, IR_TF_UNSIGNED},
    {"short", IR_T_INT, 2, 0},
    {"unsigned short", IR_T_INT, 2, IR_TF_UNSIGNED},
    {"int", IR_T_INT, 4, 0},
    {"unsigned int", IR_T_INT, 4, IR_TF_UNSIGNED},
    {"long", IR_T_INT, 8, 0},
    {"unsigned long", IR_T_INT, 8, IR_TF_UNSIGNED},
    {"long long", IR_T_INT, 8, 0},
    {"unsigned long long", IR_T_INT, 8, IR_TF_UNSIGNED},
    {"__int128", IR_T_INT, 16, 0},
    {"unsigned __int128", IR_T_INT, 16, IR_TF_UNSIGNED},
    {"float", IR_T_FLOAT, 4, 0},
    {"double", IR_T_FLOAT, 8, 0},
    {"long double", IR_T_FLOAT, 16, 0},
};

const struct builtin *builtin_named(const char *name) {
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (!strcmp(builtins[i].name, name))
            return &builtins[i];
    return NULL;
}

bool is_builtin_word(const char *text, size_t length) {
    static const char *const words[] = {"_Bool", "bool", "char",  "signed", "unsigned", "short",
                                        "int",   "long", "float", "double", "__int128", NULL};
    return is_listed(words, text, length);
}

ir_type type_core(const struct unit *u, ir_type t) {
    for (uint32_t i = 0; i < IR_MAX_TYPE_DEPTH; i++) {
        uint32_t kind = u->types[t].kind;
        if (kind != IR_T_TYPEDEF && kind != IR_T_QUALIFIED && kind != IR_T_ATOMIC)
            return t;
        t = u->types[t].elem;
    }
    return 0;
}

static ir_type pointee(const struct unit *u, ir_type t) {
    t = type_core(u, t);
    uint32_t kind = u->types[t].kind;
    return kind == IR_T_POINTER || kind == IR_T_ARRAY ? u->types[t].elem : 0;
}

/* A member of a const struct is const. */
static struct inferred field_type(const struct unit *u, ir_type holder, ir_type field) {
    uint32_t flags = 0;
    for (uint32_t i = 0; i < IR_MAX_TYPE_DEPTH; i++) {
        uint32_t kind = u->types[holder].kind;
        if (kind == IR_T_QUALIFIED)
            flags |= u->types[holder].flags & (IR_TF_CONST | IR_TF_VOLATILE);
        if (kind != IR_T_TYPEDEF && kind != IR_T_QUALIFIED && kind != IR_T_ATOMIC)
            break;
        holder = u->types[holder].elem;
    }
    if (!flags)
        return (struct inferred){INFER_SAME, field, 0, NULL};
    if (u->types[field].kind == IR_T_QUALIFIED)
        return (struct inferred){INFER_QUALIFIED, u->types[field].elem, flags | u->types[field].flags, NULL};
    return (struct inferred){INFER_QUALIFIED, field, flags, NULL};
}

struct inferred infer_type(const struct unit *u, const struct ir_expr_rec *e) {
#define BUILTIN(name) ((struct inferred){INFER_BUILTIN, 0, 0, name})
#define SAME(t) ((struct inferred){INFER_SAME, (t), 0, NULL})
#define POINTER(t) ((struct inferred){INFER_POINTER_TO, (t), 0, NULL})
    ir_type t;
    switch (e->op) {
    case IR_E_CONST: return BUILTIN("int");
    case IR_E_FLOAT: return BUILTIN("double");
    case IR_E_STRING: return (struct inferred){INFER_POINTER_TO_BUILTIN, 0, 0, "char"};
    case IR_E_LABEL: return (struct inferred){INFER_POINTER_TO_BUILTIN, 0, 0, "void"};
    case IR_E_FUNC: return SAME(u->funcs[e->a].type);
    case IR_E_VAR: return SAME(u->vars[e->a].type);
    case IR_E_FIELD: return field_type(u, u->exprs[e->a].type, u->fields[e->b].type);
    case IR_E_DEREF:
    case IR_E_INDEX: return SAME(pointee(u, u->exprs[e->a].type));
    case IR_E_LOAD: /* a value has no qualifiers */
        t = u->exprs[e->a].type;
        for (uint32_t i = 0;
             i < IR_MAX_TYPE_DEPTH && (u->types[t].kind == IR_T_QUALIFIED || u->types[t].kind == IR_T_ATOMIC);
             i++)
            t = u->types[t].elem;
        return SAME(t);
    case IR_E_ADDR:
        t = u->exprs[e->a].type;
        return POINTER(u->types[type_core(u, t)].kind == IR_T_ARRAY ? pointee(u, t) : t);
    case IR_E_UNARY: return e->b == IR_U_LNOT ? BUILTIN("int") : SAME(u->exprs[e->a].type);
    case IR_E_BINARY:
        if (e->c >= IR_B_EQ)
            return BUILTIN("int");
        return SAME(
            u->exprs[pointee(u, u->exprs[e->b].type) && !pointee(u, u->exprs[e->a].type) ? e->b : e->a].type);
    default: return SAME(0);
    }
#undef BUILTIN
#undef SAME
#undef POINTER
}
