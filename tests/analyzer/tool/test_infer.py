# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""aglet infer: the patch applies, what it writes down is kept by the program, and a line that breaks it is found from then on.
Stands on case.py and git."""
import shutil

from case import ROOT, Project, check, finish, need_extractor

need_extractor()
HEADER = """/* A queue. */
#ifndef QUEUE_H
#define QUEUE_H
#include <pthread.h>
#define MEMBER(type, name) type name
#define HIDDEN int hidden;
struct queue {
    pthread_mutex_t mu;
    pthread_rwlock_t names;
    int *items, n, /* used, of */ cap;
    unsigned closed : 1;
    char name[16];
    void (*on_close)(int, void *), *argument;
    MEMBER(int, shown);
    HIDDEN
    int id;      /* written before any thread sees it */
    int half;    /* locked in one place, not in another */
};
struct queue *queue_new(int cap);
void queue_put(struct queue *q, int v);
int queue_get(struct queue *q);
void queue_close(struct queue *q);
int queue_empty(struct queue *);
int queue_initial(const struct queue *self /* (named otherwise) */);
#endif
"""
QUEUE = """#include <stdlib.h>
#include "queue.h"
struct queue *queue_new(int cap)
{
    struct queue *q = calloc(1, sizeof *q);
    pthread_mutex_init(&q->mu, NULL);
    pthread_rwlock_init(&q->names, NULL);
    q->items = malloc(cap * sizeof *q->items);
    q->cap = cap;
    q->id = cap;
    return q;
}
static void grow(struct queue *q)
{
    q->cap *= 2;
    q->items = realloc(q->items, q->cap * sizeof *q->items);
}
int queue_empty(struct queue *q) { return q->n == 0; }
int queue_initial(const struct queue *q) { return q->name[0]; }
void queue_put(struct queue *q, int v)
{
    pthread_mutex_lock(&q->mu);
    if (q->n == q->cap)
        grow(q);
    q->items[q->n++] = v;
    q->hidden++;
    q->shown++;
    q->half = v;
    pthread_mutex_unlock(&q->mu);
    pthread_rwlock_wrlock(&q->names);
    q->name[1] = 'p';
    pthread_rwlock_unlock(&q->names);
}
int queue_get(struct queue *q)
{
    int v;
    pthread_mutex_lock(&q->mu);
    v = q->n ? q->items[--q->n] : -1;
    q->hidden--;
    q->shown--;
    q->half++;
    pthread_mutex_unlock(&q->mu);
    return v;
}
"""
MAIN = """#include "queue.h"
static void *work(void *p)
{
    struct queue *q = p;
    while (queue_get(q) >= q->id)
        ;
    q->half = 0;
    return NULL;
}
void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->mu);
    q->closed = 1;
    if (q->on_close)
        q->on_close(queue_empty(q), q->argument);
    q->on_close = 0;
    pthread_mutex_unlock(&q->mu);
    pthread_rwlock_rdlock(&q->names);
    q->id + queue_initial(q);
    pthread_rwlock_unlock(&q->names);
    pthread_mutex_lock(&q->mu);
    q->closed = 0;
    pthread_mutex_unlock(&q->mu);
}
int main(void)
{
    pthread_t t;
    struct queue *q = queue_new(4);
    pthread_create(&t, 0, work, q);
    queue_put(q, 1);
    queue_close(q);
    return pthread_join(t, 0);
}
"""


def added(patch):
    return [line[1:].strip() for line in patch.splitlines() if line.startswith("+") and not line.startswith("+++")]


with Project({"src/queue.h": HEADER, "src/queue.c": QUEUE, "src/main.c": MAIN}) as p:
    p.run("git", "init", "-q")
    before = p.lint("-p", ".")
    check("clean before", before.returncode == 0, before.stdout + before.stderr)
    done = p.aglet("infer", "-p", ".", "--verbose")
    wanted = ["#include <aglet/annotations.h>",
              "int *items AGLET_GUARDED_BY(mu), n AGLET_GUARDED_BY(mu), /* used, of */ cap AGLET_GUARDED_BY(mu);",
              "unsigned closed : 1 AGLET_GUARDED_BY(mu);",
              "char name[16] AGLET_GUARDED_BY(names);",
              "void (*on_close)(int, void *) AGLET_GUARDED_BY(mu), *argument;",
              "MEMBER(int, shown) AGLET_GUARDED_BY(mu);",
              "int queue_empty(struct queue *) AGLET_REQUIRES($1->mu);",
              "int queue_initial(const struct queue *self /* (named otherwise) */) AGLET_REQUIRES_SHARED(self->names);"]
    check("the patch", done.returncode == 0 and added(done.stdout) == wanted, done.stdout + done.stderr)
    check("what it says", "7 guards and 2 requirements in 1 files; the whole program keeps every one of them" in done.stderr, done.stderr)
    check("a macro's member is said", "queue.h:15: 'hidden' stands where no annotation can be put" in done.stderr, done.stderr)
    again = p.aglet("infer", "-p", ".")
    check("the same twice", again.stdout == done.stdout)
    p.write("p.diff", done.stdout)
    applied = p.run("git", "apply", "p.diff")
    check("it applies", applied.returncode == 0, applied.stderr)
    for compiler in filter(shutil.which, ("gcc", "clang-14", "clang-22")):
        for name in ("queue.c", "main.c"):
            compiled = p.run(compiler, "-Wall", "-Wextra", "-Werror", "-Wno-unused-value", "-Wno-sign-conversion",
                             f"-I{ROOT}/annotations/include", "-c", f"src/{name}", "-o", "x.o")
            check(f"{compiler} takes {name}", compiled.returncode == 0, compiled.stderr)
    after = p.lint("-p", ".")
    check("clean after", after.returncode == 0 and "guarded-by" not in after.stdout, after.stdout + after.stderr)
    done = p.aglet("infer", "-p", ".")
    check("nothing is left", done.returncode == 0 and done.stdout == "" and "nothing to propose" in done.stderr, done.stdout + done.stderr)
    p.write("src/main.c", MAIN.replace("q->half = 0;", "q->n = 0;"))
    broken = p.lint("-p", ".")
    check("a line that breaks it", broken.returncode == 1 and "src/main.c:7:5: warning: 'q->n' is written without 'q->mu' held" in broken.stdout, broken.stdout)

# Variables of a file, and functions that no header declares: their definitions are annotated, before all specifiers.
COUNTS = """#include <pthread.h>
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static int count = 3, *last, table[4] = {1, 2};
int started;
typedef struct { pthread_mutex_t raw; unsigned uses; } own_mutex;
static own_mutex own = {PTHREAD_MUTEX_INITIALIZER, 0};
static int owned;
void take(int n)
{
    pthread_mutex_lock(&own.raw);
    owned += n;
    own.uses += owned > 3;
    pthread_mutex_unlock(&own.raw);
}
const char *
label(int deep)
{
    return deep ? (const char *)last : "";
}
int *newest(void) { return last; }
void add(int n)
{
    pthread_mutex_lock(&mu);
    count += n;
    last = &table[count & 3];
    table[1] = *newest();
    pthread_mutex_unlock(&mu);
}
int get(void)
{
    pthread_mutex_lock(&mu);
    int n = count + table[0] + *label(1);
    pthread_mutex_unlock(&mu);
    return n;
}
"""
USES = """#include <pthread.h>
extern int started;
void add(int n);
int get(void);
static void *work(void *p) { add(started); return p; }
int main(void)
{
    pthread_t t;
    started = 1;
    pthread_create(&t, 0, work, 0);
    add(2);
    int n = get();
    pthread_join(t, 0);
    return n;
}
"""

with Project({"src/counts.c": COUNTS, "src/uses.c": USES}) as p:
    p.run("git", "init", "-q")
    done = p.aglet("infer", "-p", ".")
    wanted = ["#include <aglet/annotations.h>",
              "static int count AGLET_GUARDED_BY(mu) = 3, *last AGLET_GUARDED_BY(mu), table[4] AGLET_GUARDED_BY(mu) = {1, 2};",
              "static int owned AGLET_GUARDED_BY(own.raw);",
              "AGLET_REQUIRES(mu) const char *",
              "AGLET_REQUIRES(mu) int *newest(void) { return last; }"]
    check("variables and definitions", done.returncode == 0 and added(done.stdout) == wanted, done.stdout + done.stderr)
    p.write("p.diff", done.stdout)
    applied = p.run("git", "apply", "p.diff")
    check("it applies to them", applied.returncode == 0, applied.stderr)
    for compiler in filter(shutil.which, ("gcc", "clang-14", "clang-22")):
        for mode in ((), ("-D__AGLET__",)) if compiler != "gcc" else ((),):
            compiled = p.run(compiler, "-Wall", "-Wextra", "-Werror", *mode, f"-I{ROOT}/annotations/include", "-c", "src/counts.c", "-o", "x.o")
            check(f"{compiler} {mode} takes them", compiled.returncode == 0, compiled.stderr)
    after = p.lint("-p", ".")
    check("clean with them", after.returncode == 0 and "aglet-" not in after.stdout, after.stdout + after.stderr)
    p.write("src/counts.c", (p.path / "src/counts.c").read_text().replace("pthread_mutex_unlock(&mu);\n    return n", "pthread_mutex_unlock(&mu);\n    return n + count"))
    broken = p.lint("-p", ".")
    check("a use without it", broken.returncode == 1 and "'count' is read without 'mu' held" in broken.stdout, broken.stdout)

# A header that is included by a way round is edited under its plain name: git refuses any other.
with Project({"src/a/q.h": HEADER.replace("HIDDEN\n", ""), "src/b/queue.c": QUEUE.replace('"queue.h"', '"../b/../a/./q.h"').replace("q->hidden++;", "").replace("q->hidden--;", "")}) as p:
    p.run("git", "init", "-q")
    done = p.aglet("infer", "-p", ".")
    check("a plain name", done.returncode == 0 and "+++ b/src/a/q.h" in done.stdout and ".." not in done.stdout, done.stdout + done.stderr)

with Project({"x.c": "int f(int n) { return n; }\n"}) as p:
    none = p.aglet("infer", "-p", ".")
    check("nothing there", none.returncode == 0 and none.stdout == "" and "nothing to propose" in none.stderr, none.stderr)
    missing = p.aglet("infer", "-p", "nowhere")
    check("no database", missing.returncode == 2 and missing.stdout == "", missing.stderr)

finish()
