"""Random single-op models: how they are made (case.py), which ops (the other files) and what they give (oracle.py)."""

from . import arithmetic, contraction, data_movement, indexing, reduction, shapes
from .case import Case, Skip

GENERATORS = [
    *arithmetic.GENERATORS,
    *contraction.GENERATORS,
    *data_movement.GENERATORS,
    *indexing.GENERATORS,
    *reduction.GENERATORS,
    *shapes.GENERATORS,
]

__all__ = ["GENERATORS", "Case", "Skip"]
