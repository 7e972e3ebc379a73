#!/usr/bin/env python3
"""Compiles all-MiniLM-L6-v2 once and compares the sentences' embeddings with ONNX Runtime.

Runs the 100 sentences in batches of 1, 7 and 32 on one artifact. Prints a table and exits with status 1 when any
element of an output differs by more than 1e-4. `examples/minilm/run` sets everything up.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from dstools import ROOT, ToolError, Tools, add_bin_dir_option, format_size, print_table  # noqa: E402
from text import pad, read_sentences, tokenize  # noqa: E402

LARGEST_DIFFERENCE = 1e-4
BATCH_SIZES = (1, 7, 32)
OUTPUTS = ("last_hidden_state", "sentence_embedding")
FOLDER = ROOT / "build" / "examples" / "minilm"


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest absolute difference; infinite when shapes or types differ, NaN when a NaN is there."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return np.inf
    return float(np.max(np.abs(ours.astype(np.float64) - theirs)))


def compare_batches(
    tools: Tools, artifact: Path, session: onnxruntime.InferenceSession, rows: list[list[int]], size: int, flags: list[str]
) -> dict[str, float]:
    """The largest difference of each output over all batches of `size` sentences, in file order, padding left out."""
    largest = dict.fromkeys(OUTPUTS, 0.0)
    for start in range(0, len(rows), size):
        inputs = pad(rows[start : start + size])
        ours = tools.run(artifact, inputs, OUTPUTS, *flags)
        for name, theirs in zip(OUTPUTS, session.run(list(OUTPUTS), inputs)):
            if name == "last_hidden_state":
                # What stands at padding is nobody's result: ONNX Runtime differs from itself there, by tens of units of
                # what it does elsewhere, when its optimizations are off.
                kept = inputs["attention_mask"].astype(bool)
                ours[name], theirs = ours[name][kept], theirs[kept]
            # np.maximum keeps a NaN, max() may drop it
            largest[name] = float(np.maximum(largest[name], difference(ours[name], theirs)))
    return largest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_bin_dir_option(parser)
    parser.add_argument("--model", type=Path, default=FOLDER / "model.onnx", help="what export.py wrote")
    parser.add_argument("--threads", type=int, help="threads for ds-run (its default: one per CPU)")
    arguments = parser.parse_args()

    tools = Tools(arguments.bin_dir)
    flags = [f"--threads={arguments.threads}"] if arguments.threads else []
    sentences = read_sentences()
    rows = tokenize(sentences, arguments.model.parent / "tokenizer.json")
    lengths = [len(row) for row in rows]
    session = onnxruntime.InferenceSession(arguments.model, providers=["CPUExecutionProvider"])
    table, wrong = [], []
    try:
        start = time.perf_counter()
        artifact = tools.compile(arguments.model, arguments.model.with_suffix(".dsa"))
        table += [
            ("sentences", f"{len(rows)}, {min(lengths) - 2} to {max(lengths) - 2} tokens and 2 special ones"),
            ("model.onnx", format_size(arguments.model)),
            ("model.dsa", f"{format_size(artifact)}, compiled in {time.perf_counter() - start:.1f} s"),
        ]
        for size in BATCH_SIZES:
            for name, found in compare_batches(tools, artifact, session, rows, size, flags).items():
                table.append((f"batches of {size}, {name}", f"{found:.2e} (at most {LARGEST_DIFFERENCE:.0e})"))
                if not found <= LARGEST_DIFFERENCE:
                    wrong.append(f"{name} in batches of {size}: differs from ONNX Runtime by {found:.2e}")
    except ToolError as error:
        wrong.append(str(error))
    print_table(f"all-MiniLM-L6-v2: largest difference from ONNX Runtime {onnxruntime.__version__}", table)
    for what in wrong:
        print(f"minilm: {what}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
