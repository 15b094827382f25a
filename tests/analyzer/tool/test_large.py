# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Input whose size could hurt: wide structs, deep chains of types, rings of structs, long functions, many locks, many edges. Each is
analysed in bounded memory, at most ten times what Clang needs to parse it; what is given up is said, also when findings were kept.
Stands on case.py and Clang itself."""
import resource
import shutil
import subprocess

from case import Project, check, expect, finish, need_extractor

extractor = need_extractor()
CLANG = shutil.which("clang-" + extractor.name.rsplit("-", 1)[1])
HEAD = "#include <pthread.h>\nstruct s { pthread_mutex_t mu; int n, m; struct s *p, *q; };\nextern int g(int);\nextern void h(struct s *, int);\n"
LOCK, UNLOCK = "pthread_mutex_lock(&s->mu);\n", "pthread_mutex_unlock(&s->mu);\n"
RUN = "static void *run(void *p) {{ struct {0} *b = p; b->x++; return 0; }}\nint start(struct {0} *b) {{ pthread_t t; if (pthread_create(&t, 0, run, b)) return -1; b->x = 1; return 0; }}\n"
STATEMENTS = [LOCK, "s->n++;\n", "s->n += k;\n", "if (k == {0}) s->m = s->n;\n", UNLOCK, "k = k + 1;\n", "s->m = k * {0};\n", "h(s, k);\n", "k ^= {0};\n", "s->p = s->q;\n"]
HANDS = [LOCK, "s->n++;\n", "s->p = q = make(k);\n", "if (k == {0}) s->m = s->n;\n", UNLOCK, "if (!pthread_create(&t, 0, run, q)) pthread_detach(t);\n",
         "if (k > {0}) { q = make({0}); put(s, q); }\n", "if (pthread_create(&t, 0, run, s)) return 1;\n", "k ^= {0};\n", "pthread_join(t, 0);\n"]
HANDED = """#include <stdlib.h>
static struct s *make(int k) { struct s *q = calloc(1, sizeof *q); q->m = k; return q; }
static void put(struct s *s, struct s *q) { pthread_mutex_lock(&s->mu); q->p = s->q; s->q = q; pthread_mutex_unlock(&s->mu); }
static struct s *take(struct s *s) { pthread_mutex_lock(&s->mu); struct s *q = s->q; if (q) s->q = q->p; pthread_mutex_unlock(&s->mu); return q; }
static void *run(void *p) { struct s *s = p, *q = take(s); if (q) { q->n = 3; free(q); } return 0; }
int f(struct s *s, int k)
{
pthread_t t;
struct s *q = make(1);
"""


def ring(n):
    """n functions that may all call each other through one pointer."""
    return ("struct op { int (*run)(struct op *, int); struct op *next; int n; pthread_mutex_t mu; };\n" + "".join(
        f"int r{i}(struct op *o, int k) {{ pthread_mutex_lock(&o->mu); o->n += {i}; pthread_mutex_unlock(&o->mu); return k ? o->next->run(o->next, k - 1) : o->n; }}\n"
        for i in range(n)) + "void set(struct op *o, int k)\n{\nswitch (k) {\n" + "".join(f"case {i}: o->run = r{i}; break;\n" for i in range(n)) + "}\n}\n"
        "static void *run(void *p) { struct op *o = p; o->run(o, 3); return 0; }\nint start(struct op *o) { pthread_t t; return pthread_create(&t, 0, run, o); }\n")


CASES = {
    "a struct of 10,000 fields": "struct wide { pthread_mutex_t mu; int x;\n" + "".join(f"int f{i};\n" for i in range(10000)) + "};\n" + RUN.format("wide"),
    "a chain of 2,000 types": "struct t0 { int x; };\ntypedef int d0;\n" + "".join(
        f"struct t{i} {{ struct t{i - 1} *in; int x; }};\ntypedef d{i - 1} d{i};\n" for i in range(1, 2000)) + RUN.format("t1999") + "d1999 last;\n",
    "2,000 structs that name each other": "".join(
        f"struct r{i} {{ struct r{(i + 1) % 2000} *next; struct r{i * 7 % 2000} *other; int x; pthread_mutex_t mu; }};\n" for i in range(2000)) + RUN.format("r0"),
    "a function of 50,000 statements": "int f(struct s *s, int k)\n{\n" + "".join(STATEMENTS[i % 10].replace("{0}", str(i)) for i in range(50000)) + "return k;\n}\n",
    "2,000 structs, each in the next": "struct t0 { int x; };\n" + "".join(f"struct t{i} {{ struct t{i - 1} in; int x; }};\n" for i in range(1, 2000)) + RUN.format("t1999"),
    "a function of 50,000 statements with locks and hand-offs": HANDED + "".join(HANDS[i % 10].replace("{0}", str(i)) for i in range(50000)) + "return k;\n}\n",
    "150 functions that call each other through pointers": ring(150),
    "600 functions that call each other through pointers": ring(600),
    "20,000 ways out of one function": "int f(struct s *s)\n{\nint r = 0;\n" + "".join(f"r = g({i}); if (r) goto out;\n" for i in range(20000)) + LOCK + "s->n = r;\n" + UNLOCK + "out: return r;\n}\n",
    "3,000 nested loops": "int f(struct s *s, int k)\n{\n" + LOCK + "".join(
        f"for (int i = 0; i < k; i++) for (int j = 0; j < i; j++) {{ s->n += g(j); if (s->n > {i}) break; }}\n" for i in range(3000)) + UNLOCK + "return 0;\n}\n",
    "a switch of 10,000 cases in a loop": "int f(struct s *s, int k)\n{\nfor (;;) {\n" + LOCK + "switch (k) {\n" + "".join(
        f"case {i}: s->n = g({i}); k = s->n; break;\n" for i in range(10000)) + "}\n" + UNLOCK + "if (g(0)) return 1;\n}\n}\n",
    "a chain of 10,000 calls": "int f0(struct s *s)\n{\n" + LOCK + "int n = s->n;\n" + UNLOCK + "return n;\n}\n" + "".join(
        f"int f{i}(struct s *s) {{ return f{i - 1}(s) + 1; }}\n" for i in range(1, 10000)),
}
TOO_MANY = "extern struct s all[200];\nvoid f(void)\n{\n" + "".join(f"pthread_mutex_lock(&all[{i}].mu);\n" for i in range(200)) + "".join(
    f"pthread_mutex_unlock(&all[{i}].mu);\n" for i in range(200)) + "}\n"


def processor_time(command, **options):
    """What the command and its children took, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = command(**options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done


for name, text in CASES.items():
    with Project({"a.c": HEAD + text}) as p:
        parsing, _ = processor_time(lambda: subprocess.run([CLANG, "-fsyntax-only", "-w", "a.c"], cwd=p.path, check=True))
        took, done = processor_time(lambda: p.lint("--no-cache"))
        check(f"{name}: analysed", done.returncode <= 1 and "1 file analysed" in done.stderr, done.stderr[-500:])
        check(f"{name}: nothing is given up", "given up" not in done.stderr, done.stderr[-500:])
        check(f"{name}: at most ten times a parse", took <= 10 * parsing + 0.5, f"{took:.2f} s, Clang {parsing:.2f} s")

with Project({"a.c": HEAD + TOO_MANY}) as p:
    sentence = "1 function was given up by the lock-order rule, holding more than 64 locks at once: 'f'"
    expect("more locks held at once than are followed", p.lint(), 0, sentence, "1 file analysed (1 parsed")
    expect("… and it is said again of findings that were kept", p.lint(), 0, sentence, "1 file analysed (0 parsed")
finish()
