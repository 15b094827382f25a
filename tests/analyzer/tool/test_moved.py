# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An edit that leaves the code as it is and only moves it solves nothing again, and says all that a run from nothing says of the file as
it is now. An edit of code is solved. Stands on case.py.
"""
import re

from case import Project, check, finish, need_extractor

need_extractor()

HEADER = """#include <assert.h>
#include <pthread.h>
struct shared {
    pthread_mutex_t mu;
    struct { long tries; } count;
    union { int plain; long wide; };
};
extern struct shared all;
void add(struct shared *s, long n);
"""
ADD = """#include "shared.h"
struct shared all = {PTHREAD_MUTEX_INITIALIZER, {0}, {0}};
void add(struct shared *s, long n)
{
    assert(n > 0);
    pthread_mutex_lock(&s->mu);
    if (n > 100)
        return;
    s->count.tries += n;
    pthread_mutex_unlock(&s->mu);
}
"""
MAIN = """#include "shared.h"
#include <stdlib.h>
static void *work(void *arg) { add(arg, random()); return arg; }
int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, work, &all);
    add(&all, random());
    pthread_join(t, NULL);
    pthread_mutex_lock(&all.mu);
    pthread_mutex_lock(&all.mu);
    return 0;
}
"""
FILES = {"shared.h": HEADER, "add.c": ADD, "main.c": MAIN}
PROGRAMS = "programs:\n  tool: [main.c, add.c]\n  other: [add.c]\n"
MOVED = "no code changed, only where it stands"


def edit(name, old, new):
    return {**FILES, name: FILES[name].replace(old, new, 1)}


def both(what, before, after, moved, found=2, config=None):
    """Lint one version, then the other; and the other from nothing: they agree to the letter."""
    with Project(before) as p:
        if config:
            p.write(".aglet.yml", config)
        first = p.lint("-v", "--format=json")
        for name, text in after.items():
            p.write(name, text)
        second = p.lint("-v", "--format=json")
        afresh = p.lint("-v", "--format=json", "--no-cache")
        shown = p.lint()
        solved = len(re.findall("solved in", second.stderr))
        check(f"{what}: {'moved' if moved else 'solved'}", (MOVED in second.stderr) == moved and (solved == 0) == moved, second.stderr)
        check(f"{what}: the first run was solved", "solved in" in first.stderr and MOVED not in first.stderr, first.stderr)
        check(f"{what}: as from nothing", second.stdout == afresh.stdout and second.returncode == afresh.returncode,
              second.stdout + afresh.stdout)
        check(f"{what}: {found} findings", shown.stdout.count("[aglet-") == found, shown.stdout)


both("a line above", FILES, edit("add.c", "void add", "/* A comment\n   of two lines. */\nvoid add"), True)
both("white space within a line", FILES, edit("add.c", "    if (n > 100)\n        return;", "    if (n   >   100)   return;"), True)
both("a line in a header", FILES, edit("shared.h", "struct shared {", "\n\n\nstruct shared {"), True)
both("lines taken out of several files", {**edit("add.c", "{", "{\n\n"), "main.c": "\n\n" + MAIN}, FILES, True)
both("more digits in a line's number", FILES, edit("shared.h", "struct shared {", "\n" * 120 + "struct shared {"), True)
both("several programs", FILES, edit("add.c", "void add", "\nvoid add"), True, config=PROGRAMS)
both("a comment that accepts a finding", FILES, edit("add.c", "        return;", "        return; /* aglet-ignore lock-leak: on purpose */"), True)
both("a comment that no longer does", edit("add.c", "        return;", "        return; /* aglet-ignore lock-leak: on purpose */"), FILES, True)
both("code", FILES, edit("add.c", "    if (n > 100)\n        return;\n", ""), False, found=1)
both("code that moved past other code", FILES,
     edit("main.c", "    pthread_mutex_lock(&all.mu);\n    return 0;", "    return 0;"), False, found=2)
both("two places that became one line of a macro", FILES,
     edit("add.c", "    if (n > 100)\n        return;", "#define OUT return\n    if (n > 100)\n        OUT;"), False)

# What it was found by is gone, or damaged: solved again, and nothing is lost.
for what, kind in ("units", "u"), ("findings", "r"):
    with Project(FILES) as p:
        p.lint()
        for name, text in edit("add.c", "void add", "\nvoid add").items():
            p.write(name, text)
        for path in (p.path / ".cache" / kind).rglob("*"):
            if path.is_file():
                path.write_bytes(path.read_bytes()[:-9] + b"\0" * 9)
        damaged = p.lint("-v", "--format=json")
        check(f"damaged {what}: solved", MOVED not in damaged.stderr and "solved in" in damaged.stderr, damaged.stderr)
        check(f"damaged {what}: as from nothing", damaged.stdout == p.lint("--format=json", "--no-cache").stdout, damaged.stdout)

finish()
