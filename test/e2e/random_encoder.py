#!/usr/bin/env python3
"""Makes small BERT-like encoders with random weights as ONNX files. Needs the onnx package (`scripts/peers`).

    random_encoder.py                 writes the checked-in ones to test/e2e/models/
    random_encoder.py SEED FILE       writes one whose shape and spelling are drawn from SEED

All take `input_ids` and `attention_mask` i64[batch, sequence] and give `hidden` f32[batch, sequence, H] and `pooled`
f32[batch, H]. They differ in size, in where they normalise and in how exporters spell the same arithmetic.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MODELS = Path(__file__).resolve().parent / "models"


@dataclasses.dataclass(frozen=True)
class Config:
    """The shape of an encoder and the spelling of its graph."""

    hidden: int
    heads: int
    layers: int
    intermediate: int
    pre_norm: bool = False
    gelu: str = "erf"  # erf, tanh, op, relu
    mask: str = "finfo"  # finfo, ten-thousand, where
    norm: str = "op"  # op, decomposed
    reshape: str = "zero"  # zero: constants with 0 and -1; shape: dims read at run time
    scale: str = "div"  # div: scores / sqrt(d); mul: query * 1/sqrt(d)
    pool: str = "mean"  # mean over the kept tokens, first token
    vocabulary: int = 50
    positions: int = 64

    @property
    def opset(self) -> int:
        """The smallest opset of 13, 17 and 20 that has the operations."""
        return 20 if self.gelu == "op" else 17 if self.norm == "op" else 13


CHECKED_IN = {
    "encoder-post-norm": Config(hidden=32, heads=4, layers=2, intermediate=64, reshape="shape"),
    "encoder-pre-norm-tanh": Config(hidden=24, heads=3, layers=2, intermediate=100, pre_norm=True, gelu="tanh", scale="mul"),
    "encoder-one-head": Config(hidden=17, heads=1, layers=1, intermediate=37, mask="ten-thousand", gelu="relu", pool="first"),
    "encoder-bool-mask": Config(hidden=40, heads=5, layers=1, intermediate=80, mask="where", gelu="op", reshape="shape"),
    "encoder-opset-13": Config(hidden=30, heads=6, layers=2, intermediate=60, norm="decomposed", mask="ten-thousand"),
    "encoder-odd-head": Config(hidden=33, heads=3, layers=1, intermediate=130, pre_norm=True, norm="decomposed", scale="mul"),
}


def draw(rng: np.random.Generator) -> Config:
    """A random configuration."""
    heads = int(rng.integers(1, 7))
    hidden = heads * int(rng.integers(2, 25))
    pick = lambda *options: options[rng.integers(len(options))]  # noqa: E731
    return Config(
        hidden=hidden,
        heads=heads,
        layers=int(rng.integers(1, 4)),
        intermediate=int(rng.integers(1, 4 * hidden + 1)),
        pre_norm=bool(rng.integers(2)),
        gelu=pick("erf", "tanh", "op", "relu"),
        mask=pick("finfo", "ten-thousand", "where"),
        norm=pick("op", "decomposed"),
        reshape=pick("zero", "shape"),
        scale=pick("div", "mul"),
        pool=pick("mean", "first"),
    )


class Builder:
    """Collects nodes and initializers; every method returns the name of its result."""

    def __init__(self, config: Config, rng: np.random.Generator) -> None:
        self.config, self.rng = config, rng
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.weights: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: str, name: str | None = None, **attributes) -> str:
        result = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [result], name=f"node_{result}", **attributes))
        return result

    def constant(self, value, dtype=np.float32) -> str:
        array = np.asarray(value, dtype)
        for name, tensor in self.constants.items():
            known = numpy_helper.to_array(tensor)
            if known.dtype == array.dtype and known.shape == array.shape and known.tobytes() == array.tobytes():
                return name
        name = f"constant_{len(self.constants)}"
        self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def weight(self, name: str, *shape: int, mean: float = 0.0, scale: float | None = None) -> str:
        scale = 1 / np.sqrt(shape[0]) if scale is None else scale
        array = (mean + scale * self.rng.standard_normal(shape)).astype(np.float32)
        self.weights[name] = numpy_helper.from_array(array, name)
        return name

    def linear(self, x: str, name: str, rows: int, columns: int) -> str:
        product = self.op("MatMul", x, self.weight(f"{name}.weight", rows, columns))
        return self.op("Add", self.weight(f"{name}.bias", columns, scale=0.1), product)

    def norm(self, x: str, name: str) -> str:
        hidden = self.config.hidden
        gain = self.weight(f"{name}.weight", hidden, mean=1.0, scale=0.1)
        bias = self.weight(f"{name}.bias", hidden, scale=0.1)
        if self.config.norm == "op":
            return self.op("LayerNormalization", x, gain, bias, axis=-1, epsilon=1e-12)
        centred = self.op("Sub", x, self.mean(x))
        variance = self.mean(self.op("Pow", centred, self.constant(2.0)))
        deviation = self.op("Sqrt", self.op("Add", variance, self.constant(1e-12)))
        return self.op("Add", self.op("Mul", self.op("Div", centred, deviation), gain), bias)

    def mean(self, x: str) -> str:
        if self.config.opset < 18:
            return self.op("ReduceMean", x, axes=[-1], keepdims=1)
        return self.op("ReduceMean", x, self.constant([-1], np.int64), keepdims=1)

    def activation(self, x: str) -> str:
        kind = self.config.gelu
        if kind == "relu":
            return self.op("Relu", x)
        if kind == "op":
            return self.op("Gelu", x)
        if kind == "erf":
            erf = self.op("Erf", self.op("Div", x, self.constant(np.sqrt(2))))
            return self.op("Mul", self.op("Mul", x, self.op("Add", erf, self.constant(1.0))), self.constant(0.5))
        cubed = self.op("Mul", self.op("Pow", x, self.constant(3.0)), self.constant(0.044715))
        inner = self.op("Mul", self.op("Add", x, cubed), self.constant(np.sqrt(2 / np.pi)))
        factor = self.op("Add", self.op("Tanh", inner), self.constant(1.0))
        return self.op("Mul", self.op("Mul", x, self.constant(0.5)), factor)

    def reshape(self, x: str, *tail: int) -> str:
        """Reshapes to [batch, sequence, *tail]."""
        if self.config.reshape == "zero":
            return self.op("Reshape", x, self.constant([0, 0, *tail[:-1], -1 if len(tail) == 1 else tail[-1]], np.int64))
        shape = self.op("Shape", x)
        dims = [self.op("Gather", shape, self.constant(axis, np.int64), axis=0) for axis in (0, 1)]
        dims = [self.op("Unsqueeze", dim, self.constant([0], np.int64)) for dim in dims]
        dims += [self.constant([dim], np.int64) for dim in tail]
        return self.op("Reshape", x, self.op("Concat", *dims, axis=0))

    def attention(self, x: str, name: str, mask: str | None) -> str:
        hidden, heads = self.config.hidden, self.config.heads
        size = hidden // heads
        query, key, value = (
            self.reshape(self.linear(x, f"{name}.{part}", hidden, hidden), heads, size) for part in ("query", "key", "value")
        )
        query = self.op("Transpose", query, perm=[0, 2, 1, 3])
        if self.config.scale == "mul":
            query = self.op("Mul", query, self.constant(1 / np.sqrt(size)))
        scores = self.op("MatMul", query, self.op("Transpose", key, perm=[0, 2, 3, 1]))
        if self.config.scale == "div":
            scores = self.op("Div", scores, self.constant(np.sqrt(size)))
        if mask is not None and self.config.mask == "where":
            scores = self.op("Where", mask, scores, self.constant(-np.inf))
        elif mask is not None:
            scores = self.op("Add", scores, mask)
        context = self.op("MatMul", self.op("Softmax", scores, axis=-1), self.op("Transpose", value, perm=[0, 2, 1, 3]))
        joined = self.reshape(self.op("Transpose", context, perm=[0, 2, 1, 3]), hidden)
        return self.linear(joined, f"{name}.output", hidden, hidden)

    def mask(self) -> str:
        """What attention adds to the scores, or for `where` the bool that keeps them: [batch, 1, 1, sequence]."""
        wide = self.op("Unsqueeze", "attention_mask", self.constant([1, 2], np.int64))
        if self.config.mask == "where":
            return self.op("Cast", wide, to=TensorProto.BOOL)
        masked = self.op("Sub", self.constant(1.0), self.op("Cast", wide, to=TensorProto.FLOAT))
        low = np.finfo(np.float32).min if self.config.mask == "finfo" else -10000.0
        return self.op("Mul", masked, self.constant(low))

    def embeddings(self) -> str:
        hidden = self.config.hidden
        table = self.weight("embeddings.word", self.config.vocabulary, hidden, scale=1.0)
        words = self.op("Gather", table, "input_ids", axis=0)
        length = self.op("Gather", self.op("Shape", "input_ids"), self.constant([1], np.int64), axis=0)
        zero, one = self.constant([0], np.int64), self.constant([1], np.int64)
        every = self.constant(np.arange(self.config.positions)[None], np.int64)
        indices = self.op("Slice", every, zero, length, one, one)
        table = self.weight("embeddings.position", self.config.positions, hidden, scale=0.3)
        places = self.op("Gather", table, indices, axis=0)
        return self.op("Add", words, places)

    def layer(self, x: str, name: str, mask: str | None) -> str:
        hidden, inner = self.config.hidden, self.config.intermediate
        feed = lambda y: self.linear(  # noqa: E731
            self.activation(self.linear(y, f"{name}.up", hidden, inner)), f"{name}.down", inner, hidden
        )
        if self.config.pre_norm:
            x = self.op("Add", self.attention(self.norm(x, f"{name}.norm1"), f"{name}.attention", mask), x)
            return self.op("Add", feed(self.norm(x, f"{name}.norm2")), x)
        x = self.norm(self.op("Add", self.attention(x, f"{name}.attention", mask), x), f"{name}.norm1")
        return self.norm(self.op("Add", feed(x), x), f"{name}.norm2")

    def pooled(self, hidden: str) -> None:
        if self.config.pool == "first":
            self.op("Gather", hidden, self.constant(0, np.int64), axis=1, name="pooled")
            return
        mask = self.op("Cast", self.op("Unsqueeze", "attention_mask", self.constant([2], np.int64)), to=TensorProto.FLOAT)
        axes = self.constant([1], np.int64)
        total = self.op("ReduceSum", self.op("Mul", hidden, mask), axes, keepdims=0)
        count = self.op("Clip", self.op("ReduceSum", mask, axes, keepdims=0), self.constant(1e-9))
        self.op("Div", total, count, name="pooled")

    def model(
        self, name: str, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto], domain: str = ""
    ) -> onnx.ModelProto:
        """The model of all nodes so far, which may be of another domain too."""
        tensors = [*self.weights.values(), *self.constants.values()]
        graph = helper.make_graph(self.nodes, name, inputs, outputs, tensors)
        opsets = [helper.make_opsetid("", self.config.opset)] + [helper.make_opsetid(domain, 1)] * bool(domain)
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="random_encoder")
        onnx.checker.check_model(model, full_check=not domain)  # which knows no other domain
        return model


def build(config: Config, seed: int, builder: Builder | None = None) -> onnx.ModelProto:
    """The model of a configuration; equal arguments give equal bytes. A builder, if given, spells it in its own way."""
    builder = builder or Builder(config, np.random.default_rng(seed))
    mask = builder.mask()
    x = builder.norm(builder.embeddings(), "embeddings.norm")
    for index in range(config.layers):
        x = builder.layer(x, f"layer.{index}", mask)
    if config.pre_norm:
        x = builder.norm(x, "norm")
    builder.pooled(builder.op("Identity", x, name="hidden"))
    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [
        helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["batch", "sequence", config.hidden]),
        helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ["batch", config.hidden]),
    ]
    return builder.model("random_encoder", ids, outputs)


def main() -> None:
    match sys.argv[1:]:
        case []:
            MODELS.mkdir(exist_ok=True)
            for seed, (name, config) in enumerate(CHECKED_IN.items()):
                onnx.save(build(config, seed), MODELS / f"{name}.onnx")
        case [seed, path]:
            config = draw(np.random.default_rng(int(seed)))
            print(config)
            onnx.save(build(config, int(seed)), path)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
