"""The encoders that suites share, and inputs for them."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

import models
import work


@dataclasses.dataclass(frozen=True)
class Encoder:
    """A BERT-like encoder."""

    name: str
    model: Callable[[], Path]
    work: work.Transformer
    vocabulary: int
    output: str
    token_types: bool

    def inputs(self, lengths: list[int], seed: int) -> dict[str, np.ndarray]:
        """Random ids in rows of these lengths, padded to the longest."""
        mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
        ids = np.random.default_rng(seed).integers(1000, self.vocabulary, mask.shape) * mask
        types = {"token_type_ids": np.zeros_like(ids)} if self.token_types else {}
        return {"input_ids": ids, "attention_mask": mask, **types}


MINILM = Encoder("minilm-l6", models.minilm, work.MINILM, 30522, "sentence_embedding", token_types=True)
BERT_BASE = Encoder(
    "bert-base", models.bert_base, work.BERT_BASE, models.BERT_BASE.vocabulary, "pooled", token_types=False
)
