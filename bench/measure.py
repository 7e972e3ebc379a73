"""How a comparison is timed."""

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from peers import PEERS
from roofline import Roofline
from runtime import Session

LARGEST_DIFFERENCE = 1e-3


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


@dataclasses.dataclass(frozen=True)
class Case:
    """One measurement: inputs of a model, and the work that they need."""

    name: str
    inputs: Mapping[str, np.ndarray]
    outputs: tuple[str, ...]
    flops: float  # multiplications and additions
    bytes: float  # read or written at least once


def settle() -> None:
    """Waits until no thread of this process runs: a peer's workers may spin for a while after its last call."""
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.004)
        if time.process_time() - before < 0.001:
            return


def alternate(calls: list[Callable[[], None]], seconds: float) -> list[float]:
    """The median time of each call in milliseconds.

    The calls take turns, so that whatever else the machine does meets all of them alike; the order reverses each
    round, so that none always follows the same other. A turn starts when the other side's threads sleep, with an untimed
    call so that it does not meet the other side's caches, and is repeated to at least ten milliseconds.
    """
    repeats = []
    for call in calls:
        call()
        start = time.perf_counter()
        call()
        repeats.append(max(1, round(1e-2 / (time.perf_counter() - start))))
    times: list[list[float]] = [[] for _ in calls]
    order = list(range(len(calls)))
    warm_until = time.perf_counter() + seconds / 10
    end = warm_until + seconds
    rounds = 0
    while time.perf_counter() < end or rounds < 5:
        warm = time.perf_counter() >= warm_until
        for i in order:
            settle()
            calls[i]()
            start = time.perf_counter()
            for _ in range(repeats[i]):
                calls[i]()
            if warm:
                times[i].append((time.perf_counter() - start) / repeats[i])
        order.reverse()
        rounds += warm
    return [1e3 * statistics.median(samples) for samples in times]


def check_agreement(case: Case, ours: list[np.ndarray], theirs: list[np.ndarray], peer: str) -> None:
    """Raises when the two sides' outputs differ in shape or by more than rounding."""
    for name, a, b in zip(case.outputs, ours, theirs, strict=True):
        if a.shape != b.shape:
            raise Disagreement(f"{case.name}: {name}: ours is {list(a.shape)}, {peer}'s is {list(b.shape)}")
        difference = np.max(np.abs(a.astype(np.float64) - b))
        if not difference <= LARGEST_DIFFERENCE:
            raise Disagreement(f"{case.name}: {name}: differs from {peer}'s by {difference:.2e}")


def compare(settings: Settings, model: Path, artifact: Path, cases: list[Case]) -> Iterator[dict]:
    """Times every case on ours and on all peers and yields one result per case and peer."""
    roofline = Roofline(settings.threads)
    session = Session(settings.library, artifact, settings.threads)
    others = [peer(model, settings.threads) for peer in PEERS]
    seconds = 1.0 if settings.quick else 4.0
    for case in cases:
        ours = session.prepare(case.inputs, case.outputs)
        prepared = [peer.prepare(case.inputs, case.outputs) for peer in others]
        ours()
        for peer, (call, results) in zip(others, prepared):
            call()
            check_agreement(case, ours.results(), results(), peer.name)
        ours_ms, *peers_ms = alternate([ours, *(call for call, _ in prepared)], seconds * (1 + len(others)))
        least_ms = roofline.least_ms(case.flops, case.bytes)
        for peer, peer_ms in zip(others, peers_ms):
            yield {
                "case": case.name,
                "threads": settings.threads,
                "ours_ms": ours_ms,
                "peer": peer.name,
                "peer_version": peer.version,
                "peer_ms": peer_ms,
                "ratio": peer_ms / ours_ms,
                "limit_fraction": least_ms / ours_ms if least_ms is not None else None,
            }
    session.close()
