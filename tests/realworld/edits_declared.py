# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random edits of what a program declares: globals, members and their annotations, in its files and in its headers. Stands on edits.py;
whoever imports this has them among the kinds there.
"""
import re

import plant
from edits import IN_HEADERS, KINDS, MUTEX, kind, some_statement, top_of
from source import blank, closing

TYPES = ["int", "long", "unsigned", "unsigned long", "short", "char"]
GUARD = "#include <aglet/annotations.h>\n"


@kind("global added")
def global_added(dice, program):
    found = some_statement(dice, program)
    if found:
        source, function, start, end = found
        name, begin, text = program.name("global"), top_of(source, function), source.text
        what = dice.choice(["plain", "const", "mutex", "used", "locked"])
        declared = {"plain": f"int {name};", "const": f"const int {name} = 3;", "used": f"static long {name};"}.get(
            what, f"static pthread_mutex_t {name} = PTHREAD_MUTEX_INITIALIZER;")
        before = {"used": f"{name}++; ", "locked": f"pthread_mutex_lock(&{name}); "}.get(what, "")
        after = f" pthread_mutex_unlock(&{name});" if what == "locked" else ""
        return f"{what} at {function.name}", {source.path: (
            MUTEX + text[:begin] + declared + "\n" + text[begin:start] + before + text[start:end] + after + text[end:])}


def structs(code):
    """(name, opening brace, closing brace) of each."""
    for match in re.finditer(r"\bstruct\s+(\w+)\s*\{", code):
        close = closing(code, match.end() - 1)
        if close > 0:
            yield match[1], match.end() - 1, close


def some_struct(dice, program, headers):
    for _ in range(40):
        path = dice.choice(program.headers if headers else program.files)
        found = list(structs(blank(program.texts[path])))
        if found:
            return path, *dice.choice(found)
    return None


def members(code, open_, close):
    return [match for match in re.finditer(r"(?<=[;{])(\s*)((?:(?:const|unsigned|struct)\s+)?\w+[\s*]+)(\w+)\s*;", code[:close]) if match.start() > open_]


def of_struct(name, change):
    """One kind in the files, and one in headers, where more than one file sees it."""
    def edit(dice, program, headers):
        found = some_struct(dice, program, headers)
        made = found and change(dice, program, program.texts[found[0]], *found[1:])
        return made and (f"struct {found[1]}: {made[0]}", {found[0]: made[1]})
    KINDS[name] = lambda dice, program: edit(dice, program, False)
    IN_HEADERS[name + " (header)"] = lambda dice, program: edit(dice, program, True)


def member_first(dice, program, text, name, open_, close):
    return "first", text[:open_ + 1] + f" {dice.choice(TYPES)} {program.name('member')};" + text[open_ + 1:]


def member_last(dice, program, text, name, open_, close):
    return "last", text[:close] + f" {dice.choice(TYPES)} {program.name('member')}; " + text[close:]


def member_changed(dice, program, text, name, open_, close):
    found = [m for m in members(blank(text), open_, close) if "*" not in m[2] and not m[2].startswith("struct")]
    if found:
        match = dice.choice(found)
        return match[3], text[:match.start(2)] + dice.choice(TYPES) + " " + text[match.start(3):]


def member_annotated(dice, program, text, name, open_, close):
    found = members(blank(text), open_, close)
    locks = [m[3] for m in found if re.search(r"mutex|mtx|lock", m[2], re.I)]
    others = [m for m in found if m[3] not in locks]
    if locks and others:
        match, lock = dice.choice(others), dice.choice(locks)
        return f"{match[3]} by {lock}", GUARD + text[:match.end(3)] + f" AGLET_GUARDED_BY({lock})" + text[match.end(3):]


of_struct("member added, first", member_first)
of_struct("member added, last", member_last)
of_struct("member's type changed", member_changed)
of_struct("member annotated", member_annotated)


@kind("function annotated")
def function_annotated(dice, program):
    """What it requires, taken from what it locks."""
    found = program.some_function(dice, lambda s, f: any(s.calls(f, set(program.pairs))))
    if found:
        source, function = found
        lock = plant.key(dice.choice(source.calls(function, set(program.pairs)))).lstrip("&")
        close = closing(source.code, source.code.find("(", function.head))
        head = source.text[top_of(source, function):close + 1]
        word = dice.choice(["REQUIRES", "EXCLUDES", "ACQUIRES", "RELEASES"])
        begin, text = top_of(source, function), source.text
        return f"{function.name} {word} {lock}", {source.path: GUARD + text[:begin] + f"{head} AGLET_{word}({lock});\n" + text[begin:]}
