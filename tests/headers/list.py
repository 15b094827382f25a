# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The header, the analyzer's list and the compile test speak of the same macros, name for name and form for form.

Stands on the three files' text; usage: list.py annotations.h annotations.def every_macro.c
"""
import re
import sys

header, definitions, every = (open(path, encoding="utf-8").read() for path in sys.argv[1:4])

listed = {}
for name, macro, places, arity in re.findall(
        r"^AGLET_ANNOTATION\((\w+), (\w+), ([\w |]+), (-?\w+)\)$", definitions, re.M):
    listed[macro] = (name, arity)

errors = []
defined = {}
pattern = r'^#define (AGLET_[A-Z_]*[A-Z])(?:\(([^)]*)\))? (?:struct )?AGLET_(WORD|ABOUT|BECAUSE|ANNOTATE)_\("(\w+)'
for macro, parameters, form, text in re.findall(pattern, header, re.M):
    defined[macro] = text
    if macro not in listed:
        errors.append(f"{macro} is in the header and not in the list")
        continue
    name, arity = listed[macro]
    if text != name or name != macro[len("AGLET_"):].lower():
        errors.append(f"{macro} says \"{text}\" in the header and \"{name}\" in the list")
    count = len(parameters.split(",")) if parameters else 0
    expected = {"WORD": "0", "BECAUSE": "ARITY_REASON"}.get(form)
    if expected is None:
        expected = {"...": "ARITY_SOME", "value, ...": "ARITY_VALUE"}.get(parameters, str(count))
    if arity != expected:
        errors.append(f"{macro} takes {expected} in the header and {arity} in the list")

errors += [f"{macro} is in the list and not in the header" for macro in listed if macro not in defined]
errors += [f"{macro} is not in the compile test" for macro in listed if not re.search(rf"\b{macro}\b", every)]
if not defined or not listed:
    errors.append("no macros found: the pattern of this test no longer fits the files")

print(f"{len(listed)} annotations in the list, {len(defined)} in the header")
for error in errors:
    print(error)
sys.exit(bool(errors))
