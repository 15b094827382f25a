# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile the README's C example with `aglet cc`: it must draw just the warnings and notes that the README shows.

Stands on the plugin of the newest Clang built; usage: readme.py AGLET ROOT
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

aglet, root = Path(sys.argv[1]), Path(sys.argv[2])
if not list((aglet.parents[1] / "lib/aglet").glob("aglet-extract-*")):
    print("skipped: no plugin is built (no Clang with its headers was found)")
    sys.exit(77)

text = (root / "README.md").read_text()
code, shown = re.search(r"^```c\n(.*?)^```$.*?^```text\n(.*?)^```$", text, re.M | re.S).groups()


def told(message):
    return [line for line in message.splitlines() if re.match(r"account\.c:\d+:\d+: ", line)]


with tempfile.TemporaryDirectory() as scratch:
    Path(scratch, "account.c").write_text(code)
    run = subprocess.run([aglet, "cc", f"-I{root}/annotations/include", "-c", "account.c"], cwd=scratch,
                         capture_output=True, text=True)
if run.returncode or not told(shown) or told(run.stderr) != told(shown):
    print(f"the README shows\n{shown}and aglet cc (status {run.returncode}) says\n{run.stderr}")
    sys.exit(1)
print(f"the README's example draws its {len(told(shown))} lines")
