# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Real programs are edited at random, and after each edit linted with the cache of all runs before, and with nothing solved before:
the two say the same, byte for byte, at level 2. Prints, by kind of edit, how often, and what was known of what had to be solved.

Stands on databases.py for the programs, edits.py and edits_declared.py for the edits, `aglet lint` for the verdicts. An edit that does not compile is not made.
The first difference ends it with status 1; what both said, the edit and the cache before it are then in BUILD/edited.

usage: edited.py --build BUILD [--edits N] [--seed S] [--program NAME] [--kind KIND] [--check SHARE] [--keep-going] [--show]
"""
import argparse
import difflib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
import caches
import databases
import edits
import edits_declared # adds its kinds to those of edits
import lint

TRIES = 12
# Kinds of whole steps: what the text of one file does not tell.
STEPS = ["edit undone", "all edits undone", "several files at once", "several files at once", "file left out", "file put back",
         "file's rows in another order", "nothing"]
COMPILES = ["-w", "-fsyntax-only", "-Werror=incompatible-pointer-types", "-Werror=int-conversion", "-Werror=implicit-function-declaration"]


def headers_of(root, files):
    """The program's own: those that its files name, wherever they lie below the sources."""
    named = set()
    for path in files:
        named.update(Path(name).name for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', path.read_text(errors="replace"), re.M))
    folders = {path.parent for path in files}
    return sorted(path for folder in folders for path in folder.glob("*.h") if path.name in named and root in path.parents)


class Program:
    """A copy of one program that is edited, and the caches."""

    def __init__(self, name, where, work, aglet):
        self.name, self.root, self.aglet = name, work / name, aglet
        databases.copy(name, where, self.root)
        self.cache, self.before, self.cold = (self.root / part for part in ("cache", "cache-before", "cache-cold"))
        for cache in (self.cache, self.before, self.cold):
            shutil.rmtree(cache, ignore_errors=True)
        entries = json.loads((self.root / "build/compile_commands.json").read_text())
        self.rows = {Path(entry["file"]): entry for entry in entries}
        for entry in self.rows.values():
            entry["arguments"] = [*databases.arguments_of(entry), f"-I{HERE.parents[1]}/annotations/include"]
            entry.pop("command", None)
        self.there = list(self.rows)
        self.text = edits.Text(list(self.rows), headers_of(self.root, self.rows))
        self.original = dict(self.text.texts)
        self.written = dict(self.original)
        self.write_rows()

    def write_rows(self):
        (self.root / "build/compile_commands.json").write_text(json.dumps([self.rows[path] for path in self.there], indent=1))

    def write(self):
        """Put the texts where the tool reads them; those that are as they were are not touched."""
        for path, text in self.text.texts.items():
            if self.written[path] != text:
                path.write_text(text, encoding="utf-8", errors="surrogateescape")
                self.written[path] = text

    def back_to(self, texts, there):
        for path, text in texts.items():
            if self.text.texts[path] != text:
                self.text.set(path, text)
        self.there = list(there)

    def compiles(self, path, dice):
        paths = [path]
        if path.suffix == ".h":
            users = [p for p in self.there if f"{path.name}\"" in self.text.texts[p]]
            paths = dice.sample(users, min(3, len(users)))
        for file in paths:
            row = self.rows[file]
            command = [databases.clangs()[-1], *row["arguments"][1:], *COMPILES]
            if subprocess.run(command, cwd=row["directory"], capture_output=True, stdin=subprocess.DEVNULL).returncode:
                return False
        return bool(paths)

    def lint(self, cache, **environment):
        """(status, JSON, what was left out of the solving, standard error)"""
        output = self.root / "said.json"
        done = subprocess.run([self.aglet, "lint", "-p", str(self.root / "build"), "--level=2", "--format=json", "--verbose", f"--cache={cache}",
                               f"--output={output}"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                              env={**{k: v for k, v in os.environ.items() if not k.startswith("AGLET_")}, **environment}, timeout=1800)
        said = output.read_text(errors="replace") if output.exists() else ""
        output.unlink(missing_ok=True)
        bounds = [line for line in done.stderr.splitlines() if re.search(r"know[s]? more than|left out|cut short|took more|too ", line)]
        return done.returncode, said, bounds, done.stderr


def findings(said):
    """What an edit changes of these is more than a line's number."""
    return Counter((f.rule, Path(f.path).name, f.function, f.message) for f in lint.read(said))


class Series:
    """One program, edited from one seed."""

    def __init__(self, program, seed, kinds, options):
        self.program, self.seed, self.options = program, seed, options
        self.dice = random.Random(f"{program.name} {seed}")
        self.kinds, self.deck = kinds, []
        self.table = defaultdict(Counter)
        self.differences = 0
        self.last = {}

    def next_kind(self):
        if not self.deck:
            self.deck = list(self.kinds)
            self.dice.shuffle(self.deck)
        return self.deck.pop()

    def one_edit(self, kind):
        """Make one edit that compiles; what it was, or None."""
        program, make = self.program, {**edits.KINDS, **edits.IN_HEADERS}[kind]
        for _ in range(TRIES):
            made = make(self.dice, program.text)
            if not made:
                continue
            before = {path: program.text.texts[path] for path in made[1]}
            for path, text in made[1].items():
                program.text.set(path, text)
            program.write()
            if all(program.compiles(path, self.dice) for path in made[1]):
                return f"{', '.join(path.name for path in made[1])}: {made[0]}"
            self.table[kind]["not compiled"] += 1
            for path, text in before.items():
                program.text.set(path, text)
            program.write()
        return None

    def step(self, kind):
        program, dice = self.program, self.dice
        if kind == "edit undone":
            if not self.last:
                return None
            program.back_to(*self.last)
            return "the last"
        if kind == "all edits undone":
            program.back_to(program.original, program.rows)
            return "all"
        if kind == "file left out":
            gone = dice.choice(program.there)
            program.there = [path for path in program.there if path != gone]
            return gone.name
        if kind == "file put back":
            program.there = list(program.rows)
            return "all"
        if kind == "file's rows in another order":
            at = dice.randrange(len(program.there))
            program.there = program.there[at:] + program.there[:at]
            return "rotated"
        if kind == "nothing":
            return "nothing"
        if kind == "several files at once":
            made = [self.one_edit(dice.choice(list(edits.KINDS))) for _ in range(dice.choice([2, 2, 3, 6]))]
            return "; ".join(filter(None, made)) or None
        if dice.random() < 0.1:
            program.back_to(program.original, program.rows)
        return self.one_edit(kind)

    def run(self):
        program, shown = self.program, None
        program.write_rows()
        program.lint(program.cache)
        for number in range(1, self.options.edits + 1):
            kind = self.next_kind()
            before = (dict(program.text.texts), list(program.there))
            what = self.step(kind)
            if what is None:
                self.table[kind]["skipped"] += 1
                continue
            program.write()
            program.write_rows()
            self.last = before
            self.table[kind]["runs"] += 1
            shown = self.judge(number, kind, what, before, shown)
            if self.differences and not self.options.keep_going:
                break

    def judge(self, number, kind, what, before, shown):
        """Lint both ways; the findings, for the next time."""
        program, row = self.program, self.table[kind]
        if self.dice.random() < 0.5:
            caches.forget_findings(program.cache)
        caches.link(program.cache, program.before)
        checked = {"AGLET_CHECK_MEMO": "1"} if self.dice.random() < self.options.check else {}
        warm = program.lint(program.cache, **checked)
        caches.link_units(program.cache, program.cold)
        cold = program.lint(program.cold)
        for asked, known in re.findall(r"of (\d+) steps of solving, (\d+) were known", warm[3]):
            row["asked"] += int(asked)
            row["known"] += int(known)
        found = findings(cold[1]) if cold[0] in (0, 1) else shown
        row["changed"] += shown is not None and found != shown
        row["failed"] += cold[0] not in (0, 1)
        wrong = warm[:3] != cold[:3]
        if self.options.show or wrong:
            print(f"{program.name} seed {self.seed} edit {number}: {kind}: {' '.join(what.split())[:160]}"
                  f"{' (checked)' if checked else ''}{'' if cold[0] in (0, 1) else f' (status {cold[0]})'}", flush=True)
        if wrong:
            self.differences += 1
            row["differences"] += 1
            self.keep(number, kind, what, before, warm, cold, checked)
        return found

    def keep(self, number, kind, what, before, warm, cold, checked):
        """What a look at the difference needs."""
        program = self.program
        out = program.root.parent / f"{program.name}-{self.seed}-{number}"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        for name, said in ("warm", warm), ("cold", cold):
            (out / f"{name}.json").write_text(said[1])
            (out / f"{name}.err").write_text(f"status {said[0]}\n{said[3]}")
        lines = lambda text: [line + "\n" for line in text.split("\n")]
        for name, old in ("edit", before[0]), ("all", program.original):
            (out / f"{name}.diff").write_text("".join(line for path, text in program.text.texts.items() if text != old[path]
                for line in difflib.unified_diff(lines(old[path]), lines(text), str(path), str(path))), encoding="utf-8", errors="surrogateescape")
        (out / "files").write_text("".join(f"{path}\n" for path in program.there))
        caches.link(program.before, out / "cache")
        again = program.lint(program.cold)
        caches.link(program.before, program.cold)
        memo = program.lint(program.cold, AGLET_CHECK_MEMO="1")
        (out / "check.err").write_text(f"status {memo[0]}\n{memo[3]}")
        said = [line for line in memo[3].splitlines() if "memo" in line.lower()]
        print(f"  DIFFERENCE: {out}: warm status {warm[0]}, cold {cold[0]}; cold twice {'agrees' if again[1] == cold[1] else 'DIFFERS'};"
              f" checked: status {memo[0]} {' '.join(said)[-300:]}", flush=True)
        caches.link_units(program.cache, program.cold) if checked else None
        if warm[0] not in (0, 1): # the next is a run of its own
            shutil.rmtree(program.cache / caches.SOLVED, ignore_errors=True)


def print_table(table):
    total = sum(table.values(), Counter())
    print(f"\n{'kind':32}{'runs':>6}{'changed':>9}{'steps':>9}{'known':>7}{'no place':>10}{'not compiled':>14}{'differ':>8}")
    for kind, row in [*sorted(table.items()), ("all", total)]:
        known = f"{row['known'] / row['asked']:.0%}" if row["asked"] else "-"
        print(f"{kind:32}{row['runs']:6}{row['changed']:9}{row['asked']:9}{known:>7}{row['skipped']:10}{row['not compiled']:14}{row['differences']:8}")
    return total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--edits", type=int, default=100, help="of each program")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100000)
    parser.add_argument("--program", action="append", choices=list(databases.PROGRAMS))
    parser.add_argument("--kind", action="append", choices=[*edits.KINDS, *edits.IN_HEADERS, *STEPS])
    parser.add_argument("--check", type=float, default=0.25, help="the share of runs that solve all the same, and compare (AGLET_CHECK_MEMO)")
    parser.add_argument("--keep-going", action="store_true", help="do not end with the first difference")
    parser.add_argument("--show", action="store_true", help="print each edit")
    options = parser.parse_args()
    aglet, build = lint.tool(options.build), Path(options.build).resolve()
    print(f"edited: --seed {options.seed} --edits {options.edits}", flush=True)
    kinds = options.kind or [*edits.KINDS, *edits.IN_HEADERS, *STEPS]
    table, differences, start = defaultdict(Counter), 0, time.time()
    for name in options.program or databases.PROGRAMS:
        series = Series(Program(name, build / "realworld", build / "edited", aglet), options.seed, kinds, options)
        series.run()
        for kind, row in series.table.items():
            table[kind] += row
        differences += series.differences
        if differences and not options.keep_going:
            break
    total = print_table(table)
    print(f"{total['runs']} edits, {differences} differences, {time.time() - start:.0f} s")
    if differences:
        sys.exit(f"edited: {differences} of {total['runs']} edits gave other findings with the cache than without")
    if not total["changed"] and len(kinds) > 8:
        sys.exit("edited: no edit changed what is found")
    if total["failed"]:
        sys.exit(f"edited: {total['failed']} runs could not do their work")


if __name__ == "__main__":
    main()
