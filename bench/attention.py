"""Attention alone, as each side takes it: `query`, `key` and `value` f32[1, S, heads · depth] as linear layers leave them,
or for decoding few query rows and a cache f32[1, key heads, S, depth]; `result` like `query`.
"""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cache import FOLDER, cached

FLAGS = ("--compile-from=raise",)


@dataclasses.dataclass(frozen=True)
class Attention:
    """What is computed, for any number of rows and keys."""

    heads: int = 12
    key_heads: int = 12
    depth: int = 64
    causal: bool = False
    left: int | None = None  # keys before a row's own that it sees
    key_block: int | None = None  # lists of blocks of keys, for blocks of as many rows, as the input `key_index`
    weighted: bool = False  # a weight of each head as the input `head_weight`
    rows: int | None = None  # after the keys of a cache, their number not known if not 1; None: as many as keys, in their layout

    @property
    def scale(self) -> float:
        return self.depth**-0.5

    @property
    def name(self) -> str:
        return "attention-" + hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def _make(self, suffix: str, make: Callable[[Path], None]) -> Path:
        return cached(FOLDER / "models" / f"{self.name}.{suffix}", [Path(__file__)], make)

    def ours(self) -> Path:
        """The IR of phase raise."""
        return self._make("mlir", lambda path: path.write_text(self._ir()))

    def _ir(self) -> str:
        heads, key_heads, depth = self.heads, self.key_heads, self.depth
        count = "1" if self.rows == 1 else "?"
        rows = f"tensor<1x{count}x{heads * depth}xf32>"
        row = {None: "s", 1: ""}.get(self.rows, "t")
        cache = f"tensor<1x{key_heads}x?x{depth}xf32>"
        kinds = {"query": (rows, f'"", "{row}", ""'), "key": (rows, '"", "s", ""'), "value": (rows, '"", "s", ""')}
        if self.rows:
            kinds |= dict.fromkeys(("key", "value"), (cache, '"", "", "s", ""'))
        if self.weighted:
            kinds["head_weight"] = (f"tensor<{heads}xf32>", '""')
        if self.key_block:
            kinds["key_index"] = ("tensor<1x1x?x?xi64>", '"", "", "r", "n"')
        arguments, ports = [], []
        for name, (kind, symbols) in kinds.items():
            arguments.append(f'%{name}: {kind} {{ds.name = "{name}", ds.symbols = [{symbols}]}}')
            ports.append(f'{{name = "{name}", symbols = [{symbols}], type = {kind}}}')
        output = f'{{name = "result", symbols = ["", "{row}", ""], type = {rows}}}'
        apart = rows.replace(f"x{heads * depth}x", f"x{heads}x{depth}x")
        swapped = f"tensor<1x{heads}x{count}x{depth}xf32>"
        body = [
            f"%apart = onnx.Constant dense<[0, 0, {heads}, {depth}]> : tensor<4xi64>",
            f"%together = onnx.Constant dense<[0, 0, {heads * depth}]> : tensor<3xi64>",
        ]
        operands, types = [], []
        for name in kinds:
            kind = kinds[name][0]
            used = f"%{name}"
            if kind == rows:
                body.append(f"%{name}_apart = onnx.Reshape %{name}, %apart : ({rows}, tensor<4xi64>) -> {apart}")
                used, kind = f"%{name}_swapped", swapped
                body.append(f"{used} = onnx.Transpose %{name}_apart {{perm = array<i64: 0, 2, 1, 3>}} : ({apart}) -> {kind}")
            keyword = f" {name} " if name in ("head_weight", "key_index") else ", " if operands else ""
            operands.append(f"{keyword}{used}")
            types.append(kind)
        attributes = [f"scale = {self.scale:e} : f32"] + ["causal"] * self.causal
        attributes += [f"left = {self.left}"] * (self.left is not None)
        attributes += [f"key_block = {self.key_block}, query_block = {self.key_block}"] * bool(self.key_block)
        body += [
            f"%attention = ds.attention {''.join(operands)} {{{', '.join(attributes)}}} : ({', '.join(types)}) -> {swapped}",
            f"%back = onnx.Transpose %attention {{perm = array<i64: 0, 2, 1, 3>}} : ({swapped}) -> {apart}",
            f"%result = onnx.Reshape %back, %together : ({apart}, tensor<3xi64>) -> {rows}",
            f"return %result : {rows}",
        ]
        head = f"func.func @main({', '.join(arguments)}) -> {rows}"
        ports = f"{{ds.ports = {{inputs = [{', '.join(ports)}], outputs = [{output}]}}}}"
        return "\n  ".join([f"{head} attributes {ports} {{", *body]) + "\n}\n"

    def fused_onnx(self) -> Path:
        """ONNX Runtime's own fused op."""
        op = helper.make_node(
            "MultiHeadAttention",
            ["query", "key", "value"],
            ["result"],
            domain="com.microsoft",
            num_heads=self.heads,
            scale=self.scale,
            unidirectional=int(self.causal),
        )
        width = self.heads * self.depth
        port = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "s", width])  # noqa: E731
        graph = helper.make_graph([op], "attention", [port(n) for n in ("query", "key", "value")], [port("result")])
        return self._make("fused.onnx", lambda path: _save(graph, path))

    def plain_onnx(self) -> Path:
        """Decoding as exporters spell it: products and a softmax, query heads that share keys as rows of one product."""
        rows, group, width = self.rows, self.heads // self.key_heads, self.heads * self.depth
        constants = {
            "grouped": np.array([1, self.key_heads, group * rows, self.depth]),
            "together": np.array([1, rows, width]),
            "factor": np.float32(self.scale),
        }
        nodes = [
            helper.make_node("Reshape", ["query" if rows == 1 else "query_swapped", "grouped"], ["rows"]),
            helper.make_node("Mul", ["rows", "factor"], ["scaled"]),
            helper.make_node("Transpose", ["key"], ["columns"], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", ["scaled", "columns"], ["scores"]),
            helper.make_node("Softmax", ["scores"], ["weights"], axis=-1),
            helper.make_node("MatMul", ["weights", "value"], ["sums"]),
            helper.make_node("Reshape", ["sums" if rows == 1 else "sums_apart", "together"], ["result"]),
        ]
        if rows > 1:
            constants["apart"] = np.array([1, rows, self.heads, self.depth])
            constants["heads"] = np.array([1, self.heads, rows, self.depth])
            nodes[:0] = [
                helper.make_node("Reshape", ["query", "apart"], ["query_apart"]),
                helper.make_node("Transpose", ["query_apart"], ["query_swapped"], perm=[0, 2, 1, 3]),
            ]
            nodes[-1:-1] = [
                helper.make_node("Reshape", ["sums", "heads"], ["sums_swapped"]),
                helper.make_node("Transpose", ["sums_swapped"], ["sums_apart"], perm=[0, 2, 1, 3]),
            ]
        shapes = {"query": [1, rows, width], "result": [1, rows, width]}
        shapes |= dict.fromkeys(("key", "value"), [1, self.key_heads, "s", self.depth])
        port = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name])  # noqa: E731
        inputs = [port(name) for name in ("query", "key", "value")]
        tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
        graph = helper.make_graph(nodes, "attention", inputs, [port("result")], tensors)
        return self._make("plain.onnx", lambda path: _save(graph, path))

    def openvino(self) -> Path:
        """OpenVINO's ScaledDotProductAttention, with the reshapes and transposes around it."""

        def make(path: Path) -> None:
            from openvino import Model, opset13, save_model

            swap = opset13.constant(np.array([0, 2, 1, 3]))
            inputs, swapped = [], []
            for name in ("query", "key", "value"):
                port = opset13.parameter([1, -1, self.heads * self.depth], np.float32, name)
                port.output(0).set_names({name})
                shape = opset13.constant(np.array([0, 0, self.heads, self.depth]))
                inputs.append(port)
                swapped.append(opset13.transpose(opset13.reshape(port, shape, special_zero=True), swap))
            op = opset13.scaled_dot_product_attention(*swapped, causal=self.causal)
            shape = opset13.constant(np.array([0, 0, self.heads * self.depth]))
            result = opset13.reshape(opset13.transpose(op, swap), shape, special_zero=True)
            result.output(0).set_names({"result"})
            save_model(Model([result], inputs), path, compress_to_fp16=False)

        return self._make("xml", make)

    def inputs(self, keys: int) -> dict[str, np.ndarray]:
        """Random rows and keys."""
        rng = np.random.default_rng(keys)
        rows = (1, self.rows or keys, self.heads * self.depth)
        caches = (1, self.key_heads, keys, self.depth) if self.rows else rows
        return {
            name: rng.standard_normal(shape, np.float32) for name, shape in (("query", rows), ("key", caches), ("value", caches))
        }

    def flops(self, pairs: float) -> float:
        """Of as many pairs of a row and a key in each head: two products."""
        return 4.0 * self.heads * self.depth * pairs

    def bytes(self, keys: int) -> float:
        """Everything once."""
        rows = self.rows or keys
        return 4.0 * self.depth * (2 * rows * self.heads + 2 * keys * self.key_heads)


def _save(graph: onnx.GraphProto, path: Path) -> None:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
