# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The fixes of the rules about hand-offs: applied as the JSON output says them, the file compiles, and the lint no longer
offers them.

Stands on lint's JSON; usage: test_fixes.py AGLET ROOT
"""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

aglet, root = (Path(argument).resolve() for argument in sys.argv[1:3])
INCLUDE = f"-I{root}/annotations/include"

COUNTED = """#include <pthread.h>
#include <stdlib.h>
struct object {
    int refs;
    int value;
};
static void object_get(struct object *o) { o->refs++; }
static void object_put(struct object *o) {
    if (--o->refs == 0)
        free(o);
}
static void *use_object(void *arg) {
    object_put(arg);
    return NULL;
}
int keep_one(struct object *o) {
    pthread_t t;
    object_get(o);
    if (pthread_create(&t, NULL, use_object, o) != 0)
        return -1;
    object_put(o);
    return pthread_join(t, NULL);
}
"""
WRAPPED = """#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>
struct message {
    int id;
};
static void *handle(void *arg) {
    struct message *m = arg;
    free(m);
    return NULL;
}
int deliver(struct message *m, pthread_t *t) {
    return pthread_create(t, NULL, handle, m);
}
int both(struct message *m, pthread_t *t) {
    if (deliver(m, t) != 0)
        return -1;
    return m->id;
}
"""
# name, source, rule that offers the fix, text of the fix, whether the finding goes with it, the level
CASES = [("counted", COUNTED, "send", "_Atomic ", True, 1),
         ("counted-by-typedef", COUNTED.replace("struct object {\n    int refs;", "typedef unsigned count;\nstruct object {\n    count refs;"),
          "send", "_Atomic ", True, 1),
         ("counted-in-a-typedef", COUNTED.replace("struct object {", "typedef struct object {").replace("    int value;\n};", "    int value;\n} object;"),
          "send", "_Atomic ", True, 1),
         ("counted-on-one-line", COUNTED.replace("struct object {\n    int refs;\n    int value;\n};", "struct object { char *name; int refs; };"),
          "send", "_Atomic ", True, 1),
         ("wrapped", WRAPPED, "use-after-send", "AGLET_SENDING ", False, 1),
         ("told", WRAPPED.replace("    return m->id;", "    return 0;"), "send", "AGLET_SENDING ", True, 2)]
# name, source, rule: found, but a word put before the name would not compile, so no fix is offered
NO_FIX = [("one-of-several", COUNTED.replace("    int refs;\n    int value;", "    int value, refs;"), "send"),
          ("first-of-several", COUNTED.replace("    int refs;\n    int value;", "    int refs, value;"), "send"),
          ("on-two-lines", COUNTED.replace("    int refs;\n    int value;", "    int value,\n      refs;"), "send"),
          ("bit-field", COUNTED.replace("int refs;", "unsigned refs : 8;"), "send"),
          ("by-a-macro", COUNTED.replace("struct object {\n    int refs;", "#define COUNT int refs;\nstruct object {\n    COUNT"), "send"),
          ("without-the-header", WRAPPED.replace("#include <aglet/annotations.h>\n", ""), "use-after-send")]


def lint(path, level):
    done = subprocess.run([aglet, "lint", "--no-cache", "--format=json", f"--level={level}", path, "--", "-std=gnu11", INCLUDE],
                          capture_output=True, text=True)
    if done.returncode > 1:
        sys.exit(f"{path.name}: exit status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)["findings"]


def main():
    if not list((aglet.parents[1] / "lib/aglet").glob("aglet-extract-*")):
        print("skipped: no extractor is built (no Clang with its headers was found)")
        sys.exit(77)
    compilers = [found for name in ("gcc", *(f"clang-{major}" for major in range(14, 31))) if (found := shutil.which(name))]
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text, rule, fix, ends, level in CASES:
            path = Path(folder, f"{name}.c")
            path.write_text(text)
            offers = [f for f in lint(path, level) if f["rule"] == rule and f.get("fixes")]
            if not offers or any(f["fixes"][0]["text"] != fix for f in offers):
                errors.append(f"{name}: the fix '{fix}' is not offered by {rule}")
                continue
            lines = text.splitlines()
            for at in sorted({(f["fixes"][0]["line"], f["fixes"][0]["column"]) for f in offers}, reverse=True):
                lines[at[0] - 1] = lines[at[0] - 1][:at[1] - 1] + fix + lines[at[0] - 1][at[1] - 1:]
            path.write_text("\n".join(lines) + "\n")
            for compiler in compilers:
                done = subprocess.run([compiler, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", INCLUDE, path],
                                      capture_output=True, text=True)
                if done.returncode:
                    errors.append(f"{name}: {compiler} does not compile it after the fix: {done.stderr}")
            left = [f for f in lint(path, level) if f["rule"] == rule]
            if ends and left or any(f.get("fixes") for f in left):
                errors.append(f"{name}: after the fix still: {[f['message'] for f in left]}")
            if not ends and not left:
                errors.append(f"{name}: the mistake itself is no longer found")
        for name, text, rule in NO_FIX:
            path = Path(folder, f"{name}.c")
            path.write_text(text)
            found = [f for f in lint(path, 1) if f["rule"] == rule]
            if not found or any(f.get("fixes") for f in found):
                errors.append(f"{name}: {'a fix is offered' if found else f'nothing is found by {rule}'}")
    print(f"{len(CASES)} fixes applied, {len(NO_FIX)} not offered")
    for error in errors:
        print(error)
    sys.exit(bool(errors))


main()
