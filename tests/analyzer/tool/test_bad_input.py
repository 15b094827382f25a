# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every kind of wrong input: one sentence on standard error, the right exit status, and nothing else lost. Stands on case.py."""
import os
import re
import stat
from pathlib import Path

from case import CLEAN, LEAK, Project, check, expect, finish, need_extractor

extractor = need_extractor()


def crashing(project, marker="CRASH"):
    """An extractor that dies on sources with the marker in them, and is the real one for all others."""
    path = project.write("fake-extract", f"""#!/bin/sh
for last; do :; done
if grep -q {marker} "$last"; then kill -SEGV $$; fi
exec '{extractor}' "$@"
""")
    path.chmod(0o755)
    return path


# ---- databases
with Project(database=False) as p:
    expect("no database", p.lint("-p", "."), 2, "there is no compile_commands.json in '.'; make one with")
    expect("no such path", p.lint("-p", "nowhere"), 2, "there is no compile database at 'nowhere'")
    p.database([])
    expect("empty database", p.lint("-p", "."), 2, "the compile database './compile_commands.json' is empty; nothing was analysed")
    p.database('[\n  {"directory": "/",}\n]')
    expect("malformed database", p.lint("-p", "."), 2, "./compile_commands.json:2:21: not a compile database:")
    p.database('{"a": 1}')
    expect("no array", p.lint("-p", "."), 2, "./compile_commands.json:1:1: not a compile database: an array of commands is wanted")
    p.database([{"directory": str(p.path), "arguments": ["cc", "-c", "gone.c"], "file": "gone.c"}])
    expect("a file that is gone", p.lint("-p", "."), 2,
           f"'{p.path}/gone.c' does not exist; the compile database is out of date", "nothing was analysed")

with Project({"a.c": LEAK, "b.c": CLEAN.replace("f(", "g(")}, database=False) as p:
    here = {"directory": str(p.path)}
    name = f"{p.path}/compile_commands.json"
    for row, what in ((None, "is no object"), ({**here, "command": "cc -c b.c"}, 'has no "file"'), ({**here, "file": "", "command": "cc -c b.c"}, 'has no "file"'),
                      ({**here, "file": "b.c"}, 'has neither "arguments" nor "command"'),
                      ({**here, "file": "b.c", "command": "cc 'b.c"}, "has a command with an unclosed quote")):
        p.database([row, p.row("a.c")])
        done = p.lint()
        expect(f"a row that {what}", done, 2, f"{name}: entry 1 {what}; that entry is left out", "1 file analysed", "without that file the program is not known whole")
        check(f"costs that row only: {what}", "lock-leak" in done.stdout, done.stdout)
    p.database([p.row("a.c"), None, {}, []])
    expect("several rows that are none", p.lint(), 2, f"{name}: entry 2 is no object; that entry and 2 more that are none are left out",
           "1 file analysed (0 parsed, 1 from the cache), 3 could not be: 1 finding")
    p.database([None])
    expect("only rows that are none", p.lint(), 2, f"{name}: entry 1 is no object; that entry is left out", "nothing was analysed")
    p.database([{**here, "file": "a.c", "command": "cc -c b.c"}])
    expect("a command that compiles another file", p.lint("--no-cache"), 2,
           f"'{p.path}/a.c' is not analysed: its command compiles '{p.path}/b.c'", "nothing was analysed")
    p.database([{**here, "file": "a.c", "command": "cc -xc -c -"}])
    expect("a command that compiles standard input", p.lint("--no-cache"), 2,
           f"'{p.path}/a.c' is not analysed: its command compiles '<stdin>'", "nothing was analysed")
    Path(p.path, "link.c").symlink_to("a.c")
    p.database([{**here, "file": "a.c", "command": "cc -c link.c"}])
    expect("a command that names the file otherwise", p.lint("--no-cache"), 1, "1 file analysed")
    p.write("-dash.c", LEAK)
    p.database([{**here, "file": "-dash.c", "command": "cc -c -- -dash.c"}])
    expect("a file behind --", p.lint("--no-cache"), 1, "1 file analysed (1 parsed, 0 from the cache): 1 finding")
    p.database([{**here, "file": "b.c", "command": "cc"}])
    expect("a command of one word", p.lint("--no-cache"), 2, "the extractor could not work on", "aglet-extract", "nothing was analysed", absent=("usage",))

