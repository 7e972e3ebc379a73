"""`encoder-real-lengths`: all-MiniLM-L6-v2 on texts as long as real ones, in batches of 32.

Ours leaves padding out, for which the model's last hidden states, which nobody asks for here, are zeros at padding.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from encoder import MINILM
from lengths import draw_lengths, group, read_histogram
from measure import Case, Settings, Side, time_sides
from peers import open_peers
from peers.ds import Ds

TEXTS, QUICK_TEXTS = 256, 64
# how texts are grouped: batch size, shortest first
PADDED, ONE_BY_ONE, SORTED = (32, False), (1, False), (32, True)
STRATEGIES = (
    ("onnxruntime", "padded", PADDED),
    ("onnxruntime", "one by one", ONE_BY_ONE),
    ("onnxruntime", "sorted", SORTED),
    ("openvino", "padded", PADDED),
    ("ctranslate2", "padded", PADDED),
)


class Batches:
    """All calls of a side one after the other."""

    def __init__(self, side, case: Case, lengths: Sequence[int], strategy: tuple[int, bool]) -> None:
        self._groups = group(lengths, *strategy)
        self._calls = []
        for texts in self._groups:
            longest = max(lengths[i] for i in texts)
            inputs = {name: np.ascontiguousarray(array[texts, :longest]) for name, array in case.inputs.items()}
            self._calls.append(side.prepare(inputs, case.outputs))

    def call(self) -> None:
        """Makes all calls."""
        for batch in self._calls:
            batch.call()

    def results(self) -> list[np.ndarray]:
        """Makes all calls and returns copies of the results in the order of the texts."""
        order = np.argsort([i for texts in self._groups for i in texts])
        return [np.concatenate(parts)[order] for parts in zip(*(batch.results() for batch in self._calls))]


def run(settings: Settings) -> Iterator[dict]:
    """Yields the results: the time of all texts."""
    lengths = draw_lengths(read_histogram(), QUICK_TEXTS if settings.quick else TEXTS, seed=1)
    case = Case(
        name=f"minilm-l6, {len(lengths)} texts",
        inputs=MINILM.inputs(lengths, seed=1),
        outputs=(MINILM.output,),
        # padding is no work
        flops=MINILM.work.flops(lengths),
        bytes=MINILM.work.bytes(lengths),
    )
    model = MINILM.model()
    ds = Ds(settings.library, settings.compile(model, "--padding=zero"), settings.threads)
    ours = Side(ds.name, ds.version, Batches(ds, case, lengths, PADDED))
    names = dict.fromkeys(name for name, *_ in STRATEGIES)
    opened = {peer.name: peer for peer in open_peers(names, model, settings.threads)}
    others = [
        Side(f"{name} {label}", opened[name].version, Batches(opened[name], case, lengths, strategy))
        for name, label, strategy in STRATEGIES
        if name in opened
    ]
    yield from time_sides(settings, case, ours, others, settings.seconds)
