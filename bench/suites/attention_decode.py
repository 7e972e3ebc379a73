"""`attention-decode`: one and four query rows after S keys, in the layout of a cache: one cache, or one after another from memory."""

from collections.abc import Iterator

from attention import FLAGS, Attention
from measure import Case, Settings, compare

LENGTHS = (512, 2048, 8192)
FORMS = {
    "12 heads": Attention(rows=1),
    "32 heads on 4": Attention(heads=32, key_heads=4, depth=128, rows=1),
    "12 heads, 4 rows": Attention(rows=4),
    "32 heads on 4, 4 rows": Attention(heads=32, key_heads=4, depth=128, rows=4),
}


def run(settings: Settings) -> Iterator[dict]:
    """Yields the results."""
    for name, attention in FORMS.items():
        cases = [
            Case(
                name=f"{name}, {keys} keys, {'cold' if cold else 'hot'}",
                inputs=attention.inputs(keys),
                outputs=("result",),
                flops=attention.flops(attention.rows * keys),
                bytes=attention.bytes(keys),
                rotates=cold,
            )
            for keys in LENGTHS
            for cold in (False, True)
        ]
        peers = {"onnxruntime": attention.plain_onnx(), "openvino": attention.plain_onnx()}
        yield from compare(settings, attention.ours(), cases, peers, seconds=1.0, flags=FLAGS)
