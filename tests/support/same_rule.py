# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Each wrong sample, run with the checked library and linted: both must report the rule that its first comment names, where the lint
has that rule at all. Prints the table. Stands on lint.py and the built samples.

usage: same_rule.py AGLET ROOT SAMPLES CHECKED      (the folders of the built samples and of the checked library)
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import lint

aglet, root, samples, checked = (Path(argument).resolve() for argument in sys.argv[1:5])
if not list((aglet.parents[1] / "lib/aglet").glob("aglet-extract-*")):
    print("skipped: no extractor is built (no Clang with its headers was found)")
    sys.exit(77)
static = {line.split()[0] for line in subprocess.run([aglet, "rules"], capture_output=True, text=True).stdout.splitlines() if line.strip()}
failed, rows = [], 0
print(f"{'sample':24}{'running':20}{'lint':20}")
for source in sorted((root / "samples").glob("*.c")):
    says = re.search(r"^ \* Run +checked exits \d+ reports ([a-z-]+)", source.read_text(), re.M)
    if not says or not (samples / source.stem).exists():
        continue
    rows += 1
    done = subprocess.run([samples / source.stem], capture_output=True, text=True, errors="replace", timeout=50,
                          env={**os.environ, "LD_LIBRARY_PATH": str(checked)})
    running = set(re.findall(r"\[aglet-([a-z-]+)\]", done.stderr))
    with tempfile.TemporaryDirectory() as folder:
        entry = {"directory": folder, "file": str(source), "arguments": [
            "cc", "-std=gnu11", f"-I{root}/annotations/include", f"-I{root}/runtime/include", "-c", str(source)]}
        Path(folder, "compile_commands.json").write_text(json.dumps([entry]))
        _, findings, _ = lint.lint(str(aglet), folder)
    linted = {finding.rule for finding in findings}
    rule = says[1]
    lint_word = rule if rule in linted else "no such rule" if rule not in static else "MISSING"
    print(f"{source.stem:24}{rule if rule in running else 'MISSING':20}{lint_word}")
    if rule not in running or lint_word == "MISSING":
        failed.append(source.stem)
if not rows:
    sys.exit("no sample says what the checked library reports")
sys.exit(", ".join(failed) or 0)
