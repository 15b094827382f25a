# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lint real programs that nobody annotated and print the numbers: files, time, findings by rule.

Stands on databases.py for the programs and `aglet lint` for the findings. Fails when a file is skipped in silence, a
run could not do its work, or a finding is not triaged in docs/realworld.md.

With --infer: writes down what `aglet infer` proposes, in a copy of each program, and fails when the annotated program draws
a finding that the bare one did not.

With --debian: the programs of debian.py instead. Findings that say what is so, and what the program means, are counted apart.

usage: run.py --build BUILD [--show] [--no-triage] [--infer | --debian] [PROGRAM...]
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import databases
import debian
import lint

TRIAGE = HERE.parents[1] / "docs/realworld.md"


def triaged():
    """(file, line, rule) -> "real", "meant" or "wrong", from rows like | real | `lock-leak` | `rdkafka.c:123` | … |"""
    if not TRIAGE.exists():
        return {}
    rows = re.findall(r"^\| *(real|meant|wrong) *\| *`([a-z-]+)` *\| *`([\w./-]+):(\d+)` *\|", TRIAGE.read_text(), re.M)
    return {(file, int(line), rule): verdict for verdict, rule, file, line in rows}


def firm_findings(aglet, root, cache):
    status, findings, said = lint.lint(aglet, root / "build", cache=cache)
    if status > 1:
        sys.exit(f"aglet lint: exit status {status}: {said.strip()[-800:]}")
    return {(Path(f.path).name, f.function, f.rule, f.message): f for f in findings if f.severity != "hint"}


def infer(aglet, name, build):
    """Returns what the annotated copy of the program draws that the bare one does not."""
    root, cache = build / "realworld-infer" / name, build / "realworld/cache"
    databases.copy(name, build / "realworld", root)
    database = root / "build/compile_commands.json"
    entries = json.loads(database.read_text())
    for entry in entries:
        entry["arguments"] = [*databases.arguments_of(entry), f"-I{HERE.parents[1]}/annotations/include"]
        entry.pop("command", None)
    database.write_text(json.dumps(entries))
    databases.run(["git", "init", "-q"], cwd=root / "source")
    before = firm_findings(aglet, root, cache)
    done = subprocess.run([aglet, "infer", "-p", str(root / "build")], cwd=root / "source", stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, env={**os.environ, "AGLET_CACHE_DIR": str(cache)})
    print(f"{name:12}{done.stderr.strip()}", flush=True)
    if done.returncode:
        sys.exit(f"aglet infer: exit status {done.returncode}")
    if done.stdout:
        (root / "infer.diff").write_text(done.stdout)
        databases.run(["git", "apply", root / "infer.diff"], cwd=root / "source")
    after = firm_findings(aglet, root, cache)
    return [f"{name}: only when annotated: {Path(after[key].path).name}:{after[key].line} {key[3]} [{key[2]}]"
            for key in after if key not in before]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--show", action="store_true", help="print every finding")
    parser.add_argument("--no-triage", action="store_true", help="do not hold the findings against docs/realworld.md")
    parser.add_argument("--infer", action="store_true", help="annotate a copy by `aglet infer`; the findings must stay the same")
    parser.add_argument("--debian", action="store_true", help="the programs of debian.py")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    options = parser.parse_args()
    aglet = lint.tool(options.build)
    build = Path(options.build).resolve()
    cache = build / "realworld/cache"
    shutil.rmtree(cache, ignore_errors=True)
    if options.infer:
        new = [line for name in options.programs or databases.PROGRAMS for line in infer(aglet, name, build)]
        print(*new, sep="\n")
        sys.exit(bool(new))
    verdicts, errors, verdict_counts, rules, hints = triaged(), [], Counter(), Counter(), 0
    indirect = [0, 0]

    print(f"{'program':15}{'files':>7}{'lines':>10}{'parsed':>8}{'cold s':>8}{'warm s':>8}{'findings':>10}{'hints':>7}"
          f"{'by pointer':>12}{'resolved':>10}")
    programs = debian.PROGRAMS if options.debian else databases.PROGRAMS
    for name in options.programs or programs:
        database = debian.make(name, build / "realworld/debian") if options.debian else databases.make(name, build / "realworld")
        entries = json.loads((database / "compile_commands.json").read_text())
        expected = programs[name][-1] if options.debian else len(entries) # libtool compiles a file twice
        times, pointers = [], None
        for _ in ("cold", "warm"):
            start = time.monotonic()
            status, findings, said = lint.lint(aglet, database, "--verbose", cache=cache)
            times.append(time.monotonic() - start)
            calls = re.search(r"of (\d+) calls through pointers (\d+) are resolved", said)
            pointers = tuple(map(int, calls.groups())) if calls else pointers
        if status > 1:
            errors.append(f"{name}: exit status {status}: {said.strip()[-500:]}")
        if not pointers:
            errors.append(f"{name}: the lint did not say how many calls through pointers it resolved")
        by_pointer, resolved = pointers or (0, 0)
        indirect[0], indirect[1] = indirect[0] + by_pointer, indirect[1] + resolved
        analysed = lint.analysed(said)
        if analysed != expected:
            errors.append(f"{name}: {analysed} of {expected} files analysed: {said.strip()[-500:]}")
        firm = [finding for finding in findings if finding.severity != "hint"]
        hints += len(findings) - len(firm)
        rules.update(finding.rule for finding in firm)
        entries = list({os.path.join(entry["directory"], entry["file"]): entry for entry in entries if entry["file"].endswith(".c")}.values())
        print(f"{name:15}{len(entries):7}{databases.lines_of(entries):10,}{analysed:8}{times[0]:8.1f}{times[1]:8.1f}"
              f"{len(firm):10}{len(findings) - len(firm):7}{by_pointer:12}{resolved / by_pointer if by_pointer else 1:10.0%}", flush=True)
        for finding in findings if options.show else []:
            print(f"    {finding.severity}: {Path(finding.path).name}:{finding.line} {finding.message} [{finding.rule}]")
        for finding in firm:
            verdict = verdicts.get((Path(finding.path).name, finding.line, finding.rule), "not triaged")
            verdict_counts[verdict] += 1
            if verdict == "not triaged" and not options.no_triage:
                errors.append(f"not triaged: {Path(finding.path).name}:{finding.line} {finding.message} [{finding.rule}]")

    print(f"\ncalls through pointers: {indirect[0]}, {indirect[1] / (indirect[0] or 1):.0%} resolved")
    print("by rule: " + (", ".join(f"{rule} {count}" for rule, count in rules.most_common()) or "none"))
    print("triage:  " + (", ".join(f"{verdict} {count}" for verdict, count in verdict_counts.items()) or "none"))
    total = sum(verdict_counts.values())
    if not options.no_triage and verdict_counts["wrong"] * 10 > total:
        errors.append(f"{verdict_counts['wrong']} of {total} findings are wrong: more than one in ten")
    for error in errors:
        print(error, file=sys.stderr)
    sys.exit(bool(errors))


if __name__ == "__main__":
    main()
