# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Programs of one database, told apart by what the build links: each build system that says it, static functions of one name, one file
compiled twice, one file in two programs. Stands on case.py; cmake, ninja, make and bear where they are there.

Two halves of a lock-order inversion lie in the files of two programs: no finding; linked into one: a finding.
"""
import json
import os
import shutil
import subprocess
import sys

from case import AGLET, ROOT, Project, check, finish, need_extractor

need_extractor()

COMMON = """#include <pthread.h>
#include "common.h"
pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static void work(void) {}
void common(void) { work(); }
"""
HEADER = """#include <pthread.h>
extern pthread_mutex_t a, b;
void common(void);
void forth(void);
void back(void);
"""
HALF = """#include "common.h"
static void work(void) {
    pthread_mutex_lock(&FIRST);
    pthread_mutex_lock(&SECOND);
    pthread_mutex_unlock(&SECOND);
    pthread_mutex_unlock(&FIRST);
}
static void *run(void *arg) { work(); common(); return arg; }
void NAME(void) {
    pthread_t t;
    pthread_create(&t, NULL, run, NULL);
    run(NULL);
    pthread_join(t, NULL);
}
"""


def half(name, first, second):
    return HALF.replace("NAME", name).replace("FIRST", first).replace("SECOND", second)


def main(*calls):
    return '#include "common.h"\nint main(void) { ' + " ".join(f"{call}();" for call in calls) + " return 0; }\n"


FILES = {"common.c": COMMON, "common.h": HEADER, "forth.c": half("forth", "a", "b"), "back.c": half("back", "b", "a"),
         "one.c": main("forth"), "two.c": main("back"), "both.c": main("forth", "back")}
APART = {"one": ["one.c", "forth.c", "common.c"], "two": ["two.c", "back.c", "common.c"]}
TOGETHER = {**APART, "both": ["both.c", "forth.c", "back.c", "common.c"]}
CMAKE = """cmake_minimum_required(VERSION 3.16)
project(p C)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS "-pthread")
"""


def orders(done):
    return done.stdout.count("[aglet-lock-order]")


def run(p, *command, where=""):
    done = subprocess.run(command, cwd=p.path / where, env=p.environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


def lint(p, *options):
    return p.lint(*options)


def expect_apart(what, p, *options):
    """The project with APART is quiet; with `both` linked as well, it is not."""
    done = lint(p, *options)
    check(f"{what}: two programs, no inversion", done.returncode == 0 and orders(done) == 0, done.stdout + done.stderr)
    done = lint(p, "-v", *options)
    check(f"{what}: they are named", "program '" in done.stderr and done.stderr.count("is made of 3 of the files") == 2 or
          "nothing changed" in done.stderr, done.stderr)


def with_links(p, links, flags=()):
    rows = [{"directory": str(p.path), "file": name, "arguments": ["cc", *flags, "-c", name, "-o", name.replace(".c", ".o")]}
            for name in sorted({name for names in links.values() for name in names})]
    p.write("compile_commands.json", json.dumps(rows))
    p.write("link_commands.json", json.dumps([
        {"directory": str(p.path), "arguments": ["cc", "-o", program, *[n.replace(".c", ".o") for n in names]]}
        for program, names in links.items()]))


# ---- without any link command: by their mains; one main, or none, is one program
with Project(FILES, database=False) as p:
    with_links(p, APART)
    os.remove(p.path / "link_commands.json")
    expect_apart("no link command, two mains", p)
    p.write("two.c", FILES["both.c"])
    done = lint(p)
    check("no link command: one main needs both halves", orders(done) == 1, done.stdout + done.stderr)
    p.write("two.c", FILES["two.c"].replace("int main", "int other"))
    done = lint(p)
    check("no link command, one main: one program", orders(done) == 1, done.stdout + done.stderr)

# ---- one library compiled twice with other macros: each main gets the objects that are made as it is
VARIANT = COMMON.replace("static void work(void) {}\n", "").replace("work();", "") + "#ifdef SERVER\n" + half("back", "b", "a") + \
    "#else\nvoid back(void) {}\n#endif\n"
for tested, macros, wanted in (("client", [], 0), ("server", ["-DSERVER"], 1)):
    with Project({**{k: v for k, v in FILES.items() if k not in ("back.c", "common.c")}, "common.c": VARIANT}, database=False) as p:
        rows = [{"directory": str(p.path), "file": "common.c", "arguments": ["cc", *words, "-c", "common.c", "-o", f"{name}/common.o"]}
                for name, words in (("client", []), ("server", ["-DSERVER"]))]
        rows += [{"directory": str(p.path), "file": name, "arguments": ["cc", *macros, "-c", name, "-o", name.replace(".c", ".o")]}
                 for name in ("both.c", "forth.c")]
        rows.append({"directory": str(p.path), "file": "other.c", "arguments": ["cc", "-c", "other.c", "-o", "other.o"]})
        p.write("other.c", "int main(void) { return 0; }\n")
        p.database(rows)
        done = lint(p, "-v")
        check(f"a library's form for the {tested}", orders(done) == wanted and "both.o' is made of 3" in done.stderr, done.stdout + done.stderr)

# ---- libtool compiles each file twice, with and without -fPIC: that is one file
with Project({"x.c": "int f(int n) { return n; }\n"}, database=False) as p:
    p.database([p.row("x.c", "-fPIC", "-DPIC", "-o", ".libs/x.o"), p.row("x.c", "-o", "x.o"), p.row("x.c", "-DOTHER", "-o", "y.o")])
    done = lint(p)
    check("position-independent code is no other file", done.stderr.startswith("aglet: 2 files analysed"), done.stderr)

# ---- link_commands.json, and that findings are not kept across a change of it
with Project(FILES, database=False) as p:
    with_links(p, APART)
    expect_apart("link_commands.json", p)
    with_links(p, TOGETHER)
    done = lint(p)
    check("one more program links both halves", orders(done) == 1, done.stdout + done.stderr)
    with_links(p, APART)
    p.write(".aglet.yml", "programs:\n  all: ['*.c']\n")
    check(".aglet.yml has the last word", orders(lint(p)) == 1)

# ---- aglet cc --record, with an archive nobody recorded and without
with Project(FILES, database=False) as p:
    p.environment["AGLET_RECORD"] = str(p.path / "compile_commands.json")
    for name in ("common.c", "forth.c", "back.c"):
        p.aglet("cc", "-c", name)
    p.aglet("cc", "-pthread", "one.c", "forth.o", "common.o", "-o", "one")
    p.aglet("cc", "-pthread", "two.c", "back.o", "common.o", "-o", "two")
    del p.environment["AGLET_RECORD"]
    check("the recorded database has rows of sources only",
          all(row["file"].endswith(".c") for row in json.loads((p.path / "compile_commands.json").read_text())))
    expect_apart("aglet cc --record", p)

# ---- CMake, both generators: a static library, an object library, a shared library
LISTS = {"plain": "add_executable(one one.c forth.c common.c)\nadd_executable(two two.c back.c common.c)\n",
         "static": "add_library(common STATIC common.c)\nadd_executable(one one.c forth.c)\nadd_executable(two two.c back.c)\n"
                   "target_link_libraries(one common)\ntarget_link_libraries(two common)\n",
         "shared": "add_library(common SHARED common.c)\nset_target_properties(common PROPERTIES VERSION 1.2.3 SOVERSION 1)\n"
                   "add_executable(one one.c forth.c)\nadd_executable(two two.c back.c)\n"
                   "target_link_libraries(one common)\ntarget_link_libraries(two common)\n",
         "object": "add_library(common OBJECT common.c)\nadd_executable(one one.c forth.c $<TARGET_OBJECTS:common>)\n"
                   "add_executable(two two.c back.c $<TARGET_OBJECTS:common>)\n"}
for generator, tool in (("Unix Makefiles", "make"), ("Ninja", "ninja")):
    if not shutil.which("cmake") or not shutil.which(tool):
        print(f"left out: there is no cmake or no {tool}")
        continue
    for kind, text in LISTS.items():
        with Project(FILES, database=False) as p:
            p.write("CMakeLists.txt", CMAKE + text)
            run(p, "cmake", "-S", ".", "-B", "build", "-G", generator)
            expect_apart(f"CMake, {tool}, {kind}", p, "-p", "build")
            p.write("CMakeLists.txt", CMAKE + text + "add_executable(both both.c forth.c back.c common.c)\n")
            run(p, "cmake", "build")
            done = lint(p, "-p", "build")
            check(f"CMake, {tool}, {kind}: both halves in one", orders(done) == 1, done.stdout + done.stderr)

# ---- ninja by hand: `ninja -t compdb` writes the link rows into the database itself
NINJA = """rule cc
  command = cc -pthread -c $in -o $out
