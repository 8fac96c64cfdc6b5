"""Fails when a snippet of the README is not, word for word, in the example that the comment above it names.

    readme_snippets.py REPOSITORY
"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
readme = (root / "README.md").read_text()
blocks = re.findall(r"(?:<!-- (\S+) -->\n)?```\w+\n(.*?)```", readme, re.DOTALL)
wrong = [name or f"no comment names the file of: {text}" for name, text in blocks
         if not name or text not in (root / name).read_text()]
for one in wrong:
    print(f"README.md: a snippet is not in {one}", file=sys.stderr)
print(f"{len(blocks)} snippets, {len(wrong)} wrong")
sys.exit(1 if wrong or not blocks else 0)
