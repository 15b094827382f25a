#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lints every wrong program of this folder, in the form with Aglet's API, and holds what it draws against the last table of
docs/detectors.md: the lint must say the rule that the checked library reports, or the page says what it says instead, and why.
Of the mended twins the lint must say nothing but hints, where the page does not say why it does.

  lint_too.py AGLET [--print]

Stands on tests/support/lint.py. --print writes the rows that would be right."""
import json
import re
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))
import lint

ROW = re.compile(r"^\| `([\w-]+)` \| `([\w-]+)` \| ([^|]*) \| ([^|]*) \|$", re.M)


def linted(aglet, source, *flags):
    with tempfile.TemporaryDirectory() as folder:
        entry = {"directory": folder, "file": str(source), "arguments": [
            "cc", "-std=gnu11", "-D_GNU_SOURCE", "-DFORM_AGLET", *flags, f"-I{ROOT}/annotations/include",
            f"-I{ROOT}/runtime/include", "-c", str(source)]}
        Path(folder, "compile_commands.json").write_text(json.dumps([entry]))
        status, findings, errors = lint.lint(aglet, folder)
    if status > 1:
        sys.exit(f"lint_too: {source.name}: exit status {status}\n{errors}")
    return findings


def words(findings, rule):
    """What the lint says, as the table has it."""
    if any(f.rule == rule for f in findings):
        return "the same" if any(f.rule == rule and f.severity != "hint" for f in findings) else "the same, a hint"
    return ", ".join(sorted({f"`{f.rule}`" for f in findings if f.severity != "hint"})) or "nothing"


def main():
    aglet = str(Path(sys.argv[1]).resolve())
    if not list((Path(aglet).parents[1] / "lib/aglet").glob("aglet-extract-*")):
        print("skipped: no extractor is built (no Clang with its headers was found)")
        sys.exit(77)
    page = (ROOT / "docs/detectors.md").read_text().split("<!-- lint -->")
    said = {row[0]: row for row in ROW.findall(page[1] if len(page) > 1 else "")}
    failed, sources = [], sorted(HERE.glob("*.c"))
    for source in sources:
        rule = re.search(r"Finds:\s+(?:\*\s+)?([\w-]+)", source.read_text())[1]
        says = words(linted(aglet, source), rule)
        twin = [f.message for f in linted(aglet, source, "-DMENDED") if f.severity != "hint"]
        name, _, expected, reason = said.pop(source.stem, (source.stem, rule, "no row", ""))
        if "--print" in sys.argv:
            print(f"| `{source.stem}` | `{rule}` | {says} | {reason} |")
        if says != expected:
            failed.append(f"{name}: the lint says {says}, docs/detectors.md says {expected}")
        if (says != "the same" or twin) and not reason.strip():
            failed.append(f"{name}: the lint says {says}, of the twin {twin or 'nothing'}, and docs/detectors.md not why")
    failed += [f"{name}: docs/detectors.md has a row, but there is no such program" for name in said]
    print(f"{len(sources)} programs looked at")
    sys.exit("\n".join(failed) if failed or not sources else 0)


if __name__ == "__main__":
    main()
