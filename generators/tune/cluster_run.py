#!/usr/bin/env python3
"""Runs a candidate of `tconvc tune` on one worker of a Dask cluster and passes on what it prints and how it ends.

    cluster_run.py ADDRESS PROGRAM THREADS SECONDS [WORK]
    cluster_run.py ADDRESS --duel ROUNDS INCUMBENT CHALLENGER THREADS SECONDS

ADDRESS is the scheduler's, such as tcp://10.0.0.1:8786. The user starts the cluster and ends it, with the Python
packages of requirements-cluster.txt and one minor version of Python on all machines:

    dask scheduler                                        # on one machine
    dask worker tcp://10.0.0.1:8786 --nthreads 1          # on each machine that measures, one worker a machine

The program runs on the worker's machine with the rights of the user who started the worker, and a scheduler runs what
anyone who can reach it sends: keep it on a network of your own, or use Dask's TLS. The program is sent as bytes; the
machines need no file in common, only its instruction set.

A worker runs one program at a time whatever its number of threads, as programs that share a machine measure each other;
--nthreads 1 lets Dask give the next one to a worker that is free. A worker that dies takes its program with it, and
Dask starts that one anew on another worker; after the scheduler's distributed.scheduler.allowed-failures (3) it gives
up. A machine that vanishes without closing its connections counts as dead after worker-ttl (five minutes).

The exit code is the program's, 128 and its signal where one ended it, and otherwise, with one line on standard error,
   64  this command was called wrongly
   75  the cluster: no scheduler or no worker within --wait seconds, or too many workers died under the program
  124  the program was stopped after --limit seconds; what it printed until then is passed on

--duel runs the two programs in turn on one worker, without their checks; who goes first changes by round. It prints
{"incumbent": [[minimum_ms, median_ms], ...], "challenger": [...]}, an entry for each round. It ends after three rounds
whose median of incumbent's over challenger's median is below 1, as the challenger has lost, and with the first run that
fails, which it passes on."""

import argparse
import asyncio
import fcntl
import hashlib
import json
import logging
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
import warnings
from concurrent import futures

MISUSED = 64
NO_CLUSTER = 75
TIMED_OUT = 124

# What follows runs on a worker, which has no copy of this file: Dask sends the functions, and what they name.

# Incumbents stay for the next duel; a worker that runs for months must not fill its disk with losers.
KEPT_PROGRAMS = 4

EARLY_ROUNDS = 3

# A worker that is killed must not leave its program running beside the next one. The program itself asks for that, in
# a process between: code between fork() and exec() of a process with threads can hang.
START = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
if os.getppid() != int(sys.argv[1]): os._exit(1)
try:
    os.execv(sys.argv[2], sys.argv[2:])
except OSError as error:
    os.write(2, f"cannot run the program: {error.strerror}\\n".encode())
    os._exit(126)
"""


def run_program(path, arguments, limit):
    """One run, in a directory of its own that goes with it: (exit code, standard output, standard error)."""
    # Files rather than pipes: a pipe that the program has passed on stays open after its end.
    with (tempfile.TemporaryDirectory(dir=path.parent) as directory, tempfile.TemporaryFile() as output,
          tempfile.TemporaryFile() as errors):
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", START, str(os.getpid()), str(path), *arguments], cwd=directory,
            stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = TIMED_OUT
        try:
            os.killpg(process.pid, signal.SIGKILL)  # also what it has left behind
        except ProcessLookupError:
            pass
        process.wait()
        output.seek(0)
        errors.seek(0)
        return code if code >= 0 else 128 - code, output.read(), errors.read()


def store_programs(store, names, contents):
    """The files of these SHA-256 sums, written where they are not there; None where one's bytes are wanted first."""
    paths = [store / name for name in names]
    if any(not path.exists() and name not in contents for name, path in zip(names, paths)):
        return None
    for name, path in zip(names, paths):
        if path.exists():
            path.touch()
        else:
            part = path.with_suffix(".part")  # a worker that dies here leaves no half program
            part.write_bytes(contents[name])
            part.chmod(0o700)
            part.rename(path)
    old = sorted((path for path in store.iterdir() if path.is_file() and path not in paths and path.suffix != ".lock"),
                 key=lambda path: path.stat().st_mtime)
    for path in old[:max(0, len(old) + len(set(paths)) - KEPT_PROGRAMS)]:
        path.unlink()
    return paths


def figures(output):
    """[minimum, median] of the last line that is a program's, or None."""
    for line in reversed(output.decode(errors="replace").splitlines()):
        try:
            found = json.loads(line)
            return [float(found["minimum_ms"]), float(found["median_ms"])]
        except (ValueError, TypeError, KeyError):
            continue
    return None


def run_duel(paths, arguments, rounds, limit):
    times = [], []
    for round_number in range(rounds):
        for which in (0, 1) if round_number % 2 == 0 else (1, 0):
            code, output, errors = run_program(paths[which], arguments, limit)
            found = figures(output)
            if code != 0 or found is None:
                return code or 1, b"", errors or b"the program printed no figures\n"
            times[which].append(found)
        ratios = [old[1] / new[1] for old, new in zip(*times)]
        if len(ratios) == EARLY_ROUNDS and statistics.median(ratios) < 1:
            break
    return 0, json.dumps({"incumbent": times[0], "challenger": times[1]}).encode() + b"\n", b""


