"""Comparisons of whole processes: each run is a new one, the sides take turns, and the median counts."""

import dataclasses
import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from measure import Settings, result
from peers import leave_out

HERE = Path(__file__).resolve().parent


class ChildFailure(RuntimeError):
    """A process ended with another exit status than 0."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What one process took."""

    seconds: float
    bytes: int
    version: str = ""


def measure(script: str, *arguments: object) -> Run:
    """Runs fresh.py or timed.py and reads what it prints."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        # of a traceback, the error itself
        raise ChildFailure(f"{' '.join(command[1:4])}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return Run(**json.loads(done.stdout))


def in_turns(sides: Mapping[str, Callable[[], Run]], rounds: int, untimed: int = 0) -> dict[str, Run]:
    """The median of each side's runs, after some untimed ones that fill the page cache.

    A peer whose process fails is left out; ours, whose names begin with "ds", must not fail.
    """
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for number in range(untimed + rounds):
        names = list(runs)
        for name in names if number % 2 == 0 else reversed(names):
            try:
                found = sides[name]()
            except ChildFailure as error:
                if name.startswith("ds"):
                    raise
                leave_out(name, error)
                del runs[name]
                continue
            if number >= untimed:
                runs[name].append(found)
    return {name: _median(found) for name, found in runs.items()}


def _median(runs: list[Run]) -> Run:
    middle = lambda field: statistics.median(getattr(run, field) for run in runs)  # noqa: E731
    return Run(middle("seconds"), int(middle("bytes")), runs[0].version)


def results(settings: Settings, case: str, ours: Run, peers: Mapping[str, Run]) -> Iterator[dict]:
    """Cases with the peak memory of both; one without a peer when none is there."""
    memory = {"ours_peak_mb": ours.bytes / 1e6}
    for name, run in peers.items():
        found = result(case, settings.threads, 1e3 * ours.seconds, (name, run.version, 1e3 * run.seconds))
        yield found | memory | {"peer_peak_mb": run.bytes / 1e6}
    if not peers:
        yield result(case, settings.threads, 1e3 * ours.seconds) | memory
