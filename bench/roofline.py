"""The least time that a piece of work can take on this machine, from measured peaks."""

import ctypes
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cache import FOLDER, cached
from memory import placed

SOURCE = Path(__file__).resolve().parent / "roofline.c"
SECONDS = 0.01  # of a sample, as long as a turn of what is compared with it
FLAGS = ("-O3", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast", "-shared", "-fPIC")


def _compile(library: Path) -> None:
    subprocess.run(["clang-22", *FLAGS, str(SOURCE), "-o", str(library)], check=True)


def _build() -> ctypes.CDLL | None:
    """Compiles roofline.c for this processor; None when no compiler is there."""
    try:
        library = ctypes.CDLL(str(cached(FOLDER / "roofline.so", [SOURCE], _compile)))
    except (FileNotFoundError, subprocess.CalledProcessError):
        print("bench: clang-22 could not build roofline.c, so limits are not given", file=sys.stderr)
        return None
    library.fma_rounds.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_float)]
    library.fma_rounds.restype = ctypes.c_double
    library.read_rounds.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64]
    library.read_rounds.restype = ctypes.c_int64
    return library


def cache_bytes() -> int:
    """The size of the last level of cache that the first processor sees; 32 MiB when the system does not tell."""
    sizes = [32 << 20]
    for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        sizes.append(int(path.read_text().strip().removesuffix("K")) << 10)
    return max(sizes)


def on_threads(count: int, run: Callable[[int], None], warm_up: Callable[[int], None] = lambda _: None) -> float:
    """Calls `run(0)` to `run(count - 1)` at the same time and returns the seconds from the first start to the last end.

    Each has a processor of its own, as far as there are as many: the system likes to start two threads on one. Each calls
    `warm_up` before.
    """
    ready = threading.Barrier(count)
    starts, ends = [0.0] * count, [0.0] * count
    processors = sorted(os.sched_getaffinity(0))

    def work(index: int) -> None:
        os.sched_setaffinity(0, {processors[index % len(processors)]})  # of this thread alone
        warm_up(index)
        ready.wait()
        starts[index] = time.perf_counter()
        run(index)
        ends[index] = time.perf_counter()

    workers = [threading.Thread(target=work, args=(index,)) for index in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return max(ends) - min(starts)


class Rate:
    """How much `work(thread, rounds)`, which returns its amount, does per second on all threads: the median of samples.

    Memory, and often a core too, is shared with whoever else runs on the host: a minute later there may be twice as much
    of it. So samples are taken between those of what is compared with it, and are treated in the same way.
    """

    def __init__(self, work: Callable[[int, int], float], threads: int) -> None:
        self._work, self._threads, self._rounds, self._samples, self._last = work, threads, 1, [], 0.0
        while (elapsed := self._time_once()) < SECONDS / 10:
            self._rounds *= 4
        self._rounds = max(1, round(self._rounds * SECONDS / elapsed))

    def _time_once(self) -> float:
        start = time.perf_counter()
        self._work(0, self._rounds)
        return time.perf_counter() - start

    def sample(self) -> None:
        """Measures once more."""
        amounts = [0.0] * self._threads

        def run(index: int) -> None:
            amounts[index] = self._work(index, self._rounds)

        seconds = on_threads(self._threads, run, warm_up=lambda index: self._work(index, self._rounds))
        self._samples.append(sum(amounts) / seconds)

    def take(self) -> float:
        """The median of the samples since the last call; the same again where there are none."""
        if not self._samples and not self._last:
            self.sample()
        if self._samples:
            self._last, self._samples = statistics.median(self._samples), []
        return self._last


class Roofline:
    """Peaks of this machine for a number of threads. Bandwidth is that of the working set in question."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._library = _build()
        self._bandwidths: dict[tuple[int, int], Rate] = {}
        self._peak = Rate(self._multiply, threads) if self._library else None
        self._flushed: list[np.ndarray] = []

    def _multiply(self, _: int, rounds: int) -> float:
        return self._library.fma_rounds(1000 * rounds, ctypes.byref(ctypes.c_float()))

    def _read(self, buffer: np.ndarray, size: int, rounds: int) -> float:
        self._library.read_rounds(buffer.ctypes.data, size, rounds)
        return float(size * rounds)

    def _bandwidth(self, size: int) -> Rate:
        """Bytes per second when all threads read their share of `size` bytes again and again."""
        share = max(4096, (size // self.threads + 511) // 512 * 512)
        # to two digits, so that cases of about one size share a measurement
        digits = 10 ** max(0, len(str(share)) - 2)
        key = (digits, share // digits)
        if key not in self._bandwidths:
            buffers = [placed({"buffer": np.ones(share, np.uint8)})["buffer"] for _ in range(self.threads)]
            self._bandwidths[key] = Rate(lambda index, rounds: self._read(buffers[index], share, rounds), self.threads)
        return self._bandwidths[key]

    def sample(self, size: float) -> None:
        """Measures the peaks that a case needs once more."""
        if self._peak is not None:
            self._peak.sample()
            self._bandwidth(int(size)).sample()

    def least_ms(self, flops: float, size: float, working_set: float) -> float | None:
        """The time of `flops` operations at min(FMA peak, flops * bandwidth / bytes), both of the samples since the last
        call; None without a compiler.
        """
        if self._peak is None:
            return None
        return 1e3 * max(flops / self._peak.take(), size / self._bandwidth(int(working_set)).take())

    @property
    def flush_bytes(self) -> int:
        """How much `flush` reads."""
        return 4 * cache_bytes()

    def flush(self) -> None:
        """Reads so much on all processors that caches hold nothing else."""
        if not self._flushed:
            self._flushed = [np.ones(self.flush_bytes // self.threads, np.uint8) for _ in range(self.threads)]
        on_threads(self.threads, lambda index: self._flushed[index].max())
