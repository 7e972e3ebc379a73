"""`compile`: time and peak memory of the compilation of BERT-base's shape. Both sides use threads as they like."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import models
from measure import Settings
from peers import leave_out
from processes import Run, in_turns, measure, results

ROUNDS, QUICK_ROUNDS = 3, 1


def measure_all(commands: list[list[str]]) -> Run:
    """Commands one after the other: their times add up, the largest memory counts."""
    runs = [measure("timed.py", *command) for command in commands]
    return Run(sum(run.seconds for run in runs), max(run.bytes for run in runs))


def run(settings: Settings) -> Iterator[dict]:
    """Yields the result."""
    model = models.bert_base()
    with tempfile.TemporaryDirectory(prefix="ds-bench-", dir=model.parent) as folder:
        ours = [[str(settings.bin_dir / "ds-compile"), str(model), "-o", f"{folder}/model.dsa"]]
        sides = {"ds": lambda: measure_all(ours)}
        try:
            from peers import iree
        except ImportError as error:
            leave_out("iree", f"{error} (scripts/peers --bench installs it)")
        else:
            theirs = iree.commands(model, Path(folder) / "model.vmfb")
            sides["iree"] = lambda: replace(measure_all(theirs), version=iree.Peer.version)
        found = in_turns(sides, QUICK_ROUNDS if settings.quick else ROUNDS)
        yield from results(settings, "bert-base", found.pop("ds"), found)
