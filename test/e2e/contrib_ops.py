#!/usr/bin/env python3
"""Ops of com.microsoft against ONNX Runtime.

Attributes, sizes, absent inputs, which dims are dynamic and which inputs are constants are drawn at random, so many
cases for each op. What ONNX Runtime does not run on a CPU is left out and counted. A failure is a case that the compiler
refuses, or that does not agree. Needs ONNX Runtime: `$(scripts/peers) test/e2e/contrib_ops.py --count=50 --seed=2`.
"""

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]

from contrib_cases import GENERATORS, Case  # noqa: E402
from dstools import ToolError, Tools, add_machine_options  # noqa: E402

RELATIVE = 1e-4


def generate(op: str, seed: int, number: int) -> Case:
    """The case of a number, whatever others there are."""
    rng = np.random.default_rng([seed, number, *op.encode()])
    # The op of the default domain has the same name.
    domain = "" if op == "SimplifiedLayerNormalization" else "com.microsoft"
    case = Case(op, rng, domain)
    GENERATORS[op](case)
    case.choose_dynamic()
    return case


def expected(case: Case) -> list[np.ndarray]:
    """What ONNX Runtime gives; it raises where it does not run the case."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(case.model().SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run([name for name in case.outputs if name], case.feeds())


def difference(case: Case, name: str, found: np.ndarray, wanted: np.ndarray) -> str:
    """Why a result is not as good as the expected one, or nothing."""
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return f"{name} is {found.dtype}{list(found.shape)}, expected {wanted.dtype}{list(wanted.shape)}"
    found, wanted = case.clean(name, found), case.clean(name, wanted)
    if found.size == 0 or np.allclose(found, wanted, RELATIVE, case.absolute):
        return ""
    place = np.unravel_index(np.nanargmax(np.abs(found - wanted)), found.shape)
    return f"{name}{[int(i) for i in place]} of {list(found.shape)} is {found[place]}, expected {wanted[place]}"


def describe(case: Case) -> str:
    inputs = ", ".join("-" if given is None else "x".join(map(str, given.dims)) for given in case.inputs)
    return f"{case.attributes} inputs {inputs} sizes {case.sizes} dynamic {sorted(case.dynamic)}"


def check(tools: Tools, op: str, seed: int, number: int) -> tuple[str, str]:
    """The kind of a result, and what is to be said of it."""
    case = generate(op, seed, number)
    try:
        wanted = expected(case)
    except Exception as error:  # noqa: BLE001 ONNX Runtime has no common class of its errors
        return "left out", str(error).splitlines()[0]
    names = [name for name in case.outputs if name]
    with tempfile.TemporaryDirectory(prefix="ds-contrib-") as folder:
        path = Path(folder) / "node.onnx"
        onnx.save(case.model(), path)
        try:
            artifact = tools.compile(path, Path(folder) / "node.dsa")
            results = tools.run(artifact, case.feeds(), names, "--threads=2")
        except ToolError as error:
            return "failed", f"{' '.join(str(error).split())[-400:]}; {describe(case)}"
    for name, value in zip(names, wanted):
        if why := difference(case, name, results[name], value):
            return "failed", f"{why}; {describe(case)}"
    return "agrees", ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20, help="how many cases for each op (20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument("--op", choices=sorted(GENERATORS), help="only this op")
    parser.add_argument("--verbose", action="store_true", help="say what is left out")
    add_machine_options(parser)
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(4)
    tools = Tools.from_arguments(arguments)
    numbers = range(arguments.first, arguments.first + arguments.count)
    totals: Counter = Counter()
    for op in [arguments.op] if arguments.op else sorted(GENERATORS):
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda number: check(tools, op, arguments.seed, number), numbers))  # noqa: B023
        counts = Counter(kind for kind, _ in results)
        totals += counts
        left_out = f", {counts['left out']} left out" if counts["left out"] else ""
        print(f"{op}: {counts['agrees']} of {len(results) - counts['left out']} agree{left_out}", flush=True)
        for number, (kind, text) in zip(numbers, results):
            if kind == "failed" or (kind == "left out" and arguments.verbose):
                print(f"  {kind} --op={op} --seed={arguments.seed} --first={number} --count=1: {text}", flush=True)
    print(f"{totals['agrees']} of {totals['agrees'] + totals['failed']} agree; ONNX Runtime does not run {totals['left out']}")
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
