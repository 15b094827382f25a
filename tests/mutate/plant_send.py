# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Bugs at hand-offs: joins removed or late, heap made local, atomics made plain, writes and frees behind the hand-off.

Stands on plant_order.py for one-file programs and on source.py for text. A change is planted only where it is a bug: the
thread, or who takes the object out of its queue, must itself touch what this side then touches, as far as its text says.
"""
import json
import re

import plant_order
from source import closing

KINDS = {}
RIGHT_RULES = {
    "join removed": {"unjoined", "stack-escape", "sync", "use-after-send", "send"},
    "join moved": {"sync", "use-after-send", "send"},
    "heap made local": {"stack-escape"},
    "atomic made plain": {"sync", "send", "data-race"},
    "write moved behind": {"sync", "use-after-send"},
    "sender frees": {"use-after-send", "sync"},
}
FILE_WIDE = {"atomic made plain"}  # a declaration changes, and with it whatever uses it in the file
WHERE = {kind: {"real", "threads"} for kind in RIGHT_RULES}

# How objects are handed over: the entry function's argument (None: the object goes into a queue), the object's, the handle's.
HANDOFFS = {
    "pthread_create": (2, 3, 0), "thrd_create": (1, 2, 0), "THREAD_CREATE": (1, 2, 0), "nn_thread_init": (1, 2, 0),
    "ZSTD_pthread_create": (2, 3, 0), "POOL_add": (1, 2, None), "POOL_tryAdd": (1, 2, None),
    "aglet_thread_spawn": (1, 2, 0), "AGLET_THREAD_SPAWN": (1, 2, 0), "aglet_spawn": (1, 2, 0), "AGLET_SPAWN": (1, 2, 0),
    "pool_submit": (1, 2, None), "ring_pool_add": (1, 2, None), "queue_push": (None, 1, None), "loop_post": (None, 1, None),
    "ring_put": (None, 1, None), "submit": (None, 0, None), "channel_send": (None, 1, None), "rd_kafka_q_enq": (None, 1, None),
    "rd_kafka_q_enq1": (None, 1, None), "rd_kafka_q_reenq": (None, 1, None),
}
JOINS = r"(?:pthread_join|thrd_join|aglet_thread_join|THREAD_FINISH|nn_thread_term)"
DETACHES = r"(?:pthread_detach|thrd_detach|aglet_thread_detach)"
HANDLES = r"(?:pthread_t|thrd_t|aglet_thread|struct\s+nn_thread)"
SIMPLE = re.compile(r"\s*(?!(?:if|for|while|do|switch|return|goto|break|continue|case|default|else)\b)[^;{}#]*;")


def kind(name):
    def keep(function):
        KINDS[name] = function
        return function
    return keep


def statement_start(code, at, floor):
    """Where the statement begins that the position lies in, with the if or loop around it."""
    depth = 0
    for position in range(at - 1, floor, -1):
        char = code[position]
        depth += {")": 1, "]": 1, "(": -1, "[": -1}.get(char, 0)
        if char in ";{}" and depth <= 0:
            return position + 1 + len(re.match(r"\s*", code[position + 1:])[0])
    return floor + 1 + len(re.match(r"\s*", code[floor + 1:])[0])


def statement_end(code, at):
    """One past the statement that begins at the position or in the white space after it; -1 when it is not understood."""
    at += len(re.match(r"\s*", code[at:])[0])
    head = re.match(r"(if|for|while|switch)\s*\(", code[at:])
    if head:
        close = closing(code, at + head.end() - 1)
        end = statement_end(code, close + 1) if close > 0 else -1
        other = re.match(r"\s*else\b", code[end:]) if head[1] == "if" and end > 0 else None
        return statement_end(code, end + other.end()) if other else end
    if code[at] == "{":
        return closing(code, at) + 1
    end, depth = at, 0
    while end < len(code) and (code[end] != ";" or depth):
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(code[end], 0)
        if depth < 0:
            return -1
        end += 1
    return end + 1


class Handoff:
    """One call that hands `argument` over, in the statement text[start:end]."""

    def __init__(self, source, function, match):
        code = source.code
        self.name, self.call = match[1], function.start + match.start()
        close = closing(code, function.start + match.end() - 1)
        arguments = split(source.text[function.start + match.end():close])
        entry, argument, handle = HANDOFFS[self.name]
        self.known = close > 0 and len(arguments) > argument
        if not self.known:
            return
        self.argument = arguments[argument]
        self.entry = re.sub(r"\W", "", arguments[entry]) if entry is not None else None
        self.handle = arguments[handle].lstrip("&( ") if handle is not None else None
        self.root = (re.search(r"[A-Za-z_]\w*(?!\w*\s*\*?\s*\))", self.argument) or [""])[0]
        self.plain = re.fullmatch(r"(?:\(void \*\)\s*)?[a-z]\w*", self.argument) is not None
        self.start = statement_start(code, self.call, function.start)
        self.end = statement_end(code, self.start)
        self.known = self.end > self.call and bool(self.root)


def split(arguments):
    parts, depth, current = [], 0, ""
    for char in arguments:
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    return [*parts, current.strip()]


def handoffs(source, function):
    if "expected-warning" in source.text[function.start:function.end]:
        return  # a test that is wrong already
    if not re.search(r"\b(" + "|".join(HANDOFFS) + r")\s*\(", source.code[function.start:function.end]):
        return
    for match in re.finditer(r"\b(" + "|".join(HANDOFFS) + r")\s*\(", source.code[function.start:function.end]):
        found = Handoff(source, function, match)
        if found.known:
            yield found


def text_of(program, name):
    """The body of the only function of that name, its parameters before it; "" when there is none."""
    bodies = [source.code[function.head:function.end] for source in program.sources for function in source.functions
              if function.name == name]
    return bodies[0] if len(bodies) == 1 else ""


def takers(program, handoff):
    """What the other side does with the object: the entry function and what it calls in turn, or, for a queue, any function
    that has an object of the kind for a variable and frees or uses it after a pop."""
    if handoff.entry:
        return with_callees(program, handoff.entry, 2)
    return "\n".join(text for text in (source.code[f.head:f.end] for source in program.sources for f in source.functions)
                     if re.search(r"(pop|get|take|deq|STAILQ_FIRST|TAILQ_FIRST|->head|\.first)\w*", text))


def with_callees(program, name, depth):
    text = text_of(program, name)
    if depth:
        for word in dict.fromkeys(re.findall(r"\b([a-z_]\w*)\s*\(", text)):
            if word != name:
                text += with_callees(program, word, depth - 1)
    return text


def waits_first(text, member):
    """{member} if the other side takes a lock or waits before it first mentions the member: then the write may still be in time."""
    mention = re.search(rf"(?:->|\.)\s*{member}\b", text)
    wait = re.search(r"\b\w*(?:lock|wait|_recv|LOCK)\w*\s*\(", text)
    return {member} if mention and wait and wait.start() < mention.start() else set()


def written(text):
    """Members that the text writes by a plain assignment, as far as can be seen."""
    return set(re.findall(r"(?:->|\.)(\w+)(?:\[[^]]*\])?\s*(?:=(?!=)|[-+*/|&^]=|\+\+|--)", text)) | set(
        re.findall(r"(?:\+\+|--)\s*\(?\w+(?:->|\.)(\w+)", text))


def members(text):
    return set(re.findall(r"(?:->|\.)\s*(\w+)", text))


def atomics(program):
    return set().union(*(re.findall(r"\b(?:atomic_\w+|_Atomic(?:\s*\([^)]*\)|\s+\w+)+)\s+\*?(\w+)\s*[;\[,=]", source.code)
                         for source in program.sources), [])


def after_spawn(source, function, pattern, handoff):
    return re.search(pattern, source.code[handoff.end:function.end])


def joins(source, function):
    """(position, name of the handle, statement's start and end) of each join."""
    for match in re.finditer(r"\b" + JOINS + r"\s*\(", source.code[function.start:function.end]):
        at = function.start + match.start()
        close = closing(source.code, function.start + match.end() - 1)
        handle = re.match(r"&?\s*([A-Za-z_]\w*)", source.code[function.start + match.end():close])
        if handle:
            yield at, handle[1], close + 1


def keep_lines(text, old):
    return text + "\n" * (old.count("\n") - text.count("\n"))


@kind("join removed")
def join_removed(source, function, pairs, program):
    text, code = source.text, source.code
    inside = code[function.start:function.end]
    for at, handle, close in joins(source, function):
        local = re.search(rf"\b{HANDLES}\b[^;(]*\b{handle}\b", inside)
        mine = [h for h in handoffs(source, function) if h.handle and re.match(r"\w+", h.handle)[0] == handle and h.start < at]
        others = len(re.findall(rf"\b(?:{JOINS}|{DETACHES})\s*\(\s*&?\s*{handle}\b", inside))
        if not local or not mine or others != 1:
            continue
        used = re.search(rf"\b{mine[0].root}\b", code[close:function.end])
        if function.name == "main" and not (used and members(code[close:function.end]) & written(takers(program, mine[0]))):
            continue  # the process ends with main
        start = statement_start(code, at, function.start)
        end = statement_end(code, start)
        if re.match(r"return\b", code[start:end]):
            changed = "return 0;"
        elif re.match(r"for\b", code[start:end]):
            start, changed = at, ";"
            end = statement_end(code, at)
        else:
            changed = ";"
        if not re.match(r"(if|while|do)\b", code[start:end]):
            yield at, f"join of {handle} removed", text[:start] + keep_lines(changed, text[start:end]) + text[end:]


@kind("join moved")
def join_moved(source, function, pairs, program):
    """Behind the statement that uses what the thread writes."""
    text, code = source.text, source.code
    for at, handle, close in joins(source, function):
        start = statement_start(code, at, function.start)
        end = statement_end(code, start)
        mine = [h for h in handoffs(source, function) if h.handle and re.match(r"\w+", h.handle)[0] == handle and h.start < start]
        if end < 0 or not mine or re.match(r"(return|if|while|do)\b", code[start:end]):
            continue
        while re.match(r"\s*(for\b[^;]*;[^;]*;[^)]*\)\s*)?(\(void\)\s*)?" + JOINS, code[end:]):
            end = statement_end(code, end)  # several joins in a row move together
        use_end = statement_end(code, end)
        use = code[end:use_end]
        names = members(use) & written(takers(program, mine[0])) - atomics(program)
        if use_end < 0 or not names or not re.search(rf"\b{mine[0].root}\b", use):
            continue
        result = re.match(r"\s*return\b([^;]*);", use)
        join = text[start:end]
        if result:
            value = text[end + result.start(1):end + result.end(1)]
            changed = f"__typeof__({value}) aglet_mutant_value ={value}; {join} return aglet_mutant_value;"
        elif re.match(r"\s*(\w+\s+)+\*?\w+\s*=", use) or SIMPLE.match(use) or re.match(r"\s*for\b", use):
            changed = text[end:use_end].strip() + " " + join
        else:
            continue
        yield at, f"join of {handle} behind {' '.join(use.split())[:50]}", (
            text[:start] + keep_lines(changed, text[start:use_end]) + text[use_end:])


@kind("heap made local")
def heap_made_local(source, function, pairs, program):
    text, code = source.text, source.code
    if function.name == "main":
        return
    for handoff in handoffs(source, function):
        made = re.search(rf"(?:struct\s+)?\w+\s*\*\s*{handoff.root}\s*=\s*\(?[^;()]*\)?\s*\w*(?:alloc|_new)\w*\s*\([^;]*;", code[function.start:handoff.start])
        waits = r"_join|_wait|THREAD_FINISH|_recv|sem_"
        if not handoff.plain or not made or re.search(waits, code[function.start:function.end]) or members(takers(program, handoff)) == set():
            continue
        begin, end = function.start + made.start(), function.start + made.end()
        kind_of = re.match(r"(.*?)\*", made[0], re.S)[1].strip()
        changed = f"{kind_of} aglet_mutant_local; __builtin_memset(&aglet_mutant_local, 0, sizeof aglet_mutant_local); {kind_of} *{handoff.root} = &aglet_mutant_local;"
        yield begin, f"{handoff.root} made a local", text[:begin] + keep_lines(changed, text[begin:end]) + text[end:]


@kind("atomic made plain")
def atomic_made_plain(source, function, pairs, program):
    """A member that the thread and its starter, or several threads, count or set; operations on it become plain ones."""
    code = source.code
    for handoff in handoffs(source, function):
        other = takers(program, handoff) if handoff.entry else ""
        loop = re.match(r"(for|while)\b", code[handoff.start:]) or re.search(r"\b(for|while)\s*\([^{}]*\{[^{}]*$", code[function.start:handoff.start])
        join = after_spawn(source, function, r"_join\b|THREAD_FINISH", handoff)
        rest = code[handoff.end:handoff.end + join.start()] if join else code[handoff.end:function.end]
        if handoff.argument.count("["):
            loop = None  # an element each
        for name in sorted(members(other)):
            declared = re.search(rf"\b(atomic_(?:u?int|u?long|llong|ullong|size_t|bool)|_Atomic\s+(?:unsigned\s+)?\w+|_Atomic\s*\(([^)]*)\))(\s+)({name})\s*;", code)
            changes = rf"(atomic_(?:fetch_\w+|store\w*|exchange\w*)\s*\(\s*&[^,]*(?:->|\.){name}\b|(?:->|\.){name}\s*(?:\+\+|--|[-+|&]?=(?!=))|(?:\+\+|--)\w+(?:->|\.){name}\b)"
            here, there = re.search(rf"(?:->|\.){name}\b", rest), re.search(changes, other)
            if not declared or not ((loop and there) or (here and (there or re.search(changes, rest)))):
                continue
            text = plain_operations(source.text, name)
            plain = declared[2] or re.sub(r"^_Atomic\s+", "", declared[1])
            plain = {"atomic_int": "int", "atomic_uint": "unsigned", "atomic_long": "long", "atomic_ulong": "unsigned long", "atomic_llong": "long long",
                     "atomic_ullong": "unsigned long long", "atomic_size_t": "size_t", "atomic_bool": "_Bool"}.get(plain, plain)
            text = text.replace(declared[0], declared[0].replace(declared[1], plain, 1), 1)
            yield declared.start(), f"{name} made plain", text


def plain_operations(text, name):
    place = rf"&\s*((?:[A-Za-z_]\w*(?:\[[^]]*\])?(?:->|\.))+{name}\b)"
    for pattern, change in ((rf"\batomic_load(?:_explicit)?\s*\(\s*{place}\s*(?:,\s*\w+\s*)?\)", r"(\1)"),
                            (rf"\batomic_(?:store|init)(?:_explicit)?\s*\(\s*{place}\s*,\s*([^,();]+)(?:,\s*memory_\w+\s*)?\)", r"(\1 = (\2))"),
                            (rf"\batomic_fetch_add(?:_explicit)?\s*\(\s*{place}\s*,\s*([^,();]+)(?:,\s*memory_\w+\s*)?\)", r"((\1 += (\2)) - (\2))"),
                            (rf"\batomic_fetch_sub(?:_explicit)?\s*\(\s*{place}\s*,\s*([^,();]+)(?:,\s*memory_\w+\s*)?\)", r"((\1 -= (\2)) + (\2))")):
        text = re.sub(pattern, change, text)
    return text


@kind("write moved behind")
def write_moved_behind(source, function, pairs, program):
    """A member that the other side reads is written right after the hand-off, not before."""
    text, code = source.text, source.code
    for handoff in handoffs(source, function):
        base = re.sub(r"^\(void \*\)\s*", "", handoff.argument).lstrip("&").strip()
        before = code[function.start:handoff.start]
        for match in re.finditer(rf"(?<=[;{{}}])\s*({re.escape(base)}\s*(?:->|\.)\s*(\w+)\s*=[^=;{{}}][^;{{}}]*;)", before):
            between = before[match.end():]
            used = re.search(rf"(?:->|\.)\s*{match[2]}\b", between + code[handoff.start:handoff.end])
            straight = between.count("{") == between.count("}") and not re.search(r"\b(else|case|goto|\w+:)\b|^\s*}", between)
            if used or not straight or (handoff.entry and match[2] in waits_first(takers(program, handoff), match[2])):
                continue
            if match[2] not in members(takers(program, handoff)) or match[2] in atomics(program):
                continue
            begin, end = function.start + match.start(1), function.start + match.end(1)
            moved = text[begin:end]
            yield begin, f"behind the hand-off: {' '.join(moved.split())}", (
                text[:begin] + ";" + "\n" * moved.count("\n") + text[end:handoff.end] + " " + moved.replace("\n", " ") + text[handoff.end:])


@kind("sender frees")
def sender_frees(source, function, pairs, program):
    """What the other side uses is freed as soon as it is handed over."""
    text, code = source.text, source.code
    for handoff in handoffs(source, function):
        pointer = handoff.plain and not re.search(rf"\b{handoff.root}\s*\[", code[function.start:handoff.start])
        if not pointer or handoff.root in ("NULL",) or not members(takers(program, handoff)):
            continue
        if re.match(r"(return|for|while|do)\b", code[handoff.start:]):
            continue
        free = f" {{ extern void free(void *); free((void *){handoff.root}); }}"
        yield handoff.start, f"{handoff.root} freed behind the hand-off", text[:handoff.end] + free + text[handoff.end:]


RULE_TESTS = ("sync", "stack-escape", "use-after-send", "unjoined", "queue-*", "pool-tasks", "shared-registry")


def thread_programs(Program, root, work, workers):
    """The project's own programs that hand things over: samples, quiet lock-order programs, tests of the runtime and of the
    rules about hand-offs, the classic mistakes in their mended form. Each is a program of its own."""
    paths = [*sorted((root / "samples").glob("*.c")), *sorted((root / "tests/lock-order").glob("*-good*.c")),
             *sorted((root / "tests/runtime").glob("*.c")), *sorted((root / "tests/stress").glob("*.c"))]
    paths += sorted((root / "tests/classics").glob("*.c"))
    for name in RULE_TESTS:
        paths += sorted((root / "tests/rules").glob(name + ".c"))
    wanted = [path for path in paths if re.search(r"\b(" + "|".join(HANDOFFS) + r")\s*\(", path.read_text())
              and not re.search(r"^ \* Lint +(?!quiet)", path.read_text(), re.M)]
    return [with_folders(plant_order._small(Program, root, path, work, workers), [path.parent, root / "tests/support"]) for path in wanted]


def with_folders(program, folders):
    """The program, its headers also looked for beside the original file."""
    for folder in program.roots:
        database = folder / "build/compile_commands.json"
        entries = json.loads(database.read_text())
        entries[0]["arguments"][1:1] = ["-D_GNU_SOURCE", *[f"-I{path}" for path in folders]]
        database.write_text(json.dumps(entries))
        if folder == program.root:
            program.entries = {path: entries[0] for path in program.entries}
    return program
