#!/usr/bin/env python3
"""A row's result has the same bits whatever shares its batch. Needs numpy only.

For each model, a batch of random rows is run with 1 and 2 threads, and then every row alone, with the batch's padding
and without any. Every kept element of every output must be equal bit for bit. The models are the digits transformer,
the convolutions and small encoders in models/, `--random N` freshly drawn encoders (these need the onnx package) and, with `--minilm`,
the all-MiniLM-L6-v2 that examples/minilm/export.py writes. Names on the command line choose among them.
"""

import argparse
import dataclasses
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from dstools import ROOT, ToolError, Tools, add_machine_options  # noqa: E402

MINILM = ROOT / "build" / "examples" / "minilm" / "model.onnx"
THREADS = (1, 2)
Inputs = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Model:
    """A model and how to make its inputs.

    `make(rng)` returns a batch and the kept length of each row, or None when rows have no length. Outputs named in
    `sequences` have the sequence as their second dim.
    """

    name: str
    path: Path
    make: Callable[[np.random.Generator], tuple[Inputs, list[int] | None]]
    outputs: tuple[str, ...]
    sequences: frozenset[str] = frozenset()


def make_images(*size: int) -> Callable[[np.random.Generator], tuple[Inputs, None]]:
    """Eleven images of noise, of `size` channels and pixels."""
    return lambda rng: ({"image": rng.random((11, *size), np.float32)}, None)


def make_tokens(vocabulary: int, longest: int, types: bool) -> Callable[[np.random.Generator], tuple[Inputs, list[int]]]:
    """Nine rows of random tokens: one as long as `longest`, one single token, the others between."""

    def make(rng: np.random.Generator) -> tuple[Inputs, list[int]]:
        lengths = rng.permutation([1, longest, *rng.integers(1, longest + 1, 7)]).tolist()
        mask = (np.arange(longest) < np.array(lengths)[:, None]).astype(np.int64)
        inputs = {"input_ids": rng.integers(0, vocabulary, mask.shape) * mask, "attention_mask": mask}
        if types:
            inputs["token_type_ids"] = np.zeros_like(mask)
        return inputs, lengths

    return make


def encoder(path: Path) -> Model:
    """One of random_encoder.py's models."""
    return Model(path.stem, path, make_tokens(50, 37, False), ("hidden", "pooled"), frozenset(["hidden"]))


def models(minilm: bool) -> Iterator[Model]:
    """The models that are there."""
    yield Model("digits", ROOT / "examples" / "digits" / "digits.onnx", make_images(1, 8, 8), ("logits",))
    yield Model("convolutions", HERE / "models" / "convolutions.onnx", make_images(3, 21, 19), ("y",))
    yield from map(encoder, sorted((HERE / "models").glob("encoder-*.onnx")))
    if minilm:
        outputs = ("last_hidden_state", "sentence_embedding")
        yield Model("minilm", MINILM, make_tokens(30522, 300, True), outputs, frozenset(outputs[:1]))


def draw_encoders(count: int, seed: int, folder: Path) -> Iterator[Model]:
    """Freshly drawn encoders; the name tells the seed."""
    for number in range(seed, seed + count):
        path = folder / f"random-{number}.onnx"
        subprocess.run([sys.executable, HERE / "random_encoder.py", str(number), path], check=True)
        yield encoder(path)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays agree in type, shape and every bit."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def describe(expected: np.ndarray, found: np.ndarray) -> str:
    """Says in what two arrays differ."""
    if expected.dtype != found.dtype or expected.shape != found.shape:
        return f"expected {expected.dtype}{list(expected.shape)}, found {found.dtype}{list(found.shape)}"
    differ = (np.ascontiguousarray(expected).view(np.uint32) != np.ascontiguousarray(found).view(np.uint32)).sum()
    return f"{differ} of {found.size} elements differ, by at most {np.max(np.abs(expected - found)):.2e}"


def variants(inputs: Inputs, lengths: list[int] | None, row: int) -> Iterator[tuple[str, Inputs, int | None]]:
    """The ways to run a row alone: label, inputs and how many positions to compare (None: all)."""
    alone = {name: array[row : row + 1] for name, array in inputs.items()}
    yield "alone", alone, None
    if lengths is not None:
        length = lengths[row]
        yield "alone, not padded", {name: array[:, :length] for name, array in alone.items()}, length


def check(model: Model, tools: Tools, rng: np.random.Generator, folder: Path) -> tuple[int, list[str]]:
    """Returns how many arrays were compared and what differs."""
    artifact = tools.compile(model.path, folder / f"{model.name}.dsa")
    inputs, lengths = model.make(rng)
    rows = len(next(iter(inputs.values())))
    batches = {n: tools.run(artifact, inputs, model.outputs, f"--threads={n}") for n in THREADS}
    reference, compared, wrong = batches[THREADS[0]], 0, []

    def compare(label: str, name: str, expected: np.ndarray, found: np.ndarray) -> None:
        nonlocal compared
        compared += 1
        if not same_bits(expected, found):
            wrong.append(f"{model.name}: {name}, {label}: {describe(expected, found)}")

    for name in model.outputs:
        # rows that are all equal or not finite would make the comparison empty
        if not np.all(np.isfinite(reference[name])) or same_bits(reference[name][0], reference[name][1]):
            wrong.append(f"{model.name}: {name}: the batch's result is not finite or does not depend on its row")
        for threads in THREADS[1:]:
            compare(f"batch on {threads} threads", name, reference[name], batches[threads][name])
    for row in range(rows):
        for label, alone, length in variants(inputs, lengths, row):
            for threads in THREADS:
                results = tools.run(artifact, alone, model.outputs, f"--threads={threads}")
                for name in model.outputs:
                    expected = reference[name][row : row + 1]
                    if length is not None and name in model.sequences:
                        expected = expected[:, :length]
                    compare(f"row {row} {label}, {threads} threads", name, expected, results[name])
    return compared, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_machine_options(parser)
    parser.add_argument("models", nargs="*", help="names of the models to check (all)")
    parser.add_argument("--minilm", action="store_true", help="check all-MiniLM-L6-v2 as well")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="draw N more encoders")
    parser.add_argument("--seed", type=int, default=1, help="of the inputs and the drawn encoders (1)")
    arguments = parser.parse_args()

    tools, passed, failed = Tools.from_arguments(arguments), 0, 0
    with tempfile.TemporaryDirectory(prefix="batch-invariance-") as name:
        folder = Path(name)
        chosen = [*models(arguments.minilm), *draw_encoders(arguments.random, arguments.seed, folder)]
        if arguments.models:
            unknown = set(arguments.models) - {model.name for model in chosen}
            if unknown:
                parser.error(f"no model named {', '.join(sorted(unknown))}; there are {', '.join(m.name for m in chosen)}")
            chosen = [model for model in chosen if model.name in arguments.models]
        for model in chosen:
            try:
                compared, wrong = check(model, tools, np.random.default_rng(arguments.seed), folder)
            except ToolError as error:
                compared, wrong = 0, [f"{model.name}: {error}"]
            passed, failed = (passed + 1, failed) if not wrong else (passed, failed + 1)
            print(f"{'ok  ' if not wrong else 'FAIL'} {model.name}: {compared} comparisons", flush=True)
            for what in wrong[:10]:
                print(f"     {what}")
            if len(wrong) > 10:
                print(f"     … and {len(wrong) - 10} more")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
