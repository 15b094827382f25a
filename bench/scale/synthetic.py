# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs of any size that look like programs: modules in layers, each a struct with a lock, an ops table, wrappers of its own,
helpers that want the lock held, recursion, a few threads, and now and then a planted mistake.

Stands on nothing. One seed gives the same program everywhere; a larger one differs in its number of modules alone.

usage: synthetic.py DIR --functions N [--seed S] [--dense EDGES]"""
import argparse
import json
import random
from pathlib import Path

PER_MODULE = 50

BASE = """#ifndef BASE_H
#define BASE_H
#include <pthread.h>
#include <stdlib.h>
struct list { struct list *next, *prev; };
static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline void list_add(struct list *l, struct list *n) { n->next = l->next; n->prev = l; l->next->prev = n; l->next = n; }
static inline void list_del(struct list *n) { n->prev->next = n->next; n->next->prev = n->prev; }
static inline int list_empty(const struct list *l) { return l->next == l; }
extern int trace(const char *, int);
#endif
"""

# Sixteen modules share a kind of ops table: in real programs the calls through one kind of table do not grow with the program.
PER_TABLE = 16
OPS = """#ifndef OPS{0}_H
#define OPS{0}_H
struct ops{0} {{ int (*open)(void *, int); int (*step)(void *, int); void (*close)(void *); }};
#endif
"""


class Module:
    """Module k uses up to three of a lower layer: halving keeps the depth of the layers logarithmic, as in real trees."""

    def __init__(self, k, seed):
        self.k, self.random = k, random.Random(seed * 1000003 + k)
        lower = {k // 2, self.random.randrange(k // 4, k // 2 + 1), self.random.randrange(0, k)} if k else set()
        self.uses = sorted(lower - {k})
        self.lines, self.functions, self.public = [], 0, []

    def function(self, head, *body):
        self.functions += 1
        self.lines += [head, "{", *("    " + line for line in body), "}", ""]

    def prototype(self, head):
        self.public.append(head + ";")

    def both(self, head, *body):
        self.prototype(head)
        self.function(head, *body)

    def header(self):
        k = self.k
        return "\n".join([f"#ifndef M{k}_H", f"#define M{k}_H", '#include "base.h"', f"struct m{k};", *self.public, "#endif", ""])

    def lock_words(self, s):
        k = self.k
        if k % 3 == 0:
            return f"m{k}_lock({s});", f"m{k}_unlock({s});"
        return f"pthread_mutex_lock(&{s}->mu);", f"pthread_mutex_unlock(&{s}->mu);"

    def source(self):
        k, r = self.k, self.random
        lock, unlock = self.lock_words("s")
        lower = self.uses
        table = k // PER_TABLE
        self.lines += [f'#include "ops{table}.h"', f'#include "m{k}.h"', *(f'#include "m{u}.h"' for u in lower), ""]
        self.lines += [f"struct m{k} {{", "    pthread_mutex_t mu;", "    pthread_cond_t ready;", "    struct list all;", "    int count, state, done, limit;",
                       "    long total;", f"    const struct ops{table} *ops;", "    void *context;", *(f"    struct m{u} *m{u};" for u in lower), "};", ""]
        self.lines += [f"static long table_{k}[16];", f"static pthread_mutex_t table_{k}_mu = PTHREAD_MUTEX_INITIALIZER;", ""]
        if k % 3 == 0:
            self.function(f"static void m{k}_lock(struct m{k} *s)", "pthread_mutex_lock(&s->mu);")
            self.function(f"static void m{k}_unlock(struct m{k} *s)", "pthread_mutex_unlock(&s->mu);")
        for i in range(4):
            self.function(f"static int m{k}_pure_{i}(int a, int b)", f"int x = a * {r.randrange(3, 99)} + b;", "for (int i = 0; i < b; i++)",
                          "    x = x > 100 ? x - i : x + i;", f"return x ^ {r.randrange(1, 999)};")
        for i in range(3):
            self.function(f"static int m{k}_locked_{i}(struct m{k} *s, int n)", f"s->total += m{k}_pure_{i}(n, s->count);", "if (s->total > s->limit)",
                          "    s->total = 0;", "else", "    s->count++;", "return s->count;")
        for i in range(2):
            inner = f"return m{lower[i % len(lower)]}_get((struct m{lower[i % len(lower)]} *)p) + n;" if lower else "return n;"
            self.function(f"static int m{k}_open_{i}(void *p, int n)", inner)
            self.function(f"static int m{k}_step_{i}(void *p, int n)", f"(void)p; return m{k}_pure_{i}(n, {i + 1});")
            self.function(f"static void m{k}_close_{i}(void *p)", "(void)p;")
            self.lines += [f"static const struct ops{table} m{k}_ops_{i} = {{m{k}_open_{i}, m{k}_step_{i}, m{k}_close_{i}}};", ""]
        self.both(f"struct m{k} *m{k}_new(int kind)", f"struct m{k} *s = calloc(1, sizeof *s);", "if (!s)", "    return 0;",
                  "pthread_mutex_init(&s->mu, 0);", "pthread_cond_init(&s->ready, 0);", "list_init(&s->all);", f"s->ops = kind ? &m{k}_ops_1 : &m{k}_ops_0;",
                  "s->limit = 100;", *(f"s->m{u} = m{u}_new(kind);" for u in lower[:1]), "return s;")
        self.both(f"void m{k}_free(struct m{k} *s)", *(f"m{u}_free(s->m{u});" for u in lower[:1]), "pthread_cond_destroy(&s->ready);",
                  "pthread_mutex_destroy(&s->mu);", "free(s);")
        self.both(f"int m{k}_get(struct m{k} *s)", lock, "int n = s->count;", unlock, "return n;")
        self.both(f"void m{k}_set(struct m{k} *s, int n)", lock, "s->count = n;", "s->state = n > 0;", unlock)
        self.both(f"int m{k}_wait(struct m{k} *s)", lock, "while (!s->done)", "    pthread_cond_wait(&s->ready, &s->mu);", "int n = s->count;", unlock, "return n;")
        self.both(f"void m{k}_finish(struct m{k} *s)", lock, "s->done = 1;", "pthread_cond_broadcast(&s->ready);", unlock)
        for i in range(2):
            self.both(f"int m{k}_run_{i}(struct m{k} *s, int n)", "int r = s->ops->open(s->context, n);", "if (r < 0)", "    return r;",
                      "for (int i = 0; i < n; i++)", "    r += s->ops->step(s->context, i);", "s->ops->close(s->context);", "return r;")
        for i in range(4):
            mistake = r.random() < 0.04
            self.both(f"int m{k}_work_{i}(struct m{k} *s, int n)", lock, f"int r = m{k}_locked_{i % 3}(s, n);", "if (r > s->limit) {",
                      *([] if mistake else ["    " + unlock]), "    return -1;", "}", "switch (n & 3) {", "case 0: s->state = 1; break;",
                      f"case 1: s->state = m{k}_pure_{i}(n, 2); break;", "default: s->total += n;", "}", unlock,
                      *(f"r += m{u}_work_{i}(s->m{u}, r);" for u in lower[:2]), "return r;")
        for i in range(3):
            self.both(f"int m{k}_under_{i}(struct m{k} *s, int n)", lock, f"s->total += m{k}_pure_{i}(n, 3);",
                      *(f"s->total += m{u}_get(s->m{u});" for u in lower[i:i + 1]), "int r = s->total > 0;", unlock, "return r;")
        self.prototype(f"int m{k}_walk(struct m{k} *s, int depth)")
        self.lines += [f"static int m{k}_visit(struct m{k} *s, int depth);", ""]
        self.function(f"int m{k}_walk(struct m{k} *s, int depth)", "if (depth <= 0)", "    return 0;", f"return m{k}_visit(s, depth - 1) + 1;")
        self.function(f"static int m{k}_visit(struct m{k} *s, int depth)", lock, "s->state = depth;", unlock, f"return m{k}_walk(s, depth - 1);")
        self.both(f"long m{k}_entry(int at)", f"pthread_mutex_lock(&table_{k}_mu);", f"long v = table_{k}[at & 15];", f"pthread_mutex_unlock(&table_{k}_mu);", "return v;")
        self.both(f"void m{k}_store(int at, long v)", f"pthread_mutex_lock(&table_{k}_mu);", f"table_{k}[at & 15] = v;", f"pthread_mutex_unlock(&table_{k}_mu);")
        self.both(f"int m{k}_try(struct m{k} *s)", "if (pthread_mutex_trylock(&s->mu) != 0)", "    return 0;", "s->count--;", "pthread_mutex_unlock(&s->mu);", "return 1;")
        if k % 97 == 5:
            self.function(f"static void *m{k}_thread(void *p)", f"struct m{k} *s = p;", f"m{k}_finish(s);", f"m{k}_work_0(s, 1);", "return 0;")
            self.both(f"int m{k}_start(struct m{k} *s)", "pthread_t t;", f"if (pthread_create(&t, 0, m{k}_thread, s) != 0)", "    return -1;",
                      f"int n = m{k}_wait(s);", "pthread_join(t, 0);", "return n;")
        i = 0
        while self.functions < PER_MODULE:
            callee = f"m{r.choice(lower)}" if lower else f"m{k}"
            what = r.choice([f"{callee}_entry(n)", f"(int)(size_t){callee}_new(n)", f"m{k}_pure_{i % 4}(n, {i + 1})", f"trace(\"m{k}\", n)"])
            self.both(f"int m{k}_misc_{i}(struct m{k} *s, int n)", "if (!s || n < 0)", "    return -1;", f"int r = (int){what};", "while (r > n)",
                      f"    r -= m{k}_pure_{(i + 1) % 4}(r, n);", f"m{k}_store(n, r);", "return r;")
            i += 1
        return "\n".join(self.lines)


def dense(directory, edges):
    """One table of n handlers, called in n places: n * n edges."""
    n = max(1, round(edges ** 0.5))
    lines = ["struct op { int (*run)(int); };"]
    lines += [f"static int h{i}(int n) {{ return n + {i}; }}" for i in range(n)]
    lines += ["static const struct op ops[] = {", *(f"    {{h{i}}}," for i in range(n)), "};"]
    lines += [f"int call{i}(int n) {{ return ops[n % {n}].run(n); }}" for i in range(n)]
    (directory / "dense.c").write_text("\n".join(lines) + "\n")
    return ["dense.c"]


def layered(directory, functions, seed):
    (directory / "base.h").write_text(BASE)
    names, count, roots = [], 0, []
    n = max(1, functions // PER_MODULE)
    for table in range((n - 1) // PER_TABLE + 1):
        (directory / f"ops{table}.h").write_text(OPS.format(table))
    for k in range(n):
        m = Module(k, seed)
        text = m.source()
        (directory / f"m{k}.c").write_text(text)
        (directory / f"m{k}.h").write_text(m.header())
        names.append(f"m{k}.c")
        count += m.functions
        if 2 * k >= n:
            roots.append(k)
    lines = [f'#include "m{k}.h"' for k in roots] + ["int main(void)", "{", "    int r = 0;"]
    for k in roots:
        lines += [f"    struct m{k} *p{k} = m{k}_new(0);", f"    r += m{k}_work_0(p{k}, 1) + m{k}_run_0(p{k}, 2) + m{k}_walk(p{k}, 3);", f"    m{k}_free(p{k});"]
    (directory / "main.c").write_text("\n".join([*lines, "    return r;", "}", ""]))
    return names + ["main.c"], count + 1


def make(directory, functions, seed=1, edges=0, compiler="clang"):
    """Write the program and its compile database; returns the number of functions."""
    directory = Path(directory).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    names, count = (dense(directory, edges), 2 * round(edges ** 0.5)) if edges else layered(directory, functions, seed)
    rows = [{"directory": str(directory), "file": str(directory / name), "arguments": [compiler, "-O2", "-pthread", "-c", name, "-o", name[:-1] + "o"]}
            for name in names]
    (directory / "compile_commands.json").write_text(json.dumps(rows, indent=1))
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write a synthetic program")
    parser.add_argument("directory")
    parser.add_argument("--functions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dense", type=int, default=0, metavar="EDGES", help="instead: a program of so many call edges")
    options = parser.parse_args()
    print(make(options.directory, options.functions, options.seed, options.dense), "functions")
