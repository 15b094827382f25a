# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Open the HTML report in headless Chromium and look at what it shows: by itself, filtered from the address, filtered by
hand. Usage: check_html.py REPORT_SAMPLE SCRATCH. Stands on Debian's chromium; exit status 77 without it.
"""
import html.parser
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sample, scratch = sys.argv[1], Path(sys.argv[2], "html")
browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if not browser:
    print("skipped: no Chromium here (Debian's package chromium)")
    sys.exit(77)
shutil.rmtree(scratch, ignore_errors=True)
scratch.mkdir(parents=True)
page = subprocess.run([sample, "html", scratch, scratch / "baseline"], check=True, capture_output=True).stdout.decode()


class Articles(html.parser.HTMLParser):
    """What stands in each article, whether it is hidden, and the text of the counter."""

    def __init__(self, text):
        super().__init__()
        self.found, self.counter, self.inside = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "article":
            self.found.append({"rule": attributes["data-rule"], "hidden": "hidden" in attributes, "state": attributes["data-state"],
                               "severity": attributes["data-severity"], "text": ""})
            self.inside = "article"
        elif attributes.get("id") == "shown":
            self.inside = "shown"

    def handle_endtag(self, tag):
        if (tag, self.inside) in (("article", "article"), ("span", "shown")):
            self.inside = None

    def handle_data(self, data):
        if self.inside == "article":
            self.found[-1]["text"] += data
        elif self.inside == "shown":
            self.counter += data


def opened(address, text=page):
    """The page as the browser has it after its scripts ran."""
    file = scratch / "report.html"
    file.write_text(text)
    with tempfile.TemporaryDirectory() as profile:
        run = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={profile}", "--virtual-time-budget=2000", "--dump-dom", file.resolve().as_uri() + address],
            capture_output=True, text=True, timeout=120)
    if "<article" not in run.stdout:
        sys.exit(f"Chromium did not open the report (status {run.returncode}): {run.stderr[-800:]}")
    return Articles(run.stdout)


checks, errors = 0, []


def check(what, is_so):
    global checks
    checks += 1
    if not is_so:
        errors.append(what)


def rules(articles):
    return sorted(a["rule"] for a in articles.found if not a["hidden"])


everything = ["annotation", "annotation", "guarded-by", "guarded-by", "lock-leak", "missing-guard"]
check("the file loads nothing from elsewhere", not re.search(r"(src|href)=\"(?!#|data:)", page))
check("the file names no directory of this machine", str(scratch) not in page)
whole = opened("")
check("everything is shown", rules(whole) == everything and whole.counter == "6 shown")
leak = next(a for a in whole.found if a["rule"] == "lock-leak")
check("the source and its steps are shown in order", re.search(
    r"6.*pthread_mutex_lock.*1\s*locked here.*7.*if \(n < 0\).*2\s*when 'n < 0'.*8.*return -1;.*!\s*'a->mu' is still held", leak["text"], re.S))
check("a step in another file is shown", any("account one.c" in a["text"] and "called from here" in a["text"]
                                             for a in whole.found if "reading" in a["text"]))
check("text is escaped", any("<b>&\"nothing\"</b>" in a["text"] for a in whole.found))
check("states are told", sorted(a["state"] for a in whole.found) == ["known"] + 4 * ["new"] + ["suppressed"])
by_rule = opened("#rule=lock-leak")
check("filtered by rule", rules(by_rule) == ["lock-leak"] and by_rule.counter == "1 of 6 shown")
by_two = opened("#rule=lock-leak&rule=guarded-by&state=new")
check("filtered by two rules and the state", rules(by_two) == ["lock-leak"])
by_text = opened("#text=BALANCE%20reading")
check("filtered by text, in any case, all words", rules(by_text) == ["guarded-by"] and by_text.counter == "1 of 6 shown")
hand = page.replace("</body>", """<script>
const box = document.querySelector("input[value=missing-guard]");
box.click();
search.value = "nine";
search.dispatchEvent(new Event("input", {bubbles: true}));
document.body.dataset.none = document.querySelectorAll("article:not([hidden])").length;
search.value = "written";
search.dispatchEvent(new Event("input", {bubbles: true}));
document.getElementById("shown").title = document.getElementById("shown").textContent + " at " + location.hash;
</script></body>""")
by_hand = opened("", hand)
check("filtered by hand", rules(by_hand) == ["missing-guard"] and by_hand.counter == "1 of 6 shown")
reset = opened("#rule=lock-leak", page.replace("</body>", "<script>document.getElementById('reset').click()</script></body>"))
check("the button shows all again", rules(reset) == everything)

print(f"{checks} checks, {len(errors)} failed")
for error in errors:
    print("not so:", error)
sys.exit(bool(errors))
