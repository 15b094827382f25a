# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""graph, boundaries, infer and explain-type over two programs of one database: each program in turn, or the one that --program names.
Stands on case.py. Both programs have the file queue.c; one of them keeps a member's lock everywhere, the other does not."""
import json

from case import Project, check, expect, finish, need_extractor

need_extractor()
QUEUE_H = """#include <pthread.h>
struct queue {
    pthread_mutex_t mu;
    int n;
    int peak;
};
void queue_put(struct queue *q);
int queue_n(struct queue *q);
"""
QUEUE = """#include "queue.h"
void queue_put(struct queue *q)
{
    pthread_mutex_lock(&q->mu);
    q->n++;
    q->peak = q->n > q->peak ? q->n : q->peak;
    pthread_mutex_unlock(&q->mu);
}
int queue_n(struct queue *q) { return q->n; }
"""
MAIN = """#include "queue.h"
struct job { FIELD; struct queue *q; };
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static void *ENTRY(void *p)
{
    struct job *job = p;
    pthread_mutex_lock(&mu);
    queue_put(job->q);
    pthread_mutex_unlock(&mu);
    return NULL;
}
int main(void)
{
    static struct queue q = {PTHREAD_MUTEX_INITIALIZER, 0, 0};
    static struct job job;
    pthread_t t;
    job.q = &q;
    pthread_create(&t, NULL, ENTRY, &job);
    pthread_mutex_lock(&q.mu);
    int n = queue_n(&q);
    pthread_mutex_unlock(&q.mu);
    TOUCH
    pthread_join(t, NULL);
    return n;
}
"""


def main(field, entry, touch=""):
    return MAIN.replace("FIELD", field).replace("ENTRY", entry).replace("TOUCH", touch)


FILES = {"queue.h": QUEUE_H, "queue.c": QUEUE, "server.c": main("int id", "serve"), "tool.c": main("long id", "work", "q.peak = 0;")}


def links(p, programs, where=""):
    rows = [p.row(name) for name in sorted({name for names in programs.values() for name in names})]
    p.database([{**row, "output": row["file"].replace(".c", ".o")} for row in rows])
    p.write("link_commands.json", json.dumps([
        {"directory": str(p.path), "arguments": ["cc", "-o", where + name, *[f.replace(".c", ".o") for f in files]]}
        for name, files in programs.items()]))


def added(patch):
    return [line[1:].strip() for line in patch.splitlines() if line.startswith("+") and not line.startswith("+++")]


