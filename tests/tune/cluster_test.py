"""Candidates of `tconvc tune` on a Dask cluster: a scheduler and workers of this machine, some of which are killed.

cluster_run.py is also called by itself, with shell scripts for programs: they end in ways that kernels seldom do."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import tconvc  # noqa: E402

CLUSTER_RUN = ROOT / "generators" / "tune" / "cluster_run.py"
NO_CLUSTER, TIMED_OUT, MISUSED = 75, 124, 64
LAYER = tconvc.keras_layer()

# One death under a program is forgiven, two are not: fewer than a user's three, so that the tests need fewer workers.
ENVIRONMENT = os.environ | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}


def wait_until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.005)
    return found


def processes():
    return [int(path.name) for path in pathlib.Path("/proc").iterdir() if path.name.isdigit()]


class Cluster:
    """A scheduler and workers, each in a process group and a directory of its own."""

    def __init__(self, workers, threads=1):
        self.place = tempfile.TemporaryDirectory()
        self.directory = pathlib.Path(self.place.name)
        self.processes = []
        described = self.directory / "scheduler.json"
        self.scheduler = self.start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", described)
        wait_until("a scheduler", lambda: described.exists() and described.read_text().endswith("}"))
        self.address = json.loads(described.read_text())["address"]
        self.directories = [self.directory / f"worker{number}" for number in range(workers)]
        self.workers = [self.start("worker", self.address, "--nthreads", threads, "--no-dashboard",
                                   "--local-directory", directory) for directory in self.directories]
        for directory in self.directories:
            wait_until("a worker", lambda: list(directory.glob("dask-scratch-space/worker-*/")))

    def start(self, role, *arguments):
        log = open(self.directory / f"{role}{len(self.processes)}.log", "w")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", role, "--host", "127.0.0.1", *map(str, arguments)], stdout=log,
                stderr=log, env=ENVIRONMENT, cwd=self.directory, start_new_session=True)
        self.processes.append(process)
        return process

    def programs(self, number):
        """The files that a worker keeps."""
        return [path for path in self.directories[number].glob("dask-scratch-space/*/tconv-programs/*")
                if path.suffix != ".lock"]

    def running(self, number):
        """The program that a worker is measuring for a candidate: without the 0 of a run in turn with another."""
        for process in processes():
            try:
                command = pathlib.Path(f"/proc/{process}/cmdline").read_bytes().decode().split("\0")[:-1]
            except OSError:
                continue
            if len(command) == 3 and command[0].startswith(str(self.directories[number])):
                return process
        return None

    def kill(self, process):
        """As a machine that loses power: all at once, and nothing is tidied up."""
        self.processes.remove(process)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()

    def stop(self):
        for process in list(self.processes):
            self.kill(process)
        self.place.cleanup()


def command(cluster_or_address, *arguments):
    address = getattr(cluster_or_address, "address", cluster_or_address)
    return [sys.executable, str(CLUSTER_RUN), str(address), *map(str, arguments)]


class Direct(tconvc.TconvcTest):
    def script(self, text, name="script"):
        path = self.file(name, f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def ends(self, code, *arguments, cluster=None, seconds=60):
        process = subprocess.run(command(cluster or self.cluster, *arguments), capture_output=True, text=True,
                                 timeout=seconds)
        self.assertEqual(process.returncode, code, process.stderr)
        return process

    def one_line(self, code, pattern, *arguments, **options):
        process = self.ends(code, *arguments, **options)
        self.assertEqual(process.stdout, "")
        self.assertRegex(process.stderr, f"\\Acluster_run: .*{pattern}.*\n\\Z")


class OneWorker(Direct):
    """It would run four at a time, and its nanny starts it anew when it was killed."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(workers=1, threads=4)
        cls.addClassCleanup(cls.cluster.stop)

    def test_passes_on_output_errors_arguments_and_the_exit_code(self):
        process = self.ends(3, self.script('echo "out $*"; echo problem >&2; exit 3'), 2, 0.5)
        self.assertEqual((process.stdout, process.stderr), ("out 2 0.5\n", "problem\n"))
        process = self.ends(0, self.script('echo "$*"'), 1, 0.25, 0)
        self.assertEqual((process.stdout, process.stderr), ("1 0.25 0\n", ""))

    def test_a_program_that_a_signal_ended_has_128_and_the_signal(self):
        self.ends(128 + signal.SIGSEGV, self.script("kill -SEGV $$"), 1, 0.1)

    def test_a_file_that_is_no_program_of_this_machine_is_an_error(self):
        process = self.ends(126, self.file("noise", b"\x7fELF and no more"), 1, 0.1)
        self.assertRegex(process.stderr, r"\Acannot run the program: [^\n]+\n\Z")

    def test_a_hang_is_cut_off_with_all_that_it_started(self):
        process = self.ends(TIMED_OUT, "--limit", 1, self.script("echo begun; sleep 1234.5 & sleep 1234.5"), 1, 0.1)
        self.assertEqual(process.stdout, "begun\n")
        self.assertEqual(process.stderr, "cluster_run: took longer than 1 s\n")
        self.assertFalse([p for p in processes() if self.sleeps(p)])

    @staticmethod
    def sleeps(process):
        try:
            return b"1234.5" in pathlib.Path(f"/proc/{process}/cmdline").read_bytes()
        except OSError:
            return False

    def test_a_worker_measures_one_at_a_time_whatever_its_threads(self):
        times = self.directory / "times"
        # The text differs so that they are two programs.
        scripts = [self.script(f"echo begin >>{times}; sleep 0.7; echo end >>{times} # {i}", f"s{i}") for i in range(3)]
        started = [subprocess.Popen(command(self.cluster, script, 1, 0.1)) for script in scripts]
        self.assertEqual([process.wait(60) for process in started], [0, 0, 0])
        self.assertEqual(times.read_text().split(), ["begin", "end"] * 3)

    def test_a_program_whose_worker_is_killed_runs_again_and_does_not_outlive_it(self):
        starts = self.directory / "starts"
        script = self.script(f"echo $$ $PPID >>{starts}; [ $(wc -l <{starts}) -gt 1 ] && exit 5; exec sleep 100")
        process = subprocess.Popen(command(self.cluster, script, 1, 0.1))
        program, worker = map(int, wait_until("the program", lambda: starts.exists() and starts.read_text()).split())
        os.kill(worker, signal.SIGKILL)
        self.assertEqual(process.wait(60), 5)
        self.assertEqual(len(starts.read_text().splitlines()), 2)
        wait_until("the end of the program that lost its worker", lambda: program not in processes(), 5)

    def test_a_program_that_kills_each_worker_is_given_up(self):
        self.one_line(NO_CLUSTER, "2 workers died under the program", self.script("kill -KILL $PPID; sleep 9"), 1, 0.1)

    def test_few_programs_stay_on_a_worker_and_no_other_files(self):
        for i in range(6):
            self.ends(0, self.script(f"touch left-behind-{i}"), 1, 0.1)
        kept = self.cluster.programs(0)
        self.assertTrue(all(path.is_file() for path in kept), kept)
        self.assertEqual(len(kept), 4)
        self.assertEqual(list(self.cluster.directories[0].glob("**/left-behind-*")), [])

    def timed(self, name, median):
        line = json.dumps({"minimum_ms": median / 2, "median_ms": median})
        return self.script(f"echo {name} $* >>{self.directory}/order; echo '{line}'", name)

    def duel(self, rounds, incumbent, challenger, *options):
        process = self.ends(0, *options, "--duel", rounds, incumbent, challenger, 2, 0.05)
        self.assertEqual(process.stderr, "")
        self.assertEqual(process.stdout.count("\n"), 1)
        return json.loads(process.stdout)

    def test_a_duel_runs_both_in_turn_without_checks(self):
        self.assertEqual(self.duel(5, self.timed("old", 4), self.timed("new", 3)),
                         {"incumbent": [[2, 4]] * 5, "challenger": [[1.5, 3]] * 5})
        expected = "old new new old old new new old old new".split()
        self.assertEqual((self.directory / "order").read_text(), "".join(f"{name} 2 0.05 0\n" for name in expected))

    def test_a_duel_ends_early_when_the_challenger_has_lost(self):
        self.assertEqual(self.duel(9, self.timed("old", 3), self.timed("new", 4)),
                         {"incumbent": [[1.5, 3]] * 3, "challenger": [[2, 4]] * 3})

    def test_a_duel_ends_with_the_first_run_that_fails(self):
        old = self.timed("old", 3)
        process = self.ends(7, "--duel", 9, old, self.script("echo problem >&2; exit 7", "bad"), 1, 0.1)
        self.assertEqual((process.stdout, process.stderr), ("", "problem\n"))
        process = self.ends(1, "--duel", 9, old, self.script("echo {}", "mute"), 1, 0.1)
        self.assertEqual((process.stdout, process.stderr), ("", "the program printed no figures\n"))
        self.ends(TIMED_OUT, "--limit", 1, "--duel", 9, old, self.script("sleep 100", "slow"), 1, 0.1)
        self.assertEqual((self.directory / "order").read_text().count("old"), 3)

    def test_an_incumbent_that_is_there_is_not_written_again(self):
        old, new = self.timed("old", 4), self.timed("new", 3)
        self.duel(3, old, new)
        before = {path.name: path.stat().st_ino for path in self.cluster.programs(0)}
        self.duel(3, old, new)
        self.assertEqual({path.name: path.stat().st_ino for path in self.cluster.programs(0)}, before)

    def test_calls_that_make_no_sense_are_told_in_one_line(self):
        script = self.script("exit 0")
        self.one_line(MISUSED, "PROGRAM THREADS SECONDS", script, 1)
        self.one_line(MISUSED, "INCUMBENT CHALLENGER THREADS SECONDS", "--duel", 3, script, 1, 0.1)
        self.one_line(MISUSED, "cannot read the program .*absent: No such file", self.directory / "absent", 1, 0.1)


