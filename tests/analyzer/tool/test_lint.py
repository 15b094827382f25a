# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The lint's own work around the analysis: what is parsed again and what not, order, selection, outputs. Stands on case.py."""
import json
import os
import re
import shutil
import time
from pathlib import Path

from case import CLEAN, LEAK, Project, check, expect, finish, need_extractor

need_extractor()


def counts(done):
    match = re.search(r"\((\d+) parsed, (\d+) from the cache(?:, (\d+) from objects)?\)", done.stderr)
    return tuple(int(n) for n in match.groups("0")) if match else None


def age(p, *names):
    """As if written a minute ago, so that times alone are trusted."""
    for name in names:
        os.utime(p.path / name, (time.time() - 60, time.time() - 60))


# ---- order: the same bytes for any number of jobs, with and without the cache
with Project({f"f{i:02}.c": LEAK.replace("f(", f"f{i}(") for i in range(12)}) as p:
    outputs = {(j, c): p.lint(f"--jobs={j}", *c) for j in (1, 2, 7) for c in (("--no-cache",), ())}
    texts = {(d.stdout, d.returncode) for d in outputs.values()}
    check("output does not depend on jobs or the cache", len(texts) == 1 and "lock-leak" in next(iter(texts))[0], str(texts)[:2000])
    for form in ("json", "sarif", "html"):
        one, two = p.lint(f"--format={form}", "-j1"), p.lint(f"--format={form}", "-j5", "--no-cache")
        check(f"{form} neither", one.stdout == two.stdout and one.returncode == 1 and len(one.stdout) > 100, one.stderr)
    to_file = p.lint("--output=out.txt")
    check("--output holds what standard output would", Path(p.path, "out.txt").read_text().count("lock-leak") == 12 and not to_file.stdout,
          to_file.stdout)

# ---- the cache
with Project({"a.c": '#include "both.h"\n' + CLEAN, "b.c": '#include "both.h"\n#include "b.h"\nint g(void) { return 0; }\n', "both.h": "#define BOTH 1\n",
              "b.h": "/* b */\n"}) as p:
    age(p, "a.c", "b.c", "both.h", "b.h")
    check("first all is parsed", counts(p.lint()) == (2, 0, 0))
    check("then nothing", counts(p.lint()) == (0, 2, 0))
    done = p.lint("-v")
    check("and no content is read", "nothing changed, the findings are those kept" in done.stderr and ", 0 for their contents" in done.stderr, done.stderr)
    age(p, "b.h")
    p.write("b.h", "/* changed */\n")
    check("a header changed: its users alone", counts(p.lint()) == (1, 1, 0))
    p.write("both.h", "#define BOTH 2\n")
    check("a header of both changed", counts(p.lint()) == (2, 0, 0))
    Path(p.path, "both.h").touch()
    check("touched only: nothing", counts(p.lint()) == (0, 2, 0))
    p.database([p.row("a.c", "-DX=1"), p.row("b.c")])
    check("a macro given: that file", counts(p.lint()) == (1, 1, 0))
    p.database([p.row("a.c", "-DX=1", "-Wall", "-o", "elsewhere.o"), p.row("b.c")])
    check("a warning and an output: nothing", counts(p.lint()) == (0, 2, 0))
    check("--no-cache: all", counts(p.lint("--no-cache")) == (2, 0, 0))
    p.write("sub/keep", "")
    p.database([p.row("a.c", "-DX=1", "-Isub"), p.row("b.c")])
    p.write("a.c", "#if __has_include(<late.h>)\n#include <late.h>\n#endif\n" + CLEAN)
    check("another include path: that file", counts(p.lint()) == (1, 1, 0))
    p.write("sub/late.h", "int late;\n")
    check("a header appears where one was looked for", counts(p.lint()) == (1, 1, 0))
    age(p, "a.c")
    before = p.lint()
    p.write(".aglet.yml", "rules: {lock-leak: off}\n")
    check("the configuration is no reason to parse", counts(p.lint()) == (0, 2, 0))

# ---- selection
with Project({"a.c": LEAK, "sub/b.c": LEAK.replace("f(", "g("), "third_party/c.c": LEAK.replace("f(", "h(")}) as p:
    def files(done):
        return sorted(set(re.findall(r"([\w/]+\.c):\d+:\d+: warning", done.stdout)))

    def ends(done, *names):
        found = files(done)
        return len(found) == len(names) and all(f.endswith(n) for f, n in zip(found, names))

    check("all files", ends(p.lint(), "a.c", "sub/b.c", "third_party/c.c"), p.lint().stdout)
    check("named files only", ends(p.lint("sub/b.c"), "sub/b.c"))
    check("--exclude a directory", ends(p.lint("--exclude=third_party"), "a.c", "sub/b.c"))
    check("--exclude a glob", ends(p.lint("--exclude=*/*.c"), "a.c"))
    check("--rules another", p.lint("--rules=double-lock").returncode == 0)
    check("with flags and no database", ends(p.aglet("lint", "a.c", "--", "-DX"), "a.c"))
    p.run("git", "init", "-q")
    p.write(".gitignore", ".cache\n")
    p.run("git", "add", "-A")
    p.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "one")
    expect("nothing changed since HEAD", p.lint("--only-changed-since=HEAD"), 0)
    p.write("sub/b.c", "/* changed */\n" + Path(p.path, "sub/b.c").read_text())
    check("only what changed since HEAD", ends(p.lint("--only-changed-since=HEAD"), "sub/b.c"))
    expect("no such revision", p.lint("--only-changed-since=nowhere"), 2, "git knows no revision 'nowhere' here")

