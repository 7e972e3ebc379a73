#!/usr/bin/env python3
"""Compiles the digits model, runs every held-out image and compares with the reference. Needs numpy only.

Prints a table and exits with status 1 when a prediction differs from the reference's or a logit by more than 1e-4.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from dstools import ROOT, ToolError, Tools, add_bin_dir_option, format_size, format_time, print_table  # noqa: E402
from dstools import load_time, run_time  # noqa: E402

LARGEST_DIFFERENCE = 1e-4


def check(logits: np.ndarray, reference: np.ndarray, labels: np.ndarray) -> tuple[list[tuple[str, str]], list[str]]:
    """Returns the rows of the table and what is wrong."""
    if logits.shape != reference.shape or logits.dtype != reference.dtype:
        found, expected = (f"{a.dtype}{list(a.shape)}" for a in (logits, reference))
        return [], [f"logits: expected {expected}, found {found}"]
    ours, theirs = logits.argmax(1), reference.argmax(1)
    differ = np.flatnonzero(ours != theirs)
    # written so that a NaN anywhere fails
    difference = float(np.max(np.abs(logits.astype(np.float64) - reference)))
    rows = [
        ("test images", str(len(labels))),
        ("accuracy, ds", f"{np.mean(ours == labels):.2%}"),
        ("accuracy, reference", f"{np.mean(theirs == labels):.2%}"),
        ("images that differ", f"{len(differ)}" + (f": {differ.tolist()[:20]}" if len(differ) else "")),
        ("largest logit difference", f"{difference:.2e} (at most {LARGEST_DIFFERENCE:.0e})"),
    ]
    wrong = []
    if len(differ):
        wrong.append(f"{len(differ)} predictions differ from the reference")
    if not difference <= LARGEST_DIFFERENCE:
        wrong.append(f"the largest logit difference is {difference:.2e}, more than {LARGEST_DIFFERENCE:.0e}")
    return rows, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_bin_dir_option(parser)
    parser.add_argument("--artifact", type=Path, default=ROOT / "build" / "examples" / "digits" / "digits.dsa")
    parser.add_argument("--duration", default="1s", help="how long each timing runs (1s)")
    arguments = parser.parse_args()

    tools, model = Tools(arguments.bin_dir), HERE / "digits.onnx"
    images = np.load(HERE / "test_images.npy")
    try:
        artifact = tools.compile(model, arguments.artifact)
        logits = tools.run(artifact, {"image": images}, ["logits"])["logits"]
        duration = f"--duration={arguments.duration}"
        one = tools.benchmark(artifact, {"image": images[:1]}, duration)
        every = tools.benchmark(artifact, {"image": images}, duration)
    except ToolError as error:
        print(f"digits: {error}", file=sys.stderr)
        return 1
    rows, wrong = check(logits, np.load(HERE / "test_logits.npy"), np.load(HERE / "test_labels.npy"))
    rows += [
        ("digits.onnx", format_size(model)),
        ("digits.dsa", format_size(artifact)),
        ("load", format_time(load_time(one))),
        ("run, 1 image", format_time(run_time(one))),
        (f"run, {len(images)} images", format_time(run_time(every))),
    ]
    print_table("digits: a vision transformer on handwritten digits", rows)
    for what in wrong:
        print(f"digits: {what}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
