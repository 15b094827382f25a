# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A program of nine files is edited, one edit at a time, one cache for all of it; after each edit the lint says what one says that has only
the parsed files: to the byte, at level 2. Every second run is checked by the tool itself, too (AGLET_CHECK_MEMO).

Stands on case.py, edited/ for the program and edited_edits.py for the edits. Some are kept, the others taken back, by AGLET_EDITS_SEED (1).
"""
import difflib
import os
import random
import re
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))
import caches
import lint
from case import Project, check, finish, need_extractor
from edited_edits import EDITS

need_extractor()
ORIGINAL = {path.name: path.read_text() for path in sorted((HERE / "edited").iterdir())}


def edited(texts, changes):
    """The texts with the changes, or None where what they change is not there."""
    texts = dict(texts)
    for name, old, new in changes:
        if texts[name].count(old) != 1:
            return None
        texts[name] = texts[name].replace(old, new)
    return texts


class Shop(Project):
    def __init__(self):
        super().__init__(ORIGINAL)
        self.cache, self.cold = self.path / ".cache", self.path / ".cache-cold"
        self.dice = random.Random(int(os.environ.get("AGLET_EDITS_SEED", 1)))
        self.texts, self.said, self.changed, self.known, self.asked = dict(ORIGINAL), None, 0, 0, 0
        self.rules = Counter()

    def put(self, texts):
        for name, text in texts.items():
            if text != self.texts[name]:
                self.write(name, text)
        self.texts = texts

    def judge(self, what, number):
        """Lint with the cache and with the parsed files alone."""
        if number % 3 == 0:
            caches.forget_findings(self.cache)
        checked = {"AGLET_CHECK_MEMO": "1"} if number % 2 else {}
        warm = self.lint("--format=json", "--level=2", "-v", **checked)
        caches.link_units(self.cache, self.cold)
        cold = self.lint("--format=json", "--level=2", f"--cache={self.cold}")
        lines = difflib.unified_diff(cold.stdout.splitlines(), warm.stdout.splitlines(), "from nothing", "with the cache", lineterm="")
        check(f"{what}: {'checked' if checked else 'as from nothing'}", (warm.returncode, warm.stdout) == (cold.returncode, cold.stdout) and cold.returncode in (0, 1)
              and lint.analysed(cold.stderr) == sum(name.endswith(".c") for name in self.texts),
              f"status {warm.returncode} and {cold.returncode}\n{warm.stderr}" + "\n".join([*lines][:60]))
        for asked, known in re.findall(r"of (\d+) steps of solving, (\d+) were known", warm.stderr):
            self.asked, self.known = self.asked + int(asked), self.known + int(known)
        found = Counter((f.rule, f.function, f.message) for f in lint.read(cold.stdout))
        self.rules.update(rule for rule, _, _ in found)
        if self.said is not None and found != self.said:
            self.changed += 1
        self.said = found


with Shop() as shop:
    shop.judge("as it is", 0)
    order = list(EDITS)
    if "AGLET_EDITS_SEED" in os.environ:
        shop.dice.shuffle(order)
    number = 0
    for what, changes in order:
        if edited(ORIGINAL, changes) is None:
            check(f"{what}: stands in the program once", False)
            continue
        texts = edited(shop.texts, changes) or edited(ORIGINAL, changes)
        number += 1
        before = shop.texts
        shop.put(texts)
        shop.judge(what, number)
        if shop.dice.random() < 0.4: # the others stay, and the next comes on top of them
            shop.put(before)
            if shop.dice.random() < 0.3:
                number += 1
                shop.judge(f"{what}, undone", number)
    shop.put(dict(ORIGINAL))
    for gone in "walk.c", "ops.c":
        shop.database([shop.row(name) for name in ORIGINAL if name.endswith(".c") and name != gone])
        left, shop.texts = shop.texts, {name: text for name, text in shop.texts.items() if name != gone}
        shop.judge(f"{gone} left out", number)
        shop.texts, number = left, number + 1
    shop.database([shop.row(name) for name in reversed(sorted(ORIGINAL)) if name.endswith(".c")])
    shop.judge("the files the other way round", number)
    check("there are 60 edits", len(EDITS) >= 60, len(EDITS))
    check("most edits change what is found", shop.changed > 40, f"{shop.changed} of {number}")
    check("much is known from the runs before", shop.known * 5 > shop.asked * 2, f"{shop.known} of {shop.asked} steps")
    check("many rules speak", len(shop.rules) >= 10, shop.rules)
    print(f"{len(EDITS)} edits, {shop.changed} changed what is found; {len(shop.rules)} rules; "
          f"of {shop.asked} steps of solving {shop.known} were known")
finish()
