# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lint each C example of a guide page: a comment `// reported: RULE...` must be met by findings of those rules on its line,
and nothing else may be found (hints apart). A page that says `<!-- level: strict -->` is linted so.

Stands on lint.py; usage: told.py AGLET ROOT docs/PAGE.md
"""
import json
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import lint

aglet, root, page = (Path(argument).resolve() for argument in sys.argv[1:4])
if not list((aglet.parents[1] / "lib/aglet").glob("aglet-extract-*")):
    print("skipped: no extractor is built (no Clang with its headers was found)")
    sys.exit(77)

errors, told = [], 0
strict = re.search(r"^<!-- level: strict -->$", page.read_text(), re.M) is not None
blocks = re.findall(r"^```c\n(.*?)^```$", page.read_text(), re.M | re.S)
for number, code in enumerate(blocks, 1):
    expected = sorted((line, rule) for line, text in enumerate(code.splitlines(), 1)
                      for rules in re.findall(r"// reported: (.*)$", text) for rule in rules.split())
    told += len(expected)
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "example.c").write_text(code)
        Path(scratch, "compile_commands.json").write_text(json.dumps([{
            "directory": scratch, "file": "example.c", "arguments": [
                "cc", "-std=gnu11", f"-I{root}/annotations/include", f"-I{root}/runtime/include", "-c", "example.c"]}]))
        status, findings, said = lint.lint(aglet, scratch, *(["--level=2"] if strict else []), cache=Path(scratch) / "cache")
    found = sorted((finding.line, finding.rule) for finding in findings if finding.severity != "hint")
    if status > 1:
        errors.append(f"example {number}: exit status {status}: {said.strip()[-800:]}")
    elif found != expected:
        errors.append(f"example {number}: told {expected}, found {found}")
print(f"{page.name}: {len(blocks)} examples, {told} findings told")
errors += [] if blocks else ["the page has no C example"]
for error in errors:
    print(error)
sys.exit(bool(errors))
