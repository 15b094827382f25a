/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What `.aglet.yml` says: levels, rules and excludes by path, the user's models, lock wrappers, programs.
 * Stands on models.h; read with libyaml. docs/config.md describes the file. */
#ifndef AGLET_PROGRAM_CONFIG_H
#define AGLET_PROGRAM_CONFIG_H

#include "models.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A configuration; immutable once read. */
struct config;

/* The configuration that says nothing: level 1, every rule, nothing excluded, the shipped models. Owned by the caller. */
struct config *config_default(void);
/* Read one file, and the model files it names (relative to it).
 * Returns  NULL with "path:line:column: what" in err when it cannot be read or is malformed. */
struct config *config_read(const char *path, char *err, size_t err_size);
/* The nearest `.aglet.yml` in `directory` or above it: its path, malloc'd, or NULL when there is none. */
char *config_find(const char *directory);
void config_free(struct config *c); /* NULL is fine */

/* Where it was read from, or NULL for the default; and the directory that its patterns are relative to. */
const char *config_path(const struct config *c);
const char *config_directory(const struct config *c);

/* Paths below are absolute, or relative to config_directory. The last entry that matches wins. */
int config_level(const struct config *c, const char *path); /* 1 or 2 */
bool config_excluded(const struct config *c, const char *path);
bool config_rule_on(const struct config *c, const char *rule, const char *path);

/* Is every rule named in it one that `known` knows? Else false with "path:line:column: …" in err. "*" stands for all. */
bool config_check_rules(const struct config *c, bool (*known)(const char *rule), char *err, size_t err_size);

/* The models: the shipped, then `models:` files, then the file's own `functions:` and `types:`. */
const struct models *config_models(const struct config *c);

/* A named program: the files that are linked into it (globs). No programs at all: everything analysed is one. */
size_t config_n_programs(const struct config *c);
const char *config_program_name(const struct config *c, size_t i);
bool config_in_program(const struct config *c, size_t i, const char *path);

/* A hash of everything it says (and of its models), for cache keys. */
uint64_t config_hash(const struct config *c);

#ifdef __cplusplus
}
#endif
#endif
