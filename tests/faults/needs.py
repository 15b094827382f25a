#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The release library needs libc alone and asks nobody for functions of the checker; both libraries have one SONAME and
export the same functions. Usage: needs.py RELEASE CHECKED."""
import os, re, subprocess, sys

release, checked = sys.argv[1:3]


def text(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def exported(library):
    return {line.split()[-1] for line in text("nm", "-D", "--defined-only", library).splitlines() if " T " in line}


errors = []
needed = set(re.findall(r"NEEDED.*\[(.*)\]", text("readelf", "-d", release)))
if needed - {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}:
    errors.append(f"the release library needs {sorted(needed)}")
own = re.findall(r" U ((?:check|order|record|thread|waits|misuse|symbol)_\w+)$", text("nm", "-D", release), re.M)
if own:
    errors.append(f"the release library asks for {own}")
names = {re.search(r"SONAME.*\[(.*)\]", text("readelf", "-d", library)).group(1) for library in (release, checked)}
if names != {"libaglet.so.1"}:
    errors.append(f"the SONAMEs are {sorted(names)}")
missing = exported(release) - exported(checked)
here = os.path.dirname(os.path.abspath(__file__))
with open(here + "/../../runtime/src/checked/blocking_calls.c") as f:
    stand_ins = set(re.findall(r"^STAND_IN(?:\(\w+, |_EXIT\()(\w+),", f.read(), re.M))
extra = {name for name in exported(checked) - exported(release) if not name.endswith("_")} - stand_ins
if not stand_ins or stand_ins - exported(checked):
    errors.append(f"not exported, so never called: {sorted(stand_ins - exported(checked))}")
if missing or extra:
    errors.append(f"only in release: {sorted(missing)}; only in checked: {sorted(extra)}")
foreign = {name for name in exported(release) if not name.startswith("aglet_")}
if foreign:
    errors.append(f"exported without the library's name: {sorted(foreign)}")
for error in errors:
    print(error)
print(f"needs: {len(exported(release))} functions looked at, {len(errors)} errors")
sys.exit(bool(errors) or not exported(release))
