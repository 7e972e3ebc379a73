"""The models that are timed. Made once, under build/; equal programs make equal files."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper

from cache import FOLDER, cached
from dstools import ROOT

sys.path.append(str(ROOT / "test" / "e2e"))

import random_encoder  # noqa: E402
from random_encoder import Builder, Config, build  # noqa: E402

MINILM = ROOT / "build" / "examples" / "minilm" / "model.onnx"

BASE = Config(hidden=768, heads=12, layers=12, intermediate=3072, reshape="shape")
# A cut vocabulary: the table is only read from, and the file is a fifth smaller.
BERT_BASE = replace(BASE, vocabulary=2000, positions=512)
VIT_B16 = replace(BASE, pre_norm=True)
UNUSED_HEADS = 4  # of 12, where a model has such
IMAGE, PATCH, CLASSES = 224, 16, 1000


def _make(name: str, make: Callable[[], onnx.ModelProto]) -> Path:
    """The path of a model, which is made when it is missing or what makes it has changed."""
    makers = [Path(__file__), Path(random_encoder.__file__)]
    return cached(FOLDER / "models" / f"{name}.onnx", makers, lambda path: onnx.save(make(), path))


def minilm() -> Path:
    """The real all-MiniLM-L6-v2, as examples/minilm exports it."""
    if not MINILM.exists():
        peers = subprocess.run([ROOT / "scripts" / "peers", "--export"], check=True, stdout=subprocess.PIPE, text=True)
        subprocess.run([peers.stdout.strip(), ROOT / "examples" / "minilm" / "export.py"], check=True)
    return MINILM


def bert_base() -> Path:
    """BERT-base's shape with random weights: `input_ids`, `attention_mask` to `hidden`, `pooled`."""
    return _make("bert-base", lambda: build(BERT_BASE, seed=1))


class _FusedBuilder(Builder):
    """Attention as ONNX Runtime's fused op."""

    def attention(self, x: str, name: str, mask: str | None) -> str:
        hidden, heads = self.config.hidden, self.config.heads
        parts = [self.linear(x, f"{name}.{part}", hidden, hidden) for part in ("query", "key", "value")]
        context = self.op("MultiHeadAttention", *parts, domain="com.microsoft", num_heads=heads)
        return self.linear(context, f"{name}.output", hidden, hidden)


class _UnusedBuilder(Builder):
    """Attention whose first heads have a constant weight of 0."""

    def op(self, kind: str, *inputs: str, name: str | None = None, **attributes) -> str:
        result = super().op(kind, *inputs, name=name, **attributes)
        if kind != "MatMul" or not inputs[0].startswith("softmax"):
            return result
        weights = (np.arange(self.config.heads) >= UNUSED_HEADS)[:, None, None]
        return super().op("Mul", result, self.constant(weights))


def long_text(form: str = "plain", first: bool = False) -> Path:
    """BERT-base's shape for one long text without padding: `input_ids` i64[batch, sequence] to `hidden`, of the first token
    alone where that is asked for. The form is plain, fused (as ONNX Runtime's op) or unused (4 of 12 heads have weight 0);
    weights are the same, and random."""
    builders = {"plain": Builder, "fused": _FusedBuilder, "unused": _UnusedBuilder}

    def make() -> onnx.ModelProto:
        config = replace(BERT_BASE, positions=8192)
        builder = builders[form](config, np.random.default_rng(3))
        x = builder.norm(builder.embeddings(), "embeddings.norm")
        for index in range(config.layers):
            x = builder.layer(x, f"layer.{index}", None)
        if first:
            builder.op("Gather", x, builder.constant(0, np.int64), axis=1, name="hidden")
        else:
            builder.op("Identity", x, name="hidden")
        ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])
        shape = ["batch", *["sequence"] * (not first), config.hidden]
        hidden = helper.make_tensor_value_info("hidden", TensorProto.FLOAT, shape)
        return builder.model("long_text", [ids], [hidden], domain="com.microsoft" if form == "fused" else "")

    return _make("-".join(["long-text", *[form] * (form != "plain"), *["first"] * first]), make)


