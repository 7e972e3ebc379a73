#!/usr/bin/env python3
"""Random chains of linear layers, activations, residuals, normalizations and softmax against numpy in double precision.

What the compiler fuses into products and rows is computed here op by op. Sizes are ragged on purpose: one row, one column,
a tile and one more, and no rows at all. Each model is compiled with fixed and with dynamic dims. Needs the onnx package:
`$(scripts/peers) test/e2e/fused_layers.py --count=40`.
"""

import argparse
import sys
import tempfile
from math import erf
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))

from dstools import ToolError, Tools, add_machine_options  # noqa: E402

ROWS = (0, 1, 2, 3, 5, 6, 7, 8, 17, 47, 48, 49, 96, 130)
COLUMNS = (1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 40, 64, 65, 100)
TOLERANCE = 1e-4


class Chain:
    """A model of some layers and what it computes."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.nodes, self.weights = [], []
        self.rank = int(rng.integers(2, 4))
        self.leading = tuple(int(rng.choice(ROWS)) for _ in range(self.rank - 1))
        if self.rank == 3:
            self.leading = (int(rng.integers(1, 4)), self.leading[1])
        self.width = int(rng.choice(COLUMNS))
        self.x = rng.standard_normal((*self.leading, self.width)).astype(np.float32)
        self.name, self.value = "x", self.x.astype(np.float64)
        for _ in range(int(rng.integers(1, 4))):
            self._layer()

    def _weight(self, *shape: int) -> tuple[str, np.ndarray]:
        value = (self.rng.standard_normal(shape) / max(1, shape[0]) ** 0.5).astype(np.float32)
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name, value.astype(np.float64)

    def _op(self, kind: str, inputs: list[str], value: np.ndarray, **attributes: object) -> None:
        self.name, self.value = f"v{len(self.nodes)}", value
        self.nodes.append(helper.make_node(kind, inputs, [self.name], name=self.name, **attributes))

    def _layer(self) -> None:
        """A product, and what may follow it."""
        before = self.name, self.value
        width = int(self.rng.choice([self.width, *COLUMNS]))
        w, value = self._weight(self.width, width)
        self._op("MatMul", [self.name, w], self.value @ value)
        self.width = width
        if self.rng.random() < 0.7:
            b, value = self._weight(width)
            self._op("Add", [self.name, b], self.value + value)
        kind = self.rng.integers(5)
        if kind == 0:
            self._op("Relu", [self.name], np.maximum(self.value, 0))
        elif kind == 1:
            self._op("Gelu", [self.name], self.value / 2 * (1 + np.vectorize(erf, otypes=[float])(self.value / 2**0.5)))
        elif kind == 2:
            self._op("Tanh", [self.name], np.tanh(self.value))
        if before[1].shape == self.value.shape and self.rng.random() < 0.6:
            self._op("Add", [before[0], self.name], before[1] + self.value)
        kind = self.rng.integers(4)
        if kind == 0:
            scale, s = self._weight(width)
            bias, b = self._weight(width)
            mean = self.value.mean(-1, keepdims=True)
            variance = self.value.var(-1, keepdims=True)
            y = (self.value - mean) / np.sqrt(variance + 1e-2) * s + b
            self._op("LayerNormalization", [self.name, scale, bias], y, axis=-1, epsilon=1e-2)
        elif kind == 1:
            e = np.exp(self.value - self.value.max(-1, keepdims=True))
            self._op("Softmax", [self.name], e / e.sum(-1, keepdims=True), axis=-1)

    def write(self, path: Path, dynamic: bool) -> None:
        """Saves the model, with all leading dims dynamic or fixed."""
        leading = [f"d{i}" for i in range(self.rank - 1)] if dynamic else list(self.leading)
        graph = helper.make_graph(
            self.nodes,
            "chain",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [*leading, self.x.shape[-1]])],
            [helper.make_tensor_value_info(self.name, TensorProto.FLOAT, [*leading, self.width])],
            self.weights,
        )
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=40, help="how many models (40)")
    parser.add_argument("--seed", type=int, default=1)
    add_machine_options(parser)
    arguments = parser.parse_args()
    tools = Tools.from_arguments(arguments)
    failures, largest = [], 0.0
    with tempfile.TemporaryDirectory(prefix="ds-fused-") as folder:
        for number in range(arguments.count):
            chain = Chain(np.random.default_rng([arguments.seed, number]))
            for dynamic in (False, True):
                model = Path(folder) / "chain.onnx"
                chain.write(model, dynamic)
                what = f"model {number}, {'dynamic' if dynamic else 'fixed'}: x is {list(chain.x.shape)}"
                try:
                    artifact = tools.compile(model, Path(folder) / "chain.dsa")
                    found = tools.run(artifact, {"x": chain.x}, [chain.name])[chain.name]
                except ToolError as error:
                    failures.append(f"{what}: {error}")
                    continue
                difference = np.max(np.abs(found - chain.value), initial=0.0)
                largest = max(largest, difference)
                if found.shape != chain.value.shape or not difference <= TOLERANCE:
                    ops = " ".join(node.op_type for node in chain.nodes)
                    failures.append(f"{what}: {ops}: {found.shape}, differs by {difference:.2e}")
    for failure in failures:
        print(failure, file=sys.stderr)
    print(f"{2 * arguments.count - len(failures)} of {2 * arguments.count} agree, largest difference {largest:.1e}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
