# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lint the examples of one rule page: every C block under "Flagged" must draw the page's rule, every one under "Fixed"
must compile and draw nothing of it.

Stands on lint.py; usage: page.py AGLET ROOT docs/rules/RULE.md
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import lint

aglet, root, page = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
if not list((Path(aglet).parents[1] / "lib/aglet").glob("aglet-extract-*")):
    print("skipped: no extractor is built (no Clang with its headers was found)")
    sys.exit(77)

known = subprocess.run([aglet, "rules"], capture_output=True, text=True).stdout
if page.stem not in {line.split()[0] for line in known.splitlines() if line.split()}:
    print(f"skipped: this build has no rule {page.stem}")
    sys.exit(77)

rule, heading, blocks, errors = page.stem, "", [], []
for title, code in re.findall(r"^#+ +(.+?)$|^```c\n(.*?)^```$", page.read_text(), re.M | re.S):
    if title:
        heading = title
    elif heading.split()[0] in ("Flagged", "Fixed"):
        blocks.append((heading.split()[0], code))

for number, (kind, code) in enumerate(blocks, 1):
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "example.c").write_text(code)
        Path(scratch, "compile_commands.json").write_text(json.dumps([{
            "directory": scratch, "file": "example.c", "arguments": [
                "cc", "-std=gnu11", f"-I{root}/annotations/include", f"-I{root}/runtime/include", "-c", "example.c"]}]))
        status, findings, said = lint.lint(aglet, scratch, cache=Path(scratch) / "cache")
    rules = sorted({finding.rule for finding in findings})
    if status > 1:
        errors.append(f"example {number} ({kind}): exit status {status}: {said.strip()[-800:]}")
    elif (rule in rules) != (kind == "Flagged"):
        errors.append(f"example {number} ({kind}): drew {', '.join(rules) or 'nothing'}")
kinds = [kind for kind, _ in blocks]
errors += [f"there is no C example under \"{kind}\"" for kind in ("Flagged", "Fixed") if kind not in kinds]
print(f"{rule}: {kinds.count('Flagged')} flagged and {kinds.count('Fixed')} fixed examples")
for error in errors:
    print(error)
sys.exit(bool(errors))
