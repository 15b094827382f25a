/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Compiles model files to C tables: aglet-models-compile OUT.c FILE.yml…, run by the build; a mistake in a model stops it.
 * Stands on analyzer/program/models_read.h. Tables cost a run nothing, reading YAML at every plugin start would. */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include "program/models_read.h"

static void string(FILE *out, const char *s) {
    if (!s) {
        fputs("NULL", out);
        return;
    }
    putc('"', out);
    for (; *s; s++)
        if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if ((unsigned char)*s < ' ')
            fprintf(out, "\\%03o", (unsigned char)*s);
        else
            putc(*s, out);
    putc('"', out);
}

static void reference(FILE *out, const struct model_ref *ref) {
    fprintf(out, "{%u, %u, %lldLL, ", ref->root, ref->index, (long long)ref->value);
    string(out, ref->text);
    fputs("}, ", out);
}

static void function_effects(FILE *out, const struct model_set *set) {
    for (size_t i = 0; i < set->n_functions; i++) {
        const struct model_function *f = &set->functions[i];
        if (!f->n_effects)
            continue;
        fprintf(out, "static const struct model_effect effects_%zu[] = {\n", i);
        for (uint32_t j = 0; j < f->n_effects; j++) {
            const struct model_effect *e = &f->effects[j];
            fprintf(out, "    {%u, %u, ", e->kind, e->flags);
            reference(out, &e->a);
            reference(out, &e->b);
            reference(out, &e->c);
            fprintf(out, "{%d, %lldLL}, %lldLL, {%u, %u, %lldLL}, 0, 0},\n", (int)e->when.test,
                    (long long)e->when.value, (long long)e->also, e->only.test, e->only.index,
                    (long long)e->only.value);
        }
        fputs("};\n", out);
    }
}

static void tables(FILE *out, const struct model_set *set, uint64_t hash) {
    fputs("/* Made by aglet-models-compile from annotations/models; not to be edited. */\n"
          "#include \"program/models_shipped.h\"\n\n",
          out);
    function_effects(out, set);
    fputs("const struct model_function models_shipped_functions[] = {\n", out);
    for (size_t i = 0; i < set->n_functions; i++) {
        const struct model_function *f = &set->functions[i];
        fputs("    {", out);
        string(out, f->name);
        if (f->n_effects)
            fprintf(out, ", effects_%zu", i);
        else
            fputs(", NULL", out);
        fprintf(out, ", %u, %u, ", f->n_effects, f->flags);
        string(out, f->replacement);
        fputs(", ", out);
        string(out, f->why);
        fputs(", NULL},\n", out);
    }
    fprintf(out, "};\nconst size_t models_n_shipped_functions = %zu;\n", set->n_functions);
    fputs("const struct model_type models_shipped_types[] = {\n", out);
    for (size_t i = 0; i < set->n_types; i++) {
        const struct model_type *t = &set->types[i];
        fputs("    {", out);
        string(out, t->name);
        fprintf(out, ", %u, %u, %u, %u, ", t->flags, t->send, t->sync, t->frozen);
        string(out, t->why);
        fputs("},\n", out);
    }
    fprintf(out, "};\nconst size_t models_n_shipped_types = %zu;\n", set->n_types);
    fprintf(out, "const uint64_t models_shipped_hash = %lluULL;\n", (unsigned long long)hash);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fputs("usage: aglet-models-compile OUT.c FILE.yml...\n", stderr);
        return 2;
    }
    struct model_set set = {0};
    uint64_t hash = 1469598103934665603u; /* FNV-1a */
    for (int i = 2; i < argc; i++) {
        char err[512] = "";
        struct yaml_complaint c = {argv[i], err, sizeof err};
        size_t length = 0;
        char *text = read_whole_file(argv[i], &length, &c);
        if (!text || !model_read_text(&c, text, length, &set)) {
            fprintf(stderr, "aglet-models-compile: %s\n", err);
            return 2;
        }
        for (size_t j = 0; j < length; j++)
            hash = (hash ^ (unsigned char)text[j]) * 1099511628211u;
        free(text);
    }
    if (set.n_functions == 0 || set.n_types == 0) {
        fputs("aglet-models-compile: the files hold no functions or no types\n", stderr);
        return 2;
    }
    model_set_sort(&set);
    FILE *out = fopen(argv[1], "w");
    if (!out) {
        perror(argv[1]);
        return 2;
    }
    tables(out, &set, hash);
    model_set_free(&set);
    if (fclose(out) != 0) {
        perror(argv[1]);
        return 2;
    }
    return 0;
}
