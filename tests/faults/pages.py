#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The examples on the pages of rules that only the runtime reports: each program under "Flagged" must report its rule, each
under "Fixed" nothing. Usage: pages.py ROOT BUILD."""
import os, re, subprocess, sys, tempfile

root, build = sys.argv[1], os.path.abspath(sys.argv[2])
checked, preload = build + "/lib/aglet/checked", build + "/lib/aglet/libaglet_preload.so"
options = {"long-hold": "max_hold_ms=30"}
bad, looked = 0, 0
for name in sorted(os.listdir(root + "/docs/rules")):
    with open(f"{root}/docs/rules/{name}") as f:
        text = f.read()
    if "\nReported at run time" not in text:
        continue
    rule, heading = name[:-3], ""
    for title, code in re.findall(r"^## +(\w+).*?$|^```c\n(.*?)^```$", text, re.M | re.S):
        heading = title or heading
        if not code:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            with open(scratch + "/example.c", "w") as f:
                f.write(code)
            subprocess.run(["gcc", "-g", "-O1", "-pthread", "-w", "-D_GNU_SOURCE", f"-I{root}/runtime/include",
                            f"-I{root}/annotations/include", scratch + "/example.c", "-o", scratch + "/example",
                            "-L" + checked, "-laglet", "-Wl,-rpath," + checked], check=True)
            env = {**os.environ, "AGLET_OPTIONS": options.get(rule, "")}
            if "aglet/" not in code:
                env["LD_PRELOAD"] = preload
            try:
                p = subprocess.run([scratch + "/example"], env=env, capture_output=True, text=True, timeout=30)
                found, status, said = f"[aglet-{rule}]" in p.stderr, p.returncode, p.stderr
            except subprocess.TimeoutExpired:
                found, status, said = False, "hangs", ""
        looked += 1
        if found != (heading == "Flagged") or (heading == "Fixed" and status != 0):
            bad += 1
            print(f"pages: {name}, {heading}: status {status}, {'reported' if found else 'not reported'}; it said:\n{said}")
print(f"pages: {looked} examples, {bad} not as their page says")
sys.exit(1 if bad or not looked else 0)
