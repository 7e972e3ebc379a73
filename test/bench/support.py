"""What the tests of the benchmarks share."""

import contextlib
import io
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "scripts")]

import measure  # noqa: E402


class Clock:
    """Stands in for the module `time`: time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return 0.0  # no thread ever runs in the background

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def case(name: str = "a", ratio: float | None = 1.0, peer: str | None = "other") -> dict:
    """A result in which ours takes 2 ms."""
    return measure.result(name, 2, 2.0, (peer, "1.0", 2.0 * ratio) if peer else None)


def printed(function, *arguments) -> tuple[object, str]:
    """What a function returns, and what it prints to both streams."""
    text = io.StringIO()
    with contextlib.redirect_stderr(text), contextlib.redirect_stdout(text):
        return function(*arguments), text.getvalue()
