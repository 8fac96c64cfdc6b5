"""The table of a run whose figures are known.

    report_test.py TCONVC
"""

import copy
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import support
import report
import shapes

CANNED = pathlib.Path(__file__).resolve().parent / "results.json"


class Report(unittest.TestCase):
    def setUp(self):
        self.results = json.loads(CANNED.read_text())

    def cells(self, layer, results=None):
        header, _, *lines = (line.strip("| ").split(" | ") for line in report.table(results or self.results))
        return dict(zip(header, next(line for line in lines if line[0] == layer)))

    def test_a_row(self):
        row = self.cells("pose_32")
        # 2.147483648 GFLOP in 10 ms, the best peer's 20 ms, under a peak of 250.
        self.assertEqual((row["tconv"], row["torch_cl"], row["ort"], row["ncnn"]), ("214.7", "107.4", "53.7", "-"))
        self.assertEqual((row["best peer"], row["tconv / best"]), ("torch_cl", "2.00"))
        self.assertEqual((row["limit"], row["tconv of limit"]), ("250", "86 %"))

    def test_tconv_itself_is_no_peer(self):
        row = self.cells("dcgan_rgb")
        self.assertEqual((row["best peer"], row["tconv / best"], row["tconv_general / best"]), ("ort", "0.50", "0.25"))

    def test_geometric_means(self):
        row = self.cells("geometric mean")
        self.assertEqual(row["tconv / best"], "1.00")
        self.assertEqual(row["tconv_general / best"], "0.50")

    def test_every_line_has_as_many_cells(self):
        self.assertEqual(len({line.count("|") for line in report.table(self.results)}), 1)

    def test_every_dash_has_its_reason(self):
        text = report.text(self.results)
        self.assertIn("- ncnn, pose_32: its process ended with code -11", text)

    def test_the_layers_that_are_slower_are_named(self):
        self.assertIn("slower on dcgan_rgb (0.50).", report.text(self.results))

    def test_threads_that_were_not_heeded(self):
        self.assertNotIn("processors busy", report.text(self.results))
        results = copy.deepcopy(self.results)
        results["rows"][0]["peers"]["ort"]["rounds"][0]["processors"] = 1.9
        self.assertIn("ort kept 1.9 processors busy with 1 thread", report.text(results))

    def test_without_any_peer_there_is_no_ratio(self):
        results = copy.deepcopy(self.results)
        for row in results["rows"]:
            for name in ("ort", "ncnn", "torch_cl"):
                row["peers"][name] = {"refused": "not installed"}
        self.assertEqual(self.cells("pose_32", results)["tconv / best"], "-")
        self.assertIn("ort, pose_32, dcgan_rgb: not installed", report.text(results))

    def test_by_its_own_command(self):
        with tempfile.TemporaryDirectory() as directory:
            shutil.copy(CANNED, directory)
            process = subprocess.run([sys.executable, support.BENCH / "report.py", directory], capture_output=True,
                                     text=True)
            self.assertEqual(process.returncode, 0, process.stderr)
            table = (pathlib.Path(directory) / "table.md").read_text()
        self.assertEqual(table, report.text(self.results))


if __name__ == "__main__":
    support.main()
