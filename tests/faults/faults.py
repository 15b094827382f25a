#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Options of the checked library, and trouble for the checker itself: runs `faulty` in each way and looks at its exit
status, its reports and whether it came to the end. Usage: faults.py FAULTY. A program for another processor is run by the
command in AGLET_EMULATOR."""
import json, os, re, subprocess, sys, tempfile

emulated = os.environ.get("AGLET_EMULATOR", "").split()
faulty = [*emulated, sys.argv[1]]
bad = []
looked = 0


def run(way, options="", limit=60):
    p = subprocess.run([*faulty, way], env={**os.environ, "AGLET_OPTIONS": options}, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=limit, text=True, errors="replace")
    return p.returncode, p.stdout, p.stderr


def must(what, condition, *shown):
    global looked
    looked += 1
    if not condition:
        bad.append(what)
        print(f"faults: not so: {what}\n", *shown)


with tempfile.TemporaryDirectory() as scratch:
    r = run("order")
    must("a finding that lets the program go on ends it with 66", r[0] == 66 and "came to the end" in r[1], *r)
    must("names given at initialisation are shown", "mutex 'alpha'" in r[2] and "mutex 'beta'" in r[2], *r)
    r = run("order", "exitcode=0")
    must("exitcode=0 leaves the program's own status", r[0] == 0 and "[aglet-lock-order]" in r[2], *r)
    r = run("order", "exitcode=7")
    must("exitcode=7", r[0] == 7, *r)
    for senseless in ("exitcode", "exitcode=", "exitcode=on", "log_path", "suppressions", "max_hold_ms", "=66",
                      "halt_on_error=2", "exitcode=256", "exitcode=-1", "format=xml", "stacks=some", "nonsense=1",
                      "lock_order_exempt=alpha", "lock_order_exempt=alpha<beta,gamma", "lock_order_declared=<beta",
                      "lock_order_declared=a<b<c"):
        r = run("order", senseless)
        must(f"{senseless} is refused, and changes nothing", r[0] == 66 and "makes no sense" in r[2] and
             "[aglet-lock-order]" in r[2], *r)
    r = run("unheld-again")
    must("a misuse in a loop is reported once for each place, and counted", r[0] == 66 and
         r[2].count("aglet: warning:") == 2 and r[2].count("came up 4 more times [aglet-unlock-unheld]") == 1 and
         r[2].count("more time") == 1, *r)
    r = run("unheld-again", "repeats")
    must("repeats=1 reports it each time", r[0] == 66 and r[2].count("aglet: warning:") == 6 and "more time" not in r[2], *r)
    r = run("unheld-again", "format=json")
    lines = [json.loads(line) for line in r[2].splitlines()]
    must("the count is a line of JSON as well", [line.get("repeats") for line in lines] == [None, None, 4], *r)
    r = run("yield-again")
    must("a task suspended ten times with a lock held is reported once",
         r[2].count("aglet: warning:") == 1 and "came up 9 more times [aglet-lock-across-yield]" in r[2], *r)
    with open(scratch + "/mute", "w") as f:
        f.write("# a comment\n\nlock-order\n")
    r = run("order", f"suppressions={scratch}/mute")
    must("a line that is no suppression is said to be none", r[0] == 66 and "is not RULE:PATTERN" in r[2], *r)
    if not emulated:  # names of statics come from libdw, which cross compiled libraries do not have
        r = run("order-of-statics", "lock_order_exempt=a<b")
        must("a static variable's name exempts as well", r[0] == 0 and r[2] == "", *r)
        r = run("order-of-statics", "lock_order_declared=b<a")
        must("and declares", r[0] == 66 and "lock 'b' is taken after 'a', against the declared order" in r[2], *r)
    r = run("order", "lock_order=0")
    must("lock_order=0 reports no order", r[0] == 0 and r[2] == "", *r)
    r = run("order", "lock_order_exempt=alpha<beta")
    must("an exempt pair is not reported", r[0] == 0 and r[2] == "", *r)
    r = run("backwards", "lock_order_declared=alpha<beta")
    must("an order against the declared one is reported at its first use",
         r[0] == 66 and "against the declared order" in r[2], *r)
    r = run("backwards")
    must("an order seen only one way is no finding", r[0] == 0 and r[2] == "", *r)
    r = run("unheld", "halt_on_error")
    must("a flag without a value is on",
         r[0] == 66 and "came to the end" not in r[1] and r[2].count("[aglet-unlock-unheld]") == 1, *r)
    r = run("unheld", "halt_on_error=1")
    must("halt_on_error=1 ends at the first report",
         r[0] == 66 and "came to the end" not in r[1] and r[2].count("[aglet-unlock-unheld]") == 1, *r)
    r = run("unheld")
    must("without it there are two", r[2].count("[aglet-unlock-unheld]") == 2, *r)
    r = run("order", "format=json")
    try:
        found = [json.loads(line) for line in r[2].splitlines()]
    except ValueError as e:
        found = []
        r = (*r, str(e))
    must("format=json gives one JSON object per line", len(found) == 1 and found[0]["rule"] == "lock-order" and
         any("stack" in n for n in found[0]["notes"]), *r)
    r = run("order", f"log_path={scratch}/log")
    logs = [f for f in os.listdir(scratch) if f.startswith("log.")]
    must("log_path takes the reports", r[2] == "" and len(logs) == 1 and
         "[aglet-lock-order]" in open(os.path.join(scratch, logs[0])).read(), *r, logs)
    with open(scratch + "/quiet", "w") as f:
        f.write("# known\nlock-order:alpha*beta\n")
    r = run("order", f"suppressions={scratch}/quiet")
    must("a suppression that fits silences the report and the status", r[0] == 0 and r[2] == "", *r)
    with open(scratch + "/quiet", "w") as f:
        f.write("double-lock:alpha\nlock-order:gamma\n")
    r = run("order", f"suppressions={scratch}/quiet")
    must("one that does not fit silences nothing", r[0] == 66, *r)
    r = run("order", f"suppressions={scratch}/missing")
    must("a suppressions file that cannot be read is said", "cannot be read" in r[2] and r[0] == 66, *r)
    r = run("order", "help=1:lock_order=0")
    must("help=1 lists the options", "max_hold_ms" in r[2] and r[0] == 0, *r)
    r = run("order", "nonsense=1:lock_order=0")
    must("an unknown option is said", "'nonsense" in r[2] and r[0] == 0, *r)
    r = run("long-hold", "max_hold_ms=20")
    must("max_hold_ms reports a long hold", r[0] == 66 and "[aglet-long-hold]" in r[2], *r)
    r = run("order", "stacks=full")
    held = re.findall(r"held mutex .*taken here\n    #0 .*\n    #1 ", r[2])
    must("stacks=full shows where each held lock was taken with its stack", r[0] == 66 and len(held) == 2, *r)
    r = run("unheld", "symbolize=0")
    must("symbolize=0 shows addresses and build ids", "+0x" in r[2] and "faulty.c" not in r[2], *r)

    r = run("from-signal")
    must("a report from a signal handler in the middle of malloc neither hangs nor crashes",
         r[0] == 66 and "came to the end" in r[1] and "[aglet-unlock-unheld]" in r[2], r[0], r[1], r[2][:2000])
    r = run("crash-in-report")
    must("a crash while reporting leaves the program's own handler running, and says what was left out",
         r[0] == 5 and "handler ran" in r[1] and "was left out" in r[2], *r)
    if not emulated:  # the limit would be the emulator's as well
        r = run("no-memory")
        must("out of memory inside the checker: the program goes on, unaccused, and a sentence says so", r[0] == 0 and
             "came to the end" in r[1] and "unchecked" in r[2] and "[aglet-" not in r[2], r[0], r[1], r[2][:2000])
    r = run("small-stack")
    must("a thread with the least stack can report", r[0] == 66 and "came to the end" in r[1] and
         "[aglet-lock-order]" in r[2], r[0], r[1], r[2][:2000])
    for deep in "nest-17", "nest-64", "nest-500":
        r = run(deep)
        must(f"{deep}: two locks far apart in a nest, taken the other way round, are told of", r[0] == 66 and "came to the end" in r[1] and
             r[2].count("[aglet-lock-order]") == 1, *r)
    r = run("nest-common")
    must("… but not where a lock between them keeps the two apart", r[0] == 0 and r[2] == "", *r)
    r = run("cleared-while-held")
    must("a lock cleared while it is held is reported, and the program goes on",
         r[0] == 66 and "came to the end" in r[1] and "was overwritten while it was held" in r[2], *r)
    if not emulated:
        r = run("thousand-threads")
        must("a thousand threads wait for one lock", r[0] == 0 and r[2] == "", *r)

r = run("order", "verbose=1:exitcode=0")
must("verbose=1 says how much was looked at", re.search(r"2 orders were looked at, 1 reports", r[2]), *r)

here = os.path.dirname(os.path.abspath(__file__))
with open(here + "/../../runtime/src/options.def") as f:
    options = re.findall(r"^OPTION_\w+\((\w+),", f.read(), re.M)
with open(here + "/../../docs/runtime.md") as f:
    page = f.read()
must("docs/runtime.md names every option", options and all(f"`{o}`" in page for o in options),
     [o for o in options if f"`{o}`" not in page])

print(f"faults: {looked} things looked at, {len(bad)} not so")
sys.exit(1 if bad or looked == 0 else 0)
