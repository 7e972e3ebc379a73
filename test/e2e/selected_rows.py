#!/usr/bin/env python3
"""Models of which few rows are read give ONNX Runtime's outputs, and compute no others in their last layer. Needs the onnx
and onnxruntime packages (`scripts/peers`).

Random encoders, also in spellings of their own, and graphs of model families get one output that selects rows of the last
hidden state or of the logits, in each way that exporters write. With known sizes the last attention must have as many query
rows as are selected, or all where they cannot be told apart or are too many, and padding must still be left out where the
first rows are selected; a dynamic artifact must agree with ONNX Runtime, give each row of a batch the bits that it has alone,
with its padding and without, and the same with padding left out as with padding computed.
"""

import argparse
import dataclasses
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]

import random_encoder  # noqa: E402
from batch_invariance import describe, same_bits  # noqa: E402
from dstools import ToolError, Tools, add_machine_options  # noqa: E402
from unpad import make_mask  # noqa: E402

LENGTH, LONG, ROWS = 9, 700, 5  # of sequences, where they are known, and of batches
TOLERANCE = 1e-4  # of the largest element
FAR = np.iinfo(np.int64).max


@dataclasses.dataclass(frozen=True)
class Selection:
    """An op that selects rows of a dim, and which they are."""

    op: str
    numbers: tuple[int, ...] | int  # indices, or start and end
    computed: int | None  # query rows of the last attention; None: all

    def append(self, graph: onnx.GraphProto, data: str, axis: int) -> str:
        """Adds the op to a graph; the name of its result."""

        def constant(name: str, numbers: object) -> str:
            graph.initializer.append(numpy_helper.from_array(np.array(numbers, np.int64), f"selected_{name}"))
            return f"selected_{name}"

        if self.op == "Gather":
            node = helper.make_node("Gather", [data, constant("rows", self.numbers)], ["selected"], axis=axis)
        else:
            start, end = self.numbers
            inputs = [constant("start", [start]), constant("end", [end]), constant("axis", [axis])]
            node = helper.make_node("Slice", [data, *inputs], ["selected"])
        node.name = "select"
        graph.node.append(node)
        return "selected"


FIRST, LAST = Selection("Gather", 0, 1), Selection("Gather", -1, 1)
SELECTIONS = {
    "first": FIRST,
    "first of one": Selection("Gather", (0,), 1),
    "first as slice": Selection("Slice", (0, 1), 1),
    "last": LAST,
    "last as slice": Selection("Slice", (-1, FAR), 1),
    "last three": Selection("Slice", (-3, FAR), 3),
    "some": Selection("Slice", (2, 5), 3),
    "a list": Selection("Gather", (4, 0, -1), 3),
    "but the first": Selection("Slice", (1, FAR), None),
    "most": Selection("Gather", (0, 1, 2, 3, 4), None),
}


class Spelled(random_encoder.Builder):
    """Attention in one of the ways in which encoders lay out its rows before it."""

    def __init__(self, spelling: str, config: random_encoder.Config, seed: int) -> None:
        super().__init__(config, np.random.default_rng(seed))
        self.spelling = spelling

    def heads(self, x: str, name: str) -> list[str]:
        """Query, key and value f32[batch, heads, sequence, hidden / heads]."""
        hidden, heads = self.config.hidden, self.config.heads
        size = hidden // heads
        if self.spelling == "one product":
            shape = self.constant([0, 0, 3, heads, size], np.int64)
            parts = self.op("Reshape", self.linear(x, name, hidden, 3 * hidden), shape)
            parts = self.op("Transpose", parts, perm=[2, 0, 3, 1, 4])
            return [self.op("Gather", parts, self.constant(part, np.int64), axis=0) for part in range(3)]
        parts = [self.reshape(self.linear(x, f"{name}.{part}", hidden, hidden), heads, size) for part in "qkv"]
        query, key, value = (self.op("Transpose", part, perm=[0, 2, 1, 3]) for part in parts)
        if self.spelling == "normalized":
            config = dataclasses.replace(self.config, hidden=size)
            self.config, before = config, self.config
            query, key = self.norm(query, f"{name}.query"), self.norm(key, f"{name}.key")
            self.config = before
        return [query, query if self.spelling == "shared" else key, value]

    def attention(self, x: str, name: str, mask: str | None) -> str:
        hidden, size = self.config.hidden, self.config.hidden // self.config.heads
        if self.spelling == "a mask for each layer":
            wide = self.op("Unsqueeze", "attention_mask", self.constant([1, 2], np.int64))
            masked = self.op("Sub", self.constant(1.0), self.op("Cast", wide, to=onnx.TensorProto.FLOAT))
            mask = self.op("Mul", masked, self.constant(-10000.0 - int(name.split(".")[1])))
        query, key, value = self.heads(x, name)
        scores = self.op("MatMul", query, self.op("Transpose", key, perm=[0, 1, 3, 2]))
        scores = self.op("Add", self.op("Div", scores, self.constant(np.sqrt(size))), mask)
        context = self.op("MatMul", self.op("Softmax", scores, axis=-1), value)
        joined = self.reshape(self.op("Transpose", context, perm=[0, 2, 1, 3]), hidden)
        return self.linear(joined, f"{name}.output", hidden, hidden)


