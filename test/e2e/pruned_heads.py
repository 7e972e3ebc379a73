#!/usr/bin/env python3
"""A model that ds-compile --prune-heads has taken heads out of equals, in ONNX Runtime, the graph in which these heads have
weight 0; which heads leave is what numpy says of the weights, and the cost that is told is the difference to the whole graph.
Needs onnx and ONNX Runtime (`scripts/peers`).
"""

import argparse
import dataclasses
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]

from dstools import Tools, add_machine_options  # noqa: E402
from random_encoder import Builder, Config  # noqa: E402
from zeroed_heads import weigh  # noqa: E402

SIZE, LAYERS = 16, 2  # elements of a head
TOLERANCE = 1e-5


@dataclasses.dataclass(frozen=True)
class Case:
    heads: int
    key_heads: int
    threshold: float
    reshape: str = "zero"
    fused: bool = False  # query, key and value from one layer
    weights: tuple[float, ...] = ()  # constant ones of the heads in the model itself


CASES = [
    Case(4, 4, 0.5),
    Case(6, 6, 0.8, reshape="shape"),
    Case(4, 4, 1.0, reshape="shape"),
    Case(4, 4, 0.5, fused=True),
    Case(8, 2, 0.7, reshape="shape"),
    Case(6, 1, 0.6),
    Case(8, 4, 0.9),
    Case(4, 4, 0.4, weights=(1.0, 0.2, 0.0, 2.0)),
]


class Layers(Builder):
    """Attention layers with residuals, whose heads matter more or less."""

    def __init__(self, case: Case) -> None:
        hidden = case.heads * SIZE
        super().__init__(Config(hidden, case.heads, LAYERS, 1, reshape=case.reshape), np.random.default_rng(case.heads))
        self.case = case

    def attention(self, x: str, name: str, mask: str | None) -> str:
        case, hidden = self.case, self.config.hidden
        key_width = case.key_heads * SIZE
        if case.fused:
            parts = self.constant([hidden, key_width, key_width], np.int64)
            rows = self.linear(x, f"{name}.all", hidden, hidden + 2 * key_width)
            outputs = [f"{name}.{part}" for part in ("query", "key", "value")]
            self.nodes.append(helper.make_node("Split", [rows, parts], outputs, axis=-1))
            query, key, value = outputs
        else:
            query = self.linear(x, f"{name}.query", hidden, hidden)
            key, value = (self.linear(x, f"{name}.{part}", hidden, key_width) for part in ("key", "value"))
        query, key, value = (
            self.op("Transpose", self.reshape(rows, heads, SIZE), perm=[0, 2, 1, 3])
            for rows, heads in ((query, case.heads), (key, case.key_heads), (value, case.key_heads))
        )
        if case.key_heads < case.heads:
            key, value = self.repeat(key), self.repeat(value)
        scores = self.op("MatMul", query, self.op("Transpose", key, perm=[0, 1, 3, 2]))
        scores = self.op("Div", scores, self.constant(np.sqrt(SIZE)))
        context = self.op("MatMul", self.op("Softmax", scores, axis=-1), value)
        return self.linear(
            self.reshape(self.op("Transpose", context, perm=[0, 2, 1, 3]), hidden), f"{name}.output", hidden, hidden
        )

    def repeat(self, heads: str) -> str:
        """Each key head for the query heads of its group."""
        group = self.case.heads // self.case.key_heads
        repeated = self.op("Unsqueeze", heads, self.constant([2], np.int64))
        repeated = self.op("Expand", repeated, self.constant([1, 1, group, 1, 1], np.int64))
        return self.op("Reshape", repeated, self.constant([0, self.case.heads, -1, SIZE], np.int64))


def make(case: Case) -> onnx.ModelProto:
    """`y` of `x`, both f32[batch, sequence, heads * SIZE]. Rows of output projections differ in size."""
    builder = Layers(case)
    x = "x"
    for layer in range(LAYERS):
        x = builder.op("Add", x, builder.attention(x, f"layer{layer}", None))
    builder.op("Identity", x, name="y")
    rng = np.random.default_rng(1)
    for name, tensor in builder.weights.items():
        if name.endswith("output.weight"):
            scale = np.repeat(rng.uniform(0.1, 1, case.heads), SIZE)[:, None].astype(np.float32)
            builder.weights[name] = numpy_helper.from_array(numpy_helper.to_array(tensor) * scale, name)
    port = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "sequence", case.heads * SIZE])  # noqa: E731
    model = builder.model("pruned_heads", [port("x")], [port("y")])
    if case.weights:
        weigh(model, [np.array(case.weights)])
    return model


