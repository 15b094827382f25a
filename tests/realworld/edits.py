# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random edits of a C program's text: what people do to code all day, and the bugs of tests/mutate.

Stands on tests/mutate/source.py for where things are. An edit is a guess that looks right: whoever makes it sees that it compiles. A kind
is a function of (dice, text of the program) that returns (what it did, {path: new text}), or None where there is no place for it.
"""
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "mutate"))
import plant
import plant_order
import plant_send
from source import Source, closing

KINDS, IN_HEADERS = {}, {}
KEYWORDS = r"(?:return|goto|break|continue|case|default|else|if|while|for|do|switch|typedef|extern|static|struct|union|enum)\b"
LOCKS = re.compile(r"lock|mutex|mtx|cond|cnd|wait|thread|ctx_enter|ctx_leave", re.I)
MUTEX = "#include <pthread.h>\n"


class Text:
    """The program as it is now. `headers`: its own, which some file of it includes."""

    def __init__(self, files, headers):
        self.texts, self.parsed = {}, {}
        self.headers = list(headers)
        self.numbers = 0
        for path in [*files, *headers]:
            self.texts[path] = path.read_text(encoding="utf-8", errors="surrogateescape")
        self.files = list(files)
        self.pairs = plant.lock_pairs(self.sources)
        self.guarded_fields = plant.guarded_fields(self.sources, self.pairs)
        self.reached = {function.name for source in self.sources for function in source.functions}
        self.lock_arguments = defaultdict(list)
        for source in self.sources:
            for function in source.functions:
                for call in source.calls(function, set(self.pairs)):
                    self.lock_arguments[call.name].append(plant.key(call))

    def set(self, path, text):
        self.texts[path] = text
        self.parsed.pop(path, None)

    def source(self, path):
        if path not in self.parsed:
            with tempfile.NamedTemporaryFile("w", suffix=path.suffix, encoding="utf-8", errors="surrogateescape") as file:
                file.write(self.texts[path])
                file.flush()
                self.parsed[path] = Source(file.name)
            self.parsed[path].path = path
            for function in self.parsed[path].functions:
                function.path = path
        return self.parsed[path]

    @property
    def sources(self):
        return [self.source(path) for path in self.files]

    def name(self, what):
        self.numbers += 1
        return f"aglet_edit_{what}_{self.numbers}"

    def some_function(self, dice, wanted=lambda source, function: True):
        """(source, function), each file as likely as it has functions, half the time one that locks or waits; None after some tries."""
        locks = dice.random() < 0.5
        for tries in range(80):
            source = self.source(dice.choices(self.files, [len(self.source(p).functions) for p in self.files])[0])
            function = dice.choice(source.functions)
            if wanted(source, function) and (not locks or tries > 40 or any(LOCKS.search(word) for word in function.words)):
                return source, function
        return None


def kind(name, among=KINDS):
    def keep(function):
        among[name] = function
        return function
    return keep


def planted(name, plants):
    def edit(dice, program):
        for _ in range(60):
            source, function = program.some_function(dice)
            made = list(plants(source, function, program.pairs, program))
            if made:
                _, what, text = dice.choice(made)
                return f"{function.name}: {what}", {source.path: text}
        return None
    KINDS[name] = edit


for _name, _plants in {**plant.KINDS, **plant_order.KINDS, **plant_send.KINDS}.items():
    if _name != "yield under a lock": # needs Aglet's runtime
        planted(_name, _plants)


def statements(source, function):
    """(start, end) of the simple statements that are nobody's body without braces."""
    code = source.code
    for match in re.finditer(r"[;{}]\s*(?=([^;{}#:]+;))", code[function.start:function.end]):
        start = function.start + match.end()
        text = match[1]
        if not re.match(KEYWORDS, text) and text.count("(") == text.count(")"):
            yield start, start + len(text)


def some_statement(dice, program, pattern=""):
    found = program.some_function(dice, lambda s, f: any(re.search(pattern, s.code[a:b]) for a, b in statements(s, f)))
    if not found:
        return None
    source, function = found
    return source, function, *dice.choice([(a, b) for a, b in statements(source, function) if re.search(pattern, source.code[a:b])])


def spliced(source, start, end, text):
    return {source.path: source.text[:start] + text + source.text[end:]}


