/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* GLib and GTK: threads, thread pools, asynchronous queues, idle callbacks, tasks; containers with no lock; widgets. */
#include <stddef.h>

typedef void *gpointer;
typedef int gint, gboolean;
typedef unsigned guint;
typedef struct _GThread GThread;
typedef struct _GThreadPool GThreadPool;
typedef struct _GAsyncQueue GAsyncQueue;
typedef struct _GTask GTask;
typedef struct _GObject GObject;
typedef struct _GAsyncResult GAsyncResult;
typedef struct _GHashTable GHashTable;
typedef struct _GMutex {
    int word;
} GMutex;
typedef struct _GtkLabel GtkLabel;
typedef struct _GtkWidget {
    int width;
} GtkWidget;
typedef gboolean (*GSourceFunc)(gpointer);

GThread *g_thread_new(const char *name, gpointer (*entry)(gpointer), gpointer data);
gpointer g_thread_join(GThread *thread);
void g_thread_unref(GThread *thread);
void g_mutex_lock(GMutex *mutex);
void g_mutex_unlock(GMutex *mutex);
GThreadPool *g_thread_pool_new(void (*run)(gpointer, gpointer), gpointer data, gint most, gboolean exclusive, void **error);
gboolean g_thread_pool_push(GThreadPool *pool, gpointer data, void **error);
void g_async_queue_push(GAsyncQueue *queue, gpointer data);
gpointer g_async_queue_pop(GAsyncQueue *queue);
guint g_idle_add(GSourceFunc run, gpointer data);
gpointer g_malloc0(size_t size);
void g_free(gpointer memory);
gint g_atomic_int_get(const gint *at);
void g_atomic_int_set(gint *at, gint value);
GTask *g_task_new(gpointer source, gpointer cancellable, void (*ready)(GObject *, GAsyncResult *, gpointer), gpointer data);
void g_task_set_task_data(GTask *task, gpointer data, void (*destroy)(gpointer));
void g_task_run_in_thread(GTask *task, void (*run)(GTask *, gpointer, gpointer, gpointer));
void g_task_return_boolean(GTask *task, gboolean result);
void g_object_unref(gpointer object);
gboolean g_hash_table_insert(GHashTable *table, gpointer key, gpointer value);
void gtk_label_set_text(GtkLabel *label, const char *text);

typedef struct {
    gint id, done;
    long result, safe;
    GMutex mu;
} Job;
#define job_new() ((Job *)g_malloc0(sizeof(Job)))

static gpointer work(gpointer data)
{
    Job *job = data;
    job->result = 1;
    g_mutex_lock(&job->mu);
    job->safe++;
    g_mutex_unlock(&job->mu);
    g_atomic_int_set(&job->done, 1);
    return NULL;
}

void both_use(Job *job)
{
    GThread *thread = g_thread_new("worker", work, job); // expected-warning {{'job->result' is used by both threads after this hand-off, unguarded [aglet-sync]}}
    job->result = 2;
    g_thread_join(thread);
}

void joined_first(Job *job)
{
    GThread *thread = g_thread_new("worker", work, job); // no diagnostic: one lock, and the join
    g_mutex_lock(&job->mu);
    job->safe++;
    g_mutex_unlock(&job->mu);
    g_thread_join(thread);
    job->result = 2;
}

long polled(Job *job)
{
    g_thread_unref(g_thread_new("worker", work, job)); // no diagnostic: the flag may order the two sides
    while (!g_atomic_int_get(&job->done))
        ;
    return job->result;
}

void on_the_stack(void)
{
    Job job = {0};
    GThread *thread = g_thread_new("worker", work, &job); // expected-warning {{local 'job' may die while the other thread still uses it [aglet-stack-escape]}}
    g_thread_unref(thread);
}

void forgotten(Job *job)
{
    g_thread_new("worker", work, job); // expected-warning {{the result of 'g_thread_new' is dropped [aglet-result-dropped]}}
}

static void pooled(gpointer data, gpointer user)
{
    Job *job = data;
    job->result++;
    g_free(user ? NULL : job);
}

GThreadPool *make_pool(void)
{
    return g_thread_pool_new(pooled, NULL, 4, 0, NULL);
}

void pushed(GThreadPool *pool)
{
    Job *job = job_new();
    job->id = 1; // no diagnostic: before it is given away
    g_thread_pool_push(pool, job, NULL);
}