with Project({"a.c": CLEAN, "b.c": CLEAN}, database=False) as p:
    p.write("kept.rsp", "-DKEPT=1")
    p.database([{"directory": str(p.path), "arguments": ["cc", "@lost.rsp", "-c", "a.c"], "file": "a.c"},
                {"directory": str(p.path), "arguments": ["cc", "@kept.rsp", "-c", "b.c"], "file": "b.c"}])
    expect("a response file that is gone", p.lint("-p", "."), 2,
           f"'{p.path}/a.c' is not analysed: its command names '@lost.rsp', which cannot be read", "1 file analysed")
    expect("an extractor that says nothing", p.lint("-p", ".", "b.c", "--no-cache", AGLET_EXTRACTOR="/bin/false"), 2,
           f"the extractor could not work on '{p.path}/b.c' (exit status 1); that file is not analysed", "nothing was analysed")

with Project({"a.c": CLEAN}) as p:
    expect("a cache size that is none", p.lint(AGLET_CACHE_SIZE="lots"), 0,
           "AGLET_CACHE_SIZE is 'lots', which is no size such as 500M or 4G; 2G is taken", "1 file analysed")

with Project({"a.c": CLEAN}) as p:
    expect("clean", p.lint(), 0, "1 file analysed (1 parsed, 0 from the cache): 0 findings, 0 hints")
    expect("file not in the database", p.lint("other.c"), 2, "'other.c' is not in the compile database")
    expect("unknown option", p.lint("--frobnicate"), 2, f"aglet lint: unrecognized option '--frobnicate'")
    expect("unknown format", p.lint("--format=pdf"), 2, "aglet lint: there is no format 'pdf'; text, json, sarif and html are known")
    expect("unknown level", p.lint("--level=9"), 2, "aglet lint: there is no level '9'; 1 (default) and 2 (strict) are known")
    expect("bad jobs", p.lint("--jobs=none"), 2, "aglet lint: --jobs wants a number from 1 to 1024, got 'none'")
    expect("unknown rule", p.lint("--rules=lock-lek"), 2, "there is no rule 'lock-lek'; did you mean 'lock-leak'?")
    expect("unknown rule to explain", p.aglet("explain", "lock-lek"), 2, "there is no rule 'lock-lek'; did you mean 'lock-leak'?")
    expect("unknown word", p.aglet("lnit"), 2, "there is no word 'lnit'; aglet --help lists them")
    expect("update without a baseline", p.lint("--update-baseline"), 2, "aglet lint: --update-baseline needs --baseline FILE to write to")
    expect("no repository", p.lint("--only-changed-since=HEAD"), 2, "--only-changed-since needs a git repository, and there is none here or above")
    expect("output that cannot be written", p.lint("--output=/nonexistent/x"), 2, "cannot write '/nonexistent/x': No such file or directory")
    expect("an empty pattern", p.lint("--exclude="), 2, "aglet lint: --exclude wants a path pattern, not an empty text")
    expect("everything excluded", p.lint("--exclude=a.c"), 2, "nothing was analysed: 1 C file is excluded by --exclude or .aglet.yml")
    expect("everything excluded, for another word", p.aglet("infer", "--config=" + str(p.write("x.yml", "exclude: a.c\n"))), 2, "nothing was analysed: 1 C file is excluded")
    if Path("/dev/full").is_char_device():
        expect("graphs that cannot be written", p.run("sh", "-c", "exec \"$0\" lint --text-graphs >/dev/full", p.command), 2,
               "cannot write the graphs: No space left on device")
    expect("no extractor", p.lint(AGLET_EXTRACTOR="/nonexistent"), 2, "AGLET_EXTRACTOR is '/nonexistent', which is no program")

