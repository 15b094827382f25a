# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Run `aglet lint` and read its findings, for the tests that lint whole programs. Stands on --format=json."""
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    rule: str
    severity: str
    path: str
    line: int
    message: str
    function: str
    places: tuple  # (path, line) of the notes

    @property
    def key(self):
        return (self.rule, self.path, self.line, self.message)


def tool(build):
    """The built command; without it these tests have nothing to say, and say so."""
    path = Path(build) / "bin/aglet"
    if path.is_file() and os.access(path, os.X_OK):
        return str(path.resolve())
    print(f"skipped: there is no aglet command in {build}; build it first (./dev build)")
    sys.exit(77)


def lint(aglet, database, *options, cache=None, timeout=1800):
    """Returns (exit status, findings, standard error). A status of 2 or a crash is the caller's to judge."""
    options = [*options, f"--cache={cache}" if cache else "--no-cache"]
    with tempfile.NamedTemporaryFile(suffix=".json") as output:
        done = subprocess.run([aglet, "lint", "-p", str(database), "--format=json", f"--output={output.name}", *options],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              errors="replace", timeout=timeout)
        text = Path(output.name).read_text(errors="replace")
    return done.returncode, read(text), done.stderr


def read(text):
    if not text.strip():
        return []
    findings = []
    for entry in json.loads(text)["findings"]:
        if entry.get("state") == "suppressed":
            continue
        places = tuple((note.get("file"), note.get("line")) for note in entry.get("notes", []))
        findings.append(Finding(entry["rule"], entry.get("severity", "warning"), entry.get("file") or "",
                                entry.get("line") or 0, entry["message"], entry.get("function") or "", places))
    return findings


def analysed(said):
    """How many files the summary on standard error says were analysed."""
    match = re.search(r"(\d+)(?: of \d+)? files? analysed", said)
    return int(match[1]) if match else 0