def parameters(source, function):
    """[(type, name)], or None where they are not understood."""
    open_ = source.code.find("(", function.head)
    inside = source.text[open_ + 1:closing(source.code, open_)].strip()
    if inside in ("void", ""):
        return []
    found = [re.fullmatch(r"\s*([\w\s*]+?[\s*])(\w+)\s*", part) for part in inside.split(",")]
    return [(re.sub(r"\s+", " ", f[1]).strip(), f[2]) for f in found] if all(found) else None


def call_of(dice, program, source, function, other_source, other):
    """A statement in `function` that calls `other`, with what it has at hand for arguments."""
    mine, wanted = parameters(source, function), parameters(other_source, other)
    if wanted is None:
        return None
    arguments = []
    for type_, _ in wanted:
        fitting = [name for have, name in mine or [] if have.replace("const ", "") == type_.replace("const ", "")]
        arguments.append(dice.choice(fitting) if fitting else dice.choice("017") if "*" not in type_ else "0")
    result = re.sub(r"\b(static|inline|__inline\w*|\w*(?:EXPORT|API|UNUSED|INLINE)\w*)\b", "", other.result).strip()
    declared = ", ".join(type_ for type_, _ in wanted) or "void"
    if other_source is not source and not re.search(r"\bstatic\b", other.result):
        return f"{{ extern {result} {other.name}({declared}); (void){other.name}({', '.join(arguments)}); }}"
    return f"(void){other.name}({', '.join(arguments)});"


def top_of(source, function):
    """Where the function's declaration begins."""
    return function.head - len(function.result) - len(source.code[:function.head]) + len(source.code[:function.head].rstrip()) \
        if function.result else function.head


def is_static(source, function):
    return bool(re.search(r"\bstatic\b", function.result))


@kind("statement repeated")
def statement_repeated(dice, program):
    found = some_statement(dice, program)
    if found:
        source, function, start, end = found
        _, at = dice.choice(list(statements(source, function)))
        return f"{function.name}: {source.text[start:end]}", spliced(source, at, at, " " + source.text[start:end])


@kind("call added")
def call_added(dice, program):
    found, other = some_statement(dice, program), program.some_function(dice, lambda s, f: not is_static(s, f))
    if found and other:
        source, function, _, at = found
        call = call_of(dice, program, source, function, *other)
        return call and (f"{function.name} calls {other[1].name}", spliced(source, at, at, " " + call))


@kind("call back to a caller")
def call_back(dice, program):
    """A recursion: a function of the file calls one that calls it."""
    found = program.some_function(dice, lambda s, f: any(o.name in f.words and o is not f for o in s.functions))
    if found:
        source, caller = found
        function = dice.choice([o for o in source.functions if o.name in caller.words and o is not caller])
        places = list(statements(source, function))
        call = call_of(dice, program, source, function, source, caller)
        if places and call:
            _, at = dice.choice(places)
            result, name = caller.result, caller.name
            head = source.text[top_of(source, caller):closing(source.code, source.code.find("(", caller.head)) + 1]
            text = source.text[:at] + f" if (aglet_edit_flag) {call}" + source.text[at:]
            begin = min(top_of(source, f) for f in source.functions)
            return f"{function.name} calls {name}", {source.path: text[:begin] + f"extern int aglet_edit_flag; {head};\n" + text[begin:]}


@kind("statement removed")
def statement_removed(dice, program):
    found = some_statement(dice, program)
    if found:
        source, function, start, end = found
        return f"{function.name}: {source.text[start:end]}", spliced(source, start, end, ";")


@kind("call removed")
def call_removed(dice, program):
    found = some_statement(dice, program, r"^\w+\s*\(")
    if found:
        source, function, start, end = found
        return f"{function.name}: {source.text[start:end]}", spliced(source, start, end, ";")


@kind("statements swapped")
def statements_swapped(dice, program):
    found = program.some_function(dice, lambda s, f: len(list(statements(s, f))) > 1)
    if found:
        source, function = found
        places = list(statements(source, function))
        (a, b), (c, d) = sorted(dice.sample(places, 2))
        text = source.text
        return f"{function.name}: {text[a:b]} and {text[c:d]}", {source.path: text[:a] + text[c:d] + text[b:c] + text[a:b] + text[d:]}


