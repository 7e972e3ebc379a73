#!/usr/bin/env python3
"""Constant weights of heads, some of them 0, against numpy: what the compiler folds into weights gives what the graph says,
and heads of weight 0 take no weights in the artifact. Needs the onnx package (`scripts/peers`).
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]

from dstools import Tools, add_machine_options  # noqa: E402
from random_encoder import Builder, Config  # noqa: E402

# heads, of which these are used, whether the shapes of reshapes are computed
CASES = [(4, (0, 2), "zero"), (4, (1, 2, 3), "shape"), (3, (), "zero"), (2, (0, 1), "shape")]
SIZE = 16  # elements of a head


class Weighted(Builder):
    """Attention whose heads have weights."""

    def __init__(self, config: Config, weights: np.ndarray) -> None:
        super().__init__(config, np.random.default_rng(7))
        self.head_weights = weights

    def op(self, kind: str, *inputs: str, name: str | None = None, **attributes) -> str:
        result = super().op(kind, *inputs, name=name, **attributes)
        is_context = kind == "MatMul" and inputs[0].startswith("softmax")
        return super().op("Mul", result, self.constant(self.head_weights[None, :, None, None])) if is_context else result


def make(heads: int, weights: np.ndarray, reshape: str) -> onnx.ModelProto:
    """`y` = attention of `x`, both f32[batch, sequence, heads * SIZE]."""
    builder = Weighted(Config(heads * SIZE, heads, 1, 1, reshape=reshape), weights)
    builder.op("Identity", builder.attention("x", "attention", None), name="y")
    port = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "sequence", heads * SIZE])  # noqa: E731
    return builder.model("head_weights", [port("x")], [port("y")])


def expected(model: onnx.ModelProto, heads: int, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The same in numpy."""
    tensors = {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in model.graph.initializer}
    linear = lambda x, part: x @ tensors[f"attention.{part}.weight"] + tensors[f"attention.{part}.bias"]  # noqa: E731
    q, k, v = (
        linear(x, part).reshape(*x.shape[:2], heads, SIZE).transpose(0, 2, 1, 3) for part in ("query", "key", "value")
    )
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(SIZE)
    weight = np.exp(scores - scores.max(-1, keepdims=True))
    context = weight / weight.sum(-1, keepdims=True) @ v * weights[:, None, None]
    return linear(context.transpose(0, 2, 1, 3).reshape(x.shape), "output")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_machine_options(parser)
    tools = Tools.from_arguments(parser.parse_args())
    failures = 0
    with tempfile.TemporaryDirectory(prefix="ds-heads-") as folder:
        for heads, used, reshape in CASES:
            rng = np.random.default_rng(heads)
            weights = np.where(np.isin(np.arange(heads), used), rng.uniform(0.5, 2, heads), 0).astype(np.float32)
            model = make(heads, weights, reshape)
            source = Path(folder) / "model.onnx"
            onnx.save(model, source)
            artifact = tools.compile(source, Path(folder) / "model.dsa")
            ir = Path(folder) / "raised.mlir"
            tools.call("ds-compile", [source, "--compile-to=raise", "-o", ir])
            x = rng.standard_normal((2, 5, heads * SIZE), np.float32)
            found = tools.run(artifact, {"x": x}, ["y"])["y"]
            difference = np.abs(found - expected(model, heads, weights, x)).max()
            left = max(len(used), 1)  # an attention has a head
            wrong = []
            if difference > 1e-5:
                wrong.append(f"differs by {difference:.1e}")
            if "head_weight" in ir.read_text() or f"x{left}x?x{SIZE}xf32" not in ir.read_text():
                wrong.append(f"expected {left} heads without weights")
            failures += bool(wrong)
            print(f"{len(used)} of {heads} heads, {reshape}: {'; '.join(wrong) or 'ok'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
