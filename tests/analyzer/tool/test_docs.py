# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""docs/command.md is held to the command: every word, every option, every environment variable, and none that does not exist.
Stands on case.py and the sources."""
import re

from case import AGLET, ROOT, Project, check, finish

page = (ROOT / "docs/command.md").read_text()
with Project({}, database=False) as p:
    words = re.findall(r"^  ([a-z][a-z-]*)  ", p.aglet("--help").stdout, re.M)
    check("words were found", len(words) >= 6, str(words))
    for word in words:
        check(f"word {word} is on the page", f"aglet {word}" in page)
    for word in re.findall(r"`aglet ([a-z][a-z-]*)", page):
        check(f"aglet {word} exists", word in words, word)
    options = {option for word in ("lint", "graph", "boundaries", "infer", "explain-type")
               for option in re.findall(r"--[a-z][a-z-]+", p.aglet(word, "--help").stdout)} - {"--help", "--usage"}
    check("options were found", len(options) > 12, str(options))
    on_page = set(re.findall(r"--[a-z][a-z-]+", page)) - {"--help", "--options"}
    check("every option is on the page", options <= on_page, str(options - on_page))
    check("no other is", on_page <= options, str(on_page - options))
    linked = set(re.findall(r"--[a-z][a-z-]+", p.aglet("link", "--help").stdout)) - {"--help", "--usage"}
    check("link's are among them", linked <= options, str(linked - options))

used = set()
for source in [*(ROOT / "analyzer/tool").glob("*.c"), *(ROOT / "analyzer/program").glob("*.c")]:
    used |= set(re.findall(r'getenv\("((?:AGLET|NO)_\w+)"\)', source.read_text()))
named = set(re.findall(r"^\| `((?:AGLET|NO)_\w+)`", page, re.M))
check("every variable is on the page, and no other", used == named, f"{used - named} {named - used}")
for link in re.findall(r"\]\(([\w./-]+\.md)\)", page):
    check(f"{link} is there", (ROOT / "docs" / link).exists())

finish()