def importance(model: onnx.ModelProto, case: Case, layer: int) -> np.ndarray:
    """By the definition, with the whole product of each head."""
    tensors = {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in model.graph.initializer}
    part = "all" if case.fused else "value"
    value = np.concatenate([tensors[f"layer{layer}.{part}.weight"], tensors[f"layer{layer}.{part}.bias"][None]])
    value = value[:, -case.key_heads * SIZE :].reshape(-1, case.key_heads, SIZE)
    output = tensors[f"layer{layer}.output.weight"].reshape(case.heads, SIZE, -1)
    group = case.heads // case.key_heads
    norms = np.array([np.linalg.norm(value[:, head // group] @ output[head]) for head in range(case.heads)])
    norms *= np.abs(case.weights or 1)
    return norms / norms.max()


def pruned(values: np.ndarray, case: Case) -> list[int]:
    """The heads that leave: those below the threshold, but as many of each group that has others."""
    groups = np.arange(case.heads).reshape(case.key_heads, -1).tolist()
    groups = [sorted(group, key=lambda head: -values[head]) for group in groups]
    used = [sum(values[head] >= case.threshold for head in group) for group in groups]
    return sorted(head for group, count in zip(groups, used) for head in group[max(used) if count else 0 :])


def check(tools: Tools, case: Case, folder: Path) -> list[str]:
    """What is wrong."""
    whole, zeroed = make(case), make(case)
    gone = [pruned(importance(whole, case, layer), case) for layer in range(LAYERS)]
    weigh(zeroed, [np.where(np.isin(np.arange(case.heads), heads), 0, 1) for heads in gone])
    source, artifact = folder / "model.onnx", folder / "model.dsa"
    onnx.save(whole, source)
    rng = np.random.default_rng(2)
    data = folder / "data"
    data.mkdir(exist_ok=True)
    batches = [rng.standard_normal((batch, 9, case.heads * SIZE), np.float32) for batch in (1, 3)]
    for number, x in enumerate(batches):
        (np.savez_compressed if number else np.savez)(data / f"{number}.npz", x=x)
    arguments = [source, "-o", artifact, f"--prune-heads={case.threshold}", f"--calibrate={data}"]
    done = subprocess.run(tools.command("ds-compile", arguments), capture_output=True, text=True, check=False)
    if done.returncode:
        return [done.stderr]
    with zipfile.ZipFile(artifact) as file:
        found = [layer["heads"] for layer in json.loads(file.read("manifest.json")).get("pruned_heads", [])]
    wrong = [] if found == [heads for heads in gone if heads] else [f"heads {found} left, expected {gone}"]
    whole_run, zeroed_run = (
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]) for model in (whole, zeroed)
    )
    squares = np.zeros(2)
    largest = 0.0
    for x in batches:
        (expected,), (full,) = zeroed_run.run(["y"], {"x": x}), whole_run.run(["y"], {"x": x})
        result = tools.run(artifact, {"x": x}, ["y"])["y"]
        if not (error := np.abs(result - expected).max()) <= TOLERANCE * np.abs(expected).max():
            wrong.append(f"differs by {error:.1e} from the graph with weights of 0")
        squares += [np.square(expected - full, dtype=np.float64).sum(), np.square(full, dtype=np.float64).sum()]
        largest = max(largest, np.abs(expected - full).max())
    cost = [float(np.sqrt(squares[0] / squares[1])), float(largest)]
    told = re.search(r"^ *y +(\S+) +(\S+)$", done.stderr, re.M)
    if any(gone) and not (told and np.allclose([float(text) for text in told.groups()], cost, rtol=0.01)):
        wrong.append(f"cost told as {told and told.groups()}, is {cost}")
    tools.call("ds-run", [artifact, "--self-test"])
    print(f"{case}: {sum(map(len, gone))} of {LAYERS * case.heads} heads, {'; '.join(wrong) or 'ok'}", flush=True)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_machine_options(parser)
    tools = Tools.from_arguments(parser.parse_args())
    with tempfile.TemporaryDirectory(prefix="ds-pruned-") as folder:
        wrong = [what for case in CASES for what in check(tools, case, Path(folder))]
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
