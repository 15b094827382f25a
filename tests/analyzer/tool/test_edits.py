# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A program is edited at random, and after each edit linted with the cache of all runs before and with none: the two say the same, byte
for byte. Edits take locks away and put them in, change bodies, the header, a guard, names, linkage, parameters, the number of files and
of programs, and come back to a text that was there before. Stands on case.py; one seed, AGLET_EDITS edits (30)."""
import os
import random

from case import Project, check, finish, need_extractor

need_extractor()
HEADER = """#include <pthread.h>
#include <aglet/annotations.h>
struct box { pthread_mutex_t mu; int n%s%s; struct box *next; };
extern struct box shared;
void box_put(struct box *b, int n%s);
%s"""
LINES = ["pthread_mutex_lock(&b->mu);", "pthread_mutex_unlock(&b->mu);", "b->n++;", "if (k > {0}) return;", "box_put(b, k);",
         "{1}(b->next, k - 1);", "pthread_mutex_lock(&shared.mu);", "pthread_mutex_unlock(&shared.mu);", "b->n = shared.n;", "/* {0} */",
         "if (k) pthread_mutex_lock(&b->mu);", "while (b->n < k) b->n += {0};", "/* a line\n       more */"]
PUT = """#include "box.h"
struct box shared = {PTHREAD_MUTEX_INITIALIZER};
void box_put(struct box *b, int n%s) { pthread_mutex_lock(&b->mu); b->n = n; pthread_mutex_unlock(&b->mu); }
"""
MAIN = """#include "box.h"
static void *run(void *b) { %s(b, 1); return 0; }
int main(void) { pthread_t t; if (pthread_create(&t, 0, run, &shared)) return 1; %s(&shared, 2); return pthread_join(t, 0); }
"""


class Program:
    """Files of functions, each a list of lines; a function is called by name from any file."""

    def __init__(self, dice):
        self.dice, self.numbers = dice, 0
        self.members, self.guard, self.more, self.files = "", "", "", {}
        self.mains, self.internal = {}, set()
        for _ in range(4):
            self.add_file()

    def function(self):
        self.numbers += 1
        return [f"work{self.numbers}", ["pthread_mutex_lock(&b->mu);", "b->n++;", "pthread_mutex_unlock(&b->mu);"]]

    def add_file(self):
        self.numbers += 1
        self.files[f"part{self.numbers}.c"] = [self.function() for _ in range(3)]

    def some_function(self):
        return self.dice.choice(self.files[self.dice.choice(sorted(self.files))])

    def names(self):
        return [name for functions in self.files.values() for name, _ in functions]

    def edit(self):
        """One edit; returns what it was, for the message of a check that fails."""
        kind = self.dice.choice(["insert"] * 4 + ["remove"] * 3 + ["swap", "add file", "remove file", "rename", "move", "header", "guard", "signature", "static",
                                                                 "main", "main", "no main"])
        function = self.some_function()
        name, lines = function
        if kind == "insert":
            lines.insert(self.dice.randrange(len(lines) + 1), self.dice.choice(LINES).format(self.dice.randrange(9), self.dice.choice(self.names())))
        elif kind == "remove" and lines:
            lines.pop(self.dice.randrange(len(lines)))
        elif kind == "swap":
            self.dice.shuffle(lines)
        elif kind == "add file":
            self.add_file()
        elif kind == "remove file" and len(self.files) > 2:
            gone = self.files.pop(self.dice.choice(sorted(self.files)))
            for _, other in (f for functions in self.files.values() for f in functions):
                other[:] = [line for line in other if not any(line.startswith(name + "(") for name, _ in gone)]
            self.mains = {main: calls for main, calls in self.mains.items() if not set(calls) & {name for name, _ in gone}}
        elif kind == "rename":
            self.numbers += 1
            function[0] = f"work{self.numbers}"
            for _, other in (f for functions in self.files.values() for f in functions):
                other[:] = [line.replace(name + "(", function[0] + "(") for line in other]
            self.internal.discard(name)
            self.mains = {main: [function[0] if call == name else call for call in calls] for main, calls in self.mains.items()}
        elif kind == "move":
            self.files[self.dice.choice(sorted(self.files))].append(self.function())
        elif kind == "header":
            self.members = self.dice.choice(["", ", m", ", m, l", "; pthread_mutex_t other"])
        elif kind == "guard":
            self.guard = "" if self.guard else " AGLET_GUARDED_BY(mu)"
        elif kind == "signature":
            self.more = "" if self.more else ", ..."
        elif kind == "static":
            self.internal ^= {name}
        elif kind == "main":
            self.numbers += 1
            self.mains[f"main{self.numbers}.c"] = [self.dice.choice(self.names()) for _ in range(2)]
        elif kind == "no main" and self.mains:
            self.mains.pop(self.dice.choice(sorted(self.mains)))
        return kind

    def is_static(self, name, file):
        """Only where no other file needs it."""
        others = [line for other, functions in self.files.items() if other != file for _, lines in functions for line in lines]
        return name in self.internal and not any(line.startswith(name + "(") for line in others) and not any(name in calls for calls in self.mains.values())

    def texts(self):
        out, declared = {"put.c": PUT % self.more, **{name: MAIN % tuple(calls) for name, calls in self.mains.items()}}, []
        for file, functions in self.files.items():
            heads = {name: f"{'static ' * self.is_static(name, file)}void {name}(struct box *b, int k)" for name, _ in functions}
            declared += [head + ";\n" for head in heads.values() if not head.startswith("static")]
            out[file] = '#include "box.h"\n' + "".join(head + ";\n" for head in heads.values() if head.startswith("static")) + "".join(
                f"{heads[name]}\n{{\n" + "".join(f"    {line}\n" for line in lines) + "}\n" for name, lines in functions)
        return out, HEADER % (self.guard, self.members, self.more, "".join(declared))


def write(directory, texts, header):
    for path in directory.glob("*.c"):
        if path.name not in texts:
            path.unlink()
    for name, text in {**texts, "box.h": header}.items():
        path = directory / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def main():
    dice = random.Random(7)
    program, before, said = Program(dice), [], set()
    with Project() as project:
        for number in range(int(os.environ.get("AGLET_EDITS", 30))):
            kind = program.edit() if number else "nothing"
            text = program.texts()
            if before and dice.random() < 0.15: # the file system's view goes back, the program goes on from where it was
                kind, text = "an earlier text", dice.choice(before)
            before.append(text)
            write(project.path, *text)
            project.database([project.row(name) for name in sorted(text[0])])
            kept, cold = project.lint("--format=json", "--level=2"), project.lint("--format=json", "--level=2", "--no-cache")
            check(f"edit {number} ({kind}): a cold run agrees", (kept.returncode, kept.stdout) == (cold.returncode, cold.stdout) and cold.returncode < 2,
                  f"status {kept.returncode} and {cold.returncode}\n--- kept\n{kept.stdout}{kept.stderr}--- cold\n{cold.stdout}{cold.stderr}")
            said.add(cold.stdout)
        check("the edits change what is found", len(said) > 10, f"{len(said)} different outputs")
    finish()


main()
