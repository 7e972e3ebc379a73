#!/usr/bin/env python3
"""One artifact gives the same results on every machine. Needs numpy only.

Each model of batch_invariance.py is compiled once, for this machine and every --target, and runs here and with every
--run-with on the same random inputs. No element may differ by more than 1e-5 of its size, or of 1; padding is left
out. The artifact's own test must pass, too. Names on the command line choose among the models:

    other_machine.py digits --target=aarch64 --run-with='qemu-aarch64 build/aarch64/tools/ds-run/ds-run-static'
"""

import argparse
import json
import shlex
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]

from batch_invariance import Inputs, Model, models  # noqa: E402
from dstools import ToolError, Tools, add_bin_dir_option  # noqa: E402

TOLERANCE = 1e-5


class Check:
    """A model's artifact and what it gives on this machine."""

    def __init__(self, model: Model, artifact: Path, inputs: Inputs, lengths: list[int] | None) -> None:
        self.model, self.artifact, self.inputs, self.lengths = model, artifact, inputs, lengths
        self.report = artifact.with_suffix(".json")

    def run(self, tools: Tools) -> dict[str, np.ndarray]:
        """The outputs without their padding."""
        outputs = tools.run(self.artifact, self.inputs, self.model.outputs, "--threads=2", f"--json={self.report}")
        if self.lengths is not None:
            for name in self.model.sequences:
                outputs[name] = outputs[name][np.arange(outputs[name].shape[1]) < np.array(self.lengths)[:, None]]
        return outputs

    def variant(self) -> str:
        """The code that ran last."""
        return json.loads(self.report.read_text())["variant"]


def difference(expected: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> float:
    """The largest difference of any output; infinite where shapes differ, NaN where one side has a NaN."""
    largest = 0.0
    for name, ours in expected.items():
        if ours.shape != found[name].shape or ours.dtype != found[name].dtype:
            return np.inf
        errors = np.abs(ours.astype(np.float64) - found[name]) / np.maximum(1, np.abs(ours))
        # np.maximum keeps a NaN, max() may drop it
        largest = np.maximum(largest, np.max(errors))
    return float(largest)


def check(model: Model, arguments: argparse.Namespace, folder: Path) -> bool:
    """Compiles and runs a model on all machines and says what came of it."""
    here = Tools(arguments.bin_dir)
    inputs, lengths = model.make(np.random.default_rng(arguments.seed))
    inputs = {name: array[: arguments.rows] for name, array in inputs.items()}
    lengths = lengths and lengths[: arguments.rows]
    targets = [f"--target={target}" for target in ["host", *arguments.target]]
    passed = True
    try:
        one = Check(model, here.compile(model.path, folder / f"{model.name}.dsa", *targets), inputs, lengths)
        expected = one.run(here)
        for command in arguments.run_with:
            there = Tools(arguments.bin_dir, run_with=command)
            there.call("ds-run", [one.artifact, "--self-test"])
            largest = difference(expected, one.run(there))
            passed &= largest <= TOLERANCE
            verdict = "ok  " if largest <= TOLERANCE else "FAIL"
            print(f"{verdict} {model.name}: {one.variant()}: largest difference {largest:.2e}", flush=True)
    except ToolError as error:
        print(f"FAIL {model.name}: {error}", flush=True)
        return False
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_bin_dir_option(parser)
    parser.add_argument("models", nargs="*", help="names of the models to check (all)")
    parser.add_argument("--target", action="append", required=True, help="another CPU to compile for")
    parser.add_argument(
        "--run-with", action="append", required=True, type=shlex.split, help="what takes ds-run's place on another machine"
    )
    parser.add_argument("--minilm", action="store_true", help="check all-MiniLM-L6-v2 as well")
    parser.add_argument("--rows", type=int, help="of the batch (about ten)")
    parser.add_argument("--seed", type=int, default=1, help="of the inputs (1)")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="other-machine-") as folder:
        chosen = [model for model in models(arguments.minilm) if not arguments.models or model.name in arguments.models]
        if len(chosen) < len(arguments.models):
            parser.error("there is no such model")
        return 0 if all([check(model, arguments, Path(folder)) for model in chosen]) else 1


if __name__ == "__main__":
    sys.exit(main())
