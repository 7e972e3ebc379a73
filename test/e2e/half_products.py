#!/usr/bin/env python3
"""Random products and attention in half precision against numpy in double precision.

Linear layers, products of two activations and attention in f16 and bf16, with ragged sizes: odd depths (pairs of bf16 that
are not complete), one row, a tile and one more. All is summed in f32 and rounded once, so results may differ from the exact
ones by half a unit in the last place and what f32 sums lose. A part of the rows, run alone, must give the same bits. Needs
the onnx package: `$(scripts/peers) test/e2e/half_products.py --count=40`.
"""

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path

import ml_dtypes
import numpy as np
from onnx import TensorProto, helper, save

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from dstools import ToolError, Tools, add_machine_options  # noqa: E402

ROWS = (1, 2, 5, 6, 7, 8, 17, 47, 48, 49, 96, 130)
COLUMNS = (1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 65, 100)
DEPTHS = (1, 2, 3, 16, 31, 33, 64, 127, 130)
HALVES = {
    "f16": (np.float16, TensorProto.FLOAT16, 2.0**-11),
    "bf16": (ml_dtypes.bfloat16, TensorProto.BFLOAT16, 2.0**-8),
}


@dataclasses.dataclass
class Case:
    """One node between casts, what it is given and what it must give. Dim 0 of `x` counts independent rows."""

    name: str
    nodes: list
    weights: list
    inputs: dict[str, np.ndarray]  # f32, of values that the half type has
    splits: tuple[str, ...]  # the inputs whose dim 0 is that of x
    y: np.ndarray
    magnitude: np.ndarray  # the sum of the absolute values of what y sums


class Maker:
    """Draws cases of one element type."""

    def __init__(self, rng: np.random.Generator, half: str) -> None:
        self.rng = rng
        self.half = half
        self.numpy_type, self.onnx_type, self.unit = HALVES[half]

    def pick(self, choices: tuple[int, ...]) -> int:
        return int(self.rng.choice(choices))

    def values(self, *shape: int, scale: float = 1) -> np.ndarray:
        drawn = (self.rng.standard_normal(shape) * scale).astype(self.numpy_type)
        return drawn.astype(np.float32)

    def tensor(self, name: str, value: np.ndarray) -> object:
        return helper.make_tensor(name, self.onnx_type, value.shape, value.astype(self.numpy_type).tobytes(), raw=True)

    def linear(self) -> Case:
        m, k, n = self.pick(ROWS), self.pick(DEPTHS), self.pick(COLUMNS)
        x, w, bias = self.values(m, k), self.values(k, n, scale=k**-0.5), self.values(n)
        nodes = [helper.make_node("MatMul", ["x", "w"], ["product"], name="product")]
        weights = [self.tensor("w", w)]
        exact = x.astype(np.float64) @ w
        magnitude = np.abs(x).astype(np.float64) @ np.abs(w)
        if self.rng.random() < 0.5:
            nodes = [helper.make_node("Gemm", ["x", "w", "bias"], ["product"], name="product")]
            weights.append(self.tensor("bias", bias))
            exact = exact + bias
        nodes.append(helper.make_node("Cast", ["product"], ["y"], to=TensorProto.FLOAT))
        return Case(f"linear {m} x {k} x {n}", nodes, weights, {"x": x}, ("x",), exact, magnitude)

    def product(self) -> Case:
        b, m, k, n = self.pick((1, 2, 3)), self.pick(ROWS), self.pick(DEPTHS), self.pick(COLUMNS)
        x, z = self.values(b, m, k), self.values(b, k, n, scale=k**-0.5)
        nodes = [
            helper.make_node("MatMul", ["x", "z"], ["product"], name="product"),
            helper.make_node("Cast", ["product"], ["y"], to=TensorProto.FLOAT),
        ]
        exact = x.astype(np.float64) @ z
        magnitude = np.abs(x).astype(np.float64) @ np.abs(z)
        return Case(f"product {b} x {m} x {k} x {n}", nodes, [], {"x": x, "z": z}, ("x", "z"), exact, magnitude)

    def attention(self) -> Case:
        b, heads = self.pick((1, 2, 3)), self.pick((1, 2, 4))
        t, s, d, dv = self.pick(ROWS), self.pick(ROWS), self.pick((1, 3, 16, 33, 64)), self.pick((1, 5, 16, 40))
        x, key, value = self.values(b, heads, t, d), self.values(b, heads, s, d), self.values(b, heads, s, dv)
        inputs = {"x": x, "key": key, "value": value}
        scale = self.values(1, scale=d**-0.5)
        nodes = [
            helper.make_node("Transpose", ["key"], ["turned"], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", ["x", "turned"], ["scores"]),
            helper.make_node("Mul", ["scores", "scale"], ["scaled"]),
        ]
        scores = x.astype(np.float64) @ key.swapaxes(-1, -2) * scale
        last = "scaled"
        if self.rng.random() < 0.5:
            inputs["bias"] = self.values(t, s)
            nodes.append(helper.make_node("Add", [last, "bias"], ["biased"]))
            scores, last = scores + inputs["bias"], "biased"
        nodes += [
            helper.make_node("Softmax", [last], ["p"], axis=-1),
            helper.make_node("MatMul", ["p", "value"], ["product"], name="product"),
            helper.make_node("Cast", ["product"], ["y"], to=TensorProto.FLOAT),
        ]
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        name = f"attention {b} x {heads} x {t} x {s} x {d}, {dv}{' biased' if 'bias' in inputs else ''}"
        weights = [self.tensor("scale", scale)]
        return Case(name, nodes, weights, inputs, ("x", "key", "value"), p @ value, p @ np.abs(value))

    def write(self, case: Case, path: Path, dynamic: bool) -> None:
        """Saves the model, with all dims of the inputs but the last dynamic, or none."""
        inputs, casts, rename = [], [], {}
        for name, value in case.inputs.items():
            dims = [f"{name}{i}" for i in range(value.ndim - 1)] if dynamic else list(value.shape[:-1])
            inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [*dims, value.shape[-1]]))
            casts.append(helper.make_node("Cast", [name], [f"{name}_half"], to=self.onnx_type))
            rename[name] = f"{name}_half"
        for node in case.nodes:
            node.input[:] = [rename.get(name, name) for name in node.input]
        output = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        graph = helper.make_graph([*casts, *case.nodes], "half", inputs, [output], case.weights)
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=11), path)


