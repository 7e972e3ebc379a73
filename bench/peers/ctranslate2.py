"""CTranslate2 on BERT-like encoders.

Its own converter needs torch and the model as Hugging Face keeps it; here its specification is filled from the weights
in the ONNX file, by their names. It computes the hidden states; the pooling that the models end with is numpy's, and is
timed with it. It leaves out the padding by itself.
"""

import re
import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import ctranslate2
import numpy as np
import onnx
from ctranslate2.converters.utils import fuse_linear
from ctranslate2.specs import common_spec, transformer_spec
from onnx import numpy_helper

from cache import FOLDER, cached, name_of
from peers import Prepared, Unsupported

# From Hugging Face's names to those of test/e2e/random_encoder.py, in this order.
NAMES = (
    (r"^bert\.(encoder\.)?", ""),
    (r"layer\.(\d+)\.attention\.self\.", r"layer.\1.attention."),
    (r"attention\.output\.dense", "attention.output"),
    (r"attention\.output\.LayerNorm", "norm1"),
    (r"intermediate\.dense", "up"),
    (r"output\.dense", "down"),
    (r"output\.LayerNorm", "norm2"),
    (r"^embeddings\.LayerNorm", "embeddings.norm"),
    (r"^embeddings\.(\w+)_embeddings\.weight", r"embeddings.\1"),
)
HEAD = {384: 32, 768: 64}  # elements of an attention head, by hidden size: no weight tells


def _weights(model: Path) -> dict[str, np.ndarray]:
    """All weights by name. A product's, which exporters number, is named after the bias that is added to it."""
    graph = onnx.load(model).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    products = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "MatMul"}
    for node in graph.node:
        if node.op_type == "Add" and node.input[0].endswith(".bias") and node.input[1] in products:
            arrays[node.input[0].removesuffix("bias") + "weight"] = arrays[products[node.input[1]]]
    renamed = {}
    for name, array in arrays.items():
        for pattern, replacement in NAMES:
            name = re.sub(pattern, replacement, name)
        renamed[name] = array
    return renamed


def _fill(spec: common_spec.LinearSpec, weights: Mapping[str, np.ndarray], name: str) -> common_spec.LinearSpec:
    spec.weight = np.ascontiguousarray(weights[f"{name}.weight"].T)
    spec.bias = weights[f"{name}.bias"]
    return spec


def _fill_norm(spec: common_spec.LayerNormSpec, weights: Mapping[str, np.ndarray], name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def _convert(model: Path, folder: Path) -> None:
    weights = _weights(model)
    tables = [f"embeddings.{kind}" for kind in ("word", "token_type") if f"embeddings.{kind}" in weights]
    if not tables:
        raise Unsupported(f"{model.name} is no BERT")
    hidden = weights[tables[0]].shape[1]
    layers = sum(name.endswith(".up.bias") for name in weights)
    encoder = transformer_spec.TransformerEncoderSpec(
        layers,
        hidden // HEAD[hidden],
        pre_norm=False,
        activation=common_spec.Activation.GELU,
        layernorm_embedding=True,
        num_source_embeddings=len(tables),
        embeddings_merge=common_spec.EmbeddingsMerge.ADD,
    )
    encoder.scale_embeddings = False
    for spec, table in zip(encoder.embeddings, tables):
        spec.weight = weights[table]
    encoder.position_encodings.encodings = weights["embeddings.position"]
    _fill_norm(encoder.layernorm_embedding, weights, "embeddings.norm")
    for index, layer in enumerate(encoder.layer):
        name = f"layer.{index}"
        parts = [_fill(common_spec.LinearSpec(), weights, f"{name}.attention.{part}") for part in ("query", "key", "value")]
        fuse_linear(layer.self_attention.linear[0], parts)
        _fill(layer.self_attention.linear[1], weights, f"{name}.attention.output")
        _fill_norm(layer.self_attention.layer_norm, weights, f"{name}.norm1")
        _fill(layer.ffn.linear_0, weights, f"{name}.up")
        _fill(layer.ffn.linear_1, weights, f"{name}.down")
        _fill_norm(layer.ffn.layer_norm, weights, f"{name}.norm2")
    spec = transformer_spec.TransformerEncoderModelSpec(encoder)
    spec.register_vocabulary([f"token{i}" for i in range(len(weights[tables[0]]))])
    spec.config.layer_norm_epsilon = 1e-12
    spec.config.unk_token = "token0"
    spec.validate()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    spec.save(str(folder))


def _mean(hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
    kept = mask[..., None].astype(np.float32)
    return (hidden * kept).sum(1) / kept.sum(1)


def _normalized_mean(hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
    mean = _mean(hidden, mask)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


POOLING = {"pooled": _mean, "sentence_embedding": _normalized_mean}


class Peer:
    name = "ctranslate2"
    version = version("ctranslate2")

    def __init__(self, model: Path, threads: int) -> None:
        folder = cached(FOLDER / "ctranslate2" / name_of(model), [model, Path(__file__)], lambda path: _convert(model, path))
        self._encoder = ctranslate2.Encoder(str(folder), compute_type="float32", inter_threads=1, intra_threads=threads)

    def prepare(self, inputs: Mapping[str, np.ndarray], outputs: tuple[str, ...]) -> Prepared:
        mask = inputs["attention_mask"]
        ids = ctranslate2.StorageView.from_array(inputs["input_ids"].astype(np.int32))
        lengths = ctranslate2.StorageView.from_array(mask.sum(1).astype(np.int32))
        types = inputs["token_type_ids"].tolist() if "token_type_ids" in inputs else None
        last: list[np.ndarray] = []

        def call() -> None:
            hidden = np.array(self._encoder.forward_batch(ids, lengths, types).last_hidden_state)
            last[:] = [POOLING[name](hidden, mask) for name in outputs]

        return Prepared(call, lambda: list(last), inputs)
