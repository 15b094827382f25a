# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Annotated code is edited, one cache for all of it: what annotations name is looked at in each run, and what they say is kept like all else.
After each edit the lint says what one with an empty cache says, to the byte, and is checked by itself (AGLET_CHECK_MEMO). Stands on case.py.
"""
import difflib
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import caches
from case import Project, check, finish, need_extractor

need_extractor()
PROLOGUE = "#include <pthread.h>\n#include <aglet/annotations.h>\n"
HEADER = PROLOGUE + """extern pthread_mutex_t gate_mu;
struct dev;
struct gate { void (*enter)(void) AGLET_ACQUIRES(gate_mu); void (*leave)(void) AGLET_RELEASES(gate_mu); };
struct ops { void (*go)(struct dev *d) AGLET_REQUIRES(d->box->mu); };
void twice(const struct gate *g);
void each(const struct ops *o, struct dev *d);
void wrong(const struct ops *o, struct dev *d);
int get(struct dev *d) AGLET_REQUIRES(d->box->mu);
void put(struct dev *d, int n) AGLET_EXCLUDES(d->box->mu);
"""
GATE = '#include "all.h"\n' + """void twice(const struct gate *g) { g->enter(); g->enter(); g->leave(); g->leave(); }
"""
MAKE = '#include "all.h"\n' + """pthread_mutex_t gate_mu;
void make(void);
void make(void) {
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, PTHREAD_MUTEX_NORMAL);
    pthread_mutex_init(&gate_mu, &a);
}
"""
DEV = '#include "all.h"\n' + """struct box { pthread_mutex_t mu; int n; };
struct dev { struct box *box; };
int get(struct dev *d) { return d->box->n; }
void put(struct dev *d, int n) {
    pthread_mutex_lock(&d->box->mu);
    d->box->n = n;
    get(d);
    pthread_mutex_unlock(&d->box->mu);
}
"""
EACH = '#include "all.h"\n' + "void each(const struct ops *o, struct dev *d) { o->go(d); }\n"
OTHER = '#include "all.h"\n' + """void other(const struct ops *o, struct dev *d);
void other(const struct ops *o, struct dev *d) { int a = 1; (void)a; each(o, d); put(d, get(d)); }
"""
FILES = {"all.h": HEADER, "gate.c": GATE, "make.c": MAKE, "dev.c": DEV, "each.c": EACH, "other.c": OTHER}


class Words(Project):
    def judge(self, what, *rules):
        """What is said now; `rules` are told of it, all others are not."""
        cache, copy = self.path / ".cache", self.path / ".cache-checked"
        cache.mkdir(exist_ok=True)
        caches.link(cache, copy)
        checked = self.lint("--level=2", f"--cache={copy}", AGLET_CHECK_MEMO="1")
        check(f"{what}: checked", checked.returncode in (0, 1), checked.stderr)
        warm = self.lint("--format=json", "--level=2", "-v")
        cold = self.lint("--format=json", "--level=2", "--no-cache")
        lines = difflib.unified_diff(cold.stdout.splitlines(), warm.stdout.splitlines(), "from nothing", "with the cache", lineterm="")
        check(f"{what}: as from nothing", (warm.returncode, warm.stdout) == (cold.returncode, cold.stdout), "\n".join([*lines][:60]) + warm.stderr)
        told = sorted({r for r in re.findall(r'"rule": "([a-z-]+)"', cold.stdout)})
        check(f"{what}: is said", told == sorted(rules), f"{told}\n{cold.stdout}")
        return [int(n) for n in (re.findall(r"of (\d+) steps of solving, (\d+) were known", warm.stderr) or [(0, 0)])[0]]

    def edit(self, name, old, new):
        text = (self.path / name).read_text()
        assert text.count(old) == 1, (name, old)
        self.write(name, text.replace(old, new))


with Words(FILES) as p:
    p.judge("as it is", "double-lock", "requires")
    p.edit("make.c", "MUTEX_NORMAL", "MUTEX_RECURSIVE")
    p.judge("the lock that a pointer takes may be taken twice", "requires")
    p.edit("other.c", "int a = 1;", "int a = 2;")
    asked, known = p.judge("one function", "requires")
    check("functions with annotations of their own are known, and those that call annotated pointers", known == asked - 1 and asked > 4, f"{known} of {asked}")
    p.edit("dev.c", "struct box { pthread_mutex_t mu; int n; }", "struct box { pthread_mutex_t lock; int n; }")
    p.edit("dev.c", "lock(&d->box->mu);\n    d", "lock(&d->box->lock);\n    d")
    p.edit("dev.c", "unlock(&d->box->mu)", "unlock(&d->box->lock)")
    p.judge("a lock that annotations name in other files is called something else", "annotation")
    p.edit("other.c", "int a = 2;", "int a = 3;")
    p.judge("and it is told again when another file is edited", "annotation")
    p.edit("dev.c", "pthread_mutex_t lock; int n; }", "pthread_mutex_t lock, mu; int n; }")
    p.judge("there is one of the old name again", "requires")

# A function of a header belongs to the first unit that has it, which may be another after an edit.
INLINE = {"s.h": PROLOGUE + """struct s { pthread_mutex_t mu; int n; };
static inline void take(struct s *p) { pthread_mutex_lock(&p->mu); }
static inline void give(struct s *p) { pthread_mutex_unlock(&p->mu); }
""", "a.c": '#include "s.h"\n' + "void a(struct s *p);\nvoid a(struct s *p) { take(p); p->n++; give(p); }\n",
          "b.c": '#include "s.h"\n' + "void b(struct s *p);\nvoid b(struct s *p) { p->n++; give(p); }\n",
          "c.c": '#include "s.h"\n' + "void b(struct s *p);\nvoid c(struct s *p);\nvoid c(struct s *p) { take(p); p->n++; give(p); b(p); }\n"}
with Words(INLINE) as p:
    p.judge("a header's functions", "unlock-unheld")
    p.write("a.c", '#include "s.h"\nint a;\n')
    p.judge("a header's functions in another unit first", "unlock-unheld")
finish()
