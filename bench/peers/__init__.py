"""The peers. Each prepares calls on the same model, inputs and number of threads as ours.

A peer is a module here with a class `Peer(model, threads)` that has `name`, `version` and
`prepare(inputs, outputs) -> Prepared`. It imports its library at the top, so that no import is timed. A peer that is not
installed or cannot run a model is left out, and that is reported once.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np

_reported: set[str] = set()


class Prepared(NamedTuple):
    """A call with everything bound."""

    call: Callable[[], None]
    copies: Callable[[], list[np.ndarray]]  # of its results; for some peers only until their next call
    inputs: Mapping[str, np.ndarray]  # kept alive: libraries point into them

    def results(self) -> list[np.ndarray]:
        """Makes the call and returns copies of its results."""
        self.call()
        return self.copies()


class Unsupported(RuntimeError):
    """The peer cannot run this model."""


def leave_out(name: str, reason: object) -> None:
    """Says that a peer takes no part, each reason once."""
    text = f"bench: {name} is left out: {str(reason).strip()[:400]}"
    if text not in _reported:
        _reported.add(text)
        print(text, file=sys.stderr, flush=True)


def open_peers(names: Iterable[str], model: Path, threads: int) -> list:
    """The peers of these names that can run the model."""
    opened = []
    for name in names:
        try:
            opened.append(import_module(f"peers.{name}").Peer(model, threads))
        except ImportError as error:
            leave_out(name, f"{error} (scripts/peers --bench installs it)")
        except RuntimeError as error:
            leave_out(name, error)
    return opened
