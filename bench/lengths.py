"""Lengths of real texts, and how texts are put into batches."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

HISTOGRAM = Path(__file__).resolve().parent / "text_lengths.csv"


def read_histogram(path: Path = HISTOGRAM) -> dict[int, int]:
    """How many texts have each length in tokens."""
    with path.open() as lines:
        return {int(row["length"]): int(row["count"]) for row in csv.DictReader(lines)}


def draw_lengths(histogram: dict[int, int], count: int, seed: int) -> list[int]:
    """Lengths with the histogram's distribution."""
    lengths, counts = np.array(list(histogram)), np.array(list(histogram.values()))
    return np.random.default_rng(seed).choice(lengths, count, p=counts / counts.sum()).tolist()


def group(lengths: Sequence[int], size: int, by_length: bool = False) -> list[list[int]]:
    """The texts of each batch, in the order they come or shortest first."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i]) if by_length else list(range(len(lengths)))
    return [order[start : start + size] for start in range(0, len(order), size)]
