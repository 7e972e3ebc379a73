"""How a comparison is timed."""

import dataclasses
import functools
import itertools
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cache import FOLDER, cached, name_of
from dstools import Tools
from memory import placed
from peers import Prepared, leave_out, open_peers
from peers.ds import Ds
from roofline import Roofline

LARGEST_DIFFERENCE = 1e-3
SAMPLE_EVERY = 0.3  # seconds between samples of the machine's peaks


class Disagreement(AssertionError):
    """The two sides computed different things, so their times cannot be compared."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the command line asked for."""

    threads: int
    quick: bool
    bin_dir: Path

    @property
    def library(self) -> Path:
        """The runtime of the build that the tools are from."""
        return self.bin_dir.parent / "lib" / "libds_runtime.so"

    @property
    def seconds(self) -> float:
        """How long each side of a case is measured."""
        return 0.5 if self.quick else 4.0

    @functools.cached_property
    def roofline(self) -> Roofline:
        """The machine's peaks: one for all cases, so that each gains from what the others saw."""
        return Roofline(self.threads)

    def compile(self, model: Path, *flags: str) -> Path:
        """The artifact of a model, compiled when model or compiler are other ones than last time."""
        tools = Tools(self.bin_dir)
        compiler = self.bin_dir / "ds-compile"
        sources = [model, *([compiler] if compiler.exists() else [])]  # a missing one is reported by the call
        name = "".join([name_of(model), *flags])
        return cached(
            FOLDER / "artifacts" / f"{name}.dsa", sources, lambda path: tools.compile(model, path, *flags)
        )


@dataclasses.dataclass(frozen=True)
class Case:
    """One measurement: inputs of a model, and the work that they need."""

    name: str
    inputs: Mapping[str, np.ndarray]
    outputs: tuple[str, ...]
    flops: float  # multiplications and additions
    bytes: float  # read or written at least once
    cold: bool = False  # nothing is in the caches when a call starts
    rotates: bool = False  # inputs come from memory: calls take turns among copies of them, as layers of a model do


@dataclasses.dataclass(frozen=True)
class Side:
    """Somebody's way to do the work of a case, with `call()` and `results()`."""

    name: str
    version: str
    work: Prepared | Any


def settle() -> None:
    """Waits until no thread of this process runs: a peer's workers may spin for a while after its last call."""
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.004)
        if time.process_time() - before < 0.001:
            return


