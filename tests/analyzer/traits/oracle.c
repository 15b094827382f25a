/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The C counterpart of each row of Rust's table of Send and Sync; test_traits.c holds the answers against it.
 * Stands on annotations.h, pthreads and the runtime's headers. `struct rows` has one member per row: read by its name. */
#include <aglet/aglet.h>
#include <aglet/annotations.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <setjmp.h>

/* Rc<i32> and Arc<i32>: the object with its count. */
struct rc_int {
    int refs AGLET_REFCOUNT;
    const int value;
};
struct arc_int {
    atomic_int refs AGLET_REFCOUNT;
    const int value;
};
struct arc_cell {
    atomic_int refs AGLET_REFCOUNT;
    int value;
};
/* UnsafeCell and kin under an immutable view: hidden mutation. */
struct AGLET_NOT_SYNC("its value is filled in on first use") cell {
    int value;
};
struct mutex_int {
    pthread_mutex_t mu;
    int value AGLET_GUARDED_BY(mu);
};
struct mutex_cell {
    pthread_mutex_t mu;
    struct cell value AGLET_GUARDED_BY(mu);
};
struct mutex_raw {
    pthread_mutex_t mu;
    int *value AGLET_GUARDED_BY(mu);
};
struct mutex_rc {
    pthread_mutex_t mu;
    struct rc_int *value AGLET_GUARDED_BY(mu);
};
struct rwlock_int {
    pthread_rwlock_t rw;
    int value AGLET_GUARDED_BY(rw);
};
struct rwlock_cell {
    pthread_rwlock_t rw;
    struct cell value AGLET_GUARDED_BY(rw);
};
struct AGLET_GUARD_TYPE guard {
    pthread_mutex_t *mu;
    const int *value;
};
struct AGLET_GUARD_TYPE guard_cell {
    pthread_mutex_t *mu;
    struct cell *AGLET_SHARED value;
};
struct AGLET_GUARD_TYPE read_guard {
    pthread_rwlock_t *rw;
    const int *value;
};
struct poison_error {
    struct guard guard;
};
/* A channel: a queue under a lock; the sender is shared by senders, the receiver has one consumer. */
struct queue_int {
    pthread_mutex_t mu;
    pthread_cond_t more;
    int *AGLET_OWNED items AGLET_GUARDED_BY(mu);
};
struct queue_rc {
    pthread_mutex_t mu;
    struct rc_int *items AGLET_GUARDED_BY(mu);
};
struct queue_cell {
    pthread_mutex_t mu;
    struct cell *AGLET_OWNED items AGLET_GUARDED_BY(mu);
};
struct sender_int {
    struct queue_int *AGLET_SHARED const queue;
};
struct sender_cell {
    struct queue_cell *AGLET_SHARED const queue;
};
struct sender_rc {
    struct queue_rc *AGLET_SHARED const queue;
};
struct AGLET_NOT_SYNC("one consumer") receiver_int {
    struct queue_int *AGLET_SHARED queue;
};
struct receiver_iter {
    struct receiver_int *AGLET_SHARED receiver;
};
struct AGLET_TRUSTED_SEND("the result is reached by join only") AGLET_TRUSTED_SYNC("as above") join_handle {
    struct rc_int *result;
    unsigned long id;
};
struct scoped_join_handle {
    struct rc_int *AGLET_SHARED result;
};
struct once_int {
    pthread_once_t once;
    const int value;
};
struct once_cell {
    pthread_once_t once;
    const struct cell value;
};
struct lazy_rc {
    pthread_once_t once;
    struct rc_int *const value;
};
struct closure {
    void (*call)(void *context);
    void *context;
};
struct closure_send {
    void (*call)(void *context);
    struct cell *AGLET_OWNED context;
};
struct closure_sync {
    void (*call)(const void *context);
    const struct arc_int *AGLET_SHARED context;
};
struct AGLET_NOT_SEND("marker") AGLET_NOT_SYNC("marker") marker {
    char unused;
};
struct phantom_raw {
    struct marker marker;
};
struct phantom_cell {
    struct cell marker;
};
struct waker {
    struct arc_int *AGLET_SHARED task;
};
struct context {
    struct marker marker;
    struct waker *AGLET_SHARED waker;
};
struct arguments {
    va_list list;
};
struct string {
    char *AGLET_OWNED text;
    size_t length;
};

