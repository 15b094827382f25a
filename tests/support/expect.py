# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lint a file, or a folder's files as one program, and hold the findings against the `expected-…` comments in them:
the same comments that Clang's -verify reads, of which the rule in `[aglet-RULE]` and the line count here.

Stands on lint.py; usage: expect.py AGLET ROOT FILE|FOLDER [RULE,…]
With rules named, only these are run.
A folder may hold an .aglet.yml; a file's first comment may add flags (` * Flags  -std=c99`).
"""
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import lint


def expected(path):
    """(file name, line, rule) of each comment, as often as it says; and those of which there may be more (`1+`)."""
    found, more = Counter(), set()
    lines = path.read_text().splitlines()
    for number, text in enumerate(lines, 1):
        for _, at, times, body in re.findall(
                r"expected-(error|warning|remark)(?:-re)?(@[+-]?\d+)?\s*(\d+\+?)?\s*\{\{(.*?)\}\}", text):
            rule = re.search(r"\[aglet-([a-z-]+)\]", body)
            line = number if not at else int(at[1:]) + (number if at[1] in "+-" else 0)
            place = (path.name, line, rule[1] if rule else body)
            found[place] += int((times or "1").rstrip("+"))
            if times.endswith("+"):
                more.add(place)
    return found, more


def flags(path):
    match = re.search(r"^ \* Flags +(.*?)(?: *\*/)?$", path.read_text(), re.M)
    return shlex.split(match[1]) if match else []


def main():
    aglet, root, subject = (Path(argument).resolve() for argument in sys.argv[1:4])
    if not list((aglet.parents[1] / "lib/aglet").glob("aglet-extract-*")):
        print("skipped: no extractor is built (no Clang with its headers was found)")
        sys.exit(77)
    sources = sorted(subject.glob("*.c")) if subject.is_dir() else [subject]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch).resolve()
        for source in [*sources, *(subject.glob("*.h") if subject.is_dir() else [])]:
            shutil.copy(source, scratch / source.name)
        if subject.is_dir() and (subject / ".aglet.yml").exists():
            shutil.copy(subject / ".aglet.yml", scratch)
        entries = [{"directory": str(scratch), "file": source.name, "arguments": [
            "cc", "-std=gnu11", f"-I{root}/annotations/include", f"-I{root}/runtime/include", *flags(source), "-c",
            source.name]} for source in sources]
        (scratch / "compile_commands.json").write_text(json.dumps(entries))
        os.chdir(scratch)
        status, findings, said = lint.lint(
            aglet, scratch, *[f"--rules={rules}" for rules in sys.argv[4:5]], cache=scratch / "cache")
    wanted, more = Counter(), set()
    for source in sources:
        found, open_ended = expected(source)
        wanted.update(found)
        more |= open_ended
    got = Counter((Path(finding.path).name, finding.line, finding.rule) for finding in findings)
    errors = [f"missing: {name}:{line} [{rule}]" for name, line, rule in (wanted - got).elements()]
    for place in (got - wanted).keys() - more:
        said_there = [f.message for f in findings if (Path(f.path).name, f.line, f.rule) == place]
        errors.append(f"not expected: {place[0]}:{place[1]} {' / '.join(said_there)} [{place[2]}]")
    warnings = any(finding.severity != "hint" for finding in findings)
    if status != (1 if warnings else 0):
        errors.append(f"exit status {status} with {len(findings)} findings: {said.strip()[-800:]}")
    print(f"{len(sources)} files, {sum(wanted.values())} findings expected, {len(findings)} found")
    for error in errors:
        print(error)
    sys.exit(bool(errors))


if __name__ == "__main__":
    main()
