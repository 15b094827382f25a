# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The recipes of docs/scale.md: the per-file half as a build action, the rest by aglet link; with make, ninja and distcc, whose
daemon cannot see the source tree. Stands on case.py and a plugin that was built."""
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from case import AGLET, LEAK, LIB, ROOT, Project, check, finish, need_extractor

need_extractor()
if not list(LIB.glob("aglet-clang-*.so")):
    print("skipped: no plugin is built")
    raise SystemExit(77)

AGLET_CC = AGLET.parent / "aglet-cc"
# Two files: the finding exists only in the program, not in either file.
FILES = {
    "both.h": "#include <pthread.h>\nstruct s { pthread_mutex_t mu; int n; };\nint helper(struct s *s);\n",
    "a.c": '#include "both.h"\nint user(struct s *s)\n{\n    pthread_mutex_lock(&s->mu);\n    int n = helper(s);\n    pthread_mutex_unlock(&s->mu);\n    return n;\n}\n',
    "b.c": '#include "both.h"\nint helper(struct s *s)\n{\n    pthread_mutex_lock(&s->mu);\n    int n = s->n;\n    pthread_mutex_unlock(&s->mu);\n    return n;\n}\n',
}
RECIPES = (ROOT / "docs/scale.md").read_text()


def recipe(language):
    """The first block of the page in this language, with the names of the command as this build has it."""
    block = re.search(rf"```{language}\n(.*?)```", RECIPES, re.S)[1]
    return block.replace("aglet-cc", str(AGLET_CC)).replace("aglet link", f"{AGLET} link")


def found(text):
    return "[aglet-double-lock]" in text


def look(name, p, command, **environment):
    done = p.run(*command, **environment)
    check(f"{name}: the program's finding is found, and fails the build", found(done.stdout + done.stderr) and done.returncode != 0,
          done.stdout + done.stderr)
    report = Path(p.path, "findings.txt")
    check(f"{name}: and is in the report", report.exists() and found(report.read_text()) and "a.c:5:" in report.read_text(),
          report.read_text() if report.exists() else "no report")


with Project({**FILES, "Makefile": recipe("make")}, database=False) as p:
    look("make", p, ["make", "-j4", "lint"])

if shutil.which("ninja"):
    with Project({**FILES, "build.ninja": recipe("ninja")}, database=False) as p:
        look("ninja", p, ["ninja", "lint"])
        Path(p.path, "b.c").write_text(FILES["b.c"].replace("pthread_mutex_lock(&s->mu);\n    int n", "int n").replace(
            "    pthread_mutex_unlock(&s->mu);\n    return n;", "    return n;"))
        done = p.run("ninja", "lint")
        check("ninja: mended, it is clean, and one file was compiled", done.returncode == 0 and "[1/2]" in done.stdout, done.stdout + done.stderr)
else:
    print("skipped in part: ninja is not installed")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def distcc_daemon(p, port):
    """A daemon in a mount namespace of its own, where the source tree is an empty directory."""
    script = f"""mount -t tmpfs none {p.path} && exec distccd --no-detach --daemon --allow 127.0.0.1 --listen 127.0.0.1 \
--port {port} --make-me-a-botnet --log-file {LOG} --jobs 2"""
    return subprocess.Popen(["unshare", "-m", "sh", "-c", script], env={**p.environment, "TMPDIR": "/tmp"}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


LOG = f"/tmp/aglet-distccd-{os.getpid()}.log"
may_unshare = subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0
if shutil.which("distccd") and may_unshare:
    with Project(FILES, database=False) as p:
        Path(p.path, ".distcc").mkdir()
        port = free_port()
        daemon = distcc_daemon(p, port)
        try:
            for _ in range(50):
                time.sleep(0.1)
                if subprocess.run(["sh", "-c", f": </dev/tcp/127.0.0.1/{port}"], capture_output=True).returncode == 0 or \
                        socket.socket().connect_ex(("127.0.0.1", port)) == 0:
                    break
            for name in ("a", "b"):
                done = p.run("distcc", AGLET_CC, "-c", f"{name}.c", "-o", f"{name}.o", DISTCC_HOSTS=f"127.0.0.1:{port}", DISTCC_FALLBACK="0",
                             DISTCC_DIR=str(p.path / ".distcc"))
                check(f"distcc: {name}.c is compiled by the daemon", done.returncode == 0 and Path(p.path, f"{name}.o").exists(),
                      done.stderr + (Path(LOG).read_text()[-1500:] if Path(LOG).exists() else ""))
            done = p.aglet("link", "a.o", "b.o")
            check("distcc: the graphs came back in the objects", found(done.stdout) and "a.c:5:" in done.stdout and done.returncode == 1, done.stdout + done.stderr)
        finally:
            daemon.terminate()
            daemon.wait()
            Path(LOG).unlink(missing_ok=True)
else:
    print("skipped in part: distccd is not installed, or mount namespaces may not be made")

finish()
