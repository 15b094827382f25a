/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Shell quoting undone and done, response files. Stands on files.h. */
#include "shell_words.h"
#include "files.h"
#include "base/alloc.h"
#include <stdlib.h>
#include <string.h>

bool shell_words(const char *line, struct string_list *out) {
    char *word = xmalloc(strlen(line) + 1);
    size_t n = 0;
    bool in_word = false;
    char quote = 0;
    for (const char *p = line; *p; p++) {
        if (quote == '\'') {
            if (*p == '\'')
                quote = 0;
            else
                word[n++] = *p;
        } else if (*p == '\\' && p[1] && (!quote || strchr("\"\\$`\n", p[1]))) {
            in_word = true;
            if (*++p != '\n')
                word[n++] = *p;
        } else if (quote) {
            if (*p == '"')
                quote = 0;
            else
                word[n++] = *p;
        } else if (*p == '\'' || *p == '"') {
            quote = *p;
            in_word = true;
        } else if (strchr(" \t\n\r", *p)) {
            if (in_word)
                strings_take(out, xstrndup(word, n));
            in_word = false;
            n = 0;
        } else {
            word[n++] = *p;
            in_word = true;
        }
    }
    if (in_word && !quote)
        strings_take(out, xstrndup(word, n));
    free(word);
    return !quote;
}

char *shell_quote(const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
    if (*word && strspn(word, plain) == strlen(word))
        return xstrdup(word);
    char *out = xmalloc(strlen(word) * 4 + 3);
    size_t n = 0;
    out[n++] = '\'';
    for (const char *p = word; *p; p++) {
        if (*p == '\'') {
            memcpy(out + n, "'\\''", 4);
            n += 4;
        } else {
            out[n++] = *p;
        }
    }
    out[n++] = '\'';
    out[n] = '\0';
    return out;
}

static void expand(struct string_list *args, const char *directory, int depth) {
    for (size_t i = 0; i < args->n; i++) {
        if (args->at[i][0] != '@' || depth == 0)
            continue;
        char *path = path_absolute(directory, args->at[i] + 1);
        size_t size;
        char *text = file_read(path, &size);
        struct string_list words = {0};
        if (text && shell_words(text, &words)) {
            expand(&words, directory, depth - 1);
            strings_remove(args, i, 1);
            for (size_t w = 0; w < words.n; w++)
                strings_insert(args, i + w, words.at[w]);
            i += words.n;
            i--;
        }
        strings_free(&words);
        free(text);
        free(path);
    }
}

void expand_response_files(struct string_list *args, const char *directory) {
    expand(args, directory, 8);
}
