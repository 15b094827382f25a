/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Moving a value into a thread: the thread owns the letter from the spawn on and frees it; the sender keeps
 * no pointer to it. Stands on aglet/thread.h.
 *
 * Prints  delivered: dear reader */
#include <aglet/thread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct letter {
    size_t length;
    char text[];
};

static struct letter *letter_write(const char *text) {
    size_t length = strlen(text);
    struct letter *l = malloc(sizeof *l + length + 1);
    if (l) {
        l->length = length;
        memcpy(l->text, text, length + 1);
    }
    return l;
}

static void *deliver(void *arg) {
    struct letter *l = arg;
    size_t length = l->length;
    printf("delivered: %s\n", l->text);
    free(l);
    return (void *)(uintptr_t)length;
}

int main(void) {
    aglet_thread carrier;
    void *length = NULL;
    struct letter *l = letter_write("dear reader");
    if (!l)
        return 1;
    if (aglet_thread_spawn(&carrier, deliver, l)) {
        free(l); /* it was not spawned: the letter is still ours */
        return 1;
    }
    if (aglet_thread_join(&carrier, &length))
        return 1;
    return (uintptr_t)length == 11 ? 0 : 1;
}
