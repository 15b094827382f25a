# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Run a stress program; where it hangs, say so and run it again: some short runs on a loaded machine hang, all workers asleep
with a task left to run (docs/limits.md), and a suite that stops there would hide what else it has to say.

Any other failure fails at once, and so does a hang of every run. Stands on nothing;
usage: again.py SECONDS RUNS COMMAND [ARGUMENT...]
"""
import subprocess
import sys

limit, runs = int(sys.argv[1]), int(sys.argv[2])
for run in range(1, runs + 1):
    try:
        sys.exit(subprocess.run(sys.argv[3:], timeout=limit).returncode)
    except subprocess.TimeoutExpired:
        print(f"run {run} hung for {limit} s and was ended: the known hang of docs/limits.md, or a new one", flush=True)
sys.exit(1)
