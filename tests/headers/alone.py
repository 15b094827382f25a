# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each public header compiles alone and without a word: C11 to C23 and C++17, every installed compiler, bare and seen
by the checker.

Stands on the compilers found; usage: alone.py ANNOTATIONS_INCLUDE RUNTIME_INCLUDE
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys
from pathlib import Path

includes = sys.argv[1:]
headers = sorted(path.relative_to(include) for include in includes for path in Path(include).glob("aglet/**/*.h"))
compilers = [("gcc", "g++")] + [(f"clang-{n}", f"clang++-{n}") for n in range(14, 30)]
compilers = [pair for pair in compilers if shutil.which(pair[0]) and shutil.which(pair[1])]
compilers = compilers[:2] + compilers[-1:]  # gcc, the oldest and the newest Clang


def compile_alone(job):
    header, compiler, standard, view = job
    command = [compiler, "-x", "c++" if "++" in standard else "c", f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic",
               "-Werror", *view, *(f"-I{include}" for include in includes), "-fsyntax-only", "-"]
    done = subprocess.run(command, input=f"#include <{header}>\nextern int unit;\n", capture_output=True, text=True)
    return None if done.returncode == 0 and not done.stderr else f"FAILED {header}: {' '.join(command)}\n{done.stderr[:1500]}"


jobs = [(header, pair["++" in standard], standard, view) for header in headers for pair in compilers
        for standard in ("c11", "gnu17", "c2x", "c++17") for view in ([], ["-D__AGLET__"])]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    failures = [result for result in pool.map(compile_alone, jobs) if result]
print(f"{len(headers)} headers, {len(jobs)} compilations, {len(failures)} failed")
print("\n".join(failures[:20]))
sys.exit(bool(failures) or len(headers) < 2)
