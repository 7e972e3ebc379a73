"""`linear-fp32`: y = x·W + b with any number of rows, hot (the same buffers) and cold (weights come from memory)."""

from collections.abc import Iterator

import numpy as np

import models
from measure import Case, Settings, compare

PEERS = ("onnxruntime", "openvino", "iree")
SIZES = (384, 768, 1536, 3072, 4096)
ROWS = (1, 8, 32, 128, 512)
SECONDS = 0.4  # of each side; there are many cases, and calls are short
QUICK_WEIGHTS = ((384, 1536), (768, 768), (3072, 768))
QUICK_ROWS = (1, 32)


def make_case(k: int, n: int, rows: int, cold: bool) -> Case:
    """Random rows."""
    return Case(
        name=f"{rows} rows, {k}x{n}, {'cold' if cold else 'hot'}",
        inputs={"x": np.random.default_rng(rows).standard_normal((rows, k), np.float32)},
        outputs=("y",),
        flops=2.0 * rows * k * n,
        bytes=4.0 * (k * n + n + rows * (k + n)),
        cold=cold,
    )


def run(settings: Settings) -> Iterator[dict]:
    """Yields the results."""
    weights = QUICK_WEIGHTS if settings.quick else [(k, n) for k in SIZES for n in SIZES]
    for k, n in weights:
        rows = QUICK_ROWS if settings.quick else ROWS
        cases = [make_case(k, n, count, cold) for count in rows for cold in (False, True)]
        yield from compare(settings, models.linear(k, n), cases, PEERS, seconds=SECONDS)
