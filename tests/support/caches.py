# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Copies of a cache of the aglet command, for tests that hold a run with it against a run without. Stands on the layout that
analyzer/tool/cache.h tells of."""
import os
import shutil
from pathlib import Path

FINDINGS, SOLVED, TEMPORARY = "r", "s", "tmp"


def link(cache, to, without=()):
    """The cache's files under another directory, by hard links: each is only ever replaced as a whole."""
    shutil.rmtree(to, ignore_errors=True)
    left_out = {*without, TEMPORARY}
    shutil.copytree(cache, to, copy_function=os.link, ignore=lambda at, names: left_out & set(names) if Path(at) == Path(cache) else ())


def link_units(cache, to):
    """Only what was parsed: a run with this cache solves everything."""
    link(cache, to, (FINDINGS, SOLVED))


def forget_findings(cache):
    """A run with this cache solves, and has what was solved before to do it with."""
    shutil.rmtree(Path(cache, FINDINGS), ignore_errors=True)
