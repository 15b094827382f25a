# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Plant bugs in real programs, one at a time, lint the whole program each time, and count who was caught.

Stands on tests/realworld for the programs, plant.py for the bugs, `aglet lint` for the verdicts. A bug counts as
reported when one of the kind's own rules speaks that did not speak before, at the mutated function, telling a story
that leads there, or naming the planted lock. Whatever else is new is noise.

usage: run.py --build BUILD [--per-kind N] [--jobs N] [--program NAME] [--kind KIND] [--at FILE:LINE…] [--list] [--show]
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parent / "realworld")]
import databases
import lint
import plant
import plant_order
import plant_send
from source import Source, reached

# Headers whose functions are the program's API, relative to the unpacked package.
API = {"librdkafka": ["deps/librdkafka/src/rdkafka.h", "deps/librdkafka/src/rdkafka_mock.h"],
       "nanomsg": ["deps/nanomsg/src/nn.h"],
       "lmdb": ["dependencies/lmdb/libraries/liblmdb/lmdb.h"],
       "zstd": ["deps/zstd/lib/zstd.h"]}
KINDS = {**plant.KINDS, **plant_order.KINDS, **plant_send.KINDS}
RIGHT_RULES = {**plant.RIGHT_RULES, **plant_order.RIGHT_RULES, **plant_send.RIGHT_RULES}
WHERE = {**plant_order.WHERE, **plant_send.WHERE}
STRICT = ["-w", "-fsyntax-only", "-Werror=incompatible-pointer-types", "-Werror=int-conversion",
          "-Werror=implicit-function-declaration", "-Werror=return-type"]


class Program:
    """Private copies of one program, one a worker, so that files can be changed and put back."""

    def __init__(self, name, where, work, workers, only=()):
        self.name, self.only = name, only
        self.roots = [work / str(worker) / name for worker in range(workers)]
        for root in self.roots:
            databases.copy(name, where, root)
        self.root = self.roots[0]
        entries = json.loads((self.root / "build/compile_commands.json").read_text())
        self.entries = {Path(entry["file"]): entry for entry in entries}
        self.sources = [Source(path) for path in self.entries]
        self.reached = reached(self.sources, [self.root / "source/package" / header for header in API[name]])
        self.pairs = plant.lock_pairs(self.sources)
        self.guarded_fields = plant.guarded_fields(self.sources, self.pairs)
        self.lock_arguments = defaultdict(list)
        for source in self.sources:
            for function in source.functions:
                for call in source.calls(function, set(self.pairs)):
                    self.lock_arguments[call.name].append(plant.key(call))
        self.active = {}

    def compiles(self, mutant):
        entry = self.entries[mutant.path]
        command = [databases.clangs()[-1], *databases.arguments_of(entry)[1:], *STRICT]
        original = mutant.path.read_bytes()
        try:
            mutant.path.write_text(mutant.text, encoding="utf-8", errors="surrogateescape")
            return subprocess.run(command, cwd=entry["directory"], capture_output=True).returncode == 0
        finally:
            mutant.path.write_bytes(original)

    def is_active(self, path, line):
        """Is this line compiled at all, or left out by an #if?"""
        if path not in self.active:
            entry = self.entries[path]
            command = [databases.clangs()[-1], *databases.arguments_of(entry)[1:], "-w", "-E", "-o", "-"]
            done = subprocess.run(command, cwd=entry["directory"], capture_output=True, text=True, errors="replace")
            lines, file, at = set(), None, 0
            for row in done.stdout.splitlines():
                if row.startswith("# "):
                    at, file = int(row.split()[1]), row.split('"')[1]
                    continue
                if row.strip() and file and Path(file).name == path.name:
                    lines.add(at)
                at += 1
            self.active[path] = lines
        return line in self.active[path]

    def candidates(self, kind):
        """One generator of alternatives for each place, in an order that is the same on every machine."""
        places = {}
        for source in self.sources:
            for function in source.functions:
                if function.name in self.reached:
                    lines = (source.line_of(function.head), source.line_of(function.end))
                    for at, what, text in KINDS[kind](source, function, self.pairs, self):
                        line = source.line_of(at)
                        if self.only and f"{source.path.name}:{line}" not in self.only:
                            continue
                        places.setdefault((source.path, at), []).append(
                            plant.Mutant(kind, source.path, function.name, line, what, text, lines))
        def order(place):
            relative = place[0].relative_to(self.root)
            return hashlib.sha1(f"{self.name} {relative} {place[1]} {kind}".encode()).digest()
        return [places[place] for place in sorted(places, key=order)]

    def plantable(self, kind):
        for alternatives in self.candidates(kind):
            if self.is_active(alternatives[0].path, alternatives[0].line):
                mutant = next((mutant for mutant in alternatives if self.compiles(mutant)), None)
                if mutant:
                    yield mutant


def choose(programs, kind, count):
    """Up to `count` bugs of one kind, taken from the programs in turn."""
    chosen = []
    for row in zip_longest(*[program.plantable(kind) for program in programs]):
        chosen += [(program, mutant) for program, mutant in zip(programs, row) if mutant]
        if len(chosen) >= count:
            return chosen[:count]
    return chosen