# ---- sources
with Project({"a.c": LEAK, "broken.c": "int f( {\n"}) as p:
    done = p.lint()
    expect("a file that does not parse", done, 2, f"'{p.path}/broken.c' does not parse and is not analysed; the compiler's words:",
           "1 file analysed (1 parsed, 0 from the cache), 1 could not be: 1 finding")
    check("what is missing is said", "without that file the program is not known whole: what it does is unknown" in done.stderr, done.stderr)
    check("its compiler's words are shown", "broken.c:1:" in done.stderr and "error:" in done.stderr, done.stderr)
    check("the others are analysed", "lock-leak" in done.stdout, done.stdout)

with Project({"a.c": LEAK, "b.c": CLEAN.replace("f(", "g(")}) as p:
    lib = p.path / "home/lib/aglet"
    p.write(f"home/lib/aglet/{extractor.name}", "#!/bin/sh\necho no library for this >&2\nexit 127\n").chmod(0o755)
    for _ in range(3): # gone before or after it is asked
        done = p.lint("--no-cache", AGLET_HOME=str(p.path / "home"))
        expect("an extractor that cannot start", done, 2, f"the extractor could not work on '{p.path}/a.c' (exit status 127); that file is not analysed",
               "no library for this", "nothing was analysed", absent=("Broken pipe",))

with Project({"a.c": LEAK, "cycle.c": '#include "cycle.h"\n', "cycle.h": '#include "cycle.h"\n'}) as p:
    done = p.lint()
    expect("an include cycle", done, 2, f"'{p.path}/cycle.c' does not parse and is not analysed", "1 file analysed")
    check("in some lines, the error among them", done.stderr.count("\n") < 25 and " more\n" in done.stderr and "error:" in done.stderr, done.stderr)

with Project({"a.c": LEAK, "crash.c": "/* CRASH */ int x;\n"}) as p:
    done = p.lint(AGLET_EXTRACTOR=str(crashing(p)))
    expect("a crash of the extractor", done, 2,
           f"the extractor crashed on '{p.path}/crash.c' (Segmentation fault); that file is not analysed")
    check("costs that file only", "lock-leak" in done.stdout, done.stdout)

with Project({"a.c": CLEAN, "b.cc": "class x {};\n", "c.cpp": "class y {};\n", "d.S": "nop\n"}) as p:
    expect("C++ files", p.lint(), 0, "2 C++ files are left out, only C is analysed: b.cc, c.cpp",
           "1 other-language file is left out, only C is analysed: d.S", "1 file analysed")
    p.database([p.row("b.cc")])
    expect("only C++ files", p.lint(), 2, "1 C++ file is left out, only C is analysed: b.cc", "nothing was analysed")

with Project({"a.c": "#include <aglet/annotations.h>\nstruct s { int mu; int n AGLET_GUARDED_BY(nothing); };\nint f(struct s *s) { return s->n; }\n"}) as p:
    done = p.lint()
    check("a lock expression that names nothing: status", done.returncode == 1, done.stderr + done.stdout)
    check("a lock expression that names nothing: said", "a.c:2:" in done.stdout and "'nothing'" in done.stdout, done.stdout)

with Project({"a.c": '__attribute__((annotate("aglet:garded_by(mu)"))) int n;\nint f(void) { return n; }\n'}) as p:
    done = p.lint()
    check("an unknown annotation: status", done.returncode == 1, done.stderr + done.stdout)
    check("an unknown annotation: said", "a.c:1:" in done.stdout and "garded_by" in done.stdout, done.stdout)

for wrong, said in (('__attribute__((annotate("aglet:guarded_by"))) int n;', "'guarded_by' is malformed: behind 'guarded_by' stand only its arguments, in parentheses"),
                    ("#include <aglet/annotations.h>\nint n AGLET_GUARDED_BY(mu->);", "a member's name is missing behind '->'")):
    with Project({"a.c": wrong + "\nint f(void) { return n; }\n"}) as p:
        done = p.lint()
        check(f"a malformed annotation: {said}", done.returncode == 1 and said in done.stdout, done.stderr + done.stdout)

