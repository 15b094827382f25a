# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""aglet graph: the lock graph and the yield calls as DOT, as SVG with Graphviz, and a sentence without it. Stands on case.py."""
import shutil

from case import Project, check, finish

SOURCE = """#include <pthread.h>
void nap(void) __attribute__((annotate("aglet:yields()")));
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER, third = PTHREAD_MUTEX_INITIALIZER;
void one(void) {
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&third);
    pthread_mutex_unlock(&third);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
}
void two(void) {
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    nap();
}
"""
with Project({"x.c": SOURCE}) as p:
    locks = p.aglet("graph", "-p", ".")
    check("it is a graph", locks.returncode == 0 and locks.stdout.startswith("digraph locks {"), locks.stdout + locks.stderr)
    check("the edge with its evidence", '"a" -> "b" [label="one, x.c:6", color=red, fontcolor=red];' in locks.stdout, locks.stdout)
    check("and the way back", '"b" -> "a" [label="two, x.c:14", color=red, fontcolor=red];' in locks.stdout, locks.stdout)
    check("an edge of no cycle", '"a" -> "third" [label="one, x.c:7"];' in locks.stdout, locks.stdout)
    check("in the box of its file", 'label="x.c";\n    "a" [label="a"];' in locks.stdout, locks.stdout)
    cycles = p.aglet("graph", "-p", ".", "--what=cycles")
    check("the cycle alone", "third" not in cycles.stdout and '"a" -> "b"' in cycles.stdout, cycles.stdout)
    yields = p.aglet("graph", "-p", ".", "--what=yields")
    check("calls that yield", '"two" -> "nap" [label="x.c:17"];' in yields.stdout, yields.stdout)
    wrong = p.aglet("graph", "-p", ".", "--what=cats")
    check("a wrong graph is said", wrong.returncode == 2 and "not 'cats'" in wrong.stderr, wrong.stderr)
    svg = p.aglet("graph", "-p", ".", "--what=locks.svg")
    if shutil.which("dot"):
        check("drawn", svg.returncode == 0 and "<svg" in svg.stdout and "one, x.c:6" in svg.stdout, svg.stdout[:300])
    else:
        check("no Graphviz is said", svg.returncode == 2 and "install graphviz" in svg.stderr, svg.stderr)

# The places of one edge are told together, the first two of them in its label; static locks of one name are two.
MANY = """#include <pthread.h>
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
extern pthread_mutex_t log_mu;
""" + "".join(f"void f{i}(void) {{ pthread_mutex_lock(&mu); pthread_mutex_lock(&log_mu); pthread_mutex_unlock(&log_mu); "
              "pthread_mutex_unlock(&mu); }\n" for i in range(4))
with Project({"x.c": MANY, "y.c": MANY.replace("void f", "void g")}) as p:
    locks = p.aglet("graph", "-p", ".").stdout
    check("four places, two shown", '"mu" -> "log_mu" [label="f0, x.c:4\\nf1, x.c:5\\nand 2 more"' in locks, locks)
    check("all under the mouse", 'tooltip="f0, x.c:4\\nf1, x.c:5\\nf2, x.c:6\\nf3, x.c:7"' in locks, locks)
    check("one name, two locks", '"mu (2)" -> "log_mu" [label="g0, y.c:4' in locks and '"mu (2)" [label="mu"]' in locks, locks)

finish()