/* Recursive, nested, anonymous: what C adds. */
struct list {
    struct list *AGLET_OWNED next;
    int value;
};
struct even;
struct odd {
    struct even *AGLET_OWNED next;
};
struct even {
    struct odd *AGLET_OWNED next;
    struct rc_int *shared;
};
struct anonymous {
    pthread_mutex_t mu;
    struct {
        int guarded AGLET_GUARDED_BY(mu);
        union {
            atomic_int flag;
            const int fixed;
        };
    };
};
struct bit_fields {
    unsigned a : 3, b : 5;
};
struct flexible {
    size_t n;
    struct rc_int *items[];
};
struct inner {
    int *AGLET_OWNED buf;
    jmp_buf *back;
};
struct job {
    struct inner conn;
    int id;
};
struct opaque;
struct AGLET_SYNC claims_sync {
    pthread_mutex_t mu;
    int guarded AGLET_GUARDED_BY(mu);
    int naked;
};
struct AGLET_SEND claims_send {
    struct list *AGLET_OWNED list;
};
struct AGLET_SEND AGLET_NOT_SEND("both") contradiction {
    int value;
};
typedef int *AGLET_OWNED owned_int;
typedef struct thread_bound AGLET_NOT_SEND("belongs to its thread") thread_bound_handle;
struct thread_bound {
    int value;
};

AGLET_CHANNEL(ints, int);

struct rows {
    /* the runtime's own */
    aglet_mutex own_mutex;
    aglet_rwlock own_rwlock;
    aglet_cond own_cond;
    aglet_once own_once;
    aglet_barrier own_barrier;
    aglet_semaphore own_semaphore;
    aglet_guard own_guard;
    aglet_read_guard own_read_guard;
    aglet_thread own_thread;
    aglet_task *own_task;
    aglet_weak *own_weak;
    AGLET_MUTEX_OF(int) own_mutex_of;
    ints_sender own_sender;
    ints_receiver own_receiver;
    ints_shared_receiver own_shared_receiver;

    int i32;
    struct string string;
    int file;
    int *raw;
    const int *ref_int;
    int *AGLET_OWNED mut_int;
    int *AGLET_SHARED ref_cell;
    int *AGLET_OWNED mut_cell;
    int cell;
    struct rc_int *rc;
    const struct arc_int *AGLET_SHARED arc_const;
    struct arc_int *arc;
    struct arc_cell *arc_cell;
    struct mutex_int mutex_int;
    struct mutex_cell mutex_cell;
    struct mutex_raw mutex_raw;
    struct mutex_rc mutex_rc;
    struct guard guard;
    struct guard_cell guard_cell;
    struct rwlock_int rwlock_int;
    struct rwlock_cell rwlock_cell;
    struct read_guard read_guard;
    struct poison_error poison_error;
    struct sender_int sender;
    struct sender_cell sender_cell;
    struct sender_rc sender_rc;
    struct receiver_int receiver;
    struct receiver_iter receiver_iter;
    struct join_handle join_handle;
    struct scoped_join_handle scoped_join_handle;
    pthread_t thread;
    pthread_key_t local_key;
    atomic_int atomic;
    _Atomic(struct rc_int *) atomic_pointer;
    struct rc_int *(*function)(struct rc_int *);
    struct once_int once_int;
    struct once_cell once_cell;
    struct lazy_rc lazy_rc;
    pthread_once_t once;
    pthread_cond_t condvar;
    pthread_barrier_t barrier;
    struct rc_int *AGLET_SHARED vec_rc;
    struct closure closure;
    struct closure_send closure_send;
    struct closure_sync closure_sync;
    void *any;
    struct phantom_raw phantom_raw;
    struct phantom_cell phantom_cell;
    struct waker waker;
    struct context context;
    struct arguments arguments;
    FILE *stdout_;

    struct list list;
    struct odd odd;
    struct anonymous anonymous;
    struct bit_fields bit_fields;
    struct flexible *AGLET_OWNED flexible;
    struct job job;
    struct opaque *AGLET_OWNED opaque;
    struct claims_sync claims_sync;
    struct claims_send claims_send;
    struct contradiction contradiction;
    owned_int owned_int;
    thread_bound_handle thread_bound;
    char name[16];
    const char *text;
    sem_t semaphore;
    jmp_buf *jump;
    struct {
        const int a;
        atomic_int b;
    } all_fine;
};

struct rows rows;
