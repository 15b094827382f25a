# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""aglet run: unmodified programs under the checked runtime. Stands on case.py and the preload library."""
from pathlib import Path

from case import AGLET, LIB, ROOT, Project, check, expect, finish

if not (LIB / "libaglet_preload.so").exists():
    print("skipped: the preload library is not built")
    raise SystemExit(77)

PROGRAM = """#include <pthread.h>
#include <stdio.h>
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
int main(int argc, char **argv)
{
    pthread_mutex_lock(&a); pthread_mutex_lock(&b); pthread_mutex_unlock(&b); pthread_mutex_unlock(&a);
    if (WRONG) { pthread_mutex_lock(&b); pthread_mutex_lock(&a); pthread_mutex_unlock(&a); pthread_mutex_unlock(&b); }
    puts(argv[argc - 1]);
    return 7;
}
"""

OWN = """#include <aglet/mutex.h>
int main(void)
{
    static aglet_mutex mu;
    aglet_mutex_unlock(&mu);
    return 0;
}
"""

with Project({"x.c": PROGRAM, "own.c": OWN}, database=False) as p:
    for name, wrong in (("wrong", 1), ("right", 0)):
        done = p.run("cc", "-g", f"-DWRONG={wrong}", "x.c", "-o", name, "-pthread")
        check(f"{name} compiles", done.returncode == 0, done.stderr)
    done = p.aglet("run", "./wrong", "an argument")
    check("an inversion is reported", done.returncode == 66 and "[aglet-lock-order]" in done.stderr, done.stderr)
    check("the program's own output is its own", done.stdout == "an argument\n", done.stdout)
    done = p.aglet("run", "./right", "--help")
    check("its mended twin is quiet, its status and arguments its own", done.returncode == 7 and not done.stderr and done.stdout == "--help\n", done.stderr)
    check("--options", p.aglet("run", "--options", "exitcode=9", "./wrong").returncode == 9)
    check("--options wins over the environment", p.aglet("run", "--options=exitcode=9", "./wrong", AGLET_OPTIONS="exitcode=5").returncode == 9)
    check("and leaves its other words", p.aglet("run", "--options=halt_on_error=0", "./wrong", AGLET_OPTIONS="exitcode=5").returncode == 5)
    check("a program of PATH", p.aglet("run", "--", "echo", "x").stdout == "x\n")
    expect("no such program", p.aglet("run", "./nothing"), 127, "cannot run './nothing': No such file or directory")
    Path(p.path, "x.c").chmod(0o644)
    expect("no program", p.aglet("run", "./x.c"), 126, "cannot run './x.c': Permission denied")
    expect("an option nobody knows", p.aglet("run", "--fast", "./right"), 2, "aglet run does not know '--fast'; options come before the program, see aglet run --help")
    for flag in ("-static", "-static-pie"):
        done = p.run("cc", flag, "-DWRONG=1", "x.c", "-o", "static", "-pthread")
        check(f"{flag} compiles", done.returncode == 0, done.stderr)
        expect(f"a program linked with {flag}", p.aglet("run", "./static", "x"), 2,
               "cannot check './static': it is linked statically, so nothing can be preloaded; link it without -static")
    for sanitizer in ("address", "thread"):
        done = p.run("gcc", f"-fsanitize={sanitizer}", "-g", "-DWRONG=1", "x.c", "-o", sanitizer, "-pthread")
        if done.returncode != 0:
            print(f"skipped: gcc has no -fsanitize={sanitizer} here")
            continue
        # Some kernels lay memory out in a way ThreadSanitizer cannot use.
        done = p.run("setarch", "-R", AGLET, "run", f"./{sanitizer}", "an argument")
        check(f"gcc's -fsanitize={sanitizer} comes before the checker", done.returncode == 66 and done.stdout == "an argument\n" and
              "[aglet-lock-order]" in done.stderr, done.stderr)

    done = p.run("cc", "-g", "own.c", "-o", "own", f"-I{ROOT}/runtime/include", f"-I{ROOT}/annotations/include", f"-L{LIB.parent}",
                 f"-Wl,--enable-new-dtags,-rpath,{LIB.parent}", "-laglet")
    check("a program of libaglet compiles", done.returncode == 0, done.stderr)
    check("alone it runs with the release library", p.run("./own").returncode == 0)
    done = p.aglet("run", "./own")
    check("under aglet run with the checked one", done.returncode == 66 and "[aglet-unlock-unheld]" in done.stderr, done.stderr)

finish()
