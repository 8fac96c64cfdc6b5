"""A run with tconv alone, in both layouts; a peer that is not installed; an output that is wrong; wrong arguments. What
the runs time is not looked at.

    run_test.py TCONVC
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import support

LINES = "odd 3 2 4x5x6 8 12 3x1x2 2x1x3 1x0x0 1x0x2 1 4\nline 1 1 9 4 6 4 2 1 0\nholes 2 1 5 4 4 3 2 1 1 2\n"


class Run(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        (self.directory / "lines.txt").write_text(LINES)

    def run_bench(self, *arguments, bench=support.BENCH):
        return subprocess.run([sys.executable, bench / "run.py", "--tconvc", support.TCONVC, "--seconds", "0.001", "-o",
                               self.directory / "out", *arguments], capture_output=True, text=True,
                              env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"})

    def results(self):
        return json.loads((self.directory / "out/results.json").read_text())

    def test_tconv_alone_in_both_layouts(self):
        for layout in ("channels_last", "channels_first"):
            process = self.run_bench(self.directory / "lines.txt", "--peers", "tconv,tconv_general", "--layout", layout)
            self.assertEqual(process.returncode, 0, process.stderr)
            results = self.results()
            self.assertEqual([row["shape"]["name"] for row in results["rows"]], ["odd", "line", "holes"])
            for row in results["rows"]:
                for name, peer in row["peers"].items():
                    self.assertNotIn("refused", peer, name)
                    self.assertLess(peer["difference"], 1e-5)
                    self.assertEqual(len(peer["rounds"]), 5)
                    self.assertEqual(peer["overhead_ms"], 0)
            self.assertGreater(results["machine"]["peak_gflops"]["1"], 1)

    def test_a_peer_that_is_not_installed_is_reported(self):
        process = self.run_bench(self.directory / "lines.txt", "--peers", "tconv,ncnn")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("No module named 'ncnn'", self.results()["unusable"]["ncnn"])
        self.assertIn("- ncnn, odd, line, holes: ModuleNotFoundError", (self.directory / "out/table.md").read_text())

    def test_a_wrong_output_is_an_error_that_names_it(self):
        copy = self.directory / "bench"
        (copy / "peers").mkdir(parents=True)
        for path in [*support.BENCH.glob("*.*"), *support.BENCH.glob("peers/*.py")]:
            (copy / path.relative_to(support.BENCH)).write_bytes(path.read_bytes())
        # A peer whose second output is one too large.
        (copy / "peers/pytorch.py").write_text(
            "import check\nfrom peers import Variant\n\ndef make(name, settings):\n    return Peer()\n\n"
            "class Peer:\n    version = 'made up'\n    def prepare(self, shape, input, kernel):\n"
            "        y = check.reference(shape, input, kernel)\n        y.flat[1:2] += 1\n"
            "        yield Variant('one', lambda: None, lambda: y)\n")
        process = self.run_bench(self.directory / "lines.txt", "--peers", "tconv,torch", bench=copy)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(process.stderr, r"bench: line: torch's output differs by 0\.\d+ of .*--peers")
        peers = self.results()["rows"][1]["peers"]
        self.assertIn("differs", peers["torch"]["refused"])
        self.assertNotIn("refused", peers["tconv"])

    def test_wrong_arguments(self):
        for arguments, words in ((["--peers", "tensorrt"], "tensorrt: not one of tconv"), (["nowhere"], "'nowhere'"),
                                 (["--threads", "0"], "--threads 0"), (["--layout", "blocked"], "blocked"),
                                 (["--seconds", "-1"], "--seconds")):
            process = self.run_bench(*arguments)
            self.assertNotEqual(process.returncode, 0)
            self.assertIn(words, process.stderr)


if __name__ == "__main__":
    support.main()
