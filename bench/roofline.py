"""The least time that a piece of work can take on this machine, from measured peaks."""

import ctypes
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
LIBRARY = HERE.parent / "build" / "bench" / "roofline.so"
SECONDS = 0.1


def _build() -> ctypes.CDLL | None:
    """Compiles roofline.c for this processor; None when no compiler is there."""
    source = HERE / "roofline.c"
    if not LIBRARY.exists() or LIBRARY.stat().st_mtime < source.stat().st_mtime:
        LIBRARY.parent.mkdir(parents=True, exist_ok=True)
        flags = ["-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC"]
        try:
            subprocess.run(["clang-22", *flags, str(source), "-o", str(LIBRARY)], check=True)
        except (FileNotFoundError, subprocess.CalledProcessError):
            print("bench: clang-22 could not build roofline.c, so limits are not given", file=sys.stderr)
            return None
    library = ctypes.CDLL(str(LIBRARY))
    library.fma_rounds.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_float)]
    library.fma_rounds.restype = ctypes.c_double
    library.read_rounds.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64]
    library.read_rounds.restype = ctypes.c_int64
    return library


def _rate(work: Callable[[int, int], float], threads: int) -> float:
    """The best of five rates of `work(thread, rounds)`, which returns its amount, per second on all threads."""
    rounds = 1
    while True:
        start = time.perf_counter()
        work(0, rounds)
        elapsed = time.perf_counter() - start
        if elapsed > SECONDS / 10:
            break
        rounds *= 4
    rounds = max(1, int(rounds * SECONDS / elapsed))
    best = 0.0
    for _ in range(5):
        amounts = [0.0] * threads

        def run(index: int) -> None:
            amounts[index] = work(index, rounds)

        workers = [threading.Thread(target=run, args=(index,)) for index in range(threads)]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = max(best, sum(amounts) / (time.perf_counter() - start))
    return best


class Roofline:
    """Peaks of this machine for a number of threads. Bandwidth is that of the working set in question."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._library = _build()
        self._bandwidths: dict[tuple[int, int], float] = {}
        self._peak = self._measure_peak() if self._library else None

    def _measure_peak(self) -> float:
        def work(_: int, rounds: int) -> float:
            return self._library.fma_rounds(1000 * rounds, ctypes.byref(ctypes.c_float()))

        return _rate(work, self.threads)

    def _bandwidth(self, size: int) -> float:
        """Bytes per second when all threads read their share of `size` bytes again and again."""
        share = max(4096, (size // self.threads + 511) // 512 * 512)
        # to two digits, so that cases of about one size share a measurement
        digits = 10 ** max(0, len(str(share)) - 2)
        key = (digits, share // digits)
        if key not in self._bandwidths:
            buffers = [np.ones(share + 64, np.uint8) for _ in range(self.threads)]
            starts = [buffer.ctypes.data + (-buffer.ctypes.data) % 64 for buffer in buffers]

            def work(index: int, rounds: int) -> float:
                self._library.read_rounds(starts[index], share, rounds)
                return float(share * rounds)

            self._bandwidths[key] = _rate(work, self.threads)
        return self._bandwidths[key]

    def least_ms(self, flops: float, size: float) -> float | None:
        """The time of `flops` operations at min(FMA peak, flops * bandwidth / bytes); None without a compiler."""
        if self._peak is None:
            return None
        return 1e3 * max(flops / self._peak, size / self._bandwidth(int(size)))
