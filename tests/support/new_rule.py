# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Make the three files of a new rule: source, test and page. Nothing else has to be edited. Stands on the file names.

usage: new_rule.py ID "what it reports, in one line"
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPDX = "/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */\n"

if len(sys.argv) != 3 or not re.fullmatch(r"[a-z]+(-[a-z]+)*", sys.argv[1]):
    sys.exit(__doc__)
rule, summary = sys.argv[1:3]
check = "check_" + rule.replace("-", "_")

FILES = {
    f"analyzer/rules/{rule}.c": SPDX + f'''/* {rule}: {summary}.
 *
 * Looks at      say which facts of program/ it reads.
 * Stays silent  say when.
 * Cannot see    say what. */
#include "rules/rule.h"

static void {check}(const struct program *prog, struct report *out)
{{
    (void)prog;
    (void)out;
}}

AGLET_RULE("{rule}", "{summary}", {check}, "")
''',
    f"tests/rules/{rule}.c": SPDX + f'''/* {rule}: what it reports and what it leaves alone. Stands on the annotations.
 * Each silent case says why: `// no diagnostic: because`. */
#include <aglet/annotations.h>

int wrong(void);
int wrong(void) {{
    return 0; // expected-warning {{{{[aglet-{rule}]}}}}
}}
''',
    f"docs/rules/{rule}.md": f'''# {rule}

{summary[0].upper() + summary[1:]}.

## Flagged

```c
```

## Fixed

```c
```

## Why

## How to suppress

A comment `// aglet-ignore({rule}): why` on the line or the one before.

## Known problems
''',
}

there = [name for name in FILES if (ROOT / name).exists()]
if there:
    sys.exit(f"there already: {', '.join(there)}")
for name, text in FILES.items():
    (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
    (ROOT / name).write_text(text)
    print(name)
