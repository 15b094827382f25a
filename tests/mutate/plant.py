# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The kinds of bug that are planted, each as small edits of one function; every planted file is seen to compile.

Stands on source.py for where things are. An edit keeps the number of lines, so findings elsewhere keep theirs.
"""
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from source import closing

FLAG = "aglet_mutant_flag"
OTHER = "aglet_mutant_other"


@dataclass
class Mutant:
    kind: str
    path: Path
    function: str
    line: int
    what: str
    text: str  # the whole file with the bug in
    lines: tuple  # first and last line of the function


# The rules of which one at least must speak, by kind.
RIGHT_RULES = {
    "lock removed": {"unlock-unheld", "lock-mismatch", "guarded-by", "missing-guard", "requires", "contract", "cond-wait"},
    # destroyed while held: what a lock that is not released before the object ends comes to
    "unlock removed": {"lock-leak", "lock-mismatch", "double-lock", "contract", "destroy-held"},
    "early return": {"lock-leak", "lock-mismatch", "double-lock", "contract"},
    "other instance": {"unlock-unheld", "lock-leak", "lock-mismatch", "double-lock", "guarded-by", "cond-wait"},
    "wait without loop": {"cond-wait"},
    "access moved out": {"missing-guard", "guarded-by", "guarded-escape", "data-race"},
}

# Functions that have the object to themselves, by their names.
ALONE = re.compile(r"init|new|create|destroy|free|term|dump|close")
ODD_PAIRS = {"nn_ctx_enter": "nn_ctx_leave", "ZSTD_PTHREAD_MUTEX_LOCK": "ZSTD_pthread_mutex_unlock",
             "LOCK_MUTEX": "UNLOCK_MUTEX"}


def lock_pairs(sources):
    """Lock function or macro -> its unlock, by name: whatever ends in `lock` and has a sibling in `unlock`."""
    words = set().union(*(function.words for source in sources for function in source.functions))
    pairs = {name: re.sub("lock$", "unlock", name) for name in words if re.search(r"(?<!un)(?<!try)lock$", name)}
    return {lock: unlock for lock, unlock in (pairs | ODD_PAIRS).items() if lock in words and unlock in words}


def key(call):
    return call.arguments[-1] if call.arguments else ""


def sections(source, function, pairs):
    """(lock call, its first unlock call, all unlock calls) for each lock statement that the function itself undoes."""
    unlocks = source.calls(function, set(pairs.values()))
    for lock in source.calls(function, set(pairs)):
        mine = [u for u in unlocks if u.start > lock.end and u.name == pairs[lock.name] and key(u) == key(lock)]
        if mine:
            yield lock, mine[0], mine


def without(text, start, end):
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end - 1]) + ";" + text[end:]


def lock_removed(source, function, pairs, program):
    for lock, _, _ in sections(source, function, pairs):
        yield lock.start, f"{lock.name}({key(lock)}) removed", without(source.text, lock.start, lock.end)


def unlock_removed(source, function, pairs, program):
    seen = set()
    for _, _, unlocks in sections(source, function, pairs):
        for unlock in unlocks:
            if unlock.start not in seen:
                seen.add(unlock.start)
                yield unlock.start, f"{unlock.name}({key(unlock)}) removed", without(source.text, unlock.start, unlock.end)


def early_return(source, function, pairs, program):
    result = re.sub(r"\b(static|inline|extern|const|__inline\w*)\b", "", function.result).strip()
    value = "" if re.search(r"\bvoid$", result) else " 0"
    for lock, first, _ in sections(source, function, pairs):
        if not lock.guarded:
            extra = f" {{ extern int {FLAG}; if ({FLAG}) return{value}; }}"
            yield lock.start, f"return under {lock.name}({key(lock)})", source.text[:lock.end] + extra + source.text[lock.end:]


def other_instance(source, function, pairs, program):
    """The lock call names another lock that cannot be the same one: the same lock of another variable, another lock
    of the same object, or at last that of an object from elsewhere. The first that compiles is taken."""
    for lock, _, _ in sections(source, function, pairs):
        base = re.match(r"&?\(*([A-Za-z_]\w*)", key(lock))
        if not base or lock.guarded:
            continue
        before = source.code[function.head:lock.start]
        names = re.findall(r"\*\s*(?:const\s+)?([a-z]\w*)\b", before)
        others = [re.sub(rf"\b{base[1]}\b", name, key(lock), count=1) for name in dict.fromkeys(names)
                  if name != base[1] and not aliases(before, name, base[1])]
        owner = re.fullmatch(r"(&?.*(?:->|\.))\w+", key(lock))
        if owner:
            others += [other for other in program.lock_arguments[lock.name] if other != key(lock)
                       and re.fullmatch(re.escape(owner[1]) + r"\w+", other)]
        call = source.text[lock.start:lock.end]
        changes = [(other, other, "") for other in dict.fromkeys(others)]
        elsewhere = re.sub(rf"\b{base[1]}\b", f"(&{OTHER})", key(lock), count=1)
        changes.append(("that of an object elsewhere", elsewhere, f"extern __typeof__(*{base[1]}) {OTHER}; "))
        for what, other, declaration in changes:
            changed = f"{declaration}{lock.name}({', '.join(lock.arguments[:-1] + [other])});" + "\n" * call.count("\n")
            yield lock.start, f"{lock.name}({key(lock)}) locks {what}", (
                source.text[:lock.start] + changed + source.text[lock.end:])


def aliases(code, one, two):
    """May the variables be two names of one object, as far as assignments between them tell?"""
    return any(re.search(rf"\b{left}\s*=[^;=]*\b{right}\b(?!\s*->)", code) for left, right in ((one, two), (two, one)))


def wait_without_loop(source, function, pairs, program):
    code = source.code
    wait = r"\w*(?:cnd|cond|condvar)_(?:timed)?wait\w*\s*\("
    if re.match(wait, function.name + "("):
        return  # a wait function of the program's own: its callers loop
    for match in re.finditer(r"\bwhile\s*\(", code[function.start:function.end]):
        start = function.start + match.start()
        from_ = function.start + match.end() - 1
        close = closing(code, from_)
        rest = code[close + 1:function.end]
        body = re.match(r"\s*\{", rest)
        if body:
            inside = code[from_:closing(code, close + body.end()) + 1]
        else:
            inside = code[from_:close + 1 + rest.find(";")]
        tail = re.search(r"\}\s*$", code[function.start:start])
        if tail and rest.lstrip().startswith(";"):  # do { … } while (…);
            opening = opening_of(code, function.start + tail.start())
            if re.search(wait, code[opening:start]):
                spaces = re.sub(r"[^\n]", " ", source.text[from_ + 1:close])
                yield start, "do … while (0)", source.text[:from_ + 1] + "0" + spaces[1:] + source.text[close:]
        elif re.search(wait, inside) and not re.search(r"\bwhile\b", inside):
            yield start, "while made an if", source.text[:start] + "if   " + source.text[start + 5:]


def access_moved_out(source, function, pairs, program):
    """The first or last statement of a section changes places with the lock or unlock, if it touches a field that
    the program, by a count of its other sections, keeps under a lock."""
    code, text = source.code, source.text
    if ALONE.search(function.name):
        return
    for lock, first, unlocks in sections(source, function, pairs):
        if not lock.guarded:
            match = re.match(r"\s*([^;{}#]+;)", code[lock.end:])
            if match and movable(match[1], program):
                start, end = lock.end + match.start(1), lock.end + match.end(1)
                yield start, f"before the lock: {' '.join(match[1].split())}", (
                    text[:lock.start] + text[start:end] + text[lock.end:start] + text[lock.start:lock.end] + text[end:])
        for unlock in unlocks:
            match = re.search(r"[;{}]\s*([^;{}#]+;)\s*$", code[lock.end - 1:unlock.start])
            if not unlock.guarded and match and movable(match[1], program):
                start, end = lock.end - 1 + match.start(1), lock.end - 1 + match.end(1)
                yield start, f"after the unlock: {' '.join(match[1].split())}", (
                    text[:start] + text[unlock.start:unlock.end] + text[end:unlock.start] + text[start:end] + text[unlock.end:])


def movable(statement, program):
    if re.match(r"\w*(log|assert|dbg|printf)\w*\s*\(", statement, re.I):
        return False  # may be compiled to nothing
    if re.match(r"(return|goto|break|continue|else|case|default|if|while|for|do|switch)\b", statement):
        return False
    return any(name in program.guarded_fields for name in re.findall(r"->\s*(\w+)", statement))


KINDS = {"lock removed": lock_removed, "unlock removed": unlock_removed, "early return": early_return,
         "other instance": other_instance, "wait without loop": wait_without_loop, "access moved out": access_moved_out}


def guarded_fields(sources, pairs):
    """Fields of which at least three uses lie in a lock's section of the same variable, and nearly all do."""
    inside, outside = Counter(), Counter()
    for source in sources:
        for function in source.functions:
            spans = [(lock.end, unlocks[-1].start) for lock, _, unlocks in sections(source, function, pairs)]
            for match in re.finditer(r"->\s*(\w+)", source.code[function.start:function.end]):
                at = function.start + match.start()
                held = any(start <= at < end for start, end in spans)
                if held:
                    inside[match[1]] += 1
                elif not ALONE.search(function.name):
                    outside[match[1]] += 1
    return {name for name, count in inside.items() if count >= 3 and outside[name] * 9 <= count
            and not re.search(r"cnd|cond|lock|mutex", name, re.I)}


def opening_of(code, close):
    depth = 0
    for position in range(close, -1, -1):
        depth += {"}": 1, "{": -1}.get(code[position], 0)
        if depth == 0:
            return position
    return 0

