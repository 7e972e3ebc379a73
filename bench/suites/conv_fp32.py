"""`conv-fp32`: convolutional layers of ResNet-50, MobileNet, ResNeXt and Whisper with bias and Relu, any number of images."""

from collections.abc import Iterator

import numpy as np

import models
from measure import Case, Settings, compare
from models import Convolution

PEERS = ("onnxruntime", "openvino")
BATCHES = (1, 8)
SECONDS = 0.6  # of each side; there are many cases
# Of these the quick run takes the first.
LAYERS = (
    Convolution(64, 64, (56, 56), 3),
    Convolution(256, 64, (56, 56), 1),
    Convolution(32, 32, (112, 112), 3, group=32),
    Convolution(512, 512, (7, 7), 3),
    Convolution(3, 64, (224, 224), 7, stride=2),
    Convolution(128, 128, (28, 28), 3),
    Convolution(256, 256, (14, 14), 3),
    Convolution(128, 128, (56, 56), 3, stride=2),
    Convolution(64, 256, (56, 56), 1),
    Convolution(1024, 256, (14, 14), 1),
    Convolution(512, 2048, (7, 7), 1),
    Convolution(256, 512, (56, 56), 1, stride=2),
    Convolution(64, 64, (112, 112), 3, stride=2, group=64),
    Convolution(512, 512, (14, 14), 3, group=512),
    Convolution(128, 128, (56, 56), 3, group=32),
    Convolution(512, 512, (14, 14), 3, group=32),
    Convolution(80, 384, (3000,), 3),
    Convolution(384, 384, (3000,), 3, stride=2),
)
QUICK = 4


def make_case(layer: Convolution, batch: int) -> Case:
    """Random images."""
    weights = layer.outputs * (layer.inputs // layer.group) * layer.kernel ** len(layer.size)
    x, y = batch * layer.inputs * np.prod(layer.size), batch * layer.outputs * np.prod(layer.positions)
    return Case(
        name=f"{layer.name}, batch {batch}",
        inputs={"x": np.random.default_rng(batch).standard_normal((batch, layer.inputs, *layer.size), np.float32)},
        outputs=("y",),
        flops=2.0 * batch * weights * np.prod(layer.positions),
        bytes=4.0 * (x + y + weights + layer.outputs),
    )


def run(settings: Settings) -> Iterator[dict]:
    """Yields the results."""
    for layer in LAYERS[:QUICK] if settings.quick else LAYERS:
        batches = BATCHES[:1] if settings.quick else BATCHES
        cases = [make_case(layer, batch) for batch in batches]
        yield from compare(settings, models.convolution(layer), cases, PEERS, seconds=SECONDS)
