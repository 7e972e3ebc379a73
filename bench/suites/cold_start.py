"""`cold-start`: from nothing loaded to the first result of 1 x 16 tokens, each in a new process, files in the page cache."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from encoder import BERT_BASE, MINILM
from measure import Settings
from processes import in_turns, measure, results

PEERS = ("onnxruntime", "openvino")
# what of the artifact is verified: every byte, or all but the contents of the weights
OURS = {"ds-full": "verified", "ds-code": "code verified"}
LENGTHS = [16]
ROUNDS, QUICK_ROUNDS = 15, 5


def run(settings: Settings) -> Iterator[dict]:
    """Yields the results."""
    with tempfile.TemporaryDirectory(prefix="ds-bench-") as folder:
        for encoder in (MINILM, BERT_BASE):
            inputs = Path(folder) / f"{encoder.name}.npz"
            np.savez(inputs, **encoder.inputs(LENGTHS, seed=1))
            model = encoder.model()
            artifact = settings.compile(model)
            tail = (inputs, encoder.output, settings.threads, 0)
            sides = {name: partial(measure, "fresh.py", name, artifact, *tail, settings.library) for name in OURS}
            sides |= {name: partial(measure, "fresh.py", name, model, *tail) for name in PEERS}
            found = in_turns(sides, QUICK_ROUNDS if settings.quick else ROUNDS, untimed=1)
            peers = {name: found[name] for name in PEERS if name in found}
            for name, label in OURS.items():
                yield from results(settings, f"{encoder.name} 1x{LENGTHS[0]}, {label}", found[name], peers)
