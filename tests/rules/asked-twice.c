/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Whether a lock is taken is asked of a small function, and asked again where it is given back: the answers are one while what it reads is
 * left alone. Stands on pthreads. */
#include <pthread.h>
#include <stdbool.h>

struct store {
    struct {
        int serialize, mode;
    } options;
    int users, state;
    unsigned flags;
    pthread_mutex_t mu;
};
static pthread_mutex_t overlap = PTHREAD_MUTEX_INITIALIZER;
static int threaded;
void say(const char *text);

static inline bool is_shared(const struct store *s) {
    return s->users > 1;
}
static bool overlaps(const struct store *s) {
    return s->options.serialize && s->options.mode == 2;
}
static int level(const struct store *s) {
    if (!s)
        return 0;
    if (s->flags & 4)
        return 2;
    return s->options.mode == 3 ? 1 : 0;
}
static bool is_threaded(void) {
    return threaded != 0;
}
static bool asks_more(const struct store *s) {
    say("asked");
    return s->users > 1;
}

void set_state(struct store *s, int state);
void set_state(struct store *s, int state) {
    if (s->state != state)
        say("state");
    s->state = state;
}
void use_threads(int n);
void use_threads(int n) {
    threaded = n;
}

int by_member(struct store *s);
int by_member(struct store *s) {
    if (is_shared(s))
        pthread_mutex_lock(&s->mu);
    set_state(s, 1);
    if (is_shared(s))
        pthread_mutex_unlock(&s->mu);
    return 0; // no diagnostic
}

void by_two(struct store *s);
void by_two(struct store *s) {
    if (overlaps(s))
        pthread_mutex_lock(&overlap);
    set_state(s, 2);
    if (overlaps(s))
        pthread_mutex_unlock(&overlap); // no diagnostic
}

void by_level(struct store *s);
void by_level(struct store *s) {
    if (level(s) != 0)
        pthread_mutex_lock(&s->mu);
    set_state(s, 3);
    if (level(s) != 0)
        pthread_mutex_unlock(&s->mu); // no diagnostic
}

void by_global(struct store *s);
void by_global(struct store *s) {
    if (is_threaded())
        pthread_mutex_lock(&s->mu);
    set_state(s, 4);
    if (is_threaded())
        pthread_mutex_unlock(&s->mu); // no diagnostic
}

void by_member_or_here(struct store *s);
void by_member_or_here(struct store *s) {
    if (is_shared(s))
        pthread_mutex_lock(&s->mu);
    set_state(s, 5);
    if (s->users > 1)
        pthread_mutex_unlock(&s->mu); // no diagnostic
}

/* ---- and those that go wrong ---- */
void of_another(struct store *s, struct store *other);
void of_another(struct store *s, struct store *other) {
    if (is_shared(s))
        pthread_mutex_lock(&s->mu);
    set_state(s, 6);
    if (is_shared(other))
        pthread_mutex_unlock(&s->mu); // expected-warning {{[aglet-lock-mismatch]}}
} // expected-warning {{[aglet-lock-leak]}}

void asked_otherwise(struct store *s);
void asked_otherwise(struct store *s) {
    if (is_shared(s))
        pthread_mutex_lock(&s->mu);
    set_state(s, 7);
    if (overlaps(s))
        pthread_mutex_unlock(&s->mu); // expected-warning {{[aglet-lock-mismatch]}}
} // expected-warning {{[aglet-lock-leak]}}

void written_between(struct store *s);
void written_between(struct store *s) {
    if (is_shared(s))
        pthread_mutex_lock(&s->mu);
    s->users--;
    if (is_shared(s))
        pthread_mutex_unlock(&s->mu);
} // expected-warning {{[aglet-lock-leak]}}

void not_that_small(struct store *s);
void not_that_small(struct store *s) {
    if (asks_more(s))
        set_state(s, 9);
}