class NoCluster(Direct):
    def test_no_scheduler(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:  # takes connections and says nothing
            for address in (f"tcp://127.0.0.1:{mute.getsockname()[1]}", "tcp://127.0.0.1:1", "nonsense"):
                self.one_line(NO_CLUSTER, f"no scheduler at {address}", "--wait", 2, self.script("exit 0"), 1, 0.1,
                              cluster=address, seconds=20)

    def test_no_workers(self):
        cluster = Cluster(workers=0)
        self.addCleanup(cluster.stop)
        self.one_line(NO_CLUSTER, "no worker at tcp://[0-9.:]+ for 2 s", "--wait", 2, self.script("exit 0"), 1, 0.1,
                      cluster=cluster, seconds=20)

    def test_a_scheduler_that_dies_meanwhile(self):
        cluster = Cluster(workers=1)
        self.addCleanup(cluster.stop)
        begun = self.directory / "begun"
        process = subprocess.Popen(
            command(cluster, "--wait", 5, self.script(f"touch {begun}; sleep 100"), 1, 0.1), text=True,
            stderr=subprocess.PIPE)
        wait_until("the program", begun.exists)
        cluster.kill(cluster.scheduler)
        self.assertRegex(process.communicate(timeout=60)[1], r"\Acluster_run: [^\n]+\n\Z")
        self.assertEqual(process.returncode, NO_CLUSTER)

    def test_a_worker_that_ends_leaves_no_file(self):
        cluster = Cluster(workers=1)
        self.addCleanup(cluster.stop)
        self.ends(0, self.script("exit 0"), 1, 0.1, cluster=cluster)
        self.assertEqual(len(cluster.programs(0)), 1)
        os.kill(cluster.workers[0].pid, signal.SIGTERM)
        cluster.workers[0].wait(30)
        self.assertEqual(list(cluster.directories[0].glob("**/tconv-programs*")), [])


class Search(tconvc.TconvcTest):
    def test_a_search_outlives_a_worker(self):
        cluster = Cluster(workers=3)
        self.addCleanup(cluster.stop)
        log = self.directory / "tune.log"
        errors = open(self.directory / "errors", "w+")
        self.addCleanup(errors.close)
        process = subprocess.Popen(
            [tconvc.TCONVC, "tune", self.file("up.json", LAYER), "--cluster", cluster.address, "--jobs", "3",
             "--strategy", "random", "--budget", "60s", "--no-baselines", "--log", log, "--db", "schedules.txt"],
            cwd=self.directory, stdout=subprocess.DEVNULL, stderr=errors, env=ENVIRONMENT)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def records():
            return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

        def searches():
            return self.assertIsNone(process.poll(), (self.directory / "errors").read_text()) or True
        wait_until("the first candidate", lambda: searches() and records())
        lost = wait_until("a candidate on the worker to kill", lambda: searches() and cluster.running(0))
        cluster.kill(cluster.workers[0])
        wait_until("the end of the lost worker's program", lambda: lost not in processes(), 5)
        at_death = len(records())

        self.assertEqual(process.wait(300), 0, (self.directory / "errors").read_text())
        self.assertGreater(len(records()), at_death + 1)
        self.assertEqual([record for record in records() if record["outcome"] != "measured"], [])
        schedules = [record["schedule"] for record in records()]
        self.assertEqual(len(set(schedules)), len(schedules), "a schedule was measured twice")
        self.assertGreater(sum(bool(cluster.programs(number)) for number in range(3)), 1)
        self.assertIn(records()[0]["layer"], (self.directory / "schedules.txt").read_text())


if __name__ == "__main__":
    try:
        import distributed  # noqa: F401
    except ImportError:
        sys.exit(print("SKIPPED: this Python has no Dask: ./bootstrap test installs it into .venv"))
    ENVIRONMENT["TCONV_PYTHON"] = sys.executable
    tconvc.main()
