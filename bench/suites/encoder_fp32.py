"""`encoder-fp32`: all-MiniLM-L6-v2 and BERT-base's shape, one artifact each with dynamic batch and length, full rows."""

from collections.abc import Iterator

from encoder import BERT_BASE, MINILM, Encoder
from measure import Case, Settings, compare

PEERS = ("onnxruntime", "openvino", "ctranslate2", "iree")
# (batch, tokens) in the order of the run; of these the quick run takes the first
SHAPES = {
    MINILM: [(8, 128), (1, 16), (1, 128), (32, 128), (1, 256), (8, 16), (8, 256), (32, 16), (32, 256)],
    BERT_BASE: [(1, 16), (1, 128), (8, 16), (8, 128), (1, 256), (8, 256), (32, 16), (32, 128), (32, 256)],
}
QUICK = {MINILM: 3, BERT_BASE: 2}


def make_case(encoder: Encoder, batch: int, tokens: int) -> Case:
    """Full rows: nothing is padding, so nobody can skip work."""
    lengths = [tokens] * batch
    return Case(
        name=f"{encoder.name} {batch}x{tokens}",
        inputs=encoder.inputs(lengths, seed=batch * 1000 + tokens),
        outputs=(encoder.output,),
        flops=encoder.work.flops(lengths),
        bytes=encoder.work.bytes(lengths),
    )


def run(settings: Settings) -> Iterator[dict]:
    """Yields the results."""
    for encoder, shapes in SHAPES.items():
        count = QUICK[encoder] if settings.quick else len(shapes)
        cases = [make_case(encoder, *shape) for shape in shapes[:count]]
        yield from compare(settings, encoder.model(), cases, PEERS)
