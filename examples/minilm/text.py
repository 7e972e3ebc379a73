"""Sentences and their tokens, for all-MiniLM-L6-v2. Needs numpy; `tokenize` also the tokenizers package."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

MAX_TOKENS = 256  # the published model's max_seq_length, [CLS] and [SEP] included


def read_sentences() -> list[str]:
    """The checked-in sentences, in file order."""
    return (Path(__file__).resolve().parent / "sentences.txt").read_text(encoding="utf-8").splitlines()


def tokenize(sentences: Sequence[str], tokenizer_json: Path) -> list[list[int]]:
    """Token ids of each sentence, at most MAX_TOKENS, not padded."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return [encoding.ids for encoding in tokenizer.encode_batch(list(sentences))]


def pad(rows: Sequence[Sequence[int]], length: int | None = None) -> dict[str, np.ndarray]:
    """The model's inputs for a batch, each row padded to `length` or to the longest."""
    length = length or max(map(len, rows))
    ids = np.zeros((len(rows), length), np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
