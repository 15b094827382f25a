/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The build statements of ninja files, as far as they say what is linked out of what.
 * Stands on link_db.h and the syntax of ninja's manual: `build OUT…: RULE IN… | IMPLICIT || ORDER`, $-escapes, subninja. */
#include "link_db.h"
#include "files.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

struct manifest {
    struct link_db *db;
    const char *directory;            /* that ninja runs in */
    struct string_list names, values; /* variables at the top of the file */
};

static const char *value_of(const struct manifest *m, const char *name, size_t length) {
    for (size_t i = m->names.n; i-- > 0;)
        if (strlen(m->names.at[i]) == length && memcmp(m->names.at[i], name, length) == 0)
            return m->values.at[i];
    return "";
}

static bool in_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Undo the escapes of one word, up to a blank, ':' or '|' that is none; malloc'd, *at is moved behind it. path: blanks end it. */
static char *word(const struct manifest *m, const char **at, bool path) {
    char *out = xstrdup("");
    const char *s = *at;
    while (*s && !(path && strchr(" :|", *s))) {
        char *longer;
        if (*s != '$') {
            const size_t n = path ? strcspn(s, "$ :|") : strcspn(s, "$");
            longer = xasprintf("%s%.*s", out, (int)n, s);
            s += n;
        } else if (s[1] == '{' || in_name(s[1])) {
            const char *name = s + 1 + (s[1] == '{');
            size_t n = 0;
            while (in_name(name[n]) || (s[1] == '{' && name[n] == '.'))
                n++;
            longer = xasprintf("%s%s", out, value_of(m, name, n));
            s = name + n + (s[1] == '{' && name[n] == '}');
        } else {
            longer = xasprintf("%s%.1s", out, s + 1);
            s += s[1] ? 2 : 1;
        }
        free(out);
        out = longer;
    }
    *at = s;
    return out;
}

static const char *blanks(const char *s) {
    return s + strspn(s, " ");
}

static bool is_input(const char *path) {
    const char *so = strstr(path_base(path), ".so");
    return ends_with(path, ".o") || ends_with(path, ".a") || ends_with(path, ".lo") ||
           (so && (!so[3] || so[3] == '.'));
}

static void build(const struct manifest *m, const char *line) {
    struct string_list out = {0}, in = {0};
    bool objects = false;
    while (*(line = blanks(line)) && *line != ':' && *line != '|')
        strings_take(&out, word(m, &line, true));
    line = strchr(line, ':');
    char *rule = line ? (line = blanks(line + 1), word(m, &line, true)) : xstrdup("phony");
    while (line && *(line = blanks(line))) {
        if (line[0] == '|' && line[1] == '|')
            break;
        if (line[0] == '|' || line[0] == ':') {
            line++;
            continue;
        }
        char *path = word(m, &line, true);
        if (is_input(path)) {
            objects = objects || !ends_with(path, ".so");
            strings_take(&in, path_absolute(m->directory, path));
        }
        free(path);
    }
    if (objects && out.n && strcmp(rule, "phony") != 0 && strcmp(rule, "CUSTOM_COMMAND") != 0) {
        char *output = path_absolute(m->directory, out.at[0]);
        link_db_put(m->db, output, &in);
        free(output);
    }
    free(rule);
    strings_free(&out);
    strings_free(&in);
}

static void read_file(struct manifest *m, const char *path, int depth) {
    size_t size;
    char *text = depth < 16 ? file_read(path, &size) : NULL;
    if (!text)
        return;
    char *to = text;
    for (const char *from = text; *from; from++) { /* a line goes on behind "$\n", without its indentation */
        if (from[0] == '$' && from[1] == '\n')
            from = blanks(from + 2) - 1;
        else
            *to++ = *from;
    }
    *to = '\0';
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        const char *at = line;
        if (starts_with(line, "build ")) {
            build(m, line + 6);
        } else if (starts_with(line, "include ") || starts_with(line, "subninja ")) {
            at = blanks(strchr(line, ' '));
            char *name = word(m, &at, true), *full = path_absolute(m->directory, name);
            read_file(m, full, depth + 1);
            free(name);
            free(full);
        } else if (in_name(*line) && strchr(line, '=')) {
            const size_t n = strcspn(line, " =");
            at = blanks(strchr(line, '=') + 1);
            char *value = word(m, &at, false);
            strings_addf(&m->names, "%.*s", (int)n, line);
            strings_take(&m->values, value);
        }
    }
    free(text);
}

void link_db_ninja(struct link_db *db, const char *path) {
    char *directory = path_directory(path);
    struct manifest m = {.db = db, .directory = directory};
    read_file(&m, path, 0);
    strings_free(&m.names);
    strings_free(&m.values);
    free(directory);
}
