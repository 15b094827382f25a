# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Bugs between functions: two acquisitions swapped, a blocking call under a lock, a yield in a callee of a section.

Stands on plant.py for sections and on source.py for text. A swap is planted only where the program takes locks of the
same two classes in the same order at another place too, and where the two places could wait for each other; else it is no
bug but another order.
"""
import json
import re
import shutil
from collections import Counter, defaultdict

import plant
from source import Source

KINDS = {}
RIGHT_RULES = {
    "acquisitions swapped": {"lock-order"},
    "blocking under a lock": {"blocking-while-locked"},
    "yield under a lock": {"lock-across-yield"},
}
# The programs in which a kind is planted: "real" (tests/realworld), "small" (samples, tests/lock-order).
WHERE = {"acquisitions swapped": {"real", "small"}, "blocking under a lock": {"real"}, "yield under a lock": {"small"}}
SLEEP = "{ extern unsigned sleep(unsigned); (void)sleep(1); } "
PAUSE = "static int aglet_mutant_pause(void) { return aglet_yield(); } "
SHARED = re.compile(r"rdlock|read_lock|_shared")


def kind(name):
    def keep(function):
        KINDS[name] = function
        return function
    return keep


def lock_class(call):
    """A name for the kind of lock: of a wrapper the wrapper's, of a plain lock function the last member or variable."""
    name = re.sub(r"(rd|wr|read_|write_)?lock$", "", call.name)
    last = re.findall(r"[A-Za-z_]\w*", re.sub(r"\[[^]]*\]", "", plant.key(call)))
    plain = re.fullmatch(r"(pthread_(mutex|rwlock|spin)_|mtx_|aglet_(mutex|rwlock)_|MUTEX_|PTHREAD_MUTEX_|\w*_PTHREAD_MUTEX_)", name, re.I)
    return last[-1] if plain and last else name


def nested(source, function, pairs):
    """(outer, inner) lock statements of which the inner stands in the outer's section, both on every way through it."""
    for lock, first, _ in plant.sections(source, function, pairs):
        for inner in source.calls(function, set(pairs)):
            gap = source.code[lock.end:inner.start]
            root = re.match(r"&?\(*([A-Za-z_]\w*)", plant.key(inner))
            if (lock.end <= inner.start < first.start and lock_class(inner) != lock_class(lock) and root
                    and not lock.guarded and not inner.guarded and gap.count("{") == gap.count("}")
                    and not re.search(rf"\b{root[1]}\b\s*=[^=]|\({root[1]}\s*,|\b(case|default|return|goto|break)\b|^\s*\w+:", gap, re.M)
                    and not re.search(r"^\W*}", gap)):
                yield lock, inner


def orders(program, pairs):
    """(outer class, inner class) → the ways in which they are taken: (outer shared, inner shared), by place."""
    if not hasattr(program, "orders"):
        program.orders = defaultdict(list)
        for source in program.sources:
            for function in source.functions:
                for lock, first, _ in plant.sections(source, function, pairs):
                    for inner in source.calls(function, set(pairs)):
                        if lock.end <= inner.start < first.start and function.name in program.reached:
                            program.orders[lock_class(lock), lock_class(inner)].append(
                                (source.path, lock.start, inner.start, bool(SHARED.search(lock.name)), bool(SHARED.search(inner.name))))
    return program.orders


@kind("acquisitions swapped")
def acquisitions_swapped(source, function, pairs, program):
    for lock, inner in nested(source, function, pairs):
        mine = (bool(SHARED.search(lock.name)), bool(SHARED.search(inner.name)))
        others = [place for place in orders(program, pairs)[lock_class(lock), lock_class(inner)]
                  if place[:3] != (source.path, lock.start, inner.start)
                  and not (mine[0] and place[3]) and not (mine[1] and place[4])]
        if not others:
            continue
        text = source.text
        one, two = text[lock.start:lock.end], text[inner.start:inner.end]
        if "\n" in one or "\n" in two:
            continue
        yield lock.start, f"{two} before {one}", text[:lock.start] + two + text[lock.end:inner.start] + one + text[inner.end:]


