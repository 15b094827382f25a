/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reads `.aglet.yml` and answers questions about paths.
 * Stands on models_read.h for YAML with positions, base/glob.h for patterns. */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../base/alloc.h"
#include "../base/glob.h"
#include "models_read.h"

struct texts {
    char **items;
    size_t n;
};

/* One rule switched on or off. */
struct rule_switch {
    char *rule; /* "*" for all */
    bool on;
    yaml_mark_t at;
};

/* Settings of the whole file (match NULL) or of the paths that one pattern matches. */
struct section {
    struct texts match;
    int level; /* 0: not said */
    struct rule_switch *rules;
    size_t n_rules;
};

struct named_program {
    char *name;
    struct texts files;
};

struct config {
    char *path, *directory;
    struct section *sections; /* the first is the file's own; later ones win */
    size_t n_sections;
    struct texts excludes;
    struct named_program *programs;
    size_t n_programs;
    struct models *models;
    uint64_t hash;
};

/* What reading needs: the document, where complaints go, what is filled. */
struct reader {
    struct yaml_complaint *c;
    yaml_document_t *doc;
    struct config *config;
    char *err;
    size_t err_size;
};

static void free_texts(struct texts *t) {
    for (size_t i = 0; i < t->n; i++)
        free(t->items[i]);
    free(t->items);
}

static struct section *add_section(struct config *c) {
    c->sections = xrealloc(c->sections, (c->n_sections + 1) * sizeof *c->sections);
    memset(&c->sections[c->n_sections], 0, sizeof *c->sections);
    return &c->sections[c->n_sections++];
}

struct config *config_default(void) {
    struct config *c = xcalloc(1, sizeof *c);
    c->models = models_new();
    add_section(c);
    return c;
}

void config_free(struct config *c) {
    if (!c)
        return;
    for (size_t i = 0; i < c->n_sections; i++) {
        free_texts(&c->sections[i].match);
        for (size_t j = 0; j < c->sections[i].n_rules; j++)
            free(c->sections[i].rules[j].rule);
        free(c->sections[i].rules);
    }
    for (size_t i = 0; i < c->n_programs; i++) {
        free(c->programs[i].name);
        free_texts(&c->programs[i].files);
    }
    free(c->sections);
    free(c->programs);
    free_texts(&c->excludes);
    models_free(c->models);
    free(c->path);
    free(c->directory);
    free(c);
}

/* ---- reading ---- */

static bool add_text(struct reader *r, const yaml_node_t *node, struct texts *out) {
    const char *text = yaml_text(r->c, node, "a path pattern or name");
    if (!text)
        return false;
    if (!*text)
        return yaml_complain(r->c, node->start_mark, "a path pattern or name wanted here, not an empty text");
    out->items = xrealloc(out->items, (out->n + 1) * sizeof *out->items);
    out->items[out->n++] = xstrdup(text);
    return true;
}

/* One text, or a list of them. */
static bool read_texts(struct reader *r, const yaml_node_t *node, struct texts *out) {
    if (node->type == YAML_SCALAR_NODE)
        return add_text(r, node, out);
    if (node->type != YAML_SEQUENCE_NODE)
        return yaml_complain(r->c, node->start_mark, "a list of path patterns wanted here");
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++)
        if (!add_text(r, yaml_document_get_node(r->doc, *i), out))
            return false;
    return true;
}

static bool read_level(struct reader *r, const yaml_node_t *node, int *level) {
    const char *text = yaml_text(r->c, node, "'default' or 'strict'");
    if (!text)
        return false;
    if (strcmp(text, "default") == 0 || strcmp(text, "1") == 0)
        *level = 1;
    else if (strcmp(text, "strict") == 0 || strcmp(text, "2") == 0)
        *level = 2;
    else
        return yaml_complain(r->c, node->start_mark, "'%s' is no level: 'default' or 'strict'", text);
    return true;
}

static bool read_switch(struct reader *r, const yaml_node_t *key, const yaml_node_t *value,
                        struct section *s) {
    const char *rule = yaml_text(r->c, key, "a rule's name");
    const char *text = rule ? yaml_text(r->c, value, "'on' or 'off'") : NULL;
    if (!text)
        return false;
    bool on = strcmp(text, "on") == 0 || strcmp(text, "true") == 0;
    if (!on && strcmp(text, "off") != 0 && strcmp(text, "false") != 0)
        return yaml_complain(r->c, value->start_mark, "'%s' is neither 'on' nor 'off'", text);
    s->rules = xrealloc(s->rules, (s->n_rules + 1) * sizeof *s->rules);
    s->rules[s->n_rules++] = (struct rule_switch){xstrdup(rule), on, key->start_mark};
    return true;
}