# ---- revisions
with Project({"a.c": CLEAN}) as p:
    if p.run("git", "--version").returncode == 0:
        p.run("git", "init", "-q")
        expect("no such revision", p.lint("--only-changed-since=v1"), 2, "git knows no revision 'v1' here", absent=("shallow",))
        p.write(".git/shallow", "")
        expect("nor in a shallow clone", p.lint("--only-changed-since=v1"), 2, "git knows no revision 'v1' here: the clone is shallow; git fetch --unshallow")
        expect("no git", p.lint("--only-changed-since=v1", PATH="/nonexistent"), 2, "--only-changed-since needs git, and there is none in PATH")

# ---- flags on the command line
with Project({"a.c": CLEAN}, database=False) as p:
    done = p.lint("a.c")
    expect("a file without flags or database", done, 2)
    check("the way out", "or give the compiler's flags yourself: aglet lint a.c -- -Iinclude" in done.stderr, done.stderr)
    expect("a file that is not there", p.lint("gone.c", "--"), 2, "'gone.c' does not exist")
    expect("a directory", p.lint(".", "--"), 2, "'.' is a directory; before -- stand C files")
    expect("one file by three names", p.lint("a.c", "./a.c", f"{p.path}/a.c", "--"), 0, "1 file analysed (1 parsed, 0 from the cache)")
    done = p.lint("--rules=", "a.c", "--")
    expect("no rule", done, 2)
    check("that none is named", "--rules names no rule" in done.stderr, done.stderr)

# ---- configuration and models
with Project({"a.c": CLEAN}) as p:
    p.write(".aglet.yml", "level: default\nexclude: [\n")
    done = p.lint()
    expect("malformed .aglet.yml", done, 2)
    check("its line and column", f"{p.path}/.aglet.yml:" in done.stderr, done.stderr)
    for broken, where in ((b"level: default\n#\0\n", "2:2"), (b"exclude:\n  - '\xe9*'\n", "2:7")):
        p.write(".aglet.yml", "").write_bytes(broken)
        expect("no characters", p.lint(), 2, f"{p.path}/.aglet.yml:{where}: not YAML:")
    p.write(".aglet.yml", "rules:\n  lock-leek: off\n")
    done = p.lint()
    expect("an unknown rule in .aglet.yml", done, 2)
    check("its line and column", f"{p.path}/.aglet.yml:2:3: 'lock-leek' is no rule" in done.stderr, done.stderr)
    p.write(".aglet.yml", "models: [mine.yml]\n")
    p.write("mine.yml", "functions:\n  f: {frobnicates: true}\n")
    done = p.lint()
    expect("malformed model", done, 2)
    check("the model's line and column", "mine.yml:2:" in done.stderr, done.stderr)
    p.write(".aglet.yml", "models: [gone.yml]\n")
    done = p.lint()
    expect("a model that is not there", done, 2)
    check("the missing model's name", "gone.yml" in done.stderr, done.stderr)
    expect("a configuration that is not there", p.lint("--config=gone.yml"), 2)

