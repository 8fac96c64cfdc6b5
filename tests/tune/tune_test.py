"""tconvc tune: what it searches, keeps and prints; and the schedules that compile, run, bench and explain take.

    tune_test.py TCONVC
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import support.tconvc as support
from support.tconvc import TconvcTest, keras_layer, main

QEMU = shutil.which("qemu-aarch64")
CROSS = shutil.which("aarch64-linux-gnu-gcc")


class Tune(TconvcTest):
    def layer(self, name="layer.json", **changes):
        return self.file(name, keras_layer(**changes))

    def tune(self, *arguments):
        process = self.tconvc("tune", "--no-baselines", *arguments)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process.stdout

    def log(self, name="tune.log"):
        return [json.loads(line) for line in (self.directory / name).read_text().splitlines()]

    def database(self, name="schedules.txt"):
        return (self.directory / name).read_text().splitlines()

    def test_a_search_leaves_a_log_and_a_record_that_other_verbs_use(self):
        layer = self.layer(filters=24, input_shape=[1, 9, 9, 8])
        text = self.tune(layer, "--budget", "12s")
        log = self.log()
        self.assertGreaterEqual(len(log), 2)
        self.assertEqual([record["strategy"] for record in log[:2]], ["start", "model"])
        self.assertEqual({record["outcome"] for record in log}, {"measured"}, log)
        self.assertEqual(len({record["schedule"] for record in log}), len(log))
        self.assertTrue(log[0]["becomes_best"])
        self.assertEqual(log[0]["flop"], 2 * 9 * 9 * 8 * 16 * 24)
        line, = self.database()
        # The last that took the lead, or the first choice where that wins the last duel.
        leaders = [record for record in log if record.get("becomes_best")]
        best = leaders[-1] if f" : {leaders[-1]['schedule']} # " in line else leaders[0]
        self.assertIn(best["schedule"], text)
        self.assertRegex(text, r"(?m)^rules .*\n^model .*\n\d+ candidates, 0 of them without figures; ended because")

        self.assertTrue(line.startswith(f"{best['layer']} | {best['target']} | {best['processor']} : "
                                        f"{best['schedule']} # {best['minimum_ms']:.4f} ms, "), line)
        self.assertRegex(line, r"1 thread, \d\.\d\d times the rules' choice; tconv .*, Halide .*; \d{4}-\d\d-\d\d$")

        explained = self.succeeds("explain", layer, "--db", "schedules.txt")
        self.assertIn(f"  {best['schedule']}\n", explained)
        self.assertIn("from the database schedules.txt, this layer's record", explained)
        self.assertIn("from the rules", self.succeeds("explain", layer))
        self.succeeds("compile", layer, "--db", "schedules.txt", "--target", "host", "-o", "out")
        self.succeeds("bench", layer, "--db", "schedules.txt", "--seconds", 0.01)

        # A near layer takes the record, which holds that layer's own choice here: what a search finds may be what the
        # cost model expects to be slower there.
        near = self.layer("near.json", filters=24, input_shape=[1, 10, 9, 8])
        rules, = re.findall(r"(?m)^  (\w+ panel=.*)$", self.succeeds("explain", near))
        self.file("near.txt", line.replace(best["schedule"], rules) + "\n")
        self.assertIn("from the database near.txt, nearest sizes of this family (0.2 octaves away)",
                      self.succeeds("explain", near, "--db", "near.txt"))

    def signal_after_three_records(self, which, *layers):
        command = [support.TCONVC, "tune", *map(str, layers), "--no-baselines", "--budget", "100s"]
        environment = {**os.environ, "TMPDIR": str(self.directory / "temporary")}
        (self.directory / "temporary").mkdir()
        process = subprocess.Popen(command, cwd=self.directory, env=environment, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        log = self.directory / "tune.log"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and (not log.exists() or log.read_text().count("\n") < 3):
            time.sleep(0.05)
        process.send_signal(which)
        output, errors = process.communicate()
        return process.returncode, output, errors

    def test_an_interrupted_search_keeps_what_it_found(self):
        layers = [self.layer(f"{c}.json", filters=c, input_shape=[1, 8, 8, 16]) for c in (16, 24)]
        code, output, errors = self.signal_after_three_records(signal.SIGINT, *layers)
        self.assertNotEqual(code, 0)
        self.assertIn("ended because it was interrupted", output)
        self.assertIn(f"interrupted before {layers[1]} was tuned", errors)
        self.assertTrue(all(record["outcome"] == "measured" for record in self.log()))
        self.assertEqual(len(self.database()), 1)
        self.assertEqual(list((self.directory / "temporary").iterdir()), [])

    def test_a_killed_search_goes_on_where_it_was(self):
        layer = self.layer(filters=16, input_shape=[1, 8, 8, 16])
        self.signal_after_three_records(signal.SIGKILL, layer)
        log = self.directory / "tune.log"
        before = log.read_text()
        self.assertGreaterEqual(before.count("\n"), 3)
        self.assertFalse((self.directory / "schedules.txt").exists())
        whole = before[:before.rindex("\n") + 1]
        log.write_text(whole + '{"layer": "conv')

        spent = sum(record["seconds"] for record in map(json.loads, whole.splitlines()))
        text = self.tune(layer, "--budget", f"{spent + 8:.0f}s")
        self.assertIn(f"going on after {whole.count(chr(10))} records of tune.log", text)
        after = log.read_text()
        self.assertTrue(after.startswith(whole), "records were lost or changed")
        records = self.log()
        self.assertGreater(len(records), whole.count("\n"))
        self.assertEqual(len({record["schedule"] for record in records}), len(records), "something was repeated")
        self.assertEqual(sum(record["strategy"] == "start" for record in records), 1)
        self.assertEqual(len(self.database()), 1)

        # All is spent: nothing more is measured, and the result is the same.
        self.tune(layer, "--budget", "1s")
        self.assertEqual(len(self.log()), len(records))

    def test_two_searches_share_a_database(self):
        layers = [self.layer(f"{c}.json", filters=c, input_shape=[1, 6, 6, 8]) for c in (8, 16)]
        processes = [subprocess.Popen([support.TCONVC, "tune", str(layer), "--no-baselines", "--budget", "6s", "--log",
                                       f"{layer.stem}.log"], cwd=self.directory, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, text=True) for layer in layers]
        for process in processes:
            _, errors = process.communicate()
            self.assertEqual(process.returncode, 0, errors)
        lines = self.database()
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines, sorted(lines))

    def test_random_search_and_threads(self):
        layer = self.layer(rank=3, filters=8, input_shape=[1, 4, 5, 6, 8], data_format="channels_first",
                           activation="gelu")
        layer.write_text(layer.read_text().replace("[1, 4, 5, 6, 8]", "[1, 8, 4, 5, 6]"))
        self.tune(layer, "--budget", "12s", "--strategy", "random", "--threads", 2, "--jobs", 2)
        log = self.log()
        self.assertGreaterEqual(len(log), 3)
        self.assertEqual({record["threads"] for record in log}, {2})
        self.assertEqual({record["strategy"] for record in log}, {"start", "random"})
        self.assertEqual({record["outcome"] for record in log}, {"measured"}, log)

    def test_code_size_is_an_objective(self):
        layer = self.layer(filters=16, input_shape=[1, 12, 12, 16])
        self.tune(layer, "--budget", "15s", "--strategy", "random")
        sizes = sorted(record["code_bytes"] for record in self.log())
        self.assertLess(sizes[0], sizes[-1])
        most = (sizes[0] + sizes[-1]) / 2 / 1024
        self.tune(layer, "--budget", "15s", "--strategy", "random", "--log", "small.log", "--db", "small.txt",
                  "--max-code-kb", most)
        line = self.database("small.txt")[0]
        best = next(record for record in self.log("small.log") if f" : {record['schedule']} # " in line)
        self.assertLessEqual(best["code_bytes"], most * 1024)
        self.assertTrue(best["becomes_best"])
        process = self.tconvc("tune", "--no-baselines", layer, "--budget", "3s", "--log", "none.log", "--db", "none.txt",
                              "--max-code-kb", 0.5)
        self.assertEqual(process.returncode, 1)
        self.assertIn("no schedule with at most 0.5 KB of code was found", process.stderr)
        self.assertFalse((self.directory / "none.txt").exists())

    def test_autoschedulers_are_measured_beside(self):
        layer = self.layer(filters=8, input_shape=[1, 6, 6, 8])
        process = self.tconvc("tune", layer, "--budget", "3s")
        self.assertEqual(process.returncode, 0, process.stderr)
        for name in ("adams2019", "li2018", "mullapudi2016"):
            self.assertRegex(process.stdout, rf"(?m)^{name} +\d")
            record, = (r for r in self.log() if r["strategy"] == name)
            self.assertEqual(record["outcome"], "measured", record)
            self.assertIn(f"autoscheduler={name}", record["schedule"])
        self.assertNotIn("autoscheduler", self.database()[0])

    @unittest.skipUnless(QEMU and CROSS, "missing: apt install qemu-user gcc-aarch64-linux-gnu")
    def test_arm_under_an_emulator(self):
        layer = self.layer(filters=8, input_shape=[1, 5, 5, 8])
        self.tune(layer, "--budget", "10s", "--target", "arm-64-linux", "--runner", f"{QEMU} {{}}")
        log = self.log()
        self.assertGreaterEqual(len(log), 2)
        self.assertEqual({record["outcome"] for record in log}, {"measured"}, log)
        self.assertIn("| arm-64-linux", self.database()[0])
        # Without --runner it finds the emulator by itself.
        self.tune(layer, "--budget", "2s", "--target", "arm-64-linux", "--log", "own.log")
        self.assertEqual(self.log("own.log")[0]["outcome"], "measured")

    def test_a_given_schedule(self):
        layer = self.layer(filters=16, input_shape=[1, 8, 8, 16])
        schedule = "direct panel=16 columns=16 lanes=8 tile=1x2x3 unroll=2 block=65536"
        target = ("--target", "x86-64-linux-avx2-fma-f16c")
        explained = self.succeeds("explain", layer, "--schedule", schedule, *target)
        self.assertIn(f"  {schedule}\n", explained)
        self.assertIn("schedule: given", explained)
        self.succeeds("compile", layer, "--schedule", schedule, *target, "--emit", "program", "-o", "out")
        program = self.directory / "out/up_program"
        self.assertEqual(self.listing_of("out"), ["up_program"])
        process = subprocess.run([program, "2", "0.01"], capture_output=True, text=True)
        self.assertEqual(process.returncode, 0, process.stderr)
        figures = json.loads(process.stdout)
        self.assertTrue(figures["correct"])
        self.assertEqual(figures["threads"], 2)
        self.assertGreater(figures["code_bytes"], 0)
        self.assertGreaterEqual(figures["median_ms"], figures["minimum_ms"])

    def listing_of(self, name):
        return sorted(path.name for path in (self.directory / name).iterdir())

    def test_what_is_refused(self):
        layer = self.layer(filters=16, input_shape=[1, 8, 8, 16])
        self.fails("no field 'speed'", "compile", layer, "--schedule", "direct speed=9", "--target", "host", "-o", "out")
        self.fails("panel=99", "explain", layer, "--schedule", "direct panel=99 columns=99 lanes=1 block=65536")
        self.file("bad.txt", "nonsense\n")
        for verb in ("tune", "explain", "bench"):
            self.fails(r"bad\.txt:1: ", verb, layer, "--db", "bad.txt")
        self.fails("none.txt", "explain", layer, "--db", "none.txt")
        self.fails("has no {}", "tune", layer, "--runner", "ssh host")
        self.fails("does not search for CUDA", "tune", layer, "--target", "x86-64-linux-cuda-cuda_capability_80")
        open_layer = self.file("open.json", keras_layer(input_shape=[1, None, 5, 4]))
        self.fails("every spatial size", "tune", open_layer)
        self.fails("every spatial size", "compile", open_layer, "--emit", "program", "--target", "host", "-o", "out")
        self.file("tune.log", "{}\n")
        self.fails(r"tune\.log:1: ", "tune", layer)


if __name__ == "__main__":
    main()