def _timed(call: Callable[[], None], repeats: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def alternate(
    calls: Sequence[Callable[[], None]],
    seconds: float,
    beside: Callable[[], None] = lambda: None,
    flush: Callable[[], None] | None = None,
    turns: int = 1,
) -> list[float]:
    """The median time of each call in milliseconds.

    The calls take turns, so that whatever else the machine does meets all of them alike; the order reverses each
    round, so that none always follows the same other. A turn starts when the other side's threads sleep, with an untimed
    call so that it does not meet the other side's caches, and is repeated to at least ten milliseconds. Calls that take
    long need no untimed one. All calls have been made before. With `flush`, which empties the caches, a turn is one timed call after it.
    With `turns` calls that are one after another on different inputs, a turn is a multiple of them. `beside` is called between rounds now and then.
    """
    first = [_timed(call) for call in calls]
    repeats = [1 if flush else turns * max(1, round(1e-2 / time / turns)) for time in first]
    rounds_needed = 5 if max(first) < 0.5 else 3
    times: list[list[float]] = [[] for _ in calls]
    order = list(range(len(calls)))
    warm_until = time.perf_counter() + (seconds / 10 if max(first) < 0.1 else 0)
    end = warm_until + seconds
    next_sample = 0.0
    rounds = 0
    while time.perf_counter() < end or rounds < rounds_needed:
        if time.perf_counter() >= next_sample:
            settle()
            beside()
            next_sample = time.perf_counter() + SAMPLE_EVERY
        warm = time.perf_counter() >= warm_until
        for i in order:
            settle()
            if flush:
                flush()
            elif first[i] < 0.1:
                calls[i]()
            elapsed = _timed(calls[i], repeats[i])
            if warm:
                times[i].append(elapsed)
        order.reverse()
        rounds += warm
    return [1e3 * statistics.median(samples) for samples in times]


class Rotation:
    """One side's calls on copies of the inputs, in turn."""

    def __init__(self, works: Sequence[Prepared]) -> None:
        self._works, self._turns = works, itertools.cycle(works)

    def call(self) -> None:
        """Makes the next call."""
        next(self._turns).call()

    def results(self) -> list[np.ndarray]:
        """Makes a call and returns copies of its results."""
        return self._works[0].results()


def check_agreement(case: Case, ours: list[np.ndarray], theirs: list[np.ndarray], peer: str) -> None:
    """Raises when the two sides' outputs differ in shape or by more than rounding."""
    for name, a, b in zip(case.outputs, ours, theirs, strict=True):
        if a.shape != b.shape:
            raise Disagreement(f"{case.name}: {name}: ours is {list(a.shape)}, {peer}'s is {list(b.shape)}")
        difference = np.max(np.abs(a.astype(np.float64) - b), initial=0.0)
        if not difference <= LARGEST_DIFFERENCE:
            raise Disagreement(f"{case.name}: {name}: differs from {peer}'s by {difference:.2e}")


def result(
    case: str, threads: int, ours_ms: float, peer: tuple[str, str, float] | None = None, limit: float | None = None
) -> dict:
    """A case as it is printed and written; a peer is its name, version and milliseconds, None when nobody is there."""
    name, version, peer_ms = peer or (None, None, None)
    return {
        "case": case,
        "threads": threads,
        "ours_ms": ours_ms,
        "peer": name,
        "peer_version": version,
        "peer_ms": peer_ms,
        "ratio": peer_ms / ours_ms if peer else None,
        "limit_fraction": limit,
    }


def relative_rms(found: Sequence[np.ndarray], whole: Sequence[np.ndarray]) -> float:
    """How far results are from those of a model that leaves nothing out: √(Σ (found − whole)² / Σ whole²)."""
    squares = [
        (np.square(mine - other, dtype=np.float64).sum(), np.square(other, dtype=np.float64).sum())
        for mine, other in zip(found, whole)
    ]
    difference, size = np.sum(squares, axis=0)
    return float(np.sqrt(difference / size))


def copies_of(case: Case, roofline: Roofline) -> int:
    """How many copies of the inputs calls take turns among: together no cache holds them."""
    return max(2, math.ceil(roofline.flush_bytes / case.bytes)) if case.rotates else 1


def time_sides(settings: Settings, case: Case, ours: Side, peers: Iterable[Side], seconds: float) -> Iterator[dict]:
    """Checks that the sides agree, times them, and yields one result per peer."""
    expected, others = ours.work.results(), []
    for peer in peers:
        try:
            found = peer.work.results()
        except RuntimeError as error:
            leave_out(f"{peer.name}, {case.name}", error)
            continue
        check_agreement(case, expected, found, peer.name)
        others.append(peer)
    roofline = settings.roofline
    working_set = roofline.flush_bytes if case.cold or case.rotates else case.bytes
    ours_ms, *peers_ms = alternate(
        [side.work.call for side in (ours, *others)],
        seconds * (1 + len(others)),
        beside=lambda: roofline.sample(working_set),
        flush=roofline.flush if case.cold else None,
        turns=copies_of(case, roofline),
    )
    least_ms = roofline.least_ms(case.flops, case.bytes, working_set)
    limit = least_ms / ours_ms if least_ms is not None else None
    if limit is not None and limit > 1:
        print(f"bench: {case.name}: {limit:.0%} of the limit: the peaks were measured too low", file=sys.stderr)
    timed = [(peer.name, peer.version, peer_ms) for peer, peer_ms in zip(others, peers_ms)]
    for peer in timed or [None]:
        yield result(case.name, settings.threads, ours_ms, peer, limit)


def compare(
    settings: Settings,
    model: Path,
    cases: Iterable[Case],
    peers: Iterable[str] | Mapping[str, Path],
    seconds: float | None = None,
    flags: Iterable[str] = (),
) -> Iterator[dict]:
    """Times every case of a model on ours and on the peers of these names, or on their own forms of the model."""
    ds = Ds(settings.library, settings.compile(model, *flags), settings.threads)
    forms = peers if isinstance(peers, Mapping) else dict.fromkeys(peers, model)
    opened = [side for name, form in forms.items() for side in open_peers([name], form, settings.threads)]
    for case in cases:
        copies = [placed(case.inputs) for _ in range(copies_of(case, settings.roofline))]
        ours, *others = (
            Side(side.name, side.version, Rotation([side.prepare(inputs, case.outputs) for inputs in copies]))
            for side in (ds, *opened)
        )
        yield from time_sides(settings, case, ours, others, seconds or settings.seconds)
    ds.close()
