# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Run one sample and hold it to what its first comment promises: exit status, the rule it reports, or silence, and the
lines it prints (` * Prints  …`, in that order, others may stand between them).

Stands on the report's "[aglet-RULE]" mark; usage: run_sample.py STATUS RULE PROGRAM [SOURCE] (RULE may be empty). A program
for another processor is run by the command in AGLET_EMULATOR.
"""
import os
import re
import subprocess
import sys

status, rule, program = int(sys.argv[1]), sys.argv[2], sys.argv[3]
done = subprocess.run([*os.environ.get("AGLET_EMULATOR", "").split(), program], capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=50)
rules = re.findall(r"\[aglet-([a-z-]+)\]", done.stderr)
print(done.stdout, end="")
print(done.stderr, end="", file=sys.stderr)
errors = []
if done.returncode != status:
    errors.append(f"exit status {done.returncode}, expected {status}")
if rule and rule not in rules:
    errors.append(f"no report of {rule}; reported: {', '.join(rules) or 'nothing'}")
if not rule and rules:
    errors.append(f"reported {', '.join(rules)}, expected silence")
if len(sys.argv) > 4:
    printed = iter(done.stdout.splitlines())
    with open(sys.argv[4]) as f:
        for line in re.findall(r"^ \* Prints +(.*?)(?: \*/)?$", f.read(), re.M):
            if line not in printed:
                errors.append(f"did not print, in its place: {line}")
for error in errors:
    print(f"run_sample: {error}", file=sys.stderr)
sys.exit(bool(errors))