static bool read_rules(struct reader *r, const yaml_node_t *node, struct section *s) {
    if (node->type != YAML_MAPPING_NODE)
        return yaml_complain(r->c, node->start_mark, "under 'rules' stand rule names with 'on' or 'off'");
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++)
        if (!read_switch(r, yaml_document_get_node(r->doc, p->key), yaml_document_get_node(r->doc, p->value),
                         s))
            return false;
    return true;
}

static bool read_section(struct reader *r, const yaml_node_t *node) {
    if (node->type != YAML_MAPPING_NODE)
        return yaml_complain(r->c, node->start_mark, "an entry of 'paths' has 'match' and what is set there");
    struct section *s = add_section(r->config);
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        yaml_node_t *key = yaml_document_get_node(r->doc, p->key),
                    *value = yaml_document_get_node(r->doc, p->value);
        const char *word = yaml_text(r->c, key, "'match', 'level' or 'rules'");
        if (!word)
            return false;
        bool ok = strcmp(word, "match") == 0   ? read_texts(r, value, &s->match)
                  : strcmp(word, "level") == 0 ? read_level(r, value, &s->level)
                  : strcmp(word, "rules") == 0
                      ? read_rules(r, value, s)
                      : yaml_complain(r->c, key->start_mark,
                                      "'%s' is no key of a 'paths' entry: 'match', 'level' or 'rules'", word);
        if (!ok)
            return false;
    }
    if (!s->match.n)
        return yaml_complain(r->c, node->start_mark, "this entry of 'paths' has no 'match'");
    return true;
}

static bool read_sections(struct reader *r, const yaml_node_t *node) {
    if (node->type != YAML_SEQUENCE_NODE)
        return yaml_complain(r->c, node->start_mark, "under 'paths' stands a list of entries with 'match'");
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++)
        if (!read_section(r, yaml_document_get_node(r->doc, *i)))
            return false;
    return true;
}

static bool read_models(struct reader *r, const yaml_node_t *node) {
    struct texts files = {0};
    bool ok = read_texts(r, node, &files);
    for (size_t i = 0; ok && i < files.n; i++) {
        char *path = files.items[i][0] == '/' ? xstrdup(files.items[i])
                                              : xasprintf("%s/%s", r->config->directory, files.items[i]);
        ok = models_add_file(r->config->models, path, r->err, r->err_size);
        free(path);
    }
    free_texts(&files);
    return ok;
}

static bool read_programs(struct reader *r, const yaml_node_t *node) {
    if (node->type != YAML_MAPPING_NODE)
        return yaml_complain(r->c, node->start_mark, "under 'programs' stand names with the files of each");
    struct config *c = r->config;
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        const char *name = yaml_text(r->c, yaml_document_get_node(r->doc, p->key), "a program's name");
        if (!name)
            return false;
        c->programs = xrealloc(c->programs, (c->n_programs + 1) * sizeof *c->programs);
        struct named_program *program = &c->programs[c->n_programs++];
        *program = (struct named_program){xstrdup(name), {0}};
        if (!read_texts(r, yaml_document_get_node(r->doc, p->value), &program->files))
            return false;
    }
    return true;
}

/* The file's own functions and types, once the model files are in. */
static bool read_own_models(struct reader *r, const yaml_node_t *functions, const yaml_node_t *types) {
    return models_add_nodes(r->config->models, r->c, r->doc, functions, types);
}

static bool read_root(struct reader *r, const yaml_node_t *root) {
    const yaml_node_t *functions = NULL, *types = NULL;
    if (root->type != YAML_MAPPING_NODE)
        return yaml_complain(r->c, root->start_mark,
                             "the file has keys such as 'level', 'rules' and 'exclude'");
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top; p++) {
        yaml_node_t *key = yaml_document_get_node(r->doc, p->key),
                    *value = yaml_document_get_node(r->doc, p->value);
        const char *word = yaml_text(r->c, key, "a key such as 'level'");
        bool ok = word != NULL;
        if (!ok || strcmp(word, "level") == 0)
            ok = ok && read_level(r, value, &r->config->sections[0].level);
        else if (strcmp(word, "rules") == 0)
            ok = read_rules(r, value, &r->config->sections[0]);
        else if (strcmp(word, "exclude") == 0)
            ok = read_texts(r, value, &r->config->excludes);
        else if (strcmp(word, "paths") == 0)
            ok = read_sections(r, value);
        else if (strcmp(word, "models") == 0)
            ok = read_models(r, value);
        else if (strcmp(word, "programs") == 0)
            ok = read_programs(r, value);
        else if (strcmp(word, "functions") == 0)
            functions = value;
        else if (strcmp(word, "types") == 0)
            types = value;
        else
            ok = yaml_complain(r->c, key->start_mark,
                               "'%s' is no key of .aglet.yml: level, rules, exclude, paths, models, "
                               "functions, types, programs",
                               word);
        if (!ok)
            return false;
    }
    return read_own_models(r, functions, types);
}

