#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What plain pthread programs do, under the preloaded checker. Usage: preload.py PLAIN PRELOAD OWN_MALLOC [COMMAND…]: with a command
(`aglet run`) the programs are started through it instead of LD_PRELOAD. Programs for another processor are run by the
command in AGLET_EMULATOR."""
import os, re, subprocess, sys, tempfile

plain, preload, own_malloc, command = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
emulator = os.environ.get("AGLET_EMULATOR", "").split()
quiet = ["forks", "forks-with-threads", "loads", "signals", "recursive", "errorcheck", "thousand-threads", "cancels",
         "exits-holding", "onces", "timed", "frees", "makes-anew-in-the-child", "barriers", "leaves-once", "kinds",
         "cancels-waits", "reuses-addresses", "chain-of-waits"]
finds = {"order": "lock-order", "c11": "lock-order", "small-stacks": "lock-order", "forks-after-a-report": "lock-order", "copies-held": "copy",
         "clears-held": "uninitialised-lock", "joins-each-other": "deadlock", "waits-at-a-barrier-alone": "deadlock",
         "waits-for-one-that-ends": "deadlock", "waits-in-the-child": "deadlock"}
quiescent = {"waits-at-a-barrier-alone"}  # under an emulator its own thread always runs
bad = []


def run(way, *libraries, options=""):
    env = {**os.environ, "AGLET_OPTIONS": options, "LD_PRELOAD": " ".join(([] if command else [preload]) + list(libraries))}
    try:
        p = subprocess.run([*command, *emulator, plain, way], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                           text=True, errors="replace")
        return p.returncode, p.stdout, p.stderr
    except subprocess.TimeoutExpired:
        return None, "", "hangs"


def must(what, condition, shown):
    if not condition:
        bad.append(what)
        print(f"preload: not so: {what}\n", *shown)


for way in quiet:
    r = run(way)
    must(f"{way}: quiet, to the end", r[0] == 0 and "came to the end" in r[1] and r[2] == "", r)
r = run("frees", own_malloc)
must("frees, to an allocator that tells no sizes: quiet, to the end", r[0] == 0 and "came to the end" in r[1] and r[2] == "", r)
r = run("process-shared")
must("process-shared: left alone, and said", r[0] == 0 and "came to the end" in r[1] and "not checked" in r[2] and
     "[aglet-" not in r[2], r)
for way, rule in finds.items():
    if emulator and way in quiescent:
        continue
    r = run(way)
    # Cross compiled libraries have no libdw, and show addresses.
    must(f"{way}: {rule} is found, with the program's own lines", r[0] == 66 and f"[aglet-{rule}]" in r[2] and
         ("plain.c" in r[2] or emulator) and not re.search(r"#0 .*/(mutex|c11)\.c", r[2]), r)
with tempfile.TemporaryDirectory() as folder:
    r = run("forks-after-a-report", options=f"log_path={folder}/log")
    must("log_path: a file for the parent and one for the child that reported",
         r[0] == 66 and "came to the end" in r[1] and len(os.listdir(folder)) == 2, r)
print(f"preload: {len(quiet) + len(finds) + 3} runs, {len(bad)} not as they must be")
sys.exit(1 if bad else 0)
