# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every macro in its places compiles without a word: each installed compiler, C99 to C23 and C++, bare and seen
by the checker; and the checker's view holds one annotation for each macro written.

Stands on the compilers found; usage: silent.py INCLUDE every_macro.c
"""
import re
import shutil
import subprocess
import sys

include, source = sys.argv[1:3]
warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{include}"]
compilers = [("gcc", "g++")] + [(f"clang-{n}", f"clang++-{n}") for n in range(14, 30)]
compilers = [pair for pair in compilers if shutil.which(pair[0]) and shutil.which(pair[1])]
standards = [("c99", 0), ("gnu99", 0), ("c11", 0), ("c17", 0), ("c2x", 0), ("c++17", 1), ("gnu++20", 1)]

runs, failures = 0, 0
for pair in compilers:
    for standard, is_cxx in standards:
        for view in ([], ["-D__AGLET__"]):
            command = [pair[is_cxx], "-x", "c++" if is_cxx else "c", f"-std={standard}", *warnings, *view,
                       "-fsyntax-only", source]
            runs += 1
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode or done.stderr:
                failures += 1
                print("FAILED", *command, "\n" + done.stderr)

text = open(source, encoding="utf-8").read()
written = len(re.findall(r"\bAGLET_[A-Z_]+\b", re.sub(r"/\*.*?\*/", "", text, flags=re.S)))
for clang in [pair[0] for pair in compilers if pair[0] != "gcc"]:
    def kept(*flags):
        done = subprocess.run([clang, "-std=c11", f"-I{include}", *flags, "-E", "-P", source],
                              capture_output=True, text=True, check=True)
        return done.stdout.count("annotate(")
    runs += 1
    if kept("-D__AGLET__") != written or kept() != 0:
        failures += 1
        print(f"FAILED {clang}: {kept('-D__AGLET__')} of {written} annotations kept, {kept()} left when bare")

print(f"{len(compilers)} compilers, {runs} runs, {failures} failed")
sys.exit(bool(failures) or len(compilers) < 2)
