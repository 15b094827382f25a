# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every file of the repository keeps the house rules that a machine can see: the licence line, what the file is, no
leftovers, no path of somebody's machine.

Stands on git for the list of files; usage: files.py ROOT
"""
import re
import subprocess
import sys
from pathlib import Path

root = Path(sys.argv[1])
listed = subprocess.run(["git", "-C", str(root), "ls-files"], capture_output=True, text=True)
if listed.returncode:
    print("skipped: this is no git work tree")
    sys.exit(77)

CODE = {".c", ".h", ".cpp", ".hpp", ".S", ".py", ".cmake", ".def", ".sh", ".yml"}
errors, seen, longest = [], 0, []
for name in listed.stdout.splitlines():
    path = root / name
    if not path.is_file() or name == "LICENSE" or "/corpus/" in name:
        continue
    data = path.read_bytes()
    if b"\0" in data:
        continue
    seen += 1
    text = data.decode("utf-8", errors="replace")
    is_code = path.suffix in CODE or path.name == "CMakeLists.txt"
    head = "\n".join(text.splitlines()[:3])
    if is_code and "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception" not in head and "fixtures/" not in name:
        errors.append(f"{name}: no licence line at the top")
    for number, line in enumerate(text.splitlines(), 1):
        if is_code and re.search(r"\b(TODO|FIXME|XXX)\b", line) and name != "tests/house/files.py":
            errors.append(f"{name}:{number}: unfinished: {line.strip()[:80]}")
        if re.search(r"(?<![\w.])/(work|root|home/\w+)/", line) and name != "tests/house/files.py":
            errors.append(f"{name}:{number}: a path of one machine: {line.strip()[:80]}")
        if line != line.rstrip() and path.suffix != ".md":
            errors.append(f"{name}:{number}: white space at the end of the line")
    if data and not data.endswith(b"\n"):
        errors.append(f"{name}: no newline at the end")
    if is_code and text.count("\n") > 500:
        longest.append(f"{name} ({text.count(chr(10))})")

print(f"{seen} files looked at, {len(errors)} errors")
if longest:
    print("over 500 lines, each with a reason, one hopes: " + ", ".join(longest))
for error in errors[:100]:
    print(error)
sys.exit(bool(errors) or seen < 10)
