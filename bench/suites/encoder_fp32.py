"""`encoder-fp32`: all-MiniLM-L6-v2 in fp32 on one artifact with dynamic batch and sequence."""

import subprocess
from collections.abc import Iterator

import numpy as np

from dstools import ROOT, Tools
from measure import Case, Settings, compare

MODEL = ROOT / "build" / "examples" / "minilm" / "model.onnx"
OUTPUT = "sentence_embedding"
VOCABULARY, HIDDEN, INTERMEDIATE, LAYERS = 30522, 384, 1536, 6
# (batch, tokens); the first ones make the quick run
SHAPES = [(8, 128), (1, 16), (1, 128), (32, 128), (1, 256), (8, 16), (8, 256), (32, 16), (32, 256)]
QUICK = 3


def make_case(batch: int, tokens: int) -> Case:
    """Random ids in full rows: nothing is padding, so nobody can skip work."""
    rng = np.random.default_rng(batch * 1000 + tokens)
    inputs = {
        "input_ids": rng.integers(1000, VOCABULARY, (batch, tokens)),
        "attention_mask": np.ones((batch, tokens), np.int64),
        "token_type_ids": np.zeros((batch, tokens), np.int64),
    }
    rows = batch * tokens
    weights = LAYERS * (4 * HIDDEN * HIDDEN + 2 * HIDDEN * INTERMEDIATE)
    attention = LAYERS * 2 * rows * tokens * HIDDEN
    return Case(
        name=f"minilm-l6 {batch}x{tokens}",
        inputs=inputs,
        outputs=(OUTPUT,),
        flops=2.0 * (rows * weights + attention),
        # the weights and the embeddings of the tokens, once
        bytes=4.0 * (weights + rows * HIDDEN),
    )


def run(settings: Settings) -> Iterator[dict]:
    """Compiles the model and yields the results."""
    python = subprocess.run([ROOT / "scripts" / "peers", "--export"], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run([python, ROOT / "examples" / "minilm" / "export.py"], check=True)
    artifact = Tools(settings.bin_dir).compile(MODEL, ROOT / "build" / "bench" / "minilm.dsa")
    shapes = SHAPES[:QUICK] if settings.quick else SHAPES
    yield from compare(settings, MODEL, artifact, [make_case(*shape) for shape in shapes])