def callees(source, function, lock, unlock, program):
    """Functions of the same file that the section calls on its straight way: the only ones of their name in the program."""
    if not hasattr(program, "counts"):
        program.counts = Counter(f.name for s in program.sources for f in s.functions)
    inside = source.code[lock.end:unlock.start]
    straight = re.split(r"[{}]|\b(?:if|while|for|switch|return|goto|case|default|do|else)\b|&&|\|\||\?", inside)[0]
    for name in dict.fromkeys(re.findall(r"\b([A-Za-z_]\w*)\s*\(", straight)):
        for other in source.functions:
            if other.name == name and other is not function and program.counts[name] == 1:
                yield other


@kind("blocking under a lock")
def blocking_under_lock(source, function, pairs, program):
    """At the start of what the section calls, or of the section itself."""
    text = source.text
    for lock, first, _ in plant.sections(source, function, pairs):
        if lock.guarded:
            continue
        for callee in callees(source, function, lock, first, program):
            yield lock.start, f"sleep in {callee.name}, which is called under the lock", (
                text[:callee.start + 1] + " " + SLEEP + text[callee.start + 1:])
        yield lock.start, "sleep behind the lock", text[:lock.end] + " " + SLEEP + text[lock.end:]


@kind("yield under a lock")
def yield_under_lock(source, function, pairs, program):
    """In a function that a section calls, and in a new one that it calls; async locks may be held there."""
    text = source.text
    begin = text.rfind("\n", 0, function.head) + 1
    for lock, first, _ in plant.sections(source, function, pairs):
        if lock.guarded or "async" in lock.name:
            continue
        for callee in callees(source, function, lock, first, program):
            yield lock.start, f"yield in {callee.name}, which is called under the lock", (
                text[:callee.start + 1] + " (void)aglet_yield(); " + text[callee.start + 1:])
        yield lock.start + 1, "yield in a new function, which is called under the lock", (
            text[:begin] + PAUSE + text[begin:lock.end] + " (void)aglet_mutant_pause();" + text[lock.end:])
    for guard in re.finditer(r"\bAGLET_(?:READ_|WRITE_)?GUARD\([^;]*\);", source.code[function.start:function.end]):
        at = function.start + guard.end()
        yield at, "yield in a new function, which is called under the guard", (
            text[:begin] + PAUSE + text[begin:at] + " (void)aglet_mutant_pause();" + text[at:])


def small_programs(Program, root, work, workers):
    """The quiet programs of samples/ and tests/lock-order, each a program of its own, as run.py's Program."""
    return [_small(Program, root, path, work, workers)
            for path in [*sorted((root / "samples").glob("*.c")), *sorted((root / "tests/lock-order").glob("*-good*"))]
            if not path.is_dir() and not re.search(r"^ \* (Lint +(?!quiet)|Needs)", path.read_text(), re.M)]


def _small(Program, root, path, work, workers):
    program = Program.__new__(Program)
    program.name, program.only = path.stem, ()
    program.roots = [work / str(worker) / "small" / path.stem for worker in range(workers)]
    for folder in program.roots:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "source").mkdir(parents=True)
        (folder / "build").mkdir()
        shutil.copy(path, folder / "source")
        entries = [{"directory": str(folder / "build"), "file": str(folder / "source" / path.name), "arguments": [
            "clang", "-std=gnu11", f"-I{root}/annotations/include", f"-I{root}/runtime/include", "-include", "aglet/task.h", "-c",
            str(folder / "source" / path.name)]}]
        (folder / "build/compile_commands.json").write_text(json.dumps(entries))
        if folder == program.roots[0]:
            program.root = folder
            program.entries = {folder / "source" / path.name: entries[0]}
    program.sources = [Source(source) for source in program.entries]
    program.reached = {function.name for source in program.sources for function in source.functions}
    program.pairs = plant.lock_pairs(program.sources)
    program.guarded_fields, program.lock_arguments, program.active = set(), defaultdict(list), {}
    return program
