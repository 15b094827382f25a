/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Reading AGLET_OPTIONS. Stands on options.def; uses neither malloc nor stdio, since it runs before main and,
 * preloaded, before the program's own allocator is set up. */
#include "options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options options = {
#define OPTION_FLAG(name, initial, help) initial,
#define OPTION_NUMBER(name, initial, help) initial,
#define OPTION_TEXT(name, initial, help) initial,
#include "options.def"
#undef OPTION_FLAG
#undef OPTION_NUMBER
#undef OPTION_TEXT
};

struct known {
    const char *name, *help;
    bool flag; /* of the numbers: one that is on or off */
    long *number;
    const char **text;
};

static const struct known known[] = {
#define OPTION_FLAG(name, initial, help) {#name, help, true, &options.name, NULL},
#define OPTION_NUMBER(name, initial, help) {#name, help, false, &options.name, NULL},
#define OPTION_TEXT(name, initial, help) {#name, help, false, NULL, &options.name},
#include "options.def"
#undef OPTION_FLAG
#undef OPTION_NUMBER
#undef OPTION_TEXT
};

enum { TEXT_ROOM = 4096 };
static char text_room[TEXT_ROOM]; /* values of text options live here */
static size_t text_used;

static void say(const char *s) {
    if (write(2, s, strlen(s)) < 0)
        return;
}

static void help(void) {
    say("AGLET_OPTIONS: NAME=VALUE words between colons\n");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        say("  ");
        say(known[i].name);
        say("  ");
        say(known[i].help);
        say("\n");
    }
}

static bool number(bool flag, const char *value, size_t length, long *out) {
    static const struct {
        const char *word;
        long value;
    } words[] = {{"on", 1}, {"yes", 1}, {"true", 1}, {"off", 0}, {"no", 0}, {"false", 0}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == length && memcmp(words[i].word, value, length) == 0) {
            *out = words[i].value;
            return flag || *out == 0; /* exitcode=on means nothing */
        }
    long n = 0;
    if (length == 0 || length > 9)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < '0' || value[i] > '9')
            return false;
        n = n * 10 + (value[i] - '0');
    }
    *out = n;
    return !flag || n <= 1;
}

/* Is the value one of these words with a space between? */
static bool one_of(const char *words, const char *value, size_t length) {
    for (const char *word = words; *word != '\0';) {
        size_t n = strcspn(word, " ");
        if (n == length && memcmp(word, value, n) == 0)
            return true;
        word += n + (word[n] == ' ');
    }
    return false;
}

/* Is the value a list of NAME<NAME, with commas between? */
static bool pairs(const char *value, size_t length) {
    const char *end = value + length;
    while (value < end) {
        const char *comma = memchr(value, ',', (size_t)(end - value));
        const char *stop = comma != NULL ? comma : end;
        const char *before = memchr(value, '<', (size_t)(stop - value));
        if (before == NULL || before == value || before + 1 == stop ||
            memchr(before + 1, '<', (size_t)(stop - before - 1)) != NULL)
            return false;
        value = comma != NULL ? comma + 1 : end;
    }
    return true;
}

/* Returns false when the word is not known or its value makes no sense. NULL: it has none. */
static bool set(const char *name, size_t name_length, const char *value, size_t value_length) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct known *k = &known[i];
        if (strlen(k->name) != name_length || memcmp(k->name, name, name_length) != 0)
            continue;
        if (value == NULL) {
            if (!k->flag)
                return false;
            value = "1";
            value_length = 1;
        }
        if (k->number != NULL) {
            long n;
            /* An exit status is eight bits: 256 would look like success. */
            if (!number(k->flag, value, value_length, &n) || (k->number == &options.exitcode && n > 255))
                return false;
            *k->number = n;
            return true;
        }
        if ((k->text == &options.lock_order_exempt || k->text == &options.lock_order_declared) &&
            !pairs(value, value_length))
            return false;
        if ((k->text == &options.format && !one_of("text json", value, value_length)) ||
            (k->text == &options.stacks && !one_of("edges full none", value, value_length)))
            return false;
        if (text_used + value_length + 1 > TEXT_ROOM)
            return false;
        char *copy = text_room + text_used;
        memcpy(copy, value, value_length);
        copy[value_length] = '\0';
        text_used += value_length + 1;
        *k->text = copy;
        return true;
    }
    return false;
}

static bool separates(char c) {
    return c == ':' || c == ' ' || c == '\t' || c == '\n' || c == ';';
}

void options_parse(const char *text) {
    while (*text != '\0') {
        while (separates(*text))
            text++;
        const char *name = text;
        while (*text != '\0' && *text != '=' && !separates(*text))
            text++;
        size_t name_length = (size_t)(text - name);
        if (name_length == 0 && *text == '\0')
            break;
        const char *value = NULL;
        size_t value_length = 0;
        if (*text == '=') {
            text++;
            bool quoted = *text == '\'';
            value = text += quoted;
            while (*text != '\0' && (quoted ? *text != '\'' : !separates(*text)))
                text++;
            value_length = (size_t)(text - value);
            if (quoted && *text == '\'')
                text++;
        }
        if (!set(name, name_length, value, value_length)) {
            say("aglet: AGLET_OPTIONS: '");
            if (write(2, name, name_length) < 0)
                return;
            say("' is not known, or its value is missing or makes no sense (help=1 lists what is)\n");
        }
    }
}

__attribute__((constructor(101))) static void read_environment(void) {
    const char *text = getenv("AGLET_OPTIONS");
    if (text == NULL)
        return;
    options_parse(text);
    if (options.help)
        help();
}
