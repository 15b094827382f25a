/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* How the text of a model becomes tables: the reader shared by model files, `.aglet.yml` and the build's compiler of the shipped models.
 * Stands on models.h and libyaml. docs/models.md describes the words. */
#ifndef AGLET_PROGRAM_MODELS_READ_H
#define AGLET_PROGRAM_MODELS_READ_H

#include <yaml.h>
#include "models.h"

/* What was read. A zeroed set is empty. Its strings and effects belong to it. */
struct model_set {
    struct model_function *functions;
    size_t n_functions, cap_functions;
    struct model_type *types;
    size_t n_types, cap_types;
    void **blocks; /* every string and effect list, freed with the set */
    size_t n_blocks, cap_blocks;
};
void model_set_free(struct model_set *set); /* what it holds, not itself */
/* Sort by name. Of several entries of one name the last one added stays. */
void model_set_sort(struct model_set *set);

/* Where complaints go: the first one is kept. */
struct yaml_complaint {
    const char *name; /* of the file, for messages */
    char *err;
    size_t err_size;
};
/* Write "name:line:column: message" unless one is there. Always returns false, so callers can return it. */
bool yaml_complain(struct yaml_complaint *c, yaml_mark_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Load one document. The caller deletes it. An empty text is a document with no root. */
bool yaml_load_text(struct yaml_complaint *c, const char *text, size_t length, yaml_document_t *doc);
/* The whole file, malloc'd and NUL-terminated, or NULL with a sentence in c->err. */
char *read_whole_file(const char *path, size_t *length, struct yaml_complaint *c);
/* The scalar's text, or NULL with a complaint that names `what` was wanted. */
const char *yaml_text(struct yaml_complaint *c, const yaml_node_t *node, const char *what);

/* Read the mapping under `functions:` or `types:`. */
bool model_read_functions(struct yaml_complaint *c, yaml_document_t *doc, const yaml_node_t *node,
                          struct model_set *set);
bool model_read_types(struct yaml_complaint *c, yaml_document_t *doc, const yaml_node_t *node,
                      struct model_set *set);
/* Add the mappings under `functions:` and `types:` (each may be NULL) of an open document to m. */
bool models_add_nodes(struct models *m, struct yaml_complaint *c, yaml_document_t *doc,
                      const yaml_node_t *functions, const yaml_node_t *types);
/* Read a whole model file: those two keys and no other. */
bool model_read_text(struct yaml_complaint *c, const char *text, size_t length, struct model_set *set);

#endif
