"""`long-text`: BERT-base's shape on one long text, each side in processes of its own, so that peaks of memory compare; the
same where the first token alone is read, as by a classifier; and without 4 of 12 heads in each layer, with what that costs:
how far `hidden` is from that of all heads, of random weights."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

import models
from measure import Settings, relative_rms
from peers.ds import Ds
from processes import in_turns, measure, results

LENGTHS = (2048, 4096, 8192)
ROUNDS = 3
CALLS = 1  # in each process, after an untimed one


def cost(settings: Settings, artifacts: list[Path], inputs: Path) -> float:
    """How far the first artifact's output is from the second's."""
    results = []
    for artifact in artifacts:
        side = Ds(settings.library, artifact, settings.threads)
        results.append(side.prepare(dict(np.load(inputs)), ("hidden",)).results())
        side.close()
    return relative_rms(*results)


def run(settings: Settings) -> Iterator[dict]:
    """Yields the results."""
    plain, fused = models.long_text(), models.long_text("fused")
    artifact, fewer = settings.compile(plain), settings.compile(models.long_text("unused"))
    forms = {"onnxruntime_unfused": plain, "onnxruntime": fused, "openvino": plain}
    forms |= {"torch": fused, "torch_eager": fused}
    first = {"ds": settings.compile(models.long_text(first=True)), "onnxruntime_unfused": models.long_text(first=True)}
    first |= {"onnxruntime": models.long_text("fused", first=True)}
    with tempfile.TemporaryDirectory(prefix="ds-bench-") as folder:
        for length in LENGTHS[:1] if settings.quick else LENGTHS:
            inputs = Path(folder) / f"{length}.npz"
            np.savez(inputs, input_ids=np.random.default_rng(length).integers(0, models.BERT_BASE.vocabulary, (1, length)))
            tail = (inputs, "hidden", settings.threads, CALLS)
            sides = {
                name: partial(measure, "fresh.py", "ds-full", form, *tail, settings.library)
                for name, form in (("ds", artifact), ("ds without heads", fewer))
            }
            sides |= {name: partial(measure, "fresh.py", name, form, *tail) for name, form in forms.items()}
            for name, form in first.items():
                process = ("ds-full", form, *tail, settings.library) if name == "ds" else (name, form, *tail)
                sides[f"{name}, first"] = partial(measure, "fresh.py", *process)
            found = in_turns(sides, 1 if settings.quick else ROUNDS)
            ours, without = found.pop("ds"), found.pop("ds without heads")
            alone = {name: found.pop(f"{name}, first") for name in first}
            yield from results(settings, f"bert-base, {length} tokens", ours, found)
            case = f"bert-base, first of {length} tokens"
            yield from results(settings, case, alone.pop("ds"), alone | {"ds, all tokens": ours})
            name = f"{models.UNUSED_HEADS} of 12 heads at 0, {length} tokens"
            for case in results(settings, name, without, {"ds, all heads": ours}):
                yield case | {"relative_rms": cost(settings, [fewer, artifact], inputs)}
