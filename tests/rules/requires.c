/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* requires: calls without the lock that the callee asks for. Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>

AGLET_TOKEN(ui_thread);

struct view {
    pthread_mutex_t mu;
    pthread_rwlock_t rw;
    void (*draw)(struct view *v) AGLET_REQUIRES(v->mu);
};
struct view_ops {
    void (*close)(struct view *v) AGLET_REQUIRES(v->mu);
};

void paint(struct view *v) AGLET_REQUIRES(v->mu);
int look(struct view *v) AGLET_REQUIRES_SHARED(v->rw);
void change(struct view *v) AGLET_REQUIRES(v->rw);
void on_ui(void) AGLET_REQUIRES(ui_thread);

void direct(struct view *v, struct view *other);
void direct(struct view *v, struct view *other) {
    paint(v); // expected-warning {{[aglet-requires]}}
    pthread_mutex_lock(&v->mu);
    paint(v);     // no diagnostic: held
    paint(other); // expected-warning {{[aglet-requires]}}
    pthread_mutex_unlock(&v->mu);
}

void through_a_field(struct view *v);
void through_a_field(struct view *v) {
    v->draw(v); // expected-warning {{[aglet-requires]}}
    pthread_mutex_lock(&v->mu);
    v->draw(v); // no diagnostic: held
    pthread_mutex_unlock(&v->mu);
}

void through_a_table(const struct view_ops *ops, struct view *v);
void through_a_table(const struct view_ops *ops, struct view *v) {
    ops->close(v); // expected-warning {{[aglet-requires]}}
}

int modes(struct view *v);
int modes(struct view *v) {
    pthread_rwlock_rdlock(&v->rw);
    int n = look(v); // no diagnostic: reading is enough
    change(v);       // expected-warning {{[aglet-requires]}}
    pthread_rwlock_unlock(&v->rw);
    pthread_rwlock_wrlock(&v->rw);
    n += look(v); // no diagnostic: writing is more than reading
    change(v);    // no diagnostic: held for writing
    pthread_rwlock_unlock(&v->rw);
    return n;
}

void passed_on(struct view *v) AGLET_REQUIRES(v->mu);
void passed_on(struct view *v) {
    paint(v); // no diagnostic: its own caller brings the lock
}

static void inferred(struct view *v) {
    paint(v); // no diagnostic: a helper, its callers are judged
}
void calls_the_helper(struct view *v);
void calls_the_helper(struct view *v) {
    inferred(v); // expected-warning {{[aglet-requires]}}
}

void from_anywhere(void);
void from_anywhere(void) {
    on_ui(); // expected-warning {{[aglet-requires]}}
}
void from_the_ui(void) AGLET_REQUIRES(ui_thread);
void from_the_ui(void) {
    on_ui(); // no diagnostic: the token is the caller's to have
}
