"""Fails where a row of the table of documented names has no test, or its test does not use the row's C++ name.

    api_table.py REPOSITORY BUILD_DIRECTORY CTEST
"""

import json
import pathlib
import re
import subprocess
import sys

root, build, ctest = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
rows = [[cell.strip() for cell in line.strip("|\n").split("|")]
        for line in (root / "docs/keras_api.md").read_text().splitlines()
        if line.startswith("| ") and not line.startswith("| Name ")]

# The tests that ctest runs, named "<label>.<Suite>.<Test>".
listing = json.loads(subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], capture_output=True,
                                    check=True, text=True).stdout)
registered = {test["name"].split(".", 1)[1] for test in listing["tests"] if "." in test["name"]}

headers = "".join(path.read_text() for path in sorted((root / "include/tconv").glob("*.h")))
bodies = {}
for path in sorted((root / "tests").rglob("*.cpp")):
    for suite, name, body in re.findall(r"^TEST\((\w+), (\w+)\) \{\n(.*?)^\}", path.read_text(), re.M | re.S):
        bodies[f"{suite}.{name}"] = body

# A call operator is used without its name.
SPELLED = {"operator()": r"\w\(x\)"}


def problem(row):
    if len(row) != 4:
        return f"has {len(row)} cells"
    cpp, test = row[2].strip("`"), row[3].strip("`")
    identifier = cpp.lstrip(".")
    if not re.search(rf"(?<!\w){re.escape(identifier)}(?!\w)", headers):
        return f"no header has {cpp}"
    if test not in registered:
        return f"test {test} does not run"
    used = SPELLED.get(cpp, rf"(?<!\w){re.escape(identifier)}(?!\w)")
    if not re.search(used, bodies.get(test, "")):
        return f"test {test} does not use {cpp}"
    return None


wrong = [(row[0], problem(row)) for row in rows if problem(row)]
for name, why in wrong:
    print(f"docs/keras_api.md: {name}: {why}", file=sys.stderr)
print(f"{len(rows)} names, {len(wrong)} without their test")
sys.exit(1 if wrong or not rows else 0)