SPELLINGS = ("one product", "normalized", "shared", "a mask for each layer")
# Causal attention counts positions from the last row; where it is a mask with a row for each query, as with known sizes, any
# can be selected.
FAMILIES = {
    "gpt2-eager": {"last": LAST, "last three": SELECTIONS["last three"], "first": FIRST},
    "gpt2-sdpa-dynamo23": {"last": LAST, "first": FIRST},
    "llama-eager": {"last": LAST, "some": SELECTIONS["some"]},
    "qwen3-sdpa-dynamo": {"last": LAST, "first": FIRST},
    "smollm-sdpa": {"last as slice": SELECTIONS["last as slice"]},
    "vit-eager": {"first": FIRST},
    "distilbert-sdpa-dynamo": {"first": FIRST, "but the first": SELECTIONS["but the first"]},
}


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    model: onnx.ModelProto
    inputs: dict[str, np.ndarray]
    length: int  # of sequences
    computed: int | None
    mask: np.ndarray | None = None  # which tokens are no padding
    packed: bool = False  # whether padding can be left out


def select(model: onnx.ModelProto, output: str, selection: Selection) -> onnx.ModelProto:
    """The model with the selected rows of an output as the only one."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    element = next(port for port in graph.output if port.name == output).type.tensor_type.elem_type
    name = selection.append(graph, output, axis=1)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(name, element, None))
    return result


def encoder(
    name: str, model: onnx.ModelProto, selection: Selection, rng: np.random.Generator, length: int = LENGTH
) -> Case:
    """A case of an encoder with random inputs."""
    mask = make_mask(rng, ROWS, length)
    inputs = {"input_ids": rng.integers(0, 50, mask.shape) * (mask == 1), "attention_mask": mask}
    packed = selection.numbers in (0, (0,), (0, 1))  # the first token is no padding
    return Case(name, select(model, "hidden", selection), inputs, length, selection.computed, mask, packed)


def encoders(count: int, seed: int) -> Iterator[Case]:
    """Random encoders, each with the next selections, and one of each spelling."""
    names = list(SELECTIONS)
    for number in range(seed, seed + count):
        rng = np.random.default_rng(number)
        model = random_encoder.build(random_encoder.draw(rng), number)
        for name in (names[2 * number % len(names)], names[(2 * number + 1) % len(names)]):
            yield encoder(f"encoder {number}, {name}", model, SELECTIONS[name], rng)
    for spelling in SPELLINGS:
        config = random_encoder.Config(hidden=32, heads=2, layers=2, intermediate=40, mask="ten-thousand")
        model = random_encoder.build(config, seed, Spelled(spelling, config, seed))
        yield encoder(f"{spelling}, first", model, FIRST, np.random.default_rng(seed))
    # of more keys than attention of few rows has in one part
    config = random_encoder.Config(hidden=16, heads=1, layers=2, intermediate=16, positions=LONG)
    rng = np.random.default_rng(seed)
    yield encoder("long, first as slice", random_encoder.build(config, seed), SELECTIONS["first as slice"], rng, LONG)


def families() -> Iterator[Case]:
    """Graphs of transformers' exporters."""
    for stem, selections in FAMILIES.items():
        path = HERE / "families" / "graphs" / f"{stem}.onnx"
        model, data = onnx.load(path), np.load(path.with_suffix(".npz"))
        output = model.graph.output[0].name
        inputs = {port.name: data[f"b/in/{port.name}"] for port in model.graph.input}
        length = data[f"b/out/{output}"].shape[1]
        for name, selection in selections.items():
            yield Case(f"{stem}, {name}", select(model, output, selection), inputs, length, selection.computed)


