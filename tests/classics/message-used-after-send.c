/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A message that was sent down a channel is used again. */
#include <aglet/annotations.h>
#include <aglet/channel.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct message {
    int id;
    char text[24];
} message;

struct mailbox;
int mailbox_post(struct mailbox *box, message *AGLET_SENDING m);

int post(struct mailbox *box, message *m)
{
    mailbox_post(box, m);
    printf("posted %d\n", m->id); // expected-warning {{'m->id' is read after it was given to another thread [aglet-use-after-send]}}
    return 0;
}

/* Through a helper that nobody annotated, and an alias. */
static void post_all(struct mailbox *box, message *m)
{
    mailbox_post(box, m);
}

void post_and_clear(struct mailbox *box, message *m)
{
    message *same = m;
    post_all(box, m);
    same->text[0] = 0; // expected-warning {{is written after it was given to another thread [aglet-use-after-send]}}
}

/* The next turn of the loop still has it. */
void post_the_same(struct mailbox *box)
{
    message *m = malloc(sizeof *m);
    if (!m)
        return;
    for (int i = 0; i < 4; i++) {
        m->id = i; // expected-warning {{'m->id' is written after it was given to another thread [aglet-use-after-send]}}
        mailbox_post(box, m);
    }
}

/* Freed on the way out, as if it had not been sent. */
int post_or_free(struct mailbox *box, int id)
{
    int result = -1;
    message *m = malloc(sizeof *m);
    if (!m)
        return -1;
    m->id = id;
    if (id < 0)
        goto out;
    mailbox_post(box, m);
    result = 0;
out:
    free(m); // expected-warning {{'m' is freed after it was given to another thread [aglet-use-after-send]}}
    return result;
}

/* Mended: what is needed is taken out before; the loop has a new message each turn; the pointer is cleared. */
int post_then_print(struct mailbox *box, message *m)
{
    int id = m->id;
    mailbox_post(box, m);
    printf("posted %d\n", id);
    return 0;
}

void post_new_ones(struct mailbox *box)
{
    for (int i = 0; i < 4; i++) {
        message *m = malloc(sizeof *m);
        if (!m)
            return;
        m->id = i;
        mailbox_post(box, m); // no diagnostic: another message each turn
    }
}

int post_and_let_go(struct mailbox *box, int id)
{
    int result = -1;
    message *m = malloc(sizeof *m);
    if (!m)
        return -1;
    m->id = id;
    if (id < 0)
        goto out;
    mailbox_post(box, m);
    m = NULL;
    result = 0;
out:
    free(m); // no diagnostic: NULL where it was sent
    return result;
}
