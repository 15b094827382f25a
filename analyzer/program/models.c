/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Looks models up by name: the user's first, then the shipped ones.
 * Stands on models_read.h and on the tables that the build compiles from annotations/models (models_shipped). */
#include "models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../base/alloc.h"
#include "models_read.h"
#include "models_shipped.h"

struct models {
    struct model_set own; /* sorted by name; looked at before the shipped tables */
    uint64_t hash;
};

const struct models *models_builtin(void) {
    static const struct models none;
    return &none;
}

struct models *models_new(void) {
    return xcalloc(1, sizeof(struct models));
}

void models_free(struct models *m) {
    if (!m)
        return;
    model_set_free(&m->own);
    free(m);
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t n) {
    const unsigned char *p = bytes;
    if (!hash)
        hash = 1469598103934665603u; /* FNV-1a, 64 bits */
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    return hash;
}

bool models_add(struct models *m, const char *name, const char *text, size_t length, char *err,
                size_t err_size) {
    if (err_size)
        err[0] = '\0';
    struct yaml_complaint c = {name, err, err_size};
    struct model_set trial = {0};
    bool ok = model_read_text(&c, text, length, &trial);
    model_set_free(&trial);
    if (!ok)
        return false;
    model_read_text(&c, text, length, &m->own); /* known to be right: nothing is left half added */
    model_set_sort(&m->own);
    m->hash = mix(m->hash, text, length);
    return true;
}

bool models_add_nodes(struct models *m, struct yaml_complaint *c, yaml_document_t *doc,
                      const yaml_node_t *functions, const yaml_node_t *types) {
    bool ok = (!functions || model_read_functions(c, doc, functions, &m->own)) &&
              (!types || model_read_types(c, doc, types, &m->own));
    model_set_sort(&m->own);
    return ok;
}

bool models_add_file(struct models *m, const char *path, char *err, size_t err_size) {
    if (err_size)
        err[0] = '\0';
    struct yaml_complaint c = {path, err, err_size};
    size_t length = 0;
    char *text = read_whole_file(path, &length, &c);
    bool ok = text && models_add(m, path, text, length, err, err_size);
    free(text);
    return ok;
}

static int function_name(const void *name, const void *f) {
    return strcmp(name, ((const struct model_function *)f)->name);
}

static int type_name(const void *name, const void *t) {
    return strcmp(name, ((const struct model_type *)t)->name);
}

static const struct model_function *find_exactly(const struct models *m, const char *name) {
    if (m->own.n_functions) {
        const struct model_function *f =
            bsearch(name, m->own.functions, m->own.n_functions, sizeof *m->own.functions, function_name);
        if (f)
            return f;
    }
    return bsearch(name, models_shipped_functions, models_n_shipped_functions,
                   sizeof *models_shipped_functions, function_name);
}

/* The compiler's and the fortified spellings are the function itself: __builtin_memcpy, __builtin___memcpy_chk, __memcpy_chk
 * (whose extra argument, the object's size, comes last). */
const struct model_function *models_find(const struct models *m, const char *name) {
    const struct model_function *f = find_exactly(m, name);
    if (f || strncmp(name, "__", 2) != 0)
        return f;
    char plain[128];
    const char *start = strncmp(name, "__builtin_", 10) == 0 ? name + 10 : name;
    size_t n = strlen(start);
    if (n >= sizeof plain)
        return NULL;
    if (n > 6 && strncmp(start, "__", 2) == 0 && strcmp(start + n - 4, "_chk") == 0 &&
        !strstr(start, "printf")) {
        start += 2;
        n -= 6;
    } else if (start == name) {
        return NULL;
    }
    memcpy(plain, start, n);
    plain[n] = '\0';
    return find_exactly(m, plain);
}

const struct model_type *models_find_type(const struct models *m, const char *name) {
    if (m->own.n_types) {
        const struct model_type *t =
            bsearch(name, m->own.types, m->own.n_types, sizeof *m->own.types, type_name);
        if (t)
            return t;
    }
    return bsearch(name, models_shipped_types, models_n_shipped_types, sizeof *models_shipped_types,
                   type_name);
}

const struct model_type *models_find_ir_type(const struct models *m, const struct unit *u, ir_type t) {
    for (unsigned depth = 0; t && depth < 1000; depth++) {
        const struct ir_type_rec *rec = &u->types[t];
        const struct model_type *found = NULL;
        if (rec->kind == IR_T_TYPEDEF) {
            found = models_find_type(m, unit_str(u, rec->name));
        } else if (rec->kind == IR_T_STRUCT || rec->kind == IR_T_UNION) {
            char name[256] = "struct ";
            const char *tag = unit_str(u, rec->name);
            const size_t n = strlen(tag), at = rec->kind == IR_T_STRUCT ? 7 : 6;
            if (rec->kind == IR_T_UNION)
                memcpy(name, "union ", at);
            if (n < sizeof name - at)
                memcpy(name + at, tag, n + 1);
            found = n < sizeof name - at ? models_find_type(m, name) : NULL;
            if (!found && (rec->flags & IR_TF_ANONYMOUS))
                found = models_find_type(m, tag); /* named by its typedef */
        }
        if (found)
            return found;
        if (rec->kind != IR_T_TYPEDEF && rec->kind != IR_T_QUALIFIED)
            return NULL;
        t = rec->elem;
    }
    return NULL;
}

uint64_t models_hash(const struct models *m) {
    return models_shipped_hash ^ m->hash;
}