rule link
  command = : && cc -pthread $in -o $out && :
build one.o: cc one.c
build two.o: cc two.c
build forth.o: cc forth.c
build back.o: cc back.c
build common.o: cc common.c
build one: link one.o forth.o $
    common.o
build two: link two.o back.o common.o
"""
if shutil.which("ninja"):
    with Project(FILES, database=False) as p:
        p.write("build.ninja", NINJA)
        p.write("compile_commands.json", run(p, "ninja", "-t", "compdb", "cc", "link"))
        expect_apart("ninja -t compdb beside build.ninja", p)
        p.write("elsewhere/compile_commands.json", (p.path / "compile_commands.json").read_text())
        expect_apart("ninja -t compdb alone", p, "-p", "elsewhere")
        done = lint(p, "-p", "elsewhere", "--no-cache")
        check("a link row is no file left out", "left out" not in done.stderr, done.stderr)

# ---- bear, as Debian packages it: compilations only; mains tell the programs apart
if shutil.which("bear") and shutil.which("make"):
    with Project(FILES, database=False) as p:
        p.write("Makefile", "all: one two\none: one.o forth.o common.o\n\tcc -pthread -o $@ $^\n"
                            "two: two.o back.o common.o\n\tcc -pthread -o $@ $^\n")
        run(p, "bear", "--", "make")
        expect_apart("bear", p)

# ---- one file compiled twice with different flags: in two programs, then in one
TWICE = half("NAME_", "FIRST_", "SECOND_").replace("void NAME_", "void NAME")
with Project({"common.c": COMMON, "common.h": HEADER, "twice.c": '#include "common.h"\n' + TWICE, "one.c": main("forth"), "two.c": main("back"),
              "both.c": main("forth", "back")}, database=False) as p:
    flags = {"forth": ["-DNAME=forth", "-DFIRST_=a", "-DSECOND_=b"], "back": ["-DNAME=back", "-DFIRST_=b", "-DSECOND_=a"]}
    rows = [{"directory": str(p.path), "file": f"{name}.c", "arguments": ["cc", "-c", f"{name}.c", "-o", f"{name}.o"]}
            for name in ("common", "one", "two", "both")]
    rows += [{"directory": str(p.path), "file": "twice.c", "arguments": ["cc", *words, "-c", "twice.c", "-o", f"{name}.o"]}
             for name, words in flags.items()]
    p.write("compile_commands.json", json.dumps(rows))
    links = {"one": ["one.o", "forth.o", "common.o"], "two": ["two.o", "back.o", "common.o"]}

    def write_links():
        p.write("link_commands.json", json.dumps([{"directory": str(p.path), "arguments": ["cc", "-o", program, *names]}
                                                  for program, names in links.items()]))
    write_links()
    done = lint(p)
    check("one file compiled twice, in two programs", done.returncode == 0 and orders(done) == 0, done.stdout + done.stderr)
    links["both"] = ["both.o", "forth.o", "back.o", "common.o"]
    write_links()
    done = lint(p)
    check("and both in one", orders(done) == 1, done.stdout + done.stderr)

# ---- one mistake of a file that two programs share, of which one knows less of the way to it
with Project({"shared.c": """#include <pthread.h>
pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
int full;
void put(int above);
void put(int above) {
    if (above <= 0)
        return;
    pthread_mutex_lock(&mu);
    full++;
    pthread_mutex_unlock(&mu);
}
void show(void);
void show(void) {
    pthread_mutex_lock(&mu);
    put(ABOVE);
    pthread_mutex_unlock(&mu);
}
""", "one.c": "void show(void);\nint main(void) { show(); return 0; }\n", "two.c": "void show(void);\nint main(void) { show(); return 1; }\n"},
             database=False) as p:
    forms = {"one": ("1", "takes"), "two": ("full", "may take")}

    def lint_those(programs):
        rows = [{"directory": str(p.path), "file": "shared.c", "output": f"shared_{name}.o",
                 "arguments": ["cc", f"-DABOVE={forms[name][0]}", "-c", "shared.c", "-o", f"shared_{name}.o"]} for name in programs]
        rows += [{"directory": str(p.path), "file": f"{name}.c", "arguments": ["cc", "-c", f"{name}.c", "-o", f"{name}.o"]} for name in programs]
        p.write("compile_commands.json", json.dumps(rows))
        p.write("link_commands.json", json.dumps([{"directory": str(p.path), "arguments": ["cc", "-o", name, f"{name}.o", f"shared_{name}.o"]}
                                                  for name in programs]))
        return lint(p)
    for name, (_, words) in forms.items():
        done = lint_those([name])
        check(f"alone it is said that the call {words} it", f"'put' {words} 'mu'" in done.stdout, done.stdout + done.stderr)
    done = lint_those(list(forms))
    check("of both together it is said once", done.stdout.count("[aglet-double-lock]") == 1, done.stdout + done.stderr)

# ---- a library that one program links by -l, a plugin that nobody links, an object nobody knows
with Project(FILES, database=False) as p:
    with_links(p, APART)
    p.write("link_commands.json", json.dumps([{"directory": str(p.path), "arguments": words} for words in (
        ["ar", "qc", "lib/libcommon.a", "common.o"], ["gcc", "-shared", "-o", "plugin.so", "back.o", "two.o", "start.o"],
        ["cc", "-Llib", "one.o", "forth.o", "-lcommon", "-lm", "-o", "one"])]))
    done = lint(p, "-v")
    check("an archive by -l, a plugin of its own", orders(done) == 0 and "/one' is made of 3" in done.stderr and
          "/plugin.so' is made of 2" in done.stderr, done.stdout + done.stderr)

# ---- one header, opened by two paths: its struct is one, and its ops table is resolved
OPS = "struct ops { void (*flush)(void); };\nextern const struct ops disk;\n"
for include in ("../ops.h", "sub/../../ops.h"):
    with Project({"ops.h": OPS, "sub/sub/keep": "",
                  "sub/disk.c": f'#include <unistd.h>\n#include "{include}"\nstatic void flush(void) {{ sleep(1); }}\n'
                                "const struct ops disk = {flush};\n",
                  "use.c": '#include <pthread.h>\n#include "ops.h"\nstatic pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;\n'
                           "void use(const struct ops *o) {\n    pthread_mutex_lock(&mu);\n    o->flush();\n"
                           "    pthread_mutex_unlock(&mu);\n}\n"}) as p:
        if include.startswith("sub"):
            p.database([p.row("sub/disk.c", "-Isub"), p.row("use.c")])
        done = lint(p)
        check(f"a header opened as '{include}' is the same header", "[aglet-blocking-while-locked]" in done.stdout, done.stdout + done.stderr)

# ---- so many that share so much: said, and one program
with Project(FILES, database=False) as p:
    with_links(p, {f"t{i}": ["one.c", "forth.c", "common.c"] + ([f"m{i}.c"]) for i in range(30)})
    for i in range(30):
        p.write(f"m{i}.c", f"int m{i}(void);\nint m{i}(void) {{ return {i}; }}\n")
    done = lint(p)
    check("thirty programs of little of their own are apart still", done.returncode == 0 and "share most" not in done.stderr, done.stderr)
with Project({**FILES, **{f"c{i}.c": f"int c{i}(void);\nint c{i}(void) {{ return {i}; }}\n" for i in range(20)}}, database=False) as p:
    shared = [f"c{i}.c" for i in range(20)]
    for i in range(30):
        p.write(f"m{i}.c", f"int m{i}(void);\nint m{i}(void) {{ return {i}; }}\n")
    with_links(p, {f"t{i}": [*shared, f"m{i}.c"] for i in range(30)})
    done = lint(p)
    check("of many programs that share nearly all the largest are analysed, and it is said", done.returncode == 0 and
          done.stderr.count("there are 30 programs that share most of their files: the 23 largest are analysed") == 1, done.stderr)

# ---- what is said of them is said of kept findings, too
for what, files, sentence in (
        ("mains", {f"m{i}.c": f"int main(void) {{ return {' + '.join(f'c{k}()' for k in range(20))}; }}\n" for i in range(30)},
         "there are 30 programs that share most of their files: the 23 largest are analysed"),
        ("names", {".aglet.yml": "programs:\n  one: c1.c\n  gone: nowhere.c\n"}, "the program 'gone' of ")):
    with Project({**{f"c{i}.c": f"int c{i}(void);\nint c{i}(void) {{ return {i}; }}\n" for i in range(20)}, **files}) as p:
        said = [lint(p).stderr for _ in range(2)]
        check(f"{what}: said once, and again when the findings are those kept",
              [s.count(sentence) for s in said] == [1, 1] and "(0 parsed" in said[1], "".join(said))

# ---- what is no link command is nothing
with Project({**FILES, "two.c": FILES["two.c"].replace("int main", "int other")}, database=False) as p:
    with_links(p, APART)
    for broken in ("", "{", "[1, {}]", '[{"arguments": []}]', '[{"arguments": [1, 2]}]', '[{"arguments": ["cc"]}]', '[{"arguments": ["ar", "qc"]}]'):
        p.write("link_commands.json", broken)
        done = lint(p, "--no-cache")
        check(f"link_commands.json of {broken!r} tells nothing apart", orders(done) == 1, done.stdout + done.stderr)
    os.remove(p.path / "link_commands.json")
    for broken in ("build", "build x", "build x: ", "build : : |", "$", "build x$", "include", "subninja build.ninja", "a = $", "build a b: c d.o | e"):
        p.write("build.ninja", broken + "\n")
        done = lint(p, "--no-cache")
        check(f"build.ninja of {broken!r} does no harm", done.returncode == 1 and orders(done) == 1, done.stdout + done.stderr)

finish()