void pushed_and_written(GThreadPool *pool)
{
    Job *job = job_new();
    g_thread_pool_push(pool, job, NULL);
    job->id = 1; // expected-warning {{'job->id' is written after it was given to another thread [aglet-use-after-send]}}
}

int pushed_and_freed(GThreadPool *pool)
{
    Job *job = job_new();
    if (!g_thread_pool_push(pool, job, NULL)) {
        g_free(job); // expected-warning {{'job' is freed after it was given to another thread [aglet-use-after-send]}}
        return -1;
    }
    return 0;
}

int pushed_and_asked(GThreadPool *pool)
{
    Job *job = job_new();
    if (!g_thread_pool_push(pool, job, NULL))
        return -1;  // no diagnostic: queued all the same
    return job->id; // expected-warning {{'job->id' is read after it was given to another thread [aglet-use-after-send]}}
}

int pushed_and_told(GThreadPool *pool)
{
    Job *job = job_new();
    const int id = job->id;
    return g_thread_pool_push(pool, job, NULL) ? id : -1; // no diagnostic: read before
}

void queued(GAsyncQueue *queue)
{
    for (int i = 0; i < 4; i++) {
        Job *job = job_new();
        job->id = i; // no diagnostic: a new one each turn
        g_async_queue_push(queue, job);
    }
}

void queued_and_freed(GAsyncQueue *queue)
{
    Job *job = job_new();
    g_async_queue_push(queue, job);
    g_free(job); // expected-warning {{'job' is freed after it was given to another thread [aglet-use-after-send]}}
}

void taken(GAsyncQueue *queue)
{
    Job *job = g_async_queue_pop(queue);
    job->id = 2; // no diagnostic: it is this thread's now
    g_free(job);
}

static gboolean when_idle(gpointer data)
{
    g_free(data);
    return 0;
}

void told_the_main_loop(void)
{
    Job *job = job_new();
    g_idle_add(when_idle, job);
    job->id = 1; // expected-warning {{'job->id' is written after it was given to another thread [aglet-use-after-send]}}
}

static void in_thread(GTask *task, gpointer source, gpointer data, gpointer cancellable)
{
    Job *job = data;
    job->result = source || cancellable ? 1 : 2;
    g_task_return_boolean(task, 1);
}

void task_and_write(GObject *self, Job *job)
{
    GTask *task = g_task_new(self, NULL, NULL, NULL);
    g_task_set_task_data(task, job, NULL);
    g_task_run_in_thread(task, in_thread); // expected-warning {{'job->result' is used by both threads after this hand-off, unguarded [aglet-sync]}}
    job->result = 0; // expected-note {{written by this thread here, when the task may run}}
    g_object_unref(task);
}

void task(GObject *self)
{
    GTask *task = g_task_new(self, NULL, NULL, NULL);
    Job *job = job_new();
    job->id = 1; // no diagnostic: before the task runs
    g_task_set_task_data(task, job, g_free);
    g_task_run_in_thread(task, in_thread);
    g_object_unref(task);
}

static gpointer fill(gpointer data)
{
    g_hash_table_insert(data, "a", "b");
    return NULL;
}

void table_in_two_threads(GHashTable *table)
{
    GThread *thread = g_thread_new("filler", fill, table); // expected-warning {{'table' is used by both threads after this hand-off, unguarded [aglet-sync]}} expected-note {{or give each thread one of its own}}
    g_hash_table_insert(table, "c", "d");
    g_thread_join(thread);
}

void table_in_turn(GHashTable *table)
{
    g_thread_join(g_thread_new("filler", fill, table)); // no diagnostic: joined before
    g_hash_table_insert(table, "c", "d");
}

static gpointer resize(gpointer data)
{
    GtkWidget *widget = data;
    widget->width = 1;
    return NULL;
}

GThread *widget_elsewhere(GtkWidget *widget)
{
    return g_thread_new("resizer", resize, widget); // expected-warning {{'GtkWidget' reaches another thread here, and is not Send [aglet-send]}}
}

typedef struct {
    GtkLabel *label;
    int n;
} Update;

static gpointer set_label(gpointer data)
{
    Update *update = data;
    gtk_label_set_text(update->label, "done");
    return NULL;
}

GThread *label_elsewhere(Update *update)
{
    return g_thread_new("labeller", set_label, update); // expected-warning {{'Update' reaches another thread here, and is not Send [aglet-send]}}
}