@kind("argument changed")
def argument_changed(dice, program):
    found = some_statement(dice, program, r"^\w+\s*\(\s*\w")
    if found:
        source, function, start, end = found
        have = source.text[start:end]
        arguments = re.findall(r"[(,]\s*(&?\w[\w>.-]*)\s*(?=[,)])", source.code[function.head:function.end])
        old = [m for m in re.finditer(r"[(,]\s*(&?\w[\w>.-]*)\s*(?=[,)])", have)]
        if old and arguments:
            match = dice.choice(old)
            new = dice.choice([*arguments, "0", "1"])
            return f"{function.name}: {match[1]} to {new} in {have}", spliced(source, start + match.start(1), start + match.end(1), new)


@kind("constant changed")
def constant_changed(dice, program):
    found = program.some_function(dice, lambda s, f: re.search(r"\b\d+\b", s.code[f.start:f.end]))
    if found:
        source, function = found
        match = dice.choice(list(re.finditer(r"\b\d+\b", source.code[function.start:function.end])))
        start = function.start + match.start()
        new = str(dice.choice([0, 1, 2, 100, int(match[0], 10) + 1]))
        return f"{function.name}: {match[0]} to {new}", spliced(source, start, start + len(match[0]), new)


def conditions(source, function):
    for match in re.finditer(r"\b(?:if|while)\s*(\()", source.code[function.start:function.end]):
        open_ = function.start + match.start(1)
        close = closing(source.code, open_)
        if close > 0:
            yield open_, close


@kind("condition inverted")
def condition_inverted(dice, program):
    found = program.some_function(dice, lambda s, f: any(conditions(s, f)))
    if found:
        source, function = found
        open_, close = dice.choice(list(conditions(source, function)))
        inside = source.text[open_ + 1:close]
        return f"{function.name}: {inside}", spliced(source, open_ + 1, close, f"!({inside})")


@kind("if put round a statement")
def if_added(dice, program):
    found = some_statement(dice, program)
    if found:
        source, function, start, end = found
        words = [name for _, name in parameters(source, function) or []] or ["1"]
        return f"{function.name}: {source.text[start:end]}", spliced(source, start, start, f"if ({dice.choice(words)}) ")


@kind("local variable added")
def local_added(dice, program):
    source, function = program.some_function(dice)
    name = program.name("local")
    at = function.start + 1
    return function.name, spliced(source, at, at, dice.choice([f" int {name} = 0; (void){name};", f" void *{name} = 0; (void)&{name};"]))


@kind("static function added")
def function_added(dice, program):
    """An empty one, or one that is there under another name."""
    source, function = program.some_function(dice)
    begin, name = top_of(source, function), program.name("function")
    if dice.random() < 0.4:
        return name, spliced(source, begin, begin, f"static void {name}(void) {{ }}\n")
    copied = source.text[begin:function.head] + name + source.text[function.head + len(function.name):function.end]
    return f"{name}, {function.name} once more", spliced(source, function.end, function.end, f"\n{copied}\n")


@kind("new function called")
def new_function_called(dice, program):
    found = some_statement(dice, program)
    if found:
        source, function, start, end = found
        mine, name, begin = parameters(source, function), program.name("function"), top_of(source, function)
        if mine:
            head = ", ".join(f"{type_} {word}" for type_, word in mine)
            call = f" {name}({', '.join(word for _, word in mine)});"
            text = source.text
            return f"{function.name} calls {name}: {text[start:end]}", {source.path: (
                text[:begin] + f"static void {name}({head}) {{ {text[start:end]} }}\n" + text[begin:start] + call + text[end:])}


def whole(source, function):
    begin = top_of(source, function)
    return begin, function.end


@kind("function removed")
def function_removed(dice, program):
    """One that its own file does not call; others may."""
    found = program.some_function(dice, lambda s, f: len(re.findall(rf"\b{f.name}\b", s.code)) == 1)
    if found:
        source, function = found
        return function.name, spliced(source, *whole(source, function), "")


@kind("static function renamed")
def function_renamed(dice, program):
    found = program.some_function(dice, is_static)
    if found:
        source, function = found
        name = program.name("function")
        return f"{function.name} to {name}", {source.path: re.sub(rf"\b{function.name}\b", name, source.text)}


@kind("function moved")
def function_moved(dice, program):
    source, function = program.some_function(dice)
    begin, end = whole(source, function)
    close = closing(source.code, source.code.find("(", function.head))
    text = source.text
    other = dice.choice(source.functions)
    at = other.end if other.end >= end else len(text)
    return f"{function.name} behind {other.name}", {source.path: (
        text[:begin] + text[begin:close + 1] + ";" + text[end:at] + "\n" + text[begin:end] + "\n" + text[at:])}