def check(tools: Tools, case: Case, maker: Maker, model: Path, dynamic: bool) -> str:
    """What is wrong with the results, or nothing."""
    artifact = tools.compile(model, model.with_suffix(".dsa"))
    found = tools.run(artifact, case.inputs, ["y"])["y"]
    if found.shape != case.y.shape:
        return f"expected a result of {case.y.shape}, found {found.shape}"
    allowed = 1.01 * maker.unit * np.abs(case.y) + 2e-6 * case.magnitude + 1e-7
    excess = float(np.max(np.abs(found - case.y) / allowed, initial=0))
    if not excess <= 1:
        return f"differs by {excess:.2f} of what rounding explains"
    rows = len(case.y)
    if dynamic and rows > 1:
        part = {name: value[: rows // 2] if name in case.splits else value for name, value in case.inputs.items()}
        alone = tools.run(artifact, part, ["y"])["y"]
        if not np.array_equal(alone, found[: rows // 2]):
            return "rows run alone differ"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=40, help="how many models of each type (40)")
    parser.add_argument("--seed", type=int, default=1)
    add_machine_options(parser)
    arguments = parser.parse_args()
    tools = Tools.from_arguments(arguments)
    failures, runs = [], 0
    with tempfile.TemporaryDirectory(prefix="ds-half-") as folder:
        model = Path(folder) / "half.onnx"
        for half in HALVES:
            for number in range(arguments.count):
                maker = Maker(np.random.default_rng([arguments.seed, number]), half)
                case = (maker.linear, maker.product, maker.attention)[number % 3]()
                for dynamic in (False, True):
                    runs += 1
                    maker.write(case, model, dynamic)
                    try:
                        wrong = check(tools, case, maker, model, dynamic)
                    except ToolError as error:
                        wrong = str(error)
                    if wrong:
                        failures.append(f"{half} {case.name}, {'dynamic' if dynamic else 'fixed'}: {wrong}")
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{runs - len(failures)} of {runs} agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