def vit_b16() -> Path:
    """ViT-B/16's shape with random weights: `image` f32[batch, 3, 224, 224] to `logits` f32[batch, 1000]."""
    return _make("vit-b16", _build_vit)


def _build_vit() -> onnx.ModelProto:
    config, builder = VIT_B16, Builder(VIT_B16, np.random.default_rng(2))
    op, hidden = builder.op, config.hidden
    kernel = builder.weight("patches.weight", hidden, 3, PATCH, PATCH, scale=1 / np.sqrt(3 * PATCH * PATCH))
    bias = builder.weight("patches.bias", hidden, scale=0.1)
    patches = op("Conv", "image", kernel, bias, kernel_shape=[PATCH, PATCH], strides=[PATCH, PATCH])
    flat = op("Reshape", patches, builder.constant([0, hidden, -1], np.int64))
    tokens = op("Transpose", flat, perm=[0, 2, 1])
    batch = op("Gather", op("Shape", "image"), builder.constant([0], np.int64), axis=0)
    shape = op("Concat", batch, builder.constant([1, hidden], np.int64), axis=0)
    first = op("Expand", builder.weight("class", 1, 1, hidden), shape)
    positions = builder.weight("positions", 1, (IMAGE // PATCH) ** 2 + 1, hidden, scale=0.3)
    x = op("Add", op("Concat", first, tokens, axis=1), positions)
    for index in range(config.layers):
        x = builder.layer(x, f"layer.{index}", None)
    x = op("Gather", builder.norm(x, "norm"), builder.constant(0, np.int64), axis=1)
    op("Identity", builder.linear(x, "head", hidden, CLASSES), name="logits")
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, IMAGE, IMAGE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", CLASSES])
    return builder.model("vit_b16", [image], [logits])


def linear(k: int, n: int) -> Path:
    """`y` f32[rows, n] = `x` f32[rows, k] · W + b."""

    def make() -> onnx.ModelProto:
        builder = Builder(Config(hidden=k, heads=1, layers=0, intermediate=n), np.random.default_rng([k, n]))
        builder.op("Identity", builder.linear("x", "linear", k, n), name="y")
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", k])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", n])
        return builder.model("linear", [x], [y])

    return _make(f"linear-{k}x{n}", make)


class Convolution(NamedTuple):
    """A convolutional layer on `size` elements of each spatial dim. An odd kernel has the padding that keeps the size, but
    for the stride; an even one has none: windows are then meant to lie side by side."""

    inputs: int
    outputs: int
    size: tuple[int, ...]
    kernel: int
    stride: int = 1
    group: int = 1

    @property
    def name(self) -> str:
        layer = f"{'x'.join([str(self.kernel)] * len(self.size))}/{self.stride} {self.inputs}-{self.outputs}"
        return f"{layer} {'x'.join(map(str, self.size))}{f' in {self.group} groups' if self.group > 1 else ''}"

    @property
    def positions(self) -> list[int]:
        return [-(-size // self.stride) for size in self.size]


def convolution(layer: Convolution) -> Path:
    """`y` = Relu(Conv(`x`) + bias), f32, of any number of images."""

    def make() -> onnx.ModelProto:
        builder = Builder(Config(hidden=layer.outputs, heads=1, layers=0, intermediate=1), np.random.default_rng(layer.size))
        depth, rank = layer.inputs // layer.group, len(layer.size)
        shape = [layer.outputs, depth, *[layer.kernel] * rank]
        weight = builder.weight("weight", *shape, scale=1 / np.sqrt(depth * layer.kernel**rank))
        y = builder.op(
            "Conv",
            "x",
            weight,
            builder.weight("bias", layer.outputs, scale=0.1),
            kernel_shape=shape[2:],
            strides=[layer.stride] * rank,
            pads=[layer.kernel // 2 if layer.kernel % 2 else 0] * (2 * rank),
            group=layer.group,
        )
        builder.op("Relu", y, name="y")
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", layer.inputs, *layer.size])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", layer.outputs, *layer.positions])
        return builder.model("convolution", [x], [y])

    return _make("conv-" + re.sub("[ /]", "-", layer.name), make)