@kind("static function made external")
def made_external(dice, program):
    found = program.some_function(dice, lambda s, f: is_static(s, f) and "inline" not in f.result.lower())
    if found:
        source, function = found
        return function.name, {source.path: re.sub(rf"\bstatic\b(?=[^;{{}}()=]*\b{function.name}\s*\()", "", source.text)}


@kind("function made static")
def made_static(dice, program):
    found = program.some_function(dice, lambda s, f: not is_static(s, f) and len(re.findall(rf"\b{f.name}\b", s.code)) > 1)
    if found:
        source, function = found
        begin = top_of(source, function)
        return function.name, spliced(source, begin, begin, "static ")


@kind("comment added")
def comment_added(dice, program):
    source, function = program.some_function(dice)
    at = dice.choice([top_of(source, function), *(end for _, end in statements(source, function))])
    return function.name, spliced(source, at, at, dice.choice(["\n\n", "/* one\n * or two */\n", "/* nothing */", "\n" * 90]))


@kind("body emptied")
def body_emptied(dice, program):
    source, function = program.some_function(dice)
    result = re.sub(r"\b(static|inline|__inline\w*)\b", "", function.result).strip()
    return function.name, spliced(source, function.start, function.end, "{ }" if re.search(r"\bvoid$", result) else "{ return 0; }")


@kind("function pointer stored")
def pointer_stored(dice, program):
    """In a global that is called in another place of the file."""
    found = some_statement(dice, program)
    if found:
        source, function, _, at = found
        earlier = [f for f in source.functions if f.end < function.head]
        if earlier:
            other, name, begin, text = dice.choice(earlier), program.name("hook"), top_of(source, function), source.text
            call = call_of(dice, program, source, function, source, other)
            called = call.replace(other.name, name, 1) if call and dice.random() < 0.7 else ""
            return f"{other.name} in {function.name}", {source.path: (
                text[:begin] + f"static __typeof__(&{other.name}) {name};\n" + text[begin:at] + f" {name} = {other.name}; {called}" + text[at:])}


@kind("thread spawned")
def thread_spawned(dice, program):
    found = some_statement(dice, program)
    if found:
        source, function, _, at = found
        mine = [name for type_, name in parameters(source, function) or [] if "*" in type_]
        earlier = [f for f in source.functions if f.end < function.head and len(parameters(source, f) or []) == 1
                   and "*" in parameters(source, f)[0][0]]
        if earlier:
            other, name = dice.choice(earlier), program.name("thread")
            joined = dice.choice(["", f" pthread_join({name}, 0);"])
            text = (f" {{ pthread_t {name}; pthread_create(&{name}, 0, (void *(*)(void *)){other.name}, (void *){dice.choice(mine or ['0'])});"
                    f"{joined} }}")
            return f"{other.name} in {function.name}", {source.path: MUTEX + source.text[:at] + text + source.text[at:]}


@kind("initialiser's entry changed")
def table_changed(dice, program):
    """One function of the file for another in a table of them."""
    for _ in range(40):
        source = program.source(dice.choice(program.files))
        names = {f.name for f in source.functions}
        entries = [m for m in re.finditer(r"(?<=[=,{])\s*(\w+)\s*(?=[,}])", source.code) if m[1] in names
                   and not any(f.start < m.start() < f.end for f in source.functions)]
        if entries:
            match, new = dice.choice(entries), dice.choice(sorted(names) + ["0"])
            return f"{match[1]} to {new}", spliced(source, match.start(1), match.end(1), new)
    return None


@kind("inline function added (header)", IN_HEADERS)
def inline_added(dice, program):
    path, name = dice.choice(program.headers), program.name("inline")
    text = program.texts[path]
    at = text.rfind("#endif") if "#endif" in text else len(text)
    return name, {path: text[:at] + f"static inline int {name}(int n) {{ return n + 1; }}\n" + text[at:]}


@kind("comment added (header)", IN_HEADERS)
def header_comment(dice, program):
    path = dice.choice(program.headers)
    return path.name, {path: dice.choice(["/* one line */\n", "\n\n\n", "/* a\n b */ "]) + program.texts[path]}

