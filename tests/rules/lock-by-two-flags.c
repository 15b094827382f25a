/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Whether a stream is locked at all is asked of two members, in the functions that lock and unlock it; who calls these knows nothing of
 * it. Stands on pthreads. */
#include <pthread.h>
#include <stdlib.h>

struct stream;
struct plug {
    const struct callbacks *call;
    struct stream *stream;
};
struct callbacks {
    int (*prepare)(struct plug *plug);
    int (*write)(struct plug *plug, int n);
};
struct stream {
    pthread_mutex_t lock;
    int locks, needs;
    int state, n;
    struct plug *plug;
};

static inline void stream_lock(struct stream *s) {
    if (s->locks && s->needs)
        pthread_mutex_lock(&s->lock);
}
static inline void stream_unlock(struct stream *s) {
    if (s->locks && s->needs)
        pthread_mutex_unlock(&s->lock);
}
struct stream *stream_new(struct plug *plug, int locks);
struct stream *stream_new(struct plug *plug, int locks) {
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    s->locks = locks;
    s->needs = 1;
    s->plug = plug;
    return s;
}

/* The lock is given up while code that is not known runs. */
static int prepare(struct stream *s) {
    int err = 0;
    if (s->plug->call->prepare) {
        stream_unlock(s);
        err = s->plug->call->prepare(s->plug);
        stream_lock(s);
    }
    if (err < 0)
        return err; // no diagnostic: it is held again where it was held
    s->state = 1;
    return err; // no diagnostic
}
int stream_prepare(struct stream *s);
int stream_prepare(struct stream *s) {
    int err;
    stream_lock(s);
    err = prepare(s); // no diagnostic: it takes the lock where it has given it up
    stream_unlock(s);
    return err;
}
struct stream main_stream;
int main_prepare(void);
int main_prepare(void) {
    int err;
    if (main_stream.locks && main_stream.needs)
        pthread_mutex_lock(&main_stream.lock);
    err = prepare(&main_stream); // no diagnostic: where the lock is not held it is not given up
    if (main_stream.locks && main_stream.needs)
        pthread_mutex_unlock(&main_stream.lock);
    return err;
}
int open_and_prepare(struct plug *plug);
int open_and_prepare(struct plug *plug) {
    struct stream *s = stream_new(plug, 1);
    int err;
    if (!s)
        return -1;
    err = prepare(s); // expected-warning {{which is not held here [aglet-unlock-unheld]}}
    return err;
}

/* Another stream is set up meanwhile: what it is asked by is written, but not in this one. */
static int copy_prepare(struct plug *plug) {
    struct stream *s = stream_new(plug, 1);
    free(s);
    return s ? 0 : -1;
}
static int copy_write(struct plug *plug, int n) {
    return plug && n > 0 ? 0 : -1;
}
const struct callbacks copy_calls = {copy_prepare, copy_write};

int stream_write(struct stream *s, int n);
int stream_write(struct stream *s, int n) {
    struct stream *copy;
    stream_lock(s);
    copy = stream_new(s->plug, s->locks);
    s->n += n;
    stream_unlock(s);
    free(copy);
    return s->n;
} // no diagnostic: given back where it was taken
/* The lock is given up, and another stream set up that is locked alike. */
static int swap(struct stream *s) {
    struct stream *copy;
    stream_unlock(s);
    copy = stream_new(s->plug, s->locks && s->needs);
    stream_lock(s);
    if (!copy)
        return -1; // no diagnostic: held again
    s->n = copy->n;
    free(copy);
    return 0; // no diagnostic
}
int stream_swap(struct stream *s);
int stream_swap(struct stream *s) {
    int err;
    stream_lock(s);
    err = swap(s); // no diagnostic
    stream_unlock(s);
    return err;
}
int stream_forget(struct stream *s, int n);
int stream_forget(struct stream *s, int n) {
    stream_lock(s);
    if (n > s->n)
        return -1; // expected-warning {{'s->lock' is still held on this return [aglet-lock-leak]}}
    s->n -= n;
    stream_unlock(s);
    return 0;
}
