#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A user's program is compiled with -fsanitize=thread, and linked with the checked library as it is installed, which is not.

  installed.py COMPILER CHECKED_FOLDER [PROGRAM.c...]

Each program must be compiled, end with 0 and draw no report, of ThreadSanitizer or of Aglet. A program that has a list of cases
(`list` prints them) is run with `all right`, and once for each case with `racy`, which ThreadSanitizer must find.
Stands on setarch: older versions of the sanitizer cannot use every layout of newer kernels."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RACE = "WARNING: ThreadSanitizer: data race"
LIMIT = 60
# What the programs of tests/runtime need, and those that cannot be run so.
NEEDS = {"runtime": ["-I", str(ROOT / "tests/support"), "-lcmocka"]}
NOT_HERE = {
    "test_lock_fork": "the sanitizer allows no threads in a child of fork",
    "test_mutex_checked": "looks at the first of two reports while the second may be made",
    "test_stack_checked": "the sanitizer tells of stack overflows itself",
    "test_task_faults": "has a malloc of its own",
    "test_task_fork": "the sanitizer allows no threads in a child of fork",
}


TRIES = 40  # for a race to be seen: some orders of the two sides hide it


def run(program, *arguments):
    try:
        # Locks that are misused on purpose are Aglet's to report.
        options = "detect_deadlocks=0:atexit_sleep_ms=50" + (":report_mutex_bugs=0" if program.name.endswith("_checked") else "")
        done = subprocess.run(["setarch", "-R", str(program), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=LIMIT,
                              env={**os.environ, "TSAN_OPTIONS": options})
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        return "none in time", (late.stdout or b"").decode(errors="replace")


def main():
    compiler, checked, sources = sys.argv[1], sys.argv[2], [Path(s).resolve() for s in sys.argv[3:]]
    failed, looked = [], 0

    def expect(title, right, text):
        nonlocal looked
        looked += 1
        if not right:
            failed.append(title)
            print(f"== {title}\n{text}")

    with tempfile.TemporaryDirectory(prefix="aglet-tsan-") as folder:
        for source in sources:
            text = source.read_text()
            wrong = re.search(r"^ \* (Needs .*|Run +(alone|preload|checked exits [1-9]).*)", text, re.M)
            if source.stem in NOT_HERE or wrong:
                print(f"left out: {source.stem}: {NOT_HERE.get(source.stem) or wrong[1]}")
                continue
            program = Path(folder, source.stem)
            built = subprocess.run(
                [compiler, "-fsanitize=thread", "-g", "-O1", "-pthread", "-w", "-D_GNU_SOURCE", "-I", str(ROOT / "runtime/include"),
                 "-I", str(ROOT / "annotations/include"), str(source), "-L", checked, f"-Wl,-rpath,{checked}", "-laglet",
                 *NEEDS.get(source.parent.name, []), "-o", str(program)], capture_output=True, text=True)
            if built.returncode:
                expect(f"{source.stem} is compiled", False, built.stderr)
                continue
            has_cases = "handed list | " in text
            status, text = run(program, *(["all", "right"] if has_cases else []))
            expect(f"{source.stem}: status {status}, expected 0 and silence",
                   status == 0 and "ThreadSanitizer" not in text, text)
            for case in run(program, "list")[1].split() if has_cases else []:
                for _ in range(TRIES):  # which of the two comes first, and on which worker, is chance
                    status, text = run(program, case, "racy")
                    if RACE in text:
                        break
                expect(f"{source.stem}, {case}: a planted race is found", RACE in text, f"status {status}\n{text}")
    print(f"{compiler}: {len(sources)} programs, {looked} looks, {len(failed)} not as they must be")
    sys.exit("\n".join(failed) if failed or not looked else 0)


if __name__ == "__main__":
    main()
