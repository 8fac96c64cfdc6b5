"""tconvc tune with candidates that crash, hang, compute something wrong or say nothing: each costs itself and no more.

    tune_faults_test.py TCONVC

A runner in place of a machine makes the faults: it counts its calls, and the n-th one fails in its own way.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support.tconvc import TconvcTest, keras_layer, main

# By the number of the call; the first is the rules' choice. Two of the faulty ones pretend to be very fast.
RUNNER = """#!/bin/sh
n=$(cat count 2>/dev/null || echo 0)
n=$((n + 1))
echo $n > count
[ -n "$4" ] && exec "$@"
fast='{"minimum_ms": 1e-9, "median_ms": 1e-9, "runs": 9, "peak_gflops": 1, "largest_error": 9,'
case $n in
  2) kill -SEGV $$ ;;
  3) sleep 600 & wait ;;
  4) echo "$fast \\"correct\\": false}"; exit 2 ;;
  5) echo 'no figures' ;;
  6) echo 'out of memory' >&2; exit 1 ;;
  7) echo "$fast \\"correct\\": true}"; kill -KILL $$ ;;
esac
exec "$@"
"""

FAULTS = {2: ("crashed", "signal 11"), 3: ("timed_out", "took too long"), 4: ("wrong", "wrong by 9"),
          5: ("failed", "no figures"), 6: ("failed", "out of memory"), 7: ("crashed", "signal 9")}


class Faults(TconvcTest):
    def test_each_fault_costs_one_candidate_and_never_wins(self):
        runner = self.file("runner.sh", RUNNER.replace("no figures' ;;", "no figures'; exit 0 ;;"))
        runner.chmod(0o755)
        layer = self.file("layer.json", keras_layer(filters=16, input_shape=[1, 6, 6, 16]))
        # A clean duel has further calls, so the faults come one after another only while no candidate is near the best:
        # the runner passes duels on, which are the calls with a fourth argument.
        process = self.tconvc("tune", layer, "--no-baselines", "--budget", "70s", "--strategy", "random", "--limit", 12,
                              "--runner", f"{runner} {{}}")
        self.assertEqual(process.returncode, 0, process.stderr)
        log = [json.loads(line) for line in (self.directory / "tune.log").read_text().splitlines()]
        faulty = [record for record in log if record["outcome"] != "measured"]
        self.assertEqual([record["outcome"] for record in faulty], [FAULTS[n][0] for n in sorted(FAULTS)], log)
        for record, (_, message) in zip(faulty, (FAULTS[n] for n in sorted(FAULTS))):
            self.assertIn(message, record["message"])
            self.assertNotIn("becomes_best", record)
            self.assertNotIn("minimum_ms", record)
        self.assertGreater(len(log), 2)
        self.assertEqual(log[0]["outcome"], "measured")
        line = (self.directory / "schedules.txt").read_text()
        self.assertNotIn(" 0.0000 ms", line)
        for record in faulty:
            self.assertNotIn(f": {record['schedule']} #", line)
        self.assertIn(f"{len(faulty)} of them without figures", process.stdout)

    def test_a_first_choice_that_does_not_run_is_an_error(self):
        layer = self.file("layer.json", keras_layer())
        process = self.tconvc("tune", layer, "--no-baselines", "--budget", "5s", "--runner", "false {}")
        self.assertEqual(process.returncode, 1)
        self.assertIn("the rules' own choice", process.stderr)
        self.assertIn("exit code 1", process.stderr)
        self.assertFalse((self.directory / "schedules.txt").exists())


if __name__ == "__main__":
    main()
