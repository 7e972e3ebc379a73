"""`vit-fp32`: ViT-B/16's shape with random weights on images of 224 x 224."""

from collections.abc import Iterator

import numpy as np

import models
import work
from measure import Case, Settings, compare

PEERS = ("onnxruntime", "openvino", "iree")
BATCHES = (1, 8)
TOKENS = (models.IMAGE // models.PATCH) ** 2 + 1


def make_case(batch: int) -> Case:
    """Random images."""
    hidden, pixels = work.VIT_B16.hidden, 3 * models.IMAGE**2
    lengths = [TOKENS] * batch
    patches = 2.0 * batch * pixels * hidden
    head = 2.0 * batch * hidden * models.CLASSES
    return Case(
        name=f"vit-b16, batch {batch}",
        inputs={"image": np.random.default_rng(batch).standard_normal((batch, 3, models.IMAGE, models.IMAGE), np.float32)},
        outputs=("logits",),
        flops=work.VIT_B16.flops(lengths, first=True) + patches + head,
        bytes=work.VIT_B16.bytes(lengths) + 4.0 * (batch * pixels + 3 * models.PATCH**2 * hidden + hidden * models.CLASSES),
    )


def run(settings: Settings) -> Iterator[dict]:
    """Yields the results."""
    batches = BATCHES[:1] if settings.quick else BATCHES
    yield from compare(settings, models.vit_b16(), [make_case(batch) for batch in batches], PEERS)
