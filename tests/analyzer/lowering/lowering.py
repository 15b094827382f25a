#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hold the text form of one lowered file against NAME.txt beside it: lowering.py EXTRACTOR INCLUDE NAME.c [--update].

What differs from machine to machine (paths, the target, hashes of headers) is left out; so are places, but in a file whose
first comment has a line `Locations`."""
import pathlib
import re
import subprocess
import sys


def shown(text, locations):
    lines = []
    for line in text.splitlines():
        if re.match(r'(unit|directory|target|producer|file) ', line):
            continue
        if not locations:
            line = re.sub(r' ?@(-|[0-9]+(:[0-9]+)*(-[0-9]+(:[0-9]+)?)?( macro \w+)?)', '', line)
        lines.append(line.rstrip())
    return '\n'.join(lines).strip() + '\n'


def main():
    extractor, include, source = sys.argv[1:4]
    run = subprocess.run([extractor, '--text', '--', 'cc', '-std=gnu11', '-I' + include, '-c', source],
                         capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        sys.exit(f'{source}: the extractor ended with {run.returncode}\n{run.stderr}')
    locations = re.search(r'^ \* Locations ', pathlib.Path(source).read_text(), re.M) is not None
    found = shown(run.stdout, locations)
    golden = pathlib.Path(source).with_suffix('.txt')
    if sys.argv[4:] == ['--update']:
        golden.write_text(found)
        return
    wanted = golden.read_text()
    if found != wanted:
        import difflib
        sys.stdout.writelines(difflib.unified_diff(wanted.splitlines(True), found.splitlines(True), str(golden), 'now'))
        sys.exit(1)
    print(f'{len(found.splitlines())} lines are as they were')


main()
