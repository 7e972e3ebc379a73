"""Ours, in the form of a peer: a compiled artifact in place of a model."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from peers import Prepared
from runtime import Session


class Ds:
    name = "ds"

    def __init__(self, library: Path, artifact: Path, threads: int, verify: str = "full") -> None:
        self._session = Session(library, artifact, threads, verify)
        self.version = self._session.version

    def prepare(self, inputs: Mapping[str, np.ndarray], outputs: tuple[str, ...]) -> Prepared:
        call = self._session.prepare(inputs, outputs)
        return Prepared(call, call.results, inputs)

    def close(self) -> None:
        """Gives what the artifact takes back."""
        self._session.close()
