# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of the aglet command share: a scratch project with a compile database, a way to run the command in it,
and checks that name what they looked at. Stands on the built command; without an extractor the tests say so and are skipped.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

AGLET, ROOT = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
LIB = AGLET.parents[1] / "lib/aglet"
FAILURES = []
CHECKS = 0

CLEAN = "int f(int n) { return n + 1; }\n"
LEAK = """#include <pthread.h>
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
int f(int n)
{
    pthread_mutex_lock(&mu);
    if (n < 0)
        return -1;
    pthread_mutex_unlock(&mu);
    return 0;
}
"""


def extractors():
    return sorted(LIB.glob("aglet-extract-*"), key=lambda p: int(p.name.rsplit("-", 1)[1]))


def need_extractor():
    if not extractors():
        print("skipped: no extractor is built (no Clang with its headers was found)")
        sys.exit(77)
    if subprocess.run([AGLET, "lint", "--help"], capture_output=True).returncode != 0:
        print("skipped: this build of the command has no lint")
        sys.exit(77)
    return extractors()[-1]


def check(name, good, detail=""):
    global CHECKS
    CHECKS += 1
    if not good:
        FAILURES.append(name)
        print(f"FAILED  {name}\n{detail}")


def finish():
    print(f"{CHECKS} checks, {len(FAILURES)} failed")
    sys.exit(bool(FAILURES) or CHECKS == 0)


class Project:
    """A directory with sources; `files` maps names to texts, each C file gets a row of the database."""

    command = AGLET

    def __init__(self, files=None, database=True):
        self.path = Path(tempfile.mkdtemp(prefix="aglet-tool-")).resolve()
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("AGLET_") or k == "AGLET_CLANG_MAJOR"}
        self.environment["AGLET_CACHE_DIR"] = str(self.path / ".cache")
        for name, text in (files or {}).items():
            self.write(name, text)
        if database:
            self.database([self.row(n) for n in (files or {}) if Path(n).suffix in (".c", ".cc", ".cpp", ".S")])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def row(self, name, *flags, compiler="cc"):
        return {"directory": str(self.path), "file": name, "arguments": [compiler, f"-I{ROOT}/annotations/include", *flags, "-c", name]}

    def database(self, rows):
        self.write("compile_commands.json", rows if isinstance(rows, str) else json.dumps(rows))

    def run(self, *arguments, **environment):
        return subprocess.run([str(a) for a in arguments], cwd=self.path, env={**self.environment, **environment}, text=True,
                              errors="replace", stdin=subprocess.DEVNULL, capture_output=True, timeout=120)

    def aglet(self, *arguments, **environment):
        return self.run(AGLET, *arguments, **environment)

    def lint(self, *arguments, **environment):
        return self.aglet("lint", *arguments, **environment)


def expect(name, done, status, *sentences, absent=()):
    """Exit status, and each sentence as a whole line or a line's beginning on standard error; never a crash."""
    lines = done.stderr.splitlines()
    wrong = [] if done.returncode == status else [f"exit status {done.returncode}, not {status}"]
    wrong += [f"not said: {s}" for s in sentences if not any(line.startswith(f"aglet: {s}") or line.startswith(s) for line in lines)]
    wrong += [f"said: {s}" for s in absent if s in done.stderr]
    check(name, not wrong, "\n".join(f"  {w}" for w in wrong) + f"\n--- out\n{done.stdout}--- err\n{done.stderr}")
