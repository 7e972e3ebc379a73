#!/usr/bin/env python3
"""A row that is kept has the same bits whether padding is computed or left out. Needs numpy only.

Each encoder is compiled with --padding=compute and with --padding=zero, and both run on batches whose masks have padding
behind, before and between tokens, no token at all, or numbers that are neither 0 nor 1. Rows up to a sequence's last
token, and what is pooled from them, must be equal bit for bit; rows behind it must be zeros.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from batch_invariance import THREADS, Inputs, Model, describe, models, same_bits  # noqa: E402
from dstools import ToolError, Tools, add_bin_dir_option  # noqa: E402


def make_mask(rng: np.random.Generator, rows: int, width: int) -> np.ndarray:
    """A mask with all that may occur."""
    lengths = rng.integers(1, width + 1, rows)
    mask = (np.arange(width) < lengths[:, None]).astype(np.int64)
    for row in mask:
        match rng.integers(6):
            case 0:  # padding between tokens, or before them
                row[rng.integers(0, width, width // 3)] = 0
            case 1 if rng.random() < 0.3:
                row[:] = 0
            case 2 if rng.random() < 0.3:
                row[0] = 2
    return mask


def kept_lengths(mask: np.ndarray) -> list[int]:
    """How many rows of each sequence are kept, as ds.row_offsets defines it."""
    width = mask.shape[1]
    return [
        width if not (row == 1).any() or not np.isin(row, (0, 1)).all() else int(np.flatnonzero(row == 1)[-1]) + 1
        for row in mask
    ]


def compare(model: Model, computed: dict, packed: dict, lengths: list[int]) -> list[str]:
    """What differs where nothing should."""
    wrong = []
    for name in model.outputs:
        expected, found = computed[name], packed[name]
        if name in model.sequences:
            padding = np.arange(expected.shape[1]) >= np.array(lengths)[:, None]
            if np.any(found[padding]):
                wrong.append(f"{name}: rows at padding are not zeros")
            expected, found = (np.where(padding[..., None], np.float32(0), array) for array in (expected, found))
        if not same_bits(expected, found):
            wrong.append(f"{name}: {describe(expected, found)}")
    return wrong


def check(model: Model, tools: Tools, rng: np.random.Generator, folder: Path, batches: int) -> list[str]:
    """Compares both artifacts of a model on random batches."""
    computed, packed = (
        tools.compile(model.path, folder / f"{model.name}-{padding}.dsa", f"--padding={padding}")
        for padding in ("compute", "zero")
    )
    text = tools.call("ds-compile", [model.path, "--padding=zero", "--compile-to=raise"])
    if "ds.row_offsets" not in text:
        return ["it is not unpadded"]
    wrong = []
    for _ in range(batches):
        inputs: Inputs = model.make(rng)[0]
        rows, width = int(rng.integers(1, 10)), int(rng.integers(1, inputs["attention_mask"].shape[1] + 1))
        inputs = {name: np.ascontiguousarray(array[:rows, :width]) for name, array in inputs.items()}
        mask = inputs["attention_mask"] = make_mask(rng, len(inputs["attention_mask"]), width)
        for threads in THREADS:
            results = [tools.run(a, inputs, model.outputs, f"--threads={threads}") for a in (computed, packed)]
            wrong += [f"{mask.shape}, {threads} threads: {what}" for what in compare(model, *results, kept_lengths(mask))]
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_bin_dir_option(parser)
    parser.add_argument("models", nargs="*", help="names of the models to check (all encoders)")
    parser.add_argument("--minilm", action="store_true", help="check all-MiniLM-L6-v2 as well")
    parser.add_argument("--batches", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    tools, failed = Tools(arguments.bin_dir), 0
    with tempfile.TemporaryDirectory(prefix="unpad-") as name:
        for model in models(arguments.minilm):
            if not model.sequences or (arguments.models and model.name not in arguments.models):
                continue
            try:
                rng = np.random.default_rng(arguments.seed)
                wrong = check(model, tools, rng, Path(name), arguments.batches)
            except ToolError as error:
                wrong = [str(error)]
            failed += bool(wrong)
            print("FAIL" if wrong else "ok  ", model.name, flush=True)
            for what in wrong[:10]:
                print(f"     {what}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
