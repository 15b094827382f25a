#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs every program of this folder, wrong and mended, in both forms, under Aglet and its peers, each under a time
limit, and prints who found what.

  matrix.py --build BUILD [--aglet-only] [--docs docs/detectors.md] [NAME...]

With names the page keeps its other rows, as long as their programs exist: the whole takes some twelve minutes.

Aglet's own rows are the test: the exit status is 1 unless each wrong program is reported under the rule its first
comment names, no mended twin is reported, and none hangs. AGLET_CC and AGLET_EMULATOR are for another processor: the
compiler, and the command that runs its programs."""
import argparse, glob, os, re, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LIMIT = 10
CC = os.environ.get("AGLET_CC", "gcc")
EMULATOR = os.environ.get("AGLET_EMULATOR", "").split()
OPTIONS = {"long-hold": "max_hold_ms=50"}
PLAIN = ["-g", "-O1", "-pthread", "-w", "-D_GNU_SOURCE"]


def run(command, env=None, limit=LIMIT):
    try:
        p = subprocess.run(command, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=limit, text=True, errors="replace")
        return p.returncode, p.stdout
    except subprocess.TimeoutExpired as e:
        out = e.stdout or b""
        return None, out.decode(errors="replace") if isinstance(out, bytes) else out


def compile_to(out, source, *flags, compiler):
    r, text = run([compiler, *PLAIN, source, *flags, "-o", out], limit=120)
    if r != 0:
        sys.exit(f"matrix: {compiler} cannot compile {source}:\n{text}")


class Runner:
    def __init__(self, build, work):
        self.build, self.work = build, work
        self.checked = os.path.join(build, "lib", "aglet", "checked")
        self.preload = os.path.join(build, "lib", "aglet", "libaglet_preload.so")
        self.include = ["-I" + os.path.join(ROOT, "runtime/include"), "-I" + os.path.join(ROOT, "annotations/include")]

    def program(self, source, tag, *flags, compiler=CC):
        out = os.path.join(self.work, os.path.basename(source)[:-2] + "." + tag)
        if not os.path.exists(out):
            compile_to(out, source, *flags, compiler=compiler)
        return out

    def aglet_form(self, source, mended):
        name = os.path.basename(source)[:-2]
        p = self.program(source, "aglet" + str(mended), "-DFORM_AGLET", *(["-DMENDED"] if mended else []),
                         *self.include, "-L" + self.checked, "-laglet", "-Wl,-rpath," + self.checked)
        env = {"AGLET_OPTIONS": OPTIONS.get(name, "")}
        if name in ("freed-held", "pthread-lock-across-yield"):  # a free, or a pthread lock, must be seen by somebody
            env["LD_PRELOAD"] = self.preload
        return run([*EMULATOR, p], env)

    def plain(self, source, mended, *flags, tag="plain", compiler=CC):
        return self.program(source, tag + str(mended), *flags, *(["-DMENDED"] if mended else []), compiler=compiler)

    def aglet_run(self, source, mended):
        name = os.path.basename(source)[:-2]
        return run([*EMULATOR, self.plain(source, mended)], {"LD_PRELOAD": self.preload, "AGLET_OPTIONS": OPTIONS.get(name, "")})

    def tsan(self, compiler):
        def go(source, mended):
            p = self.plain(source, mended, "-fsanitize=thread", tag="tsan-" + compiler, compiler=compiler)
            # Some kernels lay memory out in a way this sanitizer of some years ago cannot use.
            return run(["setarch", "-R", p])
        return go

    def valgrind(self, tool):
        return lambda source, mended: run(["valgrind", "--tool=" + tool, "--error-exitcode=66", "-q",
                                           self.plain(source, mended)], limit=3 * LIMIT)

    def errorcheck(self, source, mended):
        return run([self.plain(source, mended, "-DERRORCHECK", tag="errorcheck")])


def verdict(result, found):
    code, text = result
    if found(code, text):
        return "found, hangs" if code is None else "found"
    return "hangs" if code is None else "silent"


def write_table(page, columns, lines):
    """The rows in `lines`, by program, stand in the page's table; so do those it had of other programs that exist."""
    with open(page) as f:
        old = f.read()
    begin, end = "<!-- matrix -->\n", "<!-- end of matrix -->"
    before, rest = old.split(begin)
    table, after = rest.split(end)
    kept = {name: line + "\n" for line in table.splitlines() for name in re.findall(r"^\| `([^`]+)`", line)
            if os.path.exists(os.path.join(HERE, name + ".c"))}
    head = "| program | rule | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 2) + "|\n"
    lines = {**kept, **lines}
    with open(page, "w") as f:
        f.write(before + begin + head + "".join(lines[name] for name in sorted(lines)) + end + after)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--aglet-only", action="store_true")
    parser.add_argument("--docs")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    sources = sorted(s for s in glob.glob(os.path.join(HERE, "*.c"))
                     if not arguments.names or os.path.basename(s)[:-2] in arguments.names)
    if not sources:
        sys.exit("matrix: no programs found")
    work = tempfile.mkdtemp(prefix="aglet-detectors-")
    runner = Runner(os.path.abspath(arguments.build), work)
    for needed in (os.path.join(runner.checked, "libaglet.so"), runner.preload):
        if not os.path.exists(needed):
            sys.exit(f"matrix: {needed} is not built")
    peers = []
    if not arguments.aglet_only:
        for title, tool, go, found in (
                ("TSan gcc", "gcc", runner.tsan("gcc"), lambda c, t: "WARNING: ThreadSanitizer" in t),
                ("TSan clang", "clang", runner.tsan("clang"), lambda c, t: "WARNING: ThreadSanitizer" in t),
                ("Helgrind", "valgrind", runner.valgrind("helgrind"), lambda c, t: "==" in t and "Thread #" in t),
                ("DRD", "valgrind", runner.valgrind("drd"), lambda c, t: "==" in t),
                ("ERRORCHECK", "gcc", runner.errorcheck, lambda c, t: c == 3)):
            if shutil.which(tool):
                peers.append((title, go, found))
            else:
                print(f"matrix: {title} left out: {tool} is not installed")
    columns = ["Aglet's API", "aglet run"] + [p[0] for p in peers]
    rows, bad, looked = [], 0, 0
    for source in sources:
        name = os.path.basename(source)[:-2]
        with open(source) as f:
            text = re.sub(r"\s+\*?\s*", " ", f.read(4000))  # a comment may be wrapped anywhere
        rule = re.search(r"Finds: ([a-z-]+)", text).group(1)
        only_api = "Only with Aglet's API" in text
        said = lambda code, out: code == 66 and f"[aglet-{rule}]" in out
        anything = lambda code, out: code != 0 or "[aglet-" in out
        cells = []
        for form, go in (("API", runner.aglet_form), ("run", runner.aglet_run)):
            if form == "run" and only_api:
                cells.append("–")
                continue
            wrong, twin = go(source, 0), go(source, 1)
            looked += 2
            cell = verdict(wrong, said)
            if cell != "found":
                bad += 1
                print(f"matrix: {name}, {form}: {cell}; expected {rule}\n{wrong[1]}")
            if verdict(twin, anything) != "silent":
                bad += 1
                cell += ", twin accused"
                print(f"matrix: {name}, {form}: the mended twin: {verdict(twin, anything)}\n{twin[1]}")
            cells.append(cell)
        for title, go, found in peers:
            if only_api:
                cells.append("–")
                continue
            cell = verdict(go(source, 0), found)
            twin = verdict(go(source, 1), found)
            if twin != "silent":
                cell += ", twin hangs" if twin == "hangs" else ", twin accused"
            cells.append(cell)
        rows.append((name, rule, cells))
        print(f"{name:28} {rule:20} " + " | ".join(f"{c:22}" for c in cells), flush=True)
    shutil.rmtree(work)
    if arguments.docs:
        write_table(arguments.docs, columns, {n: f"| `{n}` | `{r}` | " + " | ".join(c) + " |\n" for n, r, c in rows})
    print(f"matrix: {len(rows)} programs, {looked} runs under Aglet, {bad} not as they must be")
    return 1 if bad or not looked else 0


if __name__ == "__main__":
    sys.exit(main())
