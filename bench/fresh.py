#!/usr/bin/env python3
"""Loads a model and runs it once, in a process of its own: what `cold-start` times.

    fresh.py SIDE MODEL INPUTS.npz OUTPUT THREADS [LIBRARY]

SIDE is a peer, or `ds-full` or `ds-code` for an artifact, by what is verified; LIBRARY is the ds runtime. Prints JSON:
the seconds from before the load to after the first call, and by how many bytes the process then had grown at its peak.
Imports are over when the clock starts; opening the ds runtime is in its time.
"""

import json
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np


def memory(field: str) -> int:
    """VmRSS or VmHWM of this process in bytes. (getrusage would count what the parent had.)"""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) << 10
    raise LookupError(field)


def main() -> None:
    side, model, inputs, output, threads, *library = sys.argv[1:]
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
    print(json.dumps({"seconds": seconds, "bytes": memory("VmHWM") - before, "version": opened.version}))


if __name__ == "__main__":
    main()
