/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A helper gives back its caller's lock on some of its ways only: a leak, unless the lock was taken by what the helper asks.
 * Stands on pthreads. */
#include <pthread.h>
#include <stdbool.h>

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static int value;
static void finish(void) {
    if (value > 9)
        return;
    pthread_mutex_unlock(&mu);
}
void put(void);
void put(void) {
    pthread_mutex_lock(&mu);
    value++;
    finish();
} // expected-warning {{'mu' is still held on this return [aglet-lock-leak]}}
static void finish_always(void) {
    if (value > 9)
        value = 0;
    pthread_mutex_unlock(&mu);
}
void put_sound(void);
void put_sound(void) {
    pthread_mutex_lock(&mu);
    value++;
    finish_always();
} // no diagnostic: given back on every way

struct stream {
    pthread_mutex_t mu;
    bool shared, locked, closed;
    int mode, n;
};
/* Whoever knows whether it is shared has taken the lock, or has not. */
static void done(struct stream *s) {
    if (!s->shared)
        return;
    pthread_mutex_unlock(&s->mu);
}
void add(struct stream *s);
void add(struct stream *s) {
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    s->n++;
    done(s);
} // no diagnostic: what decides here decides there
void add_shared(struct stream *s);
void add_shared(struct stream *s) {
    pthread_mutex_lock(&s->mu);
    s->n++;
    done(s);
} // no diagnostic: it is only called where the stream is shared, as far as is known

/* What was locked is noted in the object. */
static void begin(struct stream *s) {
    pthread_mutex_lock(&s->mu);
    s->locked = true;
}
static void end(struct stream *s) {
    if (!s->locked)
        return;
    s->locked = false;
    pthread_mutex_unlock(&s->mu);
}
void log_line(struct stream *s);
void twice(struct stream *s);
void twice(struct stream *s) {
    begin(s);
    s->n *= 2;
    log_line(s);
    end(s);
} // no diagnostic: begin() sets what end() asks

/* The writer is stopped, and the lock given back, but for streams that are only read; those are not shared. */
static void close_stream(struct stream *s) {
    if (s->mode != 0) {
        log_line(s);
        if (s->shared)
            pthread_mutex_unlock(&s->mu);
    }
    log_line(s);
}
void free_stream(struct stream *s);
void free_stream(struct stream *s) {
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    close_stream(s);
    if (s->shared)
        pthread_mutex_destroy(&s->mu); // no diagnostic: whether it is still held is not known
}
void free_stream_locked(struct stream *s);
void free_stream_locked(struct stream *s) {
    if (s->shared)
        pthread_mutex_lock(&s->mu);
    log_line(s);
    if (s->shared)
        pthread_mutex_destroy(&s->mu); // expected-warning {{is destroyed by 'pthread_mutex_destroy' while it is held [aglet-destroy-held]}}
}
