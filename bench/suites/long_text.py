"""`long-text`: BERT-base's shape on one long text, each side in processes of its own, so that peaks of memory compare."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

import models
from measure import Settings
from processes import in_turns, measure, results

LENGTHS = (2048, 4096, 8192)
ROUNDS = 3
CALLS = 1  # in each process, after an untimed one


def run(settings: Settings) -> Iterator[dict]:
    """Yields the results."""
    plain, fused = models.long_text(fused=False), models.long_text(fused=True)
    artifact = settings.compile(plain)
    forms = {"onnxruntime_unfused": plain, "onnxruntime": fused, "openvino": plain, "torch": fused, "torch_eager": fused}
    with tempfile.TemporaryDirectory(prefix="ds-bench-") as folder:
        for length in LENGTHS[:1] if settings.quick else LENGTHS:
            inputs = Path(folder) / f"{length}.npz"
            np.savez(inputs, input_ids=np.random.default_rng(length).integers(0, models.BERT_BASE.vocabulary, (1, length)))
            tail = (inputs, "hidden", settings.threads, CALLS)
            sides = {"ds": partial(measure, "fresh.py", "ds-full", artifact, *tail, settings.library)}
            sides |= {name: partial(measure, "fresh.py", name, form, *tail) for name, form in forms.items()}
            found = in_turns(sides, 1 if settings.quick else ROUNDS)
            ours = found.pop("ds")
            yield from results(settings, f"bert-base, {length} tokens", ours, found)
