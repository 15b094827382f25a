# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""aglet cc as the compiler of real build systems: make, configure, CMake, ccache; and the units that travel in objects.
Stands on case.py and on a plugin that was built."""
import json
import os
import re
import shlex
import shutil
from pathlib import Path

from case import AGLET, CLEAN, LEAK, LIB, ROOT, Project, check, expect, finish, need_extractor

need_extractor()
if not list(LIB.glob("aglet-clang-*.so")):
    print("skipped: no plugin is built")
    raise SystemExit(77)

CC = f"{AGLET} cc"
AGLET_CC = AGLET.parent / "aglet-cc"
MAIN = "int f(int n);\nint main(void) { return f(0); }\n"

# ---- one file
with Project({"a.c": LEAK, "main.c": MAIN}) as p:
    done = p.aglet("cc", "-c", "a.c", "-o", "a.o")
    check("a finding is a warning of the compilation", done.returncode == 0 and "[aglet-lock-leak]" in done.stderr, done.stderr)
    p.write("all.rsp", "-c a.c -o 'r s.o' -Werror\n")
    check("a source named in a response file", p.aglet("cc", "--record=rsp.json", "@all.rsp").returncode == 1)
    row = json.loads(Path(p.path, "rsp.json").read_text())[0]
    check("is recorded without it, which builds remove", row["file"] == "a.c" and row["arguments"][1:] == ["-c", "a.c", "-o", "r s.o", "-Werror"], str(row))
    check("-Werror makes it an error", p.aglet("cc", "-Werror", "-c", "a.c").returncode == 1)
    done = p.aglet("cc", "-w", "-c", "a.c")
    check("-w makes it silent", done.returncode == 0 and not done.stderr, done.stderr)
    done = p.aglet("cc", "a.c", "main.c", "-o", "prog", "-pthread")
    check("compile and link in one", done.returncode == 0 and p.run("./prog").returncode == 0, done.stderr)
    done = p.aglet("cc", "a.o", "main.c", "-o", "prog2")
    check("objects and sources", done.returncode == 0 and p.run("./prog2").returncode == 0, done.stderr)
    done = p.aglet("cc", "a.o", "-shared", "-o", "x.so")
    check("a link alone says nothing", done.returncode == 0 and not done.stderr, done.stderr)
    check("an error's status is Clang's", p.aglet("cc", "-c", "gone.c").returncode == 1)
    done = p.aglet("cc", "-E", "a.c")
    check("-E prints the source", "pthread_mutex_lock" in done.stdout and done.returncode == 0)
    check("--version is Clang's", "clang version" in p.aglet("cc", "--version").stdout)
    check("-dumpmachine is Clang's", p.aglet("cc", "-dumpmachine").stdout.count("-") >= 2)
    done = p.aglet("cc", "-fconserve-stack", "-fno-tree-vectorize", "-Wlogical-op", "-Werror", "-c", "main.c", "-o", "m.o")
    check("gcc's own options do not stop it", done.returncode == 0 and not done.stderr, done.stderr)
    done = p.aglet("cc", "-S", "a.c", "-o", "a.s")
    check("-S", done.returncode == 0 and Path(p.path, "a.s").exists(), done.stderr)
    done = p.aglet("cc", "-c", "a.s", "-o", "from_s.o")
    check("assembling what -S wrote", done.returncode == 0, done.stderr)
    done = p.aglet("cc", "-c", "a.c", "-o", "a.o", AGLET_OFF="1")
    check("AGLET_OFF=1 leaves the plugin out", done.returncode == 0 and not done.stderr, done.stderr)
    expect("no such Clang", p.aglet("cc", "-c", "a.c", AGLET_CLANG="nowhere"), 2, "AGLET_CLANG is 'nowhere', which is no program in PATH")
    fake = p.write("clang", '#!/bin/sh\necho "clang version 99.0.0"\n')
    fake.chmod(0o755)
    expect("a Clang without its plugin", p.aglet("cc", "-c", "a.c", AGLET_CLANG=str(fake)), 2,
           f"'{fake}' is Clang 99, for which there is no plugin (aglet-clang-99.so); build Aglet for it, or choose another")

# ---- rows with clang's inner command, as bear writes them
with Project({"a.c": "#ifndef WITH\n#error no macro\n#endif\n" + LEAK}) as p:
    inner = shlex.split(p.aglet("cc", "-###", "-DWITH", "-g", "-O2", "-c", "a.c", "-o", "a.o").stderr.splitlines()[-1])
    check("-### gives the inner command", inner[1] == "-cc1", str(inner))
    row = {"directory": str(p.path), "file": "a.c", "arguments": inner}
    p.database([row])
    done = p.lint("--no-cache")
    check("an inner command alone is analysed", done.returncode == 1 and "[aglet-lock-leak]" in done.stdout, done.stderr)
    p.database([{**row, "arguments": ["clang", "-DWITH", "-c", "a.c"]}, row])
    done = p.lint("--no-cache")
    check("beside the driver's it is the same file again", "1 file analysed" in done.stderr and done.returncode == 1, done.stderr)

# ---- probes of a configuration say nothing and are not recorded
with Project({"conftest.c": LEAK, "a.c": LEAK}) as p:
    for probe in ("conftest.c", "CMakeFiles/CMakeTmp/x.c", "CMakeFiles/CMakeScratch/TryCompile-1/src.c", "meson-private/tmp1/testfile.c"):
        p.write(probe, LEAK)
        done = p.aglet("cc", "--record=db.json", "-c", probe, "-o", "x.o")
        check(f"a probe is silent: {probe}", done.returncode == 0 and not done.stderr and not Path(p.path, "db.json").exists(), done.stderr)

# ---- a plain make, in parallel, recorded
MAKEFILE = "OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))\nprog: $(OBJECTS)\n\t$(CC) -o $@ $^ -pthread\n%.o: %.c\n\t$(CC) $(CFLAGS) -c $< -o $@\n"
files = {f"f{i}.c": LEAK.replace("f(", f"f{i}(") for i in range(1, 9)}
with Project({**files, "f.c": LEAK, "main.c": MAIN, "Makefile": MAKEFILE}, database=False) as p:
    done = p.run("make", "-j8", f"CC={CC}", AGLET_RECORD=str(p.path / "compile_commands.json"))
    check("make CC='aglet cc'", done.returncode == 0 and done.stderr.count("[aglet-lock-leak]") == 9, done.stderr)
    rows = json.loads(Path(p.path, "compile_commands.json").read_text())
    check("every compilation is recorded", sorted(r["file"] for r in rows) == sorted([*files, "f.c", "main.c"]), str(rows))
    done = p.lint()
    check("and lints out of the objects: nothing is parsed", "(0 parsed, 0 from the cache, 10 from objects)" in done.stderr, done.stderr)
    check("with the same findings", done.stdout.count("[aglet-lock-leak]") == 9 and done.returncode == 1, done.stdout)
    parsed = p.lint("--no-cache", "--no-objects")
    check("as from the sources", parsed.stdout == done.stdout, parsed.stdout + done.stdout)
    p.write("f1.c", "/* another */\n" + files["f1.c"])
    done = p.lint("--no-cache")
    check("an object older than its source is not used", "(1 parsed, 0 from the cache, 9 from objects)" in done.stderr, done.stderr)
    # ---- link
    done = p.aglet("link", *sorted(x.name for x in p.path.glob("*.o")))
    check("aglet link over the objects", done.returncode == 1 and done.stdout.count("[aglet-lock-leak]") == 9 and "10 units" in done.stderr, done.stderr)
    p.run("ar", "rc", "lib.a", *sorted(x.name for x in p.path.glob("f*.o")))
    done = p.aglet("link", "lib.a", "main.o", "f1.o")
    check("aglet link over an archive, an object named twice", done.returncode == 1 and "10 units" in done.stderr, done.stderr)
    p.run("ld", "-r", "-o", "all.o", *sorted(x.name for x in p.path.glob("*.o")))
    done = p.aglet("link", "all.o")
    check("aglet link over ld -r", done.returncode == 1 and "10 units" in done.stderr, done.stderr)
    p.run("gcc", "-c", "main.c", "-o", "bare.o")
    done = p.aglet("link", "f.o", "bare.o")
    check("an object without graphs is said", "'bare.o' carries no event graphs" in done.stderr and "not known whole" in done.stderr and done.returncode == 1, done.stderr)
    check("nothing of it stays in the program", b".aglet" not in Path(p.path, "prog").read_bytes())

# ---- configure
CONFIGURE = """#!/bin/sh
# What autoconf's output does with its compiler: every word on its standard error counts as a complaint.
cat >conftest.c <<'END'
#include <pthread.h>
static pthread_mutex_t m;
int main(void) { pthread_mutex_lock(&m); return 0; }
END
$CC -c conftest.c >conftest.out 2>conftest.err || exit 1
[ ! -s conftest.err ] || { cat conftest.err; exit 1; }
$CC conftest.c -o conftest -pthread 2>conftest.err && ./conftest || exit 1
[ ! -s conftest.err ] || exit 1
$CC -E conftest.c 2>conftest.err | grep -q pthread_mutex_lock || exit 1
[ ! -s conftest.err ] || exit 1
$CC -V >/dev/null 2>&1; $CC --version >/dev/null || exit 1
! $CC -fno-such-option-exists -c conftest.c 2>/dev/null || exit 1
echo configured
"""
with Project({}, database=False) as p:
    p.write("configure", CONFIGURE).chmod(0o755)
    done = p.run("./configure", CC=CC)
    check("configure finds a silent compiler", done.stdout == "configured\n", done.stdout + done.stderr)
    if shutil.which("autoconf"):
        p.write("configure.ac", "AC_INIT([x],[1])\nAC_PROG_CC\nAC_CHECK_HEADERS([pthread.h])\nAC_CHECK_FUNCS([pthread_create])\nAC_OUTPUT\n")
        p.run("autoconf", "-f")
        done = p.run("./configure", CC=CC)
        check("autoconf's configure too", done.returncode == 0 and "aglet" not in done.stderr, done.stdout + done.stderr)

# ---- CMake
if shutil.which("cmake"):
    with Project({"f.c": LEAK, "main.c": MAIN, "CMakeLists.txt": "cmake_minimum_required(VERSION 3.16)\nproject(x C)\nfind_package(Threads REQUIRED)\n"
                  "add_executable(x f.c main.c)\ntarget_link_libraries(x Threads::Threads)\n"}, database=False) as p:
        done = p.run("cmake", "-S", ".", "-B", "b", f"-DCMAKE_C_COMPILER={AGLET_CC}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
        check("CMake takes aglet-cc for a Clang", done.returncode == 0 and "Clang" in done.stdout, done.stdout + done.stderr)
        done = p.run("cmake", "--build", "b")
        check("and builds with it", done.returncode == 0 and "[aglet-lock-leak]" in done.stdout + done.stderr, done.stdout + done.stderr)
        done = p.lint("-p", "b")
        check("and the lint reads its database and objects", "2 from objects" in done.stderr and done.returncode == 1, done.stderr)

# ---- ccache: a hit brings the graphs back
if shutil.which("ccache"):
    with Project({"f.c": LEAK, "main.c": MAIN}, database=False) as p:
        environment = {"CCACHE_DIR": str(p.path / "ccache")}
        rows = []
        for name in ("f.c", "main.c"):
            rows.append({"directory": str(p.path), "file": name, "arguments": ["ccache", "aglet-cc", "-c", name, "-o", name[0] + ".o"]})
        p.database(rows)

        def build():
            for name in ("f.c", "main.c"):
                done = p.run("ccache", AGLET_CC, "-c", name, "-o", name[0] + ".o", **environment)
                check(f"ccache aglet-cc {name}", done.returncode == 0, done.stderr)

        build()
        for name in ("f.o", "m.o"):
            Path(p.path, name).unlink()
        build()
        stats = p.run("ccache", "--print-stats", **environment).stdout
        hits = sum(int(n) for n in re.findall(r"^(?:direct|preprocessed)_cache_hit\s+(\d+)", stats, re.M))
        check("the second build is hits", hits == 2, stats)
        shutil.rmtree(p.path / ".cache", ignore_errors=True)
        done = p.lint()
        check("with an empty cache of ours, the graphs are there: nothing is parsed", "(0 parsed, 0 from the cache, 2 from objects)" in done.stderr
              and "[aglet-lock-leak]" in done.stdout, done.stderr + done.stdout)
else:
    print("skipped in part: ccache is not installed")

finish()
