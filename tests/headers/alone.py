# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each public header compiles alone and without a word, and so do its macros in use (every_use.c, every_use.cpp): C99 to
C23 and C++11 to C++20, gcc and the oldest and the newest Clang, bare and seen by the checker.

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
    what, text, compiler, standard, view = job
    command = [compiler, "-x", "c++" if "++" in standard else "c", f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic",
               "-Wshadow", "-Werror", *view, *(f"-I{include}" for include in includes), "-fsyntax-only", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    return None if done.returncode == 0 and not done.stderr else f"FAILED {what}: {' '.join(command)}\n{done.stderr[:1500]}"


C, CXX = ("c99", "gnu99", "c11", "gnu17", "c2x"), ("c++11", "c++17", "gnu++20")
units = [(header, f"#include <{header}>\nextern int unit;\n", C + CXX[1:2]) for header in headers]
units += [(use, (Path(__file__).parent / use).read_text(), standards) for use, standards in (("every_use.c", C), ("every_use.cpp", CXX))]
jobs = [(what, text, pair["++" in standard], standard, view) for what, text, standards in units for pair in compilers
        for standard in standards for view in ([], ["-D__AGLET__"])]
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    failures = [result for result in pool.map(compile_alone, jobs) if result]
print(f"{len(headers)} headers, {len(jobs)} compilations, {len(failures)} failed")
print("\n".join(failures[:20]))
sys.exit(bool(failures) or len(headers) < 2)