# ---- the configuration
with Project({"a.c": LEAK}) as p:
    p.write(".aglet.yml", "rules: {lock-leak: off}\n")
    check("that of the working directory", p.lint().returncode == 0)
    done = p.run("sh", "-c", f"cd / && '{p.command}' lint -p '{p.path}'")
    check("from elsewhere that of the database", done.returncode == 0, done.stdout + done.stderr)
    p.write("other.yml", "level: default\n")
    check("--config instead", p.lint("--config=other.yml").returncode == 1)

# ---- rows as build systems write them
# ---- a baseline updated by a run that does not judge the whole program loses nothing
TWO = {"a.c": LEAK, "b.c": LEAK.replace("f(", "g(")}
with Project(TWO) as p:
    p.lint("--baseline=base", "--update-baseline")
    whole = (p.path / "base").read_text()
    check("two entries", whole.count("lock-leak") == 2, whole)
    for narrower in (["a.c"], ["--rules=copy"], ["--exclude=b.c"]):
        done = p.lint("--baseline=base", "--update-baseline", *narrower)
        check(f"{narrower}: all entries stay", done.returncode == 0 and (p.path / "base").read_text() == whole, done.stderr + (p.path / "base").read_text())
    p.write("b.c", TWO["b.c"] + "broken")
    done = p.lint("--baseline=base", "--update-baseline")
    check("also where a file does not parse", done.returncode == 2 and (p.path / "base").read_text() == whole, done.stderr + (p.path / "base").read_text())
    p.write("b.c", TWO["b.c"].replace("g(", "h("))
    p.lint("--baseline=base", "--update-baseline", "b.c")
    check("what is new is added", (p.path / "base").read_text().startswith(whole) and (p.path / "base").read_text().count("\n") == whole.count("\n") + 1)
    p.lint("--baseline=base", "--update-baseline")
    check("the whole program's run drops what is gone", (p.path / "base").read_text().count("lock-leak") == 2 and "b.c g" not in (p.path / "base").read_text())

# ---- a build outside the source directory: its names lead up and down again, those of the findings do not
HEADER = LEAK.replace("int f(", "static inline int in_header(")
with Project({"src/a.c": '#include "../include/h.h"\nint g(int n) { return in_header(n); }\n', "include/h.h": HEADER, "elsewhere/inner/x": "",
              "build/x": ""}, database=False) as p:
    if shutil.which("git"):
        p.run("git", "init", "-q")
        p.run("git", "add", "-A")
        p.run("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all")
        p.write("include/h.h", HEADER + "\n")
    for name in ("../src/a.c", "../src/../src/./a.c", f"{p.path}/build/../src/a.c"):
        p.database([{"directory": str(p.path / "build"), "file": name, "arguments": ["cc", "-I../build/../include", "-c", name]}])
        done = p.lint("--no-cache", "--format=json")
        check(f"no '..' in what is found by {name}", [f["file"] for f in json.loads(done.stdout or '{"findings": []}')["findings"]] == ["include/h.h"], done.stdout + done.stderr)
        check("a pattern leaves it out", p.lint("--exclude=include").returncode == 0)
        check("and the file", "1 C file is excluded" in p.lint("--exclude=src/a.c").stderr)
        if shutil.which("git"):
            check("git's name for it is the same", p.lint("--only-changed-since=HEAD").returncode == 1)
    Path(p.path, "build/link").symlink_to("../elsewhere/inner")
    p.write("elsewhere/b.c", LEAK)
    p.write("b.c", "not this one")
    p.database([{"directory": str(p.path / "build"), "file": f"{p.path}/elsewhere/b.c", "arguments": ["cc", "-c", "link/../b.c"]}])
    done = p.lint("--no-cache")
    check("behind a symbolic link the name stays", done.returncode == 1 and "build/link/../b.c:7:9: warning" in done.stdout, done.stdout + done.stderr)

with Project({"a.c": '#ifndef WITH\n#error no macro\n#endif\nconst char *name = NAME;\n' + CLEAN, "rsp": "-DWITH -DNAME='\"a b\"'\n"}) as p:
    here = str(p.path)
    rows = {
        "arguments": {"arguments": ["gcc", "-DWITH", '-DNAME="x"', "-c", "a.c"]},
        "command": {"command": "gcc -DWITH '-DNAME=\"a b\"' -c a.c -o a.o"},
        "escaped": {"command": 'gcc -DWITH -DNAME=\\"a\\ b\\" -c a.c'},
        "response file": {"command": "gcc @rsp -c a.c"},
        "launcher": {"command": "ccache gcc @rsp -c a.c"},
        "gcc's own options": {"command": "gcc @rsp -fconserve-stack -fno-tree-vectorize -mpreferred-stack-boundary=4 -fno-ipa-cp-clone "
                                         "-Wno-maybe-uninitialized -Wlogical-op -fanalyzer -specs=x -c a.c"},
        "dependency files": {"command": "gcc @rsp -MMD -MP -MF x.d -MT x.o -Wp,-MD,y.d -c a.c -o x.o"},
        "a cross compiler": {"command": "aarch64-linux-gnu-gcc-12 @rsp -ffreestanding -c a.c"},
        "a relative directory": {"directory": ".", "command": "gcc @rsp -c a.c"},
        "compile and link": {"command": "gcc @rsp a.c -o prog -lm"},
    }
    for name, row in rows.items():
        p.database([{"directory": here, "file": "a.c", **row}])
        done = p.lint("--no-cache")
        check(f"a row: {name}", done.returncode == 0 and counts(done) == (1, 0, 0), done.stderr)

finish()
