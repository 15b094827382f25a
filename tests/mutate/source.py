# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""C source as text with its braces understood: functions, call statements, and which functions an API reaches.

Stands on no parser: what looks right here is proved by compiling every planted bug (plant.py).
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

WORD = re.compile(r"[A-Za-z_]\w*")
NOT_FUNCTIONS = {"if", "while", "for", "switch", "return", "sizeof", "do", "else", "defined"}


def blank(text):
    """The text with comments, strings, character constants and preprocessor lines turned to spaces, same length."""
    pattern = re.compile(r"""/\*.*?\*/|//(?:[^\n\\]|\\.)*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""", re.S)
    spaces = lambda match: re.sub(r"[^\n]", " ", match[0])
    text = pattern.sub(spaces, text)
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", spaces, text, flags=re.M | re.S)


def closing(code, at):
    """The position of the bracket that closes the one at `at`."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    stack = []
    for position in range(at, len(code)):
        char = code[position]
        if char in pairs:
            stack.append(pairs[char])
        elif char in ")}]":
            if not stack or char != stack.pop():
                return -1
            if not stack:
                return position
    return -1


@dataclass
class Call:
    """A call that is a statement of its own: text[start:end] from the name to the semicolon inclusive."""
    name: str
    arguments: list
    start: int
    end: int
    guarded: bool  # the body of an if, else or loop without braces of its own


@dataclass
class Function:
    path: Path
    name: str
    result: str  # the declaration before the name: `static int`
    head: int    # where the name stands
    start: int   # the opening brace
    end: int     # one past the closing brace
    words: set = field(default_factory=set)


class Source:
    def __init__(self, path):
        self.path = Path(path)
        self.text = self.path.read_text(encoding="utf-8", errors="surrogateescape")
        self.code = blank(self.text)
        self.functions = []
        self.tables = []  # (name, words) of initialised objects at file scope
        self._top_level()

    def _top_level(self):
        at, begin = 0, 0
        while at < len(self.code):
            char = self.code[at]
            if char == ";":
                begin = at + 1
            elif char == "{":
                end = closing(self.code, at)
                if end < 0:
                    return
                before = self.code[begin:at]
                if "=" in before:
                    names = WORD.findall(before.split("=")[0].split("[")[0])
                    self.tables.append((names[-1] if names else "", set(WORD.findall(self.code[at:end]))))
                elif before.rstrip().endswith(")"):
                    self._function(begin, at, end + 1)
                    begin = end + 1
                at = end
            at += 1

    def _function(self, begin, brace, end):
        for match in re.finditer(r"\b([A-Za-z_]\w*)\s*\(", self.code[begin:brace]):
            if match[1] not in NOT_FUNCTIONS and not match[1].startswith("__"):
                self.functions.append(Function(self.path, match[1], self.code[begin:begin + match.start()].strip(),
                                               begin + match.start(), brace, end,
                                               set(WORD.findall(self.code[brace:end]))))
                return

    def line_of(self, position):
        return self.text.count("\n", 0, position) + 1

    def calls(self, function, names):
        """Statements of the function that call one of `names`, in order."""
        found = []
        for match in re.finditer(r"\b(" + "|".join(map(re.escape, names)) + r")\s*\(", self.code[function.start:function.end]):
            start = function.start + match.start()
            close = closing(self.code, function.start + match.end() - 1)
            semicolon = re.match(r"\s*;", self.code[close + 1:]) if close > 0 else None
            before = self.code[function.start:start].rstrip()
            if not semicolon or not (before[-1] in ";{})" or re.search(r"(\belse|:)$", before)):
                continue
            inside = self.code[function.start + match.end():close]
            found.append(Call(match[1], split(inside), start, close + 1 + semicolon.end(),
                              before[-1] == ")" or before.endswith("else")))
        return found


def split(arguments):
    """Argument texts at depth 0, without white space."""
    parts, depth, current = [], 0, ""
    for char in arguments:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    return [re.sub(r"\s+", "", part) for part in parts + [current]]


def reached(sources, headers):
    """Names of the functions that the functions named in `headers`, or a main(), reach by mentioning one another,
    through macros and initialised tables too."""
    mentions = {}
    for source in sources:
        for function in source.functions:
            mentions.setdefault(function.name, set()).update(function.words)
        for name, words in source.tables:
            mentions.setdefault(name, set()).update(words)
    paths = {source.path for source in sources} | {p for source in sources for p in source.path.parent.glob("*.h")}
    for path in paths:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        for name, body in re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)((?:[^\n\\]|\\.|\\\n)*)", text, re.M | re.S):
            mentions.setdefault(name, set()).update(WORD.findall(body))
    roots = {"main"}
    for header in headers:
        roots.update(WORD.findall(blank(Path(header).read_text(encoding="utf-8", errors="surrogateescape"))))
    seen, pending = set(), [name for name in roots if name in mentions]
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending.extend(word for word in mentions[name] if word in mentions and word not in seen)
    return seen
