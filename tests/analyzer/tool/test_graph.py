# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""aglet graph: the lock graph and the yield calls as DOT, as SVG with Graphviz, and a sentence without it. Stands on case.py."""
import shutil

from case import Project, check, finish

SOURCE = """#include <pthread.h>
void nap(void) __attribute__((annotate("aglet:yields()")));
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
void one(void) {
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
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
    check("the edge with its evidence", '"a" -> "b" [label="one, x.c:6", color=red];' in locks.stdout, locks.stdout)
    check("and the way back", '"b" -> "a" [label="two, x.c:12", color=red];' in locks.stdout, locks.stdout)
    yields = p.aglet("graph", "-p", ".", "--what=yields")
    check("calls that yield", '"two" -> "nap" [label="x.c:15"];' in yields.stdout, yields.stdout)
    wrong = p.aglet("graph", "-p", ".", "--what=cats")
    check("a wrong graph is said", wrong.returncode == 2 and "not 'cats'" in wrong.stderr, wrong.stderr)
    svg = p.aglet("graph", "-p", ".", "--what=locks.svg")
    if shutil.which("dot"):
        check("drawn", svg.returncode == 0 and "<svg" in svg.stdout and "one, x.c:6" in svg.stdout, svg.stdout[:300])
    else:
        check("no Graphviz is said", svg.returncode == 2 and "install graphviz" in svg.stderr, svg.stderr)

finish()
