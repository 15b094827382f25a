# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Validate the SARIF output against the published schema of SARIF 2.1.0, and look at what the schema does not ask.
Usage: check_sarif.py REPORT_SAMPLE SCRATCH. The schema comes from the npm package @microsoft/jest-sarif, the validator is
ajv; they are fetched once into SCRATCH. Exit status 77 when npm cannot.
"""
import json
import shutil
import subprocess
import sys
from pathlib import Path

sample, scratch = sys.argv[1], Path(sys.argv[2], "sarif")
modules = scratch / "npm/node_modules"
schema = modules / "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
scratch.mkdir(parents=True, exist_ok=True)
if not (schema.exists() and (modules / "ajv").exists()):
    if not shutil.which("npm"):
        print("skipped: no npm here, which brings the schema and its validator")
        sys.exit(77)
    (scratch / "npm").mkdir(exist_ok=True)
    got = subprocess.run(["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", scratch / "npm",
                          "@microsoft/jest-sarif@1.0.0-beta.0", "ajv@6.12.6"], capture_output=True, text=True, timeout=200)
    if got.returncode or not schema.exists():
        print("skipped: npm could not bring the schema:", got.stderr.strip()[-300:])
        sys.exit(77)

validator = scratch / "validate.js"
validator.write_text("""
const fs = require("fs"), Ajv = require("ajv");
const ajv = new Ajv({schemaId: "auto", allErrors: true, format: "full", unknownFormats: "ignore"});
const schema = JSON.parse(fs.readFileSync(process.argv[2]));
if (/draft-04/.test(schema.$schema)) ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-04.json"));
const validate = ajv.compile(schema);
let bad = 0;
for (const file of process.argv.slice(3))
  if (!validate(JSON.parse(fs.readFileSync(file)))) {
    bad = 1;
    for (const e of validate.errors) console.log(file + ": " + e.dataPath + " " + e.message);
  }
process.exit(bad);
""")


def valid(*files):
    run = subprocess.run(["node", validator, schema, *files], capture_output=True, text=True, timeout=100,
                         env={"NODE_PATH": str(modules), "PATH": "/usr/local/bin:/usr/bin:/bin"})
    return run.returncode == 0, run.stdout + run.stderr


sources = scratch / "sources"
sources.mkdir(exist_ok=True)
plain, with_baseline, broken = scratch / "plain.sarif", scratch / "baseline.sarif", scratch / "broken.sarif"
plain.write_bytes(subprocess.run([sample, "sarif", sources], check=True, capture_output=True).stdout)
with_baseline.write_bytes(subprocess.run([sample, "sarif", sources, scratch / "baseline"], check=True, capture_output=True).stdout)

checks, errors = 0, []


def check(what, is_so):
    global checks
    checks += 1
    if not is_so:
        errors.append(what)


good, said = valid(plain, with_baseline)
check(f"valid by the schema: {said}", good)
log = json.loads(with_baseline.read_text())
run = log["runs"][0]
results = run["results"]
check("six results", len(results) == 6)
check("paths are relative to the repository and percent-encoded", {
    location["physicalLocation"]["artifactLocation"]["uri"] for r in results for location in r["locations"]} == {"account%20one.c", "balance.c"})
check("no directory of this machine", str(scratch) not in with_baseline.read_text())
check("every result has a fingerprint, each its own", len({r["partialFingerprints"]["aglet/v1"] for r in results}) == 6)
check("baseline states", sorted(r["baselineState"] for r in results) == 5 * ["new"] + ["unchanged"])
check("no baseline states without a baseline", all("baselineState" not in r for r in json.loads(plain.read_text())["runs"][0]["results"]))
check("the suppression and its reason", [r["suppressions"][0]["justification"] for r in results if "suppressions" in r] == [
    "only one thread runs yet; caf\u00e9 \ufffd"])
rules = {rule["id"]: rule["properties"]["tags"] for rule in run["tool"]["driver"]["rules"]}
check("tags of the rules", "external/cwe/cwe-667" in rules["guarded-by"] and "CERT-CON43-C" in rules["guarded-by"] and "MISRA-D4.13" in rules["lock-leak"])
check("rule indexes", all(run["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] == r["ruleId"] for r in results if "ruleIndex" in r))
leak = next(r for r in results if r["ruleId"] == "lock-leak")
check("the story", [step["location"]["message"]["text"] for step in leak["codeFlows"][0]["threadFlows"][0]["locations"]][:2] == ["locked here", "when 'n < 0'"])
check("columns count code points", leak["relatedLocations"][0]["physicalLocation"]["region"]["endColumn"] == 35)

del log["runs"][0]["tool"]
broken.write_text(json.dumps(log))
check("the validator can fail", not valid(broken)[0])

print(f"{checks} checks, {len(errors)} failed")
for error in errors:
    print("not so:", error)
sys.exit(bool(errors))