TWO = {"server": ["server.c", "queue.c"], "tool": ["tool.c", "queue.c"]}
with Project(FILES, database=False) as p:
    links(p, TWO)
    server, tool = f"{p.path}/server", f"{p.path}/tool"

    both = p.aglet("boundaries")
    check("boundaries: each program with its name", both.returncode == 0 and [line for line in both.stdout.splitlines() if "spawns" in line or
          line.startswith("program")] == [f"program '{server}':", "server.c:18: main: spawns job to serve: lent",
                                          f"program '{tool}':", "tool.c:18: main: spawns job to work: lent"], both.stdout + both.stderr)
    one = p.aglet("boundaries", "--program", "tool")
    check("boundaries: one of them", one.returncode == 0 and "to work" in one.stdout and "serve" not in one.stdout, one.stdout + one.stderr)

    dot = p.aglet("graph")
    check("graph: one picture of both", dot.stdout.count("digraph") == 1 and f'label="program \'{server}\'"' in dot.stdout and
          '"1: mu" -> "1: struct queue.mu"' in dot.stdout and '"2: mu" -> "2: struct queue.mu"' in dot.stdout and
          dot.stdout.count("queue_put") == 0, dot.stdout + dot.stderr)
    one = p.aglet("graph", "--program", server)
    check("graph: one, by its whole path", "server.c:8" in one.stdout and "tool.c" not in one.stdout and '"mu" -> ' in one.stdout,
          one.stdout + one.stderr)

    inferred = p.aglet("infer")
    check("infer: what both keep, once", inferred.returncode == 0 and
          [line for line in added(inferred.stdout) if "AGLET_" in line] == ["int n AGLET_GUARDED_BY(mu);", "int queue_n(struct queue *q) AGLET_REQUIRES(q->mu);"],
          inferred.stdout + inferred.stderr)
    inferred = p.aglet("infer", "--program", "server")
    check("infer: what the one keeps", "int peak AGLET_GUARDED_BY(mu);" in added(inferred.stdout), inferred.stdout + inferred.stderr)

    explained = p.aglet("explain-type", "struct job")
    check("explain-type: two types of one name", explained.returncode == 0 and f"program '{server}':\nserver.c:2:8: struct job\n" in explained.stdout and
          f"program '{tool}':\ntool.c:2:8: struct job\n" in explained.stdout, explained.stdout + explained.stderr)
    explained = p.aglet("explain-type", "struct job", "--program=tool")
    check("explain-type: as one sees it", explained.stdout.startswith("tool.c:2:8: struct job\n") and "server" not in explained.stdout, explained.stdout)
    explained = p.aglet("explain-type", "struct queue")
    check("explain-type: one type of both is told once", explained.stdout.count("queue.h:2:8") == 1 and "program" not in explained.stdout, explained.stdout)

    expect("no such program", p.aglet("graph", "--program", "srv"), 2, f"there is no program 'srv'; there are '{server}', '{tool}'")
    expect("a part of a name is no name", p.aglet("graph", "--program", "erver"), 2, "there is no program 'erver'")
    expect("--program and files", p.aglet("graph", "--program", "tool", "tool.c"), 2, "aglet graph: --program chooses the files")
    expect("explain-type: no such program", p.aglet("explain-type", "struct job", "--program", "x"), 2, "there is no program 'x'")

    links(p, {"a/server": TWO["server"], "b/server": TWO["tool"]})
    expect("two of one name", p.aglet("boundaries", "--program", "server"), 2,
           f"2 programs are called 'server': '{p.path}/a/server', '{p.path}/b/server'")
    check("told apart by more of the path", "to work" in p.aglet("boundaries", "--program", "b/server").stdout)

    links(p, {"server": TWO["server"]})
    p.database([{**p.row(name), "output": name.replace(".c", ".o")} for name in ("server.c", "tool.c", "queue.c")])
    rest = p.aglet("boundaries")
    check("what no program holds comes last", "files of no program:\ntool.c:18" in rest.stdout, rest.stdout + rest.stderr)

    p.write(".aglet.yml", "programs:\n  first: [server.c, queue.c]\n  second: [tool.c, queue.c]\n")
    named = p.aglet("boundaries", "--program", "second")
    check("named by .aglet.yml", "to work" in named.stdout and "serve" not in named.stdout, named.stdout + named.stderr)

with Project({"x.c": "int f(int n) { return n; }\n"}) as p:
    expect("no programs are known", p.aglet("graph", "--program", "x"), 2, "no program 'x' is known: neither .aglet.yml names programs")

START = """#include <pthread.h>
struct job { int n; };
static void *work(void *p) { return p; }
static void *serve(void *p) { struct job *j = p; j->n++; return 0; }
int main(void)
{
    struct job j = {0};
    pthread_t a, b, c;
    pthread_create(&a, 0, work, 0);
    pthread_create(&b, 0, work, (void *)(long)3);
    pthread_create(&c, 0, serve, &j);
    pthread_join(a, 0);
    pthread_join(b, 0);
    pthread_join(c, 0);
    return j.n;
}
"""
with Project({"x.c": START}) as p:
    listed = p.aglet("boundaries")
    check("a null pointer and a number carry nothing", listed.stdout.splitlines() == [
        "x.c:9: main: spawns nothing to work: nothing is handed over", "x.c:10: main: spawns nothing to work: nothing is handed over",
        "x.c:11: main: spawns j to serve: lent",
        "3 hand-offs, 3 of them to a known function or queue: 0 sent, 1 lent, 0 shared, 0 unknown, 2 of nothing"], listed.stdout + listed.stderr)

finish()