def work(names, contents, arguments, rounds, limit):
    """A task: what the programs printed and how they ended, or None where the worker has not got their bytes."""
    from distributed import get_worker
    # In the worker's own directory, which Dask removes with it, or at the next worker's start if it was killed.
    store = pathlib.Path(get_worker().local_directory) / "tconv-programs"
    store.mkdir(exist_ok=True)
    with open(store / "one-at-a-time.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        paths = store_programs(store, names, contents)
        if paths is None:
            return None
        if rounds:
            return run_duel(paths, arguments, rounds, limit)
        return run_program(paths[0], arguments, limit)


# The rest runs where it was called.

class ClusterError(Exception):
    pass


def one_line(error):
    return " ".join(str(error).split()) or type(error).__name__


def connect(address, wait):
    from distributed import Client
    # In a thread, as Dask's own limit does not hold where something else listens at the address and says nothing.
    client = futures.ThreadPoolExecutor(1).submit(Client, address, timeout=wait)
    try:
        return client.result(wait + 1)
    except (Exception, asyncio.CancelledError) as error:
        raise ClusterError(f"no scheduler at {address} within {wait:g} s: {one_line(error)}") from None


def answer_of(client, future, wait):
    """Waits as long as there are workers that will get to it: how long others keep them is not known here."""
    from distributed import TimeoutError as Late, wait as wait_for
    from distributed.scheduler import KilledWorker
    seen = time.monotonic()
    try:
        while not future.done():
            try:
                wait_for(future, timeout=1)
            except Late:
                if client.nthreads():
                    seen = time.monotonic()
                elif time.monotonic() - seen > wait:
                    raise ClusterError(f"no worker at {client.scheduler.address} for {wait:g} s") from None
        return future.result()
    except KilledWorker as error:
        raise ClusterError(f"{error.allowed_failures + 1} workers died under the program") from None


def run(arguments, programs):
    contents = {hashlib.sha256(content).hexdigest(): content for content in programs}
    names = [hashlib.sha256(content).hexdigest() for content in programs]
    words = [str(word) for word in (arguments.threads, arguments.seconds, arguments.work) if word is not None]
    client = connect(arguments.address, arguments.wait)
    try:
        # A candidate is new nearly always. Both of a duel have run before, the incumbent perhaps on each worker.
        for sent in ({}, contents) if arguments.duel else (contents,):
            # A key of its own, as what was measured once is not what is measured the next time.
            future = client.submit(work, names, sent, words, arguments.duel, arguments.limit,
                                   key=f"tconv-candidate-{uuid.uuid4()}", retries=2)
            answer = answer_of(client, future, arguments.wait)
            if answer is not None:
                return answer
        raise ClusterError("a worker lost the program that it was sent")
    except ClusterError:
        raise
    except (Exception, asyncio.CancelledError) as error:
        raise ClusterError(f"{arguments.address}: {one_line(error)}") from None


def positive(text):
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(MISUSED, f"cluster_run: {message}\n")


def parse():
    parser = Parser(prog="cluster_run.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("--limit", type=positive, default=60, help="seconds that one run may take (60)")
    parser.add_argument("--wait", type=positive, default=20, help="seconds to wait for a scheduler or a worker (20)")
    parser.add_argument("--duel", type=int, default=0, metavar="ROUNDS", help="run two programs in turn")
    parser.add_argument("words", nargs="+", metavar="PROGRAM [CHALLENGER] THREADS SECONDS [WORK]")
    arguments = parser.parse_args()
    if arguments.duel < 0:
        parser.error(f"--duel {arguments.duel}: not a number of rounds")
    words = arguments.words
    wanted = (4,) if arguments.duel else (3, 4)
    if len(words) not in wanted:
        parser.error("after ADDRESS come " + ("INCUMBENT CHALLENGER THREADS SECONDS" if arguments.duel
                                              else "PROGRAM THREADS SECONDS [WORK]"))
    count = 2 if arguments.duel else 1
    arguments.threads, arguments.seconds = words[count:count + 2]
    arguments.work = "0" if arguments.duel else words[3] if len(words) == 4 else None
    try:
        return arguments, [pathlib.Path(path).read_bytes() for path in words[:count]]
    except OSError as error:
        parser.error(f"cannot read the program {error.filename}: {error.strerror}")


def main():
    arguments, programs = parse()
    # Dask tells of each lost connection in many lines; what matters is in the one line below.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        code, output, errors = run(arguments, programs)
        if code == TIMED_OUT:
            errors = f"cluster_run: took longer than {arguments.limit:g} s\n".encode() + errors
    except ClusterError as error:
        code, output, errors = NO_CLUSTER, b"", f"cluster_run: {error}\n".encode()
    except ImportError as error:
        mend = "pip install --no-deps -r requirements-cluster.txt"
        code, output, errors = NO_CLUSTER, b"", f"cluster_run: {error}; to mend it: {mend}\n".encode()
    sys.stdout.buffer.write(output)
    sys.stderr.buffer.write(errors)
    sys.stdout.flush()
    sys.stderr.flush()
    # A client that has lost its scheduler waits for it at the end, and says so in many lines. The scheduler takes the
    # end of the connection for the client's.
    os._exit(code)


if __name__ == "__main__":
    main()
