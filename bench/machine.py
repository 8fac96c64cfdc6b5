"""This machine: what it is, and the most that it does, measured between the layers (machine.c)."""

import ctypes
import pathlib
import platform
import re
import subprocess

SOURCE = pathlib.Path(__file__).resolve().parent / "machine.c"
BANDWIDTH_BYTES = 1 << 28
# Other work on the machine only ever lowers a figure.
ROUNDS = 4
CPU = pathlib.Path("/sys/devices/system/cpu/cpu0/cache")


def processor():
    found = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor() or platform.machine()


def count_list(text):
    """The processors in a list such as 0-3,8."""
    ends = [part.split("-") for part in text.strip().split(",")]
    return sum(int(end[-1]) - int(end[0]) + 1 for end in ends)


def last_level_cache():
    """Its bytes, and how many processors share it; (0, 1) where the system does not say."""
    caches = []
    for index in CPU.glob("index*"):
        if (index / "type").read_text().strip() != "Instruction":
            size = re.fullmatch(r"(\d+)([KM])\s*", (index / "size").read_text())
            caches.append((int((index / "level").read_text()), int(size[1]) << (10 if size[2] == "K" else 20),
                           count_list((index / "shared_cpu_list").read_text())))
    return max(caches)[1:] if caches else (0, 1)


class Machine:
    def __init__(self, work, threads):
        library = pathlib.Path(work) / "machine.so"
        subprocess.run(["gcc", "-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC", SOURCE, "-o", library,
                        "-lpthread", "-lm"], check=True)
        self.library = ctypes.CDLL(str(library))
        self.library.machine_peak.restype = ctypes.c_double
        self.library.machine_bandwidth.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.POINTER(ctypes.c_double),
                                                   ctypes.POINTER(ctypes.c_double)]
        self.threads = threads
        bytes, sharers = last_level_cache()
        self.fields = {"processor": processor(), "system": platform.platform(), "cache_bytes": bytes,
                       "cache_sharers": sharers, "peak_gflops": {}, "read_gbs": {}, "write_gbs": {}}
        self.measure()

    def measure(self):
        """More rounds of everything, with one thread and with all; the best of all is kept."""
        for threads in [*{1, self.threads}] * ROUNDS:
            read, write = ctypes.c_double(), ctypes.c_double()
            self.library.machine_bandwidth(threads, BANDWIDTH_BYTES, read, write)
            best = {"peak_gflops": self.library.machine_peak(threads), "read_gbs": read.value,
                    "write_gbs": write.value}
            for key, value in best.items():
                self.fields[key][str(threads)] = max(value, self.fields[key].get(str(threads), 0))
