"""torch's own modules with its fused attention. Takes the graphs with one `MultiHeadAttention` for each attention: attention
alone, or an encoder whose weights have the names of test/e2e/random_encoder.py.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

from peers import Prepared, Unsupported

Tensors = dict[str, torch.Tensor]


class Peer:
    name = "torch, SDPA"
    version = torch.__version__

    def __init__(self, model: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        graph = onnx.load(model).graph
        fused = [node for node in graph.node if node.op_type == "MultiHeadAttention"]
        if not fused:
            raise Unsupported(f"{model.name} has no MultiHeadAttention")
        attributes = {a.name: helper.get_attribute_value(a) for a in fused[0].attribute}
        self._heads, self._causal = attributes["num_heads"], bool(attributes.get("unidirectional", 0))
        self._layers = len(fused)
        self._weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
        # matrices as torch keeps them
        self._weights |= {
            name: w.T.contiguous()
            for name, w in self._weights.items()
            if name.endswith(".weight") and w.ndim == 2 and not name.startswith("embeddings.")
        }
        self._run: Callable[[Tensors], torch.Tensor] = self._encoder if "embeddings.word" in self._weights else self._alone

    def attend(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """[B, H, T, D] each."""
        return F.scaled_dot_product_attention(query, key, value, is_causal=self._causal)

    def _apart(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(-1, (self._heads, -1)).transpose(1, 2)

    def _attention(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return self.attend(self._apart(query), self._apart(key), self._apart(value)).transpose(1, 2).flatten(2)

    def _alone(self, inputs: Tensors) -> torch.Tensor:
        return self._attention(inputs["query"], inputs["key"], inputs["value"])

    def _encoder(self, inputs: Tensors) -> torch.Tensor:
        def linear(x: torch.Tensor, name: str) -> torch.Tensor:
            return F.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

        def norm(x: torch.Tensor, name: str) -> torch.Tensor:
            gain, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
            return F.layer_norm(x, gain.shape, gain, bias, 1e-12)

        ids = inputs["input_ids"]
        words = F.embedding(ids, self._weights["embeddings.word"])
        x = norm(words + self._weights["embeddings.position"][: ids.shape[1]], "embeddings.norm")
        for index in range(self._layers):
            name = f"layer.{index}"
            parts = (linear(x, f"{name}.attention.{part}") for part in ("query", "key", "value"))
            x = norm(linear(self._attention(*parts), f"{name}.attention.output") + x, f"{name}.norm1")
            x = norm(linear(F.gelu(linear(x, f"{name}.up")), f"{name}.down") + x, f"{name}.norm2")
        return x

    def prepare(self, inputs: Mapping[str, np.ndarray], outputs: tuple[str, ...]) -> Prepared:
        tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
        last: list[torch.Tensor] = []

        def call() -> None:
            with torch.inference_mode():
                last[:] = [self._run(tensors)]

        return Prepared(call, lambda: [tensor.numpy().copy() for tensor in last], inputs)


class Eager(Peer):
    """With attention of single ops, as eager code spells it."""

    name = "torch, eager"

    def attend(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """[B, H, T, D] each."""
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        if self._causal:
            rows, keys = scores.shape[-2:]
            hidden = torch.ones(rows, keys, dtype=torch.bool).triu(1 + keys - rows)
            scores = scores.masked_fill(hidden, -math.inf)
        return scores.softmax(-1) @ value