# ---- the cache
with Project({"a.c": LEAK}) as p:
    first = p.lint()
    kept = [f for f in Path(p.path, ".cache").rglob("*") if f.is_file()]
    check("something was kept", len(kept) >= 3, str(kept))
    for how, change in (("truncated", lambda b: b[:-3]), ("emptied", lambda b: b""), ("foreign", lambda b: b"hello\n"),
                        ("flipped", lambda b: b[:len(b) // 2] + bytes([b[len(b) // 2] ^ 1]) + b[len(b) // 2 + 1:])):
        for path in (f for f in Path(p.path, ".cache").rglob("*") if f.is_file()):
            path.write_bytes(change(path.read_bytes()))
        done = p.lint("-v")
        check(f"a {how} cache is rebuilt", done.returncode == 1 and done.stdout == first.stdout and "1 parsed" in done.stderr, done.stderr)
        check(f"a {how} cache is said under --verbose", "is damaged; it is made anew" in done.stderr, done.stderr)
        expect(f"and the run after a {how} cache hits", p.lint(), 1, "1 file analysed (0 parsed, 1 from the cache)")
    expect("a cache that cannot be made", p.lint("--cache=/proc/aglet"), 1,
           "cannot write to the cache directory '/proc/aglet': No such file or directory; going on without keeping anything", "1 file analysed (1 parsed")
    p.write("plain", "a file")
    expect("a cache that is a file", p.lint("--cache=plain"), 1, f"cannot write to the cache directory '{p.path}/plain': Not a directory")
    directory = Path(p.path, "readonly")
    directory.mkdir()
    expect("a cache that is filled", p.lint("--cache=readonly"), 1, "1 file analysed (1 parsed")
    if os.getuid() != 0:
        directory.chmod(stat.S_IRUSR | stat.S_IXUSR)
        expect("a read-only cache", p.lint("--cache=readonly"), 1, f"cannot write to the cache directory '{directory}': Permission denied",
               "1 file analysed (0 parsed, 1 from the cache)")
        directory.chmod(stat.S_IRWXU)
    elif p.run("unshare", "-m", "true").returncode == 0: # root may write anywhere but on a file system that is read-only
        mount = "mount --bind readonly readonly && mount -o remount,ro,bind readonly && exec \"$0\" lint --cache=readonly"
        expect("a read-only cache", p.run("unshare", "-m", "sh", "-c", mount, p.command), 1,
               f"cannot write to the cache directory '{directory}': Read-only file system; going on without keeping anything",
               "1 file analysed (0 parsed, 1 from the cache)")
        p.write("a.c", "/* changed */\n" + LEAK)
        expect("a read-only cache and a changed file", p.run("unshare", "-m", "sh", "-c", mount, p.command), 1,
               f"cannot write to the cache directory '{directory}': Read-only file system", "1 file analysed (1 parsed")
    else:
        print("skipped in part: root may write everywhere here, and mount namespaces may not be made")
    Path(p.path, "small").mkdir()
    for how in ("size=8k", "nr_inodes=4", "nr_inodes=3"): # room for a unit, for some files, for no directory
        mount = f"mount -t tmpfs -o {how} x small && exec \"$0\" lint --cache=small"
        if p.run("unshare", "-rm", "sh", "-c", mount.split(" && ")[0]).returncode:
            print("skipped in part: no file system may be mounted here")
            break
        done = p.run("unshare", "-rm", "sh", "-c", mount, p.command)
        expect(f"a cache on a full disk, {how}", done, 1,
               f"cannot write to the cache directory '{p.path}/small': No space left on device; going on without keeping anything", "1 file analysed (1 parsed")
        check(f"the findings are there, {how}", "lock-leak" in done.stdout and done.stderr.count("cannot write") == 1, done.stdout + done.stderr)

# ---- baselines
with Project({"a.c": LEAK}) as p:
    p.write("base.json", "this is no baseline\n")
    done = p.lint("--baseline=base.json")
    expect("a baseline that is not one", done, 2)
    check("it is named", "base.json" in done.stderr, done.stderr)
    expect("a baseline that is not there", p.lint("--baseline=gone.json"), 2)
    os.mkfifo(p.path / "pipe")
    expect("a baseline that is a pipe is not overwritten", p.lint("--baseline=pipe", "--update-baseline"), 2, "cannot write the baseline 'pipe': Operation not supported")
    check("it is one still", Path(p.path, "pipe").is_fifo())
    expect("a baseline that is a directory", p.lint("--baseline=.", "--update-baseline"), 2, "cannot write the baseline '.': Is a directory")
    p.write("notes.txt", "precious\n")
    expect("what is no baseline is not overwritten", p.lint("--baseline=notes.txt", "--update-baseline"), 2, "notes.txt:1: this is no baseline")
    check("it is as it was", (p.path / "notes.txt").read_text() == "precious\n")
    p.write("newer", "# aglet baseline 12: of days to come\n")
    expect("a newer baseline", p.lint("--baseline=newer"), 2, "newer:1: the baseline is of version 12, and this aglet reads version 1")
    p.write("merge", "# aglet baseline 1\n<<<<<<< HEAD\n")
    expect("a baseline with a conflict", p.lint("--baseline=merge"), 2, "merge:2: a line of a baseline begins with")
    expect("is written anew", p.lint("--baseline=merge", "--update-baseline"), 0)
    expect("a directory read as a baseline", p.lint("--baseline=."), 2, ".: cannot be read: Is a directory")
    p.write("new\nline.c", LEAK)
    p.database([p.row("a.c"), p.row("new\nline.c")])
    expect("a baseline of a file whose name has a line's end", p.lint("--baseline=lines", "--update-baseline"), 0, "2 files analysed")
    expect("and it is read again", p.lint("--baseline=lines"), 0)
    p.database([p.row("a.c")])
    p.write("kept/base", "# aglet baseline 1\n")
    Path(p.path, "link").symlink_to("kept/base")
    expect("a baseline behind a symbolic link", p.lint("--baseline=link", "--update-baseline"), 0)
    check("the link stays, what it leads to is written", Path(p.path, "link").is_symlink() and "lock-leak" in (p.path / "kept/base").read_text())

# ---- units of another version, of another build, twice
with Project({"a.c": LEAK, "b.c": LEAK.replace("static ", "")}) as p:
    p.lint()
    units = [f for f in Path(p.path, ".cache").rglob("*") if f.is_file() and b"AGLT" in f.read_bytes()[:64]]
    check("units are kept", len(units) == 2, str(units))
    for how, at, words in (("version", 4, "the unit is of version 99"), ("build", 24, "the unit was made by another build of this version")):
        bytes_ = bytearray(units[0].read_bytes())
        begin = bytes_.index(b"AGLT")
        bytes_[begin + at] = 99 if how == "version" else bytes_[begin + at] ^ 1
        p.write("other.unit", "").write_bytes(bytes(bytes_[begin:]))
        good = units[1].read_bytes()
        p.write("good.unit", "").write_bytes(good[good.index(b"AGLT"):])
        done = p.aglet("link", "other.unit", "good.unit")
        expect(f"a unit of another {how}", done, 2, "'other.unit' holds a unit that cannot be read: " + words)
        check(f"the others are analysed beside a unit of another {how}", "lock-leak" in done.stdout, done.stdout + done.stderr)
    expect("one function defined in two files", p.lint(), 1, "2 files analysed (0 parsed, 2 from the cache): 2 findings",
           "'f' is defined in 'a.c' and in 'b.c': calls are taken to reach the first; are these several programs?")

# ---- definitions that may stand several times: weak, inline, static in a header, one file compiled twice
SHARED = "static int s(void) { return 1; }\ninline int i(void) { return 2; }\n"
with Project({"h.h": SHARED, "a.c": '#include "h.h"\n__attribute__((weak)) int w(void) { return s() + i(); }\n',
              "b.c": '#include "h.h"\nint w(void) { return s() + i(); }\n', "c.c": "int N(void) { return 0; }\n"}, database=False) as p:
    p.database([p.row("a.c"), p.row("b.c"), p.row("c.c", "-DN=one"), p.row("c.c", "-DN=two")])
    expect("weak, inline, static, twice", p.lint(), 0, "4 files analysed", absent=("is defined in", "are defined twice"))
    p.write("c.c", "int w(void) { return 3; }\nint N(void) { return 0; }\n")
    p.write("d.c", "int w(void) { return 3; }\nint one(void) { return 0; }\n")
    p.database([p.row("b.c"), p.row("c.c", "-DN=one"), p.row("d.c")])
    expect("several twice", p.lint(), 0, "3 functions are defined twice, 'w' in 'b.c' and in 'c.c' among them: calls are taken to reach the first")

# ---- units of two compilers and of two targets in one link
with Project({"a.c": LEAK, "b.c": CLEAN.replace("int f", "int g")}) as p:
    for name in ("a.c", "b.c"):
        p.write(name.replace(".c", ".u"), p.lint("--text-graphs", name).stdout)
    text = (p.path / "b.u").read_text()
    own = re.search(r'producer "(.*)"', text)[1]
    p.write("b.u", text.replace(own, "clang 14.0.6").replace("x86_64", "aarch64"))
    expect("another Clang and another target", p.aglet("link", "a.u", "b.u"), 1, f"the units were made by {own} and by clang 14.0.6; they are analysed together",
           "the units are for x86_64-pc-linux-gnu and for aarch64-pc-linux-gnu; they are analysed as one program all the same", "2 units: 1 finding")

# ---- link
with Project({"a.c": CLEAN}) as p:
    expect("no object", p.aglet("link"), 2, "aglet link: no object is named")
    expect("an object that is not there", p.aglet("link", "gone.o"), 2, "cannot read 'gone.o': No such file or directory", "nothing was analysed")
    expect("no object file", p.aglet("link", "a.c"), 2, "'a.c' is neither an object file nor an archive", "nothing was analysed")
    p.run("cc", "-c", "a.c", "-o", "a.o")
    expect("an object without graphs", p.aglet("link", "a.o"), 2,
           "'a.o' carries no event graphs (it was compiled without the plugin, or stripped); what it does is unknown", "nothing was analysed")
    if p.run("ar", "--thin", "-rc", "thin.a", "a.o").returncode == 0:
        expect("a thin archive", p.aglet("link", "thin.a"), 2, "'thin.a' is a thin archive, which holds no objects; name the objects themselves", "nothing was analysed")
    data = Path(p.path, "a.o").read_bytes()
    Path(p.path, "cut.o").write_bytes(data[:80])
    expect("an object cut off", p.aglet("link", "cut.o"), 2, "'cut.o' cannot be used: its section table lies outside of it")

# ---- run
with Project({}, database=False) as p:
    done = p.aglet("run", "/nonexistent/program")
    check("run of no program", done.returncode in (127, 2) and done.stderr.count("\n") == 1, done.stderr)

# Models of the user's own that name what the function does not have, and one that names a member.
QUEUE = """#include <pthread.h>
struct queue {
    pthread_mutex_t mu;
    int n;
};
void queue_lock(struct queue *q);
void queue_unlock(struct queue *q);
int queue_trace(const char *format, ...);
int queue_take(struct queue *q);
int queue_take(struct queue *q) {
    queue_lock(q);
    if (!q->n)
        return -1;
    q->n--;
    queue_unlock(q);
    return 0;
}
"""
with Project({"queue.c": QUEUE}) as p:
    model = "functions:\n  queue_unlock: releases $1->mu\n  queue_trace: reads $7\n  queue_lock: %s\n"
    p.write(".aglet.yml", model % "acquires $1->mu")
    done = p.lint()
    expect("a model that names a member", done, 1)
    check("its lock is followed", "queue.c:13:9: warning: 'q->mu' is still held on this return" in done.stdout, done.stdout)
    check("a function of any number of arguments has a seventh", "$7" not in done.stdout, done.stdout)
    for what, where, why in (
        ("acquires $9", "4:15", "there is no $9: 'queue_lock' has 1 parameter"),
        ("acquires $1->mu; frees $3", "4:32", "there is no $3: 'queue_lock' has 1 parameter"),
        ("blocks if $2 != 0", "4:15", "there is no $2: 'queue_lock' has 1 parameter"),
        ("acquires $1->mux", "4:15", "'struct queue' has no member 'mux'"),
    ):
        p.write(".aglet.yml", model % what)
        done = p.lint()
        check(f"'{what}' ends with status 1", done.returncode == 1, done.stdout)
        check(f"'{what}' is told", f".aglet.yml:{where}: error: {why}" in done.stdout, done.stdout)

finish()