class Judge:
    def __init__(self, aglet, cache, workers):
        self.aglet, self.cache = aglet, cache
        self.idle = queue.SimpleQueue()
        for worker in range(workers):
            self.idle.put(worker)
        self.known = {}

    def lint(self, program, worker):
        """Findings by where they are in the program, whichever copy was linted."""
        root = program.roots[worker]
        status, findings, errors = lint.lint(self.aglet, root / "build", "--jobs=1", cache=self.cache / str(worker))
        if status > 1:
            sys.exit(f"mutate: {root}: exit status {status}\n{errors[-2000:]}")
        marker = f"{root.parent.name}/{root.name}/"

        def inside(path):
            return (path or "").split(marker)[-1]

        return [replace(f, path=inside(f.path), places=tuple((inside(path), line) for path, line in f.places))
                for f in findings]

    def learn(self, program):
        """What is said of the unchanged program; every worker's cache is filled on the way."""
        for worker in range(len(program.roots)):
            self.known[program.name] = {finding.key for finding in self.lint(program, worker)}
        print(f"{program.name}: {len(self.known[program.name])} findings before any change", flush=True)

    def judge(self, program, mutant):
        """Returns (verdict, new findings at the mutation, new findings elsewhere)."""
        relative = mutant.path.relative_to(program.root)
        worker = self.idle.get()
        path = program.roots[worker] / relative
        original = path.read_bytes()
        try:
            path.write_text(mutant.text, encoding="utf-8", errors="surrogateescape")
            findings = self.lint(program, worker)
        finally:
            path.write_bytes(original)
            self.idle.put(worker)
        new = [finding for finding in findings if finding.key not in self.known[program.name]]

        before = original.decode("utf-8", "surrogateescape").split("\n")
        changed = {n for n, pair in enumerate(zip(before, mutant.text.split("\n")), 1) if pair[0] != pair[1]}

        def here(path, line):
            if mutant.kind in plant_send.FILE_WIDE and path == str(relative):
                return True
            return path == str(relative) and (mutant.lines[0] <= (line or 0) <= mutant.lines[1] or line in changed)

        # A finding that names the planted lock is about the mutation, wherever a caller is told of it.
        at = [f for f in new if here(f.path, f.line) or any(here(*place) for place in f.places) or plant.OTHER in f.message]
        elsewhere = [f for f in new if f not in at]
        if any(f.rule in RIGHT_RULES[mutant.kind] for f in at):
            return "right rule", at, elsewhere
        return ("other rule" if at else "silent"), at, elsewhere


def print_verdict(program, mutant, verdict, show):
    """The bug, and what was said of it; without `show` only if something was said elsewhere too."""
    word, at, elsewhere = verdict or ("planted", [], [])
    if show or elsewhere or not verdict:
        print(f"{word}: {mutant.kind}: {program.name} {mutant.path.name}:{mutant.line} {mutant.function}: {mutant.what}")
        for finding, mark in [(f, "") for f in at] + [(f, "ELSEWHERE ") for f in elsewhere]:
            print(f"    {mark}{Path(finding.path).name}:{finding.line} {finding.message} [{finding.rule}]")
        sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--per-kind", type=int, default=45)
    parser.add_argument("--program", action="append", choices=list(databases.PROGRAMS))
    parser.add_argument("--kind", action="append", choices=list(KINDS))
    parser.add_argument("--at", action="append", metavar="FILE:LINE", help="only the bugs planted there")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--list", action="store_true", help="plant and compile only, lint nothing")
    parser.add_argument("--show", action="store_true", help="print each bug with what was said of it")
    options = parser.parse_args()
    aglet = None if options.list else lint.tool(options.build)
    build = Path(options.build).resolve()
    names = options.program or databases.PROGRAMS
    programs = [Program(name, build / "realworld", build / "mutate", options.jobs, options.at or ()) for name in names]
    kinds = options.kind or list(KINDS)
    sets = {"real": list(programs)}
    own = {"small": plant_order.small_programs, "threads": plant_send.thread_programs}
    for name, make in own.items():
        wanted = not options.program and any(name in WHERE.get(kind, {"real"}) for kind in kinds)
        sets[name] = make(Program, HERE.parents[1], build / "mutate" / name, options.jobs) if wanted else []
        programs += sets[name]
    judge = Judge(aglet, build / "mutate/cache", options.jobs)
    if not options.list:
        for program in programs:
            judge.learn(program)
    table, noise = {}, 0
    start = time.time()
    for kind in kinds:
        there = [p for name in sets if name in WHERE.get(kind, {"real"}) for p in sets[name]]
        chosen = choose(there, kind, options.per_kind)
        counts = Counter(planted=len(chosen), places=sum(len(p.candidates(kind)) for p in there))
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            verdicts = [None] * len(chosen) if options.list else pool.map(lambda pair: judge.judge(*pair), chosen)
            for (program, mutant), verdict in zip(chosen, verdicts):
                print_verdict(program, mutant, verdict, options.show)
                if verdict:
                    counts[verdict[0]] += 1
                    counts["noise"] += bool(verdict[2])
        noise += counts["noise"]
        table[kind] = counts

    total = sum(table.values(), Counter())
    print(f"\n{'kind':22}{'places':>8}{'planted':>9}{'right rule':>12}{'other rule':>12}{'silent':>8}{'noise':>7}{'share':>8}")
    for kind, counts in [*table.items(), ("all", total)]:
        share = counts["right rule"] / counts["planted"] if counts["planted"] else 0
        print(f"{kind:22}{counts['places']:8}{counts['planted']:9}{counts['right rule']:12}{counts['other rule']:12}{counts['silent']:8}"
              f"{counts['noise']:7}{share:8.0%}")
    print(f"{total['planted']} bugs, {time.time() - start:.0f} s")
    if not options.list:
        low = [kind for kind, counts in table.items() if counts["right rule"] < 0.6 * counts["planted"]]
        if low or noise or not total["planted"]:
            sys.exit(f"below 60 %: {', '.join(low) or 'no kind'}; noise: {noise}")


if __name__ == "__main__":
    main()
