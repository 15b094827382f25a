/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* libFuzzer: any bytes as the text inside a lock annotation, on a field and on a function of a small unit.
 * Sources program/lock_expr.c program/lock_expr_names.c program/lock_path.c program/lock_expr_parse.c
 * Stands on program/lock_expr.h and the builder. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "ir/builder.h"
#include "program/lock_expr.h"

static struct unit *u;
static ir_field field;
static ir_func func;

/* struct s { int mu; struct s *s; int a[4]; };  struct s *f(struct s *m); */
static void make_unit(void) {
    struct unit_builder *b = unit_builder_new();
    ir_type i = build_type_reserve(b), s = build_type_reserve(b), p = build_type_reserve(b), a = build_type_reserve(b),
            f = build_type_reserve(b);
    build_type_define(b, i, &(struct ir_type_rec){.kind = IR_T_INT, .name = build_str(b, "int", 3)});
    build_type_define(b, p, &(struct ir_type_rec){.kind = IR_T_POINTER, .elem = s});
    build_type_define(b, a, &(struct ir_type_rec){.kind = IR_T_ARRAY, .elem = s, .count = 4});
    struct ir_field_rec members[] = {{.name = build_str(b, "mu", 2), .type = i},
                                     {.name = build_str(b, "s", 1), .type = p},
                                     {.name = build_str(b, "a", 1), .type = p}};
    struct ir_range fields = build_fields(b, s, members, 3);
    build_type_define(b, s, &(struct ir_type_rec){.kind = IR_T_STRUCT, .name = build_str(b, "s", 1), .fields = fields});
    build_type_define(b, f, &(struct ir_type_rec){.kind = IR_T_FUNCTION, .elem = p, .params = build_type_refs(b, &p, 1)});
    build_global(b, &(struct ir_var_rec){.kind = IR_V_GLOBAL, .name = build_str(b, "t", 1), .type = a});
    func = build_function(b, &(struct ir_func_rec){.name = build_str(b, "f", 1), .type = f},
                          &(struct ir_var_rec){.kind = IR_V_PARAM, .name = build_str(b, "m", 1), .type = p}, 1);
    field = fields.first;
    u = unit_builder_finish(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!u)
        make_unit();
    for (int i = 0; i < 2; i++) {
        struct lock_context c = lock_context_of(u, i ? LOCK_IN_FUNCTION : LOCK_IN_FIELD, i ? func : field);
        struct arena arena = {0};
        struct lock_path path;
        const char *why = NULL;
        char text[64];
        switch (lock_expr_resolve(&c, &arena, (const char *)data, size, &path, &why)) {
        case LOCK_RESOLVED:
            lock_path_print(&path, "s->", text, sizeof text);
            if (!lock_path_equal(&path, &path))
                abort();
            break;
        case LOCK_PENDING:
        case LOCK_WRONG:
            if (!why || !*why)
                abort();
        }
        arena_free(&arena);
    }
    return 0;
}