def check_raised(case: Case, path: Path, tools: Tools) -> list[str]:
    """What is wrong with the query rows of the last attention, where sizes are known, and with padding."""
    sizes = {
        dim.dim_param: length
        for port in case.model.graph.input
        for dim, length in zip(port.type.tensor_type.shape.dim, case.inputs[port.name].shape)
        if dim.dim_param
    }
    flags = [f"--dim={name}={size}" for name, size in sizes.items()]
    text = tools.call("ds-compile", [path, "--compile-to=raise", "--padding=compute", *flags])
    rows = re.findall(r"ds\.attention .*-> tensor<\d+x\d+x(\d+)x\d+xf32>", text)
    expected = case.computed or case.length
    wrong = [] if rows and int(rows[-1]) == expected else [f"query rows are {rows}, expected {expected} of the last"]
    if case.packed and "ds.row_offsets" not in tools.call("ds-compile", [path, "--compile-to=raise"]):
        wrong.append("padding is computed")
    return wrong


def check_alone(case: Case, tools: Tools, artifact: Path, found: np.ndarray) -> list[str]:
    """What is wrong with the bits of each row of a batch alone, and without its padding."""
    wrong = []
    for row, among in enumerate(found):
        alone = {name: array[row : row + 1] for name, array in case.inputs.items()}
        result = tools.run(artifact, alone, ["selected"])["selected"][0]
        if not same_bits(among, result):
            wrong.append(f"row {row} alone: {describe(among, result)}")
        length = np.count_nonzero(case.mask[row] == 1) if case.packed else 0
        if length and (case.mask[row, :length] == 1).all():
            cut = {name: array[:, :length] for name, array in alone.items()}
            result = tools.run(artifact, cut, ["selected"])["selected"][0]
            if not same_bits(among, result):
                wrong.append(f"row {row} without padding: {describe(among, result)}")
    return wrong


def check(case: Case, tools: Tools, folder: Path) -> list[str]:
    """What is wrong with a case."""
    path = folder / "model.onnx"
    onnx.save(case.model, path)
    wrong = check_raised(case, path, tools)
    session = onnxruntime.InferenceSession(case.model.SerializeToString(), providers=["CPUExecutionProvider"])
    (reference,) = session.run(None, case.inputs)
    artifact = tools.compile(path, folder / "model.dsa", "-O0")
    found = tools.run(artifact, case.inputs, ["selected"], "--threads=2")["selected"]
    # Of masks without a 1, or with numbers beside it, none is asked for: infinities make NaN, and 10^4 rounds scores.
    meant = np.isfinite(reference)
    if case.mask is not None:
        meant[~case.mask.any(1) | (case.mask > 1).any(1)] = False
    error = np.inf
    if found.shape == reference.shape:
        error = np.abs(found - reference)[meant].max() / np.abs(reference[meant]).max()
    if not error <= TOLERANCE or np.isfinite(found).sum() < meant.sum():
        wrong.append(f"{found.shape} differs from ONNX Runtime's {reference.shape} by {error:.1e} of its maximum")
    wrong += check_alone(case, tools, artifact, found)
    if case.mask is not None:
        whole = tools.compile(path, folder / "whole.dsa", "--padding=compute", "-O0")
        result = tools.run(whole, case.inputs, ["selected"])["selected"]
        if not same_bits(result, found):
            wrong.append(f"with padding computed: {describe(result, found)}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_machine_options(parser)
    parser.add_argument("--encoders", type=int, default=5, help="how many are drawn")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tools, failed = Tools.from_arguments(arguments), 0
    with tempfile.TemporaryDirectory(prefix="selected-rows-") as folder:
        for case in (*encoders(arguments.encoders, arguments.seed), *families()):
            try:
                wrong = check(case, tools, Path(folder))
            except ToolError as error:
                wrong = [str(error)]
            failed += bool(wrong)
            print("FAIL" if wrong else "ok  ", case.name, *(f"\n     {what}" for what in wrong[:10]), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
