# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lint one sample as a program of its own and hold the rules that speak to the ` * Lint  …` line of its first comment.

Stands on lint.py; usage: lint_sample.py AGLET ROOT SAMPLE
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import lint

aglet, root, sample = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
if not list((Path(aglet).parents[1] / "lib/aglet").glob("aglet-extract-*")):
    print("skipped: no extractor is built (no Clang with its headers was found)")
    sys.exit(77)
line = re.search(r"^ \* Lint +([a-z -]+?) *(?:\*/)?$", sample.read_text(), re.M)
wanted = set(line[1].split()) - {"quiet"} if line else set()
known = set(subprocess.run([aglet, "rules"], capture_output=True, text=True).stdout.split())
if wanted - known:
    print(f"not looked for, this build has no such rule: {' '.join(sorted(wanted - known))}")
    wanted &= known
with tempfile.TemporaryDirectory() as scratch:
    Path(scratch, "compile_commands.json").write_text(json.dumps([{
        "directory": scratch, "file": str(sample), "arguments": [
            "cc", "-std=gnu11", f"-I{root}/annotations/include", f"-I{root}/runtime/include", "-c", str(sample)]}]))
    status, findings, said = lint.lint(aglet, scratch, cache=Path(scratch) / "cache")
firm = [finding for finding in findings if finding.severity != "hint"]
for finding in findings:
    print(f"{Path(finding.path).name}:{finding.line} {finding.message} [{finding.rule}]")
rules = {finding.rule for finding in firm}
if rules != wanted or status != bool(firm):
    print(f"exit status {status}, rules {sorted(rules)}, the sample promises {sorted(wanted)}\n{said.strip()[-800:]}")
    sys.exit(1)