static char *directory_of(const char *path) {
    char full[PATH_MAX];
    if (!realpath(path, full))
        return xstrdup(".");
    char *slash = strrchr(full, '/');
    *(slash == full ? slash + 1 : slash) = '\0';
    return xstrdup(full);
}

struct config *config_read(const char *path, char *err, size_t err_size) {
    if (err_size)
        err[0] = '\0';
    struct yaml_complaint c = {path, err, err_size};
    size_t length = 0;
    char *text = read_whole_file(path, &length, &c);
    yaml_document_t doc;
    if (!text || !yaml_load_text(&c, text, length, &doc)) {
        free(text);
        return NULL;
    }
    struct config *config = config_default();
    config->path = xstrdup(path);
    config->directory = directory_of(path);
    config->hash = 1469598103934665603u; /* FNV-1a */
    for (size_t i = 0; i < length; i++)
        config->hash = (config->hash ^ (unsigned char)text[i]) * 1099511628211u;
    struct reader r = {&c, &doc, config, err, err_size};
    yaml_node_t *root = yaml_document_get_root_node(&doc);
    if (root && !read_root(&r, root)) {
        config_free(config);
        config = NULL;
    }
    yaml_document_delete(&doc);
    free(text);
    return config;
}

char *config_find(const char *directory) {
    char full[PATH_MAX];
    if (!realpath(directory, full))
        return NULL;
    for (;;) {
        char *slash = strrchr(full, '/');
        char *path = xasprintf("%s/.aglet.yml", strcmp(full, "/") == 0 ? "" : full);
        if (access(path, F_OK) == 0)
            return path;
        free(path);
        if (!slash || strcmp(full, "/") == 0)
            return NULL;
        *(slash == full ? slash + 1 : slash) = '\0';
    }
}

/* ---- asking ---- */

const char *config_path(const struct config *c) {
    return c->path;
}

const char *config_directory(const struct config *c) {
    return c->directory;
}

static const char *relative(const struct config *c, const char *path) {
    size_t n = c->directory ? strlen(c->directory) : 0;
    if (n > 1 && strncmp(path, c->directory, n) == 0 && path[n] == '/')
        return path + n + 1;
    return n == 1 && *path == '/' ? path + 1 : path;
}

static bool matches(const struct config *c, const struct texts *patterns, const char *path) {
    const char *short_path = relative(c, path);
    for (size_t i = 0; i < patterns->n; i++)
        if (glob_match(patterns->items[i], patterns->items[i][0] == '/' ? path : short_path))
            return true;
    return false;
}

static bool applies(const struct config *c, const struct section *s, const char *path) {
    return s == c->sections || matches(c, &s->match, path);
}

int config_level(const struct config *c, const char *path) {
    for (size_t i = c->n_sections; i-- > 0;)
        if (c->sections[i].level && applies(c, &c->sections[i], path))
            return c->sections[i].level;
    return 1;
}

bool config_excluded(const struct config *c, const char *path) {
    return matches(c, &c->excludes, path);
}

bool config_rule_on(const struct config *c, const char *rule, const char *path) {
    for (size_t i = c->n_sections; i-- > 0;) {
        const struct section *s = &c->sections[i];
        if (!s->n_rules || !applies(c, s, path))
            continue;
        for (size_t j = s->n_rules; j-- > 0;)
            if (strcmp(s->rules[j].rule, rule) == 0 || strcmp(s->rules[j].rule, "*") == 0)
                return s->rules[j].on;
    }
    return true;
}

bool config_check_rules(const struct config *c, bool (*known)(const char *rule), char *err, size_t err_size) {
    if (err_size)
        err[0] = '\0';
    struct yaml_complaint complaint = {c->path ? c->path : "", err, err_size};
    for (size_t i = 0; i < c->n_sections; i++)
        for (size_t j = 0; j < c->sections[i].n_rules; j++) {
            const struct rule_switch *s = &c->sections[i].rules[j];
            if (strcmp(s->rule, "*") != 0 && !known(s->rule))
                return yaml_complain(&complaint, s->at, "'%s' is no rule; `aglet rules` lists them", s->rule);
        }
    return true;
}

const struct models *config_models(const struct config *c) {
    return c->models;
}

size_t config_n_programs(const struct config *c) {
    return c->n_programs;
}

const char *config_program_name(const struct config *c, size_t i) {
    return c->programs[i].name;
}

bool config_in_program(const struct config *c, size_t i, const char *path) {
    return matches(c, &c->programs[i].files, path);
}

uint64_t config_hash(const struct config *c) {
    return c->hash ^ models_hash(c->models) * 31;
}
