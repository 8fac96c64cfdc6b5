"""A part of one framework's golden cases through `tconvc run`, which compiles a kernel for each: every dialect's JSON
and kernel layout on the way that a user goes.

    specialised_test.py TCONVC FRAMEWORK
"""

import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.arrays import Golden, differences, read_npy

CASES = 5


def failure_of(tconvc, golden, case):
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        command = [tconvc, "run", *golden.write(case, directory), "--output", directory / "output.npy"]
        process = subprocess.run(command, capture_output=True, text=True)
        if process.returncode != 0:
            return process.stderr.strip()
        return differences(read_npy(directory / "output.npy"), golden.array(case, "output"))


def main():
    tconvc, framework = sys.argv[1:]
    golden = Golden(framework)
    step = len(golden.cases) // CASES
    chosen = golden.cases[step // 2::step]
    failures = 0
    for case in chosen:
        failure = failure_of(tconvc, golden, case)
        if failure:
            print(f"{case['name']}: {failure}", file=sys.stderr)
            failures += 1
    print(f"{len(chosen)} of {len(golden.cases)} cases, {failures} wrong")
    sys.exit(failures > 0 or len(chosen) < CASES)


if __name__ == "__main__":
    main()
