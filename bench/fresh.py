#!/usr/bin/env python3
"""Loads a model and runs it in a process of its own.

    fresh.py SIDE MODEL INPUTS.npz OUTPUT THREADS CALLS [LIBRARY]

SIDE is a peer, or `ds-full` or `ds-code` for an artifact, by what is verified; LIBRARY is the ds runtime. Prints JSON:
seconds, and by how many bytes the process had grown at its peak. With CALLS of 0 the seconds are those from before the
load to after the first call: imports are over when the clock starts; opening the ds runtime is in its time. Otherwise
they are the median of as many calls after the first.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np


def memory(field: str) -> int:
    """VmRSS or VmHWM of this process in bytes. (getrusage would count what the parent had.)"""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) << 10
    raise LookupError(field)


def timed(call: Callable[[], None]) -> float:
    """The seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    side, model, inputs, output, threads, calls, *library = sys.argv[1:]
    kind, _, verify = side.partition("-")
    module = import_module(f"peers.{kind}")
    arrays = dict(np.load(inputs))
    before = memory("VmRSS")
    start = time.perf_counter()
    if kind == "ds":
        opened = module.Ds(Path(library[0]), Path(model), int(threads), verify)
    else:
        opened = module.Peer(Path(model), int(threads))
    work = opened.prepare(arrays, (output,))
    work.call()
    seconds = time.perf_counter() - start
    if int(calls):
        seconds = statistics.median(timed(work.call) for _ in range(int(calls)))
    print(json.dumps({"seconds": seconds, "bytes": memory("VmHWM") - before, "version": opened.version}))


if __name__ == "__main__":
    main()
